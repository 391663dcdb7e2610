//! The request line (RFC 9112 3), strictly: METHOD SP target SP HTTP/1.x, and the target cut to path and query.
import type { Malformed } from './header-block.ts'

/**
 * Methods that are passed on; a behavior decides which of them it allows. CONNECT is for forward proxies; a name
 * outside the registry is refused as Node's own parser does.
 */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'ACL', 'BIND', 'CHECKOUT', 'COPY', 'DELETE', 'GET', 'HEAD', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE', 'MKACTIVITY',
  'MKCALENDAR', 'MKCOL', 'MOVE', 'NOTIFY', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PROPPATCH', 'PURGE', 'PUT', 'QUERY',
  'REBIND', 'REPORT', 'SEARCH', 'SOURCE', 'SUBSCRIBE', 'TRACE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE',
]) // biome-ignore format: a table

export interface RequestLine extends Target {
  readonly method: string
  readonly minor: 0 | 1
}

/** Visible ASCII without `#`: a fragment is never sent; spaces, control bytes and raw 8-bit bytes are malformed. */
function isTarget(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 33 || code > 126 || code === 35) return false
  }
  return text !== ''
}

/** http(s)://host[:port] and the rest (RFC 9112 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i

/** Parses a line without its CRLF. `urlBytesMax` bounds the target as it was sent. */
export function parseRequestLine(line: string, urlBytesMax: number): RequestLine | Malformed {
  const methodEnd = line.indexOf(' ')
  const targetEnd = line.indexOf(' ', methodEnd + 1)
  if (methodEnd <= 0 || targetEnd < 0) return 'bad-request-line'
  // Nearly all are: no text to be cut out and hashed.
  const method = line.startsWith('GET ') ? 'GET' : line.slice(0, methodEnd)
  if (method !== 'GET' && !KNOWN_METHODS.has(method)) return 'bad-method'
  const version = line.slice(targetEnd + 1)
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    return /^HTTP\/[0-9]\.[0-9]$/.test(version) ? 'bad-version' : 'bad-request-line'
  }
  const minor = version === 'HTTP/1.1' ? 1 : 0
  const target = readTarget(line.slice(methodEnd + 1, targetEnd), urlBytesMax)
  if (typeof target === 'string') return target
  const { path, query, authority } = target
  return { method, path, query, minor, authority }
}

export interface Target {
  readonly path: string
  readonly query: string | null
  /** Host and port of an absolute-form target; null for the usual origin-form. */
  readonly authority: string | null
}

export function readTarget(text: string, urlBytesMax: number): Target | Malformed {
  if (text.length > urlBytesMax) return 'url-too-long'
  if (!isTarget(text)) return 'bad-target'
  let target = text
  let authority: string | null = null
  if (target.charCodeAt(0) !== 47) {
    const parts = ABSOLUTE.exec(target)
    if (parts === null) return 'bad-target'
    authority = parts[1]!
    const rest = parts[2]!
    target = rest.startsWith('/') ? rest : `/${rest}`
  }
  const mark = target.indexOf('?')
  return mark < 0
    ? { path: target, query: null, authority }
    : { path: target.slice(0, mark), query: target.slice(mark + 1), authority }
}
