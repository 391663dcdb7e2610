//! The first cache behavior whose path pattern matches (spec/cloudfront.md 3.2).
import { behaviorOf, type DistributionPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const matchBehavior = stage({
  name: to.matchBehavior,
  next: [to.method],
  run(x) {
    x.behavior = behaviorOf(x.distribution as DistributionPlan, x.path)
    return to.method
  },
})
