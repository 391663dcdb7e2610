//! Whose signature a request claims to have: AWS Signature Version 4 or 4A, in the Authorization header or in the query
//! (presigned). Read without trusting any of it; verify-signature.ts says whether it holds. Pure.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

export const ALGORITHM_V4 = 'AWS4-HMAC-SHA256'
export const ALGORITHM_V4A = 'AWS4-ECDSA-P256-SHA256'

export interface Authorization {
  readonly algorithm: typeof ALGORITHM_V4 | typeof ALGORITHM_V4A
  /** `query`: presigned. */
  readonly place: 'header' | 'query'
  readonly accessKeyId: string
  /** `YYYYMMDD`. */
  readonly date: string
  /** Null with SigV4A, which has `regionSet`. */
  readonly region: string | null
  /** Regions or patterns with `*`, as sent, separated by commas; null with SigV4. */
  readonly regionSet: string | null
  readonly service: string
  /** Lower case, as sent. */
  readonly signedHeaders: readonly string[]
  /** Hexadecimal: 32 bytes with SigV4, an ECDSA signature in DER with SigV4A. */
  readonly signature: string
  /** X-Amz-Date, as sent. */
  readonly amzDate: string
  /** The same in milliseconds since the epoch. */
  readonly signedAt: number
  /** Seconds that a presigned request is good for; null in the header. */
  readonly expiresS: number | null
}

export type Reading =
  | { readonly found: 'authorization'; readonly authorization: Authorization }
  | { readonly found: 'nothing' }
  /** `why` is a sentence for the caller. */
  | { readonly found: 'incomplete'; readonly why: string }

const KEY_ID = String.raw`([\w.+=,@-]{1,128})`
const NAME = '([a-z0-9-]{1,32})'
/** `<key>/<date>/<region>/<service>/aws4_request`; with SigV4A without the region. */
const CREDENTIAL_V4 = new RegExp(String.raw`^${KEY_ID}\/(\d{8})\/${NAME}\/${NAME}\/aws4_request$`)
const CREDENTIAL_V4A = new RegExp(String.raw`^${KEY_ID}\/(\d{8})\/${NAME}\/aws4_request$`)
const SIGNED_HEADERS = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:;[!#$%&'*+.^_`|~0-9a-z-]+)*$/
const SIGNATURE_V4 = /^[0-9a-f]{64}$/
/** The shortest and the longest that DER makes of two numbers of up to 256 bits. */
const SIGNATURE_V4A = /^(?:[0-9a-f]{2}){8,72}$/
const REGION_SET = /^[a-z0-9*-]{1,64}(?:,[a-z0-9*-]{1,64}){0,63}$/
/** What of a query belongs to a presigned request. */
const SIGNING_PARAMETER = /^x-amz-/i
const PRESIGNED = /(?:^|&)(?:X-Amz-Signature|X-Amz-Algorithm|X-Amz-Credential|AWSAccessKeyId)=/i
/** AWS's bounds of X-Amz-Expires: a second to a week. */
const EXPIRES_S_MAX = 604_800

/** Reads the Authorization header or the query without trusting either. */
export function readAuthorization(headers: ReadonlyMap<string, string>, rawQuery: string): Reading {
  const header = headers.get('authorization')
  const presigned = PRESIGNED.test(rawQuery)
  if (header === undefined) return presigned ? inQuery(rawQuery) : { found: 'nothing' }
  if (presigned) return incomplete('The request is signed twice, in the Authorization header and in the query.')
  return inHeader(header, headers)
}

/** The query without what signing has added to it. */
export function withoutSigning(rawQuery: string): string {
  if (!/x-amz-/i.test(rawQuery)) return rawQuery
  const parts = rawQuery.split('&')
  return parts.filter((part) => !SIGNING_PARAMETER.test(part)).join('&')
}

const incomplete = (why: string): Reading => ({ found: 'incomplete', why })

function inHeader(header: string, headers: ReadonlyMap<string, string>): Reading {
  // Blanks as HTTP has them (RFC 9110 5.6.3): other white space is part of what is wrong.
  const [scheme = '', ...rest] = header.split(/[ \t]+/).filter((part) => part !== '')
  if (scheme !== ALGORITHM_V4 && scheme !== ALGORITHM_V4A) {
    return incomplete(`The Authorization header must begin with ${ALGORITHM_V4} or ${ALGORITHM_V4A}.`)
  }
  const fields = new Map<string, string>()
  for (const part of rest.join('').split(',')) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0))
    if (fields.has(name)) return incomplete(`The Authorization header has ${name.slice(0, 40)} twice.`)
    fields.set(name, part.slice(equals + 1))
  }
  return claimOf(
    {
      place: 'header',
      algorithm: scheme,
      credential: fields.get('Credential'),
      signedHeaders: fields.get('SignedHeaders'),
      signature: fields.get('Signature'),
      amzDate: headers.get('x-amz-date'),
      regionSet: headers.get('x-amz-region-set'),
      expires: undefined,
    },
    'The Authorization header',
  )
}

