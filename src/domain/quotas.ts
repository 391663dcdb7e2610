//! CloudFront's quotas that are enforced (spec/cloudfront.md 2.1-2.7). Counts unless a unit is in the name.

export const QUOTAS = {
  distributions: 500,
  aliasesPerDistribution: 100,
  originsPerDistribution: 100,
  behaviorsPerDistribution: 75,
  customHeadersPerOrigin: 30,
  customHeaderNameChars: 256,
  customHeaderValueChars: 1_783,
  /** Names and values of one origin together. */
  customHeadersChars: 10_240,
  policiesOfEachKind: 20,
  distributionsPerPolicy: 100,
  /** Headers, cookies, query strings: each. */
  namesPerPolicyPart: 10,
  namesPerPolicyChars: 1_024,
  tagsPerResource: 50,
  /** Paths of one batch, and of all that are in progress for a distribution. */
  invalidationPaths: 3_000,
  invalidationWildcardsInProgress: 15,
  invalidationPathChars: 4_000,
  commentChars: 128,
  pathPatternChars: 255,
  rootObjectChars: 255,
  /** Unconfirmed. */
  originIdChars: 128,
  originPathChars: 255,
  /** Of a custom error response (unconfirmed: what an invalidation path may have). */
  errorPagePathChars: 4_000,
  originDomainChars: 253,
  /** Also the default page of every list (unconfirmed). */
  pageItems: 100,
} as const
