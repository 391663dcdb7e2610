//! Takes the keys and values out of a JSON text (RFC 8259), without recursion and in time linear in the text, however deep
//! it is: padding with brackets hides nothing. What is not well-formed ends it, with what came before. Keys that come twice count twice: parsers do not agree on which one holds.
import type { JsonMatchPattern } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { CannotCompile } from '../compile-context.ts'
import { utf8Of } from '../transformations/bytes.ts'

export interface JsonElements {
  readonly keys: readonly string[]
  /** Strings decoded; numbers and words as they are written. */
  readonly values: readonly string[]
  /** False when the text is no JSON. */
  readonly whole: boolean
}

/** Segments of each included path (JSON pointers, RFC 6901); null for everything. */
export type JsonPaths = readonly (readonly string[])[] | null

export function jsonPaths(pattern: Stored<JsonMatchPattern>): JsonPaths {
  if (pattern.All !== undefined) return null
  const { IncludedPaths: paths } = pattern
  if (paths === undefined) throw new CannotCompile('a MatchPattern of a JsonBody says nothing')
  return paths.map((path) =>
    path
      .split('/')
      .slice(1)
      .map((segment) => Buffer.from(segment.replaceAll('~1', '/').replaceAll('~0', '~'), 'utf8').toString('latin1')),
  )
}

/** An object or array that is open. */
interface Open {
  readonly isObject: boolean
  /** Elements so far. */
  count: number
  /** Paths that lead here or further in; `included`: one has been followed to its end. */
  readonly paths: JsonPaths
  readonly included: boolean
}

/** A path and everything below it is included; the key that it ends with, too. */
export function elementsOf(text: string, paths: JsonPaths): JsonElements {
  const keys: string[] = []
  const values: string[] = []
  const open: Open[] = []
  const at = { place: text.startsWith('\xef\xbb\xbf') ? 3 : 0 }
  const end = (whole: boolean): JsonElements => ({ keys, values, whole })
  let step: Step = { paths, included: paths === null || paths.some((path) => path.length === 0) }
  for (;;) {
    // A value is due, and `step` says whether it is included.
    skipSpace(text, at)
    const first = text[at.place]
    if (first === '{' || first === '[') {
      at.place++
      open.push({ isObject: first === '{', count: 0, ...step })
    } else {
      const value = first === '"' ? stringAt(text, at) : wordAt(text, at)
      if (step.included && value.text !== '') values.push(value.text)
      if (!value.whole) return end(false)
    }
    // What closes after it, and on to the next value.
    for (;;) {
      const parent = open.at(-1)
      skipSpace(text, at)
      if (parent === undefined) return end(at.place === text.length)
      const next = text[at.place]
      if (next === (parent.isObject ? '}' : ']')) {
        at.place++
        open.pop()
        continue
      }
      if (parent.count > 0) {
        if (next !== ',') return end(false)
        at.place++
        skipSpace(text, at)
      }
      let segment = String(parent.count)
      parent.count++
      if (parent.isObject) {
        if (text[at.place] !== '"') return end(false)
        const key = stringAt(text, at)
        segment = key.text
        step = stepInto(parent, segment, open.length - 1)
        if (step.included) keys.push(segment)
        if (!key.whole) return end(false)
        skipSpace(text, at)
        if (text[at.place] !== ':') return end(false)
        at.place++
      } else step = stepInto(parent, segment, open.length - 1)
      break
    }
  }
}

type Step = Pick<Open, 'paths' | 'included'>

/** `depth` counts the segments before this one. */
function stepInto({ paths, included }: Open, segment: string, depth: number): Step {
  if (included || paths === null || paths.length === 0) return { paths, included }
  const following = paths.filter((path) => path[depth] === segment)
  return { paths: following, included: following.some((path) => path.length === depth + 1) }
}

interface At {
  place: number
}

interface Scanned {
  readonly text: string
  readonly whole: boolean
}

function skipSpace(text: string, at: At): void {
  for (;;) {
    const code = text.charCodeAt(at.place)
    if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return
    at.place++
  }
}

const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

function wordAt(text: string, at: At): Scanned {
  WORD.lastIndex = at.place
  const word = WORD.exec(text)?.[0] ?? ''
  at.place += word.length
  return { text: word, whole: word !== '' }
}

const SIMPLE: Readonly<Record<string, string>> = {
  '"': '"',
  '/': '/',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const PLAIN = /[^"\\]*/y

/** From its first quotation mark; what there is of one that does not end. Control characters in it are let pass. */
function stringAt(text: string, at: At): Scanned {
  const pieces: string[] = []
  at.place++
  for (;;) {
    PLAIN.lastIndex = at.place
    const plain = PLAIN.exec(text)?.[0] ?? ''
    pieces.push(plain)
    at.place += plain.length
    const mark = text[at.place]
    if (mark === '"') {
      at.place++
      return { text: pieces.join(''), whole: true }
    }
    const escaped = mark === '\\' ? escapeAt(text, at) : null
    if (escaped === null) return { text: pieces.join(''), whole: false }
    pieces.push(escaped)
  }
}

/** Null for what is no escape. */
function escapeAt(text: string, at: At): string | null {
  const letter = text[at.place + 1] ?? ''
  if (letter !== 'u') {
    at.place += 2
    return SIMPLE[letter] ?? null
  }
  const high = unitAt(text, at.place)
  if (high === null) return null
  at.place += 6
  const low = high >= 0xd800 && high < 0xdc00 ? unitAt(text, at.place) : null
  if (low === null || low < 0xdc00 || low > 0xdfff) return utf8Of(high)
  at.place += 6
  return utf8Of(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

function unitAt(text: string, place: number): number | null {
  const unit = text.slice(place, place + 6)
  return /^\\u[0-9A-Fa-f]{4}$/.test(unit) ? Number.parseInt(unit.slice(2), 16) : null
}