function inQuery(rawQuery: string): Reading {
  const fields = new Map<string, string>()
  for (const part of rawQuery.split('&')) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0))
    if (!SIGNING_PARAMETER.test(name)) continue
    // Names in another case would be another parameter to whoever signed, and the same to a careless reader.
    if (fields.has(name)) return incomplete(`The query has ${name.slice(0, 40)} twice.`)
    try {
      fields.set(name, decodeURIComponent(part.slice(equals + 1)))
    } catch {
      return incomplete('The query is not percent-encoded UTF-8.')
    }
  }
  const algorithm = fields.get('X-Amz-Algorithm')
  if (algorithm !== ALGORITHM_V4 && algorithm !== ALGORITHM_V4A) {
    return incomplete(`A presigned request needs X-Amz-Algorithm=${ALGORITHM_V4} or ${ALGORITHM_V4A}.`)
  }
  return claimOf(
    {
      place: 'query',
      algorithm,
      credential: fields.get('X-Amz-Credential'),
      signedHeaders: fields.get('X-Amz-SignedHeaders'),
      signature: fields.get('X-Amz-Signature'),
      amzDate: fields.get('X-Amz-Date'),
      regionSet: fields.get('X-Amz-Region-Set'),
      expires: fields.get('X-Amz-Expires') ?? '',
    },
    'A presigned request',
  )
}

interface Claim {
  readonly place: Authorization['place']
  readonly algorithm: Authorization['algorithm']
  readonly credential: string | undefined
  readonly signedHeaders: string | undefined
  readonly signature: string | undefined
  readonly amzDate: string | undefined
  readonly regionSet: string | undefined
  readonly expires: string | undefined
}

function claimOf(claim: Claim, who: string): Reading {
  const { place, algorithm } = claim
  const v4a = algorithm === ALGORITHM_V4A
  const credential = (v4a ? CREDENTIAL_V4A : CREDENTIAL_V4).exec(claim.credential ?? '')
  if (credential === null) {
    const scope = v4a ? '<date>/<service>' : '<date>/<region>/<service>'
    return incomplete(`${who} needs Credential=<access key id>/${scope}/aws4_request.`)
  }
  const signedHeaders = claim.signedHeaders ?? ''
  if (!SIGNED_HEADERS.test(signedHeaders)) return incomplete(`${who} needs SignedHeaders.`)
  const signature = claim.signature ?? ''
  if (!(v4a ? SIGNATURE_V4A : SIGNATURE_V4).test(signature)) {
    return incomplete(`${who} needs Signature, ${v4a ? 'DER as' : '64'} hexadecimal digits.`)
  }
  const signedAt = readAmzDate(claim.amzDate)
  if (signedAt === null) return incomplete(`${who} needs X-Amz-Date (YYYYMMDDThhmmssZ).`)
  if (v4a && !REGION_SET.test(claim.regionSet ?? '')) return incomplete(`${who} needs X-Amz-Region-Set.`)
  const expiresS = claim.expires === undefined ? null : Number(claim.expires)
  if (expiresS !== null && !(/^\d{1,6}$/.test(claim.expires ?? '') && expiresS >= 1 && expiresS <= EXPIRES_S_MAX)) {
    return incomplete(`${who} needs X-Amz-Expires, a number of seconds from 1 to ${EXPIRES_S_MAX}.`)
  }
  const [, accessKeyId = '', date = '', third = '', fourth = ''] = credential
  return {
    found: 'authorization',
    authorization: {
      algorithm,
      place,
      accessKeyId,
      date,
      region: v4a ? null : third,
      regionSet: v4a ? (claim.regionSet ?? '') : null,
      service: v4a ? third : fourth,
      signedHeaders: signedHeaders.split(';'),
      signature,
      amzDate: claim.amzDate ?? '',
      signedAt,
      expiresS,
    },
  }
}

/** Milliseconds since the epoch, or null when it is not ISO 8601 basic. */
export function readAmzDate(text: string | undefined): number | null {
  const found = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text ?? '')
  if (found === null) return null
  const [year, month, day, hour, minute, second] = found.slice(1)
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? null : time
}
