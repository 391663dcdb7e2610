//! THE TABLE: CloudFront's operations by their names in AWS's model. What is not here answers 501 with its name.
import type { OperationTable } from '../service.ts'
import { associateAlias, listConflictingAliases } from './aliases.ts'
import {
  createCachePolicy,
  deleteCachePolicy,
  getCachePolicy,
  getCachePolicyConfig,
  listCachePolicies,
  updateCachePolicy,
} from './cache-policies.ts'
import {
  createContinuousDeploymentPolicy,
  deleteContinuousDeploymentPolicy,
  getContinuousDeploymentPolicy,
  getContinuousDeploymentPolicyConfig,
  listContinuousDeploymentPolicies,
  updateContinuousDeploymentPolicy,
} from './deployment-policies.ts'
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
  createOriginAccessControl,
  deleteOriginAccessControl,
  getOriginAccessControl,
  getOriginAccessControlConfig,
  listOriginAccessControls,
  updateOriginAccessControl,
} from './origin-access-controls.ts'
import {
  createCloudFrontOriginAccessIdentity,
  deleteCloudFrontOriginAccessIdentity,
  getCloudFrontOriginAccessIdentity,
  getCloudFrontOriginAccessIdentityConfig,
  listCloudFrontOriginAccessIdentities,
  updateCloudFrontOriginAccessIdentity,
} from './origin-access-identities.ts'
import {
  createOriginRequestPolicy,
  deleteOriginRequestPolicy,
  getOriginRequestPolicy,
  getOriginRequestPolicyConfig,
  listOriginRequestPolicies,
  updateOriginRequestPolicy,
} from './origin-request-policies.ts'
import { copyDistribution, updateDistributionWithStagingConfig } from './staging.ts'
import { listTagsForResource, tagResource, untagResource } from './tagging.ts'

export const CLOUDFRONT_OPERATIONS: OperationTable = {
  AssociateAlias: associateAlias,
  CopyDistribution: copyDistribution,
  CreateCachePolicy: createCachePolicy,
  CreateCloudFrontOriginAccessIdentity: createCloudFrontOriginAccessIdentity,
  CreateContinuousDeploymentPolicy: createContinuousDeploymentPolicy,
  CreateDistribution: createDistribution,
  CreateDistributionWithTags: createDistributionWithTags,
  CreateInvalidation: createInvalidation,
  CreateOriginAccessControl: createOriginAccessControl,
  CreateOriginRequestPolicy: createOriginRequestPolicy,
  DeleteCachePolicy: deleteCachePolicy,
  DeleteCloudFrontOriginAccessIdentity: deleteCloudFrontOriginAccessIdentity,
  DeleteContinuousDeploymentPolicy: deleteContinuousDeploymentPolicy,
  DeleteDistribution: deleteDistribution,
  DeleteOriginAccessControl: deleteOriginAccessControl,
  DeleteOriginRequestPolicy: deleteOriginRequestPolicy,
  GetCachePolicy: getCachePolicy,
  GetCachePolicyConfig: getCachePolicyConfig,
  GetCloudFrontOriginAccessIdentity: getCloudFrontOriginAccessIdentity,
  GetCloudFrontOriginAccessIdentityConfig: getCloudFrontOriginAccessIdentityConfig,
  GetContinuousDeploymentPolicy: getContinuousDeploymentPolicy,
  GetContinuousDeploymentPolicyConfig: getContinuousDeploymentPolicyConfig,
  GetDistribution: getDistribution,
  GetDistributionConfig: getDistributionConfig,
  GetInvalidation: getInvalidation,
  GetOriginAccessControl: getOriginAccessControl,
  GetOriginAccessControlConfig: getOriginAccessControlConfig,
  GetOriginRequestPolicy: getOriginRequestPolicy,
  GetOriginRequestPolicyConfig: getOriginRequestPolicyConfig,
  ListCachePolicies: listCachePolicies,
  ListCloudFrontOriginAccessIdentities: listCloudFrontOriginAccessIdentities,
  ListConflictingAliases: listConflictingAliases,
  ListContinuousDeploymentPolicies: listContinuousDeploymentPolicies,
  ListDistributions: listDistributions,
  ListInvalidations: listInvalidations,
  ListOriginAccessControls: listOriginAccessControls,
  ListOriginRequestPolicies: listOriginRequestPolicies,
  ListTagsForResource: listTagsForResource,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateCachePolicy: updateCachePolicy,
  UpdateCloudFrontOriginAccessIdentity: updateCloudFrontOriginAccessIdentity,
  UpdateContinuousDeploymentPolicy: updateContinuousDeploymentPolicy,
  UpdateDistribution: updateDistribution,
  UpdateDistributionWithStagingConfig: updateDistributionWithStagingConfig,
  UpdateOriginAccessControl: updateOriginAccessControl,
  UpdateOriginRequestPolicy: updateOriginRequestPolicy,
}
