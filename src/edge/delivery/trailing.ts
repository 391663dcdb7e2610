//! Do the trailers of an origin's answer go on to whoever reads it? In strict mode to viewers that keep them; CloudFront
//! removes them (spec/cloudfront.md 6.4). They belong to the message, not to the object: a stored one has none, and they
//! pass only while the body itself passes in chunks.
import { takesTrailers } from '../../http/trailers.ts'
import type { Exchange } from '../exchange.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'

/** gRPC has its status there, in every mode. */
export function passesTrailers(x: Exchange): boolean {
  if (x.grpc) return true
  if (!(x.behavior as BehaviorPlan).strict || x.page !== null) return false
  return x.peer !== null || takesTrailers(x.request.headers.getAll('te'))
}
