//! Which fields of a behavior and of its policies decided what is kept, for how long, and what goes to the origin; for traces.
import type { FreshnessReason } from '../http/freshness.ts'
import type { Exchange } from './exchange.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'

type Part = 'headers' | 'cookies' | 'queryStrings'

const PARTS: readonly { readonly part: Part; readonly config: string; readonly legacy: string }[] = [
  { part: 'headers', config: 'HeadersConfig', legacy: 'Headers' },
  { part: 'cookies', config: 'CookiesConfig', legacy: 'Cookies' },
  { part: 'queryStrings', config: 'QueryStringsConfig', legacy: 'QueryString' },
]

const TTL_FIELDS = { 'min-ttl': 'MinTTL', 'default-ttl': 'DefaultTTL', 'max-ttl': 'MaxTTL' } as const

/** `CachePolicy Managed-CachingOptimized MinTTL`, `DefaultCacheBehavior.MinTTL`. */
const ttlField = ({ doc, field, policy }: BehaviorPlan, name: string): string =>
  doc.legacy === undefined ? `CachePolicy ${policy.name || policy.id} ${name}` : `${field}.${name}`

/** What made the key: the policy, or ForwardedValues. */
export function explainKey({ watcher }: Exchange, { doc, field, policy }: BehaviorPlan): void {
  if (doc.legacy === undefined) watcher?.decided(`${field}.CachePolicyId`, policy.id)
  else watcher?.decided(`${field}.ForwardedValues`, 'in place of policies')
}

/** What keeps everything out of the cache. */
export function explainUncached({ watcher, distribution }: Exchange, behavior: BehaviorPlan): void {
  const passesThrough = distribution?.doc.viewerMtls?.mode === 'passthrough'
  if (behavior.doc.legacy?.allHeaders) watcher?.decided(`${behavior.field}.ForwardedValues.Headers`, '*')
  else if (passesThrough) watcher?.decided('ViewerMtlsConfig.Mode', 'passthrough')
  else watcher?.decided(ttlField(behavior, 'MaxTTL'), 0)
}

/** The field that set a lifetime; none when the origin's own word did. */
export function explainLifetime(
  x: Exchange,
  { status, ttlSource }: { status: number; ttlSource: FreshnessReason },
): void {
  const { watcher, behavior } = x
  if (watcher === null || behavior === null) return
  if (ttlSource === 'min-ttl' || ttlSource === 'default-ttl' || ttlSource === 'max-ttl') {
    const { minTtl, defaultTtl, maxTtl } = behavior.policy
    const value = { 'min-ttl': minTtl, 'default-ttl': defaultTtl, 'max-ttl': maxTtl }[ttlSource]
    watcher.decided(ttlField(behavior, TTL_FIELDS[ttlSource]), value)
  } else if (ttlSource === 'error-caching-min-ttl') {
    explainErrorTtl(x, status)
  }
}

/** How long an error of this status stands before the origin is asked again; of no field when the default counts. */
export function explainErrorTtl({ watcher, distribution }: Exchange, status: number): void {
  const rows = distribution?.doc.errorResponses ?? []
  const at = rows.findIndex(({ errorCode }) => errorCode === status)
  if (at >= 0)
    watcher?.decided(`CustomErrorResponses.Items[${at}].ErrorCachingMinTTL`, rows[at]?.cachingMinTtlSeconds ?? 0)
}

/** Which list forwards cookies, for which a request shares no fetch. */
export function explainAlone({ watcher }: Exchange, { doc, field }: BehaviorPlan): void {
  const { cachePolicy: cache, originRequestPolicy: request, legacy } = doc
  if (legacy !== undefined) watcher?.decided(`${field}.ForwardedValues.Cookies`, shown(cache.cookies))
  else if (cache.cookies.behavior !== 'none')
    watcher?.decided(`CachePolicy ${cache.name || cache.id} CookiesConfig`, shown(cache.cookies))
  else if (request !== null)
    watcher?.decided(`OriginRequestPolicy ${request.name || request.id} CookiesConfig`, shown(request.cookies))
}

/** Which lists say what of the viewer's request goes to the origin. */
export function explainForwarding({ watcher }: Exchange, { doc, field }: BehaviorPlan): void {
  if (watcher === null) return
  const { cachePolicy: cache, originRequestPolicy: request, legacy } = doc
  if (request !== null && legacy === undefined) watcher.decided(`${field}.OriginRequestPolicyId`, request.id)
  for (const { part, config, legacy: name } of PARTS) {
    if (legacy !== undefined) {
      const all = part === 'headers' ? legacy.allHeaders : request?.queryStrings.behavior === 'all'
      if (part !== 'cookies' && all)
        watcher.decided(`${field}.ForwardedValues.${name}`, part === 'headers' ? '*' : true)
      else if (cache[part].behavior !== 'none') watcher.decided(`${field}.ForwardedValues.${name}`, shown(cache[part]))
      continue
    }
    if (cache[part].behavior !== 'none') {
      watcher.decided(`CachePolicy ${cache.name || cache.id} ${config}`, shown(cache[part]))
    }
    if (request !== null && request[part].behavior !== 'none') {
      watcher.decided(`OriginRequestPolicy ${request.name || request.id} ${config}`, shown(request[part]))
    }
  }
}

const shown = ({ behavior, names }: { readonly behavior: string; readonly names: readonly string[] }): string =>
  names.length === 0 ? behavior : `${behavior}: ${names.join(', ')}`
