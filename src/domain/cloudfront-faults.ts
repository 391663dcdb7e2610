//! Every error code of CloudFront that this program answers, with its HTTP status (spec/cloudfront.md 1.5). A contract
//! test compares the table with the SDK's schemas.
import { Fault } from './faults.ts'

/** HTTP status by wire code. */
export const CLOUDFRONT_FAULTS = {
  BatchTooLarge: 413,
  CNAMEAlreadyExists: 409,
  CachePolicyAlreadyExists: 409,
  CachePolicyInUse: 409,
  CannotDeleteEntityWhileInUse: 409,
  CloudFrontOriginAccessIdentityAlreadyExists: 409,
  CloudFrontOriginAccessIdentityInUse: 409,
  ContinuousDeploymentPolicyAlreadyExists: 409,
  ContinuousDeploymentPolicyInUse: 409,
  DistributionAlreadyExists: 409,
  DistributionNotDisabled: 409,
  EntityAlreadyExists: 409,
  EntityLimitExceeded: 400,
  EntityNotFound: 404,
  IllegalDelete: 400,
  IllegalOriginAccessConfiguration: 400,
  IllegalUpdate: 400,
  InvalidArgument: 400,
  InvalidDefaultRootObject: 400,
  InvalidDomainNameForOriginAccessControl: 400,
  InvalidErrorCode: 400,
  InvalidForwardCookies: 400,
  InvalidGeoRestrictionParameter: 400,
  InvalidHeadersForS3Origin: 400,
  InvalidIfMatchVersion: 400,
  InvalidLocationCode: 400,
  InvalidMinimumProtocolVersion: 400,
  InvalidOrigin: 400,
  InvalidOriginAccessControl: 400,
  InvalidOriginAccessIdentity: 400,
  InvalidOriginKeepaliveTimeout: 400,
  InvalidOriginReadTimeout: 400,
  InvalidProtocolSettings: 400,
  InvalidQueryStringParameters: 400,
  InvalidRelativePath: 400,
  InvalidResponseCode: 400,
  InvalidTTLOrder: 400,
  InvalidTagging: 400,
  InvalidViewerCertificate: 400,
  InvalidWebACLId: 400,
  /** Named in AWS's documents, absent from the model; the status is ours (unconfirmed). */
  InvalidationBatchAlreadyExists: 409,
  MissingBody: 400,
  NoSuchCachePolicy: 404,
  NoSuchCloudFrontOriginAccessIdentity: 404,
  NoSuchContinuousDeploymentPolicy: 404,
  NoSuchDistribution: 404,
  NoSuchInvalidation: 404,
  NoSuchOrigin: 404,
  NoSuchOriginAccessControl: 404,
  NoSuchOriginRequestPolicy: 404,
  NoSuchResource: 404,
  NoSuchResponseHeadersPolicy: 404,
  OriginAccessControlAlreadyExists: 409,
  OriginAccessControlInUse: 409,
  OriginRequestPolicyAlreadyExists: 409,
  OriginRequestPolicyInUse: 409,
  PreconditionFailed: 412,
  ResourceInUse: 409,
  StagingDistributionInUse: 409,
  ResponseHeadersPolicyAlreadyExists: 409,
  ResponseHeadersPolicyInUse: 409,
  TooLongCSPInResponseHeadersPolicy: 400,
  TooManyCacheBehaviors: 400,
  TooManyCachePolicies: 400,
  TooManyCloudFrontOriginAccessIdentities: 400,
  TooManyContinuousDeploymentPolicies: 400,
  TooManyCookieNamesInWhiteList: 400,
  TooManyCookiesInCachePolicy: 400,
  TooManyCookiesInOriginRequestPolicy: 400,
  TooManyCustomHeadersInResponseHeadersPolicy: 400,
  TooManyCertificates: 400,
  TooManyDistributionCNAMEs: 400,
  TooManyDistributions: 400,
  TooManyDistributionsAssociatedToCachePolicy: 400,
  TooManyDistributionsAssociatedToOriginAccessControl: 400,
  TooManyDistributionsAssociatedToOriginRequestPolicy: 400,
  TooManyDistributionsAssociatedToResponseHeadersPolicy: 400,
  TooManyHeadersInCachePolicy: 400,
  TooManyHeadersInForwardedValues: 400,
  TooManyHeadersInOriginRequestPolicy: 400,
  TooManyInvalidationsInProgress: 400,
  TooManyOriginAccessControls: 400,
  TooManyOriginCustomHeaders: 400,
  TooManyOriginGroupsPerDistribution: 400,
  TooManyOriginRequestPolicies: 400,
  TooManyOrigins: 400,
  TooManyQueryStringParameters: 400,
  TooManyQueryStringsInCachePolicy: 400,
  TooManyQueryStringsInOriginRequestPolicy: 400,
  TooManyRemoveHeadersInResponseHeadersPolicy: 400,
  TooManyResponseHeadersPolicies: 400,
} as const

export type CloudfrontCode = keyof typeof CLOUDFRONT_FAULTS

export function cloudfrontFault(code: CloudfrontCode, message: string): Fault {
  return new Fault(code, CLOUDFRONT_FAULTS[code], message)
}

/** `field` by the names of the model, `DefaultCacheBehavior.AllowedMethods`; `rule` says what is allowed. */
export function invalidArgument(field: string, rule: string): Fault {
  return cloudfrontFault('InvalidArgument', `The parameter ${field} is not valid: ${rule}.`)
}

/** A caller's own text in a message: at most 100 characters of it. */
export function quoted(text: string): string {
  return `"${text.length > 100 ? `${text.slice(0, 100)}...` : text}"`
}
