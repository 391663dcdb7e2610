//! Reads objects from the segments and lets nothing through that is not what was written: header, store, life of the
//! segment, hash, key and checksums must all fit.
import { COUNTER, type Counters } from '../../../observe/counters.ts'
import type { ObjectMeta } from '../object.ts'
import { FLAG, NONE, type Place } from './location-table.ts'
import type { ObjectIndex } from './object-index.ts'
import {
  HEADER_BYTES,
  isMetaWhole,
  isWhole,
  isWholeInTurns,
  type RecordContent,
  type RecordHeader,
  type RecordKind,
  readContent,
  readHeader,
  UNIT_BYTES,
} from './record.ts'
import type { SegmentPool } from './segment-pool.ts'

/** Objects up to this size are read at once, larger ones without holding up anybody else. Bytes. */
const READ_NOW_BYTES_MAX = 64 * 1024
/** For a list, the beginnings of the records are read: key and meta of nearly every one are in it. Bytes. */
const LISTED_BYTES = 8 * 1024

export interface DiskObject {
  readonly key: string
  readonly meta: ObjectMeta
  /** Valid until the next read. */
  readonly body: Buffer
}

export interface ListedOnDisk {
  readonly key: string
  readonly meta: ObjectMeta
  /** On disk, with all that belongs to it. */
  readonly bytes: number
}

export interface ReaderParts {
  readonly index: ObjectIndex
  readonly pool: SegmentPool
  readonly counters: Counters
  /** A record was not what was written. */
  readonly onDamage: (records: number) => void
}

export class Reader {
  readonly #parts: ReaderParts
  readonly #running = new Map<string, Promise<DiskObject | null>>()
  readonly #scratch = Buffer.allocUnsafeSlow(READ_NOW_BYTES_MAX)

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  /** The object with this key and hash, whole and verified, or null. A small one at once; reads of a key are one. */
  read(key: string, a: number, b: number): DiskObject | null | Promise<DiskObject | null> {
    const { index, pool } = this.#parts
    const slot = index.table.find(a, b)
    if (slot === NONE) return null
    index.table.flag(slot, FLAG.used)
    const place = index.placeOf(slot)
    const bytes = place.length * UNIT_BYTES
    if (bytes <= READ_NOW_BYTES_MAX && (index.table.flags(slot) & FLAG.renewed) === 0) {
      const segment = pool.segment(place.segment)
      const read = segment.readNow(this.#scratch, place.unit, bytes)
      const record = read ? this.#scratch.subarray(0, bytes) : null
      const header = record === null ? null : this.#headerOf(record, 'object', a, b, segment.epoch)
      const whole = record !== null && header !== null && isWhole(record, 0, header)
      return this.#judged(key, a, b, whole ? record : null, header)
    }
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const reading = this.#readLarge(key, a, b, place).finally(() => this.#running.delete(key))
    this.#running.set(key, reading)
    return reading
  }

  /** The meta record at this place, if it belongs to the body with this checksum. */
  async readMeta(place: Place, a: number, b: number, bodyCrc: number): Promise<ObjectMeta | null> {
    const segment = this.#parts.pool.segment(place.segment)
    const { epoch } = segment
    const record = await segment.read(place.unit, place.length * UNIT_BYTES)
    const header = record === null ? null : this.#headerOf(record, 'meta', a, b, epoch)
    if (record === null || header === null || header.bodyCrc !== bodyCrc || !isWhole(record, 0, header)) return null
    return contentOf(record, header)?.meta ?? null
  }

  /** Objects from slot `cursor` on, in no particular order; `next` is null at the end. */
  async list(
    limit: number,
    cursor: number,
  ): Promise<{ readonly objects: readonly ListedOnDisk[]; next: number | null }> {
    const { index, pool } = this.#parts
    const objects: ListedOnDisk[] = []
    let slot = cursor
    for (; slot < index.table.size && objects.length < limit; slot++) {
      if (!index.table.isTaken(slot)) continue
      const place = index.placeOf(slot)
      const [a, b] = [index.table.hashA(slot), index.table.hashB(slot)]
      const segment = pool.segment(place.segment)
      const { epoch } = segment
      const bytes = place.length * UNIT_BYTES
      const renewal = index.renewalOf(a, b)
      let record = await segment.read(place.unit, Math.min(bytes, LISTED_BYTES))
      const header = record === null ? null : this.#headerOf(record, 'object', a, b, epoch)
      if (record === null || header === null) continue
      if (HEADER_BYTES + header.keyBytes + header.metaBytes > record.length)
        record = await segment.read(place.unit, bytes)
      if (record === null || !isMetaWhole(record, header)) continue
      const { key, meta } = contentOf(record, header) ?? { key: '', meta: null }
      const newer = renewal === undefined ? null : await this.readMeta(renewal, a, b, header.bodyCrc)
      if (meta !== null) objects.push({ key, meta: newer ?? meta, bytes })
    }
    return { objects, next: slot < index.table.size ? slot : null }
  }

  /** Resolves when no read is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  async #readLarge(key: string, a: number, b: number, place: Place): Promise<DiskObject | null> {
    const { index, pool } = this.#parts
    const segment = pool.segment(place.segment)
    const { epoch } = segment
    const renewal = index.renewalOf(a, b)
    // Replaced, removed or pushed out meanwhile: then what was read means nothing.
    const isThere = (): boolean => index.isAt(a, b, place) && segment.epoch === epoch
    const record = await segment.read(place.unit, place.length * UNIT_BYTES)
    if (!isThere()) return null
    const header = record === null ? null : this.#headerOf(record, 'object', a, b, epoch)
    const whole = record !== null && header !== null && (await isWholeInTurns(record, header))
    if (!isThere()) return null
    const object = this.#judged(key, a, b, whole ? record : null, header)
    if (object === null || renewal === undefined || header === null) return object
    const meta = await this.readMeta(renewal, a, b, header.bodyCrc)
    return isThere() ? { ...object, meta: meta ?? object.meta } : null
  }

  /** What a whole record holds; one that is not whole (`record` is null) is forgotten and counted. */
  #judged(key: string, a: number, b: number, record: Buffer | null, header: RecordHeader | null): DiskObject | null {
    const content = record === null || header === null ? null : contentOf(record, header)
    if (content === null || content.meta === null) {
      this.#parts.index.forget(a, b)
      this.#parts.counters.add(COUNTER.diskCorrupt)
      this.#parts.onDamage(1)
      return null
    }
    // Another key with the same hash is no damage.
    return content.key === key ? { key, meta: content.meta, body: content.body } : null
  }

  #headerOf(record: Buffer, kind: RecordKind, a: number, b: number, epoch: number): RecordHeader | null {
    if (record.length < HEADER_BYTES) return null
    const header = readHeader(record, 0)
    if (header === null || header.kind !== kind || header.hashA !== a || header.hashB !== b) return null
    return header.storeId === this.#parts.pool.storeId && header.epoch === epoch ? header : null
  }
}

/** Null for texts that no program of ours wrote, although their checksum is right. */
function contentOf(record: Buffer, header: RecordHeader): RecordContent | null {
  try {
    return readContent(record, 0, header)
  } catch {
    return null
  }
}
