//! Paths and queries in the one spelling that S3's signatures are about: each byte but the unreserved ones (RFC 3986 2.3)
//! as a percent-encoding in upper case, the slashes of a key as they are. PURE.
//!
//! What a viewer sent is read as RFC 3986 has it and written anew, so that the server's own reading of it, which its check
//! of the signature begins with, finds the same key. `+` in a path is a plus; in a query, where forms say so, a space.

/** Texts that are in that spelling already: most of them. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/
const PLAIN_QUERY = /^[A-Za-z0-9\-._~]*(?:=[A-Za-z0-9\-._~]*)?(?:&[A-Za-z0-9\-._~]*(?:=[A-Za-z0-9\-._~]*)?)*$/

/** A path, sent by a viewer or set by an origin, as S3 wants it. */
export function encodedKey(path: string): string {
  return PLAIN_PATH.test(path) ? path : rewritten(path, SLASH)
}

/** A query without its question mark. Names and values stay in their order; empty ones stay, too. */
export function encodedQuery(query: string): string {
  if (PLAIN_QUERY.test(query)) return query
  return query
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const spaced = (text: string) => rewritten(text.replaceAll('+', '%20'), NOTHING)
      return equals < 0 ? spaced(pair) : `${spaced(pair.slice(0, equals))}=${spaced(pair.slice(equals + 1))}`
    })
    .join('&')
}

const NOTHING = -1
const SLASH = 0x2f

/** Percent-encodings are taken as the bytes that they stand for, a lone percent sign as itself. `kept` stays as it is. */
function rewritten(text: string, kept: number): string {
  // A request line is bytes: what is no ASCII in it came as latin1 (a viewer that sent UTF-8 without encoding it).
  const bytes = Buffer.from(text, 'latin1')
  let out = ''
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at] as number
    if (byte === PERCENT) {
      const value = Number.parseInt(text.slice(at + 1, at + 3), 16)
      if (/^[0-9a-f]{2}$/i.test(text.slice(at + 1, at + 3))) {
        byte = value
        at += 2
      }
    }
    out += byte === kept ? String.fromCharCode(byte) : ENCODED[byte]
  }
  return out
}

const PERCENT = 0x25

const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte)
  return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/**
 * True when a server that resolves dot segments (RFC 3986 5.2.4, or as file systems do) would leave what lies below the
 * path: with `..` another bucket could be read in this one's name. `path` is the viewer's, encoded as `encodedKey` does.
 */
export function climbs(path: string): boolean {
  if (!path.includes('..')) return false
  let depth = 0
  for (const segment of path.split(/\/|%5C/i)) {
    if (segment === '' || segment === '.') continue
    depth += segment === '..' ? -1 : 1
    if (depth < 0) return true
  }
  return false
}
