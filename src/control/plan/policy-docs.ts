//! Policies by the ids that a configuration names, as the edge applies them: the account's own and AWS's managed ones.
//! PURE: values in, value out.
import type {
  CachePolicyConfig,
  DefaultCacheBehavior,
  OriginAccessControlConfig,
  OriginRequestPolicyConfig,
  ResponseHeadersPolicyConfig,
  ResponseHeadersPolicyCorsConfig,
  ResponseHeadersPolicySecurityHeadersConfig,
} from '@aws-sdk/client-cloudfront'
import type { CertificateRecord } from '../../domain/certificates.ts'
import { managedHeadersPolicy } from '../../domain/managed-headers-policies.ts'
import { managedCachePolicy, managedOriginRequestPolicy } from '../../domain/managed-policies.ts'
import type {
  CachePolicyDoc,
  CorsDoc,
  NameList,
  OriginRequestPolicyDoc,
  ResponseHeadersPolicyDoc,
  SecurityHeadersDoc,
} from '../../domain/policy.ts'
import type { DeploymentPolicyRecord, TrustStoreRecord } from '../../domain/records.ts'
import type { FieldEncryptionSources } from './field-encryption-doc.ts'
import type { Signers } from './signers-doc.ts'

/** What configurations name by id: the account's own policies (managed ones need not be among them), and certificates. */
export interface Policies {
  readonly cache: ReadonlyMap<string, CachePolicyConfig>
  readonly originRequest: ReadonlyMap<string, OriginRequestPolicyConfig>
  readonly responseHeaders: ReadonlyMap<string, ResponseHeadersPolicyConfig>
  /** Origin access controls; absent where no origin names one. */
  readonly originAccess?: ReadonlyMap<string, OriginAccessControlConfig>
  readonly deployment: ReadonlyMap<string, DeploymentPolicyRecord>
  /** Absent where no distribution names one. */
  readonly trustStores?: ReadonlyMap<string, TrustStoreRecord>
  /** Absent where no behavior is private. */
  readonly signers?: Signers
  /** By ARN; absent where no distribution names one. */
  readonly certificates?: ReadonlyMap<string, CertificateRecord>
  /** Absent where no behavior names one. */
  readonly fieldEncryption?: FieldEncryptionSources
  /** ARNs of those that are there; they travel by themselves. Absent where no distribution names one. */
  readonly webAcls?: ReadonlySet<string>
}

/** Whose change is one of the distributions that name it; of the others, who changes them changes the distributions too. */
export type FollowedKind = Exclude<
  keyof Policies,
  'deployment' | 'trustStores' | 'signers' | 'certificates' | 'fieldEncryption' | 'webAcls'
>

/** By the members of Policies, the field of a behavior that names such a policy. */
export const POLICY_FIELDS = {
  cache: 'CachePolicyId',
  originRequest: 'OriginRequestPolicyId',
  responseHeaders: 'ResponseHeadersPolicyId',
} as const satisfies Readonly<Partial<Record<keyof Policies, keyof DefaultCacheBehavior>>>

/** Null when there is none with this id. */
export function cachePolicyDoc(id: string, policies: Policies): CachePolicyDoc | null {
  const managed = managedCachePolicy(id)
  if (managed?.settings) return { id, name: `Managed-${managed.name}`, ...managed.settings }
  const config = policies.cache.get(id)
  if (config === undefined) return null
  const parameters = config.ParametersInCacheKeyAndForwardedToOrigin
  const { HeadersConfig: headers, CookiesConfig: cookies, QueryStringsConfig: queries } = parameters ?? {}
  return {
    id,
    name: config.Name ?? '',
    minTtl: config.MinTTL ?? 0,
    defaultTtl: config.DefaultTTL ?? 0,
    maxTtl: config.MaxTTL ?? 0,
    headers: headerNames(headers?.HeaderBehavior, headers?.Headers?.Items),
    cookies: names(cookies?.CookieBehavior, cookies?.Cookies?.Items),
    queryStrings: names(queries?.QueryStringBehavior, queries?.QueryStrings?.Items),
    gzip: parameters?.EnableAcceptEncodingGzip ?? false,
    brotli: parameters?.EnableAcceptEncodingBrotli ?? false,
  }
}

