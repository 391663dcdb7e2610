//! An error for which the distribution has a page: the request begins anew as one for that page (edge/custom-error.ts).
import { beginPage, errorStatus, pageFor } from '../custom-error.ts'
import type { ErrorPagePlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const customError = stage({
  name: to.customError,
  next: [to.matchBehavior],
  run(x, edge) {
    const status = errorStatus(x)
    // Who hands over here has asked for the page already.
    const plan = pageFor(x, status) as ErrorPagePlan
    if (x.watcher !== null) {
      x.watcher.note('error', status)
      x.watcher.note('instead', `${plan.responseCode} ${plan.path}`)
      x.watcher.note('from', x.fault?.detailed ?? x.tier)
      if (x.key !== '') x.watcher.note('key', x.key)
    }
    beginPage(x, edge, plan)
    return to.matchBehavior
  },
})
