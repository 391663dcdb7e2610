//! Requests on their way through the table that wait for something. Who ends the worker waits until they have been recorded:
//! a connection can be gone a moment before its log line is written.

export class Running {
  #count = 0
  #settled: (() => void) | null = null

  /** `end` settles when the request has been recorded. */
  add(end: Promise<void>): void {
    this.#count++
    const over = (): void => {
      if (--this.#count === 0) this.#settled?.()
    }
    end.then(over, over)
  }

  /** Resolves when none is left, and after `limitMs` milliseconds at the latest. */
  async settled(limitMs: number): Promise<void> {
    if (this.#count === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#settled = resolve
    const limit = setTimeout(resolve, limitMs)
    await promise
    clearTimeout(limit)
  }
}
