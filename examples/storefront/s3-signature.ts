//! Is a request to S3 signed with these keys? As S3 finds out: the signature is made again, by the SDK's own signer, from
//! what came. This is the platform's side, not the shop's: it reads the header with Cachefront's own reader.
//! https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import type { IncomingMessage } from 'node:http'
import { SignatureV4 } from '@smithy/signature-v4'
import { readAuthorization } from '../../src/aws/authorization.ts'
import { Sha256 } from '../../src/aws/sigv4.ts'

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** How far a signature's time may be from now. Milliseconds. */
const SKEW_MS_MAX = 15 * 60_000

/** When the request says that it was signed is near enough to now. */
export function isTimely({ headers }: IncomingMessage): boolean {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'] ?? '')) ?? []
  const [year, month, ...rest] = parts.map(Number)
  if (year === undefined || month === undefined) return false
  return Math.abs(Date.now() - Date.UTC(year, month - 1, ...rest)) <= SKEW_MS_MAX
}

/** Signatures in the query are not looked at: nobody here presigns. */
export async function isSigned(request: IncomingMessage, keys: S3Keys): Promise<boolean> {
  const { url = '/', method = 'GET', headers } = request
  const lines = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const reading = readAuthorization(lines, query)
  if (reading.found !== 'authorization') return false
  const { accessKeyId, signedHeaders, signature, signedAt, region, service } = reading.authorization
  const mustBeSigned = [...lines.keys()].filter((name) => name === 'host' || name.startsWith('x-amz-'))
  if (accessKeyId !== keys.accessKeyId || service !== 's3') return false
  if (mustBeSigned.some((name) => !signedHeaders.includes(name))) return false
  const signer = new SignatureV4({
    credentials: keys,
    region: region ?? '',
    service,
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: false,
  })
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: '',
      // The server knows the key, and spells it anew.
      path: path
        .split('/')
        .map((segment) => strictly(decodeURIComponent(segment)))
        .join('/'),
      query: queryOf(query),
      headers: Object.fromEntries(signedHeaders.map((name) => [name, lines.get(name) ?? ''])),
    },
    { signingDate: new Date(signedAt), signableHeaders: new Set(signedHeaders) },
  )
  return signed.headers.authorization?.endsWith(`Signature=${signature}`) === true
}

const strictly = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

function queryOf(query: string): Record<string, string | string[]> {
  const found: Record<string, string[]> = {}
  for (const [name, value] of new URLSearchParams(query)) found[name] = [...(found[name] ?? []), value]
  return Object.fromEntries(
    Object.entries(found).map(([name, values]) => [name, values.length === 1 ? values[0]! : values]),
  )
}
