//! Requests of each key within a sliding window: a ring of slices for a key, in one array for all of them. Memory is
//! bounded: when there is no room for a new key, the coldest of some that are looked at leaves for it.

/** Slices that a window is made of; the one that is being filled comes on top. */
const SLICES = 30
const RING = SLICES + 1
/** Places that are looked at for one to give up. */
const LOOKED_AT = 8
const FIRST_PLACES = 64

/** What several tables share, so that many rules together stay within one limit. */
export interface KeyBudget {
  /** Keys that may still be added to any table. */
  left: number
}

/** A count of one slice: slices are numbered from the epoch, the same in all workers. */
export type SliceCount = readonly [slice: number, count: number]

export class SlidingCounts {
  /** Milliseconds of one slice. A request counts for at least the window and less than one slice longer. */
  readonly sliceMs: number
  readonly #budget: KeyBudget
  readonly #keysMax: number
  /** From 0 to below 1: which places are looked at. */
  readonly #random: () => number
  readonly #places = new Map<string, number>()
  /** By place; the keys stand without a gap. */
  readonly #keys: string[] = []
  #counts = new Uint32Array(FIRST_PLACES * RING)
  #sums = new Float64Array(FIRST_PLACES)
  /** Newest slice of each place. */
  #newest = new Float64Array(FIRST_PLACES)
  /** Keys that had to leave while they still counted. */
  dropped = 0

  constructor(windowMs: number, keysMax: number, budget: KeyBudget, random: () => number = Math.random) {
    this.sliceMs = windowMs / SLICES
    this.#keysMax = keysMax
    this.#budget = budget
    this.#random = random
  }

  get size(): number {
    return this.#keys.length
  }

  sliceAt(now: number): number {
    return Math.floor(now / this.sliceMs)
  }

  /** Counts `by` requests in a slice that may lie some slices back; returns the sum of the window that ends at `now`. */
  add(key: string, slice: number, by: number, now: number): number {
    const current = this.sliceAt(now)
    let place = this.#places.get(key)
    if (slice <= current - RING) return place === undefined ? 0 : this.#turned(place, current)
    if (place === undefined) place = this.#placeFor(key, current)
    this.#turned(place, Math.max(current, slice))
    const at = place * RING + (slice % RING)
    // Beyond 2^32 in one slice a limit of at most 2,000,000,000 has been reached long ago.
    const room = Math.min(by, 0xff_ff_ff_ff - (this.#counts[at] as number))
    this.#counts[at] = (this.#counts[at] as number) + room
    this.#sums[place] = (this.#sums[place] as number) + room
    return this.#sums[place] as number
  }

  /** Requests of the window that ends at `now`. */
  count(key: string, now: number): number {
    const place = this.#places.get(key)
    return place === undefined ? 0 : this.#turned(place, this.sliceAt(now))
  }

  /** What the window at `now` is made of, oldest first, without empty slices. */
  slicesOf(key: string, now: number): readonly SliceCount[] {
    const place = this.#places.get(key)
    if (place === undefined) return []
    const current = this.sliceAt(now)
    this.#turned(place, current)
    const newest = this.#newest[place] as number
    const found: SliceCount[] = []
    for (let slice = newest - RING + 1; slice <= newest; slice++) {
      const count = slice < 0 ? 0 : (this.#counts[place * RING + (slice % RING)] as number)
      if (count > 0) found.push([slice, count])
    }
    return found
  }

  keys(): Iterable<string> {
    return this.#keys
  }

  /** Lets go of all keys. */
  clear(): void {
    this.#budget.left += this.#keys.length
    this.#places.clear()
    this.#keys.length = 0
    this.#counts = new Uint32Array(FIRST_PLACES * RING)
    this.#sums = new Float64Array(FIRST_PLACES)
    this.#newest = new Float64Array(FIRST_PLACES)
  }

  /** Lets go of keys whose window is empty; of at most `lookedAt` that are looked at. */
  sweep(now: number, lookedAt: number): void {
    const current = this.sliceAt(now)
    for (let looked = 0; looked < lookedAt && this.#keys.length > 0; looked++) {
      const place = this.#somePlace()
      if (this.#turned(place, current) === 0) this.#remove(place)
    }
  }

  /** Empties the slices that have left the window by then; returns what is left. */
  #turned(place: number, slice: number): number {
    const newest = this.#newest[place] as number
    if (slice <= newest) return this.#sums[place] as number
    const base = place * RING
    const from = Math.max(newest + 1, slice - RING + 1)
    let sum = this.#sums[place] as number
    for (let empty = from; empty <= slice; empty++) {
      const at = base + (empty % RING)
      sum -= this.#counts[at] as number
      this.#counts[at] = 0
    }
    this.#sums[place] = sum
    this.#newest[place] = slice
    return sum
  }

  #placeFor(key: string, slice: number): number {
    if (this.#keys.length >= this.#keysMax || (this.#budget.left <= 0 && this.#keys.length > 0)) this.#makeRoom(slice)
    const place = this.#keys.length
    if (place === this.#sums.length) this.#grow()
    this.#keys.push(key)
    this.#places.set(key, place)
    this.#newest[place] = slice
    this.#budget.left--
    return place
  }

  /** The one with the fewest requests leaves: a flood of keys that come once does not wash out those that come often. */
  #makeRoom(slice: number): void {
    let coldest = this.#somePlace()
    let fewest = this.#turned(coldest, slice)
    for (let looked = 1; looked < LOOKED_AT && fewest > 0; looked++) {
      const place = this.#somePlace()
      const sum = this.#turned(place, slice)
      if (sum >= fewest) continue
      coldest = place
      fewest = sum
    }
    if (fewest > 0) this.dropped++
    this.#remove(coldest)
  }

  #somePlace(): number {
    return Math.floor(this.#random() * this.#keys.length)
  }

  /** The last place moves to where a gap would be. */
  #remove(place: number): void {
    const last = this.#keys.length - 1
    this.#places.delete(this.#keys[place] as string)
    if (place !== last) {
      const moved = this.#keys[last] as string
      this.#keys[place] = moved
      this.#places.set(moved, place)
      this.#counts.copyWithin(place * RING, last * RING, (last + 1) * RING)
      this.#sums[place] = this.#sums[last] as number
      this.#newest[place] = this.#newest[last] as number
    }
    this.#counts.fill(0, last * RING, (last + 1) * RING)
    this.#sums[last] = 0
    this.#keys.pop()
    this.#budget.left++
  }

  #grow(): void {
    const places = this.#sums.length * 2
    const counts = new Uint32Array(places * RING)
    counts.set(this.#counts)
    this.#counts = counts
    const sums = new Float64Array(places)
    sums.set(this.#sums)
    this.#sums = sums
    const newest = new Float64Array(places)
    newest.set(this.#newest)
    this.#newest = newest
  }
}

/**
 * When the window of these slices holds no more than `limit` requests, if none comes; `sliceMs` as of SlidingCounts.
 * Milliseconds since the epoch; 0 when it does not hold more now.
 */
export function underLimitAt(slices: readonly SliceCount[], limit: number, sliceMs: number): number {
  let sum = 0
  for (let at = slices.length - 1; at >= 0; at--) {
    const [slice, count] = slices[at] as SliceCount
    sum += count
    if (sum > limit) return (slice + RING) * sliceMs
  }
  return 0
}
