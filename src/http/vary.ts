//! Vary (RFC 9110 12.5.5, RFC 9111 4.1): which request fields selected an answer, and when two requests have the same
//! values of them. Pure: the secondary keys that a cache makes of it are in edge/cache/variants.ts.

/** Names of one Vary; more of them are no selection that a cache could follow, so that such an answer never matches. */
export const SELECTING_NAMES_MAX = 32
/** Characters of all names of one Vary together. */
const NAMES_LENGTH_MAX = 1_024

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/**
 * The names in all lines of Vary: lower case, sorted, each once; empty for none. Null when the answer never matches
 * another request: it says `*`, something that is no field name (nobody knows what it selects by), or more names than
 * the limits allow.
 */
export function parseVary(values: readonly string[]): readonly string[] | null {
  const names = new Set<string>()
  for (const value of values) {
    for (const member of value.split(',')) {
      const name = trimmed(member).toLowerCase()
      if (name === '') continue
      if (name === '*' || !TOKEN.test(name)) return null
      names.add(name)
    }
  }
  const sorted = [...names].sort()
  return names.size > SELECTING_NAMES_MAX || sorted.join().length > NAMES_LENGTH_MAX ? null : sorted
}

/** True when Vary says `*`: no other request is known to get the same answer. */
export const variesByEverything = (values: readonly string[]): boolean =>
  values.some((value) => value.split(',').some((name) => name.trim() === '*'))

/**
 * The value of a selecting field in the form that all values of one meaning share (RFC 9111 4.1): lines combined, no
 * optional whitespace, and where the field's definition allows it neither case nor order. Null when the field is absent,
 * which is something else than an empty value. Applying it to its own result changes nothing.
 *
 * @param name lower case
 */
export function selectingValue(name: string, lines: readonly string[]): string | null {
  if (lines.length === 0) return null
  const text = trimmed(lines.join(name === 'cookie' ? '; ' : ', '))
  if (SINGULAR.has(name)) return text
  const members = split(text, ',')
  if (members === null) return text
  const made = NEGOTIATION.get(name)?.(members) ?? null
  return made ?? members.join(',')
}

/**
 * The one language that an Accept-Language prefers to all others, in lower case; null when there is none or it is not
 * clear. An answer in this very language is what any request with this preference would get.
 */
export function preferredLanguage(lines: readonly string[]): string | null {
  const members = split(trimmed(lines.join(', ')), ',')
  const ranges = members === null ? null : parseWeighted(members, LANGUAGE_RANGE)
  if (ranges === null) return null
  let best: Weighted | null = null
  let alone = true
  for (const range of ranges) {
    if (best !== null && range.weight === best.weight) alone = false
    if (best !== null && range.weight <= best.weight) continue
    best = range
    alone = true
  }
  return best === null || !alone || best.weight === 0 || best.value === '*' ? null : best.value
}

/** The language of an answer by its Content-Language, in lower case; null when that names none or several. */
export function soleLanguage(lines: readonly string[]): string | null {
  const text = trimmed(lines.join(',')).toLowerCase()
  return text !== '*' && LANGUAGE_RANGE.test(text) ? text : null
}

/** Fields that are no lists: a comma in them separates nothing. */
const SINGULAR: ReadonlySet<string> = new Set([
  'authorization', 'cookie', 'date', 'from', 'host', 'if-modified-since', 'if-range', 'if-unmodified-since',
  'origin', 'referer', 'user-agent',
]) // biome-ignore format: a table

/** Content negotiation (RFC 9110 12.5): null for what does not follow the field's grammar. */
const NEGOTIATION: ReadonlyMap<string, (members: readonly string[]) => string | null> = new Map([
  ['accept', (members) => canonical(parseWeighted(members, null))],
  ['accept-charset', (members) => canonical(parseWeighted(members, TOKEN))],
  ['accept-encoding', (members) => canonical(parseWeighted(members, TOKEN, CODING_ALIASES))],
  ['accept-language', (members) => canonical(parseWeighted(members, LANGUAGE_RANGE))],
])
/** RFC 9110 8.4.1: these are to be taken as the same. */
const CODING_ALIASES: ReadonlyMap<string, string> = new Map([
  ['x-gzip', 'gzip'],
  ['x-compress', 'compress'],
])

