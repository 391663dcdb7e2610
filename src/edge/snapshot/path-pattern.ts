//! Path patterns of cache behaviors (spec/cloudfront.md 3.2): `*` is any number of characters, `/` included, `?` is
//! exactly one, everything else is itself, case matters, the whole path must match and a leading slash is optional.

/** Says whether a path as the viewer sent it (without its query) matches. */
export type PathMatcher = (path: string) => boolean

/** Compiles a pattern once. The common shapes need no search: everything, a literal, a prefix, a suffix. */
export function compilePathPattern(pattern: string): PathMatcher {
  const wanted = withoutSlash(pattern)
  const firstStar = wanted.indexOf('*')
  const oneStar = firstStar >= 0 && firstStar === wanted.lastIndexOf('*')
  if (!wanted.includes('?')) {
    if (wanted === '*') return () => true
    if (firstStar < 0) return (path) => withoutSlash(path) === wanted
    if (oneStar && firstStar === wanted.length - 1) {
      const prefix = `/${wanted.slice(0, -1)}`
      return (path) => path.startsWith(prefix)
    }
    if (oneStar && firstStar === 0) {
      const suffix = wanted.slice(1)
      return (path) => withoutSlash(path).endsWith(suffix)
    }
  }
  return (path) => globMatches(wanted, withoutSlash(path))
}

const withoutSlash = (text: string): string => (text.charCodeAt(0) === 47 ? text.slice(1) : text)

const STAR = 42
const QUESTION_MARK = 63

/** Two pointers that step back to the last star only: no input makes it worse than pattern length x text length. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let resumeAt = 0
  while (t < text.length) {
    const wanted = pattern.charCodeAt(p)
    if (wanted === STAR) {
      star = p++
      resumeAt = t
    } else if (p < pattern.length && (wanted === QUESTION_MARK || wanted === text.charCodeAt(t))) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++resumeAt
    } else {
      return false
    }
  }
  while (pattern.charCodeAt(p) === STAR) p++
  return p === pattern.length
}
