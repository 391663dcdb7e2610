//! AWS Signature Version 4 for S3, in the Authorization header. PURE but for a memory of the day's keys. Our own, because
//! a signature of `@smithy/signature-v4` takes a promise for each of its hashes; sign.property.test.ts compares the two.
//! https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import { createHash, createHmac } from 'node:crypto'

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface ToSign {
  readonly method: string
  /** As `encodedKey` makes it; it goes into the signature as it stands. */
  readonly path: string
  /** As `encodedQuery` makes it, without the question mark; empty for none. */
  readonly query: string
  /** Name, value, name, value ... of every field that is to be signed; names in lower case, each once. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Value of x-amz-content-sha256, which is among the fields. */
  readonly payload: string
}

/** SHA-256 of no bytes: the payload of a request without a body. */
export const EMPTY_PAYLOAD = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
/** A body that is not known before it has passed. */
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

/**
 * Value of Authorization. `date` is the value of x-amz-date, `20261130T002233Z`.
 */
export function authorization(request: ToSign, keys: S3Keys, region: string, date: string): string {
  const fields = [...request.fields].sort(([one], [other]) => (one < other ? -1 : 1))
  const names = fields.map(([name]) => name).join(';')
  const lines = fields.map(([name, value]) => `${name}:${value.trim().replace(/\s+/g, ' ')}\n`).join('')
  const canonical = `${request.method}\n${request.path}\n${canonicalQuery(request.query)}\n${lines}\n${names}\n${request.payload}`
  const day = date.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`
  const signature = createHmac('sha256', signingKey(keys, day, region))
    .update(text)
    .digest('hex')
  return `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
}

/** Value of x-amz-date for a time in milliseconds. */
export const amzDate = (at: number): string => new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')

/** The key that the day's signatures are made with, by region; forgotten when keys or days change. */
const derived = new Map<string, Buffer>()
const DERIVED_MAX = 64

function signingKey({ accessKeyId, secretAccessKey }: S3Keys, day: string, region: string): Buffer {
  const name = `${day}/${region}/${accessKeyId}/${secretAccessKey}`
  const known = derived.get(name)
  if (known !== undefined) return known
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), 's3'), 'aws4_request')
  if (derived.size >= DERIVED_MAX) derived.clear()
  derived.set(name, key)
  return key
}

function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    return equals < 0 ? ([pair, ''] as const) : ([pair.slice(0, equals), pair.slice(equals + 1)] as const)
  })
  return pairs
    .sort((one, other) => compare(one[0], other[0]) || compare(one[1], other[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
