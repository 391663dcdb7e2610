//! A plan and a request to a verdict. Rules in order of priority, the first whose action ends it decides. Nothing that
//! fails lets a request through: what throws counts as a match, and where the match would have let it through, it is
//! refused.

import type { Challenges } from './challenges.ts'
import type { Inspected } from './inspected.ts'
import type { ActionKind, ActionPlan, CountedRule, HeaderPair, RulePlan, Verdict, WebAclPlan } from './plan.ts'

export interface Evaluator {
  /** Null where the actions Captcha and Challenge cannot be served. */
  readonly challenges: Challenges | null
  /** A rule could not be evaluated. */
  failed(plan: WebAclPlan, rule: RulePlan, error: unknown): void
}

/** A request on its way through the rules. */
export class Evaluation {
  readonly request: Inspected
  /** What matched and did not end the evaluation. */
  readonly counted: CountedRule[] = []
  /** Fields that rules have inserted so far. */
  inserts: readonly HeaderPair[] = []
  /** Place of the rule that is to be evaluated next. */
  nextRule = 0

  constructor(request: Inspected) {
    this.request = request
  }
}

/** Null: a rule wants to see the body. Read it, set `body` of the request, and ask again: the evaluation goes on from there. */
export function evaluate(plan: WebAclPlan, evaluation: Evaluation, evaluator: Evaluator): Verdict | null {
  const { rules } = plan
  for (; evaluation.nextRule < rules.length; evaluation.nextRule++) {
    const rule = rules[evaluation.nextRule] as RulePlan
    if (rule.needsBody && evaluation.request.body === null) return null
    const verdict =
      rule.group === null ? ask(plan, rule, null, evaluation, evaluator) : askGroup(plan, rule, evaluation, evaluator)
    if (verdict !== null) return verdict
  }
  const { kind, inserts, response } = plan.defaultAction
  return {
    action: kind === 'BLOCK' ? 'BLOCK' : 'ALLOW',
    rule: null,
    within: null,
    response,
    inserts: kind === 'BLOCK' ? [] : withInserts(evaluation.inserts, inserts),
    failed: false,
  }
}

/** The first rule of a group that ends the evaluation gives its result, which the reference may turn into a count. */
function askGroup(plan: WebAclPlan, reference: RulePlan, evaluation: Evaluation, evaluator: Evaluator): Verdict | null {
  const group = reference.group as NonNullable<RulePlan['group']>
  let inDoubt = false
  if (group.scopeDown !== null) {
    let isInScope = true
    try {
      isInScope = group.scopeDown(evaluation.request)
    } catch (error) {
      // Then all of its rules look at the request, and none lets it through.
      evaluator.failed(plan, reference, error)
      inDoubt = true
    }
    if (!isInScope) return null
  }
  for (const rule of group.rules) {
    const verdict = ask(plan, rule, reference, evaluation, evaluator, inDoubt)
    if (verdict === null) continue
    if (reference.action?.kind !== 'COUNT') return verdict
    return counted(rule, reference, verdict.action, reference.action.inserts, evaluation)
  }
  return null
}

function ask(
  plan: WebAclPlan,
  rule: RulePlan,
  within: RulePlan | null,
  evaluation: Evaluation,
  evaluator: Evaluator,
  inDoubt = false,
): Verdict | null {
  const { request } = evaluation
  let failed = inDoubt
  try {
    if (!rule.matches(request)) return null
  } catch (error) {
    evaluator.failed(plan, rule, error)
    failed = true
  }
  for (const label of rule.labels) {
    // A label that a rule before it has given for certain stays so.
    if (failed && !request.labels.includes(label)) request.doubtful.push(label)
    request.addLabel(label)
  }
  const { kind, inserts, response } = rule.action as ActionPlan
  if (kind === 'COUNT') return counted(rule, within, kind, inserts, evaluation)
  if (kind === 'BLOCK') return { action: kind, rule, within, response, inserts: [], failed }
  if (kind === 'ALLOW') {
    if (failed) return { action: 'BLOCK', rule, within, response: null, inserts: [], failed }
    return { action: kind, rule, within, response: null, inserts: withInserts(evaluation.inserts, inserts), failed }
  }
  try {
    if (evaluator.challenges === null) throw new Error(`the action ${kind} cannot be served`)
    if (evaluator.challenges.passes(kind, rule, plan, request)) return counted(rule, within, kind, inserts, evaluation)
  } catch (error) {
    evaluator.failed(plan, rule, error)
    return { action: 'BLOCK', rule, within, response: null, inserts: [], failed: true }
  }
  return { action: kind, rule, within, response: null, inserts: [], failed }
}

function counted(
  rule: RulePlan,
  within: RulePlan | null,
  kind: ActionKind,
  inserts: readonly HeaderPair[],
  evaluation: Evaluation,
): null {
  evaluation.counted.push({ rule, within, kind })
  evaluation.inserts = withInserts(evaluation.inserts, inserts)
  return null
}

/** A later rule's field takes the place of an earlier one's of the same name. */
function withInserts(before: readonly HeaderPair[], more: readonly HeaderPair[]): readonly HeaderPair[] {
  if (more.length === 0) return before
  if (before.length === 0) return more
  const names = new Set(more.map(([name]) => name.toLowerCase()))
  return [...before.filter(([name]) => !names.has(name.toLowerCase())), ...more]
}
