//! Cache tags of an origin's answer (spec/cloudfront.md 8, by tag): read from the header that the distribution's
//! CacheTagConfig names. Pure. The header stays among the answer's headers: of its removal CloudFront's documents say
//! nothing, and x-amz-meta-* of S3, which they recommend, reaches viewers (unconfirmed).
import { isCacheTag, TAGS_PER_OBJECT_MAX } from '../../domain/cache-tags.ts'
import { allValues } from '../../http/headers.ts'

/**
 * Tags as ObjectMeta.tags has them: the header's name, then each tag in lower case, each followed by a comma; empty for
 * none. What is no tag is passed over and does not count (unconfirmed).
 * @param header lower case; empty for a distribution without CacheTagConfig
 * @param headers name, value, name, value ...
 */
export function cacheTags(header: string, headers: readonly string[]): string {
  if (header === '') return ''
  const tags = new Set<string>()
  for (const value of allValues(headers, header)) {
    for (const piece of value.split(',')) {
      if (tags.size === TAGS_PER_OBJECT_MAX) break
      const tag = piece.trim().toLowerCase()
      if (isCacheTag(tag)) tags.add(tag)
    }
  }
  return tags.size === 0 ? '' : `${header},${[...tags].join(',')},`
}

/** Tags after a 304 (RFC 9111 3.2): those that it brings, otherwise those that were stored from the same header. */
export function refreshedCacheTags(header: string, headers: readonly string[], stored: string): string {
  if (header === '') return ''
  if (allValues(headers, header).length > 0) return cacheTags(header, headers)
  return stored.startsWith(`${header},`) ? stored : ''
}
