//! The head of an origin's answer, turned into the head of ours: which lines stay, how long it is fresh, whether it is
//! kept. Pure: takes the origin's head, the behavior and the time.
import type { NotStoredReason } from '../../domain/outcomes.ts'
import { parseCacheControl } from '../../http/cache-control.ts'
import { type ContentCoding, compressedHeaders, confirmedHeaders } from '../../http/compressible.ts'
import { mergeNotModified } from '../../http/conditional.ts'
import { reasonPhrase } from '../../http/error-page.ts'
import { decideFreshness, type Freshness, type OriginAnswer } from '../../http/freshness.ts'
import { allValues, declaredLength, firstValue, relayedHeaders } from '../../http/headers.ts'
import { decideRfcFreshness } from '../../http/rfc-freshness.ts'
import { parseTargeted } from '../../http/rfc-targeted.ts'
import { announcedTrailers } from '../../http/trailers.ts'
import type { Answer } from '../cache/flight.ts'
import type { ObjectMeta } from '../cache/object.ts'
import { admits } from '../snapshot/name-rule.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { cacheTags, refreshedCacheTags } from './cache-tags.ts'
import type { ForwardRecipe } from './forward.ts'

export interface OriginHead {
  readonly status: number
  readonly statusText: string
  /** Name, value, name, value ... */
  readonly headers: readonly string[]
  /** That of the body when the edge compresses it. */
  readonly coding?: ContentCoding | null
}

export interface AnswerContext {
  readonly behavior: BehaviorPlan
  readonly method: string
  /** May go into the cache as far as the request is concerned; else why not. */
  readonly refused: NotStoredReason | null
  /** The viewer's Authorization went to the origin; counts in strict mode. */
  readonly authorized: boolean
  /** Clock.now() when the origin was asked. */
  readonly askedAt: number
  readonly now: number
  /** Clock.wall(): what an origin's Date is compared with, wherever our own clock was moved to. */
  readonly wall: number
  readonly asOf: number
  /** Whole value of Via. */
  readonly via: string
  /** Date of now, for an origin that sent none. */
  readonly date: string
  /** Bytes of the largest object that the cache keeps. */
  readonly objectBytesMax: number
}

/** Relays and judges what the origin sent (spec/cloudfront.md 5, 6.4). */
export function answerOf(origin: OriginHead, context: AnswerContext): Answer {
  const head = asSent(origin)
  const freshness = judge(head.status, head.headers, context)
  const headers = relay(head.headers, context, freshness.withoutFields)
  const length = declaredLength(head.headers)
  const text = (lines: readonly string[]) => headText(head.status, head.statusText, lines, context)
  return {
    status: head.status,
    head: text(headers),
    ...(freshness.withoutFields.length === 0 ? {} : { leaderHead: text(relay(head.headers, context, [])) }),
    length,
    ...announced(origin, context),
    contentType: firstValue(headers, 'content-type') ?? '',
    ...lifetime(headers, freshness, context),
    notStored: context.refused ?? notStored(freshness, headers, length, context),
    asOf: context.asOf,
    tags: cacheTags(context.behavior.tagHeader, head.headers),
    variant: '',
  }
}

/** Of a body that goes on as it came: a compressed one has no use for what was said behind the other. */
function announced({ headers, coding = null }: OriginHead, { behavior }: AnswerContext): { trailer?: string } {
  const trailer = behavior.strict && coding === null ? announcedTrailers(allValues(headers, 'trailer')) : ''
  return trailer === '' ? {} : { trailer }
}

/** The head of the body that readers get. */
function asSent(head: OriginHead): OriginHead {
  const { coding = null } = head
  if (coding === null) return head
  return { status: head.status, statusText: head.statusText, headers: compressedHeaders(head.headers, coding) }
}

/** A 304 to a revalidation: the stored headers, updated, with a new lifetime (RFC 9111 3.2, spec 5.3). */
export function refreshedAnswer(stored: ObjectMeta, head: OriginHead, context: AnswerContext): Answer {
  const before = headerPairs(stored.head)
  const fresh = relayedHeaders(confirmedHeaders(before, head.headers), rules(context, []))
  // One without Date is of now (RFC 9110 6.6.1). The stored Date would make it as old as what it confirms.
  if (context.behavior.strict && firstValue(fresh, 'date') === undefined) fresh.push('Date', context.date)
  const merged = mergeNotModified(before, fresh)
  // Age tells of this 304, not of what is stored: it is never merged.
  const freshness = judge(stored.status, merged, context, firstValue(head.headers, 'age'))
  return {
    status: stored.status,
    head: headText(stored.status, '', merged, context),
    length: null,
    contentType: firstValue(merged, 'content-type') ?? '',
    ...lifetime(merged, freshness, context),
    notStored: freshness.storable ? null : freshness.reason,
    asOf: context.asOf,
    tags: refreshedCacheTags(context.behavior.tagHeader, head.headers, stored.tags),
    variant: '',
  }
}

/** Name, value, name, value ... of the lines of a stored head. */
export function headerPairs(head: string): string[] {
  return head
    .split('\r\n')
    .slice(1)
    .flatMap((line) => {
      const colon = line.indexOf(': ')
      return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 2)]
    })
}

