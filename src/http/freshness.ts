//! How long an answer of the origin is served from the cache, and whether it is kept at all: CloudFront's rules
//! (spec/cloudfront.md 5.1, 5.4, 5.5), which differ from RFC 9111 where a policy's Min TTL speaks.
import { type CacheControl, parseCacheControl, SECONDS_MAX } from './cache-control.ts'
import { parseHttpDate } from './http-date.ts'
import { variesByEverything } from './vary.ts'

/** Seconds, from the cache policy. */
export interface TtlPolicy {
  readonly minTtl: number
  readonly defaultTtl: number
  readonly maxTtl: number
}

/** The parts of an origin's answer that decide. All field lines of Cache-Control and Vary, the first of the others. */
export interface OriginAnswer {
  readonly status: number
  readonly cacheControl: readonly string[]
  readonly expires: string | undefined
  /** The origin's own clock; only an Expires is measured against it. */
  readonly date?: string | undefined
  readonly age: string | undefined
  readonly vary: readonly string[]
}

/** What set the TTL, or why nothing is kept. The words appear in traces, counters and tests. */
export type FreshnessReason =
  | 's-maxage'
  | 'max-age'
  | 'expires'
  | 'default-ttl'
  /** The origin asked for less, or forbade caching, and Min TTL overrides it. */
  | 'min-ttl'
  /** The origin asked for more than Max TTL. */
  | 'max-ttl'
  | 'error-caching-min-ttl'
  // In strict mode (rfc-freshness.ts) also:
  /** RFC 9213. */
  | 'cdn-cache-control'
  | 'heuristic'
  /** Kept for revalidation only: `no-cache`, or an age of 0. */
  | 'no-cache'
  // Not stored:
  | 'caching-disabled'
  | 'no-store'
  | 'private'
  | 'vary-star'
  | 'partial-content'
  | 'status-not-cacheable'
  // In strict mode also:
  /** The request had credentials, and the answer does not say that others may have it (RFC 9111 3.5). */
  | 'authorization'
  | 'must-understand'

export interface Freshness {
  /** Seconds from now; 0 means that every use asks the origin first. */
  readonly ttlSeconds: number
  readonly storable: boolean
  readonly reason: FreshnessReason
  /** Seconds that the answer had spent in caches before us (its Age header). */
  readonly ageSeconds: number
  /** Seconds after expiry in which stale answers are allowed; null when the origin did not say (spec 5.2). */
  readonly staleWhileRevalidateSeconds: number | null
  readonly staleIfErrorSeconds: number | null
  /** Once stale it is never served without the origin's word. */
  readonly staleForbidden: boolean
  /** Lower-case names of fields that must not be stored with the object (`no-cache="Set-Cookie"`). */
  readonly withoutFields: readonly string[]
}

/** Errors kept for the error caching minimum TTL (spec 5.4), and those kept only when the origin gives an age. */
const ERRORS_ALWAYS: ReadonlySet<number> = new Set([404, 414, 500, 501, 502, 503, 504])
const ERRORS_WITH_AGE: ReadonlySet<number> = new Set([400, 403, 405, 412, 415])

/** Seconds; CloudFront's default where a distribution configures none. */
export const ERROR_CACHING_MIN_TTL = 10

/** `errorMinTtl` is the distribution's error caching minimum TTL for this status, in seconds. */
export function decideFreshness(
  answer: OriginAnswer,
  policy: TtlPolicy,
  nowMs: number,
  errorMinTtl: number = ERROR_CACHING_MIN_TTL,
): Freshness {
  const control = parseCacheControl(answer.cacheControl)
  const ageSeconds = ageValue(answer.age)
  const decision =
    policy.minTtl === 0 && policy.defaultTtl === 0 && policy.maxTtl === 0
      ? refuse('caching-disabled')
      : answer.status < 400
        ? decideSuccess(answer, control, policy, ageSeconds, nowMs)
        : decideError(answer, control, policy, ageSeconds, nowMs, errorMinTtl)
  return {
    ...decision,
    ageSeconds,
    staleWhileRevalidateSeconds: control.staleWhileRevalidate,
    staleIfErrorSeconds: control.staleIfError,
    // no-cache asks for the origin's word each time, and without it nothing is served (RFC 9111 5.2.2.4); with a Min TTL
    // above 0 CloudFront passes over it and keeps what it has for an origin that fails (spec 5.1).
    staleForbidden: decision.reason === 'no-cache' || control.mustRevalidate || control.proxyRevalidate,
    withoutFields: control.withoutFields,
  }
}

