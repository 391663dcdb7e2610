//! A stored distribution and its policies to the document that edges serve. PURE: values in, value out.
import type {
  CacheBehavior,
  CustomErrorResponse,
  DefaultCacheBehavior,
  DistributionConfig,
  Origin,
  OriginGroup,
} from '@aws-sdk/client-cloudfront'
import { accountOf } from '../../domain/arn.ts'
import type {
  BehaviorDoc,
  DistributionDoc,
  ErrorResponseDoc,
  OriginAccessDoc,
  OriginDoc,
  OriginGroupDoc,
  ServerCertificateDoc,
} from '../../domain/distribution.ts'
import { identityOf } from '../../domain/origin-identity.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import { RFC_STRICT_TAG, SECOND_CERTIFICATE_TAG, type Tags } from '../../domain/tags.ts'
import { continuousDeploymentDoc } from './continuous-deployment.ts'
import { fieldEncryptionDoc } from './field-encryption-doc.ts'
import { legacyPolicies } from './legacy-policies.ts'
import {
  cachePolicyDoc,
  type FollowedKind,
  originRequestPolicyDoc,
  POLICY_FIELDS,
  type Policies,
  responseHeadersPolicyDoc,
} from './policy-docs.ts'
import { type Signers, signersDoc } from './signers-doc.ts'

/** Ids of the policies and origin access controls that a configuration names, managed ones included. */
export function policiesNamed(config: DistributionConfig): Readonly<Record<FollowedKind, ReadonlySet<string>>> {
  const named = (field: (typeof POLICY_FIELDS)[keyof typeof POLICY_FIELDS]) =>
    new Set(behaviorsOf(config).flatMap((behavior) => behavior[field] || []))
  return {
    cache: named(POLICY_FIELDS.cache),
    originRequest: named(POLICY_FIELDS.originRequest),
    responseHeaders: named(POLICY_FIELDS.responseHeaders),
    originAccess: new Set((config.Origins?.Items ?? []).flatMap((origin) => origin.OriginAccessControlId || [])),
  }
}

/**
 * `tags` are the distribution's own.
 * @throws Error when the record names a policy that is not there: services keep a policy that is in use
 */
export function distributionDoc(record: DistributionRecord, policies: Policies, tags: Tags = {}): DistributionDoc {
  const config = record.config as DistributionConfig
  return {
    id: record.id,
    domainName: record.domainName,
    enabled: config.Enabled ?? false,
    aliases: config.Aliases?.Items ?? [],
    defaultRootObject: config.DefaultRootObject ?? '',
    httpVersion: config.HttpVersion ?? 'http2',
    origins: (config.Origins?.Items ?? []).map((origin, at) => originDoc(`Origins.Items[${at}]`, origin, policies)),
    originGroups: (config.OriginGroups?.Items ?? []).map(originGroupDoc),
    behaviors: behaviorsOf(config).map((behavior, at, { length }) =>
      behaviorDoc(
        at === length - 1 ? 'DefaultCacheBehavior' : `CacheBehaviors.Items[${at}]`,
        behavior,
        accountOf(record.arn),
        policies,
      ),
    ),
    errorResponses: (config.CustomErrorResponses?.Items ?? []).map(errorResponseDoc),
    rfcStrict: tags[RFC_STRICT_TAG] === 'true',
    ...(config.Staging === true ? { staging: true } : {}),
    ...deploymentOf(config.ContinuousDeploymentPolicyId, policies),
    priceClass: config.PriceClass ?? 'PriceClass_All',
    ipv6: config.IsIPV6Enabled ?? false,
    ...geoRestrictionOf(config),
    ...webAclOf(config, policies),
    ...viewerMtlsOf(config, policies),
    ...(config.CacheTagConfig?.HeaderName ? { cacheTagHeader: config.CacheTagConfig.HeaderName.toLowerCase() } : {}),
    ...viewerCertificateOf(config, tags, policies),
    ...dedicatedAddressOf(config, record),
  }
}

function webAclOf({ WebACLId: arn }: DistributionConfig, { webAcls }: Policies): Pick<DistributionDoc, 'webAclArn'> {
  return arn ? { webAclArn: found('WebACLId', arn, webAcls?.has(arn) === true ? arn : null) } : {}
}

function geoRestrictionOf({ Restrictions }: DistributionConfig): Pick<DistributionDoc, 'geoRestriction'> {
  const { RestrictionType: type, Items: countries = [] } = Restrictions?.GeoRestriction ?? {}
  return type === 'whitelist' || type === 'blacklist' ? { geoRestriction: { type, countries } } : {}
}

