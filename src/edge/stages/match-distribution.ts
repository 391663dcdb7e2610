//! Host to distribution (spec/cloudfront.md 3.1 step 3): alias, wildcard alias, own name. The port does not matter.
import { REASONS } from '../../http/error-page.ts'
import { distributionOf } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const matchDistribution = stage({
  name: to.matchDistribution,
  next: [to.rootObject, to.errorPage],
  run(x) {
    const plan = distributionOf(x.snapshot, x.request.headers.host)
    if (plan === undefined || !plan.enabled) {
      x.fault = { status: 403, reason: REASONS.badRequest, detailed: 'InvalidRequest', origin: null }
      return to.errorPage
    }
    x.distribution = plan
    return to.rootObject
  },
})
