//! What is signed of a request: the canonical request and the string to sign, made from the bytes as they came. Pure.
//! The SDK's signer cannot be asked for it: SigV4A signatures are random, so that signing anew proves nothing, and it
//! normalizes paths, by which two requests would have one signature.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHash } from 'node:crypto'
import type { Authorization } from './authorization.ts'
import type { WireRequest } from './protocol.ts'

/** Why a request has no canonical form, in the words of verify-signature.ts. */
export type NotCanonical = 'path' | 'query' | 'mismatch'

/** Bytes that stay as they are (RFC 3986 2.3). */
const UNRESERVED = new Set(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'))
const SLASH = 0x2f
const PERCENT = 0x25

/** The string to sign, or why there is none. `payloadHash`: of the body that came. */
export function stringToSign(
  request: WireRequest,
  authorization: Authorization,
  payloadHash: string,
): { readonly text: string } | { readonly problem: NotCanonical } {
  const path = canonicalPath(request.rawPath)
  if (path === null) return { problem: 'path' }
  const query = canonicalQuery(request.rawQuery, authorization.place === 'query')
  if (query === null) return { problem: 'query' }
  const headers: string[] = []
  for (const name of authorization.signedHeaders) {
    const value = request.headers.get(name)
    if (value === undefined) return { problem: 'mismatch' }
    headers.push(`${name}:${value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')}\n`)
  }
  const canonical = [
    request.method,
    path,
    query,
    headers.join(''),
    authorization.signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
  // Node gives each byte of a head as one character.
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex')
  return { text: [authorization.algorithm, authorization.amzDate, scopeOf(authorization), hash].join('\n') }
}

function scopeOf({ date, region, service }: Authorization): string {
  return region === null ? `${date}/${service}/aws4_request` : `${date}/${region}/${service}/aws4_request`
}

/**
 * The path with each byte escaped that is not unreserved, so that what is escaped already is escaped twice, as AWS wants it
 * of all services but S3. Signers take empty and dot segments out before they sign: a path that has some would have the
 * signature of another one.
 */
function canonicalPath(rawPath: string): string | null {
  if (!rawPath.startsWith('/')) return null
  const segments = rawPath.slice(1).split('/')
  const last = segments.length - 1
  if (segments.some((one, at) => one === '.' || one === '..' || (one === '' && at < last))) return null
  return escaped(Buffer.from(rawPath, 'latin1'), true)
}

/**
 * Names and values escaped anew and sorted by their bytes. A plus sign is a blank to some and itself to others, whoever
 * signs: it has to come escaped.
 */
function canonicalQuery(rawQuery: string, isPresigned: boolean): string | null {
  if (rawQuery.includes('+')) return null
  const pairs: [string, string][] = []
  for (const part of rawQuery.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = unescaped(equals < 0 ? part : part.slice(0, equals))
    const value = unescaped(equals < 0 ? '' : part.slice(equals + 1))
    if (name === null || value === null) return null
    // As it is written: in escapes it is a parameter that nobody has signed, and the service would see it.
    if (isPresigned && part.startsWith('X-Amz-Signature=')) continue
    pairs.push([escaped(name, false), escaped(value, false)])
  }
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function escaped(bytes: Uint8Array, keepSlash: boolean): string {
  let text = ''
  for (const byte of bytes) {
    const stays = UNRESERVED.has(byte) || (keepSlash && byte === SLASH)
    text += stays ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

/** Null for a percent sign that begins no escape. */
function unescaped(text: string): Buffer | null {
  const from = Buffer.from(text, 'latin1')
  const to = Buffer.alloc(from.length)
  let length = 0
  for (let at = 0; at < from.length; at++) {
    if (from[at] !== PERCENT) {
      to[length++] = from[at]!
      continue
    }
    const digits = from.toString('latin1', at + 1, at + 3)
    if (!/^[0-9a-f]{2}$/i.test(digits)) return null
    to[length++] = Number.parseInt(digits, 16)
    at += 2
  }
  return to.subarray(0, length)
}
