//! One record of a segment file: a header of fixed size, then key, meta and body. Pure: bytes in, bytes out. Checksums
//! guard each part: the header, so that a walk through a segment is never led astray, key and meta, and the body. All are
//! compared at every read.
import { crc32 } from 'node:zlib'
import type { FreshnessReason } from '../../../http/freshness.ts'
import type { ObjectMeta } from '../object.ts'

/** Records begin at multiples of this. Bytes. */
export const UNIT_BYTES = 64
export const HEADER_BYTES = 48

/** Checked at once. Bytes. */
const TURN_BYTES = 1024 * 1024

const MAGIC = 0x52464331
const KINDS = { object: 1, meta: 2, gone: 3 } as const
/**
 * `object`: key, meta and body. `meta`: a new meta of the object with the same key that was written earlier, whose body
 * stays. `gone`: the key has no object any more.
 */
export type RecordKind = keyof typeof KINDS
const KIND_NAMES: readonly (RecordKind | undefined)[] = [undefined, 'object', 'meta', 'gone']

export const kindNumber = (kind: RecordKind): number => KINDS[kind]
export const kindOf = (number: number): RecordKind | undefined => KIND_NAMES[number]

export interface RecordHeader {
  readonly kind: RecordKind
  /** Of the store; bytes of another life of these files are told apart by it. */
  readonly storeId: number
  /** Of the segment; what its files held before it was used anew is told apart by it. */
  readonly epoch: number
  readonly hashA: number
  readonly hashB: number
  readonly keyBytes: number
  readonly metaBytes: number
  readonly bodyBytes: number
  /** Checksum of the body; in a `meta` that of the body that it belongs to, so that it is never put on another one. */
  readonly bodyCrc: number
  /** Checksum of key and meta. */
  readonly metaCrc: number
}

export interface RecordContent {
  readonly key: string
  /** Null in a `gone`. */
  readonly meta: ObjectMeta | null
  /** A view of the record's memory. */
  readonly body: Buffer
}

type FieldKind = 'number' | 'text'
/** Every field of ObjectMeta: the compiler tells when one is missing, and a store with other fields is begun anew. */
const FIELDS = {
  status: 'number',
  bornAt: 'number',
  freshUntil: 'number',
  staleUntil: 'number',
  swrUntil: 'number',
  asOf: 'number',
  head: 'text',
  distributionId: 'text',
  uri: 'text',
  contentType: 'text',
  etag: 'text',
  lastModified: 'text',
  ttlSource: 'text',
  tags: 'text',
  variant: 'text',
} as const satisfies Readonly<Record<keyof ObjectMeta, FieldKind>>
type FieldName = keyof typeof FIELDS
const NAMES = Object.keys(FIELDS) as FieldName[]
const NUMBERS = NAMES.filter((name) => FIELDS[name] === 'number') as NumberName[]
const TEXTS = NAMES.filter((name) => FIELDS[name] === 'text') as TextName[]
type NumberName = { [N in FieldName]: (typeof FIELDS)[N] extends 'number' ? N : never }[FieldName]
type TextName = { [N in FieldName]: (typeof FIELDS)[N] extends 'text' ? N : never }[FieldName]

/** Names what records look like: a store that was written with another layout is not read. */
export const LAYOUT = `1 ${NUMBERS.join(' ')} ${TEXTS.join(' ')}`

/** Bytes on disk, up to the next unit. */
export const paddedBytes = (bytes: number): number => Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES
export const recordBytes = (header: Pick<RecordHeader, 'keyBytes' | 'metaBytes' | 'bodyBytes'>): number =>
  HEADER_BYTES + header.keyBytes + header.metaBytes + header.bodyBytes

/** What a record is made of; where it will lie is put in later (`seal`). */
export interface NewRecord {
  readonly kind: RecordKind
  readonly hashA: number
  readonly hashB: number
  readonly key: string
  readonly meta: ObjectMeta | null
  readonly body: readonly Uint8Array[]
  /** Of a `meta`: checksum of the body that it belongs to. */
  readonly bodyCrc?: number
}

/** A record in memory of its own, padded with zeros to whole units; `seal` must follow before it is written. */
export function makeRecord({ kind, hashA, hashB, key, meta, body, bodyCrc }: NewRecord): Buffer {
  const texts = meta === null ? '' : JSON.stringify(TEXTS.map((name) => meta[name]))
  const metaBytes = meta === null ? 0 : NUMBERS.length * 8 + Buffer.byteLength(texts)
  let bodyBytes = 0
  for (const piece of body) bodyBytes += piece.length
  const bytes = HEADER_BYTES + key.length + metaBytes + bodyBytes
  const record = Buffer.allocUnsafe(paddedBytes(bytes))
  let at = HEADER_BYTES + record.write(key, HEADER_BYTES, 'latin1')
  if (meta !== null) {
    for (const name of NUMBERS) at = record.writeDoubleLE(meta[name], at)
    at += record.write(texts, at)
  }
  const bodyFrom = at
  for (const piece of body) {
    record.set(piece, at)
    at += piece.length
  }
  record.fill(0, at)
  record.fill(0, 0, HEADER_BYTES)
  record.writeUInt32LE(MAGIC, 0)
  record.writeUInt32LE(KINDS[kind], 16)
  record.writeUInt32LE(hashA, 20)
  record.writeUInt32LE(hashB, 24)
  record.writeUInt32LE(key.length, 28)
  record.writeUInt32LE(metaBytes, 32)
  record.writeUInt32LE(bodyBytes, 36)
  record.writeUInt32LE(bodyCrc ?? crc32(record.subarray(bodyFrom, at)), 40)
  record.writeUInt32LE(crc32(record.subarray(HEADER_BYTES, bodyFrom)), 44)
  return record
}

