//! Before a miss leaves for the owner of its key, the next tier or the origin: an overloaded worker refuses it, or has
//! something stale for it, so that hits go on. Whoever joins a fetch under way costs next to nothing and is not asked here.
import { mayStandIn } from '../cache/finding.ts'
import { capacityFault } from '../capacity.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { towardsOrigin } from '../tiers.ts'

export const admitMiss = stage({
  name: to.admitMiss,
  next: [
    to.ownerLookup,
    to.regionalLookup,
    to.shieldLookup,
    to.encryptFields,
    to.originRequest,
    to.serveStale,
    to.errorPage,
  ],
  run(x, edge) {
    const cause = isSpared(x) ? null : edge.shield.sheds(kindOf(x), (x.behavior as BehaviorPlan).origin.named)
    if (cause === null) return onward(x, edge)
    x.watcher?.note('shed', cause)
    if (x.stale !== null && mayStandIn(x.stale, edge.clock.now())) {
      x.staleReason = 'shed'
      return to.serveStale
    }
    x.flight?.decide('shed')
    x.fault = capacityFault()
    return to.errorPage
  },
})

/** Slices of an answer that has begun: to break it off would waste what was done for it. */
const isSpared = ({ inner, peer, partOfBegun }: Exchange): boolean =>
  inner === 'slice' && (partOfBegun || peer?.remote === true)

const kindOf = ({ inner }: Exchange): 'refresh' | 'miss' => (inner === 'refresh' ? 'refresh' : 'miss')

/** Without a flight the cache has no say, and nobody else has what is asked for. */
function onward(x: Exchange, edge: Edge) {
  if (x.flight === null) return uncached(x)
  return edge.workers.length > 1 && x.peer?.remote !== true ? to.ownerLookup : towardsOrigin(x)
}

/** What field-level encryption looks at are the bodies of POST and PUT (spec 12.3), which no cache ever sees. */
const uncached = ({ behavior, request: { method } }: Exchange): typeof to.encryptFields | typeof to.originRequest =>
  behavior?.fields != null && (method === 'POST' || method === 'PUT') ? to.encryptFields : to.originRequest