/** Absent for CloudFront's own certificate, which is the installation's. */
function viewerCertificateOf(
  { ViewerCertificate: certificate }: DistributionConfig,
  tags: Tags,
  policies: Policies,
): Pick<DistributionDoc, 'viewerCertificate'> {
  const arn = certificate?.ACMCertificateArn
  if (!arn) return {}
  const second = tags[SECOND_CERTIFICATE_TAG]
  return {
    viewerCertificate: {
      certificates: [
        serverCertificateDoc('ViewerCertificate.ACMCertificateArn', arn, policies),
        ...(second === undefined ? [] : [serverCertificateDoc(`The tag ${SECOND_CERTIFICATE_TAG}`, second, policies)]),
      ],
      sslSupportMethod: certificate.SSLSupportMethod ?? 'sni-only',
      securityPolicy: certificate.MinimumProtocolVersion ?? 'TLSv1',
    },
  }
}

function dedicatedAddressOf(
  { ViewerCertificate: certificate }: DistributionConfig,
  { dedicatedAddress }: DistributionRecord,
): Pick<DistributionDoc, 'dedicatedAddress'> {
  const isWanted = certificate?.SSLSupportMethod === 'vip' && certificate.CloudFrontDefaultCertificate !== true
  return isWanted && dedicatedAddress !== undefined ? { dedicatedAddress } : {}
}

/** `field` of the configuration names the certificate. */
function serverCertificateDoc(field: string, arn: string, policies: Policies): ServerCertificateDoc {
  const { served, privateKey } = found(field, arn, policies.certificates?.get(arn)?.material ?? null)
  return { arn, chain: served, privateKey }
}

function deploymentOf(id: string | undefined, { deployment }: Policies): Pick<DistributionDoc, 'continuousDeployment'> {
  if (!id) return {}
  const doc = continuousDeploymentDoc(found('ContinuousDeploymentPolicyId', id, deployment.get(id) ?? null))
  return doc === null ? {} : { continuousDeployment: doc }
}

function viewerMtlsOf(config: DistributionConfig, { trustStores }: Policies): Pick<DistributionDoc, 'viewerMtls'> {
  const { Mode: mode, TrustStoreConfig: trust } = config.ViewerMtlsConfig ?? {}
  if (mode === undefined) return {}
  if (mode === 'passthrough') return { viewerMtls: { mode, trust: null } }
  const field = 'ViewerMtlsConfig.TrustStoreConfig.TrustStoreId'
  const { id, certificates } = found(
    field,
    trust?.TrustStoreId ?? '',
    trustStores?.get(trust?.TrustStoreId ?? '') ?? null,
  )
  return {
    viewerMtls: {
      mode,
      trust: {
        trustStoreId: id,
        authorities: certificates,
        advertiseNames: trust?.AdvertiseTrustStoreCaNames ?? false,
        ignoreExpiry: trust?.IgnoreCertificateExpiry ?? false,
      },
    },
  }
}

/** In order of precedence, the default behavior last, as `*`. */
function behaviorsOf(config: DistributionConfig): (CacheBehavior & { PathPattern: string })[] {
  const listed = (config.CacheBehaviors?.Items ?? []).map((b) => ({ ...b, PathPattern: b.PathPattern ?? '*' }))
  const standard: DefaultCacheBehavior | undefined = config.DefaultCacheBehavior
  return standard === undefined ? listed : [...listed, { ...standard, PathPattern: '*' }]
}

function originDoc(field: string, origin: Origin, policies: Policies): OriginDoc {
  const { CustomOriginConfig: custom, S3OriginConfig: s3, OriginShield: shield } = origin
  return {
    id: origin.Id ?? '',
    ...(s3 === undefined ? {} : { s3: { access: originAccessDoc(field, origin, policies) } }),
    domainName: origin.DomainName ?? '',
    path: origin.OriginPath ?? '',
    customHeaders: (origin.CustomHeaders?.Items ?? []).map((h) => [h.HeaderName ?? '', h.HeaderValue ?? ''] as const),
    connectionAttempts: origin.ConnectionAttempts ?? 3,
    connectionTimeoutMs: (origin.ConnectionTimeout ?? 10) * 1_000,
    protocolPolicy: custom?.OriginProtocolPolicy ?? 'http-only',
    ...(custom?.OriginSslProtocols?.Items === undefined ? {} : { sslProtocols: custom.OriginSslProtocols.Items }),
    ...clientCertificateOf(`${field}.CustomOriginConfig`, custom, policies),
    ipAddressType: custom?.IpAddressType ?? 'ipv4',
    httpPort: custom?.HTTPPort ?? 80,
    httpsPort: custom?.HTTPSPort ?? 443,
    readTimeoutMs: (custom?.OriginReadTimeout ?? s3?.OriginReadTimeout ?? 30) * 1_000,
    keepaliveTimeoutMs: (custom?.OriginKeepaliveTimeout ?? 5) * 1_000,
    responseCompletionTimeoutMs: origin.ResponseCompletionTimeout ? origin.ResponseCompletionTimeout * 1_000 : null,
    ...(shield?.Enabled === true && shield.OriginShieldRegion ? { shieldRegion: shield.OriginShieldRegion } : {}),
  }
}

