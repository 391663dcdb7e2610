//! What the origin will be sent: the recipe of the behavior applied to this request (origin/forward.ts).
import { revalidationHeaders } from '../../http/conditional.ts'
import { REASONS } from '../../http/error-page.ts'
import { announcedTrailers, passedTrailers } from '../../http/trailers.ts'
import { sliceHeaders } from '../cache/slices.ts'
import { loops, originHeaders, originTarget } from '../origin/forward.ts'
import { forwardedRequest } from '../origin/forwarded.ts'
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
    const { scheme } = request.connection
    const body = request.body === null || request.body.length === 0 ? null : request.body
    const headers = originHeaders(behavior.forward, forwardedRequest(x, edge.pop.via, x.cacheable))
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
    if (x.slice !== null) headers.push(...sliceHeaders(x.slice))
    if (x.forwardedRange !== null) headers.push('Range', x.forwardedRange)
    if (x.part !== null && x.forwardedRange === null && request.method === 'GET') {
      const rest = restHeaders(x.part, behavior.strict, edge.clock.now())
      x.completes = rest.length > 0
      headers.push(...rest)
    }
    const policy = behavior.origin.protocolPolicy
    x.originRequest = {
      origin: behavior.origin,
      scheme: policy === 'match-viewer' ? scheme : policy === 'https-only' ? 'https' : 'http',
      method: request.method,
      target: originTarget(behavior.forward, x.path, request.query),
      headers,
      body: body === null ? null : body.stream(),
      trailers: body === null || announced === '' ? null : () => passedTrailers(body.trailers),
    }
    return to.originFetch
  },
})
