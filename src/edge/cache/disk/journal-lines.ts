//! The lines of the journal (journal.ts): text, each with its checksum. Pure: bytes in, bytes out.
import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { InvalidationEntry } from '../invalidation.ts'
import { LAYOUT } from './record.ts'

/** Who the store is. */
export interface StoreHead {
  readonly layout: string
  /** Unsigned 32 bits; records and segments carry it. A new one makes all that was written void. */
  readonly storeId: number
  readonly seedA: number
  readonly seedB: number
  /** Bytes of a segment file. */
  readonly segmentBytes: number
}

type Line =
  | ({ readonly kind: 'store' } & StoreHead)
  | { readonly kind: 'entry'; readonly entry: InvalidationEntry }
  | { readonly kind: 'reached'; readonly revision: number }

/** What a journal says; `trouble` names why it cannot be believed. */
export type JournalContent =
  | { readonly kind: 'none' }
  | { readonly kind: 'unusable'; readonly trouble: 'damaged' | 'other-version' }
  | {
      readonly kind: 'read'
      readonly head: StoreHead
      readonly entries: readonly InvalidationEntry[]
      readonly reached: number
      /** Of the lines that can be believed. */
      readonly bytes: number
    }

/** A store that shares nothing with any before it, but the seeds of `before`. */
export const newStoreHead = (segmentBytes: number, before: StoreHead | null = null): StoreHead => ({
  layout: LAYOUT,
  storeId: 1 + randomInt(2 ** 32 - 1),
  seedA: before?.seedA ?? randomInt(2 ** 31),
  seedB: before?.seedB ?? randomInt(2 ** 31),
  segmentBytes,
})

export function parseJournal(bytes: Buffer): JournalContent {
  const entries: InvalidationEntry[] = []
  let head: StoreHead | null = null
  let reached = -1
  let at = 0
  for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
    const line = parseLine(bytes.subarray(at, end))
    if (line === null) {
      // The last line may be torn: nobody was told that it is there. A damaged one before it is another matter.
      if (bytes.indexOf(10, end + 1) < 0 && head !== null) break
      return { kind: 'unusable', trouble: 'damaged' }
    }
    if (line.kind === 'store') head = line
    else if (head === null) return { kind: 'unusable', trouble: 'damaged' }
    else if (line.kind === 'entry') entries.push(line.entry)
    else reached = Math.max(reached, line.revision)
    at = end + 1
  }
  if (head === null) return { kind: 'unusable', trouble: 'damaged' }
  if (head.layout !== LAYOUT) return { kind: 'unusable', trouble: 'other-version' }
  return { kind: 'read', head, entries, reached, bytes: at }
}

function parseLine(line: Buffer): Line | null {
  const text = line.subarray(9)
  if (line.toString('latin1', 0, 9) !== `${hex(crc32(text))} `) return null
  try {
    return JSON.parse(text.toString('utf8')) as Line
  } catch {
    return null
  }
}

const hex = (number: number): string => number.toString(16).padStart(8, '0')

export function lineOf(line: Line): string {
  const text = JSON.stringify(line)
  return `${hex(crc32(text))} ${text}\n`
}

export const entryLine = (entry: InvalidationEntry): string => lineOf({ kind: 'entry', entry })
export const reachedLine = (revision: number): string => lineOf({ kind: 'reached', revision })

/**
 * The same journal without the older half of its bytes; lines are not read but copied, for there may be many. They are in
 * the order of their revisions, so that the last one of that half says before when everything is dead.
 * @throws when the line that says so is damaged
 */
export function shortened(bytes: Buffer): Buffer {
  const headEnd = bytes.indexOf(10) + 1
  const cut = bytes.indexOf(10, Math.max(headEnd, Math.floor(bytes.length / 2))) + 1
  let horizon = -1
  for (let end = cut; horizon < 0 && end > headEnd; ) {
    const start = bytes.lastIndexOf(10, end - 2) + 1
    const line = parseLine(bytes.subarray(start, end - 1))
    if (line === null) throw new Error('the journal of invalidations was damaged while it was in use')
    if (line.kind === 'entry') horizon = line.entry.revision
    end = start
  }
  const dead = horizon < 0 ? '' : entryLine({ kind: 'horizon', revision: horizon })
  return Buffer.concat([bytes.subarray(0, headEnd), Buffer.from(dead), bytes.subarray(cut)])
}
