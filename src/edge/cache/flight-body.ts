//! The bytes of one fetch under way, and how far each of its readers is. Kept bytes wait for the cache and for readers
//! that come later; unkept ones go when the slowest reader has passed, and the origin pauses for the fastest. What is
//! held is bounded for all fetches together, and nobody waits for a reader that lags behind.

/** Bytes that an unkept body may be ahead of its fastest reader before the origin is asked to pause. */
const AHEAD_BYTES_MAX = 1024 * 1024
/** Bytes that a reader of an unkept body may be behind the fastest one before it is cut off. */
const BEHIND_BYTES_MAX = 16 * 1024 * 1024
/**
 * Bytes that all bodies may hold together, besides AHEAD_BYTES_MAX of each unkept one; beyond it answers stream through
 * without being kept.
 */
export const HELD_BYTES_MAX = 256 * 1024 * 1024
/**
 * Of these, bytes above which a body that is complete and stored holds none for readers that are behind: they read on
 * from the store.
 */
const LINGERING_BYTES_MAX = HELD_BYTES_MAX / 4

export interface FlightReader {
  /** Number of the next chunk that it wants. */
  readonly at: number
  /** There is more to read, or the end has come. Called synchronously as bytes arrive. */
  wake(): void
  /** It lags so far behind that it cannot have the rest. */
  cut?(): void
}

/** Copies bytes of the stored object; null when it is not in the store any more. */
export type Lender = (from: number, to: number) => Uint8Array | null

/** What all bodies of this process hold. */
let heldBytes = 0

/** Bytes that all bodies under way, or held for readers that are behind, take now. */
export const bytesHeld = (): number => heldBytes

export class FlightBody {
  /** Bytes that have come so far. */
  bytes = 0
  /** Chunks that have come so far. */
  count = 0
  /** Called when the source is to pause, and when it may go on. */
  readonly #pace: (pause: boolean) => void
  #keep = true
  #over = false
  #chunks: Uint8Array[] = []
  /** Number of the first chunk that is still here. */
  #first = 0
  /** Where each chunk ends in the body; only of a kept one. */
  #ends: number[] = []
  #lender: Lender | null = null
  readonly #readers = new Set<FlightReader>()
  /** This body's part of `heldBytes`. */
  #held = 0
  #paused = false

  constructor(pace: (pause: boolean) => void) {
    this.#pace = pace
  }

  /** True while a new reader can still have every byte. */
  get keeps(): boolean {
    return this.#keep
  }

  /** The source is to wait, or was when the end came. */
  get isPaused(): boolean {
    return this.#paused
  }

  /** All of it; only of a body that is kept. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  /** Takes a chunk; false when all bodies together hold too much for this one to be kept. */
  push(chunk: Uint8Array): boolean {
    this.bytes += chunk.length
    this.count++
    this.#chunks.push(chunk)
    if (!this.#keep) return true
    this.#ends.push(this.bytes)
    this.#hold(this.bytes)
    return heldBytes <= HELD_BYTES_MAX
  }

  /** Chunk number `at` from the beginning, or undefined when it is not here yet, or no longer. */
  chunk(at: number): Uint8Array | undefined {
    const chunk = this.#chunks[at - this.#first]
    if (chunk !== undefined || this.#lender === null || at >= this.count) return chunk
    return this.#lender(this.#ends[at - 1] ?? 0, this.#ends[at] as number) ?? undefined
  }

  read(reader: FlightReader): void {
    this.#readers.add(reader)
  }

  stopReading(reader: FlightReader): void {
    this.#readers.delete(reader)
    if (!this.#keep) this.trim()
  }

  wakeAll(): void {
    for (const reader of this.#readers) reader.wake()
  }

  stopKeeping(): void {
    this.#keep = false
    this.trim()
  }

  /** No more will come. With a lender what readers have not had may be had from the store. */
  end(lender: Lender | null): void {
    this.#over = true
    this.#lender = lender
  }

  /**
   * Lets go what need not be held after the end; `interested` requests count on the fetch. When each of them reads
   * already, those that are left are behind: all others have had everything.
   */
  settle(interested: number): void {
    if (!this.#over) return
    const lends = this.#lender !== null && interested <= this.#readers.size && heldBytes > LINGERING_BYTES_MAX
    if (interested > 0 && !lends) return
    this.#first = this.count
    this.#chunks = []
    this.#hold(0)
  }

  /** Of an unkept body: lets go what all have passed, cuts off who lags behind, and keeps the origin at their pace. */
  trim(): void {
    if (this.#keep) return
    let [slowest, fastest] = [this.count, this.#first]
    for (const { at } of this.#readers) {
      slowest = Math.min(slowest, at)
      fastest = Math.max(fastest, at)
    }
    // Without a reader yet (the head is only being decided on) nothing may go.
    if (this.#readers.size > 0 && slowest > this.#first) {
      this.#chunks.splice(0, slowest - this.#first)
      this.#first = slowest
    }
    let [behind, ahead] = [0, 0]
    for (let at = 0; at < this.#chunks.length; at++) {
      const { length } = this.#chunks[at] as Uint8Array
      if (at + this.#first < fastest) behind += length
      else ahead += length
    }
    // One that was to be kept and grew too large may be further ahead than it would have got otherwise.
    this.#hold(behind + Math.max(0, ahead - AHEAD_BYTES_MAX))
    if (behind > (heldBytes > HELD_BYTES_MAX ? AHEAD_BYTES_MAX : BEHIND_BYTES_MAX)) this.#cutSlowest(slowest)
    else if (!this.#over) this.#keepPace(ahead)
  }

  #keepPace(ahead: number): void {
    if (ahead > AHEAD_BYTES_MAX && !this.#paused) this.#setPaused(true)
    else if (ahead <= AHEAD_BYTES_MAX / 2 && this.#paused) this.#setPaused(false)
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused
    this.#pace(paused)
  }

  /** Ends with another trim, of what is left: a reader that is cut off stops reading. */
  #cutSlowest(at: number): void {
    const behind = [...this.#readers].filter((reader) => reader.at === at && reader.cut !== undefined)
    for (const reader of behind) reader.cut?.()
  }

  #hold(bytes: number): void {
    heldBytes += bytes - this.#held
    this.#held = bytes
  }
}
