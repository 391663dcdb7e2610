//! The path that behaviors are matched with. CloudFront matches a path normalized as RFC 3986 6.2.2 has it, multiple
//! slashes merged, and sends the path as it came to the origin (its developer guide, Path normalization): a behavior that
//! guards `/private/*` is not passed by asking for `/public/..//private/x`. The cache key keeps the path as it came too.

/** Something to normalize: two slashes, a dot segment, or an escaped letter, digit, `-`, `.`, `_` or `~`. */
const UNNORMAL = /\/\/|\/\.\.?(?:\/|$)|%(?:2[de]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)/i

const ESCAPED_UNRESERVED = /%(?:2[de]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)/gi

/** `path` begins with a slash. Escapes of other characters, `%2F` above all, stay: they are not what they stand for. */
export function normalPath(path: string): string {
  return isSuspect(path) && UNNORMAL.test(path) ? normalized(path) : path
}

const PERCENT = 37
const DOT = 46
const SLASH = 47

/** Almost no path has a percent sign, or a slash before a slash or a dot: a look at each character costs the least. */
function isSuspect(path: string): boolean {
  let before = 0
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === PERCENT || (before === SLASH && (code === SLASH || code === DOT))) return true
    before = code
  }
  return false
}

function normalized(path: string): string {
  const decoded = path.replace(ESCAPED_UNRESERVED, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
  const kept: string[] = []
  const segments = decoded.split('/')
  const last = segments.length - 1
  for (const [at, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..'
    if (segment === '..') kept.pop()
    if (segment !== '' && !isDots) kept.push(segment)
    // What ends with a slash, or with dots in the place of a name, is a directory.
    else if (at === last && kept.length > 0) kept.push('')
  }
  return `/${kept.join('/')}`
}
