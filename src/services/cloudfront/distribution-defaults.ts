//! A DistributionConfig as AWS returns it: every field present, so that Get -> edit -> Update round-trips
//! (spec/cloudfront.md 1.2, 2.1-2.3). Nothing is judged here. Lists without items have a Quantity and no Items.
import type {
  CacheBehavior,
  CustomErrorResponse,
  DefaultCacheBehavior,
  DistributionConfig,
  ForwardedValues,
  Method,
  Origin,
  OriginGroup,
  SslProtocol,
  ViewerCertificate,
} from '@aws-sdk/client-cloudfront'
import { mtlsWithDefaults } from './viewer-mtls.ts'

interface Counted<T> {
  Quantity: number
  Items?: T[]
}

export function counted<T>(items: readonly T[] | undefined): Counted<T> {
  return items === undefined || items.length === 0 ? { Quantity: 0 } : { Quantity: items.length, Items: [...items] }
}

export function withDefaults(config: DistributionConfig): DistributionConfig {
  const { Logging, Restrictions, ViewerCertificate, ViewerMtlsConfig, ...rest } = config
  return {
    ...rest,
    Aliases: counted(config.Aliases?.Items),
    DefaultRootObject: config.DefaultRootObject ?? '',
    Origins: {
      ...counted(config.Origins?.Items?.map(originWithDefaults)),
      Items: config.Origins?.Items?.map(originWithDefaults) ?? [],
    },
    OriginGroups: counted(config.OriginGroups?.Items?.map(originGroupWithDefaults)),
    DefaultCacheBehavior: behaviorWithDefaults<DefaultCacheBehavior>(config.DefaultCacheBehavior ?? blankBehavior),
    CacheBehaviors: counted(config.CacheBehaviors?.Items?.map(behaviorWithDefaults<CacheBehavior>)),
    CustomErrorResponses: counted(config.CustomErrorResponses?.Items?.map(errorResponseWithDefaults)),
    Comment: config.Comment ?? '',
    Logging: {
      Enabled: Logging?.Enabled ?? false,
      IncludeCookies: Logging?.IncludeCookies ?? false,
      Bucket: Logging?.Enabled ? (Logging.Bucket ?? '') : '',
      Prefix: Logging?.Enabled ? (Logging.Prefix ?? '') : '',
    },
    PriceClass: config.PriceClass ?? 'PriceClass_All',
    Enabled: config.Enabled ?? false,
    ViewerCertificate: certificateWithDefaults(ViewerCertificate),
    Restrictions: {
      GeoRestriction: {
        RestrictionType: Restrictions?.GeoRestriction?.RestrictionType ?? 'none',
        ...counted(Restrictions?.GeoRestriction?.Items),
      },
    },
    WebACLId: config.WebACLId ?? '',
    HttpVersion: config.HttpVersion ?? 'http2',
    IsIPV6Enabled: config.IsIPV6Enabled ?? false,
    ContinuousDeploymentPolicyId: config.ContinuousDeploymentPolicyId ?? '',
    Staging: config.Staging ?? false,
    ...mtlsWithDefaults(ViewerMtlsConfig),
  }
}

const blankBehavior: DefaultCacheBehavior = { TargetOriginId: undefined, ViewerProtocolPolicy: undefined }

/** Which certificate of the user's own a ViewerCertificate names; undefined for none. */
export const namedCertificate = (certificate: ViewerCertificate): string | undefined =>
  certificate.ACMCertificateArn || certificate.IAMCertificateId || certificate.Certificate || undefined

/** `Certificate` and `CertificateSource` are older names of the rest: they say what it says, and alone they stand for it. */
function certificateWithDefaults(given: ViewerCertificate | undefined): ViewerCertificate {
  if (given === undefined) return defaultCertificate()
  if (given.CloudFrontDefaultCertificate === true) {
    return namedCertificate(given) === undefined ? defaultCertificate() : given
  }
  const { Certificate: older, CertificateSource: source, ...rest } = given
  const mirrored = namedCertificate(rest) === undefined && older ? ofOlderNames(older, source) : {}
  const certificate = { ...rest, ...mirrored }
  const { ACMCertificateArn: arn, IAMCertificateId: id } = certificate
  if ((!arn && !id) || (arn && id)) return certificate
  return {
    ...certificate,
    CloudFrontDefaultCertificate: false,
    ...(arn ? { Certificate: arn, CertificateSource: 'acm' } : { Certificate: id, CertificateSource: 'iam' }),
  }
}

const ofOlderNames = (certificate: string, source: string | undefined): ViewerCertificate =>
  source === 'acm' || certificate.startsWith('arn:aws:acm:')
    ? { ACMCertificateArn: certificate }
    : { IAMCertificateId: certificate }

/** CloudFront's own certificate: the protocol version is TLSv1 whatever was sent (spec 2.6). */
const defaultCertificate = () =>
  ({
    CloudFrontDefaultCertificate: true,
    SSLSupportMethod: 'vip',
    MinimumProtocolVersion: 'TLSv1',
    CertificateSource: 'cloudfront',
  }) as const

/** AWS shows a response without a page with two empty texts. */
function errorResponseWithDefaults(response: CustomErrorResponse): CustomErrorResponse {
  return {
    ErrorCode: response.ErrorCode,
    ResponsePagePath: response.ResponsePagePath ?? '',
    ResponseCode: response.ResponseCode ?? '',
    ErrorCachingMinTTL: response.ErrorCachingMinTTL ?? 10,
  }
}

const originGroupWithDefaults = (group: OriginGroup): OriginGroup => ({
  ...group,
  SelectionCriteria: group.SelectionCriteria ?? 'default',
})