/** What the origin is shown when it asks for a certificate. */
function clientCertificateOf(
  field: string,
  custom: Origin['CustomOriginConfig'],
  policies: Policies,
): Pick<OriginDoc, 'clientCertificate'> {
  const arn = custom?.OriginMtlsConfig?.ClientCertificateArn
  if (!arn) return {}
  return { clientCertificate: serverCertificateDoc(`${field}.OriginMtlsConfig.ClientCertificateArn`, arn, policies) }
}

function originAccessDoc(field: string, origin: Origin, policies: Policies): OriginAccessDoc | null {
  const { OriginAccessControlId: id, S3OriginConfig: s3 } = origin
  if (id) {
    const { SigningBehavior } = found(`${field}.OriginAccessControlId`, id, policies.originAccess?.get(id) ?? null)
    // always-amz-auth is of Lambda function URLs and refused where it is created.
    return { kind: 'control', id, signing: SigningBehavior as 'always' | 'never' | 'no-override' }
  }
  const identity = identityOf(s3?.OriginAccessIdentity ?? '')
  return identity === null ? null : { kind: 'identity', id: identity }
}

function originGroupDoc({ Id, FailoverCriteria, Members }: OriginGroup): OriginGroupDoc {
  const [primary, secondary] = Members?.Items ?? []
  return {
    id: Id ?? '',
    primary: primary?.OriginId ?? '',
    secondary: secondary?.OriginId ?? '',
    statusCodes: FailoverCriteria?.StatusCodes?.Items ?? [],
  }
}

function errorResponseDoc(response: CustomErrorResponse): ErrorResponseDoc {
  const { ResponsePagePath: path, ResponseCode: code } = response
  return {
    errorCode: response.ErrorCode ?? 0,
    cachingMinTtlSeconds: response.ErrorCachingMinTTL ?? 10,
    page: path && code ? { path, responseCode: Number(code) } : null,
  }
}

function behaviorDoc(
  field: string,
  behavior: CacheBehavior & { PathPattern: string },
  account: string,
  policies: Policies,
): BehaviorDoc {
  const { ResponseHeadersPolicyId: headersId } = behavior
  return {
    pathPattern: behavior.PathPattern,
    originId: behavior.TargetOriginId ?? '',
    allowedMethods: behavior.AllowedMethods?.Items ?? ['GET', 'HEAD'],
    cachedMethods: behavior.AllowedMethods?.CachedMethods?.Items ?? ['GET', 'HEAD'],
    viewerProtocolPolicy: behavior.ViewerProtocolPolicy ?? 'allow-all',
    compress: behavior.Compress ?? false,
    ...(behavior.GrpcConfig?.Enabled === true ? { grpc: true as const } : {}),
    ...fieldEncryptionOf(field, behavior, policies),
    ...(behavior.ForwardedValues === undefined ? namedPolicies(field, behavior, policies) : legacyPolicies(behavior)),
    responseHeadersPolicy: headersId
      ? found(`${field}.ResponseHeadersPolicyId`, headersId, responseHeadersPolicyDoc(headersId, policies))
      : null,
    ...signersOf(field, behavior, account, policies),
  }
}

function fieldEncryptionOf(
  field: string,
  { FieldLevelEncryptionId: id }: DefaultCacheBehavior,
  { fieldEncryption: sources }: Policies,
): Pick<BehaviorDoc, 'fieldEncryption'> {
  if (!id) return {}
  const doc = sources === undefined ? null : fieldEncryptionDoc(id, sources)
  return { fieldEncryption: found(`${field}.FieldLevelEncryptionId`, id, doc) }
}

/** Absent for a public behavior. */
function signersOf(
  field: string,
  behavior: CacheBehavior,
  account: string,
  { signers = NO_SIGNERS }: Policies,
): Pick<BehaviorDoc, 'signers'> {
  const doc = signersDoc(field, behavior, account, signers)
  return doc === null ? {} : { signers: doc }
}

const NO_SIGNERS: Signers = { keyGroups: new Map(), publicKeys: new Map(), keyPairs: [] }

function namedPolicies(
  field: string,
  { CachePolicyId: cacheId = '', OriginRequestPolicyId: requestId }: DefaultCacheBehavior,
  policies: Policies,
): Pick<BehaviorDoc, 'cachePolicy' | 'originRequestPolicy'> {
  return {
    cachePolicy: found(`${field}.CachePolicyId`, cacheId, cachePolicyDoc(cacheId, policies)),
    originRequestPolicy: requestId
      ? found(`${field}.OriginRequestPolicyId`, requestId, originRequestPolicyDoc(requestId, policies))
      : null,
  }
}

/** `field` of the configuration names `id`. */
function found<T>(field: string, id: string, doc: T | null): T {
  if (doc === null) throw new Error(`${field} names "${id}", which is not there`)
  return doc
}
