//! An origin may have a shield: a regional edge cache that all others ask in its place (spec/cloudfront.md 7.6). Who is the
//! shield asks the origin.
import { askAt } from '../asking.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { goesAround } from '../tiers.ts'

export const shieldLookup = stage({
  name: to.shieldLookup,
  next: [to.originRequest, to.cacheStore, to.serveStale, to.errorPage, to.record],
  run(x, edge) {
    // Of an origin group it is the primary's: which of the two is asked turns out where the origin is asked.
    const { shieldRegion, field } = (x.behavior as BehaviorPlan).origin
    const shield = edge.places.shieldIn(shieldRegion as string)
    if (shield.name === x.place.name || goesAround(shield, x, edge)) return to.originRequest
    x.watcher?.decided(`${field}.OriginShield.OriginShieldRegion`, shield.region)
    x.watcher?.note('asked', shield.name)
    return askAt(shield, 'shield', x, edge).then((step) => step ?? to.originRequest)
  },
})
