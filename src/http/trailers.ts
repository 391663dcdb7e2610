//! Trailer fields (RFC 9110 6.5): which of them an intermediary may pass on behind a body. Pure. Whoever reads a trailer
//! may put it among the headers, so that nothing may pass that decides framing, routing, authority or caching.
import { HOP_BY_HOP, isOfTheEdge } from './headers.ts'

/** Trailer fields of one message, and characters of them with their names; over it none of them passes. */
export const TRAILERS_MAX = 64
const TRAILER_LENGTH_MAX = 8_192

/** RFC 9110 6.5.1: framing, routing, request modifiers, authentication, response control, what says how a body is read. */
const NEVER: ReadonlySet<string> = new Set([
  'accept-ranges', 'age', 'alt-svc', 'authentication-info', 'authorization', 'cache-control', 'cdn-cache-control',
  'cdn-loop', 'clear-site-data', 'content-disposition', 'content-encoding', 'content-language', 'content-length',
  'content-location', 'content-range', 'content-security-policy', 'content-type', 'cookie', 'date', 'etag', 'expect',
  'expires', 'forwarded', 'host', 'if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since',
  'last-modified', 'location', 'max-forwards', 'origin', 'pragma', 'range', 'referer', 'refresh', 'retry-after',
  'set-cookie', 'strict-transport-security', 'surrogate-control', 'user-agent', 'vary', 'via', 'warning',
  'www-authenticate', 'x-accel-redirect', 'x-cache', 'x-real-ip',
]) // biome-ignore format: a table
const NEVER_PREFIXES = [
  'access-control-', 'accept', 'cloudfront-', 'proxy-', 'sec-', 'x-amz-', 'x-amzn-', 'x-cachefront-', 'x-edge-',
  'x-forwarded-',
] as const // biome-ignore format: a table

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** True for a field that may be a trailer. */
export function mayTrail(name: string): boolean {
  const lower = name.toLowerCase()
  // Origins and applications that hand fields on as variables take `_` for `-`.
  const taken = lower.replaceAll('_', '-')
  if (!TOKEN.test(lower) || HOP_BY_HOP.has(taken) || NEVER.has(taken)) return false
  return !NEVER_PREFIXES.some((prefix) => taken.startsWith(prefix))
}

/** Name, value, name, value ... of those trailer fields that pass, in their order and spelling. */
export function passedTrailers(raw: readonly string[]): string[] {
  const out: string[] = []
  let length = 0
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [raw[i] as string, raw[i + 1] as string]
    if (!mayTrail(name) || !VALUE.test(value)) continue
    length += name.length + value.length
    out.push(name, value)
  }
  return out.length > TRAILERS_MAX * 2 || length > TRAILER_LENGTH_MAX ? [] : out
}

/**
 * Those of an answer of gRPC: its status, and metadata of whatever name, for a client that puts none of it among the
 * headers. Only what is of one hop, or the edge's own to say, does not pass.
 */
export function grpcTrailers(raw: readonly string[]): string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (!HOP_BY_HOP.has(name) && !isOfTheEdge(name)) out.push(raw[i] as string, raw[i + 1] as string)
  }
  return out
}

/** The names in all lines of Trailer that may pass, as one value for the next hop; empty for none. */
export function announcedTrailers(values: readonly string[]): string {
  const names = values
    .flatMap((value) => value.split(','))
    .map((name) => name.replaceAll(/[ \t]/g, ''))
    .filter(mayTrail)
  const text = [...new Set(names)].join(', ')
  return names.length > TRAILERS_MAX || text.length > TRAILER_LENGTH_MAX ? '' : text
}

/** True when TE says that the sender keeps trailers (RFC 9110 10.1.4). */
export const takesTrailers = (te: readonly string[]): boolean =>
  te.some((value) => value.split(',').some((member) => member.replaceAll(/[ \t]/g, '').toLowerCase() === 'trailers'))

/** The trailer section of a chunked body after its last chunk: lines, each with its end; without the final empty line. */
export function trailerSection(trailers: readonly string[]): string {
  let text = ''
  for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`
  return text
}
