//! How often a viewer may do what costs us more than it (limits.ts): so often at once, and a few more each second.
import { HTTP2_RATES, type Http2RateName } from './limits.ts'

export class Budget {
  readonly #burst: number
  readonly #perMs: number
  #left: number
  /** Clock.monotonic() up to which the seconds have been counted. */
  #since: number

  constructor(name: Http2RateName, now: number) {
    const { burst, perSecond } = HTTP2_RATES[name]
    this.#burst = burst
    this.#perMs = perSecond / 1_000
    this.#left = burst
    this.#since = now
  }

  /** False when it is used up. */
  take(now: number): boolean {
    if (this.#left < 1) {
      this.#left = Math.min(this.#burst, this.#left + (now - this.#since) * this.#perMs)
      this.#since = now
      if (this.#left < 1) return false
    }
    this.#left--
    return true
  }

  /** Useful work allows for some more of it. */
  earn(count: number): void {
    if (this.#left < this.#burst) this.#left += count
  }
}
