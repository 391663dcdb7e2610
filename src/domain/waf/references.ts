//! What rules name that lies elsewhere, by ARN. PURE.
import { statementsOf } from './walk.ts'
import type { StoredRule } from './web-acl.ts'

export interface References {
  readonly ipSets: ReadonlySet<string>
  readonly regexSets: ReadonlySet<string>
  readonly ruleGroups: ReadonlySet<string>
}

export function referencesOf(rules: readonly StoredRule[]): References {
  const found = { ipSets: new Set<string>(), regexSets: new Set<string>(), ruleGroups: new Set<string>() }
  for (const rule of rules) {
    for (const { name, body } of statementsOf(rule)) {
      if (name === 'IPSetReferenceStatement') found.ipSets.add(body.ARN)
      if (name === 'RegexPatternSetReferenceStatement') found.regexSets.add(body.ARN)
      if (name === 'RuleGroupReferenceStatement') found.ruleGroups.add(body.ARN)
    }
  }
  return found
}

/** Whether the rules name it, whichever of the three it is. */
export function names(rules: readonly StoredRule[], arn: string): boolean {
  const { ipSets, regexSets, ruleGroups } = referencesOf(rules)
  return ipSets.has(arn) || regexSets.has(arn) || ruleGroups.has(arn)
}
