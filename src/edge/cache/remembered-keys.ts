//! A bounded memory of cache keys that takes a few bytes for each, however long they are: viewers choose the keys, and
//! with the keys themselves 65,536 requests would take gigabytes. What is remembered is a number, 53 bits of a keyed
//! hash: two keys that share one are taken for each other once in 2^37 lookups, and nobody can find such a pair. So
//! only what costs a fetch more or less may depend on it, never which answer is served.
import { KeyHash } from './key-hash.ts'

/** Keys that one memory holds at most; over it the oldest is forgotten. */
export const REMEMBERED_KEYS_MAX = 65_536

const hash = new KeyHash()

/** The number of a key in this process. */
function numberOf(key: string): number {
  hash.of(key)
  return hash.a * 2 ** 21 + (hash.b >>> 11)
}

/** Keys, each with a value; the oldest go first. */
export class RememberedKeys<Value = true> {
  readonly #values = new Map<number, Value>()
  readonly #max: number

  constructor(max = REMEMBERED_KEYS_MAX) {
    this.#max = max
  }

  /** Undefined for a key that is not remembered. Costs one comparison when none is. */
  get(key: string): Value | undefined {
    return this.#values.size === 0 ? undefined : this.#values.get(numberOf(key))
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** A key that is remembered again counts as new. */
  set(key: string, value: Value): void {
    const number = numberOf(key)
    this.#values.delete(number)
    if (this.#values.size >= this.#max) {
      const oldest = this.#values.keys().next()
      if (!oldest.done) this.#values.delete(oldest.value)
    }
    this.#values.set(number, value)
  }

  delete(key: string): void {
    if (this.#values.size > 0) this.#values.delete(numberOf(key))
  }

  get size(): number {
    return this.#values.size
  }
}
