//! Web ACLs and the distributions that name them. A distribution names its web ACL itself (WebACLId), so that AWS refuses to
//! associate one here.
import type {
  AssociateWebACLRequest,
  DisassociateWebACLRequest,
  GetWebACLForResourceRequest,
  GetWebACLForResourceResponse,
  ListResourcesForWebACLRequest,
  ListResourcesForWebACLResponse,
  WebACL,
} from '@aws-sdk/client-wafv2'
import { invalidParameter } from '../../domain/waf/faults.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { find, missing } from './resources.ts'
import { shown } from './stored-shape.ts'
import { distributionsWith, webAclOf } from './users.ts'

const wrongResource = (arn: string | undefined) =>
  invalidParameter(
    'RESOURCE_ARN',
    arn ?? '',
    /^arn:aws:cloudfront:/.test(arn ?? '')
      ? "The ARN isn't valid here: a distribution names its web ACL itself, in the WebACLId of its configuration (or by AssociateDistributionWebACL of CloudFront)"
      : "The ARN isn't valid: there are no resources here but distributions of CloudFront",
  )

export const associateWebACL: Operation<AssociateWebACLRequest, object> = async (input, context) => {
  await find(context.state, 'web-acl', { ARN: input.WebACLArn }, context)
  throw wrongResource(input.ResourceArn)
}

export const disassociateWebACL: Operation<DisassociateWebACLRequest, object> = async (input) => {
  throw wrongResource(input.ResourceArn)
}

/** AWS refuses distributions here, and asks for GetDistributionConfig; the answer is the same, so it is given (a superset). */
export const getWebACLForResource: Operation<GetWebACLForResourceRequest, GetWebACLForResourceResponse> = async (
  input,
  context,
) => {
  const [, id] = /^arn:aws:cloudfront::\d{12}:distribution\/(\w+)$/.exec(input.ResourceArn ?? '') ?? []
  if (id === undefined) throw wrongResource(input.ResourceArn)
  const record = (await context.state.get('distribution', id))?.doc
  if (record === undefined || record.arn !== input.ResourceArn) throw missing(`there is no distribution ${id}`)
  const arn = webAclOf(record)
  return arn === '' ? {} : { WebACL: await aclOf(arn, context) }
}

const aclOf = async (arn: string, context: ServiceContext): Promise<WebACL> =>
  shown<WebACL>((await find(context.state, 'web-acl', { ARN: arn }, context)).acl)

/** Distributions, which AWS leaves to ListDistributionsByWebACLId; none for a ResourceType, for they have none. */
export const listResourcesForWebACL: Operation<ListResourcesForWebACLRequest, ListResourcesForWebACLResponse> = async (
  input,
  context,
) => {
  const { arn } = await find(context.state, 'web-acl', { ARN: input.WebACLArn }, context)
  if (input.ResourceType !== undefined) return { ResourceArns: [] }
  return { ResourceArns: (await distributionsWith(context.state, arn)).map((record) => record.arn) }
}
