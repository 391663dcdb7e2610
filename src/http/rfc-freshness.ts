//! How long an answer of the origin is fresh in strict mode, and whether it is kept at all: RFC 9111 3 and 4.2 for a
//! shared cache, RFC 5861 and RFC 9213. Of the cache policy only Max TTL counts, as a limit: Min TTL raises nothing and
//! Default TTL stands for nothing. All TTLs zero turn caching off, as in default mode.
import { type CacheControl, parseCacheControl, SECONDS_MAX } from './cache-control.ts'
import { ageValue, type Freshness, type FreshnessReason, type OriginAnswer, type TtlPolicy } from './freshness.ts'
import { parseHttpDate } from './http-date.ts'
import { parseTargeted } from './rfc-targeted.ts'
import { variesByEverything } from './vary.ts'

export interface RfcAnswer extends OriginAnswer {
  readonly lastModified: string | undefined
  /** All field lines. */
  readonly cdnCacheControl: readonly string[]
  /** The request that went to the origin had Authorization. */
  readonly authorized: boolean
  /** Milliseconds from the request to the head of the answer. */
  readonly delayMs: number
}

/** May be given a lifetime that the origin did not state (RFC 9110 15.1). 206 is kept by other rules. */
const HEURISTIC: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])

/**
 * Statuses whose rules for caches this one follows, for `must-understand` (RFC 9111 3, 5.2.2.3): those of RFC 9110 15
 * and its registry without 206 and 304, which are answers to a range and to a condition.
 */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 207, 208, 226, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406,
  407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501,
  502, 503, 504, 505, 506, 507, 508, 510, 511,
]) // biome-ignore format: a list

/** Of the time since the last change, the part for which an answer is taken to be fresh (RFC 9111 4.2.2). */
const HEURISTIC_PART = 0.1
/** Seconds: Date has no fractions, so that a new answer may seem a second old, which is all of `max-age=1`. */
const APPARENT_MIN = 2
/** Seconds: a guess holds for a day at most. */
const HEURISTIC_MAX = 86_400

/**
 * Decides as decideFreshness (freshness.ts) does; `nowMs` is when the head of the answer came, by a clock that tells the
 * same time as the origin's should.
 */
export function decideRfcFreshness(answer: RfcAnswer, policy: TtlPolicy, nowMs: number): Freshness {
  const targeted = parseTargeted(answer.cdnCacheControl)
  const control = targeted ?? parseCacheControl(answer.cacheControl)
  const ageSeconds = initialAge(answer, nowMs)
  const refusal = policy.maxTtl === 0 ? 'caching-disabled' : whyNotStored(answer, control, targeted !== null)
  const lifetime = refusal === null ? lifetimeOf(answer, control, targeted !== null, nowMs) : null
  const left = Math.max(0, (lifetime?.seconds ?? 0) - ageSeconds)
  const decided: { ttlSeconds: number; reason: FreshnessReason } =
    refusal !== null
      ? { ttlSeconds: 0, reason: refusal }
      : control.noCache || lifetime === null
        ? { ttlSeconds: 0, reason: 'no-cache' }
        : left > policy.maxTtl
          ? { ttlSeconds: policy.maxTtl, reason: 'max-ttl' }
          : { ttlSeconds: left, reason: lifetime.reason }
  return {
    ...decided,
    storable: refusal === null,
    ageSeconds,
    staleWhileRevalidateSeconds: control.staleWhileRevalidate,
    staleIfErrorSeconds: control.staleIfError,
    // s-maxage includes proxy-revalidate (RFC 9111 5.2.2.10).
    staleForbidden: control.noCache || control.mustRevalidate || control.proxyRevalidate || control.sMaxage !== null,
    withoutFields: control.withoutFields,
  }
}

/** RFC 9111 3. Null when it may be stored. */
function whyNotStored(answer: RfcAnswer, control: CacheControl, targeted: boolean): FreshnessReason | null {
  const { status } = answer
  if (status < 200 || status === 304) return 'status-not-cacheable'
  if (status === 206) return 'partial-content'
  if (control.mustUnderstand ? !UNDERSTOOD.has(status) : control.noStore) {
    return control.mustUnderstand ? 'must-understand' : 'no-store'
  }
  if (control.isPrivate) return 'private'
  // 3.5: only these three say that others may have what came for somebody's credentials.
  if (answer.authorized && !control.isPublic && !control.mustRevalidate && control.sMaxage === null) {
    return 'authorization'
  }
  if (variesByEverything(answer.vary)) return 'vary-star'
  const explicit = control.maxAge !== null || control.sMaxage !== null || (!targeted && answer.expires !== undefined)
  // `no-cache` says by itself that it may be stored, to be asked about.
  const allowed = explicit || control.isPublic || control.noCache || HEURISTIC.has(status)
  return allowed ? null : 'status-not-cacheable'
}

interface Lifetime {
  readonly seconds: number
  readonly reason: FreshnessReason
}

/** Freshness lifetime (RFC 9111 4.2.1, 4.2.2); null when nothing says any. */
function lifetimeOf(answer: RfcAnswer, control: CacheControl, targeted: boolean, nowMs: number): Lifetime | null {
  const reason = (otherwise: FreshnessReason): FreshnessReason => (targeted ? 'cdn-cache-control' : otherwise)
  if (control.sMaxage !== null) return { seconds: control.sMaxage, reason: reason('s-maxage') }
  if (control.maxAge !== null) return { seconds: control.maxAge, reason: reason('max-age') }
  const date = dateOf(answer, nowMs)
  if (!targeted && answer.expires !== undefined) {
    // An Expires that is no date, `0` above all, lies in the past (5.3).
    const at = parseHttpDate(answer.expires, nowMs) ?? Number.NEGATIVE_INFINITY
    return { seconds: wholeSeconds((at - date) / 1000), reason: 'expires' }
  }
  if (!HEURISTIC.has(answer.status) && !control.isPublic) return null
  const modified = answer.lastModified === undefined ? null : parseHttpDate(answer.lastModified, nowMs)
  if (modified === null) return null
  const guessed = wholeSeconds(((date - modified) / 1000) * HEURISTIC_PART)
  return { seconds: Math.min(guessed, HEURISTIC_MAX), reason: 'heuristic' }
}

/**
 * corrected_initial_age (RFC 9111 4.2.3), the careful way: what Age says and the time that the answer took, or what the
 * origin's own Date says where that is more.
 */
function initialAge(answer: RfcAnswer, nowMs: number): number {
  const apparent = wholeSeconds((nowMs - dateOf(answer, nowMs)) / 1000)
  return Math.max(
    apparent < APPARENT_MIN ? 0 : apparent,
    Math.min(SECONDS_MAX, ageValue(answer.age) + wholeSeconds(answer.delayMs / 1000)),
  )
}

const dateOf = ({ date }: RfcAnswer, nowMs: number): number =>
  (date === undefined ? null : parseHttpDate(date, nowMs)) ?? nowMs

const wholeSeconds = (seconds: number): number => Math.floor(Math.min(SECONDS_MAX, Math.max(0, seconds)))
