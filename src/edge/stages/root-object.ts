//! `/` becomes the default root object, of the root only and for every method (spec/cloudfront.md 3.3).
import type { DistributionPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const rootObject = stage({
  name: to.rootObject,
  next: [to.matchBehavior],
  run(x) {
    const { rootPath } = x.distribution as DistributionPlan
    // A custom error page is asked for by its path, by whichever worker.
    if (rootPath !== '' && x.path === '/' && x.request.errorOf === undefined) {
      x.path = rootPath
      x.watcher?.decided('DefaultRootObject', rootPath.slice(1))
    }
    return to.matchBehavior
  },
})
