//! What the origin's head means: a new answer, the stored one confirmed (304), a reason to serve the stored one on, or
//! one to ask for a part only, because the whole is too large to be kept.
import type { NotStoredReason } from '../../domain/outcomes.ts'
import { firstValue } from '../../http/headers.ts'
import { parseContentRange } from '../../http/range.ts'
import { asOfNow } from '../cache/as-of.ts'
import { mayStandIn } from '../cache/finding.ts'
import { type Answer, Flight } from '../cache/flight.ts'
import type { StoredObject } from '../cache/object.ts'
import { choose } from '../delivery/choice.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { explainLifetime } from '../explain-policies.ts'
import { applyHead } from '../head-answers.ts'
import { leaveFlight } from '../leaving.ts'
import { type AnswerContext, answerOf, headerPairs, refreshedAnswer } from '../origin/answer.ts'
import { originPlanOf } from '../origin/failover.ts'
import { carriesMuchUnkeyed } from '../origin/forward.ts'
import { completedHead, partAnswer } from '../parts.ts'
import { sparesError } from '../request-control.ts'
import { learnFromPart, turnIntoSlices } from '../slicing.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { mayHaveChanged, mayServeGets } from '../unsafe.ts'
import { placeAnswer } from '../variant-choice.ts'
import { confirmedVariant } from '../variant-validation.ts'

export const originResponse = stage({
  name: to.originResponse,
  next: [to.sliceResponse, to.purge, to.cacheStore, to.deliver, to.serveStale, to.originRequest],
  run(x, edge) {
    if (x.slice !== null) return to.sliceResponse
    const flight = x.flight as Flight
    const context: AnswerContext = {
      behavior: x.behavior as BehaviorPlan,
      method: x.request.method,
      refused: refusalOf(x, flight),
      authorized: forwardsAuthorization(x),
      askedAt: x.askedAt,
      now: edge.clock.now(),
      wall: edge.clock.wall(),
      asOf: flight.asOf,
      via: `1.1 ${x.place.via}`,
      date: edge.date(),
      objectBytesMax: edge.store.objectBytesMax,
    }
    if (x.variantTags === 'offered' && x.stale === null && flight.status === 304) {
      const variant = confirmedVariant(x, edge, firstValue(flight.headers, 'etag'))
      if (variant === null) {
        x.variantTags = 'refused'
        return askAgain(x, edge, flight)
      }
      variant.hold()
      x.stale = variant
    }
    const { stale } = x
    if (stale !== null && flight.status === 304) {
      x.object = refresh(x, edge, stale, context)
      if (x.answer !== null) explainLifetime(x, x.answer)
      x.result = x.detailed = 'RefreshHit'
      flight.decide('look-again')
      return to.deliver
    }
    if (
      stale !== null &&
      flight.status >= 500 &&
      mayStandIn(stale, context.now) &&
      sparesError(x, stale, flight.status, context.now)
    ) {
      flight.stopKeeping()
      return to.serveStale
    }
    if (x.request.method === 'HEAD') applyHead(x, edge, context)
    const completed = x.part === null || !x.completes ? null : completedHead(x.part, flight, context.now)
    // The rest that was asked for does not fit the part: only the whole does.
    if (x.completes && completed === null && (flight.status === 206 || flight.status === 416)) {
      return askAgain(x, edge, flight)
    }
    x.answer =
      completed === null ? (partAnswer(x, flight, context) ?? answerOf(flight, context)) : answerOf(completed, context)
    if (x.watcher !== null) explainLifetime(x, x.answer)
    const index = turnIntoSlices(x, edge, flight, x.answer)
    if (index !== null) {
      x.object = index
      x.result = x.detailed = 'Miss'
      return to.deliver
    }
    if (isTooLargeForRange(x, edge, x.answer)) {
      edge.flights.unshare(flight)
      edge.flights.outgrow(x.key)
      return askAgain(x, edge, flight)
    }
    if (x.notStored === 'range-not-cached' || x.forwardedRange !== null) {
      noteSize(x, edge, x.answer)
      if (learnFromPart(x, edge, flight, context)) x.answer = { ...x.answer, notStored: 'partial-content' }
    }
    x.result = x.detailed = flight.status >= 400 ? 'Error' : 'Miss'
    if (flight.status >= 500) x.detailed = 'Error'
    // What a call of gRPC changes has no URI that a GET could ask for.
    const purges = context.behavior.strict && !x.grpc && mayHaveChanged(x.request.method, flight.status)
    return purges ? to.purge : to.cacheStore
  },
})

