//! A keyed 2 x 32 bit hash of cache keys. Keyed, because viewers choose the keys: with a known function they could make
//! a table degenerate. Tables compare the key itself as well, so that a collision can never serve another's answer.
//! The disk tier keeps hashes in its records: another function is another LAYOUT (disk/record.ts).
import { randomInt } from 'node:crypto'

export class KeyHash {
  readonly #seedA: number
  readonly #seedB: number
  /** Results of the last `of`, unsigned 32 bits each. */
  a = 0
  b = 0

  /** Without seeds it has secret ones of its own; the disk tier keeps its seeds with the store. */
  constructor(seedA = randomInt(2 ** 31), seedB = randomInt(2 ** 31)) {
    this.#seedA = seedA
    this.#seedB = seedB
  }

  /** Hashes a latin1 text into `a` and `b`: two multiplicative lanes in one pass, mixed at the end. */
  of(text: string): void {
    let a = this.#seedA
    let b = this.#seedB
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      a = Math.imul(a ^ code, 2654435761)
      b = Math.imul(b ^ code, 1597334677)
    }
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
    this.a = a >>> 0
    this.b = b >>> 0
  }
}
