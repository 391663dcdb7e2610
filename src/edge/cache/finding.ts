//! What the cache has for a request: the one decision of a lookup. Pure; takes the object's times, the time and what the
//! invalidations say, returns a word. A new way to be found is a new word here.
import type { Standing } from './invalidation.ts'

/** What is to be done with an object that was found. */
export type Finding =
  /** Served. */
  | 'fresh'
  /** Served although it is stale, while the edge asks the origin behind the viewer's back (edge/refresh.ts). */
  | 'refresh-behind'
  /** The origin is asked first; the object is good for revalidation, or when the origin fails. */
  | 'expired'
  /** Forgotten. */
  | 'invalidated'

/** Times of an object, milliseconds of Clock.now(); as in ObjectMeta. */
export interface Lifetime {
  readonly freshUntil: number
  readonly staleUntil: number
  readonly swrUntil: number
}

/**
 * Fresh beats everything but an invalidation; after freshness comes the window of `stale-while-revalidate` (RFC 5861 3,
 * spec/cloudfront.md 5.2). Of a soft invalidation the operator says that stale is good enough for now: so it is as long
 * as the object could have been served in any way, but no longer than that.
 */
export function findingOf(object: Lifetime, now: number, standing: Standing): Finding {
  if (standing === 'valid') {
    if (now < object.freshUntil) return 'fresh'
    return now < object.swrUntil ? 'refresh-behind' : 'expired'
  }
  if (standing === 'dead') return 'invalidated'
  return now < object.freshUntil || mayStandIn(object, now) ? 'refresh-behind' : 'expired'
}

/** True while a stale object may be served in place of an origin that fails: by `stale-if-error`, or by the other. */
export const mayStandIn = (object: Lifetime, now: number): boolean => now < standsInUntil(object)

/** When a stale object may not be served any more, whatever happens. */
export const standsInUntil = ({ staleUntil, swrUntil }: Lifetime): number => Math.max(staleUntil, swrUntil)

/** True when both are the same answer of the origin, be it in another place of the memory or unpacked anew. */
export const isSameAnswer = (
  one: { readonly bornAt: number; readonly asOf: number },
  other: { readonly bornAt: number; readonly asOf: number },
): boolean => one.bornAt === other.bornAt && one.asOf === other.asOf
