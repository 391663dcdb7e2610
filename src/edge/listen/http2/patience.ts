//! How long a viewer may let what waits for it wait without a window: milliseconds that are used up while it does, and that
//! come back with the bytes that it takes. A window of one byte now and then must not hold an answer for ever.

/** Bytes that it takes on the long run, if it keeps us waiting at all. */
const BYTES_PER_SECOND_MIN = 100

export class Patience {
  readonly #maxMs: number
  #leftMs: number
  /** Clock.monotonic() since when something waits; infinite while nothing does. */
  #since = Number.POSITIVE_INFINITY

  constructor(maxMs: number) {
    this.#maxMs = maxMs
    this.#leftMs = maxMs
  }

  /** Clock.monotonic() at which it is over. */
  get deadline(): number {
    return this.#since + this.#leftMs
  }

  /** Something waits, and has no window. */
  begin(now: number): void {
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = now
  }

  /** There is a window again. */
  end(now: number): void {
    if (this.#since === Number.POSITIVE_INFINITY) return
    this.#leftMs -= now - this.#since
    this.#since = Number.POSITIVE_INFINITY
  }

  taken(bytes: number): void {
    this.#leftMs = Math.min(this.#maxMs, this.#leftMs + (bytes / BYTES_PER_SECOND_MIN) * 1_000)
  }
}