/** language-range of RFC 4647 2.1, in lower case. */
const LANGUAGE_RANGE = /^(?:\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)$/
/** qvalue of RFC 9110 12.4.2. */
const QVALUE = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/

interface Weighted {
  readonly value: string
  readonly weight: number
}

/**
 * Members with their weights, 1 where none is given. `grammar` is that of a value in lower case; null for media ranges.
 * Null when one does not follow it, or one value has two weights.
 */
function parseWeighted(
  members: readonly string[],
  grammar: RegExp | null,
  aliases: ReadonlyMap<string, string> = new Map(),
): Weighted[] | null {
  const weights = new Map<string, number>()
  for (const member of members) {
    if (member === '') continue
    const parts = split(member, ';')
    if (parts === null) return null
    const weight = weightIn(parts)
    if (weight === null) return null
    const [first = '', ...parameters] = parts
    const value =
      grammar === null ? mediaRange(first, parameters) : parameters.length === 0 ? first.toLowerCase() : null
    if (value === null || (grammar !== null && !grammar.test(value))) return null
    const known = aliases.get(value) ?? value
    const before = weights.get(known)
    if (before !== undefined && before !== weight) return null
    weights.set(known, weight)
  }
  return [...weights].map(([value, weight]) => ({ value, weight }))
}

/** Takes the weight, always the last parameter, off `parts`; null when it is none. */
function weightIn(parts: string[]): number | null {
  const last = parts.length > 1 ? (parts.at(-1) as string) : ''
  if (!/^q=/i.test(last)) return 1
  const text = last.slice(2)
  if (!QVALUE.test(text)) return null
  parts.pop()
  return Number(text)
}

/** type "/" subtype, then the parameters in order of their names; null when it is no media range. */
function mediaRange(type: string, parameters: readonly string[]): string | null {
  const lower = type.toLowerCase()
  const slash = lower.indexOf('/')
  if (slash < 0 || !TOKEN.test(lower.slice(0, slash)) || !TOKEN.test(lower.slice(slash + 1))) return null
  const made: string[] = []
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=')
    const name = parameter.slice(0, equals).toLowerCase()
    if (equals < 1 || !TOKEN.test(name) || name === 'q') return null
    made.push(`${name}=${unquoted(parameter.slice(equals + 1))}`)
  }
  return [lower, ...made.sort()].join(';')
}

/** `"a"` and `a` are the same value where `a` needs no quotes (RFC 9110 5.6.6). */
function unquoted(value: string): string {
  const inner = value.length > 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : ''
  return TOKEN.test(inner.toLowerCase()) ? inner : value
}

/** RFC 9110 12.5.4: members of the same weight have no order that could be relied upon. */
function canonical(members: Weighted[] | null): string | null {
  if (members === null) return null
  const order = (x: Weighted, y: Weighted) => y.weight - x.weight || (x.value < y.value ? -1 : 1)
  return members
    .sort(order)
    .map(({ value, weight }) => (weight === 1 ? value : `${value};q=${weight}`))
    .join(',')
}

/** Pieces between separators outside of quoted strings, without the whitespace around; null when a quote stays open. */
function split(text: string, separator: string): string[] | null {
  if (!text.includes('"')) return text.split(separator).map(trimmed)
  const pieces: string[] = []
  let from = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (character === separator && !quoted) {
      pieces.push(trimmed(text.slice(from, at)))
      from = at + 1
    }
  }
  if (quoted) return null
  pieces.push(trimmed(text.slice(from)))
  return pieces
}

/** Without spaces and tabs at both ends: OWS, not what JavaScript takes for whitespace. */
function trimmed(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

const isBlank = (code: number): boolean => code === 32 || code === 9
