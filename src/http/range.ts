//! Byte ranges (RFC 9110 14, spec/cloudfront.md 5.6): reading Range, resolving it against a length, and the texts of the
//! answers 206 and 416. Pure; no input makes it throw.

/** Parts of one request; a longer list is answered with the whole object, as RFC 9110 14.2 allows against abuse. */
export const RANGES_MAX = 64

/** Bytes `first` to `last` of an object, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/** One part as it was asked for: `first-last` (last infinite for `first-`), or the last `suffix` bytes. */
export type RangeSpec = { readonly first: number; readonly last: number } | { readonly suffix: number }

/** What a Range asks of an object of a known length. */
export type ResolvedRange =
  /** To be ignored: the whole object is the answer. */
  | { readonly kind: 'whole' }
  /** 416. */
  | { readonly kind: 'unsatisfiable' }
  /** 206: one or more ranges, ascending, without overlap, each within the object. */
  | { readonly kind: 'parts'; readonly ranges: readonly [ByteRange, ...ByteRange[]] }

const WHOLE: ResolvedRange = { kind: 'whole' }
const UNSATISFIABLE: ResolvedRange = { kind: 'unsatisfiable' }

/** With its whitespace, which a pattern that seeks the end of would take quadratic time over. */
const SPEC = /^[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*$/
const BLANK = /^[ \t]*$/

/**
 * The parts that the values of all Range lines ask for, in their order; null when there is nothing to obey: another unit
 * than bytes, a text that breaks the grammar, a part that ends before it begins, several Range lines, or more than
 * RANGES_MAX parts. Numbers of any length are understood; those beyond 2^53 - 1 mean that.
 */
export function parseRange(values: readonly string[]): readonly RangeSpec[] | null {
  const [value] = values
  if (value === undefined || values.length > 1 || !/^bytes=/i.test(value)) return null
  const specs: RangeSpec[] = []
  for (const element of value.slice('bytes='.length).split(',')) {
    // Empty list elements are allowed to be there (RFC 9110 5.6.1.2).
    if (BLANK.test(element)) continue
    const spec = SPEC.exec(element)
    if (spec === null || specs.length === RANGES_MAX) return null
    const [, first, last, suffix] = spec
    if (first === undefined) {
      specs.push({ suffix: position(suffix ?? '') })
      continue
    }
    const from = position(first)
    const to = last === '' || last === undefined ? Number.POSITIVE_INFINITY : position(last)
    if (to < from) return null
    specs.push({ first: from, last: to })
  }
  return specs.length === 0 ? null : specs
}

const position = (digits: string): number => Math.min(Number(digits), Number.MAX_SAFE_INTEGER)

/**
 * Resolves parts against an object of `length` bytes. Several parts must be ascending, without overlap and each within
 * the object, else the whole object is the answer: CloudFront's rule (spec 5.6), stricter than RFC 9110, which lets a
 * server answer those parts that exist. When no part exists at all, it is 416.
 */
export function resolveRange(specs: readonly RangeSpec[], length: number): ResolvedRange {
  const found = specs.map((spec) => resolveOne(spec, length))
  const ranges = found.filter((range) => range !== null)
  const [first, ...others] = ranges
  if (first === undefined) {
    // The last bytes of an empty object are all of it, which Content-Range has no words for.
    const allOfNothing = length === 0 && specs.some((spec) => 'suffix' in spec && spec.suffix > 0)
    return allOfNothing ? WHOLE : UNSATISFIABLE
  }
  if (ranges.length < found.length) return WHOLE
  let end = first.last
  for (const range of others) {
    if (range.first <= end) return WHOLE
    end = range.last
  }
  return { kind: 'parts', ranges: [first, ...others] }
}

function resolveOne(spec: RangeSpec, length: number): ByteRange | null {
  if ('suffix' in spec) {
    if (spec.suffix === 0 || length === 0) return null
    return { first: Math.max(0, length - spec.suffix), last: length - 1 }
  }
  return spec.first >= length ? null : { first: spec.first, last: Math.min(spec.last, length - 1) }
}

/** Bytes of a range. */
export const rangeLength = ({ first, last }: ByteRange): number => last - first + 1

/** Content-Range of a part of an object of `length` bytes. */
export const contentRange = ({ first, last }: ByteRange, length: number): string => `bytes ${first}-${last}/${length}`

/** Content-Range of a 416. */
export const unsatisfiedRange = (length: number): string => `bytes */${length}`

/** What a Content-Range says of a part; `length` is null for `*`. Null for another unit, a 416's, or no sense. */
export function parseContentRange(value: string): (ByteRange & { readonly length: number | null }) | null {
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)$/i.exec(value)
  if (match === null) return null
  const [first, last] = [Number(match[1]), Number(match[2])]
  const length = match[3] === '*' ? null : Number(match[3])
  return last < first || (length !== null && last >= length) ? null : { first, last, length }
}

/** A piece of the body of a partial answer: text that stands between, or bytes of the object. */
export type BodyPiece = string | ByteRange

/** The body of a multipart answer. */
export interface Multipart {
  readonly contentType: string
  /** Bytes of the body. */
  readonly length: number
  /** Texts are latin1: one character is one byte. */
  readonly pieces: readonly BodyPiece[]
}

/**
 * The body of type multipart/byteranges (RFC 9110 14.6, RFC 2046 5.1.1). `boundary` has 1-70 letters, digits, `-` or `_`
 * and must not be guessable, so that no object can hold it; `contentType` is that of the object, '' for none.
 */
export function multipart(
  ranges: readonly ByteRange[],
  objectLength: number,
  contentType: string,
  boundary: string,
): Multipart {
  const type = contentType === '' ? '' : `Content-Type: ${contentType}\r\n`
  const pieces: BodyPiece[] = []
  let length = 0
  ranges.forEach((range, at) => {
    const lineBreak = at === 0 ? '' : '\r\n'
    const head = `${lineBreak}--${boundary}\r\n${type}Content-Range: ${contentRange(range, objectLength)}\r\n\r\n`
    pieces.push(head, range)
    length += head.length + rangeLength(range)
  })
  const end = `\r\n--${boundary}--\r\n`
  pieces.push(end)
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length: length + end.length, pieces }
}
