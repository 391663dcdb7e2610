//! An error for which the distribution has a page: the request begins anew as one for that page (edge/custom-error.ts).
import { beginPage, errorStatus, pageFor } from '../custom-error.ts'
import type { DistributionPlan, ErrorPagePlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const customError = stage({
  name: to.customError,
  next: [to.matchBehavior],
  run(x, edge) {
    const status = errorStatus(x)
    // Who hands over here has asked for the page already.
    const plan = pageFor(x, status) as ErrorPagePlan
    if (x.watcher !== null) {
      x.watcher.decided(pageField(x.distribution as DistributionPlan, status), plan.path)
      x.watcher.note('error', status)
      x.watcher.note('instead', `${plan.responseCode} ${plan.path}`)
      x.watcher.note('from', x.fault?.detailed ?? x.tier)
      if (x.key !== '') x.watcher.note('key', x.key)
    }
    beginPage(x, edge, plan)
    return to.matchBehavior
  },
})

const pageField = ({ doc }: DistributionPlan, status: number): string =>
  `CustomErrorResponses.Items[${doc.errorResponses?.findIndex((row) => row.errorCode === status)}].ResponsePagePath`
