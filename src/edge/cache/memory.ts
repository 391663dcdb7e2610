//! The memory tier: an open-addressing table in typed arrays from a keyed hash to entries, whose bytes (key, head, body)
//! lie in slabs; S3-FIFO decides who leaves. Objects in use are kept unpacked in a small direct-mapped front, so that a
//! hit costs one hash, one comparison of strings and no unpacking.
import { S3Fifo } from './eviction.ts'
import { KeyHash } from './key-hash.ts'
import { type ObjectMeta, StoredObject } from './object.ts'
import { hasKey, pack, readKey, unpack, write, writeFreshUntil } from './packed.ts'
import { PAGE_BYTES, SLOT_BYTES_MAX, Slabs } from './slabs.ts'
import type { ListedObject, Store } from './store.ts'

/** Bytes of the largest object that memory keeps, unless the whole memory is small. */
const OBJECT_BYTES_MAX = 16 * 1024 * 1024
/** No object may take more than this share of the memory. */
const OBJECT_SHARE_MAX = 1 / 8
/** Unpacked objects; a power of two. */
const FRONT_SIZE = 8_192
/** Objects that are unpacked before one gets a place among them; a power of two. */
const UNPACKED_PER_PLACE = 8
/** Objects given up in one go before a page is taken from another size class. */
const EVICTIONS_MAX = 64
/** The table grows when this share of it is taken. */
const LOAD_MAX = 0.6
const EMPTY = -1
/** In the table: the entry that stood here is gone, look on. */
const GONE = -2
/** In `#slots`: the object has a buffer of its own. */
const OWN_BUFFER = 2 ** 32 - 1
/** Bytes of memory for each departed object that eviction remembers. */
const BYTES_PER_GHOST = 2_048

/** Bytes of the smallest memory. */
const BYTES_MIN = 4 * 1024 * 1024

const nothing = (): void => {}

export class MemoryStore implements Store {
  readonly objectBytesMax: number
  readonly #byteLimit: number
  readonly #slabs = new Slabs()
  readonly #eviction: S3Fifo
  readonly #hash = new KeyHash()
  readonly #front: (StoredObject | null)[] = new Array(FRONT_SIZE).fill(null)
  /** Pairs: an entry, and 32 bits of its key's hash, so that a look takes one line of the processor's cache. */
  #table = new Int32Array(2_048).fill(EMPTY)
  #tableUsed = 0
  #unpacked = 0
  /** The other 32 bits, by entry: they say where in the table to begin. */
  #hashA = new Uint32Array(1024)
  #slots = new Uint32Array(1024)
  #sizes = new Uint32Array(1024)
  readonly #buffers = new Map<number, Buffer>()
  #bufferBytes = 0
  readonly #freeEntries: number[] = []
  #entries = 0
  count = 0
  /** Objects given up for space so far. */
  evicted = 0

