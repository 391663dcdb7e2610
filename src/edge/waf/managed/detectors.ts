//! What finds the attacks of some families: rules of the engine's rule set and patterns of our own, compiled together.
//! Shared by all web ACLs of the process, because compiling takes milliseconds.
import { readFileSync } from 'node:fs'
import { FAMILIES, type Family } from '../../../domain/waf/managed-families.ts'
import { MANAGED_PATTERNS } from '../../../domain/waf/managed-patterns.ts'
import { type Detector, detector, type EngineRule } from '../engine.ts'

type RuleFile = Readonly<Record<string, Omit<EngineRule, 'kind' | 'id'>>>

let rules: RuleFile | null = null
const known = new Map<string, Detector>()

/** Its kinds are the families. @throws when the rule set cannot be read */
export function detectorOf(families: readonly Family[]): Detector {
  const key = [...new Set(families)].sort().join(' ')
  const made = known.get(key)
  if (made !== undefined) return made
  const fresh = detector((key.split(' ') as Family[]).flatMap(engineRules))
  known.set(key, fresh)
  return fresh
}

function engineRules(family: Family): EngineRule[] {
  rules ??= (
    JSON.parse(readFileSync(new URL('../rules/engine-rules.json', import.meta.url), 'utf8')) as { rules: RuleFile }
  ).rules
  const { engine, own } = FAMILIES[family]
  return [
    ...engine.map((id) => {
      const { transformers, ...rest } = (rules as RuleFile)[id]!
      // Names are texts here as values are (managed/fields.ts).
      return { kind: family, id, ...rest, transformers: transformers.filter((name) => name !== 'keys_only') }
    }),
    ...own.map((id) => ({
      ...{ kind: family, id, operator: 'match_regex', transformers: [] },
      parameters: { regex: MANAGED_PATTERNS[id]?.regex, options: { case_sensitive: false } },
    })),
  ]
}