function judge(
  status: number,
  headers: readonly string[],
  { behavior, now, wall, authorized, askedAt }: AnswerContext,
  age = firstValue(headers, 'age'),
): Freshness {
  const answer: OriginAnswer = {
    status,
    cacheControl: allValues(headers, 'cache-control'),
    expires: firstValue(headers, 'expires'),
    date: firstValue(headers, 'date'),
    age,
    vary: allValues(headers, 'vary'),
  }
  if (!behavior.strict) return decideFreshness(answer, behavior.policy, now, behavior.errorMinTtls.get(status))
  const more = {
    lastModified: firstValue(headers, 'last-modified'),
    cdnCacheControl: allValues(headers, CDN_CACHE_CONTROL),
    authorized,
    delayMs: now - askedAt,
  }
  return decideRfcFreshness({ ...answer, ...more }, behavior.policy, wall)
}

const CDN_CACHE_CONTROL = 'cdn-cache-control'

/**
 * Strict mode: may a stored answer take the place of an error that the origin sends? Only when its stale-if-error says so
 * (RFC 5861 4); until when is the object's staleUntil. An origin that does not answer at all is another matter: then what
 * is stored may be served unless that is forbidden (RFC 9111 4.2.4).
 */
export function mayReplaceErrors({ head }: { readonly head: string }): boolean {
  const headers = headerPairs(head)
  const control = parseTargeted(allValues(headers, CDN_CACHE_CONTROL))
  return (control ?? parseCacheControl(allValues(headers, 'cache-control'))).staleIfError !== null
}

function rules({ behavior }: AnswerContext, without: readonly string[]) {
  return {
    // Whose cookies went to the origin is not the cache's to judge in strict mode: no RFC removes Set-Cookie.
    setCookie: behavior.strict || behavior.forward.cookies.kind !== 'none',
    // In strict mode Vary goes on as it came: caches behind us have requests that we do not know.
    forwardsHeader: (name: string) => behavior.strict || isForwarded(behavior.forward, name),
    without,
  }
}

/** User-Agent reaches the origin also as what it says of the device (spec 5.5). */
const isForwarded = ({ headers, generated }: ForwardRecipe, name: string): boolean =>
  admits(headers, name) || (name === 'user-agent' && generated.some(({ from }) => from === 'device'))

const relay = (headers: readonly string[], context: AnswerContext, without: readonly string[]): string[] =>
  relayedHeaders(headers, rules(context, without))

function headText(status: number, statusText: string, headers: readonly string[], context: AnswerContext): string {
  let text = `HTTP/1.1 ${status} ${statusText || reasonPhrase(status)}\r\n`
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (!IN_EVERY_DELIVERY.has(name.toLowerCase())) text += `${name}: ${headers[i + 1]}\r\n`
  }
  if (firstValue(headers, 'date') === undefined) text += `Date: ${context.date}\r\n`
  return `${text}Via: ${context.via}\r\n`
}

/** Added with each delivery, or here; a refreshed head has them already. */
const IN_EVERY_DELIVERY = new Set(['via', 'content-length', 'age'])

function lifetime(headers: readonly string[], freshness: Freshness, { now, behavior }: AnswerContext) {
  const bornAt = now - freshness.ageSeconds * 1000
  const freshUntil = now + freshness.ttlSeconds * 1000
  const noStale = freshness.staleForbidden
  // After MaxTTL nothing stale is served; within it for as long as the origin allows (spec 5.2, RFC 9111 4.2.4).
  const allowed = freshness.staleIfErrorSeconds ?? Number.POSITIVE_INFINITY
  const behind = freshness.staleWhileRevalidateSeconds ?? 0
  const oldest = bornAt + behavior.policy.maxTtl * 1000
  const staleUntil = noStale ? freshUntil : Math.min(freshUntil + allowed * 1000, oldest)
  return {
    bornAt,
    freshUntil,
    staleUntil: Math.max(staleUntil, freshUntil),
    swrUntil: noStale ? freshUntil : Math.max(freshUntil, Math.min(freshUntil + behind * 1000, oldest)),
    ttlSource: freshness.reason,
    etag: firstValue(headers, 'etag') ?? '',
    lastModified: firstValue(headers, 'last-modified') ?? '',
  }
}

function notStored(
  freshness: Freshness,
  headers: readonly string[],
  length: number | null,
  { method, objectBytesMax }: AnswerContext,
): NotStoredReason | null {
  if (!freshness.storable) return freshness.reason
  if (method === 'HEAD') return 'head-answer'
  if (length !== null && length > objectBytesMax) return 'over-object-limit'
  const validates = firstValue(headers, 'etag') !== undefined || firstValue(headers, 'last-modified') !== undefined
  return freshness.ttlSeconds > 0 || validates || servesStale(freshness) ? null : 'no-validator'
}

/** The origin wants it served when it is stale (RFC 5861): with max-age=0 that is at once. */
function servesStale({ staleForbidden, staleWhileRevalidateSeconds, staleIfErrorSeconds }: Freshness): boolean {
  return !staleForbidden && ((staleWhileRevalidateSeconds ?? 0) > 0 || (staleIfErrorSeconds ?? 0) > 0)
}
