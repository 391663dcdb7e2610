//! The body, as text and as JSON.
import type { InspectedBody } from '../inspected.ts'
import { LOOKS } from '../matcher.ts'
import type { FieldCompiler } from './field.ts'
import { elementsOf, jsonPaths } from './json-elements.ts'
import { oversized } from './oversize.ts'

function read(body: InspectedBody | null): InspectedBody {
  // evaluate.ts has it read before.
  if (body === null) throw new Error('the body has not been read')
  return body
}

export const body: FieldCompiler<'Body'> = ({ OversizeHandling = 'CONTINUE' }) => ({
  looks: LOOKS.body,
  read(request) {
    const { texts, oversize } = read(request.body)
    if (oversize && OversizeHandling !== 'CONTINUE') return oversized(OversizeHandling)
    // No body is an empty one.
    return texts.length === 0 ? EMPTY : texts
  },
})

const EMPTY: readonly string[] = ['']

export const jsonBody: FieldCompiler<'JsonBody'> = (field) => {
  const { MatchPattern, MatchScope: scope, InvalidFallbackBehavior: fallback, OversizeHandling = 'CONTINUE' } = field
  const paths = jsonPaths(MatchPattern)
  return {
    looks: LOOKS.body,
    read(request) {
      const { texts, oversize } = read(request.body)
      if (oversize && OversizeHandling !== 'CONTINUE') return oversized(OversizeHandling)
      // A Content-Encoding that is a lie must not hide what came: whatever is JSON, packed or unpacked, is looked at.
      const given = texts.filter((text) => text !== '')
      if (given.length === 0) return []
      const elements = given.map((text) => elementsOf(text, paths))
      const isWhole = elements.some(({ whole }) => whole)
      if (!isWhole && fallback === 'EVALUATE_AS_STRING') return given
      if (!isWhole && fallback === 'MATCH') return true
      // What was cut off by us says nothing of what came: as much as there is of it counts.
      if (!isWhole && !oversize && fallback === 'NO_MATCH') return false
      return elements.flatMap(({ keys, values }) => {
        if (scope === 'KEY') return keys
        return scope === 'VALUE' ? values : [...keys, ...values]
      })
    },
  }
}
