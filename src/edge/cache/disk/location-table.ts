//! Where the objects of the disk tier lie: an open-addressing table in typed arrays from the hash of a key to a place in
//! a segment. 19 bytes a slot, no object on the heap; the key itself is compared when the record is read.

/** No slot. */
export const NONE = -1
/** The table grows when this share of it is taken. */
const LOAD_MAX = 0.7
const SLOTS_MIN = 1024
/** In `#segments`: segment number + 1; 0 for an empty slot. */
export const SEGMENTS_MAX = 65_534

/** Flags of a place. */
export const FLAG = {
  /** Read since it was written: it is kept on when its segment is used anew. */
  used: 1,
  /** Its meta was renewed by a later record. */
  renewed: 2,
} as const

/** Where a record lies; `unit` and `length` in units of record.ts. */
export interface Place {
  readonly segment: number
  readonly unit: number
  readonly length: number
}

export class LocationTable {
  #size: number
  #hashA: Uint32Array
  #hashB: Uint32Array
  #segments: Uint16Array
  #units: Uint32Array
  #lengths: Uint32Array
  #flags: Uint8Array
  count = 0

  constructor(size = SLOTS_MIN) {
    this.#size = size
    this.#hashA = new Uint32Array(size)
    this.#hashB = new Uint32Array(size)
    this.#segments = new Uint16Array(size)
    this.#units = new Uint32Array(size)
    this.#lengths = new Uint32Array(size)
    this.#flags = new Uint8Array(size)
  }

  get size(): number {
    return this.#size
  }

  /** The slot of this hash, or NONE. Valid until the table is changed. */
  find(a: number, b: number): number {
    const mask = this.#size - 1
    for (let at = a & mask; this.#segments[at] !== 0; at = (at + 1) & mask) {
      if (this.#hashB[at] === b && this.#hashA[at] === a) return at
    }
    return NONE
  }

  isTaken(slot: number): boolean {
    return this.#segments[slot] !== 0
  }

  segment(slot: number): number {
    return (this.#segments[slot] as number) - 1
  }

  /** Where the record begins, in units of record.ts. */
  unit(slot: number): number {
    return this.#units[slot] as number
  }

  /** Units that the record takes. */
  length(slot: number): number {
    return this.#lengths[slot] as number
  }

  flags(slot: number): number {
    return this.#flags[slot] as number
  }

  flag(slot: number, flag: number): void {
    this.#flags[slot] = (this.#flags[slot] as number) | flag
  }

  hashA(slot: number): number {
    return this.#hashA[slot] as number
  }

  hashB(slot: number): number {
    return this.#hashB[slot] as number
  }

  /** Puts a place in, over the old one of the same hash; its flags are cleared. */
  set(a: number, b: number, segment: number, unit: number, length: number): void {
    let at = this.find(a, b)
    if (at === NONE) {
      if (this.count + 1 > this.#size * LOAD_MAX) this.#grow(this.#size * 2)
      const mask = this.#size - 1
      at = a & mask
      while (this.#segments[at] !== 0) at = (at + 1) & mask
      this.count++
    }
    this.#hashA[at] = a
    this.#hashB[at] = b
    this.#segments[at] = segment + 1
    this.#units[at] = unit
    this.#lengths[at] = length
    this.#flags[at] = 0
  }

  /** Takes a slot out; the ones behind it move up, so that no look-up meets a gap. */
  remove(slot: number): void {
    const mask = this.#size - 1
    let gap = slot
    for (let at = (slot + 1) & mask; this.#segments[at] !== 0; at = (at + 1) & mask) {
      const home = (this.#hashA[at] as number) & mask
      // It may move into the gap when its home is not after the gap, going round.
      if (((at - home) & mask) >= ((at - gap) & mask)) {
        this.#move(at, gap)
        gap = at
      }
    }
    this.#segments[gap] = 0
    this.count--
  }

  /** Takes out all places in a segment; returns how many. */
  removeSegment(segment: number): number {
    let removed = 0
    for (let at = 0; at < this.#size; ) {
      if (this.#segments[at] === segment + 1) {
        this.remove(at)
        // Another one may have moved into this slot: it is looked at again.
        removed++
      } else at++
    }
    return removed
  }

  /** Slots of a segment, in the order of their places. */
  slotsOf(segment: number): number[] {
    const slots: number[] = []
    for (let at = 0; at < this.#size; at++) if (this.#segments[at] === segment + 1) slots.push(at)
    return slots.sort((x, y) => this.unit(x) - this.unit(y))
  }

  clear(): void {
    this.#segments.fill(0)
    this.count = 0
  }

  #move(from: number, to: number): void {
    this.#hashA[to] = this.#hashA[from] as number
    this.#hashB[to] = this.#hashB[from] as number
    this.#segments[to] = this.#segments[from] as number
    this.#units[to] = this.#units[from] as number
    this.#lengths[to] = this.#lengths[from] as number
    this.#flags[to] = this.#flags[from] as number
  }

  /** Makes room for so many objects at once. */
  reserve(objects: number): void {
    let size = this.#size
    while (objects > size * LOAD_MAX) size *= 2
    if (size > this.#size) this.#grow(size)
  }

  #grow(size: number): void {
    const grown = new LocationTable(size)
    for (let at = 0; at < this.#size; at++) {
      if (this.#segments[at] === 0) continue
      grown.set(this.hashA(at), this.hashB(at), this.segment(at), this.unit(at), this.length(at))
      grown.flag(grown.find(this.hashA(at), this.hashB(at)), this.flags(at))
    }
    this.#size = grown.#size
    this.#hashA = grown.#hashA
    this.#hashB = grown.#hashB
    this.#segments = grown.#segments
    this.#units = grown.#units
    this.#lengths = grown.#lengths
    this.#flags = grown.#flags
  }
}
