//! How a worker's share of the disk is divided: so many segments of one size, and the journal. Pure.
import { SEGMENTS_MAX } from './location-table.ts'

const MIB = 1024 * 1024
const SEGMENT_BYTES_MIN = MIB
const SEGMENT_BYTES_MAX = 64 * MIB
/** One is written to, one is being emptied, the others hold what is cached. */
const SEGMENTS_MIN = 3
/** The limit in segments, at least: what leaves with one segment should be a small share. */
const SEGMENTS_WANTED = 8
/** More files than this are avoided by larger segments. */
const SEGMENTS_COMFORTABLE = 4_096
const JOURNAL_BYTES_MIN = 128 * 1024
const JOURNAL_BYTES_MAX = 16 * MIB
/** Share of the limit that the journal may take. */
const JOURNAL_SHARE = 1 / 64
/** The journal, its successor while it is written, and one that was set aside. */
const JOURNALS = 3
/** Bytes that may wait to be written, and the share of the limit. */
const PENDING_BYTES_MAX = 32 * MIB
const PENDING_SHARE = 1 / 4

/** The smallest limit of a worker: four segments of 1 MiB. Bytes. */
export const DISK_BYTES_MIN = 4 * MIB

export interface Shares {
  readonly segmentBytes: number
  readonly segments: number
  readonly journalBytes: number
  readonly pendingBytes: number
}

/**
 * @param limitBytes all files together; at least DISK_BYTES_MIN.
 * @param segmentBytes of a store that is there; it is kept while the limit allows it.
 */
export function sharesOf(limitBytes: number, segmentBytes: number | null = null): Shares {
  const journalBytes = clamp(Math.floor(limitBytes * JOURNAL_SHARE), JOURNAL_BYTES_MIN, JOURNAL_BYTES_MAX)
  const left = limitBytes - JOURNALS * journalBytes
  const pendingBytes = Math.min(PENDING_BYTES_MAX, Math.floor(limitBytes * PENDING_SHARE))
  const count = (bytes: number): number => Math.min(Math.floor(left / bytes), SEGMENTS_MAX)
  const keeps =
    segmentBytes !== null && count(segmentBytes) >= SEGMENTS_MIN && left / segmentBytes <= SEGMENTS_COMFORTABLE
  let bytes = segmentBytes
  if (!keeps || bytes === null) {
    bytes = clamp(2 ** Math.floor(Math.log2(left / SEGMENTS_WANTED)), SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX)
    while (left / bytes > SEGMENTS_COMFORTABLE) bytes *= 2
  }
  return { segmentBytes: bytes, segments: count(bytes), journalBytes, pendingBytes }
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most)
