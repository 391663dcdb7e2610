//! Where a request goes once its distribution is known: to the first check that the distribution has for viewers, in the
//! order of spec/cloudfront.md 3.1. Most have none.
import type { Exchange } from '../exchange.ts'
import type { DistributionPlan } from '../snapshot/snapshot.ts'
import { to } from '../stage.ts'

type AfterWaf = typeof to.accessGeo | typeof to.rootObject

/** A peer's question and what the edge asks of itself are of a viewer that has been let in already. */
export function firstCheck(x: Exchange): typeof to.accessWaf | AfterWaf {
  if (x.peer !== null || x.inner !== null) return to.rootObject
  return (x.distribution as DistributionPlan).webAclArn === '' ? checkAfterWaf(x) : to.accessWaf
}

export const checkAfterWaf = ({ distribution }: Exchange): AfterWaf =>
  distribution?.geo == null ? to.rootObject : to.accessGeo
