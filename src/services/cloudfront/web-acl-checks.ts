//! The web ACL that a distribution names is there. It cannot be deleted while one does (services/wafv2/web-acls.ts).
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import type { Reader } from '../../state/state.ts'

/** @throws InvalidWebACLId; what is no ARN is refused elsewhere (access-checks.ts, not-built.ts) */
export async function checkWebAcl(reader: Reader, { WebACLId: arn }: DistributionConfig): Promise<void> {
  if (!arn?.startsWith('arn:') || (await reader.get('web-acl', arn)) !== undefined) return
  throw cloudfrontFault(
    'InvalidWebACLId',
    `There is no web ACL ${quoted(arn)}: make it with CreateWebACL of WAFv2 first.`,
  )
}
