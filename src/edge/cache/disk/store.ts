//! The objects of one worker on disk: looked up by the hash of their key in memory, read and verified from a segment,
//! written behind. It decides nothing about freshness or invalidations (tier.ts does).
import { crc32 } from 'node:zlib'
import { COUNTER, type Counters } from '../../../observe/counters.ts'
import type { ObjectMeta } from '../object.ts'
import { keepFromSegment } from './emptying.ts'
import { digestOf } from './key-digest.ts'
import { FLAG, LocationTable, NONE, type Place } from './location-table.ts'
import {
  HEADER_BYTES,
  isWhole,
  isWholeInTurns,
  kindNumber,
  makeRecord,
  type RecordHeader,
  type RecordKind,
  readContent,
  readHeader,
  readKey,
  UNIT_BYTES,
} from './record.ts'
import { markOf, recover } from './recovery.ts'
import type { Segment } from './segment.ts'
import type { SegmentPool } from './segment-pool.ts'
import { type PendingWrite, Writer } from './writer.ts'

/** Objects up to this size are read at once, larger ones without holding up anybody else. Bytes. */
const READ_NOW_BYTES_MAX = 64 * 1024
/** A confirmed object (304) over this size is not written again, only its meta is. Bytes. */
const RENEW_BYTES_MIN = 64 * 1024

/** No object may take more than this share of a segment. */
const RECORD_SHARE_MAX = 7 / 8

export interface DiskObject {
  readonly key: string
  readonly meta: ObjectMeta
  /** Valid until the next read. */
  readonly body: Buffer
}

export interface DiskStoreParts {
  readonly pool: SegmentPool
  /** Secret numbers that keys are hashed with; kept with the store. */
  readonly seedA: number
  readonly seedB: number
  /** Bytes that may wait to be written. */
  readonly pendingBytesMax: number
  readonly counters: Counters
  /** True for a key that is worth keeping although nobody read it from disk: memory has it. */
  readonly inMemory: (key: string) => boolean
  readonly onTrouble: (error: Error | null) => void
  /** A record was not what was written. */
  readonly onDamage: (records: number) => void
}

export class DiskStore {
  readonly #parts: DiskStoreParts
  readonly #pool: SegmentPool
  readonly #table = new LocationTable()
  readonly #writer: Writer
  /** The newest write of a key that is not on disk yet. */
  readonly #pending = new Map<string, PendingWrite>()
  /** Where the newer meta of an object lies, by hash (`placeName`). */
  readonly #renewals = new Map<string, Place>()
  readonly #reads = new Map<string, Promise<DiskObject | null>>()
  readonly #scratch = Buffer.allocUnsafeSlow(READ_NOW_BYTES_MAX)
  /** Bytes of the largest record. */
  readonly recordBytesMax: number

  constructor(parts: DiskStoreParts) {
    this.#parts = parts
    this.#pool = parts.pool
    this.recordBytesMax = Math.floor(parts.pool.segmentBytes * RECORD_SHARE_MAX)
    this.#writer = new Writer({ pool: parts.pool, empty: (oldest) => this.#empty(oldest), onTrouble: parts.onTrouble })
  }

