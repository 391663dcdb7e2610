//! Managed rule groups: what ListAvailableManagedRuleGroups, DescribeManagedRuleGroup and the capacity of a web ACL are read
//! from. A group that is not in the table is none that a web ACL can name.
import type { ActionName } from './statements.ts'

export interface ManagedRule {
  readonly name: string
  readonly action: ActionName
  /** Whole names of the labels that it adds. */
  readonly labels: readonly string[]
}

export interface ManagedRuleGroup {
  readonly vendor: string
  readonly name: string
  readonly description: string
  /** Web ACL capacity units. */
  readonly capacity: number
  /** With the colon at its end: `awswaf:managed:aws:core-rule-set:`. */
  readonly labelNamespace: string
  /** Newest first; empty for one without versions. `updated`: ISO 8601. */
  readonly versions: readonly { readonly name: string; readonly updated: string }[]
  readonly rules: readonly ManagedRule[]
}

export const MANAGED_RULE_GROUPS: readonly ManagedRuleGroup[] = []

export const managedRuleGroup = (vendor: string, name: string): ManagedRuleGroup | undefined =>
  MANAGED_RULE_GROUPS.find((group) => group.vendor === vendor && group.name === name)
