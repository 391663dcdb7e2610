//! Dictionaries of Structured Fields (RFC 9651, obsoletes 8941): as far as a cache needs them, that is members whose value
//! is an Integer, a String, a Token or a Boolean; other types are read over and have the type `other`. Strict, as the RFC
//! wants it: one wrong character and there is no dictionary.

export type BareItem =
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'string' | 'token'; readonly value: string }
  /** A Decimal, a Byte Sequence, a Date, a Display String, or an Inner List. */
  | { readonly type: 'other' }

/** Members of all field lines; of a repeated key the last one counts (4.2.2). Null for what does not parse. */
export function parseDictionary(lines: readonly string[]): ReadonlyMap<string, BareItem> | null {
  const text = trimSpaces(lines.join(','))
  const members = new Map<string, BareItem>()
  let at = 0
  while (at < text.length) {
    const key = match(KEY, text, at)
    if (key === null) return null
    at += key.length
    let item: BareItem = { type: 'boolean', value: true }
    if (text[at] === '=') {
      const found = readValue(text, at + 1)
      if (found === null) return null
      item = found.item
      at = found.end
    }
    const parameters = match(PARAMETERS, text, at)
    at += parameters?.length ?? 0
    members.set(key, item)
    if (at === text.length) return members
    const separator = match(SEPARATOR, text, at)
    // A trailing comma separates nothing.
    if (separator === null || at + separator.length === text.length) return null
    at += separator.length
  }
  return members
}

const KEY = /[a-z*][a-z0-9_.*-]*/y
const SEPARATOR = /[ \t]*,[ \t]*/y
const ITEM =
  /(?<decimal>-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9]))|(?<integer>-?[0-9]{1,15})(?![0-9.])|(?<string>"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*")|(?<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*)|(?<bytes>:[A-Za-z0-9+/=]*:)|\?(?<boolean>[01])|(?<date>@-?[0-9]{1,15})|(?<display>%"[\x20\x21\x23-\x7e]*")/y
const BARE = ITEM.source.replaceAll(/\?<[a-z]+>/g, '?:')
const PARAMETERS = new RegExp(`(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:${BARE}))?)*`, 'y')
const INNER_LIST = new RegExp(`\\( *(?:(?:${BARE})${PARAMETERS.source}(?: +|(?=\\))))*\\)`, 'y')

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? null
}

function readValue(text: string, at: number): { item: BareItem; end: number } | null {
  const list = match(INNER_LIST, text, at)
  if (list !== null) return { item: { type: 'other' }, end: at + list.length }
  ITEM.lastIndex = at
  const found = ITEM.exec(text)
  return found === null ? null : { item: itemOf(found.groups ?? {}), end: at + found[0].length }
}

function itemOf(groups: Readonly<Record<string, string | undefined>>): BareItem {
  const { integer, boolean, string, token } = groups
  if (integer !== undefined) return { type: 'integer', value: Number(integer) }
  if (boolean !== undefined) return { type: 'boolean', value: boolean === '1' }
  if (string !== undefined) return { type: 'string', value: string.slice(1, -1).replace(/\\(.)/g, '$1') }
  if (token !== undefined) return { type: 'token', value: token }
  return { type: 'other' }
}

/** By hand: a pattern that seeks spaces at the end takes quadratic time over spaces in the middle. */
function trimSpaces(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text[from] === ' ') from++
  while (to > from && text[to - 1] === ' ') to--
  return text.slice(from, to)
}
