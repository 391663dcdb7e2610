//! The rules of a managed group as matchers. What the families of one group find in one part of a request is asked once.
import type { Family } from '../../../domain/waf/managed-families.ts'
import type { ManagedField, ManagedRule, ManagedRuleGroup } from '../../../domain/waf/managed-groups.ts'
import type { Shared } from '../compile-context.ts'
import type { Compiled, Reader } from '../matcher.ts'
import { detectorOf } from './detectors.ts'
import { fieldSize, managedField } from './fields.ts'

/** @throws when the rule set cannot be read */
export function managedMatcher(rule: ManagedRule, group: ManagedRuleGroup, shared: Shared): Compiled {
  const { field, test } = rule
  const texts = managedField(field, shared)
  const { looks, read } = texts
  switch (test.kind) {
    case 'finds': {
      const found = foundIn(field, texts, group, shared)
      return shared.remembered({ looks, matches: (request) => (found.read(request) as string[]).includes(test.family) })
    }
    case 'over': {
      const size = fieldSize[field]
      if (size === undefined) throw new Error(`the size of ${field} is not known`)
      return { looks, matches: (request) => size(request) > test.bytes }
    }
    case 'is':
      return { looks, matches: (request) => (read(request) as string[]).includes(test.value) }
    case 'absent':
      return { looks, matches: (request) => (read(request) as string[]).length === 0 }
  }
}

/** Reads the families of the group that are in the part, of those that its rules look for there. */
function foundIn(
  field: ManagedField,
  texts: Reader & { readonly name: string },
  group: ManagedRuleGroup,
  shared: Shared,
): Reader {
  const families = group.rules.flatMap(({ field: other, test }): Family[] =>
    other === field && test.kind === 'finds' ? [test.family] : [],
  )
  const detector = detectorOf(families)
  return shared.reader(`managed ${group.name} in ${texts.name}`, () => ({
    looks: texts.looks,
    read: (request) => detector.find(texts.read(request) as string[]),
  }))
}
