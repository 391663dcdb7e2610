//! Response headers policies: AWS's shapes around policies.ts.
import type {
  CreateResponseHeadersPolicyRequest,
  CreateResponseHeadersPolicyResult,
  DeleteResponseHeadersPolicyRequest,
  GetResponseHeadersPolicyConfigRequest,
  GetResponseHeadersPolicyConfigResult,
  GetResponseHeadersPolicyRequest,
  GetResponseHeadersPolicyResult,
  ListResponseHeadersPoliciesRequest,
  ListResponseHeadersPoliciesResult,
  ResponseHeadersPolicy,
  ResponseHeadersPolicyConfig,
  UpdateResponseHeadersPolicyRequest,
  UpdateResponseHeadersPolicyResult,
} from '@aws-sdk/client-cloudfront'
import type { Operation } from '../service.ts'
import { locationOf } from './entity-tag.ts'
import { managedHeadersPolicyConfigs } from './managed-headers-views.ts'
import { plainPage } from './paging.ts'
import {
  allPolicies,
  createPolicy,
  deletePolicy,
  findPolicy,
  POLICY_ORDER,
  type Policy,
  type PolicyKind,
  updatePolicy,
} from './policies.ts'
import { acceptedHeadersPolicy } from './response-headers-checks.ts'

const KIND: PolicyKind<ResponseHeadersPolicyConfig> = {
  kind: 'response-headers-policy',
  codes: {
    missing: 'NoSuchResponseHeadersPolicy',
    exists: 'ResponseHeadersPolicyAlreadyExists',
    inUse: 'ResponseHeadersPolicyInUse',
    tooMany: 'TooManyResponseHeadersPolicies',
  },
  managed: managedHeadersPolicyConfigs,
  accepted: acceptedHeadersPolicy,
}

const view = (policy: Policy<ResponseHeadersPolicyConfig>): ResponseHeadersPolicy => ({
  Id: policy.id,
  LastModifiedTime: policy.lastModifiedTime,
  ResponseHeadersPolicyConfig: policy.config,
})

export const createResponseHeadersPolicy: Operation<
  CreateResponseHeadersPolicyRequest,
  CreateResponseHeadersPolicyResult
> = async (input, context) => {
  const policy = await createPolicy(KIND, input.ResponseHeadersPolicyConfig, context)
  return {
    ResponseHeadersPolicy: view(policy),
    Location: locationOf(`response-headers-policy/${policy.id}`),
    ETag: policy.etag,
  }
}

export const getResponseHeadersPolicy: Operation<
  GetResponseHeadersPolicyRequest,
  GetResponseHeadersPolicyResult
> = async (input, { state }) => {
  const policy = await findPolicy(KIND, state, input.Id)
  return { ResponseHeadersPolicy: view(policy), ETag: policy.etag }
}

export const getResponseHeadersPolicyConfig: Operation<
  GetResponseHeadersPolicyConfigRequest,
  GetResponseHeadersPolicyConfigResult
> = async (input, { state }) => {
  const policy = await findPolicy(KIND, state, input.Id)
  return { ResponseHeadersPolicyConfig: policy.config, ETag: policy.etag }
}

export const updateResponseHeadersPolicy: Operation<
  UpdateResponseHeadersPolicyRequest,
  UpdateResponseHeadersPolicyResult
> = async (input, context) => {
  const policy = await updatePolicy(KIND, input.Id, input.IfMatch, input.ResponseHeadersPolicyConfig, context)
  return { ResponseHeadersPolicy: view(policy), ETag: policy.etag }
}

export const deleteResponseHeadersPolicy: Operation<DeleteResponseHeadersPolicyRequest, object> = async (
  input,
  context,
) => {
  await deletePolicy(KIND, input.Id, input.IfMatch, context)
  return {}
}

export const listResponseHeadersPolicies: Operation<
  ListResponseHeadersPoliciesRequest,
  ListResponseHeadersPoliciesResult
> = async (input, { state }) => {
  const policies = await allPolicies(KIND, state, input.Type)
  const summary = (policy: Policy<ResponseHeadersPolicyConfig>) => ({
    Type: policy.type,
    ResponseHeadersPolicy: view(policy),
  })
  return { ResponseHeadersPolicyList: plainPage(policies, POLICY_ORDER, summary, input) }
}
