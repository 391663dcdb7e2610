//! Parts of objects that are not here as a whole: which ranges go to the origin as they are, how its 206 is kept, and how
//! a kept beginning is completed with what is missing (spec/cloudfront.md 5.6, RFC 9111 3.3 and 3.4).
import { mergeNotModified, strongValidator } from '../http/conditional.ts'
import { firstValue } from '../http/headers.ts'
import { resolveRange } from '../http/range.ts'
import type { Answer, BodyFilter, FilteredBody, Flight } from './cache/flight.ts'
import { INDEX, type StoredObject } from './cache/object.ts'
import {
  bytesOfPart,
  continues,
  isOneVersion,
  isWhole,
  join,
  type PartPlace,
  packPart,
  placeIn,
  placeOf,
  placeOfPart,
  wholeHead,
  withoutPart,
} from './cache/parts.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { type AnswerContext, answerOf, headerPairs, type OriginHead } from './origin/answer.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'

/** The one Range that `x` asks for when it can be sent on as it is and its part be kept; null for none. */
export function singleRange({ request, cacheable, slice, stale, facts }: Exchange): string | null {
  const { selection } = facts
  if (!cacheable || request.method !== 'GET' || slice !== null || stale !== null) return null
  // The condition of If-Range is decided here, so that the whole is needed when it does not hold.
  if (selection === null || selection.range?.length !== 1 || selection.ifRange !== null) return null
  return request.headers.get('range') ?? null
}

/**
 * The Range that goes to the origin: in strict mode the first one that is asked of an object goes as it is. In default
 * mode the whole is asked for, as CloudFront may (spec 5.6), and so it is for the second range that no part holds.
 */
export const rangeToForward = (x: Exchange): string | null =>
  (x.behavior as BehaviorPlan).strict && x.part === null ? singleRange(x) : null

/** Requests for the same part of an object share one fetch. No header's name is followed by a space in a key. */
export const rangeKey = (key: string, range: string): string => `${key}\n#range ${range}`

/**
 * The answer that an origin's 206 is to a viewer who asked for a part, with the lifetime that its object would have; so
 * it can be kept. Null when it is none that can.
 */
export function partAnswer(x: Exchange, head: OriginHead, context: AnswerContext): Answer | null {
  if (!x.cacheable || !x.facts.selection?.range || placeIn(head.status, head.headers) === null) return null
  const whole = answerOf({ ...head, status: 200, statusText: '', headers: withoutPart(head.headers) }, context)
  const { status, head: text, leaderHead, length } = answerOf(head, context)
  return { ...whole, status, head: text, length, ...(leaderHead === undefined ? {} : { leaderHead }) }
}

/** True when the part is the very one that its viewer asked for, so that others who ask for the same may have it. */
export function isAsAsked(x: Exchange, answer: Answer): boolean {
  const place = placeIn(answer.status, headerPairs(answer.head))
  const specs = x.facts.selection?.range
  if (place === null || !specs) return false
  const asked = resolveRange(specs, place.length)
  if (asked.kind !== 'parts') return false
  const [only, another] = asked.ranges
  return another === undefined && only.first === place.first && only.last === place.last
}

/** Keeps a part that has come, joined to the one that is there when that is of the same version. */
export function keepPart(
  edge: Edge,
  key: string,
  answer: Answer,
  where: Pick<StoredObject, 'distributionId' | 'uri'>,
  chunks: readonly Uint8Array[],
): void {
  const pairs = headerPairs(answer.head)
  const told = placeIn(answer.status, pairs)
  const bytes = Buffer.concat(chunks)
  const found = told === null ? null : placeOf(told, bytes.length)
  if (found === null) return
  const head = wholeHead(answer.head)
  // What nobody can vouch for is never joined to anything, nor confirmed.
  const meta = { ...answer, ...where, head, ...(found.sure ? {} : { etag: '', lastModified: '' }) }
  const there = edge.store.get(key)
  const newer = { place: found.place, bytes }
  // A whole object, or the way to one, is better than any part.
  if (there !== null && there.status !== INDEX.part) return
  const joined = there === null ? null : joinedTo(there, meta, newer, edge.clock.now())
  const { place, chunks: all } = joined ?? { place: found.place, chunks: [bytes] }
  const kept = isWhole(place)
    ? edge.store.put(key, { ...meta, status: 200 }, all)
    : edge.store.put(key, { ...meta, status: INDEX.part }, packPart(place, all))
  // Joined they are too large: the newer one is what is wanted now.
  if (kept === null && joined !== null) {
    edge.store.put(key, { ...meta, status: INDEX.part }, packPart(found.place, [bytes]))
  }
}

function joinedTo(
  there: StoredObject,
  meta: Pick<StoredObject, 'etag' | 'lastModified' | 'head'>,
  newer: { readonly place: PartPlace; readonly bytes: Uint8Array },
  nowMs: number,
) {
  if (!isOneVersion({ ...there, date: dateOf(there) }, { ...meta, date: dateOf(meta) }, nowMs)) return null
  const joined = join({ place: placeOfPart(there), bytes: bytesOfPart(there) }, newer)
  // Its memory may be used anew while the joined one is put in its place.
  return joined === null ? null : { place: joined.place, chunks: [Buffer.concat(joined.chunks)] }
}

const dateOf = ({ head }: { readonly head: string }): string | undefined => firstValue(headerPairs(head), 'date')

/**
 * Header lines that ask for what is missing behind a part, empty when the whole must be asked for. Only a strong
 * validator lets the two be joined; in strict mode one without is tried as well, for an origin may answer with the whole.
 */
export function restHeaders(part: StoredObject, strict: boolean, nowMs: number): string[] {
  const { first, last } = placeOfPart(part)
  if (first !== 0) return []
  const { etag, lastModified } = part
  const date = dateOf(part)
  const validator = strongValidator({ etag: etag || undefined, lastModified: lastModified || undefined, date }, nowMs)
  if (validator === null && !strict) return []
  return ['Range', `bytes=${last + 1}-`, ...(validator === null ? [] : ['If-Range', validator.value])]
}

/** Puts the part before what the origin sends, when that is the rest of it; null for any other answer. */
export function completion(
  part: StoredObject,
  status: number,
  headers: readonly string[],
  nowMs: number,
): BodyFilter | null {
  return continues(part, dateOf(part), status, headers, nowMs) ? new Prefixed(Buffer.from(bytesOfPart(part))) : null
}

/** The head of the whole that a part and its rest make (RFC 9111 3.4); null when the origin sent no such rest. */
export function completedHead(part: StoredObject, flight: Flight, nowMs: number): OriginHead | null {
  if (!continues(part, dateOf(part), flight.status, flight.headers, nowMs)) return null
  const headers = mergeNotModified(headerPairs(part.head), withoutPart(flight.headers))
  headers.push('Content-Length', String(placeOfPart(part).length))
  return { status: 200, statusText: '', headers }
}

class Prefixed implements BodyFilter {
  readonly #prefix: Uint8Array
  #body: FilteredBody | null = null

  constructor(prefix: Uint8Array) {
    this.#prefix = prefix
  }

  attach(body: FilteredBody): void {
    this.#body = body
    body.onFiltered(this.#prefix)
  }

  write(chunk: Uint8Array): void {
    this.#body?.onFiltered(chunk)
  }

  end(): void {
    this.#body?.onFilteredEnd()
  }

  abort(): void {
    this.#body = null
  }
}
