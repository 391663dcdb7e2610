//! The origin fails and an expired copy is there: it is served, and the origin asked again after ErrorCachingMinTTL
//! (spec/cloudfront.md 5.2). What the origin sent instead is dropped.
import { errorMinTtlMs } from '../cache/failures.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Exchange } from '../exchange.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

/** Status of the error that the viewer is spared. */
function failedWith({ flight }: Exchange): number {
  if (flight === null) return 502
  return flight.failure === null ? flight.status : ORIGIN_FAILURES[flight.failure.kind].status
}

export const serveStale = stage({
  name: to.serveStale,
  next: [to.deliver],
  run(x, edge) {
    const stale = x.stale as StoredObject
    const { errorMinTtls } = x.behavior as BehaviorPlan
    const again = Math.min(edge.clock.now() + errorMinTtlMs(errorMinTtls, failedWith(x)), stale.staleUntil)
    // It may have left the store while the origin was asked.
    if (edge.store.get(x.key) === stale) edge.store.keepUntil(stale, again)
    x.object = stale
    x.result = x.detailed = 'Hit'
    x.flight?.decide('look-again')
    return to.deliver
  },
})
