//! CloudFront's resources as they are stored: the user's configuration (fully defaulted, in AWS's own shape) and what
//! the reconcilers know of it. Times are ISO 8601 strings.

export interface DistributionRecord {
  readonly id: string
  readonly arn: string
  readonly domainName: string
  readonly etag: string
  readonly callerReference: string
  /** `InProgress` until every live edge has acknowledged `changedRevision`; set to `Deployed` by a reconciler only. */
  readonly status: 'InProgress' | 'Deployed'
  /** Revision of the commit that last changed `config` or a policy it names: setting the status does not count. */
  readonly changedRevision: number
  /** The newest `createdRevision` among its invalidations that are no longer kept; absent while all are. */
  readonly invalidationsForgotten?: number
  readonly createdAt: string
  readonly lastModifiedTime: string
  /** Of SSLSupportMethod vip: its own until it is deleted; absent for none. */
  readonly dedicatedAddress?: string
  /** AWS's DistributionConfig, every field present. Typed by the SDK in services/cloudfront. */
  readonly config: unknown
}

export interface InvalidationRecord {
  readonly id: string
  readonly distributionId: string
  readonly callerReference: string
  /** Paths and `#tag` items. */
  readonly paths: readonly string[]
  /** As of InvalidationDoc. */
  readonly tagHeader?: string
  readonly soft?: true
  /** `InProgress` until every live edge has acknowledged it; set to `Completed` by a reconciler only. */
  readonly status: 'InProgress' | 'Completed'
  /** Revision of the commit that created it: what was fetched under an earlier one dies. */
  readonly createdRevision: number
  readonly createTime: string
}

export interface OriginAccessControlRecord {
  readonly id: string
  readonly etag: string
  /** AWS's OriginAccessControlConfig, every field present. */
  readonly config: unknown
}

export interface OriginAccessIdentityRecord {
  readonly id: string
  readonly etag: string
  readonly callerReference: string
  readonly comment: string
}

/** A key that signatures of viewers are verified with, or that fields are encrypted with (spec/cloudfront.md 9.2). */
export interface PublicKeyRecord {
  /** `K` and 13 upper-case letters or digits: the Key-Pair-Id. */
  readonly id: string
  readonly etag: string
  readonly createdTime: string
  readonly name: string
  readonly callerReference: string
  readonly comment: string
  /** PEM (SubjectPublicKeyInfo) as it was given: the API shows it so. */
  readonly encodedKey: string
  /** Fields are encrypted with RSA only. */
  readonly kind: 'rsa-2048' | 'ecdsa-p256'
}

/** Public keys that sign for the behaviors that name the group. */
export interface KeyGroupRecord {
  /** UUID. */
  readonly id: string
  readonly etag: string
  readonly lastModifiedTime: string
  readonly name: string
  readonly comment: string
  /** Ids of public keys: each is there. */
  readonly publicKeys: readonly string[]
}

/** A CloudFront key pair of an account, of the older kind (TrustedSigners): its public half alone. */
export interface SignerKeyPairRecord {
  /** `APKA` and 16 upper-case letters or digits: the Key-Pair-Id. */
  readonly id: string
  /** 12 digits. */
  readonly account: string
  /** PEM: RSA of 1024, 2048 or 4096 bits. */
  readonly encodedKey: string
  readonly createdTime: string
}

/** A configuration or a profile of field-level encryption (spec/cloudfront.md 12.3). */
export interface FieldEncryptionRecord {
  /** `C` or `P`, and 13 upper-case letters or digits. */
  readonly id: string
  readonly etag: string
  readonly lastModifiedTime: string
  /** AWS's FieldLevelEncryptionConfig or FieldLevelEncryptionProfileConfig, every field present. */
  readonly config: unknown
}

/** Authorities whose client certificates viewers may show (spec/cloudfront.md 15). */
export interface TrustStoreRecord {
  /** `ts_` and 24 letters or digits. */
  readonly id: string
  readonly arn: string
  readonly etag: string
  readonly name: string
  /** `pending` until a reconciler has read the bundle that `source` names and says what it found. */
  readonly status: 'pending' | 'active' | 'failed'
  /** Why it failed, for a person. */
  readonly reason?: string
  /** Object of S3 with certificates in PEM. */
  readonly source: TrustStoreSource
  /** Revision of the commit that last asked for the bundle to be read. */
  readonly changedRevision: number
  readonly lastModifiedTime: string
  /** PEM, one certificate each: the last bundle that was found good, which edges verify with; empty before the first. */
  readonly certificates: readonly string[]
}

export interface TrustStoreSource {
  readonly bucket: string
  readonly key: string
  readonly region: string
  /** Version of the object; absent for the newest. */
  readonly version?: string
}

/** A continuous deployment policy. */
export interface DeploymentPolicyRecord extends PolicyRecord {
  /** Id of the distribution that StagingDistributionDnsNames names. */
  readonly stagingId: string
  /** Signs the sessions of viewers, in hex; a new one ends them all. */
  readonly sessionSecret: string
}

export interface PolicyRecord {
  readonly id: string
  readonly etag: string
  readonly lastModifiedTime: string
  /** AWS's CachePolicyConfig, OriginRequestPolicyConfig or ResponseHeadersPolicyConfig, every field present. */
  readonly config: unknown
}
