//! Stored parts: what a 206 of the origin brought of an object that is not here as a whole. One part for a key; a later
//! one that touches it joins it, if both are known to be of one version. Pure.
import { strongValidator } from '../../http/conditional.ts'
import { allValues, firstValue } from '../../http/headers.ts'
import { type ByteRange, parseContentRange, rangeLength } from '../../http/range.ts'
import { INDEX, type ObjectMeta, type StoredObject } from './object.ts'

/** Where a part lies in the object; `length` is that of the whole object. */
export interface PartPlace extends ByteRange {
  readonly length: number
}

/** The place of an origin's 206 of one part; null for any other answer, and when the whole length is not told. */
export function placeIn(status: number, headers: readonly string[]): PartPlace | null {
  const [text, another] = allValues(headers, 'content-range')
  if (status !== 206 || text === undefined || another !== undefined) return null
  const place = parseContentRange(text)
  return place === null || place.length === null ? null : { ...place, length: place.length }
}

/**
 * The place of as many bytes as have come. Some origins count the end of Content-Range, and with it the length, as the
 * byte behind the last one; what has come is what there is: it begins where they say, and where they say that it reaches
 * the end, the object ends with it. `sure` is false then: nothing may be joined to such a part.
 */
export function placeOf(told: PartPlace, bytes: number): { readonly place: PartPlace; readonly sure: boolean } | null {
  if (bytes === rangeLength(told)) return { place: told, sure: true }
  if (bytes === 0) return null
  const last = told.first + bytes - 1
  const length = told.last === told.length - 1 ? last + 1 : told.length
  return last < length ? { place: { first: told.first, last, length }, sure: false } : null
}

const PLACE_BYTES = 24

/** The body of a stored part: its place, then its bytes. */
export function packPart({ first, last, length }: PartPlace, chunks: readonly Uint8Array[]): Uint8Array[] {
  const place = Buffer.allocUnsafe(PLACE_BYTES)
  place.writeDoubleLE(first, 0)
  place.writeDoubleLE(last, 8)
  place.writeDoubleLE(length, 16)
  return [place, ...chunks]
}

export const placeOfPart = ({ body }: Pick<StoredObject, 'body'>): PartPlace => ({
  first: body.readDoubleLE(0),
  last: body.readDoubleLE(8),
  length: body.readDoubleLE(16),
})

/** The bytes of a stored part; a view. */
export const bytesOfPart = ({ body }: Pick<StoredObject, 'body'>): Buffer => body.subarray(PLACE_BYTES)

/** True when all of the ranges lie within the part. */
export const holds = (place: PartPlace, ranges: readonly ByteRange[]): boolean =>
  ranges.every(({ first, last }) => first >= place.first && last <= place.last)

/** A stored head and the validators in it, as far as they tell versions apart for sure. */
type Versioned = Pick<ObjectMeta, 'etag' | 'lastModified'> & { readonly date: string | undefined }

/** True when two parts may be joined: equal strong validators (RFC 9110 15.3.7.3). */
export function isOneVersion(one: Versioned, other: Versioned, nowMs: number): boolean {
  const [x, y] = [validatorOf(one, nowMs), validatorOf(other, nowMs)]
  return x !== null && y !== null && x.kind === y.kind && x.value === y.value
}

const validatorOf = ({ etag, lastModified, date }: Versioned, nowMs: number) =>
  strongValidator({ etag: etag || undefined, lastModified: lastModified || undefined, date }, nowMs)

/** Two parts that overlap or touch as one; null when there is a gap between them or their objects differ in length. */
export function join(
  older: { readonly place: PartPlace; readonly bytes: Uint8Array },
  newer: { readonly place: PartPlace; readonly bytes: Uint8Array },
): { readonly place: PartPlace; readonly chunks: Uint8Array[] } | null {
  const [x, y] = [older.place, newer.place]
  if (x.length !== y.length || x.first > y.last + 1 || y.first > x.last + 1) return null
  const before = older.bytes.subarray(0, Math.max(0, y.first - x.first))
  const behind = older.bytes.subarray(Math.max(0, rangeLength(x) - Math.max(0, x.last - y.last)))
  const place = { first: Math.min(x.first, y.first), last: Math.max(x.last, y.last), length: x.length }
  return { place, chunks: [before, newer.bytes, behind].filter((chunk) => chunk.length > 0) }
}

export const isWhole = ({ first, last, length }: PartPlace): boolean => first === 0 && last === length - 1

/** The head of the 200 that a stored 206 is a part of. */
export const wholeHead = (head: string): string =>
  `HTTP/1.1 200 OK${head.slice(head.indexOf('\r\n')).replace(/\r\nContent-Range:[^\r\n]*/gi, '')}`

/** The fields of a 206 without those that describe the part. */
export function withoutPart(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (!OF_A_PART.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string)
  }
  return kept
}

const OF_A_PART = new Set(['content-range', 'content-length'])

/** True when an origin's 206 is all that was missing behind a part that begins the object, and of the same version. */
export function continues(
  part: StoredObject,
  date: string | undefined,
  status: number,
  headers: readonly string[],
  nowMs: number,
): boolean {
  const place = placeOfPart(part)
  const next = placeIn(status, headers)
  if (part.status !== INDEX.part || place.first !== 0 || next === null) return false
  if (next.length !== place.length || next.first !== place.last + 1 || next.last !== next.length - 1) return false
  const told = {
    etag: firstValue(headers, 'etag') ?? '',
    lastModified: firstValue(headers, 'last-modified') ?? '',
    date: firstValue(headers, 'date'),
  }
  return isOneVersion({ ...part, date }, told, nowMs)
}
