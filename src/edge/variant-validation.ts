//! A request selects a variant that is not there, and others of the key are: the origin is told of their entity tags, and
//! may say by a 304 that one of them is right for this request too (RFC 9111 4.1, 4.3.1). Strict mode only.
import { INDEX, type StoredObject } from './cache/object.ts'
import { unpackIndex, variantKey } from './cache/variants.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'

/** Entity tags that one request offers; those of the newest variants. */
const TAGS_MAX = 8

/** Strong ones only: two variants may share a weak one, and the 304 would not tell which of them is meant. */
const isStrong = (etag: string): boolean => etag.startsWith('"')

/** Value of If-None-Match for a request that has nothing of its own to be confirmed; empty for none. */
export function offeredTags(x: Exchange, edge: Edge): string {
  if (x.indexKey === '' || x.stale !== null || x.slice !== null || x.request.method !== 'GET') return ''
  if (x.variantTags === 'refused' || x.facts.selection?.range) return ''
  return [...new Set(alive(x, edge).map(({ etag }) => etag))].join(', ')
}

/** The variant that a 304 confirms by its entity tag; null when it names none, or one that has gone since. */
export const confirmedVariant = (x: Exchange, edge: Edge, etag: string | undefined): StoredObject | null =>
  alive(x, edge).find((variant) => variant.etag === etag) ?? null

/** Variants of the key of `x` that are in memory, may be used once they are confirmed, and can be told by their tags. */
function alive(x: Exchange, edge: Edge): StoredObject[] {
  const index = edge.store.get(x.indexKey)
  if (index === null || index.status !== INDEX.variants) return []
  const found: StoredObject[] = []
  for (const { variant } of unpackIndex(index).variants) {
    const object = edge.store.get(variantKey(x.indexKey, variant))
    if (object === null || object.status !== 200 || !isStrong(object.etag)) continue
    if (edge.invalidations.standing(object) === 'dead') continue
    found.push(object)
    if (found.length === TAGS_MAX) break
  }
  return found
}
