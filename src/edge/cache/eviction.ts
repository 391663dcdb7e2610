//! S3-FIFO: which object leaves when the memory is full. New objects go into a small queue; those that are used again
//! move to the main one, the others leave early, so that a crawler's scan cannot push out what is popular. Objects that
//! left the small queue are remembered for a while: one that comes back goes straight to the main queue.
//! (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.) It knows entries by number, no storage.

/** Share of the bytes that new objects may take. */
const SMALL_SHARE = 0.1
/** An entry's uses are counted up to this. */
const USES_MAX = 3
const NONE = -1

/** A doubly linked queue of entries in typed arrays. */
interface Queue {
  head: number
  tail: number
  bytes: number
}

export class S3Fifo {
  readonly #smallBytes: number
  readonly #small: Queue = { head: NONE, tail: NONE, bytes: 0 }
  readonly #main: Queue = { head: NONE, tail: NONE, bytes: 0 }
  #next = new Int32Array(1024)
  #previous = new Int32Array(1024)
  #bytes = new Uint32Array(1024)
  #fingerprint = new Uint32Array(1024)
  #uses = new Uint8Array(1024)
  /** 0 absent, 1 small, 2 main. */
  #where = new Uint8Array(1024)
  /** Ghosts: the fingerprint of a key that left the small queue, and when. Direct-mapped: a newer one overwrites. */
  readonly #ghosts: Uint32Array
  /** Departures up to then, modulo 2^32. */
  readonly #ghostSince: Uint32Array
  /** Begins far from the zeros of a new table. */
  #departures = 2 ** 31
  #mainCount = 0

  /** @param ghosts how many departed keys to remember at most; rounded up to a power of two. */
  constructor(byteLimit: number, ghosts: number) {
    this.#smallBytes = byteLimit * SMALL_SHARE
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, ghosts)))
    this.#ghosts = new Uint32Array(size)
    this.#ghostSince = new Uint32Array(size)
  }

  /** A new entry. `fingerprint` is 32 bits of its key's hash. */
  admit(entry: number, bytes: number, fingerprint: number): void {
    if (entry >= this.#next.length) this.#grow(entry)
    this.#bytes[entry] = bytes
    this.#fingerprint[entry] = fingerprint
    this.#uses[entry] = 0
    if (this.#wasHere(fingerprint)) this.#push(this.#main, 2, entry)
    else this.#push(this.#small, 1, entry)
  }

  /** The entry was asked for; returns how often since it was admitted or kept, as far as that is counted. */
  use(entry: number): number {
    const uses = this.#uses[entry] as number
    if (uses === USES_MAX) return uses
    this.#uses[entry] = uses + 1
    return uses + 1
  }

  /** The entry is gone for another reason (replaced, invalidated). */
  remove(entry: number): void {
    const where = this.#where[entry]
    if (where === 1) this.#unlink(this.#small, entry)
    else if (where === 2) this.#unlink(this.#main, entry)
  }

  /** Takes the next entry to give up out of the queues; -1 when there is none. */
  evict(): number {
    for (;;) {
      const fromSmall = this.#small.head !== NONE && (this.#small.bytes > this.#smallBytes || this.#main.head === NONE)
      const entry = fromSmall ? this.#small.head : this.#main.head
      if (entry === NONE) return NONE
      if (fromSmall) {
        this.#unlink(this.#small, entry)
        if ((this.#uses[entry] as number) > 0) {
          this.#uses[entry] = 0
          this.#push(this.#main, 2, entry)
          continue
        }
        this.#remember(this.#fingerprint[entry] as number)
        return entry
      }
      this.#unlink(this.#main, entry)
      const uses = this.#uses[entry] as number
      if (uses === 0) return entry
      this.#uses[entry] = uses - 1
      this.#push(this.#main, 2, entry)
    }
  }

  #push(queue: Queue, where: 1 | 2, entry: number): void {
    this.#where[entry] = where
    this.#next[entry] = NONE
    this.#previous[entry] = queue.tail
    if (queue.tail === NONE) queue.head = entry
    else this.#next[queue.tail] = entry
    queue.tail = entry
    queue.bytes += this.#bytes[entry] as number
    if (where === 2) this.#mainCount++
  }

  #unlink(queue: Queue, entry: number): void {
    const next = this.#next[entry] as number
    const previous = this.#previous[entry] as number
    if (previous === NONE) queue.head = next
    else this.#next[previous] = next
    if (next === NONE) queue.tail = previous
    else this.#previous[next] = previous
    queue.bytes -= this.#bytes[entry] as number
    if (this.#where[entry] === 2) this.#mainCount--
    this.#where[entry] = 0
  }

  #remember(fingerprint: number): void {
    const at = fingerprint & (this.#ghosts.length - 1)
    this.#ghosts[at] = fingerprint
    this.#ghostSince[at] = this.#departures
    this.#departures = (this.#departures + 1) >>> 0
  }

  /** A key counts as known while fewer keys have left since than the main queue holds (at least the table's eighth). */
  #wasHere(fingerprint: number): boolean {
    const at = fingerprint & (this.#ghosts.length - 1)
    if (this.#ghosts[at] !== fingerprint) return false
    const horizon = Math.max(this.#mainCount, this.#ghosts.length / 8)
    const age = (this.#departures - (this.#ghostSince[at] as number)) >>> 0
    this.#ghostSince[at] = (this.#departures - 2 ** 31) >>> 0
    return age <= horizon
  }

  #grow(entry: number): void {
    const size = Math.max(entry + 1, this.#next.length * 2)
    const copy = <T extends Int32Array | Uint32Array | Uint8Array>(to: T, from: T): T => {
      to.set(from as never)
      return to
    }
    this.#next = copy(new Int32Array(size), this.#next)
    this.#previous = copy(new Int32Array(size), this.#previous)
    this.#bytes = copy(new Uint32Array(size), this.#bytes)
    this.#fingerprint = copy(new Uint32Array(size), this.#fingerprint)
    this.#uses = copy(new Uint8Array(size), this.#uses)
    this.#where = copy(new Uint8Array(size), this.#where)
  }
}
