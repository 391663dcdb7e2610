//! The first cache behavior whose path pattern matches (spec/cloudfront.md 3.2).
import { NOWHERE } from '../../domain/viewer.ts'
import { explainViewer } from '../explain.ts'
import { behaviorOf, type DistributionPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const matchBehavior = stage({
  name: to.matchBehavior,
  next: [to.viewerProtocol],
  run(x, edge) {
    const behavior = behaviorOf(x.distribution as DistributionPlan, x.path)
    x.behavior = behavior
    if (behavior.locates && x.location === NOWHERE) x.location = edge.geo.find(x.viewerAddress)
    if (x.watcher !== null) {
      const listed = behavior.field !== 'DefaultCacheBehavior'
      explainViewer(x)
      x.watcher.decided(listed ? `${behavior.field}.PathPattern` : behavior.field, behavior.pattern)
    }
    return to.viewerProtocol
  },
})