/** Why the request keeps the answer out of the cache; null when it does not. */
function refusalOf(x: Exchange, flight: Flight): NotStoredReason | null {
  if (x.cacheable) return ownError(x, flight.status)
  return mayServeGets(x, flight.status, flight.headers) ? null : (x.notStored as NotStoredReason)
}

/** What the distribution itself sends to its origin (a custom header) is nobody's credentials. */
function forwardsAuthorization({ request, originRequest }: Exchange): boolean {
  const sent = request.headers.get('authorization')
  return sent !== undefined && firstValue(originRequest?.headers ?? [], 'authorization') === sent
}

/** An error that this viewer may have brought about alone is kept for nobody. */
function ownError(x: Exchange, status: number): NotStoredReason | null {
  const { behavior, originRequest } = x
  if (status < 400 || originRequest === null || behavior === null) return null
  return carriesMuchUnkeyed(originPlanOf(x).forward, originRequest.headers) ? 'unkeyed-headers' : null
}

/** Stores the confirmed object with its new headers and lifetime; its bytes are the same. */
function refresh(x: Exchange, edge: Edge, stale: StoredObject, context: AnswerContext): StoredObject {
  // An index and a part have the head of the 200 that they stand for.
  const whole = stale.status < 100 ? { ...stale, status: 200 } : stale
  const confirmed = refreshedAnswer(whole, x.flight as Flight, context)
  const strict = context.behavior.strict && confirmed.notStored === null
  const answer = strict ? placeAnswer(x, edge, confirmed) : confirmed
  x.answer = answer
  x.notStored = answer.notStored
  const meta = { ...answer, status: stale.status, distributionId: stale.distributionId, uri: stale.uri }
  // The old object is held by this request, so that putting the new one cannot overwrite the bytes it is copied from.
  const invalidated = edge.invalidations.isDead(meta.distributionId, meta.uri, answer.asOf, answer.tags)
  const stored = answer.notStored === null && !invalidated ? edge.store.put(x.key, meta, [stale.body]) : null
  return stored ?? stale
}

/** A part of an object over the limit was asked for, and all of it is about to come. */
function isTooLargeForRange(x: Exchange, edge: Edge, answer: Answer): boolean {
  const { selection } = x.facts
  if (!x.cacheable || x.forwardedRange !== null || !selection?.range || answer.status !== 200 || answer.length === null)
    return false
  if (answer.length <= edge.store.objectBytesMax) return false
  return choose(x.request.method, selection, answer, answer.length, edge.clock.now()).kind === 'parts'
}

/** Breaks the fetch off and asks anew; whoever waits for it asks for itself. */
function askAgain(x: Exchange, edge: Edge, flight: Flight): typeof to.originRequest {
  edge.recordFetch(x)
  edge.flights.close(flight)
  flight.stopKeeping()
  flight.decide('alone')
  leaveFlight(x)
  x.stale?.release()
  x.part?.release()
  x.stale = x.part = x.answer = null
  x.completes = false
  x.flight = new Flight(x.key, asOfNow(edge))
  return to.originRequest
}

/** The object may have shrunk since it was over the limit. */
function noteSize(x: Exchange, edge: Edge, answer: Answer): void {
  const range = parseContentRange(firstValue(headerPairs(answer.head), 'content-range') ?? '')
  const length = answer.status === 206 ? (range?.length ?? null) : answer.status === 200 ? answer.length : null
  if (length !== null && length <= edge.store.objectBytesMax) edge.flights.fits(x.key)
}
