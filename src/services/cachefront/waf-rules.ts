//! What rules of web ACLs did, as a document for `cachefront waf rules` and as Prometheus text. A label for each rule would grow
//! with the configuration: the busiest get their own, the rest is one more.
import type { RuleCount, RuleOutcome } from '../../domain/waf/seen.ts'
import type { Installation } from './installation.ts'
import { json, type LocalRoute } from './local-route.ts'

/** Rules with labels of their own. */
const LABELLED_MAX = 200
const METRIC = 'cachefront_waf_rule_requests_total'

export interface WafRulesDocument {
  readonly rules: readonly RuleCount[]
  /** Workers that did not answer. */
  readonly missing: readonly string[]
}

export const wafRulesRoute = (installation: Pick<Installation, 'wafRules'>): LocalRoute => ({
  method: 'GET',
  path: '/_cachefront/waf/rules',
  readsNeedSignature: true,
  run: async () => json(200, (await installation.wafRules()) satisfies WafRulesDocument),
})

/** `rules`: the busiest first. Empty for none. */
export function wafRuleMetrics(rules: readonly RuleCount[]): string {
  if (rules.length === 0) return ''
  const others = new Map<string, number>()
  const lines = rules.flatMap(({ webAcl, rule, counts }, at) =>
    (Object.entries(counts) as [RuleOutcome, number][]).flatMap(([outcome, count]) => {
      if (count === 0) return []
      if (at < LABELLED_MAX) return [sample(nameOf(webAcl), rule, outcome, count)]
      others.set(outcome, (others.get(outcome) ?? 0) + count)
      return []
    }),
  )
  return [
    `# HELP ${METRIC} Requests that a rule of a web ACL matched, by what it did; Default_Action: that none ended.`,
    `# TYPE ${METRIC} counter`,
    ...lines,
    ...[...others].map(([outcome, count]) => sample('other', 'other', outcome, count)),
    '',
  ].join('\n')
}

/** `arn:aws:wafv2:us-east-1:123456789012:global/webacl/NAME/ID` */
const nameOf = (arn: string): string => arn.split('/')[2] ?? arn

const label = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

const sample = (webAcl: string, rule: string, outcome: string, count: number): string =>
  `${METRIC}{web_acl=${label(webAcl)},rule=${label(rule)},action=${label(outcome)}} ${count}`
