//! Members of an IP set as sorted ranges in typed arrays: one binary search, whatever their number.
import { addressBytes } from '../../lib/ip.ts'

const V4_WORDS = 1
const V6_WORDS = 4

export class AddressRanges {
  readonly #v4: Ranges
  readonly #v6: Ranges

  /** @throws RangeError for what is no CIDR */
  constructor(cidrs: readonly string[]) {
    const ranges = cidrs.map(rangeOf)
    this.#v4 = new Ranges(
      ranges.filter(({ first }) => first.length === V4_WORDS),
      V4_WORDS,
    )
    this.#v6 = new Ranges(
      ranges.filter(({ first }) => first.length === V6_WORDS),
      V6_WORDS,
    )
  }

  has(address: Uint32Array): boolean {
    return (address.length === V4_WORDS ? this.#v4 : this.#v6).has(address)
  }
}

/** Addresses that are remembered with their words; the oldest are forgotten first. */
const REMEMBERED_MAX = 4_096
const remembered = new Map<string, Uint32Array | null>()

/** One word of an IPv4 address, four of an IPv6 address; a mapped IPv4 address has one; null for what is no address. */
export function addressWords(text: string): Uint32Array | null {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const bytes = addressBytes(text)
  const words = bytes === null ? null : wordsOf(bytes)
  if (remembered.size >= REMEMBERED_MAX) remembered.delete(remembered.keys().next().value as string)
  // Of a header's value it may be a slice, which would keep the whole block.
  remembered.set(Buffer.from(text, 'latin1').toString('latin1'), words)
  return words
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(at * 4))
}

interface Range {
  readonly first: Uint32Array
  readonly last: Uint32Array
}

function rangeOf(cidr: string): Range {
  const [text = '', length] = cidr.split('/')
  const bytes = addressBytes(text)
  // Of a mapped IPv4 address the bits are counted from the beginning of the IPv6 address.
  const skipped = bytes?.length === 4 && text.includes(':') ? 96 : 0
  const bits = length === undefined ? (bytes?.length ?? 0) * 8 : Number(length) - skipped
  if (bytes === null || !Number.isInteger(bits) || bits < 0 || bits > bytes.length * 8) {
    throw new RangeError(`${cidr} is no range of addresses`)
  }
  const first = wordsOf(bytes)
  const last = wordsOf(bytes)
  for (let word = 0; word < first.length; word++) {
    const inWord = Math.min(32, Math.max(0, bits - word * 32))
    const free = inWord === 32 ? 0 : 0xffffffff >>> inWord
    first[word] = (first[word] as number) & ~free
    last[word] = (last[word] as number) | free
  }
  return { first, last }
}

/** Ranges of addresses of so many words, in order and without overlaps. */
class Ranges {
  readonly #words: number
  readonly #firsts: Uint32Array
  readonly #lasts: Uint32Array

  constructor(ranges: readonly Range[], words: number) {
    const merged: Range[] = []
    for (const range of [...ranges].sort((one, other) => compare(one.first, 0, other.first, words))) {
      const before = merged.at(-1)
      if (before !== undefined && compare(range.first, 0, before.last, words) <= 0) {
        // One within the other, or the same: ranges of CIDRs do not overlap otherwise.
        if (compare(range.last, 0, before.last, words) > 0) before.last.set(range.last)
        continue
      }
      merged.push(range)
    }
    this.#words = words
    this.#firsts = new Uint32Array(merged.length * words)
    this.#lasts = new Uint32Array(merged.length * words)
    for (const [at, { first, last }] of merged.entries()) {
      this.#firsts.set(first, at * words)
      this.#lasts.set(last, at * words)
    }
  }

  has(address: Uint32Array): boolean {
    let low = 0
    let high = this.#firsts.length / this.#words
    // The last range that does not begin behind the address.
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(this.#firsts, middle * this.#words, address, this.#words) <= 0) low = middle + 1
      else high = middle
    }
    return low > 0 && compare(this.#lasts, (low - 1) * this.#words, address, this.#words) >= 0
  }
}

function compare(many: Uint32Array, at: number, one: Uint32Array, words: number): number {
  for (let word = 0; word < words; word++) {
    const a = many[at + word] as number
    const b = one[word] as number
    if (a !== b) return a < b ? -1 : 1
  }
  return 0
}
