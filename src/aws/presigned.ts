//! AWS Signature Version 4 in the query: a presigned GET that was made once and is shown as a token. It is verified by
//! making it again with the signer that the SDK itself uses.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { timingSafeEqual } from 'node:crypto'
import { readAmzDate } from './authorization.ts'
import { type KeyPair, Sha256 } from './sigv4.ts'

export interface PresignedRequest {
  readonly host: string
  readonly path: string
  readonly query: URLSearchParams
}

export interface PresignedScope {
  readonly service: string
  readonly region: string
  /** Longest life that the signature may claim, in seconds. */
  readonly expiresMax: number
}

export type PresignedVerdict = 'valid' | 'malformed' | 'scope' | 'expired' | 'unknown-key' | 'mismatch'

/** How far the clock of the signer may be ahead of ours. Milliseconds. */
const AHEAD_MS_MAX = 5 * 60 * 1000
const CREDENTIAL = /^([\w.+=,@-]{1,128})\/(\d{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request$/
/** What signing adds; everything else is signed. */
const OF_SIGNING: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
])

/**
 * @param keyPair null: whose signature it is cannot be told; all else is checked
 * @param now milliseconds since the epoch on the wall clock
 */
export async function verifyPresigned(
  request: PresignedRequest,
  keyPair: KeyPair | null,
  scope: PresignedScope,
  now: number,
): Promise<PresignedVerdict> {
  const { query } = request
  const names = [...query.keys()]
  if (new Set(names).size !== names.length) return 'malformed'
  const credential = CREDENTIAL.exec(query.get('X-Amz-Credential') ?? '')
  const signedAt = readAmzDate(query.get('X-Amz-Date') ?? undefined)
  const expires = Number(query.get('X-Amz-Expires') ?? '')
  const signature = query.get('X-Amz-Signature') ?? ''
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256' || query.get('X-Amz-SignedHeaders') !== 'host') {
    return 'malformed'
  }
  if (credential === null || signedAt === null || !/^[0-9a-f]{64}$/.test(signature)) return 'malformed'
  if (!Number.isInteger(expires) || expires < 1) return 'malformed'
  const [, accessKeyId, date, region, service] = credential
  const isOfDay = query.get('X-Amz-Date')?.startsWith(date!) === true
  if (!isOfDay || region !== scope.region || service !== scope.service) return 'scope'
  if (expires > scope.expiresMax || now >= signedAt + expires * 1000 || signedAt > now + AHEAD_MS_MAX) return 'expired'
  if (keyPair === null) return 'valid'
  if (accessKeyId !== keyPair.accessKeyId) return 'unknown-key'
  const again = await presign(request, keyPair, scope, new Date(signedAt), expires)
  const same = again.length === signature.length && timingSafeEqual(Buffer.from(again), Buffer.from(signature))
  return same ? 'valid' : 'mismatch'
}

async function presign(
  { host, path, query }: PresignedRequest,
  keyPair: KeyPair,
  { service, region }: PresignedScope,
  signingDate: Date,
  expiresIn: number,
): Promise<string> {
  // Loaded on first use: most installations never see such a token.
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const sessionToken = query.get('X-Amz-Security-Token')
  const credentials = { ...keyPair, ...(sessionToken === null ? {} : { sessionToken }) }
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 })
  const own = [...query].filter(([name]) => !OF_SIGNING.has(name))
  const signed = await signer.presign(
    { method: 'GET', protocol: 'http:', hostname: host, path, query: Object.fromEntries(own), headers: { host } },
    { signingDate, expiresIn },
  )
  return String(signed.query?.['X-Amz-Signature'] ?? '')
}
