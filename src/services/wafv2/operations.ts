//! THE TABLE: the operations of WAFv2. One that is not here answers 501 with its name.
import type { OperationTable } from '../service.ts'
import {
  describeAllManagedProducts,
  describeManagedProductsByVendor,
  describeManagedRuleGroup,
  listAvailableManagedRuleGroups,
  listAvailableManagedRuleGroupVersions,
} from './managed-groups.ts'

export const WAF_OPERATIONS: OperationTable = {
  DescribeAllManagedProducts: describeAllManagedProducts,
  DescribeManagedProductsByVendor: describeManagedProductsByVendor,
  DescribeManagedRuleGroup: describeManagedRuleGroup,
  ListAvailableManagedRuleGroups: listAvailableManagedRuleGroups,
  ListAvailableManagedRuleGroupVersions: listAvailableManagedRuleGroupVersions,
}
