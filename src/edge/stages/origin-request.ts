//! What the origin will be sent: the recipe of the behavior applied to this request (origin/forward.ts).
import { revalidationHeaders } from '../../http/conditional.ts'
import { REASONS } from '../../http/error-page.ts'
import { announcedTrailers, passedTrailers } from '../../http/trailers.ts'
import { addressed, keepFromOthers } from '../bucket-request.ts'
import { sliceHeaders } from '../cache/slices.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { explainGenerated } from '../explain.ts'
import { explainOrigin } from '../explain-origin.ts'
import { explainForwarding } from '../explain-policies.ts'
import type { OriginRequest } from '../origin/attempts.ts'
import { originPlanOf } from '../origin/failover.ts'
import { OriginFailure } from '../origin/failure.ts'
import { loops, originHeaders, originTarget } from '../origin/forward.ts'
import { forwardedRequest } from '../origin/forwarded.ts'
import type { ReachedOrigin } from '../origin/reached.ts'
import { restHeaders, singleRange } from '../parts.ts'
import { wantsOnlyStored } from '../request-control.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { offeredTags } from '../variant-validation.ts'

export const originRequest = stage({
  name: to.originRequest,
  next: [to.originFetch, to.errorPage],
  run(x, edge) {
    const { request } = x
    const behavior = x.behavior as BehaviorPlan
    if (loops(request.headers)) {
      x.flight?.decide('failed')
      x.fault = { status: 403, reason: REASONS.loop, detailed: 'InvalidRequest', origin: null }
      return to.errorPage
    }
    if (wantsOnlyStored(x)) {
      x.flight?.decide('alone')
      x.fault = { status: 504, reason: REASONS.onlyIfCached, detailed: 'Error', origin: null }
      return to.errorPage
    }
    const ranged = request.method === 'GET' && x.cacheable && x.slice === null && x.facts.selection?.range
    if (ranged && edge.flights.isOversize(x.key)) {
      // Any other object is fetched whole and the range taken from that (spec 5.6: a range may be widened). This one is
      // too large to be kept: the origin answers the range. Of several ranges nothing is kept.
      x.forwardedRange = singleRange(x)
      if (x.forwardedRange === null) {
        x.cacheable = false
        x.missReason = x.notStored = 'range-not-cached'
      }
    }
    const { origin, forward } = originPlanOf(x)
    keepFromOthers(x, origin, forward.keyed)
    const { scheme } = request.connection
    const body = request.body === null || request.body.length === 0 ? null : request.body
    const passed = originHeaders(forward, forwardedRequest(x, x.cacheable))
    const own = ownRange(x, edge)
    const headers = own.length === 0 ? passed : [...withoutField(passed, 'request-range'), ...own]
    if (body !== null && body.length !== null) headers.push('Content-Length', `${body.length}`)
    const announced =
      behavior.strict && body?.length === null ? announcedTrailers(request.headers.getAll('trailer')) : ''
    if (announced !== '') headers.push('Trailer', announced)
    if (x.stale !== null && x.cacheable && request.method === 'GET') {
      const { etag, lastModified } = x.stale
      headers.push(...revalidationHeaders({ etag: etag || undefined, lastModified: lastModified || undefined }))
    }
    const tags = offeredTags(x, edge)
    if (tags !== '') {
      x.variantTags = 'offered'
      headers.push('If-None-Match', tags)
    }
    if (x.watcher !== null) {
      explainRequest(x, behavior, origin)
      explainGenerated(x, headers)
    }
    const policy = origin.protocolPolicy
    if (x.grpc) body?.unhurried?.()
    const asked = policy === 'match-viewer' ? scheme : policy === 'https-only' ? 'https' : 'http'
    const made: OriginRequest = {
      origin,
      scheme: asked,
      method: request.method,
      target: originTarget(forward, x.path, request.query),
      headers,
      body: body === null ? null : body.stream(),
      trailers: body === null || announced === '' ? null : () => passedTrailers(body.trailers),
      place: x.place.name,
      ...(x.upgrade === null ? {} : { upgrade: x.upgrade }),
      ...(x.grpc ? { grpc: true as const } : {}),
      ...(x.grpc && asked === 'http' ? { refusal: new OriginFailure('tls', GRPC_NEEDS_HTTPS) } : {}),
    }
    x.originRequest = addressed(x, edge, made)
    return to.originFetch
  },
})

/** No h2c: gRPC is HTTPS from end to end (spec 13.5). */
const GRPC_NEEDS_HTTPS = 'gRPC goes over HTTPS only, and OriginProtocolPolicy is http-only'

/** Where it goes, and what of the configuration says what it carries. */
function explainRequest(x: Exchange, behavior: BehaviorPlan, origin: ReachedOrigin): void {
  const { watcher, failedOver } = x
  const { field, failover, doc } = behavior
  watcher?.decided(`${field}.TargetOriginId`, doc.originId)
  if (failover !== null)
    watcher?.decided(`${failover.field}.Members.Items[${failedOver === null ? 0 : 1}].OriginId`, origin.id)
  explainOrigin(x, origin)
  explainForwarding(x, behavior)
}

/**
 * Header lines by which the edge asks for a part and not for the whole; empty for none. What the viewer may say of ranges
 * besides (Request-Range, which CloudFront forwards) is not heard then: the part is for others too.
 */
function ownRange(x: Exchange, edge: Edge): string[] {
  if (x.slice !== null) return sliceHeaders(x.slice)
  if (x.forwardedRange !== null) return ['Range', x.forwardedRange]
  if (x.part === null || x.request.method !== 'GET') return []
  const rest = restHeaders(x.part, (x.behavior as BehaviorPlan).strict, edge.clock.now())
  x.completes = rest.length > 0
  return rest
}

/** Name, value, name, value ... without the lines of that lower-case name. */
const withoutField = (headers: readonly string[], name: string): string[] =>
  headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== name)
