//! What a viewer's conditions and range make of an answer that would go out whole (RFC 9110 13.2.2, 14.2). Decides only.
import { evaluateConditions, ifRangeHolds } from '../../http/conditional.ts'
import { firstValue } from '../../http/headers.ts'
import { type ResolvedRange, resolveRange } from '../../http/range.ts'
import { headerPairs } from '../origin/answer.ts'
import type { Selection } from '../viewer-facts.ts'

/** The answer as it would be without them; StoredObject and Answer have it. */
export interface Selectable {
  readonly status: number
  readonly head: string
  readonly etag: string
  readonly lastModified: string
}

export type Choice = ResolvedRange | { readonly kind: 'not-modified' } | { readonly kind: 'precondition-failed' }

const WHOLE: Choice = { kind: 'whole' }

/**
 * `length` is null while the object's is not known: then a range is answered with the whole object (spec 5.6). A 206 of
 * the origin's is a part already; only the conditions are still to be looked at.
 */
export function choose(
  method: string,
  selection: Selection,
  answer: Selectable,
  length: number | null,
  nowMs: number,
): Choice {
  if (method !== 'GET' && method !== 'HEAD') return WHOLE
  if (answer.status !== 200 && answer.status !== 206) return WHOLE
  const { range, ifRange } = selection
  const dated =
    ifRange ?? (answer.lastModified === '' ? (selection.ifModifiedSince ?? selection.ifUnmodifiedSince) : null)
  const date = dated === null ? undefined : firstValue(headerPairs(answer.head), 'date')
  const validators = { etag: answer.etag || undefined, lastModified: answer.lastModified || undefined, date }
  const outcome = evaluateConditions(selection, validators, nowMs)
  if (outcome !== 'proceed') return { kind: outcome }
  // Range is defined for GET alone.
  if (range === null || length === null || method !== 'GET' || answer.status !== 200) return WHOLE
  if (ifRange !== null && !ifRangeHolds(ifRange, validators, date, nowMs)) return WHOLE
  return resolveRange(range, length)
}
