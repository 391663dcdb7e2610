//! What a POP lacks it asks its regional edge cache for, never the origin (spec/cloudfront.md 3.1 step 14). One that is
//! down is passed over.
import { askAt } from '../asking.ts'
import { stage, to } from '../stage.ts'
import { goesAround, pastRegional } from '../tiers.ts'

export const regionalLookup = stage({
  name: to.regionalLookup,
  next: [to.shieldLookup, to.originRequest, to.cacheStore, to.serveStale, to.errorPage, to.record],
  run(x, edge) {
    const { regional } = x.place
    if (regional === null || goesAround(regional, x, edge)) return pastRegional(x)
    x.watcher?.note('asked', regional.name)
    return askAt(regional, 'regional', x, edge).then((step) => step ?? pastRegional(x))
  },
})
