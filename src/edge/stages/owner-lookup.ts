//! One POP is one cache, and so is a regional edge cache: a worker that lacks a key asks the worker that owns it, never the
//! next tier. When that is this worker, or nobody answers, it asks the next tier itself.
import { askAt } from '../asking.ts'
import { ownersOf } from '../cache/owner.ts'
import { stage, to } from '../stage.ts'
import { towardsOrigin } from '../tiers.ts'

export const ownerLookup = stage({
  name: to.ownerLookup,
  next: [to.regionalLookup, to.shieldLookup, to.originRequest, to.cacheStore, to.serveStale, to.errorPage, to.record],
  run(x, edge) {
    const first = ownersOf(x.key, edge.workers)[0]
    if (first === undefined || first.worker === edge.name) return towardsOrigin(x)
    return askAt(x.place, 'owner', x, edge).then((step) => step ?? towardsOrigin(x))
  },
})
