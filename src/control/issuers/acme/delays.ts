//! When an order is looked at again. PURE: counts and a chance in, milliseconds out. What the server asks for (Retry-After)
//! is the least; jitter keeps certificates that failed together from coming together.

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** A Retry-After beyond this is a mistake of the server: nobody waits a week for a certificate. */
const RETRY_AFTER_MS_MAX = 24 * HOUR_MS
/** Of a delay, up or down. */
const JITTER = 0.2

export interface Backoff {
  readonly firstMs: number
  readonly lastMs: number
}

/** While the server looks at something: it takes a second or a minute. */
export const POLL: Backoff = { firstMs: 250, lastMs: 15 * SECOND_MS }
/** After a validation that did not reach us. Let's Encrypt takes five an hour for a name, and blocks it for the next. */
export const VALIDATION: Backoff = { firstMs: 15 * MINUTE_MS, lastMs: 6 * HOUR_MS }
/** After an order was lost for no fault of anybody's, or the server was busy. */
export const RESTART: Backoff = { firstMs: 5 * SECOND_MS, lastMs: HOUR_MS }
/** After the server said that it is asked too much. */
export const LIMITED: Backoff = { firstMs: HOUR_MS, lastMs: 12 * HOUR_MS }

/**
 * Doubled from the first to the last, with jitter. `count`: how often it was waited for already. `chance`: from 0 to below
 * 1. `afterMs`: what the server asks for; null when it asks for nothing.
 */
export function delayMs({ firstMs, lastMs }: Backoff, count: number, chance: number, afterMs: number | null): number {
  const grown = Math.min(lastMs, firstMs * 2 ** Math.min(count, 30))
  const jittered = grown * (1 - JITTER + 2 * JITTER * chance)
  const asked = Math.min(afterMs ?? 0, RETRY_AFTER_MS_MAX)
  // Late rather than early: who comes a moment before is counted again.
  return Math.round(asked > jittered ? asked * (1 + (JITTER / 2) * chance) : jittered)
}