function originWithDefaults(origin: Origin): Origin {
  const custom = origin.CustomOriginConfig
  return {
    ...origin,
    OriginPath: origin.OriginPath ?? '',
    CustomHeaders: counted(origin.CustomHeaders?.Items),
    ...(custom === undefined
      ? {}
      : {
          CustomOriginConfig: {
            ...custom,
            // What AWS takes when none is named is unconfirmed; these are the console's.
            OriginSslProtocols: sslProtocols(custom.OriginSslProtocols?.Items),
            OriginReadTimeout: custom.OriginReadTimeout ?? 30,
            OriginKeepaliveTimeout: custom.OriginKeepaliveTimeout ?? 5,
          },
        }),
    ...(origin.S3OriginConfig === undefined
      ? {}
      : {
          S3OriginConfig: {
            OriginAccessIdentity: origin.S3OriginConfig.OriginAccessIdentity ?? '',
            OriginReadTimeout: origin.S3OriginConfig.OriginReadTimeout ?? 30,
          },
        }),
    ConnectionAttempts: origin.ConnectionAttempts ?? 3,
    ConnectionTimeout: origin.ConnectionTimeout ?? 10,
    OriginShield: origin.OriginShield ?? { Enabled: false },
    OriginAccessControlId: origin.OriginAccessControlId ?? '',
  }
}

function sslProtocols(given: readonly SslProtocol[] | undefined) {
  const items: SslProtocol[] = given === undefined || given.length === 0 ? ['TLSv1', 'TLSv1.1', 'TLSv1.2'] : [...given]
  return { Quantity: items.length, Items: items }
}

const READS: readonly Method[] = ['HEAD', 'GET']

function methods(given: readonly Method[] | undefined): { Quantity: number; Items: Method[] } {
  const items = given === undefined || given.length === 0 ? [...READS] : [...given]
  return { Quantity: items.length, Items: items }
}

function behaviorWithDefaults<T extends DefaultCacheBehavior | CacheBehavior>(behavior: T): T {
  return {
    ...behavior,
    TrustedSigners: { Enabled: behavior.TrustedSigners?.Enabled ?? false, ...counted(behavior.TrustedSigners?.Items) },
    TrustedKeyGroups: {
      Enabled: behavior.TrustedKeyGroups?.Enabled ?? false,
      ...counted(behavior.TrustedKeyGroups?.Items),
    },
    AllowedMethods: {
      ...methods(behavior.AllowedMethods?.Items),
      CachedMethods: methods(behavior.AllowedMethods?.CachedMethods?.Items),
    },
    SmoothStreaming: behavior.SmoothStreaming ?? false,
    Compress: behavior.Compress ?? false,
    LambdaFunctionAssociations: counted(behavior.LambdaFunctionAssociations?.Items),
    FunctionAssociations: counted(behavior.FunctionAssociations?.Items),
    FieldLevelEncryptionId: behavior.FieldLevelEncryptionId ?? '',
    GrpcConfig: { Enabled: behavior.GrpcConfig?.Enabled ?? false },
    ...(behavior.ForwardedValues === undefined ? {} : legacyWithDefaults(behavior, behavior.ForwardedValues)),
  }
}

/** ForwardedValues and the TTLs beside it; with a cache policy a behavior has neither. */
function legacyWithDefaults(
  { MinTTL = 0, DefaultTTL, MaxTTL }: DefaultCacheBehavior,
  { QueryString, Cookies, Headers, QueryStringCacheKeys }: ForwardedValues,
): Pick<DefaultCacheBehavior, 'ForwardedValues' | 'MinTTL' | 'DefaultTTL' | 'MaxTTL'> {
  const standard = DefaultTTL ?? Math.max(86_400, MinTTL)
  const names = Cookies?.WhitelistedNames
  return {
    ForwardedValues: {
      QueryString: QueryString ?? false,
      Cookies: {
        Forward: Cookies?.Forward,
        ...(names?.Items?.length ? { WhitelistedNames: counted(names.Items) } : {}),
      },
      Headers: counted(Headers?.Items),
      QueryStringCacheKeys: counted(QueryStringCacheKeys?.Items),
    },
    MinTTL,
    DefaultTTL: standard,
    MaxTTL: MaxTTL ?? Math.max(31_536_000, standard),
  }
}

/** Fields that an update must carry and a create need not (spec 1.2). */
const UPDATE_FIELDS = [
  'Aliases',
  'DefaultRootObject',
  'CacheBehaviors',
  'CustomErrorResponses',
  'Logging',
  'PriceClass',
  'ViewerCertificate',
  'Restrictions',
  'WebACLId',
  'HttpVersion',
] as const satisfies readonly (keyof DistributionConfig)[]

const UPDATE_BEHAVIOR_FIELDS = [
  'AllowedMethods',
  'SmoothStreaming',
  'Compress',
  'LambdaFunctionAssociations',
  'FieldLevelEncryptionId',
] as const satisfies readonly (keyof DefaultCacheBehavior)[]

/** Names of fields that an update lacks. */
export function missingForUpdate(config: DistributionConfig): string[] {
  const behaviors: (readonly [string, DefaultCacheBehavior | undefined])[] = [
    ['DefaultCacheBehavior', config.DefaultCacheBehavior],
    ...(config.CacheBehaviors?.Items ?? []).map((b, at) => [`CacheBehaviors.Items[${at}]`, b] as const),
  ]
  return [
    ...UPDATE_FIELDS.filter((field) => config[field] === undefined),
    ...behaviors.flatMap(([path, behavior]) =>
      UPDATE_BEHAVIOR_FIELDS.filter((field) => behavior?.[field] === undefined).map((field) => `${path}.${field}`),
    ),
  ]
}
