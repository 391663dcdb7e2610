//! Fields of the header block. Headers and cookies are looked at as far as AWS does: the first 200 of them, the first 8 KB;
//! a single header is looked at whatever comes before it.
import type { CookieMatchPattern, HeaderMatchPattern, MapMatchScope, OversizeHandling } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { headerOrder } from '../../viewer/header-order.ts'
import { CannotCompile } from '../compile-context.ts'
import type { Inspected, Reading } from '../inspected.ts'
import { LOOKS } from '../matcher.ts'
import type { FieldCompiler } from './field.ts'
import { oversized } from './oversize.ts'

const BYTES_MAX = 8_192
const COUNT_MAX = 200

/** Name and value; of an attack that comes in two of the same name, each. */
type Pair = readonly [name: string, value: string]

interface Pairs {
  readonly pairs: readonly Pair[]
  readonly oversize: boolean
}

/**
 * Each value of a header that came more than once, and all of them joined as whoever is behind the edge may join them: an
 * attack hides neither in the second copy nor across two of them.
 */
export const singleHeader: FieldCompiler<'SingleHeader'> = ({ Name }) => {
  const name = Name.toLowerCase()
  const separator = name === 'cookie' ? '; ' : ', '
  return {
    looks: LOOKS.headers,
    read({ headers }) {
      const values = headers.getAll(name)
      return values.length > 1 ? [...values, values.join(separator)] : values
    },
  }
}

export const headers: FieldCompiler<'Headers'> = ({ MatchPattern, MatchScope, OversizeHandling }) => {
  const admits = admitting(MatchPattern, MatchPattern.IncludedHeaders, MatchPattern.ExcludedHeaders, true)
  return {
    looks: LOOKS.headers,
    read: (request) => inScope(headerPairs(request), admits, MatchScope, OversizeHandling),
  }
}

export const cookies: FieldCompiler<'Cookies'> = ({ MatchPattern, MatchScope, OversizeHandling }) => {
  const admits = admitting(MatchPattern, MatchPattern.IncludedCookies, MatchPattern.ExcludedCookies, false)
  return {
    looks: LOOKS.headers,
    read: (request) => inScope(cookiePairs(request), admits, MatchScope, OversizeHandling),
  }
}

/** Names in lower case, with colons between. */
export const headerOrderField: FieldCompiler<'HeaderOrder'> = ({ OversizeHandling }) => ({
  looks: LOOKS.headers,
  read(request) {
    const { oversize } = headerPairs(request)
    if (oversize && OversizeHandling !== 'CONTINUE') return oversized(OversizeHandling)
    const order = headerOrder(request.headers).toLowerCase()
    return [oversize ? order.split(':').slice(0, COUNT_MAX).join(':') : order]
  },
})

/** They speak to the edge itself and reach no origin (origin/forward.ts): none of the request's. */
const TO_THE_EDGE: ReadonlySet<string> = new Set(['x-cachefront-explain', 'x-cachefront-viewer-address'])

function headerPairs({ headers: { raw } }: Inspected): Pairs {
  const pairs: Pair[] = []
  let bytes = 0
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (TO_THE_EDGE.has(name.toLowerCase())) continue
    bytes += name.length + value.length
    if (pairs.length === COUNT_MAX || bytes > BYTES_MAX) {
      // What of it is within the limit.
      if (pairs.length < COUNT_MAX) pairs.push([name, value.slice(0, Math.max(0, value.length - (bytes - BYTES_MAX)))])
      return { pairs, oversize: true }
    }
    pairs.push([name, value])
  }
  return { pairs, oversize: false }
}

function cookiePairs({ headers: block }: Inspected): Pairs {
  const pairs: Pair[] = []
  let left = BYTES_MAX
  for (const value of block.getAll('cookie')) {
    const text = value.slice(0, left)
    for (const part of text.split(';')) {
      const cookie = part.trim()
      if (cookie === '') continue
      if (pairs.length === COUNT_MAX) return { pairs, oversize: true }
      const equals = cookie.indexOf('=')
      // Without a name it is all value, as browsers have it (RFC 6265 5.2 drops it, servers do not).
      pairs.push(equals < 0 ? ['', cookie] : [cookie.slice(0, equals).trim(), cookie.slice(equals + 1).trim()])
    }
    if (text.length < value.length) return { pairs, oversize: true }
    left -= value.length
  }
  return { pairs, oversize: false }
}

function inScope(
  { pairs, oversize }: Pairs,
  admits: (name: string) => boolean,
  scope: MapMatchScope,
  handling: OversizeHandling,
): Reading {
  if (oversize && handling !== 'CONTINUE') return oversized(handling)
  const texts: string[] = []
  for (const [name, value] of pairs) {
    if (!admits(name)) continue
    if (scope !== 'VALUE') {
      texts.push(name)
      // A rule may name a header in small letters or as it is usually written: no spelling gets past it.
      const lower = name.toLowerCase()
      if (lower !== name) texts.push(lower)
    }
    if (scope !== 'KEY') texts.push(value)
  }
  return texts
}

/** Names of headers do not depend on the case, those of cookies do. */
function admitting(
  pattern: Stored<HeaderMatchPattern | CookieMatchPattern>,
  included: readonly string[] | undefined,
  excluded: readonly string[] | undefined,
  ignoresCase: boolean,
): (name: string) => boolean {
  if (pattern.All !== undefined) return () => true
  const names = included ?? excluded
  if (names === undefined) throw new CannotCompile('a MatchPattern says nothing')
  const fold = (name: string): string => (ignoresCase ? name.toLowerCase() : name)
  const set = new Set(names.map(fold))
  return included === undefined ? (name) => !set.has(fold(name)) : (name) => set.has(fold(name))
}
