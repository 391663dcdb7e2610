//! Conditional requests (RFC 9110 13, RFC 9111 4.3): 304 and 412 to a viewer, If-Range, revalidation of a stale object.
import { allValues } from './headers.ts'
import { parseHttpDate } from './http-date.ts'

/** The validators of a stored object; undefined when the origin gave none. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** When the stored answer was made: stands in for Last-Modified where there is none (RFC 9111 4.3.2). */
  readonly date?: string | undefined
}

/** A viewer's conditions: list fields with all their lines joined, dates as they came; null when absent. */
export interface Conditions {
  readonly ifMatch: string | null
  readonly ifUnmodifiedSince: string | null
  readonly ifNoneMatch: string | null
  readonly ifModifiedSince: string | null
}

export type ConditionOutcome =
  /** They hold: answer as if there were none; a range may still be asked for. */
  | 'proceed'
  /** 304. */
  | 'not-modified'
  /** 412. */
  | 'precondition-failed'

/**
 * What the conditions of a GET or HEAD make of an answer that would be 200 or 206, in the order of RFC 9110 13.2.2:
 * If-Match by strong comparison, without it If-Unmodified-Since; then If-None-Match by weak comparison, without it
 * If-Modified-Since. A date that is none is ignored, If-Unmodified-Since also for an object without Last-Modified (RFC
 * 9110 13.1.4), and If-Modified-Since for one without Last-Modified and Date.
 */
export function evaluateConditions(
  { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince }: Conditions,
  stored: Validators,
  nowMs: number,
): ConditionOutcome {
  if (ifMatch !== null) {
    if (!matchesStrongly(ifMatch, stored.etag)) return 'precondition-failed'
  } else if (ifUnmodifiedSince !== null && stored.lastModified !== undefined) {
    if (modifiedSince(stored, ifUnmodifiedSince, nowMs) === true) return 'precondition-failed'
  }
  if (ifNoneMatch !== null) return matchesWeakly(ifNoneMatch, stored.etag) ? 'not-modified' : 'proceed'
  if (ifModifiedSince !== null && modifiedSince(stored, ifModifiedSince, nowMs) === false) return 'not-modified'
  return 'proceed'
}

/**
 * True when a range may be answered with 206 (RFC 9110 13.1.5): If-Range names the object's entity tag (both strong) or
 * its very Last-Modified, and that date is strong: at least a second older than `date`, the answer's Date (8.8.2.2).
 */
export function ifRangeHolds(ifRange: string, stored: Validators, date: string | undefined, nowMs: number): boolean {
  const value = ifRange.trim()
  if (value.startsWith('"') || value.startsWith('W/')) return isStrong(value) && value === stored.etag
  if (stored.lastModified === undefined || date === undefined) return false
  const wanted = parseHttpDate(value, nowMs)
  const modified = parseHttpDate(stored.lastModified, nowMs)
  const generated = parseHttpDate(date, nowMs)
  if (wanted === null || modified === null || generated === null) return false
  return wanted === modified && generated - modified >= 1_000
}

/** A validator that two answers share only when their bytes are equal (RFC 9110 8.8.1). */
export interface StrongValidator {
  readonly kind: 'etag' | 'last-modified'
  readonly value: string
}

/**
 * The strong validator of an answer: its entity tag unless weak, else its Last-Modified when that is at least a second
 * older than its Date (RFC 9110 8.8.2.2); null for neither.
 */
export function strongValidator({ etag, lastModified, date }: Validators, nowMs: number): StrongValidator | null {
  if (etag !== undefined && isStrong(etag)) return { kind: 'etag', value: etag }
  if (lastModified === undefined || !ifRangeHolds(lastModified, { etag, lastModified }, date, nowMs)) return null
  return { kind: 'last-modified', value: lastModified }
}

/** Null when one of the dates is none. */
function modifiedSince({ lastModified, date }: Validators, since: string, nowMs: number): boolean | null {
  const at = parseHttpDate(since, nowMs)
  const text = lastModified ?? date
  const modified = text === undefined ? null : parseHttpDate(text, nowMs)
  return at === null || modified === null ? null : modified > at
}

/** entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE; a comma may be part of a tag. */
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g
const STRONG_TAG = /^"[\x21\x23-\x7e\x80-\xff]*"$/

const isStrong = (etag: string): boolean => STRONG_TAG.test(etag)

/** Strong comparison (RFC 9110 8.8.3.2): neither is weak. `*` matches whatever is there. */
function matchesStrongly(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true
  if (etag === undefined || !isStrong(etag)) return false
  for (const [, weak, tag] of list.matchAll(TAG)) if (weak === undefined && tag === etag) return true
  return false
}

/** Weak comparison: the opaque parts are equal. */
function matchesWeakly(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true
  if (etag === undefined) return false
  const opaque = etag.startsWith('W/') ? etag.slice(2) : etag
  for (const [, , tag] of list.matchAll(TAG)) if (tag === opaque) return true
  return false
}

/** Name, value, name, value of the conditions that ask the origin whether a stored object is still good (9111 4.3.1). */
export function revalidationHeaders(stored: Validators): string[] {
  const headers: string[] = []
  if (stored.etag !== undefined) headers.push('If-None-Match', stored.etag)
  if (stored.lastModified !== undefined) headers.push('If-Modified-Since', stored.lastModified)
  return headers
}

/**
 * Never taken from a 304: they say what the stored bytes are (RFC 9111 3.2). A media type may be corrected, a digest, a
 * coding or an entity tag of other bytes may not.
 */
const NOT_UPDATED: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'etag',
  'transfer-encoding',
])

/**
 * The stored fields after a 304 (RFC 9111 3.2): each field of `fresh` replaces all of its name. Both are name, value,
 * name, value; `fresh` must be free of hop-by-hop fields already (headers.ts).
 */
export function mergeNotModified(stored: readonly string[], fresh: readonly string[]): string[] {
  const replaced = new Set<string>()
  for (let i = 0; i < fresh.length; i += 2) {
    const name = fresh[i]!.toLowerCase()
    if (!NOT_UPDATED.has(name)) replaced.add(name)
  }
  const merged: string[] = []
  for (let i = 0; i < stored.length; i += 2) {
    if (!replaced.has(stored[i]!.toLowerCase())) merged.push(stored[i]!, stored[i + 1]!)
  }
  for (let i = 0; i < fresh.length; i += 2) {
    if (replaced.has(fresh[i]!.toLowerCase())) merged.push(fresh[i]!, fresh[i + 1]!)
  }
  return merged
}

/** Fields of a 304 to the viewer (RFC 9110 15.4.5): those that a 200 would have had and that a cache needs. */
const IN_NOT_MODIFIED = [
  'cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'last-modified',
  'vary',
] as const

export function notModifiedHeaders(stored: readonly string[]): string[] {
  return IN_NOT_MODIFIED.flatMap((name) => {
    const values = allValues(stored, name)
    return values.flatMap((value) => [name, value])
  })
}
