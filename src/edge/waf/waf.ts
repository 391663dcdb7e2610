//! What a worker has for web ACLs: it counts their verdicts and tells the operator what could not be evaluated.
import type { Clock } from '../../lib/clock.ts'
import { COUNTER, type Counters } from '../../observe/counters.ts'
import type { Challenges } from './challenges.ts'
import type { Evaluation, Evaluator } from './evaluate.ts'
import type { RulePlan, Verdict, WebAclPlan } from './plan.ts'

/** Milliseconds between two lines about what cannot be evaluated. */
const PROBLEM_EVERY_MS = 1_000

const VERDICT_COUNTER = {
  ALLOW: COUNTER.wafAllowed,
  BLOCK: COUNTER.wafBlocked,
  CAPTCHA: COUNTER.wafChallenged,
  CHALLENGE: COUNTER.wafChallenged,
} as const satisfies Readonly<Record<Verdict['action'], number>>

export interface WafParts {
  readonly counters: Counters
  readonly clock: Clock
  readonly problem: (message: string) => void
}

export class Waf implements Evaluator {
  /** Null until something can serve the actions Captcha and Challenge. */
  challenges: Challenges | null = null
  readonly #parts: WafParts
  #lastProblem = Number.NEGATIVE_INFINITY

  constructor(parts: WafParts) {
    this.#parts = parts
  }

  /** A rule could not be evaluated, and counts as one that matched. */
  failed(plan: WebAclPlan, rule: RulePlan, error: unknown): void {
    this.#parts.counters.add(COUNTER.wafRuleFailures)
    const what = error instanceof Error ? error.message : String(error)
    this.#tell(`web ACL ${plan.doc.name}: the rule ${rule.name} cannot be evaluated and counts as a match: ${what}`)
  }

  /** A request was refused because its web ACL is not there, or cannot be evaluated. */
  refused(arn: string, why: string): void {
    this.#parts.counters.add(COUNTER.wafRefusals)
    this.#tell(`web ACL ${arn}: requests are refused with 503: ${why}`)
  }

  decided({ counted }: Evaluation, verdict: Verdict): void {
    const { counters } = this.#parts
    counters.add(VERDICT_COUNTER[verdict.action])
    if (counted.length > 0) counters.add(COUNTER.wafCounted)
  }

  #tell(message: string): void {
    const now = this.#parts.clock.monotonic()
    if (now - this.#lastProblem < PROBLEM_EVERY_MS) return
    this.#lastProblem = now
    this.#parts.problem(message)
  }
}
