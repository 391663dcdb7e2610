//! The memory tier: an open-addressing table in typed arrays from a keyed hash to entries, whose bytes (key, head, body)
//! lie in slabs; S3-FIFO decides who leaves. Objects in use are kept unpacked in a small direct-mapped front, so that a
//! hit costs one hash, one comparison of strings and no unpacking.
import { S3Fifo } from './eviction.ts'
import { KeyHash } from './key-hash.ts'
import {
  hasKey,
  type ObjectMeta,
  pack,
  packedBytes,
  packFreshUntil,
  packTexts,
  StoredObject,
  unpack,
} from './object.ts'
import { PAGE_BYTES, SLOT_BYTES_MAX, Slabs } from './slabs.ts'
import type { ListedObject, Store } from './store.ts'

/** Bytes of the largest object that memory keeps, unless the whole memory is small. */
const OBJECT_BYTES_MAX = 16 * 1024 * 1024
/** No object may take more than this share of the memory. */
const OBJECT_SHARE_MAX = 1 / 8
/** Unpacked objects; a power of two. */
const FRONT_SIZE = 8_192
/** Objects given up in one go before a page is taken from another size class. */
const EVICTIONS_MAX = 64
/** The table grows when this share of it is taken. */
const LOAD_MAX = 0.6
const EMPTY = -1
/** In the table: the entry that stood here is gone, look on. */
const GONE = -2
/** In `#slots`: the object has a buffer of its own. */
const OWN_BUFFER = -1

const nothing = (): void => {}