/** Says which store and which life of a segment the record belongs to. */
export function seal(record: Buffer, storeId: number, epoch: number): void {
  record.writeUInt32LE(storeId, 8)
  record.writeUInt32LE(epoch, 12)
  record.writeUInt32LE(crc32(record.subarray(8, HEADER_BYTES)), 4)
}

/** The header at `at`, or null when there is none that can be believed. */
export function readHeader(bytes: Buffer, at: number): RecordHeader | null {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return null
  if (crc32(bytes.subarray(at + 8, at + HEADER_BYTES)) !== bytes.readUInt32LE(at + 4)) return null
  const kind = kindOf(bytes.readUInt32LE(at + 16))
  if (kind === undefined) return null
  return {
    kind,
    storeId: bytes.readUInt32LE(at + 8),
    epoch: bytes.readUInt32LE(at + 12),
    hashA: bytes.readUInt32LE(at + 20),
    hashB: bytes.readUInt32LE(at + 24),
    keyBytes: bytes.readUInt32LE(at + 28),
    metaBytes: bytes.readUInt32LE(at + 32),
    bodyBytes: bytes.readUInt32LE(at + 36),
    bodyCrc: bytes.readUInt32LE(at + 40),
    metaCrc: bytes.readUInt32LE(at + 44),
  }
}

/** True when the key and meta at the beginning of `bytes` are those that the header was written for. */
export function isMetaWhole(bytes: Buffer, { keyBytes, metaBytes, metaCrc }: RecordHeader): boolean {
  const end = HEADER_BYTES + keyBytes + metaBytes
  return end <= bytes.length && crc32(bytes.subarray(HEADER_BYTES, end)) === metaCrc
}

/** True when key, meta and body at `at` are those that the header was written for. */
export function isWhole(bytes: Buffer, at: number, header: RecordHeader): boolean {
  const bodyFrom = at + HEADER_BYTES + header.keyBytes + header.metaBytes
  const end = bodyFrom + header.bodyBytes
  if (end > bytes.length || crc32(bytes.subarray(at + HEADER_BYTES, bodyFrom)) !== header.metaCrc) return false
  return header.kind === 'meta' || crc32(bytes.subarray(bodyFrom, end)) === header.bodyCrc
}

/** As `isWhole`, in turns with what else there is to do: the checksum of a large body takes milliseconds. */
export async function isWholeInTurns(bytes: Buffer, header: RecordHeader): Promise<boolean> {
  const bodyFrom = HEADER_BYTES + header.keyBytes + header.metaBytes
  const end = bodyFrom + header.bodyBytes
  if (end > bytes.length || crc32(bytes.subarray(HEADER_BYTES, bodyFrom)) !== header.metaCrc) return false
  let crc = 0
  for (let at = bodyFrom; at < end; at += TURN_BYTES) {
    if (at > bodyFrom) await new Promise((resolve) => setImmediate(resolve))
    crc = crc32(bytes.subarray(at, Math.min(end, at + TURN_BYTES)), crc)
  }
  return crc === header.bodyCrc
}

export const readKey = (bytes: Buffer, at: number, { keyBytes }: RecordHeader): string =>
  bytes.toString('latin1', at + HEADER_BYTES, at + HEADER_BYTES + keyBytes)

/** What a whole record holds. @throws SyntaxError for texts that this program did not write */
export function readContent(bytes: Buffer, at: number, header: RecordHeader): RecordContent {
  const metaFrom = at + HEADER_BYTES + header.keyBytes
  const bodyFrom = metaFrom + header.metaBytes
  return {
    key: readKey(bytes, at, header),
    meta: header.metaBytes === 0 ? null : readMeta(bytes.subarray(metaFrom, bodyFrom)),
    body: bytes.subarray(bodyFrom, bodyFrom + header.bodyBytes),
  }
}

function readMeta(bytes: Buffer): ObjectMeta {
  const number = (name: NumberName): number => bytes.readDoubleLE(NUMBERS.indexOf(name) * 8)
  const texts = JSON.parse(bytes.toString('utf8', NUMBERS.length * 8)) as string[]
  const text = (name: TextName): string => texts[TEXTS.indexOf(name)] ?? ''
  return {
    status: number('status'),
    bornAt: number('bornAt'),
    freshUntil: number('freshUntil'),
    staleUntil: number('staleUntil'),
    swrUntil: number('swrUntil'),
    asOf: number('asOf'),
    head: text('head'),
    distributionId: text('distributionId'),
    uri: text('uri'),
    contentType: text('contentType'),
    etag: text('etag'),
    lastModified: text('lastModified'),
    ttlSource: text('ttlSource') as FreshnessReason,
    tags: text('tags'),
    variant: text('variant'),
  }
}
