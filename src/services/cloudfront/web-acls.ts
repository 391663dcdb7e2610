//! The web ACL of a distribution, set or taken away without the whole configuration.
import type {
  AssociateDistributionWebACLRequest,
  AssociateDistributionWebACLResult,
  DisassociateDistributionWebACLRequest,
  DisassociateDistributionWebACLResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkDeploymentChange } from './deployment-rules.ts'
import { configOf } from './distribution-view.ts'
import { acceptedConfig, otherDistributions, replaceConfig } from './distributions.ts'
import { requireMatch } from './entity-tag.ts'

/** The distribution with another web ACL, or with none. */
async function replaceWebAcl(
  { Id: id, IfMatch }: { readonly Id: string | undefined; readonly IfMatch?: string | undefined },
  arn: string,
  context: ServiceContext,
): Promise<DistributionRecord> {
  return context.state.transact(async (tx) => {
    const old = id === undefined ? undefined : (await tx.get('distribution', id))?.doc
    if (old === undefined) {
      throw cloudfrontFault('EntityNotFound', `The specified distribution does not exist: ${quoted(id ?? '')}.`)
    }
    requireMatch(IfMatch, old.etag)
    const config = { ...configOf(old), WebACLId: arn }
    // As an update would be refused, so is this: a policy of continuous deployment may bind the web ACL.
    await acceptedConfig(tx, config, await otherDistributions(tx, old.id), context)
    await checkDeploymentChange(tx, old, config)
    return replaceConfig(tx, old, config, context)
  })
}

export const associateDistributionWebACL: Operation<
  AssociateDistributionWebACLRequest,
  AssociateDistributionWebACLResult
> = async (input, context) => {
  const arn = input.WebACLArn ?? ''
  if (!/^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+$/.test(arn)) {
    throw cloudfrontFault('InvalidArgument', `${quoted(arn)} is not the ARN of a web ACL of WAFv2 (global).`)
  }
  if ((await context.state.get('web-acl', arn)) === undefined) {
    throw cloudfrontFault('EntityNotFound', `There is no web ACL ${quoted(arn)}.`)
  }
  const record = await replaceWebAcl(input, arn, context)
  return { Id: record.id, WebACLArn: arn, ETag: record.etag }
}

export const disassociateDistributionWebACL: Operation<
  DisassociateDistributionWebACLRequest,
  DisassociateDistributionWebACLResult
> = async (input, context) => {
  const record = await replaceWebAcl(input, '', context)
  return { Id: record.id, ETag: record.etag }
}
