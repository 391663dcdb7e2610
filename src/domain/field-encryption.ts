//! Field-level encryption (spec/cloudfront.md 12.3): what an edge is told of it, and the limits of one request. PURE.

/** A field-level encryption configuration with its profiles and their keys, nothing left to look up. */
export interface FieldEncryptionDoc {
  /** `C...` */
  readonly id: string
  /** ContentTypeProfileConfig: media types in lower case, each once. */
  readonly contentTypes: readonly ContentTypeDoc[]
  /** A body of a type that is not among these goes to the origin as it is; false answers 400. */
  readonly forwardsUnknownType: boolean
  /** Null without QueryArgProfileConfig: then the query argument means nothing. */
  readonly queryArgs: QueryArgsDoc | null
}

export interface ContentTypeDoc {
  readonly contentType: string
  /** Null: bodies of this type always go to the origin as they are. */
  readonly profile: FieldProfileDoc | null
}

export interface QueryArgsDoc {
  /** A request that names a profile which is not among these goes to the origin as it is; false answers 400. */
  readonly forwardsUnknown: boolean
  readonly profiles: readonly { readonly queryArg: string; readonly profile: FieldProfileDoc }[]
}

export interface FieldProfileDoc {
  /** `P...` */
  readonly id: string
  readonly name: string
  readonly entities: readonly EncryptionEntityDoc[]
}

/** Fields that are encrypted by one key. */
export interface EncryptionEntityDoc {
  readonly providerId: string
  /** Name of the public key resource, not its id: decryptors know the key by it. */
  readonly keyName: string
  /** PEM (SPKI), RSA 2048. */
  readonly publicKey: string
  /** Of names: the whole of one, or its beginning and `*`. Case counts. None overlaps another of the profile. */
  readonly patterns: readonly string[]
}

/** The query argument that chooses a profile. */
export const PROFILE_ARGUMENT = 'fle-profile'
/** The one media type whose bodies can be encrypted. */
export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Of one request: AWS's limits, the same everywhere. */
export const FIELD_LIMITS = {
  /** Bytes of a value, decoded. */
  valueBytes: 16 * 1024,
  /** Fields that are encrypted. */
  fields: 10,
  /** Bytes of a body as it is sent. */
  bodyBytes: 1024 * 1024,
} as const

/** fle-status of the access log. */
export type FieldStatus =
  | 'Processed'
  | 'ForwardedByContentType'
  | 'ForwardedByQueryArgs'
  | 'ForwardedDueToNoProfile'
  | 'MalformedContentTypeClientError'
  | 'MalformedInputClientError'
  | 'MalformedQueryArgsClientError'
  | 'RejectedByContentType'
  | 'RejectedByQueryArgs'
  | 'FieldLengthLimitClientError'
  | 'FieldNumberLimitClientError'
  | 'RequestLengthLimitClientError'
  | 'ServerError'
