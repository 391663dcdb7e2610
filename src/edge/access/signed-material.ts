//! What of a request signs it (spec/cloudfront.md 9.3): parameters of its URL, or cookies. If the URL has any of them the
//! cookies count for nothing. Names are case sensitive, and one that is written with percent signs is another name. PURE.

export type SigningField = 'Expires' | 'Policy' | 'Signature' | 'Key-Pair-Id' | 'Hash-Algorithm'

export interface SignedMaterial {
  readonly from: 'url' | 'cookies'
  /** By field; one that came empty is absent. */
  readonly values: Readonly<Partial<Record<SigningField, string>>>
  /** A field that came more than once: whoever is behind us might read the other one. */
  readonly twice: SigningField | null
}

/** These make a URL a signed one; Hash-Algorithm alone does not. */
const SIGNING: ReadonlySet<string> = new Set(['Expires', 'Policy', 'Signature', 'Key-Pair-Id'])
const ALGORITHM = 'Hash-Algorithm'
const COOKIE_PREFIX = 'CloudFront-'

/** Names of the cookies that sign. */
export const SIGNING_COOKIES: readonly string[] = [...SIGNING, ALGORITHM].map((field) => COOKIE_PREFIX + field)

/** A signed URL taken apart. */
export interface SignedQuery {
  readonly material: SignedMaterial
  /** The query without what signs: null when there was nothing else. */
  readonly rest: string | null
}

/** Null for a query that signs nothing. */
export function signedQuery(query: string | null): SignedQuery | null {
  if (query === null || !query.split('&').some((part) => SIGNING.has(nameOf(part)))) return null
  const found: (readonly [SigningField, string])[] = []
  const rest: string[] = []
  for (const part of query.split('&')) {
    const name = nameOf(part)
    if (SIGNING.has(name) || name === ALGORITHM) found.push([name as SigningField, unescaped(partValue(part))])
    else rest.push(part)
  }
  return { material: materialOf('url', found, 'refused'), rest: rest.length === 0 ? null : rest.join('&') }
}

/** Null when no cookie signs. `headers` are the values of all Cookie fields. */
export function signedCookies(headers: readonly string[]): SignedMaterial | null {
  const found: (readonly [SigningField, string])[] = []
  for (const header of headers) {
    if (!header.includes(COOKIE_PREFIX)) continue
    for (const piece of header.split(';')) {
      const pair = piece.trim()
      if (!pair.startsWith(COOKIE_PREFIX)) continue
      const field = nameOf(pair).slice(COOKIE_PREFIX.length)
      if (SIGNING.has(field) || field === ALGORITHM) found.push([field as SigningField, partValue(pair)])
    }
  }
  return found.some(([field]) => field !== ALGORITHM) ? materialOf('cookies', found, 'same') : null
}

/** A browser may hold one cookie for two paths, and send both: two that say the same are one. */
function materialOf(
  from: SignedMaterial['from'],
  found: readonly (readonly [SigningField, string])[],
  repeated: 'refused' | 'same',
): SignedMaterial {
  const values: Partial<Record<SigningField, string>> = {}
  const seen = new Map<SigningField, string>()
  let twice: SigningField | null = null
  for (const [field, value] of found) {
    const before = seen.get(field)
    if (before !== undefined && (repeated === 'refused' || before !== value)) twice ??= field
    seen.set(field, value)
    if (value !== '') values[field] = value
  }
  return { from, values, twice }
}

const nameOf = (part: string): string => {
  const equals = part.indexOf('=')
  return equals < 0 ? part : part.slice(0, equals)
}

const partValue = (part: string): string => {
  const equals = part.indexOf('=')
  return equals < 0 ? '' : part.slice(equals + 1)
}

/** Some clients escape `~`, which means the same (RFC 3986 6.2.2.2). What is no escape stays, and is refused as what it is. */
const unescaped = (value: string): string =>
  value.includes('%')
    ? value.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : value
