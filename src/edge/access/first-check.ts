//! Where a request goes once its distribution is known: to the first check that the distribution has for viewers, in the
//! order of spec/cloudfront.md 3.1. Most have none.
import type { Exchange } from '../exchange.ts'
import { to } from '../stage.ts'

/** A peer's question and what the edge asks of itself are of a viewer that has been let in already. */
export function firstCheck({ distribution, peer, inner }: Exchange): typeof to.accessGeo | typeof to.rootObject {
  return distribution?.geo == null || peer !== null || inner !== null ? to.rootObject : to.accessGeo
}
