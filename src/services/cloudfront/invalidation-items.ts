//! What an invalidation may name (spec/cloudfront.md 8): paths, wildcards, and `#tag` items of a distribution that reads
//! cache tags. Pure.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { CACHE_TAG_CHARS_MAX, isCacheTag } from '../../domain/cache-tags.ts'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'

const FIELD = 'InvalidationBatch.Paths'
const isTagItem = (item: string): boolean => item.startsWith('#')

/** Header that cache tags are read from, lower case; undefined for a distribution without CacheTagConfig. */
export const tagHeaderOf = ({ config }: DistributionRecord): string | undefined =>
  (config as DistributionConfig).CacheTagConfig?.HeaderName?.toLowerCase()

/** Each item counts as one towards the limits, tags too. @throws InvalidArgument, BatchTooLarge */
export function checkItems(items: readonly string[], tagHeader: string | undefined, quotas: Quotas): void {
  if (items.length === 0) throw invalidArgument(FIELD, 'it has at least one path or tag')
  if (items.length > quotas.invalidationPaths) {
    throw cloudfrontFault('BatchTooLarge', `A batch has at most ${quotas.invalidationPaths} paths or tags.`)
  }
  for (const item of items) {
    if (isTagItem(item)) checkTag(item, tagHeader)
    else checkPath(item)
  }
}

function checkTag(item: string, tagHeader: string | undefined): void {
  // The code is unconfirmed: AWS's documents say only that the distribution must have the configuration.
  if (tagHeader === undefined) {
    throw invalidArgument(
      FIELD,
      `${quoted(item)} is a cache tag, and the distribution has no CacheTagConfig to read tags by`,
    )
  }
  // There are no wildcards of tags: a * is a character like any other.
  if (!isCacheTag(item.slice(1))) {
    throw invalidArgument(
      FIELD,
      `${quoted(item)} must be # and 1 to ${CACHE_TAG_CHARS_MAX} visible ASCII characters without a comma`,
    )
  }
}

function checkPath(path: string): void {
  const star = path.indexOf('*')
  const bad = !/^\/[\x21-\x7e]*$/.test(path) || path.length > QUOTAS.invalidationPathChars
  if (bad || (star >= 0 && star < path.length - 1)) {
    throw invalidArgument(
      FIELD,
      `${quoted(path)} must begin with /, be URL-encoded, have * only as its last character and at most ${QUOTAS.invalidationPathChars} characters`,
    )
  }
}

/** How many of the items are wildcards. */
export const wildcardsOf = (items: readonly string[]): number =>
  items.filter((item) => !isTagItem(item) && item.endsWith('*')).length

/** Order and repetition do not matter (unconfirmed). */
export const sameItems = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort())