  /** Learns what the segments hold. @throws the system's error */
  async load(): Promise<void> {
    const { segments } = await this.#pool.openExisting()
    const marked: { segment: Segment; epoch: number }[] = []
    for (const segment of segments) {
      const mark = await markOf(segment, this.#pool.storeId)
      if (mark !== null) marked.push({ segment, epoch: mark.epoch })
    }
    marked.sort((x, y) => x.epoch - y.epoch)
    let damaged = 0
    for (const { segment, epoch } of marked) {
      const found = await recover(segment, { storeId: this.#pool.storeId, epoch })
      damaged += found.damaged
      // Most segments hold about as many as the first.
      if (epoch === marked[0]?.epoch) this.#table.reserve(found.contents.records * marked.length)
      segment.epoch = epoch
      segment.state = 'full'
      found.contents.each((a, b, kind, unit, length) => this.#enter(segment, a, b, kind, unit, length))
      this.#pool.lastEpoch = epoch
      // The newest is written on from where its last record ends.
      if (epoch !== marked.at(-1)?.epoch || found.full) continue
      segment.state = 'active'
      segment.end = found.end
      segment.contents = found.contents
      this.#pool.active = segment
    }
    if (damaged > 0) this.#parts.onDamage(damaged)
  }

  get count(): number {
    return this.#table.count
  }

  /** Bytes of the files. */
  get bytes(): number {
    return this.#pool.bytes
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  has(key: string): boolean {
    const { a, b } = this.#digest(key)
    return this.#table.find(a, b) !== NONE
  }

  /** The object, whole and verified, or null. A small one at once; reads of the same key are one. */
  read(key: string): DiskObject | null | Promise<DiskObject | null> {
    const { a, b } = this.#digest(key)
    const slot = this.#table.find(a, b)
    if (slot === NONE) return null
    this.#table.flag(slot, FLAG.used)
    const bytes = this.#table.length(slot) * UNIT_BYTES
    const place = this.#placeOf(slot)
    if (bytes <= READ_NOW_BYTES_MAX && (this.#table.flags(slot) & FLAG.renewed) === 0) {
      const segment = this.#pool.segment(place.segment)
      const read = segment.readNow(this.#scratch, place.unit, bytes)
      return this.#judge(key, a, b, place, read ? this.#scratch.subarray(0, bytes) : null, segment.epoch)
    }
    const running = this.#reads.get(key)
    if (running !== undefined) return running
    const reading = this.#readLarge(key, a, b, place, bytes).finally(() => this.#reads.delete(key))
    this.#reads.set(key, reading)
    return reading
  }

  /** Writes behind; over the limit of what may wait it is skipped. `onDisk`: the body is the one that is there already. */
  put(key: string, meta: ObjectMeta, body: readonly Uint8Array[], onDisk: boolean): void {
    const { a, b } = this.#digest(key)
    const [hashA, hashB] = [a, b]
    const slot = this.#table.find(hashA, hashB)
    const waited = this.#overtake(key)
    let bodyBytes = 0
    for (const piece of body) bodyBytes += piece.length
    if (onDisk && slot !== NONE && !waited && bodyBytes > RENEW_BYTES_MIN && body.length === 1) {
      const bodyCrc = crc32(body[0] as Uint8Array)
      const record = makeRecord({ kind: 'meta', hashA, hashB, key, meta, body: [], bodyCrc })
      if (this.#hasRoom(record.length)) this.#write(key, 'meta', hashA, hashB, record)
      return
    }
    if (slot !== NONE) this.#forget(slot)
    const fits = bodyBytes + key.length + meta.head.length + 2 * UNIT_BYTES <= this.recordBytesMax
    if (!fits || !this.#hasRoom(bodyBytes)) {
      if (slot !== NONE || waited) this.#writeGone(key, hashA, hashB)
      return
    }
    this.#write(key, 'object', hashA, hashB, makeRecord({ kind: 'object', hashA, hashB, key, meta, body }))
  }

  /** The key has no object any more, after a restart either. */
  remove(key: string): void {
    const { a, b } = this.#digest(key)
    const [hashA, hashB] = [a, b]
    const slot = this.#table.find(hashA, hashB)
    const waited = this.#overtake(key)
    if (slot === NONE && !waited) return
    if (slot !== NONE) this.#forget(slot)
    this.#writeGone(key, hashA, hashB)
  }

  /** Everything counts as never written; `storeId` is that of the store from now on. */
  clear(storeId: number): void {
    this.#pool.clear(storeId)
    this.#table.clear()
    this.#renewals.clear()
    this.#pending.clear()
    this.#writer.clear()
  }

  /** Objects from slot `cursor` on, in no particular order; `next` is null at the end. Reads without holding up others. */
  async list(limit: number, cursor = 0): Promise<{ readonly objects: readonly ListedOnDisk[]; next: number | null }> {
    const objects: ListedOnDisk[] = []
    let slot = cursor
    for (; slot < this.#table.size && objects.length < limit; slot++) {
      if (!this.#table.isTaken(slot)) continue
      const place = this.#placeOf(slot)
      const bytes = place.length * UNIT_BYTES
      const [a, b] = [this.#table.hashA(slot), this.#table.hashB(slot)]
      const segment = this.#pool.segment(place.segment)
      const { epoch } = segment
      const record = await segment.read(place.unit, bytes)
      const object = this.#verified(record, place, epoch, a, b)
      if (object !== null && object.meta !== null) objects.push({ key: object.key, meta: object.meta, bytes })
    }
    return { objects, next: slot < this.#table.size ? slot : null }
  }

  /** Resolves when all that waited is on disk, or the disk has failed. */
  idle(): Promise<void> {
    return this.#writer.idle()
  }

  async close(): Promise<void> {
    await this.#writer.close()
    await Promise.allSettled(this.#reads.values())
    await this.#pool.close()
  }

  #digest(key: string) {
    return digestOf(key, this.#parts.seedA, this.#parts.seedB)
  }

  #placeOf(slot: number): Place {
    return { segment: this.#table.segment(slot), unit: this.#table.unit(slot), length: this.#table.length(slot) }
  }

  #isAt(slot: number, place: Place): boolean {
    return slot !== NONE && this.#table.segment(slot) === place.segment && this.#table.unit(slot) === place.unit
  }

  async #readLarge(key: string, a: number, b: number, place: Place, bytes: number): Promise<DiskObject | null> {
    const segment = this.#pool.segment(place.segment)
    const { epoch } = segment
    const renewal = this.#renewals.get(placeName(a, b))
    const record = await segment.read(place.unit, bytes)
    // It was replaced, removed or pushed out while it was read.
    if (!this.#isAt(this.#table.find(a, b), place) || segment.epoch !== epoch) return null
    const header = record === null ? null : readHeader(record, 0)
    const whole = record !== null && header !== null && (await isWholeInTurns(record, header))
    if (!this.#isAt(this.#table.find(a, b), place) || segment.epoch !== epoch) return null
    const object = this.#judge(key, a, b, place, whole ? record : null, epoch, true)
    if (object === null || renewal === undefined || record === null) return object
    const meta = await this.#readMeta(renewal, a, b, (header as RecordHeader).bodyCrc)
    return this.#isAt(this.#table.find(a, b), place) ? { ...object, meta: meta ?? object.meta } : null
  }

  /** The newer meta of the body with this checksum. */
  async #readMeta(place: Place, a: number, b: number, bodyCrc: number): Promise<ObjectMeta | null> {
    const segment = this.#pool.segment(place.segment)
    const { epoch } = segment
    const record = await segment.read(place.unit, place.length * UNIT_BYTES)
    const verified = this.#verified(record, place, epoch, a, b, 'meta')
    return verified !== null && verified.header.bodyCrc === bodyCrc ? verified.meta : null
  }

  /** What was read is served, or was not what was written: then it is forgotten and counted. */
  #judge(
    key: string,
    a: number,
    b: number,
    place: Place,
    record: Buffer | null,
    epoch: number,
    whole = false,
  ): DiskObject | null {
    const verified = this.#verified(record, place, epoch, a, b, 'object', whole)
    if (verified === null || verified.meta === null) {
      const slot = this.#table.find(a, b)
      if (slot !== NONE) this.#forget(slot)
      this.#parts.counters.add(COUNTER.diskCorrupt)
      this.#parts.onDamage(1)
      return null
    }
    // Another key with the same hash.
    if (verified.key !== key) return null
    return { key, meta: verified.meta, body: verified.body }
  }

  #verified(
    record: Buffer | null,
    place: Place,
    epoch: number,
    a: number,
    b: number,
    kind: RecordKind = 'object',
    whole = false,
  ) {
    if (record === null || record.length < HEADER_BYTES) return null
    const header = readHeader(record, 0)
    if (header === null || header.kind !== kind || header.hashA !== a || header.hashB !== b) return null
    if (header.storeId !== this.#pool.storeId || header.epoch !== epoch) return null
    if (place.length * UNIT_BYTES !== record.length || !(whole || isWhole(record, 0, header))) return null
    return { header, ...readContent(record, 0, header) }
  }

  /** A record as it was found on opening; later ones overrule earlier ones. */
  #enter(segment: Segment, a: number, b: number, kind: number, unit: number, length: number): void {
    const place: Place = { segment: segment.number, unit, length }
    if (kind === kindNumber('object')) this.#set(a, b, place)
    else if (kind === kindNumber('meta')) this.#renew(a, b, place)
    else {
      const slot = this.#table.find(a, b)
      if (slot !== NONE) this.#forget(slot)
    }
  }

  #set(a: number, b: number, { segment, unit, length }: Place): void {
    if (this.#renewals.size > 0) this.#renewals.delete(placeName(a, b))
    this.#table.set(a, b, segment, unit, length)
  }

  #renew(a: number, b: number, place: Place): void {
    const slot = this.#table.find(a, b)
    if (slot === NONE) return
    this.#table.flag(slot, FLAG.renewed)
    this.#renewals.set(placeName(a, b), place)
  }

  #forget(slot: number): void {
    if (this.#renewals.size > 0) this.#renewals.delete(placeName(this.#table.hashA(slot), this.#table.hashB(slot)))
    this.#table.remove(slot)
  }

  /** A write of this key that waits is not wanted any more; true when there was one. */
  #overtake(key: string): boolean {
    const write = this.#pending.get(key)
    if (write === undefined) return false
    write.dropped = true
    this.#pending.delete(key)
    return true
  }

  #hasRoom(bytes: number): boolean {
    const room = !this.#writer.paused && this.#writer.pendingBytes + bytes <= this.#parts.pendingBytesMax
    if (!room) this.#parts.counters.add(COUNTER.diskSkipped)
    return room
  }

  #write(key: string, kind: 'object' | 'meta', hashA: number, hashB: number, record: Buffer): void {
    const write: PendingWrite = {
      record,
      hashA,
      hashB,
      kind: kindNumber(kind),
      dropped: false,
      onPlaced: (segment, unit, length) => {
        this.#pending.delete(key)
        this.#parts.counters.add(COUNTER.diskWrites)
        if (kind === 'object') this.#set(hashA, hashB, { segment, unit, length })
        else this.#renew(hashA, hashB, { segment, unit, length })
      },
      onDropped: () => {
        if (this.#pending.get(key) !== write) return
        this.#pending.delete(key)
        this.#parts.counters.add(COUNTER.diskSkipped)
      },
    }
    this.#pending.set(key, write)
    this.#writer.add(write)
  }

  #writeGone(key: string, hashA: number, hashB: number): void {
    if (this.#writer.paused) return
    const record = makeRecord({ kind: 'gone', hashA, hashB, key, meta: null, body: [] })
    const nothing = (): void => {}
    const kind = kindNumber('gone')
    this.#writer.add({ record, hashA, hashB, kind, dropped: false, onPlaced: nothing, onDropped: nothing })
  }

  /** Frees the oldest segment; what was read from it since it was written, or lies in memory, is written anew. */
  async #empty(segment: Segment): Promise<void> {
    const { epoch } = segment
    await keepFromSegment(segment, {
      table: this.#table,
      pool: this.#pool,
      writer: this.#writer,
      isWanted: (record, header, slot) =>
        (this.#table.flags(slot) & FLAG.used) !== 0 || this.#parts.inMemory(readKey(record, 0, header)),
      newerMeta: (a, b, bodyCrc) => {
        const renewal = this.#renewals.get(placeName(a, b))
        return renewal === undefined ? Promise.resolve(null) : this.#readMeta(renewal, a, b, bodyCrc)
      },
      onMoved: (a, b, place) => this.#set(a, b, place),
    })
    // The store was cleared meanwhile: this may be the active one now.
    if (segment.epoch !== epoch) return
    for (const slot of this.#table.slotsOf(segment.number))
      this.#renewals.delete(placeName(this.#table.hashA(slot), this.#table.hashB(slot)))
    this.#parts.counters.add(COUNTER.diskEvicted, this.#table.removeSegment(segment.number))
    await segment.unread()
    if (segment.epoch === epoch) segment.free()
  }
}

export interface ListedOnDisk {
  readonly key: string
  readonly meta: ObjectMeta
  readonly bytes: number
}

const placeName = (a: number, b: number): string => `${a},${b}`
