//! What a worker takes, unless its operator says otherwise (config.ts has the options).
import { totalmem } from 'node:os'
import type { ShieldLimits } from './shield.ts'

export interface ShieldSettings {
  /** Requests a second of one address on the long run; 0 for no limit. */
  readonly addressRequests: number
  /** Requests of one address at once. */
  readonly addressBurst: number
  /** Requests to origins under way. */
  readonly originRequests: number
  /** Addresses of this host have the limits of all others. */
  readonly limitLoopback: boolean
}

export const SHIELD_DEFAULTS: ShieldSettings = {
  addressRequests: 2_000,
  addressBurst: 10_000,
  originRequests: 4_000,
  limitLoopback: false,
}

/** Milliseconds that every turn of the event loop is late for a second: a hit takes less than one. */
const LOOP_DELAY_MS = 250
/** Besides the cache: what answers under way hold, the program itself, its peaks. Bytes. */
const MEMORY_BESIDES_CACHE = 2 * 1024 * 1024 * 1024
/** Share of the memory that there is for the process. */
const MEMORY_SHARE = 0.85

export function shieldLimits(settings: ShieldSettings, cacheBytes: number): ShieldLimits {
  const constrained = process.constrainedMemory()
  const there = Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY)
  return {
    perSecond: settings.addressRequests,
    burst: settings.addressBurst,
    'event-loop': LOOP_DELAY_MS,
    'origin-requests': settings.originRequests,
    memory: Math.min(cacheBytes + MEMORY_BESIDES_CACHE, there * MEMORY_SHARE),
  }
}
