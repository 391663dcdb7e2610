//! The origin fails and an expired copy is there: it is served, and the origin asked again after ErrorCachingMinTTL
//! (spec/cloudfront.md 5.2). What the origin sent instead is dropped.
import { errorMinTtlMs, STRICT_RETRY_MS } from '../cache/failures.ts'
import { isSameAnswer, standsInUntil } from '../cache/finding.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Exchange } from '../exchange.ts'
import { explainErrorTtl } from '../explain-policies.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

/** Milliseconds after which an object that was served stale for want of capacity is asked for again. */
const SHED_RETRY_MS = 1_000

/** Status of the error that the viewer is spared. */
function failedWith({ flight }: Exchange): number {
  if (flight === null || flight.status === 0) return flight?.failure ? ORIGIN_FAILURES[flight.failure.kind].status : 502
  return flight.failure === null ? flight.status : ORIGIN_FAILURES[flight.failure.kind].status
}

export const serveStale = stage({
  name: to.serveStale,
  next: [to.deliver],
  run(x, edge) {
    const stale = x.stale as StoredObject
    const { errorMinTtls, strict } = x.behavior as BehaviorPlan
    const isShed = x.staleReason === 'shed'
    const pause = isShed ? SHED_RETRY_MS : strict ? STRICT_RETRY_MS : errorMinTtlMs(errorMinTtls, failedWith(x))
    if (!strict && !isShed && x.watcher !== null) explainErrorTtl(x, failedWith(x))
    // One that a viewer did not want although it is fresh stays so.
    const again = Math.max(stale.freshUntil, Math.min(edge.clock.now() + pause, standsInUntil(stale)))
    // It may have left the store while the origin was asked, or have been unpacked anew.
    const kept = edge.store.get(x.key)
    if (kept !== null && isSameAnswer(kept, stale)) edge.store.keepUntil(kept, again)
    // A peer's copy lives as long as this one.
    stale.freshUntil = again
    x.object = stale
    x.staleReason = isShed ? 'shed' : 'origin-failed'
    x.result = x.detailed = 'Hit'
    x.flight?.decide('look-again')
    return to.deliver
  },
})
