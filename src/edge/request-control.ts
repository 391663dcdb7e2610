//! What a viewer's Cache-Control makes of what the cache has (RFC 9111 5.2.1). Strict mode only: in CloudFront's mode no
//! viewer can make the origin work.
import { parseRequestControl, type RequestControl } from '../http/cache-control.ts'
import type { Finding } from './cache/finding.ts'
import type { StoredObject } from './cache/object.ts'
import type { Exchange } from './exchange.ts'
import type { HeaderBlock } from './listen/viewer.ts'
import { mayReplaceErrors } from './origin/answer.ts'

const KEY = {}

/** Found once for a header block. */
export function requestControl(headers: HeaderBlock): RequestControl {
  const known = headers.derived.get(KEY)
  if (known !== undefined) return known as RequestControl
  const control = parseRequestControl(headers.getAll('cache-control'))
  headers.derived.set(KEY, control)
  return control
}

/** True when the viewer wants a stored answer or none. */
export const wantsOnlyStored = (x: Exchange): boolean =>
  x.behavior?.strict === true && x.inner === null && requestControl(x.request.headers).onlyIfCached

/** What stale-if-error is about (RFC 5861 4); any other status is an answer that nobody has asked to be spared. */
const STALE_IF: ReadonlySet<number> = new Set([500, 502, 503, 504])

/**
 * May what is stored take the place of an error that the origin sent, at whatever place it was asked? In strict mode such
 * an error is an answer, unless the origin or the viewer has said: not to be seen.
 */
export const sparesError = (x: Exchange, stale: StoredObject, status: number, now: number): boolean =>
  x.behavior?.strict !== true || (STALE_IF.has(status) && (mayReplaceErrors(stale) || ratherStale(x, stale, now)))

/** True when the viewer would rather have an object this stale than an error (RFC 5861 4). */
function ratherStale(x: Exchange, object: StoredObject, now: number): boolean {
  const { staleIfError } = requestControl(x.request.headers)
  return staleIfError !== null && now < object.freshUntil + staleIfError * 1_000
}

/** The finding as this viewer sees it: an object that it does not want has expired, a stale one may be good enough. */
export function findingFor(x: Exchange, object: StoredObject, now: number, finding: Finding): Finding {
  if (x.behavior?.strict !== true || x.inner !== null || finding === 'invalidated') return finding
  const control = requestControl(x.request.headers)
  const tooOld = control.maxAge !== null && (now - object.bornAt) / 1_000 > control.maxAge
  if (control.noCache || tooOld) return 'expired'
  const freshFor = (object.freshUntil - now) / 1_000
  if (finding === 'expired') {
    if (!staleEnough(object, now, freshFor, control)) return 'expired'
    x.staleReason = 'max-stale'
    return 'fresh'
  }
  return control.minFresh !== null && freshFor < control.minFresh ? 'expired' : finding
}

/** Never what the origin forbids to be served stale: of that staleUntil tells. */
function staleEnough(
  object: StoredObject,
  now: number,
  freshFor: number,
  { maxStale, minFresh }: RequestControl,
): boolean {
  return maxStale !== null && minFresh === null && -freshFor <= maxStale && now < object.staleUntil
}
