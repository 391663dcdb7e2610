//! One POP is one cache: a worker that lacks a key asks the worker that owns it, never the origin. An owner that does
//! not answer is passed over for the next in line; when that is this worker, it fetches itself.

import { mayStandIn } from '../cache/finding.ts'
import type { Flight } from '../cache/flight.ts'
import { ownersOf } from '../cache/owner.ts'
import { hintsFor } from '../delivery/hints.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { left, shareWhileThere, stayed } from '../leaving.ts'
import { OriginFailure } from '../origin/failure.ts'
import type { PeerResult } from '../peers/protocol.ts'
import { stage, to } from '../stage.ts'

export const ownerLookup = stage({
  name: to.ownerLookup,
  next: [to.originRequest, to.cacheStore, to.serveStale, to.errorPage, to.record],
  run(x, edge) {
    const first = ownersOf(x.key, edge.workers)[0]
    return first === undefined || first.worker === edge.name ? to.originRequest : askInTurn(x, edge)
  },
})

async function askInTurn(x: Exchange, edge: Edge) {
  x.askedAt = edge.clock.now()
  for (const owner of ownersOf(x.key, edge.workers)) {
    if (owner.worker === edge.name) break
    const flight = x.flight as Flight
    shareWhileThere(x, flight)
    if (flight.abandoned) return left(x)
    flight.onHint = hintsFor(x)
    const result = await edge.peers.ask(owner, x, flight)
    stayed(x)
    if (flight.abandoned) return left(x)
    // The owner has no copy to stand in for the origin that fails; this worker may.
    if (saysThatOriginFails(result) && x.stale !== null && mayStandIn(x.stale, edge.clock.now())) {
      flight.stopKeeping()
      x.tier = 'owner'
      return to.serveStale
    }
    if (result.kind === 'answer') {
      x.answer = result.answer
      x.upstream = result.upstream
      x.result = x.detailed = result.result
      x.tier = 'owner'
      return to.cacheStore
    }
    if (result.kind === 'fault') {
      const { origin, reason } = result.fault
      // Those who wait are told the same.
      if (origin !== null) flight.onFailure(new OriginFailure(origin, `the worker that owns the key says: ${reason}`))
      flight.decide(result.fault.ownOnly ? 'alone' : 'failed')
      x.fault = result.fault
      x.tier = 'owner'
      return to.errorPage
    }
  }
  return to.originRequest
}

const saysThatOriginFails = (result: PeerResult): boolean =>
  result.kind === 'answer' ? result.answer.status >= 500 : result.kind === 'fault' && result.fault.origin !== null
