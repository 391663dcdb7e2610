//! Allowed methods, GET with a body, and whether the cache has a say at all (spec/cloudfront.md 3.1 step 9, 3.4).
import { REASONS } from '../../http/error-page.ts'
import type { AfterMethod } from '../after-method.ts'
import type { Exchange } from '../exchange.ts'
import { explainUncached } from '../explain-policies.ts'
import { requestControl } from '../request-control.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const method = stage({
  name: to.method,
  next: [to.accessSigned, to.cacheKey, to.admitMiss, to.errorPage],
  run(x) {
    const step = stepOf(x)
    return step !== to.errorPage && needsSignature(x) ? to.accessSigned : step
  },
})

/** What the edge asks of itself, and what a peer asks, was asked by a viewer that has shown its own. */
const needsSignature = ({ behavior, peer, inner, page }: Exchange): boolean =>
  behavior?.signers !== null && peer === null && inner === null && page === null

function stepOf(x: Exchange): AfterMethod | typeof to.errorPage {
  const behavior = x.behavior as BehaviorPlan
  const { method: name, body } = x.request
  if (!behavior.allowedMethods.has(name) && !(behavior.strict && passesUnknown(behavior, name))) {
    x.watcher?.decided(`${behavior.field}.AllowedMethods`, [...behavior.allowedMethods].join(' '))
    x.fault = { status: 403, reason: REASONS.method, detailed: 'InvalidRequestMethod', origin: null }
    return to.errorPage
  }
  // That of a HEAD has no meaning either, and some origins take it for the next request (RFC 9110 9.3.2).
  if (body !== null && body.length !== 0 && (name === 'GET' || name === 'HEAD')) {
    x.fault = { status: 403, reason: REASONS.getWithBody, detailed: 'InvalidRequest', origin: null }
    return to.errorPage
  }
  if (name === 'GET' && x.facts.webSocket && mayUpgrade(x)) {
    x.upgrade = 'websocket'
    x.missReason = x.notStored = 'upgrade'
    return to.admitMiss
  }
  if (behavior.grpc && x.facts.grpc && isCall(x)) {
    x.watcher?.decided(`${behavior.field}.GrpcConfig.Enabled`, true)
    x.grpc = true
    x.missReason = x.notStored = 'grpc'
    return to.admitMiss
  }
  // No answer to OPTIONS may be kept (RFC 9110 9.3.7), whatever CloudFront allows.
  if (!behavior.cachedMethods.has(name) || (behavior.strict && name === 'OPTIONS')) {
    x.watcher?.decided(`${behavior.field}.AllowedMethods.CachedMethods`, listed(behavior))
    x.missReason = x.notStored = 'method-not-cached'
    return to.admitMiss
  }
  if (body !== null && body.length !== 0) {
    x.missReason = x.notStored = 'request-body'
    return to.admitMiss
  }
  if (!behavior.caching) {
    if (x.watcher !== null) explainUncached(x, behavior)
    x.missReason = x.notStored = 'caching-disabled'
    return to.admitMiss
  }
  if (behavior.strict && requestControl(x.request.headers).noStore) {
    x.missReason = x.notStored = 'request-no-store'
    return to.admitMiss
  }
  // GET and HEAD always are.
  if (name === 'OPTIONS') x.watcher?.decided(`${behavior.field}.AllowedMethods.CachedMethods`, listed(behavior))
  x.cacheable = true
  return to.cacheKey
}

const listed = ({ cachedMethods }: BehaviorPlan): string => [...cachedMethods].join(' ')

/** Over HTTP/1.1, and by the viewer itself: what the edge asks for in its place is a page or an object. */
const mayUpgrade = ({ request, reply, page }: Exchange): boolean =>
  request.httpVersion === '1.1' && request.body === null && reply.tunnel !== undefined && page === null

/** gRPC is spoken by POST over HTTP/2; what else has its Content-Type is a request like any other. */
const isCall = ({ request, peer, page }: Exchange): boolean =>
  request.method === 'POST' && request.httpVersion === '2.0' && peer === null && page === null

/** All that a behavior can list; whoever allows these means every method. */
const EVERY_METHOD = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const

/** CloudFront answers 403. HTTP has more methods than that list, and proxies pass on what they do not know (RFC 9110 9.1). */
function passesUnknown({ allowedMethods }: BehaviorPlan, name: string): boolean {
  const isListed = (EVERY_METHOD as readonly string[]).includes(name)
  return !isListed && name !== 'TRACE' && EVERY_METHOD.every((method) => allowedMethods.has(method))
}
