//! The objects of one worker on disk: looked up by the hash of their key in memory, read and verified from a segment,
//! written behind. It decides nothing about freshness or invalidations (tier.ts does).
import { crc32 } from 'node:zlib'
import { COUNTER } from '../../../observe/counters.ts'
import { KeyHash } from '../key-hash.ts'
import type { ObjectMeta } from '../object.ts'
import { keepFromSegment } from './emptying.ts'
import { FLAG, NONE } from './location-table.ts'
import { ObjectIndex } from './object-index.ts'
import { type DiskObject, type ListedOnDisk, Reader, type ReaderParts } from './reader.ts'
import { kindNumber, makeRecord, readKey, UNIT_BYTES } from './record.ts'
import { markOf, recover } from './recovery.ts'
import type { Segment } from './segment.ts'
import type { SegmentPool } from './segment-pool.ts'
import { type PendingWrite, Writer } from './writer.ts'

/** A confirmed object (304) over this size is not written again, only its meta is. Bytes. */
const RENEW_BYTES_MIN = 64 * 1024
/** No object may take more than this share of a segment. */
const RECORD_SHARE_MAX = 7 / 8
/** Objects that the index makes room for before it knows of them. */
const RESERVED_MAX = 1_000_000

export interface DiskStoreParts extends Omit<ReaderParts, 'index'> {
  /** Secret numbers that keys are hashed with; kept with the store. */
  readonly seedA: number
  readonly seedB: number
  /** Bytes that may wait to be written. */
  readonly pendingBytesMax: number
  /** True for a key that is worth keeping although nobody read it from disk: memory has it. */
  readonly inMemory: (key: string) => boolean
  readonly onTrouble: (error: Error | null) => void
}

export class DiskStore {
  readonly #parts: DiskStoreParts
  readonly #pool: SegmentPool
  readonly #hash: KeyHash
  readonly #index = new ObjectIndex()
  readonly #reader: Reader
  readonly #writer: Writer
  /** The newest write of a key that is not on disk yet. */
  readonly #pending = new Map<string, PendingWrite>()
  /** Bytes of the largest record. */
  readonly recordBytesMax: number

  constructor(parts: DiskStoreParts) {
    this.#parts = parts
    this.#pool = parts.pool
    this.#hash = new KeyHash(parts.seedA, parts.seedB)
    this.recordBytesMax = Math.floor(parts.pool.segmentBytes * RECORD_SHARE_MAX)
    this.#reader = new Reader({ ...parts, index: this.#index })
    this.#writer = new Writer({ pool: parts.pool, empty: (oldest) => this.#empty(oldest), onTrouble: parts.onTrouble })
  }

