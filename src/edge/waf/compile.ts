//! The document of a web ACL to its plan.
import type { ManagedRuleGroupStatement } from '@aws-sdk/client-wafv2'
import type { RuleGroupDoc, Stored, StoredRule, WebAclDoc } from '../../domain/waf/web-acl.ts'
import { actionPlan, type Bodies, overridesOf } from './compile-action.ts'
import { CannotCompile, type CompileContext, Shared } from './compile-context.ts'
import { compileStatement } from './compile-statement.ts'
import { LOOKS, type Matcher } from './matcher.ts'
import type { ActionPlan, GroupPlan, RulePlan, WebAclPlan } from './plan.ts'
import { managedGroupPlan } from './statements/managed-rule-group.ts'

/** Bytes of a body by AssociationConfig (SizeInspectionLimit); 16 KB is CloudFront's default. */
const BODY_LIMITS: Readonly<Record<string, number>> = { KB_16: 16_384, KB_32: 32_768, KB_48: 49_152, KB_64: 65_536 }

/** One that cannot be compiled has a plan, too: it says why, and that its requests are refused. */
export function compileWebAcl(doc: WebAclDoc): WebAclPlan {
  const none = {
    doc,
    arn: doc.arn,
    rules: [],
    defaultAction: actionPlan({ Block: {} }, {}),
    bodyLimit: 0,
    locates: false,
  }
  try {
    return { ...none, broken: null, ...compiled(doc) }
  } catch (error) {
    return { ...none, broken: (error as Error).message }
  }
}

function compiled(doc: WebAclDoc): Pick<WebAclPlan, 'rules' | 'defaultAction' | 'bodyLimit' | 'locates'> {
  const { acl, arn } = doc
  const bodies = acl.CustomResponseBodies ?? {}
  const context = {
    doc,
    labelPrefix: acl.LabelNamespace ?? labelPrefix(arn, 'webacl'),
    group: null,
    shared: new Shared(),
  }
  const unsupported = (['PreProcessFirewallManagerRuleGroups', 'PostProcessFirewallManagerRuleGroups'] as const).find(
    (name) => (acl[name] ?? []).length > 0,
  )
  if (unsupported !== undefined) throw new CannotCompile(`${unsupported} is not built`)
  const size = acl.AssociationConfig?.RequestBody?.CLOUDFRONT?.DefaultSizeInspectionLimit ?? 'KB_16'
  const bodyLimit = BODY_LIMITS[size]
  if (bodyLimit === undefined) throw new CannotCompile(`the DefaultSizeInspectionLimit ${size} is not built`)
  if (acl.DefaultAction === undefined) throw new CannotCompile('there is no DefaultAction')
  const defaultAction = actionPlan(acl.DefaultAction, bodies)
  const rules = compileRules(acl.Rules ?? [], context, bodies)
  return { rules, defaultAction, bodyLimit, locates: context.shared.locates }
}

/** `awswaf:123456789012:webacl:NAME:` of `arn:aws:wafv2:us-east-1:123456789012:global/webacl/NAME/ID`. */
function labelPrefix(arn: string, kind: 'webacl' | 'rulegroup'): string {
  const [, , , , account = '', resource = ''] = arn.split(':')
  return `awswaf:${account}:${kind}:${resource.split('/')[2] ?? ''}:`
}

type RuleContext = Omit<CompileContext, 'rule'>

/** In order of priority. `overrides`: actions in the place of the rules' own, by the rule's name. */
export function compileRules(
  rules: readonly StoredRule[],
  context: RuleContext,
  bodies: Bodies,
  overrides: ReadonlyMap<string, ActionPlan> = NO_OVERRIDES,
): RulePlan[] {
  const ordered = [...rules].sort((one, other) => (one.Priority ?? 0) - (other.Priority ?? 0))
  return ordered.map((rule) => compileRule(rule, { ...context, rule: rule.Name ?? '' }, bodies, overrides))
}

const NO_OVERRIDES: ReadonlyMap<string, ActionPlan> = new Map()
const always: Matcher = () => true

function compileRule(
  rule: StoredRule,
  context: CompileContext,
  bodies: Bodies,
  overrides: ReadonlyMap<string, ActionPlan>,
): RulePlan {
  const { Name = '', Statement: statement = {}, VisibilityConfig: visibility } = rule
  const common = {
    name: Name,
    priority: rule.Priority ?? 0,
    metricName: visibility?.MetricName ?? Name,
    sampled: visibility?.SampledRequestsEnabled ?? false,
    rateBased: statement.RateBasedStatement !== undefined,
    labels: (rule.RuleLabels ?? []).map((label) => `${context.labelPrefix}${label.Name}`),
    captchaSeconds: rule.CaptchaConfig?.ImmunityTimeProperty?.ImmunityTime ?? null,
    challengeSeconds: rule.ChallengeConfig?.ImmunityTimeProperty?.ImmunityTime ?? null,
  }
  const group = compileGroup(statement, context)
  if (group !== null) {
    const counts = rule.OverrideAction?.Count
    const action = counts === undefined ? null : actionPlan({ Count: counts }, bodies)
    return { ...common, group, action, needsBody: group.needsBody, matches: always }
  }
  if (rule.Action === undefined) throw new CannotCompile(`the rule ${Name} has no action`)
  const { matches, looks } = compileStatement(statement, context)
  const own = actionPlan(rule.Action, bodies)
  const override = overrides.get(Name)
  return {
    ...common,
    matches,
    needsBody: (looks & LOOKS.body) !== 0,
    action: override === undefined ? own : { ...override, replaces: own.kind },
    group: null,
  }
}

/** Null for a statement that refers to no group. */
function compileGroup(statement: StoredRule['Statement'], context: CompileContext): GroupPlan | null {
  const managed = statement?.ManagedRuleGroupStatement
  if (managed !== undefined) return compileManagedGroup(managed, context)
  const reference = statement?.RuleGroupReferenceStatement
  if (reference === undefined) return null
  const { ARN = '', ExcludedRules = [], RuleActionOverrides = [] } = reference
  const group: RuleGroupDoc | undefined = context.doc.ruleGroups[ARN]
  if (group === undefined) throw new CannotCompile(`the rule group ${ARN} of the rule ${context.rule} is not there`)
  const overrides = overridesOf(ExcludedRules, RuleActionOverrides, context.doc.acl.CustomResponseBodies ?? {})
  const inside = { ...context, labelPrefix: labelPrefix(ARN, 'rulegroup'), group: ARN }
  const rules = compileRules(group.rules, inside, group.customResponseBodies, overrides)
  return { id: ARN, rules, scopeDown: null, needsBody: rules.some(({ needsBody }) => needsBody) }
}

function compileManagedGroup(statement: Stored<ManagedRuleGroupStatement>, context: CompileContext): GroupPlan {
  const { ExcludedRules = [], RuleActionOverrides = [] } = statement
  const overrides = overridesOf(ExcludedRules, RuleActionOverrides, context.doc.acl.CustomResponseBodies ?? {})
  const actionOf = (rule: string, own: 'Block' | 'Count') => overrides.get(rule) ?? actionPlan({ [own]: {} }, {})
  return managedGroupPlan(statement, { ...context, group: statement.Name ?? null }, actionOf, compileStatement)
}
