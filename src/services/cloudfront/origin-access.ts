//! Which origins are buckets, by what access they are read, and what AWS refuses of both (spec/cloudfront.md 2.2, 7.1-7.3).
import type {
  CachePolicyConfig,
  DefaultCacheBehavior,
  DistributionConfig,
  Origin,
  OriginAccessControlConfig,
  OriginRequestPolicyConfig,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { managedCachePolicy, managedOriginRequestPolicy } from '../../domain/managed-policies.ts'
import { identityOf } from '../../domain/origin-identity.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import { bucketOf, isOtherS3Name } from '../../domain/s3-names.ts'
import type { Reader } from '../../state/state.ts'

const originsOf = ({ config }: DistributionRecord): readonly Origin[] =>
  (config as DistributionConfig).Origins?.Items ?? []

export const distributionsWithControl = (
  records: readonly DistributionRecord[],
  id: string,
): readonly DistributionRecord[] =>
  records.filter((record) => originsOf(record).some((origin) => origin.OriginAccessControlId === id))

export const distributionsWithIdentity = (
  records: readonly DistributionRecord[],
  id: string,
): readonly DistributionRecord[] =>
  records.filter((record) =>
    originsOf(record).some(({ S3OriginConfig: s3 }) => identityOf(s3?.OriginAccessIdentity ?? '') === id),
  )

/**
 * Checks the buckets among the origins, and the access of every origin.
 * @param others the account's other distributions
 * @throws the fault of the first thing that is wrong; NotImplemented for names of S3 that are of no bucket
 */
export async function checkOriginAccess(
  reader: Reader,
  config: DistributionConfig,
  others: readonly DistributionRecord[],
  quotas: Quotas,
): Promise<void> {
  for (const [at, origin] of (config.Origins?.Items ?? []).entries()) {
    const field = `Origins.Items[${at}]`
    const identity = origin.S3OriginConfig?.OriginAccessIdentity ?? ''
    if (origin.OriginAccessControlId && identity !== '') {
      throw cloudfrontFault(
        'IllegalOriginAccessConfiguration',
        `${field} has both an OriginAccessControlId and an OriginAccessIdentity: give one of the two.`,
      )
    }
    if (identity !== '') await checkIdentity(reader, identity, `${field}.S3OriginConfig.OriginAccessIdentity`)
    if (origin.OriginAccessControlId) {
      await checkControl(reader, origin, `${field}.OriginAccessControlId`)
      if (
        distributionsWithControl(others, origin.OriginAccessControlId).length >=
        quotas.distributionsPerOriginAccessControl
      ) {
        throw cloudfrontFault(
          'TooManyDistributionsAssociatedToOriginAccessControl',
          `An origin access control serves at most ${quotas.distributionsPerOriginAccessControl} distributions.`,
        )
      }
    }
    if (origin.S3OriginConfig !== undefined) checkBucketName(origin, field)
  }
  await checkForwardedHost(reader, config)
}

async function checkIdentity(reader: Reader, value: string, field: string): Promise<void> {
  const id = identityOf(value)
  if (id !== null && (await reader.get('origin-access-identity', id)) !== undefined) return
  throw cloudfrontFault(
    'InvalidOriginAccessIdentity',
    `The parameter ${field} is not valid or does not exist: ${quoted(value)}; it has the form origin-access-identity/cloudfront/ID.`,
  )
}

async function checkControl(reader: Reader, origin: Origin, field: string): Promise<void> {
  const stored = await reader.get('origin-access-control', origin.OriginAccessControlId ?? '')
  if (stored === undefined) {
    throw cloudfrontFault(
      'InvalidOriginAccessControl',
      `The parameter ${field} is not valid: ${quoted(origin.OriginAccessControlId ?? '')} does not exist.`,
    )
  }
  const { OriginAccessControlOriginType: type } = stored.doc.config as OriginAccessControlConfig
  if (type === 's3' && bucketOf(origin.DomainName ?? '') === null) {
    throw cloudfrontFault(
      'InvalidDomainNameForOriginAccessControl',
      `${field} names an origin access control of the type s3, and ${quoted(origin.DomainName ?? '')} is not the name of a bucket, like bucket.s3.eu-central-1.amazonaws.com.`,
    )
  }
  // What AWS makes of a bucket that is configured as a custom origin is unconfirmed; its console never does that.
  if (origin.S3OriginConfig === undefined) {
    throw cloudfrontFault(
      'InvalidOriginAccessControl',
      `${field} names an origin access control of the type s3, which needs an S3OriginConfig.`,
    )
  }
}

/** AWS's own words: "The parameter Origin DomainName does not refer to a valid S3 bucket." */
function checkBucketName({ DomainName: name = '' }: Origin, field: string): void {
  if (isOtherS3Name(name)) throw notImplemented(`An access point of S3 in ${field}.DomainName`)
  if (bucketOf(name) !== null) return
  throw invalidArgument(
    `${field}.DomainName`,
    `${quoted(name)} does not refer to a valid S3 bucket, like bucket.s3.eu-central-1.amazonaws.com`,
  )
}

/** A bucket is found by Host: the viewer's cannot go there. Policies that forward all that viewers send leave it out. */
async function checkForwardedHost(reader: Reader, config: DistributionConfig): Promise<void> {
  const buckets = new Set((config.Origins?.Items ?? []).filter((o) => o.S3OriginConfig !== undefined).map((o) => o.Id))
  for (const { Id, Members } of config.OriginGroups?.Items ?? []) {
    if (Members?.Items?.some(({ OriginId }) => buckets.has(OriginId))) buckets.add(Id)
  }
  const behaviors: readonly (readonly [string, DefaultCacheBehavior | undefined])[] = [
    ['DefaultCacheBehavior', config.DefaultCacheBehavior],
    ...(config.CacheBehaviors?.Items ?? []).map((behavior, at) => [`CacheBehaviors.Items[${at}]`, behavior] as const),
  ]
  for (const [field, behavior] of behaviors) {
    if (behavior === undefined || !buckets.has(behavior.TargetOriginId)) continue
    const listed = await forwardedHeaders(reader, behavior)
    const refused = listed.find((name) => name === '*' || name.toLowerCase() === 'host')
    if (refused === undefined) continue
    throw cloudfrontFault(
      'InvalidHeadersForS3Origin',
      `The headers specified are not valid for an Amazon S3 origin: ${field} forwards ${refused === '*' ? 'all headers' : 'Host'}.`,
    )
  }
}

/** Names of headers that are listed to go to the origin. */
async function forwardedHeaders(reader: Reader, behavior: DefaultCacheBehavior): Promise<readonly string[]> {
  const { CachePolicyId = '', OriginRequestPolicyId = '', ForwardedValues } = behavior
  const cache = (await reader.get('cache-policy', CachePolicyId))?.doc.config as CachePolicyConfig | undefined
  const request = (await reader.get('origin-request-policy', OriginRequestPolicyId))?.doc.config as
    | OriginRequestPolicyConfig
    | undefined
  const keyed = cache?.ParametersInCacheKeyAndForwardedToOrigin?.HeadersConfig
  const sent = request?.HeadersConfig
  const managed = managedOriginRequestPolicy(OriginRequestPolicyId)?.settings?.headers
  return [
    ...(ForwardedValues?.Headers?.Items ?? []),
    ...(keyed?.Headers?.Items ?? []),
    ...(managedCachePolicy(CachePolicyId)?.settings?.headers.names ?? []),
    ...(sent?.HeaderBehavior === 'allExcept' ? [] : (sent?.Headers?.Items ?? [])),
    ...(managed === undefined || managed.behavior === 'allExcept' ? [] : managed.names),
  ]
}
