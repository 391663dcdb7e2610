//! What a segment file holds besides its records: a mark at its beginning that says which life of the file this is, and,
//! once it is full, a table of contents at its end, so that opening it need not read it. Pure: bytes in, bytes out.
import { crc32 } from 'node:zlib'
import { UNIT_BYTES } from './record.ts'

const MAGIC = 0x53464331
const CONTENTS_MAGIC = 0x54464331
export const MARK_BYTES = UNIT_BYTES
/** Numbers of 32 bits that the table of contents has for a record. */
const WORDS = 5
export const ENTRY_BYTES = WORDS * 4
export const FOOTER_BYTES = 24

export interface SegmentMark {
  readonly storeId: number
  /** Counts the lives of all segments of a store: a higher one is newer. */
  readonly epoch: number
}

/** The records of a segment in their order: plain numbers, for there are many. */
export class Contents {
  #words: Uint32Array
  records = 0

  constructor(records = 256) {
    this.#words = new Uint32Array(records * WORDS)
  }

  /** `kind` as of record.ts (`kindNumber`); `unit` and `length` in units. */
  add(hashA: number, hashB: number, kind: number, unit: number, length: number): void {
    const at = this.records * WORDS
    if (at === this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2)
      grown.set(this.#words)
      this.#words = grown
    }
    const words = this.#words
    words[at] = hashA
    words[at + 1] = hashB
    words[at + 2] = kind
    words[at + 3] = unit
    words[at + 4] = length
    this.records++
  }

  each(see: (hashA: number, hashB: number, kind: number, unit: number, length: number) => void): void {
    const w = this.#words
    for (let at = 0; at < this.records * WORDS; at += WORDS)
      see(w[at] as number, w[at + 1] as number, w[at + 2] as number, w[at + 3] as number, w[at + 4] as number)
  }

  word(at: number): number {
    return this.#words[at] as number
  }
}

export function writeMark({ storeId, epoch }: SegmentMark): Buffer {
  const bytes = Buffer.alloc(MARK_BYTES)
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(storeId, 8)
  bytes.writeUInt32LE(epoch, 12)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

/** Null when it is none, or damaged. */
export function readMark(bytes: Buffer): SegmentMark | null {
  if (bytes.length < MARK_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null
  if (crc32(bytes.subarray(8, MARK_BYTES)) !== bytes.readUInt32LE(4)) return null
  return { storeId: bytes.readUInt32LE(8), epoch: bytes.readUInt32LE(12) }
}

/** Bytes at the end of a segment with so many records. */
export const contentsBytes = (records: number): number => records * ENTRY_BYTES + FOOTER_BYTES

/** To be written so that it ends where the segment does. */
export function writeContents(contents: Contents, mark: SegmentMark): Buffer {
  const bytes = Buffer.alloc(contentsBytes(contents.records))
  let at = 0
  for (let word = 0; word < contents.records * WORDS; word++) at = bytes.writeUInt32LE(contents.word(word), at)
  bytes.writeUInt32LE(CONTENTS_MAGIC, at)
  bytes.writeUInt32LE(mark.storeId, at + 4)
  bytes.writeUInt32LE(mark.epoch, at + 8)
  bytes.writeUInt32LE(contents.records, at + 12)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at + 16)
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 20)), at + 20)
  return bytes
}

/** How many records the table of contents before this footer has; null when there is none of this life. */
export function readFooter(
  footer: Buffer,
  mark: SegmentMark,
): { readonly records: number; readonly crc: number } | null {
  if (footer.length < FOOTER_BYTES || footer.readUInt32LE(0) !== CONTENTS_MAGIC) return null
  if (crc32(footer.subarray(0, 20)) !== footer.readUInt32LE(20)) return null
  if (footer.readUInt32LE(4) !== mark.storeId || footer.readUInt32LE(8) !== mark.epoch) return null
  return { records: footer.readUInt32LE(12), crc: footer.readUInt32LE(16) }
}

/** Null when the bytes are not those that the footer was written for. */
export function readContents(bytes: Buffer, footer: { readonly crc: number }): Contents | null {
  if (crc32(bytes) !== footer.crc) return null
  const contents = new Contents(Math.max(1, bytes.length / ENTRY_BYTES))
  const word = (at: number): number => bytes.readUInt32LE(at)
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES)
    contents.add(word(at), word(at + 4), word(at + 8), word(at + 12), word(at + 16))
  return contents
}