  /** Learns what the segments hold. @throws the system's error */
  async load(): Promise<void> {
    const { storeId } = this.#pool
    const { segments } = await this.#pool.openExisting()
    const marked: { segment: Segment; epoch: number }[] = []
    let damaged = 0
    for (const segment of segments) {
      // One that cannot be read is written anew in its turn.
      const mark = await markOf(segment, storeId).catch(() => null)
      if (mark !== null) marked.push({ segment, epoch: mark.epoch })
    }
    marked.sort((x, y) => x.epoch - y.epoch)
    for (const { segment, epoch } of marked) {
      const found = await recover(segment, { storeId, epoch }).catch(() => null)
      this.#pool.lastEpoch = epoch
      if (found === null) {
        damaged++
        continue
      }
      damaged += found.damaged
      // Most segments hold about as many as the first.
      const expected = Math.min(found.contents.records * marked.length, RESERVED_MAX)
      if (epoch === marked[0]?.epoch) this.#index.table.reserve(expected)
      const { number } = segment
      found.contents.each((a, b, kind, unit, length) =>
        this.#index.enter(a, b, kind, { segment: number, unit, length }),
      )
      segment.epoch = epoch
      segment.state = 'full'
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
    return this.#index.table.count
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
    return this.#index.table.find(a, b) !== NONE
  }

  /** The object, whole and verified, or null. A small one at once; reads of the same key are one. */
  read(key: string): DiskObject | null | Promise<DiskObject | null> {
    const { a, b } = this.#digest(key)
    return this.#reader.read(key, a, b)
  }

  /** Writes behind; over the limit of what may wait it is skipped. `onDisk`: the body is the one that is there already. */
  put(key: string, meta: ObjectMeta, body: readonly Uint8Array[], onDisk: boolean): void {
    const { a: hashA, b: hashB } = this.#digest(key)
    const wasThere = this.#index.table.find(hashA, hashB) !== NONE
    const waited = this.#overtake(key)
    let bodyBytes = 0
    for (const piece of body) bodyBytes += piece.length
    if (onDisk && wasThere && !waited && bodyBytes > RENEW_BYTES_MIN && body.length === 1) {
      const bodyCrc = crc32(body[0] as Uint8Array)
      const record = makeRecord({ kind: 'meta', hashA, hashB, key, meta, body: [], bodyCrc })
      if (this.#hasRoom(record.length)) this.#write(key, 'meta', hashA, hashB, record)
      return
    }
    this.#index.forget(hashA, hashB)
    const fits = bodyBytes + key.length + meta.head.length + 2 * UNIT_BYTES <= this.recordBytesMax
    if (!fits || !this.#hasRoom(bodyBytes)) {
      if (wasThere || waited) this.#writeGone(key, hashA, hashB)
      return
    }
    this.#write(key, 'object', hashA, hashB, makeRecord({ kind: 'object', hashA, hashB, key, meta, body }))
  }

  /** The key has no object any more, after a restart either. */
  remove(key: string): void {
    const { a: hashA, b: hashB } = this.#digest(key)
    const waited = this.#overtake(key)
    if (this.#index.table.find(hashA, hashB) === NONE && !waited) return
    this.#index.forget(hashA, hashB)
    this.#writeGone(key, hashA, hashB)
  }

  /** Everything counts as never written; `storeId` is that of the store from now on. */
  clear(storeId: number): void {
    this.#pool.clear(storeId)
    this.#index.clear()
    this.#pending.clear()
    this.#writer.clear()
  }

  /** Objects from `cursor` on, in no particular order; `next` is null at the end. Reads without holding up others. */
  list(
    limit: number,
    cursor = 0,
  ): Promise<{ readonly objects: readonly ListedOnDisk[]; readonly next: number | null }> {
    return this.#reader.list(limit, cursor)
  }

  /** Resolves when all that waited is on disk, or the disk has failed. */
  idle(): Promise<void> {
    return this.#writer.idle()
  }

  async close(): Promise<void> {
    await this.#writer.close()
    await this.#reader.idle()
    await this.#pool.close()
  }

  /** Its results are those of the last call. */
  #digest(key: string): { readonly a: number; readonly b: number } {
    this.#hash.of(key)
    return this.#hash
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
        this.#index.enter(hashA, hashB, write.kind, { segment, unit, length })
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

  /** Small enough to be written over the limit of what may wait: without it the older object would come back. */
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
      index: this.#index,
      pool: this.#pool,
      writer: this.#writer,
      isWanted: (record, header, slot) =>
        (this.#index.table.flags(slot) & FLAG.used) !== 0 || this.#parts.inMemory(readKey(record, 0, header)),
      newerMeta: (a, b, bodyCrc) => {
        const renewal = this.#index.renewalOf(a, b)
        return renewal === undefined ? Promise.resolve(null) : this.#reader.readMeta(renewal, a, b, bodyCrc)
      },
    })
    // The store was cleared meanwhile: this may be the active one now.
    if (segment.epoch !== epoch) return
    this.#parts.counters.add(COUNTER.diskEvicted, this.#index.forgetSegment(segment.number))
    await segment.unread()
    if (segment.epoch === epoch) segment.free()
  }
}
