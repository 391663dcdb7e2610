//! The request gets its name, and is refused when its address asks too often.
import { REASONS } from '../../http/error-page.ts'
import type { Edge } from '../edge.ts'
import type { EdgeFault, Exchange } from '../exchange.ts'
import type { RequestVerdict } from '../listen/viewer.ts'
import { distributionOf } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const receive = stage({
  name: to.receive,
  next: [to.acmeChallenge, to.matchDistribution, to.errorPage, to.record],
  run(x, edge) {
    // A peer's question comes with the name that the viewer's request has.
    if (x.peer !== null) return to.matchDistribution
    x.requestId = edge.ids.next()
    const verdict = x.budget === null ? 'within' : x.budget.take(x.request.startedAt)
    if (verdict !== 'within') return overLimit(x, edge, verdict)
    return x.snapshot.challenges.size > 0 ? to.acmeChallenge : to.matchDistribution
  },
})

const OVER_LIMIT: EdgeFault = {
  status: 429,
  reason: REASONS.tooMany,
  detailed: 'LimitExceeded',
  origin: null,
  retryAfterS: 1,
  noPage: true,
}

/** Cheaply: nothing is looked up but whose request it is, for the log. */
function overLimit(x: Exchange, edge: Edge, verdict: Exclude<RequestVerdict, 'within'>) {
  x.distribution = distributionOf(x.snapshot, x.request.headers.host) ?? null
  edge.shield.limited(verdict, x.viewerAddress)
  if (verdict === 'over') {
    x.fault = OVER_LIMIT
    return to.errorPage
  }
  // It does not read what it is told.
  x.result = x.detailed = 'LimitExceeded'
  x.reply.abort()
  x.request.connection.shun?.()
  return to.record
}
