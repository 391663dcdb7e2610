//! THE TABLE: the operations of WAFv2. One that is not here answers 501 with its name: permission policies and Firewall
//! Manager's (one account), API keys and releases of the mobile SDKs, managed rule sets (for their vendors), revenue.
import type { OperationTable } from '../service.ts'
import { associateWebACL, disassociateWebACL, getWebACLForResource, listResourcesForWebACL } from './associations.ts'
import { createIPSet, deleteIPSet, getIPSet, listIPSets, updateIPSet } from './ip-sets.ts'
import {
  deleteLoggingConfiguration,
  getLoggingConfiguration,
  listLoggingConfigurations,
  putLoggingConfiguration,
} from './logging.ts'
import {
  describeAllManagedProducts,
  describeManagedProductsByVendor,
  describeManagedRuleGroup,
  listAvailableManagedRuleGroups,
  listAvailableManagedRuleGroupVersions,
} from './managed-groups.ts'
import {
  createRegexPatternSet,
  deleteRegexPatternSet,
  getRegexPatternSet,
  listRegexPatternSets,
  updateRegexPatternSet,
} from './regex-pattern-sets.ts'
import {
  checkCapacity,
  createRuleGroup,
  deleteRuleGroup,
  getRuleGroup,
  listRuleGroups,
  updateRuleGroup,
} from './rule-groups.ts'
import { getRateBasedStatementManagedKeys, getSampledRequests } from './seen.ts'
import { listTagsForResource, tagResource, untagResource } from './tags.ts'
import { createWebACL, deleteWebACL, getWebACL, listWebACLs, updateWebACL } from './web-acls.ts'

export const WAF_OPERATIONS: OperationTable = {
  AssociateWebACL: associateWebACL,
  CheckCapacity: checkCapacity,
  CreateIPSet: createIPSet,
  CreateRegexPatternSet: createRegexPatternSet,
  CreateRuleGroup: createRuleGroup,
  CreateWebACL: createWebACL,
  DeleteIPSet: deleteIPSet,
  DeleteLoggingConfiguration: deleteLoggingConfiguration,
  DeleteRegexPatternSet: deleteRegexPatternSet,
  DeleteRuleGroup: deleteRuleGroup,
  DeleteWebACL: deleteWebACL,
  DescribeAllManagedProducts: describeAllManagedProducts,
  DescribeManagedProductsByVendor: describeManagedProductsByVendor,
  DescribeManagedRuleGroup: describeManagedRuleGroup,
  DisassociateWebACL: disassociateWebACL,
  GetIPSet: getIPSet,
  GetLoggingConfiguration: getLoggingConfiguration,
  GetRateBasedStatementManagedKeys: getRateBasedStatementManagedKeys,
  GetRegexPatternSet: getRegexPatternSet,
  GetRuleGroup: getRuleGroup,
  GetSampledRequests: getSampledRequests,
  GetWebACL: getWebACL,
  GetWebACLForResource: getWebACLForResource,
  ListAvailableManagedRuleGroups: listAvailableManagedRuleGroups,
  ListAvailableManagedRuleGroupVersions: listAvailableManagedRuleGroupVersions,
  ListIPSets: listIPSets,
  ListLoggingConfigurations: listLoggingConfigurations,
  ListRegexPatternSets: listRegexPatternSets,
  ListResourcesForWebACL: listResourcesForWebACL,
  ListRuleGroups: listRuleGroups,
  ListTagsForResource: listTagsForResource,
  ListWebACLs: listWebACLs,
  PutLoggingConfiguration: putLoggingConfiguration,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateIPSet: updateIPSet,
  UpdateRegexPatternSet: updateRegexPatternSet,
  UpdateRuleGroup: updateRuleGroup,
  UpdateWebACL: updateWebACL,
}
