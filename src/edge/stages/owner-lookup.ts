//! One POP is one cache: a worker that lacks a key asks the worker that owns it, never the origin. An owner that does
//! not answer is passed over for the next in line; when that is this worker, it fetches itself.

import type { Flight } from '../cache/flight.ts'
import { ownersOf } from '../cache/owner.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { stage, to } from '../stage.ts'

export const ownerLookup = stage({
  name: to.ownerLookup,
  next: [to.originRequest, to.cacheStore, to.errorPage],
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
    const result = await edge.peers.ask(owner, x, flight)
    if (result.kind === 'answer') {
      x.answer = result.answer
      x.result = x.detailed = result.result
      x.tier = 'owner'
      return to.cacheStore
    }
    if (result.kind === 'fault') {
      flight.decide('failed')
      x.fault = result.fault
      x.tier = 'owner'
      return to.errorPage
    }
  }
  return to.originRequest
}
