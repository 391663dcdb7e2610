//! Asks the origin and waits for the head of its answer.

import { compressionFor, isCompressedStatus, whyUncompressed } from '../../http/compressible.ts'
import { declaredLength, firstValue } from '../../http/headers.ts'
import { parseContentRange, rangeLength } from '../../http/range.ts'
import { grpcTrailers } from '../../http/trailers.ts'
import { asOfNow } from '../cache/as-of.ts'
import { errorMinTtlMs } from '../cache/failures.ts'
import { mayStandIn } from '../cache/finding.ts'
import { Flight } from '../cache/flight.ts'
import { invalidationUri, keyedEncoding } from '../cache/key.ts'
import { hintsFor } from '../delivery/hints.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { explainTimeout } from '../explain-origin.ts'
import { left, shareWhileThere, stayed } from '../leaving.ts'
import type { OriginRequest } from '../origin/attempts.ts'
import { failoverOf, failsOverOnFailure, failsOverOnStatus, originPlanOf } from '../origin/failover.ts'
import { ORIGIN_FAILURES, OriginFailure } from '../origin/failure.ts'
import { carriesMuchUnkeyed } from '../origin/forward.ts'
import { PrimarySink } from '../origin/primary-sink.ts'
import { completion } from '../parts.ts'
import type { BehaviorPlan, FailoverPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const originFetch = stage({
  name: to.originFetch,
  next: [to.tunnel, to.originResponse, to.originRequest, to.serveStale, to.errorPage, to.record],
  async run(x, edge) {
    x.flight ??= new Flight(x.key, asOfNow(edge))
    const { flight } = x
    x.leads = true
    shareWhileThere(x, flight)
    if (flight.abandoned) return left(x)
    x.tier = 'origin'
    x.layer = x.place.layer
    x.askedAt = edge.clock.now()
    if (compressible(x) || x.completes)
      flight.chooseFilter = (status, headers) =>
        complete(x, edge, status, headers) ?? compress(x, edge, flight, status, headers)
    flight.onHint = hintsFor(x)
    if (x.grpc) flight.passTrailers = grpcTrailers
    const primary = beginFetch(x, edge, flight)
    await (primary === null ? flight.whenHead : Promise.race([flight.whenHead, primary.whenTurnedAway]))
    stayed(x)
    if (flight.abandoned) return left(x)
    if (primary?.turnedAway) {
      failOver(x, edge, primary)
      return to.originRequest
    }
    if (flight.upgraded !== null) return to.tunnel
    const times = flight.source?.times ?? null
    if (times !== null) x.upstream = { layer: x.place.layer, ...times }
    if (isUnasked(x, flight.status)) {
      flight.refuse(new OriginFailure('unasked', `${flight.status} to a request that did not ask for it`))
    } else if (flight.status === 206 && contradictsItself(flight.headers)) {
      flight.refuse(new OriginFailure('range-length', 'Content-Length is not the length that Content-Range tells'))
    } else if (flight.failure === null || flight.status !== 0) {
      return to.originResponse
    }
    if (x.watcher !== null && flight.failure !== null) {
      explainTimeout(x, (x.originRequest as OriginRequest).origin, flight.failure.kind)
    }
    if (x.stale !== null && mayStandIn(x.stale, edge.clock.now())) return to.serveStale
    // What this request may have brought about alone is nobody else's failure.
    const own = carriesMuchUnkeyed(originPlanOf(x).forward, (x.originRequest as OriginRequest).headers)
    failed(x, edge, flight.failure as OriginFailure, own)
    flight.decide(own ? 'alone' : 'failed')
    return to.errorPage
  },
})

/**
 * Asks; what comes goes into the flight. Where there is a secondary to turn to, the primary's answer is looked at first,
 * and what is returned tells. Something stale stands in when both have failed, not before: what the secondary has is
 * newer (which of the two CloudFront takes first is unconfirmed).
 */
function beginFetch(x: Exchange, edge: Edge, flight: Flight): PrimarySink | null {
  const plan = failoverOf(x)
  const primary =
    plan === null
      ? null
      : new PrimarySink(flight, {
          onStatus: (status) =>
            isUnasked(x, status) ? failsOverOnFailure(plan, 'unasked') : failsOverOnStatus(plan, status),
          onFailure: (kind) => failsOverOnFailure(plan, kind),
        })
  flight.source = edge.origins.send(x.originRequest as OriginRequest, primary ?? flight)
  primary?.attach(flight.source)
  return primary
}

/** The same request goes to the secondary; whoever waits for this fetch waits on. */
function failOver(x: Exchange, edge: Edge, primary: PrimarySink): void {
  edge.recordFailover(x, primary)
  x.failedOver = primary.failure?.kind ?? 'status'
  const { field, statusCodes } = (x.behavior as BehaviorPlan).failover as FailoverPlan
  if (x.watcher === null) return
  x.watcher.note('failover', primary.failure?.kind ?? primary.status)
  if (primary.failure === null) x.watcher.decided(`${field}.FailoverCriteria.StatusCodes`, [...statusCodes].join(' '))
  else {
    explainTimeout(x, (x.originRequest as OriginRequest).origin, primary.failure.kind)
    x.watcher.decided(field, primary.failure.kind)
  }
}

/**
 * Whole objects only: nothing is kept of other answers, and a HEAD has no body to work on. A range of a cacheable object
 * fetches the whole too, and must not leave it uncompressed for everybody else.
 */
function compressible({ request, cacheable, behavior, slice }: Exchange): boolean {
  return slice === null && cacheable && request.method === 'GET' && (behavior as BehaviorPlan).compresses
}

/** What was missing of an object comes behind the part of it that is here. */
function complete({ part, completes }: Exchange, edge: Edge, status: number, headers: readonly string[]) {
  return part === null || !completes ? null : completion(part, status, headers, edge.clock.now())
}

function compress(x: Exchange, edge: Edge, flight: Flight, status: number, headers: readonly string[]) {
  if (!compressible(x)) return null
  x.watcher?.decided(`${x.behavior?.field}.Compress`, true)
  const keyed = keyedEncoding((x.behavior as BehaviorPlan).key, x.request)
  const wanted = compressionFor(status, headers, keyed)
  if (wanted === null) {
    x.compression = keyed === '' || !isCompressedStatus(status) ? null : whyUncompressed(headers)
    if (x.compression !== null) x.watcher?.note('compression', `none: ${x.compression}`)
    return null
  }
  const filter = edge.compressions.begin(wanted.coding, wanted.length)
  if (filter !== null) flight.coding = wanted.coding
  else flight.owedCoding = wanted.coding
  x.compression = filter === null ? 'busy' : wanted.coding
  x.watcher?.note('compression', filter === null ? 'none: busy' : wanted.coding)
  return filter
}

/**
 * 304 says that a condition does not hold, and 206 that this is the range: to a request without either, neither is an
 * answer (RFC 9110 15.3.7, 15.4.5). A viewer that wants a part may have one, also when the whole was asked for.
 */
function isUnasked({ request, originRequest }: Exchange, status: number): boolean {
  if (status !== 304 && status !== 206) return false
  const sent = (originRequest as OriginRequest).headers
  const asks = status === 304 ? /^if-/i : /^(request-)?range$/i
  if (sent.some((name, at) => at % 2 === 0 && asks.test(name))) return false
  return status === 304 || request.headers.get('range') === undefined
}

/** A part whose fields tell of two lengths; several parts have no Content-Range of their own. */
function contradictsItself(headers: readonly string[]): boolean {
  const range = parseContentRange(firstValue(headers, 'content-range') ?? '')
  const length = declaredLength(headers)
  return range !== null && length !== null && length !== rangeLength(range)
}

/** An origin that gave no answer is an error of the edge's making; it is remembered like the origin's own (spec 5.4). */
function failed(x: Exchange, edge: Edge, failure: OriginFailure, own: boolean): void {
  const fault = { ...ORIGIN_FAILURES[failure.kind], origin: failure.kind, ...(own ? { ownOnly: own } : {}) }
  x.fault = fault
  if (!x.cacheable) return
  const { key, policy, errorMinTtls, strict } = x.behavior as BehaviorPlan
  // No RFC knows ErrorCachingMinTTL: an answer that the origin never gave has no lifetime.
  if (strict || own) return
  edge.failures.remember(x.key, {
    kind: failure.kind,
    until: edge.clock.now() + Math.min(errorMinTtlMs(errorMinTtls, fault.status), policy.maxTtl * 1_000),
    asOf: (x.flight as Flight).asOf,
    distributionId: key.distributionId,
    uri: invalidationUri(key, x.path, x.request.query),
  })
}
