//! Which requests take the way through the tiers (spec/cloudfront.md 3.1 step 14). Methods whose answers are not kept, and
//! behaviors that keep nothing, never come to where this is asked: stages/method.ts sends them to the origin at once.
import type { Flight } from './cache/flight.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import type { Place } from './places.ts'

/** True when `x` is to go on without asking that place. */
export function goesAround(place: Place, x: Exchange, edge: Edge): boolean {
  // The origin shield asks nobody but the origin.
  if (x.place.layer === 'Origin Shield') return true
  if (x.snapshot.down.has(place.name)) return true
  // "Dynamic" requests: whether they are is known when one has been answered. Of what cannot be shared nothing is kept.
  return edge.flights.isUnshared((x.flight as Flight).key)
}
