//! What AWS refuses in the rules of a web ACL or a rule group: in each rule, in its statements, and in all together.
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import { STATEMENTS, type StatementName } from '../../domain/waf/statements.ts'
import { kindsOf, statementsOf } from '../../domain/waf/walk.ts'
import type { StoredRule } from '../../domain/waf/web-acl.ts'
import { type Bodies, checkRuleAction, type HeaderCount } from './action-checks.ts'
import { notOne, overLimit, repeated } from './refusals.ts'
import { checkStatement } from './statement-checks.ts'

/** What has the rules; `bodies`: what their custom responses may name, null where nothing says (CheckCapacity). */
export interface RulesOwner {
  readonly kind: 'WEB_ACL' | 'RULE_GROUP'
  readonly bodies: Bodies | null
}

/** Statements whose rules have an OverrideAction in the place of an Action. */
const GROUPS: ReadonlySet<StatementName> = new Set(['ManagedRuleGroupStatement', 'RuleGroupReferenceStatement'])
const REFERENCES: ReadonlySet<StatementName> = new Set([
  'IPSetReferenceStatement',
  'RegexPatternSetReferenceStatement',
  'RuleGroupReferenceStatement',
])
const RESERVED_LABELS: ReadonlySet<string> = new Set([
  ...['awswaf', 'aws', 'waf', 'rulegroup', 'webacl', 'regexpatternset', 'ipset', 'managed'],
])
const LABEL_PART_CHARS = 128
const LABEL_NAMESPACES = 5
const RESERVED_METRICS: ReadonlySet<string> = new Set(['All', 'Default_Action'])

/** @throws WAFInvalidParameterException, WAFLimitsExceededException, WAFNonexistentItemException */
export function checkRules(rules: readonly StoredRule[], owner: RulesOwner, headers: HeaderCount): void {
  if (rules.length > WAF_LIMITS.rules) throw overLimit('rules', WAF_LIMITS.rules)
  const sameName = repeated(rules.map(({ Name }) => Name))
  if (sameName !== null) throw invalidParameter('RULE', sameName, 'Two rules have this name.')
  const samePriority = repeated(rules.map(({ Priority }) => Priority))
  if (samePriority !== null) throw invalidParameter('RULE', `Priority ${samePriority}`, 'Two rules have this priority.')
  const counts = { references: 0, rateBased: 0 }
  for (const rule of rules) {
    checkRule(rule, owner, headers)
    for (const { name } of statementsOf(rule)) {
      if (REFERENCES.has(name)) counts.references += 1
      if (name === 'RateBasedStatement') counts.rateBased += 1
    }
  }
  if (counts.references > WAF_LIMITS.references) throw overLimit('reference statements', WAF_LIMITS.references)
  const rateRules = owner.kind === 'WEB_ACL' ? WAF_LIMITS.rateRulesPerWebAcl : WAF_LIMITS.rateRulesPerRuleGroup
  if (counts.rateBased > rateRules) throw overLimit('rate-based rules', rateRules)
  if (headers.requests > WAF_LIMITS.customRequestHeaders) {
    throw overLimit('custom request headers', WAF_LIMITS.customRequestHeaders)
  }
  if (headers.responses > WAF_LIMITS.customResponseHeaders) {
    throw overLimit('custom response headers', WAF_LIMITS.customResponseHeaders)
  }
}

function checkRule(rule: StoredRule, owner: RulesOwner, headers: HeaderCount): void {
  checkMetricName(rule.VisibilityConfig.MetricName)
  checkLabels(rule)
  checkImmunity(rule)
  const places = statementsOf(rule, ({ statement, depth, path }) => {
    if (depth > WAF_LIMITS.nesting) throw overLimit('levels of nested statements', WAF_LIMITS.nesting)
    if (kindsOf(statement).length !== 1) throw notOne('STATEMENT', path)
  })
  for (const found of places) {
    const { stands } = STATEMENTS[found.name]
    const isMisplaced = found.within !== null && stands !== 'anywhere'
    if (isMisplaced || (stands === 'web-acl' && owner.kind === 'RULE_GROUP')) {
      const where = isMisplaced ? `inside ${found.within}` : 'in a rule group'
      throw invalidParameter('STATEMENT', found.path, `A ${found.name} cannot be used ${where}.`)
    }
    checkStatement(found, owner.bodies)
  }
  checkAction(rule, owner, headers)
}

function checkAction(rule: StoredRule, { bodies }: RulesOwner, headers: HeaderCount): void {
  const [kind] = kindsOf(rule.Statement)
  const isGroup = kind !== undefined && GROUPS.has(kind)
  const { Action: action, OverrideAction: override } = rule
  if ((action === undefined) === (override === undefined)) throw notOne('RULE', rule.Name)
  if (isGroup !== (override !== undefined)) {
    const reason = isGroup
      ? 'A rule that names a rule group has an OverrideAction and no Action.'
      : 'OverrideAction is for rules that name a rule group; give an Action.'
    throw invalidParameter('RULE_ACTION', rule.Name, reason)
  }
  if (override !== undefined) {
    if ((override.Count === undefined) === (override.None === undefined)) throw notOne('OVERRIDE_ACTION', rule.Name)
    return
  }
  if (action === undefined) return
  checkRuleAction(action, rule.Name, bodies, headers)
  if (kind === 'RateBasedStatement' && action.Allow !== undefined) {
    throw invalidParameter('RULE_ACTION', rule.Name, 'A rate-based rule has any action but Allow.')
  }
}

/** @throws WAFInvalidParameterException for a name that AWS keeps for itself */
export function checkMetricName(name: string): void {
  if (RESERVED_METRICS.has(name))
    throw invalidParameter('METRIC_NAME', name, 'The metric name is reserved for AWS WAF.')
}

/** https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-requirements.html */
function checkLabels({ Name, RuleLabels: labels = [] }: StoredRule): void {
  if (labels.length > WAF_LIMITS.ruleLabels) throw overLimit(`labels of the rule ${Name}`, WAF_LIMITS.ruleLabels)
  const twice = repeated(labels.map((label) => label.Name))
  if (twice !== null) throw invalidParameter('RULE', twice, 'A label is given twice.')
  for (const { Name: label } of labels) {
    const parts = label.split(':')
    if (parts.length > LABEL_NAMESPACES + 1) {
      throw invalidParameter('RULE', label, `A label has at most ${LABEL_NAMESPACES} namespaces.`)
    }
    if (parts.some((part) => part === '' || part.length > LABEL_PART_CHARS)) {
      throw invalidParameter('RULE', label, `Each part of a label has 1 to ${LABEL_PART_CHARS} characters.`)
    }
    const reserved = parts.find((part) => RESERVED_LABELS.has(part))
    if (reserved !== undefined)
      throw invalidParameter('RULE', label, `"${reserved}" is reserved for labels of AWS WAF.`)
  }
}

const CHALLENGE_SECONDS_MIN = 300

/** @throws WAFInvalidParameterException */
export function checkImmunity({ ChallengeConfig: challenge }: Pick<StoredRule, 'ChallengeConfig'>): void {
  const seconds = challenge?.ImmunityTimeProperty?.ImmunityTime
  if (seconds === undefined || seconds >= CHALLENGE_SECONDS_MIN) return
  const reason = `The immunity time of a challenge is at least ${CHALLENGE_SECONDS_MIN} seconds.`
  throw invalidParameter('CHALLENGE_CONFIG', `ImmunityTime ${seconds}`, reason)
}
