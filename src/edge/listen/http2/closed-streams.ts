//! What is still known of streams that are no more (RFC 9113 5.1): enough to tell a late frame from a wrong one.

/** Those that we have reset: the viewer may not know yet. */
const RESET_MAX = 256
/** Identifiers that were passed over, in ranges: they never were open (5.1.1). */
const GAPS_MAX = 32

export class ClosedStreams {
  readonly #reset = new Set<number>()
  readonly #gaps: { readonly first: number; readonly last: number }[] = []

  /** We have reset it: whatever still comes for it is thrown away. */
  addReset(id: number): void {
    this.#reset.add(id)
    if (this.#reset.size > RESET_MAX) this.#reset.delete(this.#reset.values().next().value as number)
  }

  wasReset(id: number): boolean {
    return this.#reset.has(id)
  }

  /** The viewer went on to another than the next. */
  addGap(first: number, last: number): void {
    this.#gaps.push({ first, last })
    if (this.#gaps.length > GAPS_MAX) this.#gaps.shift()
  }

  /** It was passed over, as far as that is remembered. */
  wasSkipped(id: number): boolean {
    return this.#gaps.some(({ first, last }) => id >= first && id <= last)
  }
}
