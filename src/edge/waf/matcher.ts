//! A compiled statement: a question to a request, with what it looks at.
import type { Inspected, Reading } from './inspected.ts'

/** Synchronous. Throws only when it could not be answered: that counts as a match of the rule (evaluate.ts). */
export type Matcher = (request: Inspected) => boolean

/** What a statement may look at, as bits. */
export const LOOKS = {
  /** The header block: what it finds there holds for each request that repeats it. */
  headers: 1,
  /** The body, which has to be read first. */
  body: 2,
  /** Anything else: path, query, method, address, labels, time. */
  other: 4,
} as const

export interface Compiled {
  readonly matches: Matcher
  /** Bits of LOOKS. */
  readonly looks: number
}

export interface Reader {
  readonly read: (request: Inspected) => Reading
  /** Bits of LOOKS. */
  readonly looks: number
}
