//! Origin request policies: AWS's shapes around policies.ts.
import type {
  CreateOriginRequestPolicyRequest,
  CreateOriginRequestPolicyResult,
  DeleteOriginRequestPolicyRequest,
  GetOriginRequestPolicyConfigRequest,
  GetOriginRequestPolicyConfigResult,
  GetOriginRequestPolicyRequest,
  GetOriginRequestPolicyResult,
  ListOriginRequestPoliciesRequest,
  ListOriginRequestPoliciesResult,
  OriginRequestPolicy,
  OriginRequestPolicyConfig,
  UpdateOriginRequestPolicyRequest,
  UpdateOriginRequestPolicyResult,
} from '@aws-sdk/client-cloudfront'
import type { Operation } from '../service.ts'
import { locationOf } from './entity-tag.ts'
import { managedOriginRequestPolicyConfigs } from './managed-views.ts'
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
import { acceptedOriginRequestPolicy } from './policy-checks.ts'

const KIND: PolicyKind<OriginRequestPolicyConfig> = {
  kind: 'origin-request-policy',
  codes: {
    missing: 'NoSuchOriginRequestPolicy',
    exists: 'OriginRequestPolicyAlreadyExists',
    inUse: 'OriginRequestPolicyInUse',
    tooMany: 'TooManyOriginRequestPolicies',
  },
  managed: managedOriginRequestPolicyConfigs,
  accepted: acceptedOriginRequestPolicy,
}

const view = (policy: Policy<OriginRequestPolicyConfig>): OriginRequestPolicy => ({
  Id: policy.id,
  LastModifiedTime: policy.lastModifiedTime,
  OriginRequestPolicyConfig: policy.config,
})

export const createOriginRequestPolicy: Operation<
  CreateOriginRequestPolicyRequest,
  CreateOriginRequestPolicyResult
> = async (input, context) => {
  const policy = await createPolicy(KIND, input.OriginRequestPolicyConfig, context)
  return {
    OriginRequestPolicy: view(policy),
    Location: locationOf(`origin-request-policy/${policy.id}`),
    ETag: policy.etag,
  }
}

export const getOriginRequestPolicy: Operation<GetOriginRequestPolicyRequest, GetOriginRequestPolicyResult> = async (
  input,
  { state },
) => {
  const policy = await findPolicy(KIND, state, input.Id)
  return { OriginRequestPolicy: view(policy), ETag: policy.etag }
}

export const getOriginRequestPolicyConfig: Operation<
  GetOriginRequestPolicyConfigRequest,
  GetOriginRequestPolicyConfigResult
> = async (input, { state }) => {
  const policy = await findPolicy(KIND, state, input.Id)
  return { OriginRequestPolicyConfig: policy.config, ETag: policy.etag }
}

export const updateOriginRequestPolicy: Operation<
  UpdateOriginRequestPolicyRequest,
  UpdateOriginRequestPolicyResult
> = async (input, context) => {
  const policy = await updatePolicy(KIND, input.Id, input.IfMatch, input.OriginRequestPolicyConfig, context)
  return { OriginRequestPolicy: view(policy), ETag: policy.etag }
}

export const deleteOriginRequestPolicy: Operation<DeleteOriginRequestPolicyRequest, object> = async (
  input,
  context,
) => {
  await deletePolicy(KIND, input.Id, input.IfMatch, context)
  return {}
}

export const listOriginRequestPolicies: Operation<
  ListOriginRequestPoliciesRequest,
  ListOriginRequestPoliciesResult
> = async (input, { state }) => {
  const policies = await allPolicies(KIND, state, input.Type)
  const summary = (policy: Policy<OriginRequestPolicyConfig>) => ({
    Type: policy.type,
    OriginRequestPolicy: view(policy),
  })
  return { OriginRequestPolicyList: plainPage(policies, POLICY_ORDER, summary, input) }
}
