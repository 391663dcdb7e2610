//! Custom error pages (spec/cloudfront.md 3.5): which error gets which page, the request that fetches the page, and what
//! the viewer is shown. The page is an object like any other: its own behavior, key, lifetime and invalidations.
import { unsigned } from './access/unsigned.ts'
import { keepOn } from './cache/keep-on.ts'
import type { Edge } from './edge.ts'
import type { Exchange, PageInstead } from './exchange.ts'
import { leaveFlight } from './leaving.ts'
import type { ViewerRequest } from './listen/viewer.ts'
import { OF_ONE_DELIVERY, ownRequest } from './own-request.ts'
import type { ErrorPagePlan } from './snapshot/snapshot.ts'

/**
 * The page for an error of this status; null for none. A page never stands in for another page's error (the viewer gets
 * that error as it is), nor for a fault of our own making; and a peer is told the error itself, its viewer's worker
 * fetches the page. What the edge asks of itself nobody sees.
 */
export function pageFor(x: Exchange, status: number): ErrorPagePlan | null {
  if (x.page !== null || x.peer !== null || x.inner !== null || x.distribution === null) return null
  // A client of gRPC reads statuses and trailers, no pages (spec 13.5).
  if (x.grpc || x.fault?.detailed === 'InternalError' || x.fault?.noPage === true) return null
  return x.distribution.errorPages.get(status) ?? null
}

/** Status of the error that the exchange came to. */
export const errorStatus = (x: Exchange): number => x.fault?.status ?? x.object?.status ?? x.answer?.status ?? 0

/** Turns the exchange into one for the page, as if it had just come in; what it held is let go. */
export function beginPage(x: Exchange, edge: Edge, plan: ErrorPagePlan): void {
  edge.recordFetch(x)
  x.stale?.release()
  x.part?.release()
  if (x.flight !== null) {
    if (x.leads) x.flight.decide('failed')
    // The error itself is to be kept as well.
    keepOn(x.flight)
    leaveFlight(x)
  }
  x.page = { plan, detailed: x.fault?.detailed ?? 'Error', behavior: x.behavior }
  x.request = pageRequest(isPublic(x) ? x.request : unsigned(x.request), plan.path)
  x.path = plan.path
  x.behavior = null
  x.cacheable = x.leads = false
  x.key = x.indexKey = ''
  x.variantTags = 'none'
  x.object = x.stale = x.part = x.forwardedRange = null
  x.completes = false
  x.flight = x.originRequest = x.answer = x.fault = x.failedOver = x.upstream = null
  x.missReason = x.staleReason = x.notStored = x.compression = x.range = null
  x.result = x.detailed = 'Miss'
  x.tier = 'edge'
  x.layer = x.place.layer
  x.askedAt = x.looks = x.flightsJoined = 0
}

/** The page came: it goes out under the row's status. What else came goes out as what it is; both are errors. */
export function showAsPage(x: Exchange, { plan, detailed }: PageInstead): void {
  x.result = 'Error'
  x.detailed = detailed
  if (x.status === 200) x.status = plan.responseCode
}

/** Header fields that speak of the failed request's body or of the viewer's copy of its object. */
const OF_THE_ERROR: ReadonlySet<string> = new Set([
  ...OF_ONE_DELIVERY,
  'content-encoding',
  'content-length',
  'content-type',
  'transfer-encoding',
])

/** What was refused before its behavior was known may have been signed for a private one. */
const isPublic = ({ behavior }: Exchange): boolean => behavior !== null && behavior.signers === null

/** The page's origin is told of the URL without what signed it, whether or not anybody came to look at that. */
function pageRequest(request: ViewerRequest, path: string): ViewerRequest {
  const { path: asked, query } = request
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET'
  return ownRequest(request, { method, path, query: null, errorOf: { path: asked, query } }, OF_THE_ERROR)
}