interface Decision {
  readonly ttlSeconds: number
  readonly storable: boolean
  readonly reason: FreshnessReason
}

const keep = (ttlSeconds: number, reason: FreshnessReason): Decision => ({ ttlSeconds, storable: true, reason })
const refuse = (reason: FreshnessReason): Decision => ({ ttlSeconds: 0, storable: false, reason })

/** The table of spec 5.1. */
function decideSuccess(
  answer: OriginAnswer,
  control: CacheControl,
  policy: TtlPolicy,
  ageSeconds: number,
  nowMs: number,
): Decision {
  if (answer.status < 200 || answer.status === 304) return refuse('status-not-cacheable')
  if (answer.status === 206) return refuse('partial-content')
  if (policy.minTtl === 0) {
    if (control.noStore) return refuse('no-store')
    if (control.isPrivate) return refuse('private')
    if (variesByEverything(answer.vary)) return refuse('vary-star')
    if (control.noCache) return keep(0, 'no-cache')
  } else if (control.noStore || control.isPrivate || control.noCache) {
    return keep(policy.minTtl, 'min-ttl')
  }
  const given = originLifetime(answer, control, ageSeconds, nowMs)
  if (given === null) {
    return policy.defaultTtl >= policy.minTtl ? keep(policy.defaultTtl, 'default-ttl') : keep(policy.minTtl, 'min-ttl')
  }
  if (given.seconds < policy.minTtl) return keep(policy.minTtl, 'min-ttl')
  if (given.seconds > policy.maxTtl) return keep(policy.maxTtl, 'max-ttl')
  return keep(given.seconds, given.reason)
}

/** The table of spec 5.4: directives other than ages do not matter for errors. */
function decideError(
  answer: OriginAnswer,
  control: CacheControl,
  policy: TtlPolicy,
  ageSeconds: number,
  nowMs: number,
  errorMinTtl: number,
): Decision {
  const hasAge = control.maxAge !== null || control.sMaxage !== null
  if (!ERRORS_ALWAYS.has(answer.status) && !(ERRORS_WITH_AGE.has(answer.status) && hasAge)) {
    return refuse('status-not-cacheable')
  }
  const given = originLifetime(answer, control, ageSeconds, nowMs)
  const wanted =
    given !== null && given.seconds > errorMinTtl
      ? given
      : { seconds: errorMinTtl, reason: 'error-caching-min-ttl' as const }
  const ttl = wanted.seconds > policy.maxTtl ? keep(policy.maxTtl, 'max-ttl') : keep(wanted.seconds, wanted.reason)
  // An error is not revalidated: without a lifetime there is nothing to keep it for.
  return ttl.ttlSeconds > 0 ? ttl : refuse('status-not-cacheable')
}

/** Lifetime that is left of what the origin gave; null when it gave none. s-maxage, then max-age, then Expires. */
function originLifetime(
  answer: OriginAnswer,
  control: CacheControl,
  ageSeconds: number,
  nowMs: number,
): { seconds: number; reason: 's-maxage' | 'max-age' | 'expires' } | null {
  // The time it spent in other caches counts (RFC 9111 4.2.3; what CloudFront does is not documented).
  if (control.sMaxage !== null) return { seconds: Math.max(0, control.sMaxage - ageSeconds), reason: 's-maxage' }
  if (control.maxAge !== null) return { seconds: Math.max(0, control.maxAge - ageSeconds), reason: 'max-age' }
  if (answer.expires === undefined) return null
  // An Expires that is no date, `0` above all, lies in the past (RFC 9111 5.3).
  const at = parseHttpDate(answer.expires, nowMs) ?? nowMs
  // CloudFront's table counts from now. By the origin's own clock, where that differs or other caches had it for a
  // while, it may be over sooner (RFC 9111 4.2.1, 4.2.3; what CloudFront does then is not documented): the less counts.
  const date = answer.date === undefined ? null : parseHttpDate(answer.date, nowMs)
  const byOrigin = date === null ? Number.POSITIVE_INFINITY : (at - date) / 1000 - ageSeconds
  const seconds = Math.floor(Math.min(SECONDS_MAX, (at - nowMs) / 1000, byOrigin))
  return { seconds: Math.max(0, seconds), reason: 'expires' }
}

/** Age: the first member when it is a list by mistake; a value that is no number is ignored (RFC 9111 5.1). */
export function ageValue(text: string | undefined): number {
  const first = text?.split(',')[0]?.trim() ?? ''
  return /^[0-9]+$/.test(first) ? Math.min(Number(first), SECONDS_MAX) : 0
}
