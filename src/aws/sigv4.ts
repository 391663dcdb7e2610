//! AWS Signature Version 4 in the Authorization header: read it (pure), and verify it for one key pair. The signature is
//! recomputed by the signer that the SDK itself uses, over the raw path, query, headers and body.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { ChecksumConstructor } from '@smithy/types'
import { readForm } from './form-reader.ts'
import type { WireRequest } from './protocol.ts'

export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Authorization {
  readonly accessKeyId: string
  /** `YYYYMMDD`. */
  readonly date: string
  readonly region: string
  readonly service: string
  /** Lower case, as sent. */
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits. */
  readonly signature: string
  /** Milliseconds since the epoch, from X-Amz-Date. */
  readonly signedAt: number
}

export type Reading =
  | { readonly found: 'authorization'; readonly authorization: Authorization }
  | { readonly found: 'nothing' }
  | { readonly found: 'presigned' }
  /** `why` is a sentence for the caller. */
  | { readonly found: 'incomplete'; readonly why: string }

const CREDENTIAL = /^([\w.+=,@-]{1,128})\/(\d{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request$/
const SIGNED_HEADERS = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:;[!#$%&'*+.^_`|~0-9a-z-]+)*$/
const PRESIGNED = /(?:^|&)(?:X-Amz-Signature|X-Amz-Algorithm|X-Amz-Credential|AWSAccessKeyId)=/i

/** Reads the Authorization header and X-Amz-Date without trusting either. Pure. */
export function readAuthorization(headers: ReadonlyMap<string, string>, rawQuery: string): Reading {
  const header = headers.get('authorization')
  if (header === undefined) return { found: PRESIGNED.test(rawQuery) ? 'presigned' : 'nothing' }
  const [scheme = '', ...rest] = header.trim().split(/\s+/)
  if (scheme !== 'AWS4-HMAC-SHA256') return incomplete('The Authorization header must begin with AWS4-HMAC-SHA256.')
  const fields = new Map<string, string>()
  for (const part of rest.join('').split(',')) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0))
    if (fields.has(name)) return incomplete(`The Authorization header has ${name} twice.`)
    fields.set(name, part.slice(equals + 1))
  }
  const credential = CREDENTIAL.exec(fields.get('Credential') ?? '')
  if (credential === null) {
    return incomplete(
      'The Authorization header needs Credential=<access key id>/<date>/<region>/<service>/aws4_request.',
    )
  }
  const signedHeaders = fields.get('SignedHeaders') ?? ''
  if (!SIGNED_HEADERS.test(signedHeaders)) return incomplete('The Authorization header needs SignedHeaders.')
  const signature = fields.get('Signature') ?? ''
  if (!/^[0-9a-f]{64}$/.test(signature))
    return incomplete('The Authorization header needs Signature, 64 hexadecimal digits.')
  const signedAt = readAmzDate(headers.get('x-amz-date'))
  if (signedAt === null) return incomplete('The header X-Amz-Date (YYYYMMDDThhmmssZ) is missing.')
  const [, accessKeyId, date, region, service] = credential as unknown as readonly string[]
  return {
    found: 'authorization',
    authorization: {
      accessKeyId: accessKeyId!,
      date: date!,
      region: region!,
      service: service!,
      signedHeaders: signedHeaders.split(';'),
      signature,
      signedAt,
    },
  }
}

const incomplete = (why: string): Reading => ({ found: 'incomplete', why })

/** Milliseconds since the epoch, or null when it is not ISO 8601 basic. */
export function readAmzDate(text: string | undefined): number | null {
  const found = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text ?? '')
  if (found === null) return null
  const [year, month, day, hour, minute, second] = found.slice(1)
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? null : time
}

/** How far a signature's time may be from ours, either way. */
const CLOCK_SKEW_MS_MAX = 15 * 60 * 1000

/** The outcome of a verification; the words name what is wrong. */
export type Verdict = 'valid' | 'unknown-key' | 'skewed' | 'scope' | 'headers-not-signed' | 'mismatch'

/**
 * Verifies `request` for one key pair.
 * @param now milliseconds since the epoch on the wall clock
 */
export async function verifySignature(
  request: WireRequest,
  authorization: Authorization,
  keyPair: KeyPair,
  now: number,
): Promise<Verdict> {
  if (authorization.accessKeyId !== keyPair.accessKeyId) return 'unknown-key'
  if (Math.abs(now - authorization.signedAt) > CLOCK_SKEW_MS_MAX) return 'skewed'
  if (!request.headers.get('x-amz-date')!.startsWith(authorization.date)) return 'scope'
  if (!signsEnough(request.headers, authorization.signedHeaders)) return 'headers-not-signed'
  const expected = Buffer.from(await signatureOf(request, authorization, keyPair), 'hex')
  const given = Buffer.from(authorization.signature, 'hex')
  return expected.length === given.length && timingSafeEqual(expected, given) ? 'valid' : 'mismatch'
}

/** AWS wants the host and every `x-amz-*` header signed: an unsigned one could be changed on the way. */
function signsEnough(headers: ReadonlyMap<string, string>, signed: readonly string[]): boolean {
  if (!signed.includes('host')) return false
  return [...headers.keys()].every((name) => !name.startsWith('x-amz-') || signed.includes(name))
}

async function signatureOf(request: WireRequest, authorization: Authorization, keyPair: KeyPair): Promise<string> {
  // Loaded on first use: a laptop without a key pair never needs it.
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const { region, service, signedHeaders, signedAt } = authorization
  const signer = new SignatureV4({
    credentials: keyPair,
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: true,
  })
  const headers: Record<string, string> = {}
  for (const name of signedHeaders) headers[name] = request.headers.get(name) ?? ''
  // Except with S3, the hash that is signed is always that of the body; a header that claims another one is not trusted.
  const hash = createHash('sha256').update(request.body).digest('hex')
  if ('x-amz-content-sha256' in headers && headers['x-amz-content-sha256'] !== hash) return ''
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: '',
      path: request.rawPath,
      query: queryBag(request.rawQuery),
      headers,
      body: request.body,
    },
    { signingDate: new Date(signedAt), signableHeaders: new Set(signedHeaders) },
  )
  return /Signature=([0-9a-f]{64})$/.exec(signed.headers.authorization ?? '')?.[1] ?? ''
}

/** Parameters by name, repeated ones as a list: what the signer sorts and escapes anew. @throws WireError `malformed` */
function queryBag(rawQuery: string): Record<string, string | string[]> {
  const bag: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of readForm(rawQuery.replaceAll('+', '%2B'))) {
    const before = bag[name]
    bag[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return bag
}

/** node:crypto in the shape that the signer asks for: a hash, or an HMAC when it is given a key. */
export const Sha256: ChecksumConstructor = class {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: Parameters<typeof Buffer.from>[0] | ArrayBuffer | ArrayBufferView | string) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(chunk: Uint8Array | string): void {
    this.#hash.update(chunk)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    throw new Error('a hash is used once')
  }
} as unknown as ChecksumConstructor

function bytesOf(source: unknown): Uint8Array {
  if (typeof source === 'string') return Buffer.from(source)
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  return new Uint8Array(source as ArrayBuffer)
}
