//! Field-level encryption (spec/cloudfront.md 12.3): what an edge is told of it, the patterns of field names, and the
//! limits of one request. PURE.

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
/** The one media type whose bodies can be encrypted, and AWS's name of its format. */
export const FORM_TYPE = 'application/x-www-form-urlencoded'
export const FORM_FORMAT = 'URLEncoded'

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
export const FIELD_STATUSES = [
  'Processed',
  'ForwardedByContentType',
  'ForwardedByQueryArgs',
  'ForwardedDueToNoProfile',
  'MalformedContentTypeClientError',
  'MalformedInputClientError',
  'MalformedQueryArgsClientError',
  'RejectedByContentType',
  'RejectedByQueryArgs',
  'FieldLengthLimitClientError',
  'FieldNumberLimitClientError',
  'RequestLengthLimitClientError',
  'ServerError',
] as const
export type FieldStatus = (typeof FIELD_STATUSES)[number]

/** Letters, digits and `[ ] . _ -`, at least one of them, then `*` or nothing. */
const PATTERN = /^[A-Za-z0-9[\]._-]+\*?$/

/** Also bounded in length (QUOTAS.fieldPatternChars). */
export const isFieldPattern = (pattern: string): boolean => PATTERN.test(pattern)

/** Is there a name that both match? `ABC*` and `AB*` overlap, and so do `ABC` and `AB*`. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((pattern) => ({
    wild: pattern.endsWith('*'),
    text: pattern.replace(/\*$/, ''),
  })) as [Literal, Literal]
  return a.text === b.text || (a.wild && b.text.startsWith(a.text)) || (b.wild && a.text.startsWith(b.text))
}

interface Literal {
  readonly wild: boolean
  readonly text: string
}
