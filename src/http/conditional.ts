//! Conditional requests (RFC 9110 13, RFC 9111 4.3): 304 to a viewer from a fresh object, revalidation of a stale one.
import { firstValue } from './headers.ts'
import { parseHttpDate } from './http-date.ts'

/** The validators of a stored object; undefined when the origin gave none. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/**
 * True when a viewer's GET or HEAD for a stored 200 is to be answered 304: If-None-Match by weak comparison (13.1.2),
 * and only without it If-Modified-Since (13.1.3). Values are all If-None-Match lines and the first If-Modified-Since.
 */
export function isNotModified(
  ifNoneMatch: readonly string[],
  ifModifiedSince: string | undefined,
  stored: Validators,
  nowMs: number,
): boolean {
  if (ifNoneMatch.length > 0) {
    const list = ifNoneMatch.join(',')
    if (list.trim() === '*') return true
    return stored.etag !== undefined && hasTag(list, opaque(stored.etag))
  }
  if (ifModifiedSince === undefined || stored.lastModified === undefined) return false
  const since = parseHttpDate(ifModifiedSince, nowMs)
  const modified = parseHttpDate(stored.lastModified, nowMs)
  return since !== null && modified !== null && modified <= since
}

/** entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE; a comma may be part of a tag. */
const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

function hasTag(list: string, wanted: string): boolean {
  for (const match of list.matchAll(TAG)) if (match[1] === wanted) return true
  return false
}

const opaque = (etag: string): string => (etag.startsWith('W/') ? etag.slice(2) : etag)

/** Name, value, name, value of the conditions that ask the origin whether a stored object is still good (9111 4.3.1). */
export function revalidationHeaders(stored: Validators): string[] {
  const headers: string[] = []
  if (stored.etag !== undefined) headers.push('If-None-Match', stored.etag)
  if (stored.lastModified !== undefined) headers.push('If-Modified-Since', stored.lastModified)
  return headers
}

/** Never taken from a 304: they describe the body that is stored (RFC 9111 3.2). */
const NOT_UPDATED: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
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
    const value = firstValue(stored, name)
    return value === undefined ? [] : [name, value]
  })
}
