//! Certificates of ACM as they are stored, and what they are good for. PURE. Times are ISO 8601 strings.
//! A record holds a private key: it is never shown, logged, traced or sent anywhere but to the edges that serve with it
//! and, encrypted, to the caller of ExportCertificate.

/** Where CloudFront looks for certificates, whatever the region of the installation (spec/cloudfront.md 2.6). */
export const CERTIFICATE_REGION = 'us-east-1'

export type CertificateStatus =
  | 'PENDING_VALIDATION'
  | 'ISSUED'
  | 'INACTIVE'
  | 'EXPIRED'
  | 'VALIDATION_TIMED_OUT'
  | 'REVOKED'
  | 'FAILED'

/** Kinds of keys that certificates can be requested with; imported ones may have others, which no distribution takes. */
export const REQUESTED_KEYS = ['RSA_2048', 'RSA_3072', 'RSA_4096', 'EC_prime256v1', 'EC_secp384r1'] as const
export type RequestedKey = (typeof REQUESTED_KEYS)[number]

export interface CertificateRecord {
  readonly arn: string
  readonly type: 'IMPORTED' | 'AMAZON_ISSUED'
  /** Set by the reconciler (control/tasks/acm-certificates.ts) for what it issues, and EXPIRED for every type. */
  readonly status: CertificateStatus
  /** The first of `names`. */
  readonly domainName: string
  /** Lower case; a first label `*` stands for one label. Of imported ones also IP addresses. */
  readonly names: readonly string[]
  /** ACM's word: `RSA_2048`, `EC_prime256v1`, ... */
  readonly keyAlgorithm: string
  readonly createdAt: string
  readonly issuedAt?: string
  readonly importedAt?: string
  /** Absent until it is issued for the first time. */
  readonly material?: CertificateMaterial
  /** Of requested ones. */
  readonly request?: CertificateRequest
  /** What the issuer is at, the first time or for a renewal; absent while there is nothing to be issued. */
  readonly issuance?: Issuance
  readonly renewal?: RenewalRecord
  /** What its OCSP responder said; absent without one, and while no distribution shows it to viewers. */
  readonly stapling?: StaplingRecord
  readonly failureReason?: string
  /** What the newest attempt to have it issued failed for, for a person and without secrets; absent once it is issued. */
  readonly problem?: string
  /** Attempts that failed, of all its life. */
  readonly failedAttempts?: number
  /** It was given to a caller of ExportCertificate. */
  readonly exportedAt?: string
  /** Day (ISO, `2026-01-31`) of the last event that said that it is about to expire. */
  readonly expiryEventOn?: string
}

/** PEM, and what it says. */
export interface CertificateMaterial {
  readonly certificate: string
  /** The issuers, nearest first; empty for none. */
  readonly chain: string
  /** What viewers are sent: the certificate and its issuers without the authority at the end, which they must know. */
  readonly served: string
  /** PKCS #8, not encrypted. */
  readonly privateKey: string
  readonly serial: string
  readonly subject: string
  readonly issuer: string
  readonly notBefore: string
  readonly notAfter: string
  readonly signatureAlgorithm: string
  readonly keyUsages: readonly string[]
  readonly extendedKeyUsages: readonly { readonly name: string; readonly oid: string }[]
}

export interface CertificateRequest {
  readonly validationMethod: 'DNS' | 'HTTP'
  readonly transparencyLogging: 'ENABLED' | 'DISABLED'
  readonly export: 'ENABLED' | 'DISABLED'
  readonly idempotencyToken?: string
  /** One for each name. */
  readonly validations: readonly NameValidation[]
}

export interface NameValidation {
  readonly name: string
  readonly status: 'PENDING_VALIDATION' | 'SUCCESS' | 'FAILED'
  /** The CNAME that the owner of the name is asked for, with method DNS. */
  readonly record?: { readonly name: string; readonly value: string }
}

export interface Issuance {
  readonly purpose: 'first' | 'renewal'
  readonly startedAt: string
  /** Attempts that failed since it began, or since one got on. */
  readonly failures: number
  /** Not asked again before. */
  readonly nextAt: string
  /** What the last attempt failed for, or what is waited for: for a person, without secrets. */
  readonly problem?: string
  /** What the issuer remembers from step to step (control/issuers/issuer.ts); as secret as a private key. */
  readonly memory?: unknown
}

export interface RenewalRecord {
  readonly status: 'PENDING_AUTO_RENEWAL' | 'PENDING_VALIDATION' | 'SUCCESS' | 'FAILED'
  readonly reason?: string
  readonly updatedAt: string
}

/** Set by control/tasks/ocsp.ts. */
export interface StaplingRecord {
  /** Of the material that it is about. */
  readonly serial: string
  /** Of the newest response that can be believed and is not over; `none` without such a one. Only `good` is stapled. */
  readonly status: 'good' | 'revoked' | 'none'
  /** Of the response, with `good`. */
  readonly goodUntil?: string
  /** Why there is none, or no newer one, for a person. */
  readonly problem?: string
  /** Viewers refuse the certificate when nothing is stapled (RFC 7633). */
  readonly isRequired: boolean
}

/** Days before the end of a certificate from which on it is announced, unless the account says otherwise. */
export const DAYS_BEFORE_EXPIRY = 45

const ARN = /^arn:aws:acm:([a-z0-9-]+):(\d{12}):certificate\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

export const certificateArn = (accountId: string, id: string): string =>
  `arn:aws:acm:${CERTIFICATE_REGION}:${accountId}:certificate/${id}`

export const isCertificateArn = (arn: string): boolean => ARN.test(arn)

/** A wildcard stands for one label (RFC 9525 6.3); an alias that is one is covered by the same wildcard alone. */
export function coversName(own: string, name: string): boolean {
  if (own === name) return true
  return (
    own.startsWith('*.') &&
    !name.startsWith('*.') &&
    name.indexOf('.') > 0 &&
    name.slice(name.indexOf('.')) === own.slice(1)
  )
}

export const isCovered = (name: string, names: readonly string[]): boolean => names.some((own) => coversName(own, name))

/** `RSA` and `EC` are the two kinds of which a distribution can have one each. */
export const keyKind = (keyAlgorithm: string): string => keyAlgorithm.slice(0, keyAlgorithm.indexOf('_'))

/** Whole days, rounded down; negative when it is over. `now` in milliseconds. */
export const daysLeft = (notAfter: string, now: number): number => Math.floor((Date.parse(notAfter) - now) / 86_400_000)

/** What a problem means to viewers. */
export function staplingConsequence({ status, isRequired }: StaplingRecord): string {
  if (status === 'good') return 'the OCSP response that is there is stapled until it ends'
  if (!isRequired) return 'no OCSP response is stapled'
  return 'no OCSP response is stapled, though it must be (TLS feature): viewers refuse it'
}
