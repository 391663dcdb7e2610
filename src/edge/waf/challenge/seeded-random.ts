//! Numbers that look random and are the same for the same seed: what a puzzle looks and sounds like. Not for secrets: the
//! answers are drawn by node:crypto.
import { createHash } from 'node:crypto'

/** sfc32, seeded by SHA-256. */
export class SeededRandom {
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(seed: string) {
    const bytes = createHash('sha256').update(seed).digest()
    this.#a = bytes.readInt32LE(0)
    this.#b = bytes.readInt32LE(4)
    this.#c = bytes.readInt32LE(8)
    this.#counter = bytes.readInt32LE(12)
    for (let at = 0; at < 12; at++) this.next()
  }

  /** From 0 to below 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
}
