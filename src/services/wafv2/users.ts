//! Who names a resource of WAF: it cannot be deleted meanwhile.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import type { DistributionRecord } from '../../domain/records.ts'
import { names } from '../../domain/waf/references.ts'
import type { Reader } from '../../state/state.ts'

/** ARN of the distribution's web ACL; empty for none. */
export const webAclOf = ({ config }: DistributionRecord): string => (config as DistributionConfig).WebACLId ?? ''

/** Distributions whose WebACLId it is. */
export async function distributionsWith(reader: Reader, webAcl: string): Promise<DistributionRecord[]> {
  const all = await reader.list('distribution')
  return all.map(({ doc }) => doc).filter((record) => webAclOf(record) === webAcl)
}

/** ARNs of the web ACLs and rule groups whose rules name it. */
export async function rulesThatName(reader: Reader, arn: string): Promise<string[]> {
  const [acls, groups] = await Promise.all([reader.list('web-acl'), reader.list('rule-group')])
  return [
    ...acls.filter(({ doc }) => names(doc.acl.Rules ?? [], arn)).map(({ id }) => id),
    ...groups.filter(({ doc }) => names(doc.group.Rules ?? [], arn)).map(({ id }) => id),
  ]
}
