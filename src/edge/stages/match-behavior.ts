//! The first cache behavior whose path pattern matches (spec/cloudfront.md 3.2).
import { behaviorOf, type DistributionPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const matchBehavior = stage({
  name: to.matchBehavior,
  next: [to.method],
  run(x) {
    const behavior = behaviorOf(x.distribution as DistributionPlan, x.path)
    x.behavior = behavior
    if (x.watcher !== null) {
      const listed = behavior.field !== 'DefaultCacheBehavior'
      x.watcher.decided(listed ? `${behavior.field}.PathPattern` : behavior.field, behavior.pattern)
    }
    return to.method
  },
})
