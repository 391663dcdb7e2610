//! The page of an error that the edge itself answers with (spec/cloudfront.md 14).
import type { ResultType } from '../../domain/result-types.ts'
import { errorPageBody, errorPageHead } from '../../http/error-page.ts'
import { unsatisfiedRange } from '../../http/range.ts'
import { pageFor } from '../custom-error.ts'
import { dateLine, edited, editOf } from '../delivery/headers-policy.ts'
import { timingLine } from '../delivery/server-timing.ts'
import type { EdgeFault } from '../exchange.ts'
import { ownViewerLines, toldOf } from '../explain.ts'
import { stage, to } from '../stage.ts'

/** Limits are results of their own: all other faults are errors (spec 6.5, 12.4). */
const resultOf = ({ detailed }: EdgeFault): ResultType =>
  detailed === 'LimitExceeded' || detailed === 'CapacityExceeded' ? detailed : 'Error'

/** Statuses, of custom responses, that have no body (RFC 9110 15.3.5, 15.4.5). */
const BODILESS: ReadonlySet<number> = new Set([204, 304])

export const errorPage = stage({
  name: to.errorPage,
  next: [to.record, to.customError],
  run(x, edge) {
    const fault = x.fault as EdgeFault
    if (pageFor(x, fault.status) !== null) return to.customError
    x.status = fault.status
    x.result = resultOf(fault)
    x.detailed = fault.detailed
    const { answer } = fault
    x.contentType = answer?.contentType ?? 'text/html'
    x.firstByteAt = edge.clock.monotonic()
    if (x.peer !== null) {
      x.peer.fault(fault, toldOf(x, edge))
      return to.record
    }
    const page = { status: fault.status, reason: fault.reason, requestId: x.requestId }
    const body = BODILESS.has(fault.status) ? null : Buffer.from(answer?.body ?? errorPageBody(page), 'latin1')
    const answerer = { via: `1.1 ${x.place.via}`, pop: x.place.name, date: edge.date() }
    x.contentLength = body?.length ?? 0
    const head = errorPageHead(page, answerer, body?.length ?? null, x.reply.closes, x.result, x.contentType)
    // Within the head, before its final empty line.
    const edit = editOf(x)
    const { objectBytes, retryAfterS } = fault
    const range = objectBytes === undefined ? '' : `\r\nContent-Range: ${unsatisfiedRange(objectBytes)}`
    const lines = edited(head.slice(0, -2), edit).slice(0, -2)
    const later = retryAfterS === undefined ? '' : `\r\nRetry-After: ${retryAfterS}`
    const own = answer?.headers.map(([name, value]) => `\r\n${name}: ${value}`).join('') ?? ''
    const timing = edit?.timed ? timingLine(x, edit, head) : ''
    const explained = lines + dateLine(edge, edit) + range + later + own + timing + ownViewerLines(x) + head.slice(-4)
    if (x.watcher !== null) x.watcher.sends(explained)
    x.reply.whole(explained, x.request.method === 'HEAD' ? null : body, null)
    return to.record
  },
})
