//! How much work puzzles may make: pictures and sounds of a worker in a second, and answers of an address in a minute.
import { addressBytes } from '../../../lib/ip.ts'

/** Pictures and sounds that are made at once, and for each second: about 3 ms of processor each. */
export const DRAWN_AT_ONCE = 60
const DRAWN_PER_SECOND = 30
/** Answers of one address (a /64 of IPv6) in a minute. */
export const ANSWERS_MAX = 12
const ANSWERS_MS = 60_000
/** Addresses that are remembered; beyond, the one that was entered first is forgotten. */
const ADDRESSES_MAX = 20_000

export class PuzzleLimits {
  /** Milliseconds that only go forward. */
  readonly #monotonic: () => number
  readonly #answers = new Map<string, { readonly since: number; count: number }>()
  #left = DRAWN_AT_ONCE
  #filledAt = 0

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /** True when one more may be drawn. */
  mayDraw(): boolean {
    const now = this.#monotonic()
    this.#left = Math.min(DRAWN_AT_ONCE, this.#left + ((now - this.#filledAt) / 1000) * DRAWN_PER_SECOND)
    this.#filledAt = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  /** True when the address may answer once more. */
  mayAnswer(address: string): boolean {
    const now = this.#monotonic()
    const key = networkOf(address)
    const known = this.#answers.get(key)
    if (known !== undefined && now - known.since < ANSWERS_MS) return ++known.count <= ANSWERS_MAX
    this.#answers.delete(key)
    if (this.#answers.size >= ADDRESSES_MAX)
      for (const first of this.#answers.keys()) if (this.#answers.delete(first)) break
    this.#answers.set(key, { since: now, count: 1 })
    return true
  }
}

/** Whoever has one address of a /64 has all of them. */
function networkOf(address: string): string {
  const bytes = addressBytes(address)
  return bytes === null || bytes.length === 4 ? address : Buffer.from(bytes.subarray(0, 8)).toString('hex')
}