export class MemoryStore implements Store {
  readonly objectBytesMax: number
  readonly #byteLimit: number
  readonly #slabs = new Slabs()
  readonly #eviction: S3Fifo
  readonly #hash = new KeyHash()
  readonly #front: (StoredObject | null)[] = new Array(FRONT_SIZE).fill(null)
  #table = new Int32Array(1024).fill(EMPTY)
  #tableUsed = 0
  #hashA = new Uint32Array(1024)
  #hashB = new Uint32Array(1024)
  #slots = new Float64Array(1024)
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
    this.#byteLimit = Math.max(byteLimit, 4 * PAGE_BYTES)
    this.objectBytesMax = Math.min(OBJECT_BYTES_MAX, Math.floor(this.#byteLimit * OBJECT_SHARE_MAX))
    this.#eviction = new S3Fifo(this.#byteLimit, this.#byteLimit / 4096)
  }

  /** Bytes taken from the system. */
  get bytes(): number {
    return this.#slabs.bytes + this.#bufferBytes
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
    this.#eviction.use(entry)
    const object = this.#unpack(entry)
    this.#front[at] = object
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
    const texts = packTexts(meta)
    const bytes = packedBytes(key, texts, bodyBytes)
    this.delete(key)
    if (bytes > this.objectBytesMax) return null
    const entry = this.#freeEntries.pop() ?? this.#entries++
    if (entry >= this.#sizes.length) this.#growEntries(entry)
    const packed = this.#room(bytes, entry)
    if (packed === null) {
      this.#freeEntries.push(entry)
      return null
    }
    let to = pack(packed, key, meta, texts)
    for (const piece of body) {
      packed.set(piece, to)
      to += piece.length
    }
    this.#hash.of(key)
    this.#sizes[entry] = bytes
    this.#insert(entry, this.#hash.a, this.#hash.b)
    this.#eviction.admit(entry, bytes, this.#hash.b)
    this.count++
    const object = this.#unpack(entry)
    this.#front[this.#hash.a & (FRONT_SIZE - 1)] = object
    return object
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
    // The packed form too, for when the unpacked one leaves the front.
    packFreshUntil(this.#packed(object.entry), freshUntil)
  }

  list(limit: number, wanted: (meta: ObjectMeta) => boolean): readonly ListedObject[] {
    const listed: ListedObject[] = []
    for (let at = 0; at < this.#table.length && listed.length < limit; at++) {
      const entry = this.#table[at] as number
      if (entry < 0) continue
      const { key, meta } = unpack(this.#packed(entry))
      if (wanted(meta)) listed.push({ key, meta, bytes: this.#sizes[entry] as number })
    }
    return listed
  }

  /**
   * Visits objects from entry `cursor` on, without counting as a use, until `enough` says so; returns the entry to go on
   * from, null at the end. An object that is there all the while is visited once.
   */
  scan(cursor: number, visit: (object: ListedObject) => void, enough: () => boolean): number | null {
    for (let entry = cursor; entry < this.#entries; entry++) {
      if (enough()) return entry
      if (this.#sizes[entry] === 0) continue
      const { key, meta } = unpack(this.#packed(entry))
      visit({ key, meta, bytes: this.#sizes[entry] as number })
    }
    return null
  }

  /** The object with this key, without counting as a use. */
  peek(key: string): (ListedObject & { readonly meta: StoredObject }) | null {
    this.#hash.of(key)
    const entry = this.#find(key)
    return entry < 0 ? null : { key, meta: this.#unpack(entry), bytes: this.#sizes[entry] as number }
  }

  /** Bytes that it may take from the system. */
  get bytesMax(): number {
    return this.#byteLimit
  }

  /** The entry with this key, whose hash is in `#hash`; negative when there is none. */
  #find(key: string): number {
    const { a, b } = this.#hash
    const mask = this.#table.length - 1
    for (let at = a & mask; ; at = (at + 1) & mask) {
      const entry = this.#table[at] as number
      if (entry === EMPTY) return EMPTY
      if (entry >= 0 && this.#hashB[entry] === b && this.#hashA[entry] === a && hasKey(this.#packed(entry), key)) {
        return entry
      }
    }
  }

  #insert(entry: number, a: number, b: number): void {
    this.#hashA[entry] = a
    this.#hashB[entry] = b
    if (this.#tableUsed + 1 > this.#table.length * LOAD_MAX) this.#rehash()
    const mask = this.#table.length - 1
    let at = a & mask
    while ((this.#table[at] as number) >= 0) at = (at + 1) & mask
    if (this.#table[at] === EMPTY) this.#tableUsed++
    this.#table[at] = entry
  }

  #packed(entry: number): Buffer {
    const slot = this.#slots[entry] as number
    if (slot === OWN_BUFFER) return this.#buffers.get(entry) as Buffer
    return this.#slabs.view(slot, 0, this.#sizes[entry] as number)
  }

  #unpack(entry: number): StoredObject {
    const packed = this.#packed(entry)
    const { key, meta, bodyFrom } = unpack(packed)
    const slot = this.#slots[entry] as number
    const slabs = this.#slabs
    // A buffer of its own lives as long as somebody refers to it.
    const hold = slot === OWN_BUFFER ? nothing : () => slabs.pin(slot)
    const release = slot === OWN_BUFFER ? nothing : () => slabs.unpin(slot)
    return new StoredObject(key, entry, meta, packed.subarray(bodyFrom), hold, release)
  }

  /** Memory for `bytes`, giving up other objects for it; null when even that does not help. */
  #room(bytes: number, entry: number): Buffer | null {
    if (bytes > SLOT_BYTES_MAX) {
      while (this.bytes + bytes > this.#byteLimit) if (!this.#evictOne()) return null
      const buffer = Buffer.allocUnsafeSlow(bytes)
      this.#buffers.set(entry, buffer)
      this.#bufferBytes += bytes
      this.#slots[entry] = OWN_BUFFER
      return buffer
    }
    for (let evicted = 0; evicted <= EVICTIONS_MAX; evicted++) {
      const slot = this.#slabs.allocate(bytes, entry)
      if (slot >= 0) {
        this.#slots[entry] = slot
        return this.#slabs.view(slot, 0, bytes)
      }
      if (this.bytes + PAGE_BYTES <= this.#byteLimit) this.#slabs.addPage()
      else if (evicted === EVICTIONS_MAX - 1) this.#takePage(bytes)
      else if (!this.#evictOne()) return null
    }
    return null
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
    let at = a & mask
    while (this.#table[at] !== entry) at = (at + 1) & mask
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
    const size = this.count + 1 > old.length * (LOAD_MAX / 2) ? old.length * 2 : old.length
    const table = new Int32Array(size).fill(EMPTY)
    const mask = size - 1
    for (const entry of old) {
      if (entry < 0) continue
      let at = (this.#hashA[entry] as number) & mask
      while (table[at] !== EMPTY) at = (at + 1) & mask
      table[at] = entry
    }
    this.#table = table
    this.#tableUsed = this.count
  }

  #growEntries(entry: number): void {
    const size = Math.max(entry + 1, this.#sizes.length * 2)
    const grown = <T extends Uint32Array | Float64Array>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.#hashA = grown(new Uint32Array(size), this.#hashA)
    this.#hashB = grown(new Uint32Array(size), this.#hashB)
    this.#slots = grown(new Float64Array(size), this.#slots)
    this.#sizes = grown(new Uint32Array(size), this.#sizes)
  }
}
