//! A cached answer as the request path sees it: its head is text that was put together once, its body a view of the
//! memory where it lies. A hit reads fields and compares one integer; it parses nothing.
import type { FreshnessReason } from '../../http/freshness.ts'
import type { EncodedPart, HeadPart } from '../listen/viewer.ts'

/**
 * Statuses of objects that are no answers but lead to others; below 100, so that a hit is told from them by one
 * comparison.
 */
export const INDEX = {
  /** Strict mode: the header names that select among the variants of a key. */
  variants: 1,
  /** A large object that is kept in slices: its head, length and validators. */
  slices: 2,
  /** Some of the bytes of an object, from a 206 (cache/parts.ts). */
  part: 3,
} as const

/** What is known of an answer besides its key and body. */
export interface ObjectMeta {
  readonly status: number
  /** Status line and header lines, without those that each delivery adds; ends with a line break. */
  readonly head: string
  readonly distributionId: string
  /** What invalidation paths are compared with. */
  readonly uri: string
  readonly contentType: string
  readonly etag: string
  readonly lastModified: string
  /** Milliseconds, Clock.now(): when its age was zero; moved back by the Age that it came with. */
  readonly bornAt: number
  readonly freshUntil: number
  /** When it is too old to stand in for an origin that fails. */
  readonly staleUntil: number
  /** Until then it is served although it is stale, while it is refreshed behind; `freshUntil` when that is not allowed. */
  readonly swrUntil: number
  readonly ttlSource: FreshnessReason
  /** Revision under which the fetch at the origin, or the 304, began. */
  readonly asOf: number
  /**
   * The header that cache tags were read from, then the tags in lower case, each followed by a comma: `x-tags,a,b,`; empty
   * for none.
   */
  readonly tags: string
  /** Strict mode: what of the request selected this variant (cache/variants.ts); empty when nothing did. */
  readonly variant: string
}

/** A head that was made once for all who get the same. */
export interface KeptHead extends HeadPart {
  /** Empty before the first. */
  text: string
  encoded: EncodedPart | null
  /** What a response headers policy does to it; null for nothing. */
  edit: object | null
  /** The text is in one piece (lib/flat-text.ts). */
  isFlat: boolean
}

/** Of an object without kept heads; it is replaced, never written to. */
const NO_HEAD: KeptHead = { text: '', encoded: null, edit: null, isFlat: false }

export class StoredObject implements ObjectMeta {
  readonly key: string
  readonly status: number
  readonly head: string
  readonly distributionId: string
  readonly uri: string
  readonly contentType: string
  readonly etag: string
  readonly lastModified: string
  readonly bornAt: number
  /** Moved on when the object is kept although it is stale, because the origin fails. */
  freshUntil: number
  readonly staleUntil: number
  readonly swrUntil: number
  readonly ttlSource: FreshnessReason
  readonly asOf: number
  readonly tags: string
  readonly variant: string
  readonly body: Buffer
  /** Number of the entry in the store. */
  readonly entry: number
  /** The newest invalidation that it was compared with; a hit compares only with newer ones. */
  checkedRevision: number
  /** The head with everything that a hit always adds; made by the first delivery. */
  hitHead: KeptHead = NO_HEAD
  /** The same for other edits, few; null for none. */
  otherHitHeads: KeptHead[] | null = null
  /** Header lines of a 304 for it; made by the first one. */
  notModifiedHead: Omit<KeptHead, 'isFlat'> = NO_HEAD
  /** Marks the memory as being sent; each call is paired with one of `release`. */
  readonly hold: () => void
  readonly release: () => void

  constructor(key: string, entry: number, meta: ObjectMeta, body: Buffer, hold: () => void, release: () => void) {
    this.key = key
    this.entry = entry
    this.status = meta.status
    this.head = meta.head
    this.distributionId = meta.distributionId
    this.uri = meta.uri
    this.contentType = meta.contentType
    this.etag = meta.etag
    this.lastModified = meta.lastModified
    this.bornAt = meta.bornAt
    this.freshUntil = meta.freshUntil
    this.staleUntil = meta.staleUntil
    this.swrUntil = meta.swrUntil
    this.ttlSource = meta.ttlSource
    this.asOf = meta.asOf
    this.tags = meta.tags
    this.variant = meta.variant
    this.checkedRevision = meta.asOf
    this.body = body
    this.hold = hold
    this.release = release
  }
}
