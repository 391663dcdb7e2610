//! The web ACL that the corpus is classified with: all of AWS's managed rule groups that are built.
import { MANAGED_RULE_GROUPS } from '../../../src/domain/waf/managed-groups.ts'
import type { WebAclDoc } from '../../../src/domain/waf/web-acl.ts'
import { groupRule, webAclDoc } from '../../support/web-acl.ts'

export const managedAcl = (): WebAclDoc =>
  webAclDoc(
    MANAGED_RULE_GROUPS.map(({ name }) =>
      groupRule(name, { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: name } }),
    ),
  )
