//! Viewer protocol policy (spec/cloudfront.md 3.1 step 8): a plain HTTP request is let through, refused, or sent to the
//! same URL over HTTPS. The worker that has the viewer's connection decides for all others.
import { REASONS } from '../../http/error-page.ts'
import { httpsLocation, type Redirect, redirectBody, redirectHead, redirectStatus } from '../../http/redirect-page.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { ownViewerLines } from '../explain.ts'
import type { ViewerConnection } from '../listen/viewer.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const viewerProtocol = stage({
  name: to.viewerProtocol,
  next: [to.method, to.errorPage, to.record],
  run(x, edge) {
    const { field, doc } = x.behavior as BehaviorPlan
    const policy = doc.viewerProtocolPolicy
    if (x.watcher !== null) x.watcher.decided(`${field}.ViewerProtocolPolicy`, policy)
    if (policy === 'allow-all' || x.request.connection.scheme === 'https') return to.method
    // Who asks for a custom error page is the edge; a peer's viewer was let through by its own worker.
    if (x.peer !== null || x.page !== null) return to.method
    const status = policy === 'https-only' ? null : redirectStatus(x.request.method, x.request.httpVersion)
    if (status === null) {
      x.fault = { status: 403, reason: REASONS.badRequest, detailed: 'InvalidRequest', origin: null }
      return to.errorPage
    }
    redirect(x, edge, status)
    return to.record
  },
})

function redirect(x: Exchange, edge: Edge, status: Redirect['status']): void {
  const { request, reply, place } = x
  const port = httpsPort(request.connection, edge)
  const location = httpsLocation(request.headers.host, port, request.path, request.query)
  const body = Buffer.from(redirectBody(status), 'latin1')
  const answerer = { via: `1.1 ${place.via}`, pop: place.name, date: edge.date() }
  const made = redirectHead({ status, location, requestId: x.requestId }, answerer, body.length, reply.closes)
  // Within the head, before its final empty line.
  const head = made.slice(0, -4) + ownViewerLines(x) + made.slice(-4)
  if (x.watcher !== null) x.watcher.sends(head)
  x.status = status
  x.result = x.detailed = 'Redirect'
  x.contentType = 'text/html'
  x.contentLength = body.length
  x.firstByteAt = edge.clock.monotonic()
  reply.whole(head, request.method === 'HEAD' ? null : body, null)
}

/** Where the viewer of a plain connection reaches us over HTTPS. */
function httpsPort({ pop, proxied, localAddress, localPort }: ViewerConnection, edge: Edge): number {
  const ports = edge.httpsPorts[pop]
  // It reached a proxy on the usual port; where that leads to us is not what a viewer can reach.
  if (proxied && localPort === 80) return 443
  const own = localAddress.includes(':') ? (ports?.ipv6 ?? ports?.https) : ports?.https
  // Without a listener of ours the usual port is the best guess: something before the edge may speak TLS.
  return own ?? 443
}
