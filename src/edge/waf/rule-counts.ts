//! How often each rule of each web ACL did what: for `cachefront waf` and the metrics. A rule that only counts shows here what it
//! would have done.
import type { RuleCount, RuleOutcome } from '../../domain/waf/seen.ts'
import type { Evaluation } from './evaluate.ts'
import type { RulePlan, Verdict, WebAclPlan } from './plan.ts'

/** Of all web ACLs of a worker; rules beyond are counted together. */
const RULES_MAX = 5_000

type Counts = Record<RuleOutcome, number>

export class RuleCounts {
  /** By ARN and name: a web ACL that changes goes on counting. */
  readonly #counts = new Map<string, Map<string, Counts>>()
  #rules = 0

  add({ arn }: WebAclPlan, { counted }: Pick<Evaluation, 'counted'>, { rule, within, action }: Verdict): void {
    for (const one of counted) this.#of(arn, nameOf(one.rule, one.within)).count++
    const name = rule === null ? 'Default_Action' : nameOf(rule, within)
    this.#of(arn, name)[action.toLowerCase() as RuleOutcome]++
  }

  all(): readonly RuleCount[] {
    return [...this.#counts].flatMap(([webAcl, rules]) =>
      [...rules].map(([rule, counts]) => ({ webAcl, rule, counts: { ...counts } })),
    )
  }

  #of(arn: string, name: string): Counts {
    let rules = this.#counts.get(arn)
    if (rules === undefined) {
      rules = new Map()
      this.#counts.set(arn, rules)
    }
    const known = rules.get(name)
    if (known !== undefined) return known
    const kept = this.#rules < RULES_MAX ? name : 'others'
    const counts = rules.get(kept) ?? { allow: 0, block: 0, count: 0, captcha: 0, challenge: 0 }
    if (!rules.has(kept)) this.#rules++
    rules.set(kept, counts)
    return counts
  }
}

const names = new WeakMap<RulePlan, string>()

/** A rule of a group stands in one reference. */
function nameOf(rule: RulePlan, within: RulePlan | null): string {
  if (within === null) return rule.name
  let name = names.get(rule)
  if (name === undefined) {
    name = `${within.name}/${rule.name}`
    names.set(rule, name)
  }
  return name
}
