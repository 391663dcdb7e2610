//! What is kept of the oldest segment before it is written anew: the objects that were wanted since, up to a share of it.
//! A first-in-first-out log with this second chance keeps what is used, at the price of writing it again.

import type { ObjectMeta } from '../object.ts'
import type { ObjectIndex } from './object-index.ts'
import {
  HEADER_BYTES,
  isWhole,
  kindNumber,
  makeRecord,
  type RecordHeader,
  readContent,
  readHeader,
  recordBytes,
  UNIT_BYTES,
} from './record.ts'
import type { Segment } from './segment.ts'
import type { SegmentPool } from './segment-pool.ts'
import type { Writer } from './writer.ts'

/** At most this share of a segment is kept: the rest is for what is new. */
const KEPT_SHARE_MAX = 1 / 2
/** Bytes read at a time. */
const WINDOW_BYTES = 1024 * 1024

export interface KeepingParts {
  readonly index: ObjectIndex
  readonly pool: SegmentPool
  readonly writer: Writer
  readonly isWanted: (record: Buffer, header: RecordHeader, slot: number) => boolean
  /** The meta that came after the record, for the body with this checksum. */
  readonly newerMeta: (a: number, b: number, bodyCrc: number) => Promise<ObjectMeta | null>
}

/** Resolves when what is kept is written, or was dropped because there was no room or time for it. */
export async function keepFromSegment(segment: Segment, parts: KeepingParts): Promise<void> {
  const { index, pool, writer } = parts
  const { table } = index
  const { epoch } = segment
  const places = table
    .slotsOf(segment.number)
    .map((slot) => ({ a: table.hashA(slot), b: table.hashB(slot), unit: table.unit(slot), length: table.length(slot) }))
  const writes: Promise<void>[] = []
  let left = segment.bytes * KEPT_SHARE_MAX
  let from = 0
  let window: Buffer = Buffer.alloc(0)
  for (const { a, b, unit, length } of places) {
    const [at, bytes] = [unit * UNIT_BYTES, length * UNIT_BYTES]
    if (bytes > left) continue
    if (at < from || at + bytes > from + window.length) {
      from = at
      window = await segment.readUpTo(from, Math.max(WINDOW_BYTES, bytes)).catch(() => Buffer.alloc(0))
      if (segment.epoch !== epoch) return
    }
    const record = window.subarray(at - from, at - from + bytes)
    const header = record.length < HEADER_BYTES ? null : readHeader(record, 0)
    if (header === null || header.epoch !== epoch || header.storeId !== pool.storeId) continue
    if (recordBytes(header) > record.length || header.hashA !== a || header.hashB !== b) continue
    const isThere = (): boolean => index.isAt(a, b, { segment: segment.number, unit })
    if (!isThere() || !parts.isWanted(record, header, table.find(a, b)) || !isWhole(record, 0, header)) continue
    left -= bytes
    const copy = await asNewRecord(record, header, parts)
    // It may have been replaced or removed meanwhile: then nothing of it may be written after that.
    if (!isThere()) continue
    writes.push(
      new Promise((resolve) => {
        writer.addFirst({
          record: copy,
          hashA: a,
          hashB: b,
          kind: kindNumber('object'),
          dropped: false,
          onPlaced: (to, toUnit, toLength) => {
            if (isThere()) index.set(a, b, { segment: to, unit: toUnit, length: toLength })
            resolve()
          },
          onDropped: resolve,
        })
      }),
    )
  }
  await Promise.all(writes)
}

/** The same object; with its newer meta, which would be lost with the place it belongs to. */
async function asNewRecord(record: Buffer, header: RecordHeader, { newerMeta }: KeepingParts): Promise<Buffer> {
  const meta = await newerMeta(header.hashA, header.hashB, header.bodyCrc)
  if (meta === null) return Buffer.from(record)
  const { key, body } = readContent(record, 0, header)
  return makeRecord({ kind: 'object', hashA: header.hashA, hashB: header.hashB, key, meta, body: [body] })
}
