//! So many at once, and so many a second on the long run.

export class TokenBucket {
  readonly #burst: number
  readonly #perMs: number
  #left: number
  /** Milliseconds of a monotonic clock up to which the seconds have been counted. */
  #since: number

  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst
    this.#perMs = perSecond / 1_000
    this.#left = burst
    this.#since = now
  }

  /** Takes one; false when there is none. */
  take(now: number): boolean {
    if (!this.has(now)) return false
    this.#left--
    return true
  }

  /** True when there is one to be taken. */
  has(now: number): boolean {
    if (now > this.#since) {
      if (this.#left < this.#burst) this.#left = Math.min(this.#burst, this.#left + (now - this.#since) * this.#perMs)
      this.#since = now
    }
    return this.#left >= 1
  }

  /** Useful work allows for some more. */
  earn(count: number): void {
    if (this.#left < this.#burst) this.#left += count
  }

  /** Nothing of it is used: one that is made anew is the same. */
  isFull(now: number): boolean {
    return this.#left + (now - this.#since) * this.#perMs >= this.#burst
  }
}
