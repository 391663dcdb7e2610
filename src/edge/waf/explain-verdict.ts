//! What a trace tells of a web ACL's verdict: which rule decided, which ones counted, the labels, what was inserted.
import type { TraceBuilder } from '../../observe/trace.ts'
import type { Evaluation } from './evaluate.ts'
import type { RulePlan, Verdict, WebAclPlan } from './plan.ts'

export function explainVerdict(
  watcher: TraceBuilder,
  plan: WebAclPlan,
  evaluation: Evaluation,
  verdict: Verdict,
): void {
  const { request, counted } = evaluation
  const { rule, within, action, failed } = verdict
  if (rule === null) watcher.decided('WebACL.DefaultAction', action)
  else watcher.decided(`WebACL.Rules[${named(rule, within)}]`, failed ? `${action}: it cannot be evaluated` : action)
  watcher.note('webAcl', plan.doc.name)
  if (counted.length > 0) watcher.note('counted', counted.map((one) => named(one.rule, one.within)).join(', '))
  if (request.labels.length > 0) watcher.note('labels', request.labels.join(', '))
  // Their values are the user's own words to the origin.
  if (verdict.inserts.length > 0) watcher.note('inserted', verdict.inserts.map(([name]) => name).join(', '))
  if (request.body?.oversize) watcher.note('body', 'more than is inspected')
}

const named = (rule: RulePlan, within: RulePlan | null): string =>
  within === null ? rule.name : `${within.name}/${rule.name}`
