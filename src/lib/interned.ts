//! Keeps values that are equal once: whoever brings another one with the same content gets the one that is known.

/** Values before the first look for those that nobody has any more. */
const SWEEP_FIRST = 1_024

/** For values that are never changed and that JSON can write. What nobody holds any more is forgotten. */
export class Interned {
  readonly #values = new Map<string, WeakRef<object>>()
  #sweepAt = SWEEP_FIRST

  of<T extends object>(value: T): T {
    const text = JSON.stringify(value)
    const known = this.#values.get(text)?.deref()
    if (known !== undefined) return known as T
    if (this.#values.size >= this.#sweepAt) this.#sweep()
    this.#values.set(text, new WeakRef(value))
    return value
  }

  #sweep(): void {
    for (const [text, value] of this.#values) if (value.deref() === undefined) this.#values.delete(text)
    this.#sweepAt = Math.max(SWEEP_FIRST, 2 * this.#values.size)
  }
}
