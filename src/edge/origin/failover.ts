//! Which outcome of an origin group's primary sends the request to the secondary (spec/cloudfront.md 7.5). Pure.
import type { OriginFailureKind } from '../../domain/outcomes.ts'
import type { Exchange } from '../exchange.ts'
import type { BehaviorPlan, FailoverPlan, OriginPlan } from '../snapshot/snapshot.ts'
import { ORIGIN_FAILURES } from './failure.ts'

/** Any other method changes something: its request is never sent twice. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * What the request may fail over to; null when the origin that is asked now has the last word. The primary is first for
 * every request: nothing is remembered of what became of others.
 */
export function failoverOf({ behavior, request, failedOver }: Exchange): FailoverPlan | null {
  const plan = behavior?.failover ?? null
  const sendsBody = request.body !== null && request.body.length !== 0
  return plan === null || failedOver !== null || sendsBody || !METHODS.has(request.method) ? null : plan
}

/** The origin that the request is for now. */
export function originPlanOf({ behavior, failedOver }: Exchange): OriginPlan {
  const plan = behavior as BehaviorPlan
  return failedOver === null ? plan : (plan.failover?.secondary ?? plan)
}

/** True for an answer of the primary that the group lists. 2xx and 3xx never are. */
export const failsOverOnStatus = ({ statusCodes }: FailoverPlan, status: number): boolean => statusCodes.has(status)

/**
 * True for a primary that cannot be reached or does not answer in time, whatever the group lists. One that answers with
 * what is no HTTP stands for the 502 that the viewer would get, and counts when that is listed (unconfirmed).
 */
export function failsOverOnFailure({ statusCodes }: FailoverPlan, kind: OriginFailureKind): boolean {
  const { failsOver, status } = ORIGIN_FAILURES[kind]
  return failsOver === 'always' || statusCodes.has(status)
}
