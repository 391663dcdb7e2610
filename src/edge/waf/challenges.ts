//! What stands behind the actions Captcha and Challenge.

import type { ChallengeKind } from '../../domain/waf/seen.ts'
import type { EdgeFault } from '../exchange.ts'
import type { Inspected } from './inspected.ts'
import type { RulePlan, WebAclPlan } from './plan.ts'

/** What stands behind the actions Captcha and Challenge. */
export interface Challenges {
  /** Whether the request brings a token that makes the action a Count; throws where that cannot be told. */
  passes(kind: ChallengeKind, rule: RulePlan, plan: WebAclPlan, request: Inspected): boolean
  /** What a request without such a token is answered. */
  fault(kind: ChallengeKind, rule: RulePlan, plan: WebAclPlan, request: Inspected): EdgeFault
}
