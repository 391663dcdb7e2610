//! Is there an object with this key, is it alive (no newer invalidation matches), and is it fresh?
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { stage, to } from '../stage.ts'

export const cacheLookup = stage({
  name: to.cacheLookup,
  next: [to.deliver, to.cacheWait, to.cacheLookup, to.errorPage],
  run(x, edge) {
    // Without a lease: invalidations that are complete without us may be on their way.
    if (x.request.startedAt > edge.leaseUntil && x.looks === 0) {
      x.looks = 1
      return edge.catchUp().then(() => to.cacheLookup)
    }
    const now = edge.clock.now()
    const object = edge.store.get(x.key)
    if (object === null) {
      const failed = edge.failures.of(x.key, now, edge.invalidations)
      if (failed !== null) {
        x.fault = { ...ORIGIN_FAILURES[failed], origin: failed }
        return to.errorPage
      }
      x.missReason = 'absent'
      return to.cacheWait
    }
    const { invalidations } = edge
    if (object.checkedRevision < invalidations.revision) {
      if (invalidations.isDead(object.distributionId, object.uri, object.asOf)) {
        edge.store.delete(x.key)
        x.missReason = 'invalidated'
        return to.cacheWait
      }
      object.checkedRevision = invalidations.revision
    }
    if (now < object.freshUntil) {
      x.object = object
      x.result = x.detailed = 'Hit'
      x.tier = x.flightsJoined === 0 ? 'memory' : 'collapsed'
      return to.deliver
    }
    x.missReason = 'expired'
    if (x.stale === null) {
      object.hold()
      x.stale = object
    }
    return to.cacheWait
  },
})
