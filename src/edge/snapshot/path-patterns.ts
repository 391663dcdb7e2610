//! Path patterns of cache behaviors (spec/cloudfront.md 3.2): `*` is any number of characters, `/` included, `?` is
//! exactly one, everything else is itself, case matters, the whole path must match and a leading slash is optional.
//!
//! Those of a distribution are one table, searched per request for the first that matches. What a search looks at lies
//! side by side, so that a distribution that was not asked for lately costs some cache lines and not objects a pattern.

export interface PathPatterns {
  /** All patterns, one after the other, without their leading slashes. */
  readonly text: string
  /** A row a pattern, in order of precedence. */
  readonly rows: Uint16Array
}

/** Columns of a row. */
const LENGTH = 0
/** Literal characters before the first wildcard. */
const HEAD = 1
/** Literal characters behind the last wildcard. */
const TAIL = 2
/** Characters that are no star: a path has at least as many. */
const LEAST = 3
const KIND = 4
/** Code of the first and of the last character where that is literal, otherwise 0: they sort most patterns out. */
const FIRST = 5
const LAST = 6
const COLUMNS = 7

const LITERAL = 0
/** Nothing between head and tail but one star. */
const ONE_STAR = 1
const GLOB = 2

const SLASH = 47

export function compilePathPatterns(patterns: readonly string[]): PathPatterns {
  const wanted = patterns.map((pattern) => (pattern.charCodeAt(0) === SLASH ? pattern.slice(1) : pattern))
  const rows = new Uint16Array(patterns.length * COLUMNS)
  for (const [at, pattern] of wanted.entries()) {
    const { length } = pattern
    const head = pattern.search(/[*?]/)
    const tail = length - 1 - Math.max(pattern.lastIndexOf('*'), pattern.lastIndexOf('?'))
    const least = pattern.replaceAll('*', '').length
    const isLiteral = head < 0
    const kind = isLiteral ? LITERAL : head + tail + 1 === length && pattern[head] === '*' ? ONE_STAR : GLOB
    const literal = isLiteral ? [length, 0] : [head, tail]
    const first = literal[0] === 0 ? 0 : pattern.charCodeAt(0)
    const last = isLiteral || tail > 0 ? pattern.charCodeAt(length - 1) || 0 : 0
    rows.set([length, literal[0]!, literal[1]!, least, kind, first, last], at * COLUMNS)
  }
  return { text: wanted.join(''), rows }
}

/** Index of the first pattern that matches the whole path, or -1. */
export function firstMatch({ text, rows }: PathPatterns, path: string): number {
  const from = path.charCodeAt(0) === SLASH ? 1 : 0
  const length = path.length - from
  const first = length === 0 ? 0 : path.charCodeAt(from)
  const last = length === 0 ? 0 : path.charCodeAt(path.length - 1)
  let start = 0
  for (let row = 0; row < rows.length; start += rows[row + LENGTH]!, row += COLUMNS) {
    if (rows[row + FIRST] !== 0 && rows[row + FIRST] !== first) continue
    if (rows[row + LAST] !== 0 && rows[row + LAST] !== last) continue
    if (length < rows[row + LEAST]!) continue
    if (matchesRow(text, start, rows, row, path, from)) return row / COLUMNS
  }
  return -1
}

function matchesRow(text: string, start: number, rows: Uint16Array, row: number, path: string, from: number): boolean {
  const length = rows[row + LENGTH]!
  const head = rows[row + HEAD]!
  const tail = rows[row + TAIL]!
  const kind = rows[row + KIND]!
  if (kind === LITERAL && path.length - from !== length) return false
  if (!isAt(text, start, head, path, from)) return false
  if (!isAt(text, start + length - tail, tail, path, path.length - tail)) return false
  if (kind !== GLOB) return true
  const middle = text.slice(start + head, start + length - tail)
  return globMatches(middle, path.slice(from + head, path.length - tail))
}

/** Do `count` characters of `text` from `start` stand in `path` from `at`? */
function isAt(text: string, start: number, count: number, path: string, at: number): boolean {
  for (let i = 0; i < count; i++) if (text.charCodeAt(start + i) !== path.charCodeAt(at + i)) return false
  return true
}

const STAR = 42
const QUESTION_MARK = 63

/** Two pointers that step back to the last star only: no input makes it worse than pattern length x text length. */
function globMatches(pattern: string, text: string): boolean {
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
