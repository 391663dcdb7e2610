//! An exchange as the recipe of what goes to the origin takes it (origin/forward.ts).
import type { Exchange } from '../exchange.ts'
import { INSERTED_PREFIX } from '../waf/inserted-headers.ts'
import type { ForwardedRequest } from './forward.ts'

/** `cacheable` as ForwardedRequest. */
export function forwardedRequest(x: Exchange, cacheable: boolean): ForwardedRequest {
  const { request } = x
  const { connection, body } = request
  return {
    method: request.method,
    path: x.path,
    query: request.query,
    headers: request.headers,
    httpVersion: request.httpVersion,
    scheme: connection.scheme,
    viewerAddress: x.viewerAddress,
    viewerPort: x.viewerPort,
    forwardedFor: x.forwardedFor,
    location: x.location,
    tls: connection.tls,
    reused: request.reused,
    localPort: connection.localPort,
    hasBody: body !== null && body.length !== 0,
    cacheable,
    upgrade: x.upgrade,
    grpc: x.grpc,
    // The web ACL has dropped those of the viewer.
    inserted: x.distribution?.webAclArn ? INSERTED_PREFIX : null,
    requestId: x.requestId,
    via: x.place.via,
    errorOf: request.errorOf,
  }
}
