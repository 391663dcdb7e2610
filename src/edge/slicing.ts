//! When an object begins to be kept in slices, and when it ends: indexes are made from the origin's head, taken over from
//! the owner of the key, and dropped when the origin has another version (cache/slices.ts, delivery/slice-stream.ts).
import { firstValue } from '../http/headers.ts'
import { parseContentRange } from '../http/range.ts'
import type { Answer, Flight } from './cache/flight.ts'
import { invalidationUri } from './cache/key.ts'
import { INDEX, type StoredObject } from './cache/object.ts'
import { withoutPart } from './cache/parts.ts'
import {
  makeIndex,
  type SlicedVersion,
  sliceBytesFor,
  slicedVersion,
  strongValidatorIn,
  versionName,
  versionOf,
} from './cache/slices.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { leaveFlight } from './leaving.ts'
import { type AnswerContext, answerOf } from './origin/answer.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'
import { placeAnswer } from './variant-choice.ts'

/**
 * The index of a whole answer that is too large to be kept as one; null when it cannot be kept in slices either. It lies
 * in the cache then, and the fetch that it was made from is broken off: who wants bytes asks for slices.
 */
export function turnIntoSlices(x: Exchange, edge: Edge, flight: Flight, answer: Answer): StoredObject | null {
  if (answer.notStored !== 'over-object-limit' || !x.cacheable || answer.status !== 200 || flight.coding !== null)
    return null
  const version = slicedVersion(x.key, flight.headers, answer.length, edge.store.objectBytesMax, edge.clock.now())
  if (version === null || edge.flights.refusesSlices(x.key)) return null
  if (versionName(version) === x.goneVersion) {
    // It is there after all, and its slices are not to be had.
    edge.flights.refuseSlices(x.key)
    return null
  }
  const index = keepIndex(x, edge, version, answer)
  if (index === null) return null
  breakOff(x, edge, flight, index)
  return index
}

/**
 * True when a part that the origin sent tells that a large object can be kept in slices, although its head did not say
 * so. The part goes to its viewer as it is, the next request finds the index.
 */
export function learnFromPart(x: Exchange, edge: Edge, flight: Flight, context: AnswerContext): boolean {
  const { objectBytesMax } = edge.store
  const length = parseContentRange(firstValue(flight.headers, 'content-range') ?? '')?.length ?? 0
  // An answer to If-Range need not have all fields of the object's head (RFC 9110 15.3.7).
  if (flight.status !== 206 || length <= objectBytesMax || x.facts.selection?.ifRange !== null) return false
  const validator = strongValidatorIn(flight.headers, edge.clock.now())
  if (validator === null || edge.flights.refusesSlices(x.key)) return false
  const head = { status: 200, statusText: '', headers: withoutPart(flight.headers) }
  const answer = answerOf(head, { ...context, refused: null })
  if (answer.notStored !== null) return false
  const version = { key: x.key, length, sliceBytes: sliceBytesFor(objectBytesMax), validator, tags: '' }
  return keepIndex(x, edge, version, answer) !== null
}

/** The index that the owner of the key has, once its few bytes are here; null when they do not come. */
export async function takeOverIndex(
  x: Exchange,
  edge: Edge,
  flight: Flight,
  answer: Answer,
): Promise<StoredObject | null> {
  const body = await wholeBody(flight)
  if (body === null) return null
  const { length, sliceBytes, validator } = JSON.parse(body) as SlicedVersion
  const index = keepIndex(x, edge, { key: x.key, length, sliceBytes, validator, tags: '' }, answer)
  letWaitersGo(edge, flight, index)
  return index
}

/** Forgets the index of a version that is no longer to be had; its slices are found by nobody any more. */
export function dropVersion(edge: Edge, version: SlicedVersion): void {
  const there = edge.store.get(version.key)
  if (there === null || there.status !== INDEX.slices) return
  if (versionName(versionOf(there)) === versionName(version)) edge.store.delete(version.key)
}

/** Null when no request could find it: each has an answer of its own (`Vary: *` in strict mode). */
function keepIndex(x: Exchange, edge: Edge, version: SlicedVersion, answer: Answer): StoredObject | null {
  const { key: recipe, strict } = x.behavior as BehaviorPlan
  const placed = strict ? placeAnswer(x, edge, { ...answer, notStored: null }) : answer
  if (strict && placed.notStored !== null) return null
  const place = { distributionId: recipe.distributionId, uri: invalidationUri(recipe, x.path, x.request.query) }
  const index = makeIndex({ ...version, key: x.key }, placed, place)
  if (edge.invalidations.isDead(place.distributionId, place.uri, index.asOf, index.tags)) return index
  return edge.store.put(index.key, index, [index.body]) ?? index
}

/** The bytes of the whole are not wanted; whoever waits for them looks into the cache again. */
function breakOff(x: Exchange, edge: Edge, flight: Flight, index: StoredObject): void {
  edge.recordFetch(x)
  flight.stopKeeping()
  letWaitersGo(edge, flight, index)
  leaveFlight(x)
  x.flight = x.answer = null
  x.leads = false
  x.tier = 'edge'
}

function letWaitersGo(edge: Edge, flight: Flight, index: StoredObject | null): void {
  if (index !== null && index.freshUntil > edge.clock.now()) {
    edge.flights.share(flight.key)
    edge.flights.close(flight)
    flight.decide('look-again')
  } else {
    // Kept for revalidation only: every request asks the origin for itself (spec 5.7).
    edge.flights.unshare(flight)
    flight.decide('alone')
  }
}

function wholeBody(flight: Flight): Promise<string | null> {
  return new Promise((resolve) => {
    const reader = { at: 0, wake: () => look() }
    const look = (): void => {
      if (!flight.over) return
      flight.stopReading(reader)
      let text = ''
      for (let at = 0; ; at++) {
        const chunk = flight.chunk(at)
        if (chunk === undefined) break
        text += Buffer.from(chunk).toString('latin1')
      }
      resolve(flight.ended ? text : null)
    }
    flight.read(reader)
    look()
  })
}
