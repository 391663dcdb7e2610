//! A distribution as the edge serves it: AWS's DistributionConfig with its policies resolved, nothing left to look up.
//! control/plan/ makes it from the stored configuration; edge/snapshot/compile.ts turns it into matchers.
import type { FieldEncryptionDoc } from './field-encryption.ts'
import type { CachePolicyDoc, OriginRequestPolicyDoc, ResponseHeadersPolicyDoc } from './policy.ts'

export interface DistributionDoc {
  /** `E` and 13 upper-case letters or digits. */
  readonly id: string
  /** `dXXXXXXXXXXXXX.<edge domain>`. */
  readonly domainName: string
  readonly enabled: boolean
  /** Lower case; a leading `*.` is a wildcard for one or more labels. */
  readonly aliases: readonly string[]
  /** Without a leading slash; empty for none. */
  readonly defaultRootObject: string
  /** The highest HTTP version offered to viewers. */
  readonly httpVersion: 'http1.1' | 'http2' | 'http3' | 'http2and3'
  readonly origins: readonly OriginDoc[]
  /** Absent in documents of earlier versions, which had none. */
  readonly originGroups?: readonly OriginGroupDoc[]
  /** In order of precedence; the last is the default behavior with pattern `*`. */
  readonly behaviors: readonly BehaviorDoc[]
  /** At most one for an error code; absent in documents of earlier versions, which had none. */
  readonly errorResponses?: readonly ErrorResponseDoc[]
  /** The RFCs win where CloudFront departs from them: tag `cachefront:rfc-strict=true`, or the option of the installation. */
  readonly rfcStrict?: boolean
  /** Reached through the continuous deployment policy of its primary distribution alone, never by a name. */
  readonly staging?: true
  /** Absent without a policy that is enabled. */
  readonly continuousDeployment?: ContinuousDeploymentDoc
  /** Header of origins' answers that holds cache tags, lower case; absent without CacheTagConfig. */
  readonly cacheTagHeader?: string
  /** Which edge locations its names lead to (topology.ts, popsFor); absent means PriceClass_All. */
  readonly priceClass?: string
  /** Its names lead to IPv6 addresses, too; absent means that they do not. */
  readonly ipv6?: boolean
  /** What its alternate domain names are shown; absent means the installation's own certificate under policy TLSv1. */
  readonly viewerCertificate?: ViewerCertificateDoc
  /** An address of its own (SSLSupportMethod vip): who names no server there is shown its certificate; absent for none. */
  readonly dedicatedAddress?: string
  /** ARN of the web ACL that looks at its requests; absent for none. */
  readonly webAclArn?: string
  /** Which countries are served; absent means all. */
  readonly geoRestriction?: GeoRestrictionDoc
  /** Client certificates of viewers; absent where none are asked for. */
  readonly viewerMtls?: ViewerMtlsDoc
}

/** Restrictions.GeoRestriction (spec/cloudfront.md 12.1). */
export interface GeoRestrictionDoc {
  /** `whitelist`: the listed countries alone; `blacklist`: all but those. */
  readonly type: 'whitelist' | 'blacklist'
  /** ISO 3166-1 alpha-2, at least one. */
  readonly countries: readonly string[]
}

/** ViewerMtlsConfig, with what the trust store holds (spec/cloudfront.md 15). */
export interface ViewerMtlsDoc {
  /** `passthrough`: whatever a viewer shows goes to the origin unverified, and nothing is cached. */
  readonly mode: 'required' | 'optional' | 'passthrough'
  /** What certificates must lead to; null in passthrough mode. */
  readonly trust: ClientTrustDoc | null
}

export interface ClientTrustDoc {
  readonly trustStoreId: string
  /** PEM, one certificate each. */
  readonly authorities: readonly string[]
  /** The handshake tells viewers the names of the authorities. */
  readonly advertiseNames: boolean
  /** Certificates count also after their notAfter. */
  readonly ignoreExpiry: boolean
}

/** ViewerCertificate, with the certificate itself (spec/cloudfront.md 2.6). Holds private keys: never shown to anybody. */
export interface ViewerCertificateDoc {
  /** The one of the ARN; behind it another of the other kind of key, where there is one. */
  readonly certificates: readonly ServerCertificateDoc[]
  readonly sslSupportMethod: 'sni-only' | 'vip' | 'static-ip'
  /** MinimumProtocolVersion: a name of spec/cloudfront.md 13.1. */
  readonly securityPolicy: string
}

export interface ServerCertificateDoc {
  readonly arn: string
  /** PEM: the certificate, then its chain. */
  readonly chain: string
  /** PEM, not encrypted. */
  readonly privateKey: string
}

/** Which requests of a primary distribution go to its staging distribution (spec/cloudfront.md 15). */
export interface ContinuousDeploymentDoc {
  readonly policyId: string
  /** Id of the staging distribution. */
  readonly stagingId: string
  readonly traffic: /** Name in lower case. */
    | { readonly kind: 'header'; readonly header: string; readonly value: string }
    | {
        readonly kind: 'weight'
        /** 0 to 0.15. */
        readonly share: number
        /** Null without session stickiness. */
        readonly sticky: {
          readonly idleSeconds: number
          readonly maximumSeconds: number
          /** Signs the sessions, in hex; another one ends them all. */
          readonly secret: string
        } | null
      }
}

