//! Resource of a custom policy, compared with the URL of a request (spec/cloudfront.md 9.6): `*` is any characters, `?` is
//! one, and neither leaves its section: protocol, domain, path, query. PURE.
import { normalPath } from '../snapshot/normal-path.ts'

/** A URL as the viewer asked for it, without what signs it. */
export interface AskedUrl {
  readonly scheme: 'http' | 'https'
  /** As sent, with the port if the viewer named one. */
  readonly host: string
  readonly path: string
  /** Null for none. */
  readonly query: string | null
}

/** Sections of a pattern. */
interface Sections {
  readonly scheme: string
  /** Lower case. */
  readonly host: string
  readonly path: string
  /** Null: there must be none. */
  readonly query: string | null
  /** A query may be there or not, whatever it is: a star ended the path, or the domain. */
  readonly anyQuery: boolean
}

export interface ResourcePattern {
  /** One of them must match; none matches nothing. */
  readonly ways: readonly Sections[]
  /** `*` */
  readonly all: boolean
}

/** Before the escaped `?` the path, behind it the query. */
const ESCAPED_MARK = '\\?'

/** A text without a protocol matches nothing, unless it begins with a star (spec 9.6). */
export function compileResource(text: string): ResourcePattern {
  if (text === '*') return { ways: [], all: true }
  const [, scheme = text.startsWith('*') ? '*' : null, rest = text] = /^([^/]*?):\/\/(.*)$/s.exec(text) ?? []
  if (scheme === null) return { ways: [], all: false }
  const mark = rest.indexOf(ESCAPED_MARK)
  const slash = rest.indexOf('/')
  const hostEnd = slash >= 0 && (mark < 0 || slash < mark) ? slash : mark < 0 ? rest.length : mark
  const host = rest.slice(0, hostEnd).toLowerCase()
  const behind = rest.slice(hostEnd)
  const open = behind === '' && host.endsWith('*')
  const start = { scheme, host }
  if (open) return { ways: [{ ...start, path: '*', query: null, anyQuery: true }], all: false }
  if (mark >= 0) {
    const at = behind.indexOf(ESCAPED_MARK)
    // Further question marks of the query are escaped or not: there a mark is one character either way.
    const query = behind.slice(at + ESCAPED_MARK.length).replaceAll(ESCAPED_MARK, '?')
    return { ways: [{ ...start, path: behind.slice(0, at) || '/', query, anyQuery: false }], all: false }
  }
  const path = behind || '/'
  const ways: Sections[] = [{ ...start, path, query: null, anyQuery: path.endsWith('*') }]
  // AWS's own signers put a URL with its query here as it is: their `?` is where the query begins.
  const bare = path.indexOf('?')
  if (bare >= 0) ways.push({ ...start, path: path.slice(0, bare), query: path.slice(bare + 1), anyQuery: false })
  return { ways, all: false }
}

/**
 * The path must be meant as it was sent, which is what the origin gets, and as one that follows its dot segments: a
 * signature for `/a/*` opens no `/a/../b` at an origin that serves `/b` for it. What CloudFront does is unconfirmed.
 */
export function matchesResource({ ways, all }: ResourcePattern, url: AskedUrl): boolean {
  if (all) return true
  const followed = followedPath(url.path)
  return ways.some(
    (way) =>
      matchesGlob(way.scheme, url.scheme) &&
      matchesGlob(way.host, url.host.toLowerCase()) &&
      matchesGlob(way.path, url.path) &&
      (followed === url.path || matchesGlob(way.path, followed)) &&
      (way.anyQuery ||
        (way.query === null ? url.query === null : url.query !== null && matchesGlob(way.query, url.query))),
  )
}

const TWO_DOTS = /(?:\.|%2e){2}/i

/** Where the path leads for whoever reads it most freely: escaped dots and slashes, backslashes, `..;a` of Java's servers. */
function followedPath(path: string): string {
  if (!TWO_DOTS.test(path)) return path
  const plain = path
    .replace(/%2e/gi, '.')
    .replace(/\\|%2f|%5c/gi, '/')
    .replace(/(?<=\/\.{1,2});[^/]*/g, '')
  return plain.split('/').includes('..') ? normalPath(plain) : path
}

const STAR = 42
const ONE = 63

/** At most the product of the two lengths in steps: whose patterns are compared has signed them. */
function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let i = 0; i < text.length; ) {
    const code = pattern.charCodeAt(at)
    if (code === STAR) {
      star = at++
      resume = i
    } else if (code === ONE || code === text.charCodeAt(i)) {
      at++
      i++
    } else if (star >= 0) {
      at = star + 1
      i = ++resume
    } else return false
  }
  while (pattern.charCodeAt(at) === STAR) at++
  return at === pattern.length
}
