//! Cache policies: AWS's shapes around policies.ts.
import type {
  CachePolicy,
  CachePolicyConfig,
  CreateCachePolicyRequest,
  CreateCachePolicyResult,
  DeleteCachePolicyRequest,
  GetCachePolicyConfigRequest,
  GetCachePolicyConfigResult,
  GetCachePolicyRequest,
  GetCachePolicyResult,
  ListCachePoliciesRequest,
  ListCachePoliciesResult,
  UpdateCachePolicyRequest,
  UpdateCachePolicyResult,
} from '@aws-sdk/client-cloudfront'
import type { Operation } from '../service.ts'
import { locationOf } from './entity-tag.ts'
import { managedCachePolicyConfigs } from './managed-views.ts'
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
import { acceptedCachePolicy } from './policy-checks.ts'

const KIND: PolicyKind<CachePolicyConfig> = {
  kind: 'cache-policy',
  codes: {
    missing: 'NoSuchCachePolicy',
    exists: 'CachePolicyAlreadyExists',
    inUse: 'CachePolicyInUse',
    tooMany: 'TooManyCachePolicies',
  },
  managed: managedCachePolicyConfigs,
  accepted: acceptedCachePolicy,
}

const view = (policy: Policy<CachePolicyConfig>): CachePolicy => ({
  Id: policy.id,
  LastModifiedTime: policy.lastModifiedTime,
  CachePolicyConfig: policy.config,
})

export const createCachePolicy: Operation<CreateCachePolicyRequest, CreateCachePolicyResult> = async (
  input,
  context,
) => {
  const policy = await createPolicy(KIND, input.CachePolicyConfig, context)
  return { CachePolicy: view(policy), Location: locationOf(`cache-policy/${policy.id}`), ETag: policy.etag }
}

export const getCachePolicy: Operation<GetCachePolicyRequest, GetCachePolicyResult> = async (input, { state }) => {
  const policy = await findPolicy(KIND, state, input.Id)
  return { CachePolicy: view(policy), ETag: policy.etag }
}

export const getCachePolicyConfig: Operation<GetCachePolicyConfigRequest, GetCachePolicyConfigResult> = async (
  input,
  { state },
) => {
  const policy = await findPolicy(KIND, state, input.Id)
  return { CachePolicyConfig: policy.config, ETag: policy.etag }
}

export const updateCachePolicy: Operation<UpdateCachePolicyRequest, UpdateCachePolicyResult> = async (
  input,
  context,
) => {
  const policy = await updatePolicy(KIND, input.Id, input.IfMatch, input.CachePolicyConfig, context)
  return { CachePolicy: view(policy), ETag: policy.etag }
}

export const deleteCachePolicy: Operation<DeleteCachePolicyRequest, object> = async (input, context) => {
  await deletePolicy(KIND, input.Id, input.IfMatch, context)
  return {}
}

export const listCachePolicies: Operation<ListCachePoliciesRequest, ListCachePoliciesResult> = async (
  input,
  { state },
) => {
  const policies = await allPolicies(KIND, state, input.Type)
  const summary = (policy: Policy<CachePolicyConfig>) => ({ Type: policy.type, CachePolicy: view(policy) })
  return { CachePolicyList: plainPage(policies, POLICY_ORDER, summary, input) }
}
