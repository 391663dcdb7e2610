//! Large objects in slices: aligned pieces, each an object of its own beside the others, and an index at the object's key
//! that says what they are pieces of. Pure: when an object is kept so, how a slice is named, what an index holds.
//!
//! A slice's key names the version that it belongs to, so that bytes of two versions can never meet; a slice has no
//! lifetime of its own and is good for as long as an index leads to it.
import { type StrongValidator, strongValidator } from '../../http/conditional.ts'
import { allValues, firstValue } from '../../http/headers.ts'
import { parseContentRange } from '../../http/range.ts'
import type { Answer } from './flight.ts'
import { INDEX, type ObjectMeta, StoredObject } from './object.ts'

/** Bytes of a slice: an origin request each, and what a viewer that stalls holds. */
const SLICE_BYTES = 1024 * 1024
const SLICE_BYTES_MIN = 64 * 1024
/** A slice is at most this share of the largest object that a store keeps whole, so that a small store holds several. */
const SLICE_SHARE_MAX = 1 / 4
/** Freshness of a slice, milliseconds of Clock.now(): its index decides (not Infinity, which JSON cannot say). */
export const ALWAYS = Number.MAX_SAFE_INTEGER

/** One version of a large object. */
export interface SlicedVersion {
  /** Key of the index. */
  readonly key: string
  /** Bytes of the whole object. */
  readonly length: number
  readonly sliceBytes: number
  /** What all its slices share. */
  readonly validator: StrongValidator
  /** Cache tags of the index, as of ObjectMeta. */
  readonly tags: string
}

/** Slice number `at` (from 0) of a version: what an inner exchange asks for. */
export interface SliceAsked {
  readonly of: SlicedVersion
  readonly at: number
}

/** Bytes of a slice in a store whose largest object has `objectBytesMax` bytes: a power of two from 64 KiB to 1 MiB. */
export function sliceBytesFor(objectBytesMax: number): number {
  let bytes = SLICE_BYTES
  while (bytes > SLICE_BYTES_MIN && bytes > objectBytesMax * SLICE_SHARE_MAX) bytes /= 2
  return bytes
}

/** First and last byte of a slice within the object. */
export function sliceRange({ of, at }: SliceAsked): { readonly first: number; readonly last: number } {
  const first = at * of.sliceBytes
  return { first, last: Math.min(first + of.sliceBytes, of.length) - 1 }
}

/** The version in one line, equal only for equal bytes. */
export const versionName = ({ length, sliceBytes, validator }: SlicedVersion): string =>
  `${sliceBytes} ${length} ${validator.value}`

/** Key of a slice. A line that begins so is in no other key: the name of a header is followed by a colon. */
export const sliceKey = (slice: SliceAsked): string => `${slice.of.key}\n#slice ${slice.at} ${versionName(slice.of)}`

/**
 * The version that a whole answer can be kept in slices as; null when it cannot: its origin must say that it answers
 * ranges, and the parts that it will send must tell of what version they are (RFC 9110 15.3.7.3: a strong validator).
 */
export function slicedVersion(
  key: string,
  headers: readonly string[],
  length: number | null,
  objectBytesMax: number,
  nowMs: number,
): SlicedVersion | null {
  if (length === null || !acceptsRanges(headers)) return null
  const validator = strongValidatorIn(headers, nowMs)
  return validator === null ? null : { key, length, sliceBytes: sliceBytesFor(objectBytesMax), validator, tags: '' }
}

function acceptsRanges(headers: readonly string[]): boolean {
  const units = allValues(headers, 'accept-ranges').join(',').toLowerCase().split(',')
  return units.some((unit) => unit.trim() === 'bytes')
}

/** The strong validator of a head (name, value, name, value ...); null when it has none. */
export const strongValidatorIn = (headers: readonly string[], nowMs: number): StrongValidator | null =>
  strongValidator(
    {
      etag: firstValue(headers, 'etag'),
      lastModified: firstValue(headers, 'last-modified'),
      date: firstValue(headers, 'date'),
    },
    nowMs,
  )

/** Header lines by which the origin is asked for a slice of that version and no other (RFC 9110 13.1.1, 13.1.4). */
export function sliceHeaders(slice: SliceAsked): string[] {
  const { first, last } = sliceRange(slice)
  const { kind, value } = slice.of.validator
  return ['Range', `bytes=${first}-${last}`, kind === 'etag' ? 'If-Match' : 'If-Unmodified-Since', value]
}

/** What the origin's head for a slice says. */
export type SliceVerdict =
  /** The bytes that were asked for, of the version that was asked for. */
  | 'right'
  /** The origin has another version, or none. */
  | 'changed'
  /** The origin sends something else than it was asked for, or does not tell of what version it is. */
  | 'refused'
  /** The origin fails, or refuses this request: nothing is known of the object. */
  | 'failed'

/** By these an origin says that it has not, or no longer, what was asked for. */
const GONE = new Set([404, 410, 412, 416])

export function judgeSlice(slice: SliceAsked, status: number, headers: readonly string[]): SliceVerdict {
  if (status >= 400 && !GONE.has(status)) return 'failed'
  if (status !== 200 && status !== 206) return 'changed'
  const { kind, value } = slice.of.validator
  const told = firstValue(headers, kind)
  if (told !== undefined && told !== value) return 'changed'
  if (told === undefined || status === 200) return 'refused'
  const [text, another] = allValues(headers, 'content-range')
  const part = text === undefined || another !== undefined ? null : parseContentRange(text)
  if (part === null) return 'refused'
  if (part.length !== slice.of.length) return 'changed'
  const { first, last } = sliceRange(slice)
  const sized = firstValue(headers, 'content-length') === String(last - first + 1)
  return part.first === first && part.last === last && sized ? 'right' : 'refused'
}

/** The index of a version under the head of its whole answer; in no store yet. */
export function makeIndex(
  { key, length, sliceBytes, validator }: SlicedVersion,
  answer: Answer,
  place: Pick<ObjectMeta, 'distributionId' | 'uri'>,
): StoredObject {
  const meta: ObjectMeta = { ...answer, ...place, status: INDEX.slices }
  const body = Buffer.from(JSON.stringify({ length, sliceBytes, validator }), 'latin1')
  return new StoredObject(key, NOWHERE, meta, body, nothing, nothing)
}

/** What an index leads to. */
export function versionOf({ key, tags, body }: StoredObject): SlicedVersion {
  const told = JSON.parse(body.toString('latin1')) as Pick<SlicedVersion, 'length' | 'sliceBytes' | 'validator'>
  return { ...told, key, tags }
}

const NOWHERE = -1
const nothing = (): void => {}
