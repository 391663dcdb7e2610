//! The rules of a web ACL or rule group as they come in: checked, what they name found, their capacity known.
import type { Rule } from '@aws-sdk/client-wafv2'
import { capacityOf, type GroupCapacities } from '../../domain/waf/capacity.ts'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { managedRuleGroup } from '../../domain/waf/managed-groups.ts'
import { referencesOf } from '../../domain/waf/references.ts'
import { statementsOf } from '../../domain/waf/walk.ts'
import type { StoredRule } from '../../domain/waf/web-acl.ts'
import type { Reader } from '../../state/state.ts'
import type { HeaderCount } from './action-checks.ts'
import { badReference } from './refusals.ts'
import { checkRules, type RulesOwner } from './rule-checks.ts'
import { stored } from './stored-shape.ts'

export interface AcceptedRules {
  readonly rules: readonly StoredRule[]
  /** Web ACL capacity units that they take. */
  readonly capacity: number
}

/**
 * @param headers is counted up by the headers that the rules add
 * @throws WAFInvalidParameterException, WAFLimitsExceededException, WAFNonexistentItemException
 */
export async function acceptedRules(
  reader: Reader,
  given: readonly Rule[] | undefined,
  owner: RulesOwner,
  headers: HeaderCount,
): Promise<AcceptedRules> {
  const rules = stored(given ?? []) as readonly StoredRule[]
  checkRules(rules, owner, headers)
  return { rules, capacity: capacityOf(rules, await capacities(reader, rules)) }
}

/** Of the groups that the rules name; all that they name is there then. */
async function capacities(reader: Reader, rules: readonly StoredRule[]): Promise<GroupCapacities> {
  const { ipSets, regexSets, ruleGroups } = referencesOf(rules)
  for (const arn of ipSets) if ((await reader.get('ip-set', arn)) === undefined) throw badReference(arn)
  for (const arn of regexSets) if ((await reader.get('regex-pattern-set', arn)) === undefined) throw badReference(arn)
  const own = new Map<string, number>()
  for (const arn of ruleGroups) {
    const record = (await reader.get('rule-group', arn))?.doc
    if (record === undefined) throw badReference(arn)
    own.set(arn, record.group.Capacity)
    checkNamedRules(rules, arn, new Set((record.group.Rules ?? []).map(({ Name }) => Name)))
  }
  return {
    own: (arn) => own.get(arn) ?? 0,
    managed: (vendor, name) => managedRuleGroup(vendor, name)?.capacity ?? 0,
  }
}

/** What is excluded or overridden in a rule group is there. */
function checkNamedRules(rules: readonly StoredRule[], arn: string, present: ReadonlySet<string>): void {
  for (const rule of rules) {
    for (const { name, body } of statementsOf(rule)) {
      if (name !== 'RuleGroupReferenceStatement' || body.ARN !== arn) continue
      for (const { Name } of [...(body.ExcludedRules ?? []), ...(body.RuleActionOverrides ?? [])]) {
        if (present.has(Name)) continue
        throw invalidParameter('EXCLUDED_RULE', Name, `The rule group ${arn} has no such rule.`)
      }
    }
  }
}