  /** @param byteLimit bytes of all pages and buffers together; at least 4 MiB. */
  constructor(byteLimit: number) {
    this.#byteLimit = Math.max(byteLimit, BYTES_MIN)
    this.objectBytesMax = Math.min(OBJECT_BYTES_MAX, Math.floor(this.#byteLimit * OBJECT_SHARE_MAX))
    this.#eviction = new S3Fifo(this.#byteLimit, this.#byteLimit / BYTES_PER_GHOST)
  }

  /** Bytes taken from the system. */
  get bytes(): number {
    return this.#slabs.bytes + this.#bufferBytes
  }

  /** Objects, there or gone already, whose memory is held; of those in slots, for the others hold themselves. */
  get held(): number {
    return this.#slabs.pinned
  }

  get(key: string): StoredObject | null {
    const hash = this.#hash
    hash.of(key)
    const at = hash.a & (FRONT_SIZE - 1)
    const ready = this.#front[at] as StoredObject | null
    if (ready !== null && ready.key === key) {
      this.#eviction.use(ready.entry)
      return ready
    }
    const entry = this.#find(key)
    if (entry < 0) return null
    const object = this.#unpack(entry, key)
    // What is asked for once is not worth a place, and when many are asked for in turn, each that takes another's place
    // is work for the garbage collector: what is popular gets in at one of its next uses.
    if (this.#eviction.use(entry) > 1 && (this.#unpacked++ & (UNPACKED_PER_PLACE - 1)) === 0) this.#front[at] = object
    return object
  }

  /** True when there is an object with this key; counts as no use. */
  has(key: string): boolean {
    this.#hash.of(key)
    return this.#find(key) >= 0
  }

  put(key: string, meta: ObjectMeta, body: readonly Uint8Array[]): StoredObject | null {
    let bodyBytes = 0
    for (const piece of body) bodyBytes += piece.length
    const bytes = pack(key, meta) + bodyBytes
    this.delete(key)
    if (bytes > this.objectBytesMax) return null
    const entry = this.#freeEntries.pop() ?? this.#entries++
    if (entry >= this.#sizes.length) this.#growEntries(entry)
    if (!this.#room(bytes, entry)) {
      this.#freeEntries.push(entry)
      return null
    }
    const buffer = this.#bufferOf(entry)
    const bodyFrom = write(buffer, this.#offsetOf(entry), key, meta, bodyBytes)
    let to = bodyFrom
    for (const piece of body) {
      buffer.set(piece, to)
      to += piece.length
    }
    this.#hash.of(key)
    this.#sizes[entry] = bytes
    this.#insert(entry, this.#hash.a, this.#hash.b)
    this.#eviction.admit(entry, bytes, this.#hash.b)
    this.count++
    return this.#object(entry, key, meta, buffer.subarray(bodyFrom, to))
  }

  delete(key: string): void {
    this.#hash.of(key)
    const entry = this.#find(key)
    if (entry < 0) return
    this.#eviction.remove(entry)
    this.#forget(entry)
  }

  clear(): void {
    while (this.#evictOne());
  }

  keepUntil(object: StoredObject, freshUntil: number): void {
    object.freshUntil = freshUntil
    this.#hash.of(object.key)
    const entry = this.#find(object.key)
    // It may have left meanwhile, and another lie in its place.
    if (entry < 0 || entry !== object.entry) return
    const ready = this.#front[this.#hash.a & (FRONT_SIZE - 1)] as StoredObject | null
    if (ready?.entry === entry) ready.freshUntil = freshUntil
    // The packed form too, for when the unpacked one leaves the front.
    writeFreshUntil(this.#bufferOf(entry), this.#offsetOf(entry), freshUntil)
  }

  /**
   * Visits objects from entry `cursor` on, without counting as a use, until `enough` says so; returns the entry to go on
   * from, null at the end. An object that is there all the while is visited once.
   */
  scan(cursor: number, visit: (object: ListedObject) => void, enough: () => boolean): number | null {
    for (let entry = cursor; entry < this.#entries; entry++) {
      if (enough()) return entry
      if (this.#sizes[entry] === 0) continue
      visit(this.#listed(entry))
    }
    return null
  }

  /** The object with this key, without counting as a use. */
  peek(key: string): (ListedObject & { readonly meta: StoredObject }) | null {
    this.#hash.of(key)
    const entry = this.#find(key)
    return entry < 0 ? null : { key, meta: this.#unpack(entry, key), bytes: this.#sizes[entry] as number }
  }

  /** Bytes that it may take from the system. */
  get bytesMax(): number {
    return this.#byteLimit
  }

  /** The entry with this key, whose hash is in `#hash`; negative when there is none. */
  #find(key: string): number {
    const { a, b } = this.#hash
    const table = this.#table
    const mask = table.length - 1
    const tag = b | 0
    for (let at = (a << 1) & mask; ; at = (at + 2) & mask) {
      const entry = table[at] as number
      if (entry === EMPTY) return EMPTY
      if (table[at + 1] !== tag || entry < 0) continue
      if (hasKey(this.#bufferOf(entry), this.#offsetOf(entry), key)) return entry
    }
  }

  #insert(entry: number, a: number, b: number): void {
    this.#hashA[entry] = a
    if ((this.#tableUsed + 1) * 2 > this.#table.length * LOAD_MAX) this.#rehash()
    const table = this.#table
    const mask = table.length - 1
    let at = (a << 1) & mask
    while ((table[at] as number) >= 0) at = (at + 2) & mask
    if (table[at] === EMPTY) this.#tableUsed++
    table[at] = entry
    table[at + 1] = b
  }

  #bufferOf(entry: number): Buffer {
    const slot = this.#slots[entry] as number
    return slot === OWN_BUFFER ? (this.#buffers.get(entry) as Buffer) : this.#slabs.bufferOf(slot)
  }

  #offsetOf(entry: number): number {
    const slot = this.#slots[entry] as number
    return slot === OWN_BUFFER ? 0 : this.#slabs.offsetOf(slot)
  }

  #unpack(entry: number, key: string): StoredObject {
    const buffer = this.#bufferOf(entry)
    const { meta, bodyFrom, bodyTo } = unpack(buffer, this.#offsetOf(entry), key)
    return this.#object(entry, key, meta, buffer.subarray(bodyFrom, bodyTo))
  }

  #object(entry: number, key: string, meta: ObjectMeta, body: Buffer): StoredObject {
    const slot = this.#slots[entry] as number
    const slabs = this.#slabs
    // A buffer of its own lives as long as somebody refers to it.
    const hold = slot === OWN_BUFFER ? nothing : () => slabs.pin(slot)
    const release = slot === OWN_BUFFER ? nothing : () => slabs.unpin(slot)
    return new StoredObject(key, entry, meta, body, hold, release)
  }

  #listed(entry: number): ListedObject {
    const buffer = this.#bufferOf(entry)
    const key = readKey(buffer, this.#offsetOf(entry))
    const { meta } = unpack(buffer, this.#offsetOf(entry), key)
    return { key, meta, bytes: this.#sizes[entry] as number }
  }

  /** Finds memory of `bytes` for the entry, giving up others for it; false when even that does not help. */
  #room(bytes: number, entry: number): boolean {
    if (bytes > SLOT_BYTES_MAX) {
      while (this.bytes + bytes > this.#byteLimit) if (!this.#evictOne()) return false
      this.#buffers.set(entry, Buffer.allocUnsafeSlow(bytes))
      this.#bufferBytes += bytes
      this.#slots[entry] = OWN_BUFFER
      return true
    }
    for (let evicted = 0; evicted <= EVICTIONS_MAX; evicted++) {
      const slot = this.#slabs.allocate(bytes, entry)
      if (slot >= 0) {
        this.#slots[entry] = slot
        return true
      }
      if (this.bytes + PAGE_BYTES <= this.#byteLimit) this.#slabs.addPage()
      else if (evicted === EVICTIONS_MAX - 1) this.#takePage(bytes)
      else if (!this.#evictOne()) return false
    }
    return false
  }

  #evictOne(): boolean {
    const entry = this.#eviction.evict()
    if (entry < 0) return false
    this.evicted++
    this.#forget(entry)
    return true
  }

  /** The size classes got out of step with the traffic: a page of another class is emptied. */
  #takePage(bytes: number): void {
    for (const entry of this.#slabs.victims(bytes)) {
      this.evicted++
      this.#eviction.remove(entry)
      this.#forget(entry)
    }
  }

  /** Takes an entry that is out of the eviction queues out of everything else. */
  #forget(entry: number): void {
    const a = this.#hashA[entry] as number
    const mask = this.#table.length - 1
    let at = (a << 1) & mask
    while (this.#table[at] !== entry) at = (at + 2) & mask
    this.#table[at] = GONE
    const front = a & (FRONT_SIZE - 1)
    if (this.#front[front]?.entry === entry) this.#front[front] = null
    const slot = this.#slots[entry] as number
    if (slot === OWN_BUFFER) {
      this.#bufferBytes -= this.#sizes[entry] as number
      this.#buffers.delete(entry)
    } else {
      this.#slabs.free(slot)
    }
    // Nobody lies there: told by `scan`.
    this.#sizes[entry] = 0
    this.#freeEntries.push(entry)
    this.count--
  }

  /** Grows the table when it is really full, otherwise only sweeps out what is gone. */
  #rehash(): void {
    const old = this.#table
    const size = (this.count + 1) * 2 > old.length * (LOAD_MAX / 2) ? old.length * 2 : old.length
    const table = new Int32Array(size).fill(EMPTY)
    const mask = size - 1
    for (let from = 0; from < old.length; from += 2) {
      const entry = old[from] as number
      if (entry < 0) continue
      let at = ((this.#hashA[entry] as number) << 1) & mask
      while (table[at] !== EMPTY) at = (at + 2) & mask
      table[at] = entry
      table[at + 1] = old[from + 1] as number
    }
    this.#table = table
    this.#tableUsed = this.count
  }

  #growEntries(entry: number): void {
    const size = Math.max(entry + 1, this.#sizes.length * 2)
    const grown = (from: Uint32Array): Uint32Array<ArrayBuffer> => {
      const to = new Uint32Array(size)
      to.set(from)
      return to
    }
    this.#hashA = grown(this.#hashA)
    this.#slots = grown(this.#slots)
    this.#sizes = grown(this.#sizes)
  }
}
