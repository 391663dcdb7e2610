//! The origin fails and an expired copy is there: it is served, and the origin asked again after ErrorCachingMinTTL
//! (spec/cloudfront.md 5.2). What the origin sent instead is dropped.
import { ERROR_CACHING_MIN_TTL_MS } from '../cache/failures.ts'
import type { StoredObject } from '../cache/object.ts'
import { stage, to } from '../stage.ts'

export const serveStale = stage({
  name: to.serveStale,
  next: [to.deliver],
  run(x, edge) {
    const stale = x.stale as StoredObject
    const again = Math.min(edge.clock.now() + ERROR_CACHING_MIN_TTL_MS, stale.staleUntil)
    // It may have left the store while the origin was asked.
    if (edge.store.get(x.key) === stale) edge.store.keepUntil(stale, again)
    x.object = stale
    x.result = x.detailed = 'Hit'
    x.flight?.decide('look-again')
    return to.deliver
  },
})