/** What becomes of an error of the origin, or of the edge's own (spec/cloudfront.md 2.5). */
export interface ErrorResponseDoc {
  readonly errorCode: number
  readonly cachingMinTtlSeconds: number
  /** Null keeps the answer as it is. The path begins with a slash. */
  readonly page: { readonly path: string; readonly responseCode: number } | null
}

/** Who may read the bucket of an S3 origin, and how a request says that it is the edge (spec/cloudfront.md 7.2, 7.3). */
export type OriginAccessDoc =
  | { readonly kind: 'control'; readonly id: string; readonly signing: 'always' | 'never' | 'no-override' }
  | { readonly kind: 'identity'; readonly id: string }
export type OriginSslProtocol = 'SSLv3' | 'TLSv1' | 'TLSv1.1' | 'TLSv1.2'

export interface OriginDoc {
  readonly id: string
  /** A bucket of S3, reached by its REST API (S3OriginConfig); absent for an origin of any other kind. */
  readonly s3?: { readonly access: OriginAccessDoc | null }
  readonly domainName: string
  /** Begins with a slash and does not end with one; empty for none. */
  readonly path: string
  /** Overwrite same-named headers of the viewer. */
  readonly customHeaders: readonly (readonly [name: string, value: string])[]
  /** 1-3 (spec 2.2). */
  readonly connectionAttempts: number
  readonly connectionTimeoutMs: number
  readonly protocolPolicy: 'http-only' | 'https-only' | 'match-viewer'
  /** OriginSslProtocols; absent in documents of earlier versions and where a kind of origin has no such setting. */
  readonly sslProtocols?: readonly OriginSslProtocol[]
  /** OriginMtlsConfig: what an origin is shown that asks for a certificate; absent for none. */
  readonly clientCertificate?: ServerCertificateDoc
  /** Absent means ipv4. */
  readonly ipAddressType?: 'ipv4' | 'ipv6' | 'dualstack'
  readonly httpPort: number
  readonly httpsPort: number
  /** Longest wait for the first byte and between two packets. */
  readonly readTimeoutMs: number
  readonly keepaliveTimeoutMs: number
  /** Longest whole exchange with the origin; null for no limit. */
  readonly responseCompletionTimeoutMs: number | null
  /** Region of its origin shield (spec/cloudfront.md 7.6); absent for none. */
  readonly shieldRegion?: string
}

/** Two origins of a distribution, of which the second stands in for the first (spec/cloudfront.md 2.4, 7.5). */
export interface OriginGroupDoc {
  readonly id: string
  /** Ids of origins. */
  readonly primary: string
  readonly secondary: string
  /** Answers of the primary on which the secondary is asked. */
  readonly statusCodes: readonly number[]
}

export interface BehaviorDoc {
  readonly pathPattern: string
  /** Of an origin or of an origin group. */
  readonly originId: string
  readonly allowedMethods: readonly string[]
  /** GET and HEAD, or these and OPTIONS. */
  readonly cachedMethods: readonly string[]
  readonly viewerProtocolPolicy: 'allow-all' | 'https-only' | 'redirect-to-https'
  /** Absent in documents of earlier versions, which did not compress. */
  readonly compress?: boolean
  /** GrpcConfig.Enabled; absent for false. */
  readonly grpc?: true
  /** FieldLevelEncryptionId; absent for none. */
  readonly fieldEncryption?: FieldEncryptionDoc
  /** Present when the behavior has ForwardedValues: then the two policies, without ids, are what that amounts to. */
  readonly legacy?: LegacyDoc
  readonly cachePolicy: CachePolicyDoc
  readonly originRequestPolicy: OriginRequestPolicyDoc | null
  /** Absent and null for none. */
  readonly responseHeadersPolicy?: ResponseHeadersPolicyDoc | null
  /** Who signs for its viewers: there for a private behavior, even when nobody can; absent for a public one. */
  readonly signers?: SignersDoc
}

/** TrustedKeyGroups and TrustedSigners, with their keys (spec/cloudfront.md 9.1, 9.2). */
export interface SignersDoc {
  readonly keyGroups: readonly { readonly id: string; readonly keys: readonly SignerKeyDoc[] }[]
  readonly accounts: readonly { readonly account: string; readonly keys: readonly SignerKeyDoc[] }[]
}

export interface SignerKeyDoc {
  /** Key-Pair-Id. */
  readonly id: string
  /** Public key (SubjectPublicKeyInfo). */
  readonly pem: string
}

export interface LegacyDoc {
  /** `*` among the headers: all go to the origin, and nothing is kept. */
  readonly allHeaders: boolean
}

export interface InvalidationDoc {
  readonly id: string
  readonly distributionId: string
  /** As the user gave them: `/path`, `/path?query`, `/prefix*`, `#tag`. */
  readonly paths: readonly string[]
  /** The distribution's cacheTagHeader when it was created; absent when it had none. Tags of other headers are not meant. */
  readonly tagHeader?: string
  /** What matches may be served on while it is fetched anew. */
  readonly soft?: true
}
