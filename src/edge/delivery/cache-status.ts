//! Cache-Status (RFC 9211), in strict mode: what the cache did, for people and programs that know no X-Cache. What caches
//! before this one said stays in lines of its own above: the one closest to the origin comes first.
import type { MissReason, StaleReason, Tier } from '../../domain/outcomes.ts'
import type { ResultType } from '../../domain/result-types.ts'

/** What of an exchange it is made of. */
export interface Told {
  readonly result: ResultType
  readonly tier: Tier
  readonly missReason: MissReason | null
  readonly staleReason: StaleReason | null
  readonly notStored: string | null
  readonly cacheable: boolean
  /** Not empty when the key has variants. */
  readonly indexKey: string
  /** Clock.now() when the origin or the owner was asked. */
  readonly askedAt: number
  readonly stale: { readonly freshUntil: number } | null
  readonly flight: { readonly status: number } | null
}

/** `fwd` (2.2). */
const FORWARDED: Readonly<Record<MissReason, string>> = {
  absent: 'uri-miss',
  expired: 'stale',
  invalidated: 'miss',
  'caching-disabled': 'bypass',
  'method-not-cached': 'method',
  'request-body': 'bypass',
  'range-not-cached': 'partial',
  upgrade: 'bypass',
  grpc: 'bypass',
  'request-no-store': 'request',
}

/** The field's value; `cache` is the POP's name, `freshUntil` that of the answer; times are Clock.now(). */
export function cacheStatus(told: Told, cache: string, now: number, freshUntil: number): string {
  const isHit = isServedByCache(told)
  let line = `${cache}${isHit ? '; hit' : forwarded(told)}`
  const isStored = told.cacheable && told.notStored === null
  // While a copy stands in for a failing origin, `freshUntil` says when that is asked again, not until when it is fresh.
  const isKnown = told.staleReason !== 'origin-failed' && told.staleReason !== 'shed' && (isHit || isStored)
  if (isKnown) line += `; ttl=${Math.floor((freshUntil - now) / 1_000)}`
  return told.staleReason === null ? line : `${line}; detail=${told.staleReason}`
}

/** Of an answer with an error status X-Cache says Error, wherever it came from. */
function isServedByCache({ result, tier }: Told): boolean {
  if (result === 'Hit') return tier !== 'collapsed'
  return result === 'Error' && (tier === 'memory' || tier === 'disk')
}

function forwarded(told: Told): string {
  const { missReason, tier, flight } = told
  let text = `; fwd=${whyForwarded(told)}`
  if (tier === 'origin' && flight !== null && flight.status !== 0) text += `; fwd-status=${flight.status}`
  if (tier === 'collapsed') text += '; collapsed'
  else if (told.cacheable && told.notStored === null && missReason !== null) text += '; stored'
  return text
}

function whyForwarded({ missReason, indexKey, stale, askedAt }: Told): string {
  // It was fresh, and the viewer would not have it.
  if (missReason === 'expired' && stale !== null && stale.freshUntil > askedAt) return 'request'
  // Whether there were other variants, nobody remembers by now.
  if (missReason === 'absent' && indexKey !== '') return 'miss'
  return FORWARDED[missReason ?? 'absent']
}
