//! THE TABLE: CloudFront's operations by their names in AWS's model. What is not here answers 501 with its name.
import type { OperationTable } from '../service.ts'
import {
  createCachePolicy,
  deleteCachePolicy,
  getCachePolicy,
  getCachePolicyConfig,
  listCachePolicies,
  updateCachePolicy,
} from './cache-policies.ts'
import {
  createDistribution,
  createDistributionWithTags,
  deleteDistribution,
  getDistribution,
  getDistributionConfig,
  listDistributions,
  updateDistribution,
} from './distributions.ts'
import { createInvalidation, getInvalidation, listInvalidations } from './invalidations.ts'
import {
  createOriginRequestPolicy,
  deleteOriginRequestPolicy,
  getOriginRequestPolicy,
  getOriginRequestPolicyConfig,
  listOriginRequestPolicies,
  updateOriginRequestPolicy,
} from './origin-request-policies.ts'
import { listTagsForResource, tagResource, untagResource } from './tagging.ts'

export const CLOUDFRONT_OPERATIONS: OperationTable = {
  CreateCachePolicy: createCachePolicy,
  CreateDistribution: createDistribution,
  CreateDistributionWithTags: createDistributionWithTags,
  CreateInvalidation: createInvalidation,
  CreateOriginRequestPolicy: createOriginRequestPolicy,
  DeleteCachePolicy: deleteCachePolicy,
  DeleteDistribution: deleteDistribution,
  DeleteOriginRequestPolicy: deleteOriginRequestPolicy,
  GetCachePolicy: getCachePolicy,
  GetCachePolicyConfig: getCachePolicyConfig,
  GetDistribution: getDistribution,
  GetDistributionConfig: getDistributionConfig,
  GetInvalidation: getInvalidation,
  GetOriginRequestPolicy: getOriginRequestPolicy,
  GetOriginRequestPolicyConfig: getOriginRequestPolicyConfig,
  ListCachePolicies: listCachePolicies,
  ListDistributions: listDistributions,
  ListInvalidations: listInvalidations,
  ListOriginRequestPolicies: listOriginRequestPolicies,
  ListTagsForResource: listTagsForResource,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateCachePolicy: updateCachePolicy,
  UpdateDistribution: updateDistribution,
  UpdateOriginRequestPolicy: updateOriginRequestPolicy,
}