/** As cachePolicyDoc. */
export function originRequestPolicyDoc(id: string, policies: Policies): OriginRequestPolicyDoc | null {
  const managed = managedOriginRequestPolicy(id)
  if (managed) return { id, name: `Managed-${managed.name}`, ...managed.settings }
  const config = policies.originRequest.get(id)
  if (config === undefined) return null
  const { HeadersConfig: headers, CookiesConfig: cookies, QueryStringsConfig: queries } = config
  return {
    id,
    name: config.Name ?? '',
    headers: headerNames(headers?.HeaderBehavior, headers?.Headers?.Items),
    cookies: names(cookies?.CookieBehavior, cookies?.Cookies?.Items),
    queryStrings: names(queries?.QueryStringBehavior, queries?.QueryStrings?.Items),
  }
}

/** As cachePolicyDoc. */
export function responseHeadersPolicyDoc(id: string, policies: Policies): ResponseHeadersPolicyDoc | null {
  const managed = managedHeadersPolicy(id)?.settings
  if (managed) return { id, ...managed }
  const config = policies.responseHeaders.get(id)
  if (config === undefined) return null
  const { CorsConfig: cors, ServerTimingHeadersConfig: timing } = config
  return {
    id,
    cors: cors === undefined ? null : corsDoc(cors),
    security: securityDoc(config.SecurityHeadersConfig ?? {}),
    custom: (config.CustomHeadersConfig?.Items ?? []).map((header) => ({
      name: header.Header ?? '',
      value: header.Value ?? '',
      override: header.Override ?? false,
    })),
    remove: (config.RemoveHeadersConfig?.Items ?? []).map((header) => header.Header ?? ''),
    serverTimingRate: timing?.Enabled ? (timing.SamplingRate ?? 0) : null,
  }
}

function corsDoc(cors: ResponseHeadersPolicyCorsConfig): CorsDoc {
  return {
    allowOrigins: cors.AccessControlAllowOrigins?.Items ?? [],
    allowHeaders: cors.AccessControlAllowHeaders?.Items ?? [],
    allowMethods: cors.AccessControlAllowMethods?.Items ?? [],
    exposeHeaders: cors.AccessControlExposeHeaders?.Items ?? [],
    allowCredentials: cors.AccessControlAllowCredentials ?? false,
    maxAgeSec: cors.AccessControlMaxAgeSec ?? null,
    override: cors.OriginOverride ?? false,
  }
}

function securityDoc(security: ResponseHeadersPolicySecurityHeadersConfig): SecurityHeadersDoc {
  const { ContentSecurityPolicy: csp, ContentTypeOptions: options, FrameOptions: frame } = security
  const { ReferrerPolicy: referrer, StrictTransportSecurity: hsts, XSSProtection: xss } = security
  const by = (header: { Override?: boolean | undefined }) => ({ override: header.Override ?? false })
  return {
    ...(csp && { contentSecurityPolicy: { value: csp.ContentSecurityPolicy ?? '', ...by(csp) } }),
    ...(options && { contentTypeOptions: by(options) }),
    ...(frame && { frameOptions: { value: frame.FrameOption ?? '', ...by(frame) } }),
    ...(referrer && { referrerPolicy: { value: referrer.ReferrerPolicy ?? '', ...by(referrer) } }),
    ...(hsts && {
      strictTransportSecurity: {
        maxAgeSec: hsts.AccessControlMaxAgeSec ?? 0,
        includeSubdomains: hsts.IncludeSubdomains ?? false,
        preload: hsts.Preload ?? false,
        ...by(hsts),
      },
    }),
    ...(xss && {
      xssProtection: {
        protection: xss.Protection ?? false,
        modeBlock: xss.ModeBlock ?? false,
        reportUri: xss.ReportUri ?? '',
        ...by(xss),
      },
    }),
  }
}

function names(behavior: NameList['behavior'] | undefined, items: readonly string[] | undefined): NameList {
  return { behavior: behavior ?? 'none', names: items ?? [] }
}

function headerNames(behavior: NameList['behavior'] | undefined, items: readonly string[] | undefined): NameList {
  return names(
    behavior,
    items?.map((name) => name.toLowerCase()),
  )
}
