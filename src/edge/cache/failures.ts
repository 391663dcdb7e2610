//! Errors of origins that gave no answer at all, remembered for ErrorCachingMinTTL (spec/cloudfront.md 5.4: timeouts and
//! connect failures count as 5xx), so that a dead origin is not asked by every request.
import type { OriginFailureKind } from '../../domain/outcomes.ts'
import { ERROR_CACHING_MIN_TTL } from '../../http/freshness.ts'
import type { Invalidations } from './invalidation.ts'

/** Milliseconds for which an error of this status is kept at least: as the distribution says, or CloudFront's default. */
export function errorMinTtlMs(minTtls: ReadonlyMap<number, number>, status: number): number {
  return (minTtls.get(status) ?? ERROR_CACHING_MIN_TTL) * 1_000
}

/**
 * Milliseconds after which an origin that gave no answer is asked again in strict mode, when something stale is there to
 * be served: who waits for the same object meanwhile need not wait for another timeout. No RFC knows ErrorCachingMinTTL.
 */
export const STRICT_RETRY_MS = 1_000

/** Keys remembered, and characters of keys and paths; over either the oldest are forgotten. */
const KEYS_MAX = 65_536
const CHARACTERS_MAX = 16 * 1024 * 1024

interface Failed {
  readonly kind: OriginFailureKind
  readonly until: number
  readonly asOf: number
  readonly distributionId: string
  readonly uri: string
}

export class FailureMemory {
  readonly #failed = new Map<string, Failed>()
  readonly #charactersMax: number
  #characters = 0

  constructor(charactersMax = CHARACTERS_MAX) {
    this.#charactersMax = charactersMax
  }

  get size(): number {
    return this.#failed.size
  }

  remember(key: string, failed: Failed): void {
    this.#forget(key)
    this.#failed.set(key, failed)
    this.#characters += key.length + failed.uri.length
    while (this.#failed.size > KEYS_MAX || this.#characters > this.#charactersMax) {
      const oldest = this.#failed.keys().next()
      if (oldest.done) break
      this.#forget(oldest.value)
    }
  }

  /** The failure that still counts for this key. Invalidating the path clears it. */
  of(key: string, now: number, invalidations: Invalidations): OriginFailureKind | null {
    if (this.#failed.size === 0) return null
    const failed = this.#failed.get(key)
    if (failed === undefined) return null
    // A soft invalidation asks for the origin's word too, and of a failure there is nothing to serve meanwhile.
    if (now < failed.until && invalidations.standing({ ...failed, tags: '' }) === 'valid') return failed.kind
    this.#forget(key)
    return null
  }

  #forget(key: string): void {
    const failed = this.#failed.get(key)
    if (failed === undefined) return
    this.#failed.delete(key)
    this.#characters -= key.length + failed.uri.length
  }
}
