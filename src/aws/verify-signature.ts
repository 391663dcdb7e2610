//! Whether a signature holds: SigV4 and SigV4A, in the header and presigned, for the secrets of one key. Pure.
import { createHash, createHmac, timingSafeEqual, verify } from 'node:crypto'
import { ALGORITHM_V4A, type Authorization } from './authorization.ts'
import { type NotCanonical, stringToSign } from './canonical-request.ts'
import type { WireRequest } from './protocol.ts'
import { sigv4aPublicKey } from './sigv4a-key.ts'

/** How far a signature's time may be from ours, either way; AWS's bound. */
export const CLOCK_SKEW_MS_MAX = 15 * 60 * 1000

/** What is wrong with a signature; the words name it. */
export type SignatureProblem =
  | NotCanonical
  /** Further from our time than `CLOCK_SKEW_MS_MAX`. */
  | 'skewed'
  /** Presigned, and its time is over. */
  | 'expired'
  /** The date of the scope is not that of X-Amz-Date, or the region set leaves this region out. */
  | 'scope'
  /** Host, If-Match or an X-Amz-* header came unsigned: it could have been changed on the way. */
  | 'headers-not-signed'
  /** The hash that it claims is not that of the body. */
  | 'payload'
  /** X-Amz-Security-Token: there are no temporary credentials here. */
  | 'session-token'

export type Verification =
  /** `digest`: of what was signed, in hexadecimal; the same request has the same one however it was signed. */
  { readonly verdict: 'valid'; readonly digest: string } | { readonly verdict: SignatureProblem }

/**
 * @param secrets of the key that is claimed: one, or two while a rotation overlaps; any of them will do
 * @param regions of ours, for the region set of SigV4A
 * @param now milliseconds since the epoch on the wall clock
 */
export function verifySignature(
  request: WireRequest,
  authorization: Authorization,
  secrets: readonly string[],
  regions: readonly string[],
  now: number,
): Verification {
  const problem = problemOf(request, authorization, regions, now)
  if (problem !== null) return { verdict: problem }
  const hash = createHash('sha256').update(request.body).digest('hex')
  const claimed = request.headers.get('x-amz-content-sha256') ?? hash
  // Except with S3, the hash that is signed is always that of the body: UNSIGNED-PAYLOAD would be a hole.
  if (claimed !== hash) return { verdict: 'payload' }
  const toSign = stringToSign(request, authorization, hash)
  if ('problem' in toSign) return { verdict: toSign.problem }
  const holds = secrets.map((secret) => signatureHolds(toSign.text, authorization, secret))
  if (!holds.includes(true)) return { verdict: 'mismatch' }
  const digest = createHash('sha256').update(`${authorization.accessKeyId}\n${toSign.text}`).digest('hex')
  return { verdict: 'valid', digest }
}

function problemOf(
  { headers, rawQuery }: WireRequest,
  authorization: Authorization,
  regions: readonly string[],
  now: number,
): SignatureProblem | null {
  const { signedAt, expiresS, amzDate, date, regionSet, signedHeaders } = authorization
  if (headers.has('x-amz-security-token') || /(?:^|&)x-amz-security-token=/i.test(rawQuery)) return 'session-token'
  if (expiresS === null ? Math.abs(now - signedAt) > CLOCK_SKEW_MS_MAX : signedAt - now > CLOCK_SKEW_MS_MAX) {
    return 'skewed'
  }
  if (expiresS !== null && now >= signedAt + expiresS * 1000) return 'expired'
  if (!amzDate.startsWith(date)) return 'scope'
  if (regionSet !== null && !regionSet.split(',').some((pattern) => regions.some((one) => fits(pattern, one)))) {
    return 'scope'
  }
  const signed = new Set(signedHeaders)
  const unsigned = [...headers.keys()].some(
    (name) => (name.startsWith('x-amz-') || name === 'if-match') && !signed.has(name),
  )
  return unsigned || !signed.has('host') ? 'headers-not-signed' : null
}

/** `pattern` is a region, or the beginning of one with `*`. */
function fits(pattern: string, region: string): boolean {
  const star = pattern.indexOf('*')
  return star < 0 ? pattern === region : star === pattern.length - 1 && region.startsWith(pattern.slice(0, -1))
}

function signatureHolds(toSign: string, authorization: Authorization, secret: string): boolean {
  const given = Buffer.from(authorization.signature, 'hex')
  if (authorization.algorithm === ALGORITHM_V4A) {
    const key = sigv4aPublicKey(authorization.accessKeyId, secret)
    return verify('sha256', Buffer.from(toSign), { key, dsaEncoding: 'der' }, given)
  }
  const { date, region, service } = authorization
  const scope = [date, region ?? '', service, 'aws4_request']
  const key = scope.reduce<Buffer>((above, part) => hmac(above, part), Buffer.from(`AWS4${secret}`))
  const expected = hmac(key, toSign)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
