//! Is there an object with this key, is it alive (no newer invalidation matches), and is it fresh? What follows from
//! that is decided by cache/finding.ts.
import type { OriginFailureKind } from '../../domain/outcomes.ts'
import { findingOf, mayStandIn } from '../cache/finding.ts'
import type { Standing } from '../cache/invalidation.ts'
import { INDEX, type StoredObject } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { explainErrorTtl, explainLifetime } from '../explain-policies.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { findingFor } from '../request-control.ts'
import { stage, to } from '../stage.ts'

export const cacheLookup = stage({
  name: to.cacheLookup,
  next: [to.deliver, to.chooseVariant, to.diskLookup, to.cacheWait, to.cacheLookup, to.errorPage],
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
        return remembered(x, failed)
      }
      x.missReason = 'absent'
      return x.diskKey === x.key ? to.cacheWait : to.diskLookup
    }
    if (object.status === INDEX.variants) return to.chooseVariant
    const { invalidations } = edge
    const standing = object.checkedRevision < invalidations.revision ? standingOf(x, edge, object) : 'valid'
    const finding = findingOf(object, now, standing)
    switch (x.behavior?.strict === true ? findingFor(x, object, now, finding) : finding) {
      case 'fresh':
        return hit(x, object)
      case 'refresh-behind':
        if (!isRefreshedBehind(x, edge, object, now)) break
        x.staleReason = standing === 'soft' ? 'soft-invalidated' : 'stale-while-revalidate'
        return hit(x, object)
      case 'invalidated':
        edge.store.delete(x.key)
        x.missReason = 'invalidated'
        return to.cacheWait
    }
    const failed = mayStandIn(object, now) ? null : edge.failures.of(x.key, now, invalidations)
    if (failed !== null) {
      return remembered(x, failed)
    }
    x.missReason = 'expired'
    if (x.stale === null) {
      object.hold()
      x.stale = object
    }
    return to.cacheWait
  },
})

/** An origin that gave no answer lately is not asked again so soon. */
function remembered(x: Exchange, failed: OriginFailureKind): typeof to.errorPage {
  x.fault = { ...ORIGIN_FAILURES[failed], origin: failed }
  if (x.watcher !== null) explainErrorTtl(x, x.fault.status)
  return to.errorPage
}

function hit(x: Exchange, object: StoredObject): typeof to.deliver {
  if (x.watcher !== null) explainLifetime(x, object)
  x.object = object
  x.result = x.detailed = 'Hit'
  x.tier = x.flightsJoined !== 0 ? 'collapsed' : x.fromDisk === x.key ? 'disk' : 'memory'
  return to.deliver
}

/** Compares with the invalidations that it has not been compared with; a valid object only once with each. */
function standingOf(x: Exchange, { invalidations }: Edge, object: StoredObject): Standing {
  const found = invalidations.standing(object)
  // A slice is as good as the index that led to it, which a soft invalidation has had confirmed by the origin.
  const standing = x.slice !== null && found === 'soft' ? 'valid' : found
  if (standing === 'valid') object.checkedRevision = invalidations.revision
  return standing
}

/** False when the stale object is not to be served, because nobody would ask for its successor. */
function isRefreshedBehind(x: Exchange, edge: Edge, object: StoredObject, now: number): boolean {
  // A peer's refresh wants the successor; unless the origin is left alone just now.
  if (x.inner === 'refresh') return edge.refreshes.backsOff(x.key, now)
  const refresh = edge.refreshes.begin(x, edge, object)
  x.watcher?.note('refresh', refresh)
  return refresh !== 'too-many'
}
