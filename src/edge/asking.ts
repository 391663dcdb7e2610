//! Asks the worker that keeps a key, in the cache of this place or of the next one on the way to the origin. A worker that
//! does not answer is passed over for the next in line; when that is this worker, it is asked inside the process, or, of
//! a key of its own place, not at all.
import type { Tier } from '../domain/outcomes.ts'
import { mayStandIn } from './cache/finding.ts'
import type { Answer, Flight } from './cache/flight.ts'
import type { StoredObject } from './cache/object.ts'
import { ownersOf } from './cache/owner.ts'
import { isCapacity } from './capacity.ts'
import { hintsFor } from './delivery/hints.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { askInside } from './inside.ts'
import { left, shareWhileThere, stayed } from './leaving.ts'
import { OriginFailure } from './origin/failure.ts'
import type { PeerResult } from './peers/protocol.ts'
import { keyAt, type Place } from './places.ts'
import { sparesError } from './request-control.ts'
import { to } from './stage.ts'

/** Steps that an answer leads to. */
export type Asked = typeof to.cacheStore | typeof to.serveStale | typeof to.errorPage | typeof to.record

/** Null when nobody answers: then the next one on the way to the origin is asked. `tier` is what the place is to us. */
export async function askAt(
  place: Place,
  tier: Extract<Tier, 'owner' | 'regional' | 'shield'>,
  x: Exchange,
  edge: Edge,
): Promise<Asked | null> {
  const flight = x.flight as Flight
  x.askedAt = edge.clock.now()
  for (const owner of ownersOf(keyAt(place, x), edge.workers)) {
    const isOwn = owner.worker === edge.name
    if (isOwn && tier === 'owner') return null
    const from = x.watcher?.elapsed() ?? 0
    const result = await answerOf(x, flight, () =>
      isOwn ? askInside(place, x, edge, flight) : edge.peers.ask(owner, place, x, flight),
    )
    if (result === null) return left(x)
    explained(result, place, isOwn ? '' : owner.worker, x, from)
    const step = heed(result, place, tier, x, edge)
    if (step !== null) return step
  }
  // Without peers a worker need not know itself by name.
  if (edge.workers.length > 0 || tier === 'owner') return null
  const result = await answerOf(x, flight, () => askInside(place, x, edge, flight))
  if (result === null) return left(x)
  explained(result, place, '', x, 0)
  return heed(result, place, tier, x, edge)
}

/** Null when whoever asked has left, and nobody else wants it. */
async function answerOf(x: Exchange, flight: Flight, ask: () => Promise<PeerResult>): Promise<PeerResult | null> {
  shareWhileThere(x, flight)
  if (flight.abandoned) return null
  flight.onHint = hintsFor(x)
  const result = await ask()
  stayed(x)
  return flight.abandoned ? null : result
}

/** Tells the trace what was answered, and what the place saw; `worker` is empty for this one, whose times are ours. */
function explained(result: PeerResult, place: Place, worker: string, { watcher }: Exchange, from: number): void {
  if (watcher === null) return
  const isTold = result.kind === 'answer' || result.kind === 'fault'
  watcher.note('answered', isTold ? `${result.result}, ${result.layer}` : result.kind)
  if (worker !== '') watcher.note('worker', worker)
  if (isTold && result.trace !== null) {
    watcher.includes(place.name, result.trace, worker === '' ? 0 : from)
  }
}

/** What the answer means; null for none. */
function heed(result: PeerResult, place: Place, tier: Tier, x: Exchange, edge: Edge): Asked | null {
  if (result.kind === 'gone' || result.kind === 'behind') return null
  const flight = x.flight as Flight
  x.tier = tier
  // It has no copy to stand in for the origin that fails; this worker may.
  const now = edge.clock.now()
  const isShed = result.kind === 'fault' && isCapacity(result.fault)
  if (x.stale !== null && mayStandIn(x.stale, now) && (isShed || saysThatOriginFails(result, x, x.stale, now))) {
    flight.stopKeeping()
    if (isShed) x.staleReason = 'shed'
    return to.serveStale
  }
  x.layer = result.layer
  if (result.kind === 'answer') {
    x.answer = as(x.place, place, result.answer)
    x.upstream = result.upstream
    x.result = result.result
    x.detailed = result.result === 'Hit' && result.layer === 'Origin Shield' ? 'OriginShieldHit' : result.result
    return to.cacheStore
  }
  const { origin, reason } = result.fault
  // Those who wait are told the same.
  if (origin !== null) flight.onFailure(new OriginFailure(origin, `${NAMES[result.layer]} says: ${reason}`))
  flight.decide(isShed ? 'shed' : result.fault.ownOnly ? 'alone' : 'failed')
  x.fault = result.fault
  return to.errorPage
}

const NAMES = {
  EDGE: 'the worker that owns the key',
  REC: 'the regional edge cache',
  'Origin Shield': 'the origin shield',
} as const

function saysThatOriginFails(result: PeerResult, x: Exchange, stale: StoredObject, now: number): boolean {
  if (result.kind !== 'answer') return result.kind === 'fault' && result.fault.origin !== null
  const { status } = result.answer
  return status >= 500 && sparesError(x, stale, status, now)
}

/** The answer of one place as one of another: viewers are told of the POP that they came to alone. */
function as(own: Place, other: Place, answer: Answer): Answer {
  if (own.via === other.via) return answer
  const { leaderHead } = answer
  return {
    ...answer,
    head: answer.head.replace(other.via, own.via),
    ...(leaderHead === undefined ? {} : { leaderHead: leaderHead.replace(other.via, own.via) }),
  }
}
