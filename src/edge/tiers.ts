//! Which requests take the way through the tiers (spec/cloudfront.md 3.1 step 14). Methods whose answers are not kept, and
//! behaviors that keep nothing, never come to where this is asked: stages/method.ts sends them to the origin at once.
import type { Flight } from './cache/flight.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import type { Place } from './places.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'
import { to } from './stage.ts'

/** True when `x` is to go on without asking that place. */
export function goesAround(place: Place, x: Exchange, edge: Edge): boolean {
  // The origin shield asks nobody but the origin.
  if (x.place.layer === 'Origin Shield') return true
  if (x.snapshot.down.has(place.name) || isBesideBucket(place, x)) return true
  // "Dynamic" requests: whether they are is known when one has been answered. Of what cannot be shared nothing is kept.
  return edge.flights.isUnshared((x.flight as Flight).key)
}

/**
 * A bucket in the region of the regional edge cache is asked by the POPs themselves, unless it has a shield. One regional
 * edge cache that stands for all regions would never be asked then where everything is in one region: a network that was
 * asked for by its size takes no notice of where a bucket lies, and costs it one request.
 */
function isBesideBucket({ layer, region, everywhere }: Place, { behavior }: Exchange): boolean {
  const { bucket, shieldRegion } = (behavior as BehaviorPlan).origin
  return bucket !== null && layer === 'REC' && !everywhere && shieldRegion === undefined && bucket.region === region
}

/** Who is asked for what the place of `x` lacks. */
export function towardsOrigin(
  x: Exchange,
): typeof to.regionalLookup | typeof to.shieldLookup | typeof to.originRequest {
  return x.place.regional === null ? pastRegional(x) : to.regionalLookup
}

/** The same behind the regional edge cache. */
export const pastRegional = ({ behavior }: Exchange): typeof to.shieldLookup | typeof to.originRequest =>
  (behavior as BehaviorPlan).origin.shieldRegion === undefined ? to.originRequest : to.shieldLookup
