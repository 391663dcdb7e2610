//! Is a request to S3 signed with these keys? As S3 finds out: the signature is made again from what came.
//! https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SignatureV4 } from '@smithy/signature-v4'

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
/** How far a signature's time may be from now. Milliseconds. */
const SKEW_MS_MAX = 15 * 60_000

/** Signatures in the query are not looked at: nobody here presigns. */
export async function isSigned(request: IncomingMessage, keys: S3Keys): Promise<boolean> {
  const { url = '/', method = 'GET', headers } = request
  const found = AUTHORIZATION.exec(headers.authorization ?? '')
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'] ?? ''))
  if (found === null || date === null) return false
  const [, accessKeyId, region = '', names = '', signature] = found
  const [year, month, day, hour, minute, second] = date.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const signedAt = Date.UTC(year, month - 1, day, hour, minute, second)
  const signed = names.split(';')
  const mustBeSigned = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-amz-'))
  if (accessKeyId !== keys.accessKeyId || Math.abs(Date.now() - signedAt) > SKEW_MS_MAX) return false
  if (!mustBeSigned.every((name) => signed.includes(name))) return false
  const signer = new SignatureV4({
    credentials: keys,
    region,
    service: 's3',
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: false,
  })
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const made = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: '',
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers: Object.fromEntries(signed.map((name) => [name, String(headers[name] ?? '')])),
    },
    { signingDate: new Date(signedAt), signableHeaders: new Set(signed) },
  )
  return made.headers.authorization?.endsWith(`Signature=${signature}`) ?? false
}

/** The hash that the signer wants, as it wants it. */
class Sha256 {
  readonly #hash: { update(data: Uint8Array | string): unknown; digest(): Buffer }

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}
