//! ManagedRuleGroupStatement: a group of vendor AWS by its table (domain/waf/managed-groups.ts).
import type { ManagedRuleGroupStatement } from '@aws-sdk/client-wafv2'
import { MISSING_RULE_GROUPS, managedRuleGroup, managedVersion } from '../../../domain/waf/managed-groups.ts'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { CannotCompile, type Compile, type CompileContext } from '../compile-context.ts'
import { managedMatcher } from '../managed/managed-rule.ts'
import { LOOKS } from '../matcher.ts'
import type { ActionPlan, GroupPlan } from '../plan.ts'

/**
 * @param actionOf what a match of a rule does, overrides put in
 * @throws CannotCompile
 */
export function managedGroupPlan(
  statement: Stored<ManagedRuleGroupStatement>,
  context: CompileContext,
  actionOf: (rule: string, own: 'Block' | 'Count') => ActionPlan,
  compile: Compile,
): GroupPlan {
  const { VendorName: vendor = '', Name: name = '', Version: version, ManagedRuleGroupConfigs: configs } = statement
  const group = managedRuleGroup(vendor, name)
  if (group === undefined) {
    const why = MISSING_RULE_GROUPS[name] ?? 'there is none of that name'
    throw new CannotCompile(`the managed rule group ${vendor} ${name} of the rule ${context.rule} is not built: ${why}`)
  }
  if (managedVersion(group, version) === undefined) {
    throw new CannotCompile(`the managed rule group ${name} has no version ${version}`)
  }
  if (configs !== undefined && configs.length > 0) throw new CannotCompile('ManagedRuleGroupConfigs are not built')
  const scopeDown = statement.ScopeDownStatement ? compile(statement.ScopeDownStatement, context) : null
  const rules = group.rules.map((rule, priority) => {
    const { matches, looks } = managedMatcher(rule, group, context.shared)
    return {
      ...{ name: rule.name, metricName: rule.name, labels: rule.labels, priority, sampled: true, matches, group: null },
      needsBody: (looks & LOOKS.body) !== 0,
      action: actionOf(rule.name, rule.action),
      captchaSeconds: null,
      challengeSeconds: null,
      rateBased: false,
    }
  })
  return {
    id: `${vendor}#${name}`,
    rules,
    scopeDown: scopeDown?.matches ?? null,
    needsBody: rules.some(({ needsBody }) => needsBody) || ((scopeDown?.looks ?? 0) & LOOKS.body) !== 0,
  }
}
