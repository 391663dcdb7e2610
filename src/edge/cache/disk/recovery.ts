//! Finds out what the segments of a store hold: from the table of contents of a full one, from the records themselves of
//! the one that was being written, or of one whose table is damaged. What cannot be believed is passed over.
import { HEADER_BYTES, isWhole, kindNumber, paddedBytes, readHeader, recordBytes, UNIT_BYTES } from './record.ts'
import type { Segment } from './segment.ts'
import {
  Contents,
  ENTRY_BYTES,
  FOOTER_BYTES,
  MARK_BYTES,
  readContents,
  readFooter,
  readMark,
  type SegmentMark,
} from './segment-format.ts'

/** Bytes read at a time when records are looked for. */
const WINDOW_BYTES = 4 * 1024 * 1024

export interface Recovered {
  readonly contents: Contents
  /** False for a segment that can be written on: its end is where the last record ends. */
  readonly full: boolean
  readonly end: number
  /** Records whose content is not what was written. */
  readonly damaged: number
}

/** Null for a segment that holds nothing of this store. */
export async function markOf(segment: Segment, storeId: number): Promise<SegmentMark | null> {
  const mark = readMark(await segment.readUpTo(0, MARK_BYTES))
  return mark !== null && mark.storeId === storeId && mark.epoch > 0 ? mark : null
}

export async function recover(segment: Segment, mark: SegmentMark): Promise<Recovered> {
  const listed = await fromContents(segment, mark)
  if (listed !== null) return { contents: listed, full: true, end: segment.bytes, damaged: 0 }
  return scan(segment, mark)
}

async function fromContents(segment: Segment, mark: SegmentMark): Promise<Contents | null> {
  const footer = readFooter(await segment.readUpTo(segment.bytes - FOOTER_BYTES, FOOTER_BYTES), mark)
  if (footer === null) return null
  const bytes = footer.records * ENTRY_BYTES
  if (bytes > segment.bytes - FOOTER_BYTES - MARK_BYTES) return null
  return readContents(await segment.readUpTo(segment.bytes - FOOTER_BYTES - bytes, bytes), footer)
}

/** Walks from record to record; where there is none it looks on, unit by unit, for the next one. */
async function scan(segment: Segment, mark: SegmentMark): Promise<Recovered> {
  const contents = new Contents()
  let damaged = 0
  let end = MARK_BYTES
  let from = MARK_BYTES
  let window = await segment.readUpTo(from, WINDOW_BYTES)
  let at = from
  while (at + HEADER_BYTES <= segment.bytes) {
    if (at + HEADER_BYTES > from + window.length) {
      from = at
      window = await segment.readUpTo(from, WINDOW_BYTES)
      if (window.length < HEADER_BYTES) break
    }
    const header = readHeader(window, at - from)
    const bytes = header === null ? 0 : recordBytes(header)
    if (
      header === null ||
      header.storeId !== mark.storeId ||
      header.epoch !== mark.epoch ||
      at + bytes > segment.bytes
    ) {
      at += UNIT_BYTES
      continue
    }
    if (at + bytes > from + window.length) {
      from = at
      window = await segment.readUpTo(from, Math.max(WINDOW_BYTES, bytes))
    }
    const next = at + paddedBytes(bytes)
    if (isWhole(window, at - from, header)) {
      const { hashA, hashB, kind } = header
      contents.add(hashA, hashB, kindNumber(kind), at / UNIT_BYTES, (next - at) / UNIT_BYTES)
      end = next
    } else {
      damaged++
    }
    at = next
  }
  return { contents, full: false, end, damaged }
}
