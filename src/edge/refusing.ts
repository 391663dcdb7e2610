//! Requests that the listener answers by itself, before anybody knows whose they are: their page, their counters and
//! their line in the access log, with as much of the request as could be read.
import { type Answerer, errorPageBody, errorPageHead } from '../http/error-page.ts'
import type { AccessLog, LoggedHeaders } from '../observe/access-log.ts'
import { COUNTER, type Counters } from '../observe/counters.ts'
import type { Edge } from './edge.ts'
import type { Refusal } from './listen/listener.ts'
import { LOGGED_AS } from './listen/refusal.ts'
import type { Place } from './places.ts'

export function refuseRequest(
  refusal: Refusal,
  edge: Edge,
  counters: Counters,
  accessLog: AccessLog,
): { head: string; body: Uint8Array } {
  counters.add(COUNTER.requestsRefused)
  const page = { status: refusal.status, reason: refusal.reason, requestId: edge.ids.next() }
  const { via, name } = edge.places.pops[refusal.connection.pop] as Place
  const answerer: Answerer = { via: `1.1 ${via}`, pop: name, date: edge.date() }
  const body = Buffer.from(errorPageBody(page), 'latin1')
  const head = errorPageHead(page, answerer, body.length, true)
  log(refusal, { pop: name, requestId: page.requestId, bytesSent: head.length + body.length }, accessLog, body.length)
  return { head, body }
}

/** What nothing could be read of is `-`. */
function log(
  { connection, status, cause, line }: Refusal,
  answered: { readonly pop: string; readonly requestId: string; readonly bytesSent: number },
  accessLog: AccessLog,
  contentLength: number,
): void {
  const detailedResultType = LOGGED_AS[cause]
  if (detailedResultType === null || line === 'told') return
  accessLog.record({
    ...answered,
    connection,
    viewerAddress: connection.remoteAddress,
    viewerPort: connection.remotePort,
    forwardedFor: null,
    headers: unread(),
    method: line?.method ?? '-',
    path: line?.path ?? '',
    query: line?.query ?? null,
    httpVersion: connection.tls?.alpn === 'h2' ? '2.0' : '1.1',
    domainName: '-',
    status,
    resultType: 'Error',
    responseResultType: 'Error',
    detailedResultType,
    bodyBytesReceived: 0,
    takenMs: 0,
    firstByteMs: 0,
    contentType: 'text/html',
    contentLength,
    range: null,
    fieldStatus: null,
    fieldsEncrypted: 0,
  })
}

const unread = (): LoggedHeaders => ({ get: () => undefined, bytes: 0, derived: new Map() })
