//! What the answer to a HEAD says of the stored answer to GET (RFC 9111 4.3.5): the same object is freshened by it as by a
//! 304, and of another one it tells that what is stored is no longer what the origin has. Strict mode only.
import { firstValue } from '../http/headers.ts'
import type { Answer, Flight } from './cache/flight.ts'
import type { StoredObject } from './cache/object.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { type AnswerContext, refreshedAnswer } from './origin/answer.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'

/** What a HEAD's answer is of. */
export type HeadOf = 'the-stored' | 'another' | 'unknown'

/**
 * Compares what both have of entity tag, modification date and length: one that differs is enough for another object, one
 * that is the same for the stored one. `headers` are the HEAD's: name, value, name, value. Pure.
 */
export function headOf(
  headers: readonly string[],
  stored: { readonly etag: string; readonly lastModified: string; readonly length: number },
): HeadOf {
  const pairs: readonly (readonly [said: string | undefined, known: string])[] = [
    [firstValue(headers, 'etag'), stored.etag],
    [firstValue(headers, 'last-modified'), stored.lastModified],
    [firstValue(headers, 'content-length'), `${stored.length}`],
  ]
  const compared = pairs.filter(([said]) => said !== undefined)
  if (compared.some(([said, known]) => said !== known)) return 'another'
  return compared.length > 0 ? 'the-stored' : 'unknown'
}

/** Applies a 200 to HEAD to the object that a GET of the same would have found, stale or not wanted as it was. */
export function applyHead(x: Exchange, edge: Edge, context: AnswerContext): void {
  const { stale } = x
  const { strict, compresses } = x.behavior as BehaviorPlan
  // What the edge has compressed is not what the origin tells of.
  if (!strict || compresses || stale === null || stale.status !== 200) return
  const { status, headers } = x.flight as Flight
  if (status !== 200) return
  switch (headOf(headers, { etag: stale.etag, lastModified: stale.lastModified, length: stale.body.length })) {
    case 'the-stored':
      freshen(x, edge, stale, refreshedAnswer(stale, x.flight as Flight, context))
      return
    case 'another':
      if (edge.store.get(stale.key) !== null) edge.store.delete(stale.key)
  }
}

function freshen(x: Exchange, edge: Edge, stale: StoredObject, answer: Answer): void {
  x.watcher?.note('freshens', stale.key)
  if (answer.notStored !== null) {
    edge.store.delete(stale.key)
    return
  }
  const { distributionId, uri, variant } = stale
  if (edge.invalidations.isDead(distributionId, uri, answer.asOf, answer.tags)) return
  // The old object is held by this request, so that putting the new one cannot overwrite the bytes it is copied from.
  edge.store.put(stale.key, { ...answer, distributionId, uri, variant }, [stale.body])
}
