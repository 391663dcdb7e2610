//! Which header fields of an origin's answer reach the viewer and the cache (spec/cloudfront.md 5.5, 6.4; RFC 9110 7.6.1).

/** Fields of one hop; never relayed. Those that Connection names join them. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Set by the edge itself; what the origin sent under these names is dropped. */
const EDGE_OWN: ReadonlySet<string> = new Set(['x-cache', 'x-amz-cf-id', 'x-amz-cf-pop', 'via', 'age'])

/** CloudFront's internals: an origin must not be able to speak in its name (unconfirmed, spec 6.4). */
const INTERNAL_PREFIXES = ['x-edge-', 'x-amz-cf-', 'x-amzn-cf-'] as const

export const isOfTheEdge = (lowerCaseName: string): boolean =>
  INTERNAL_PREFIXES.some((prefix) => lowerCaseName.startsWith(prefix))

/** How an answer is relayed. */
export interface RelayRules {
  /** False removes Set-Cookie: cookies are not forwarded to this origin (spec 5.5). */
  readonly setCookie: boolean
  /** Vary keeps only names for which this is true, besides Accept-Encoding and Cookie (spec 5.5). */
  readonly forwardsHeader: (lowerCaseName: string) => boolean
  /** Lower-case names that `no-cache="..."` or `private="..."` excluded; see Freshness.withoutFields. */
  readonly without: readonly string[]
}

/**
 * Name, value, name, value ... of an origin's answer as the viewer and the cache get it, in the origin's order and
 * spelling. Content-Length is dropped as well: the edge writes its own framing.
 */
export function relayedHeaders(raw: readonly string[], rules: RelayRules): string[] {
  const named = new Set<string>()
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() !== 'connection') continue
    for (const option of raw[i + 1]!.split(',')) named.add(option.trim().toLowerCase())
  }
  const out: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (HOP_BY_HOP.has(name) || EDGE_OWN.has(name) || name === 'content-length') continue
    if (isOfTheEdge(name) || rules.without.includes(name)) continue
    // Naming an end-to-end field in Connection must not remove what decides caching or security (RFC 9110 7.6.1).
    if (named.has(name) && !KEPT_ALWAYS.has(name)) continue
    if (name === 'set-cookie' && !rules.setCookie) continue
    if (name === 'vary') {
      const kept = relayedVary(raw[i + 1]!, rules)
      if (kept !== '') out.push(raw[i]!, kept)
      continue
    }
    out.push(raw[i]!, raw[i + 1]!)
  }
  return out
}

const KEPT_ALWAYS: ReadonlySet<string> = new Set([
  'cache-control',
  'content-encoding',
  'content-type',
  'set-cookie',
  'strict-transport-security',
  'content-security-policy',
])

/** Names of Vary that the viewer still sees: Accept-Encoding, Cookie, and headers that are forwarded. */
function relayedVary(value: string, rules: RelayRules): string {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => {
      const lower = name.toLowerCase()
      return lower === 'accept-encoding' || lower === 'cookie' || (lower !== '' && rules.forwardsHeader(lower))
    })
    .join(', ')
}

/** First value of a field in `raw`, by its lower-case name. */
export function firstValue(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) return raw[i + 1]
  }
  return undefined
}

/** Bytes of the body by Content-Length; null when its end is told in another way (RFC 9112 6.3). */
export function declaredLength(raw: readonly string[]): number | null {
  if (firstValue(raw, 'transfer-encoding') !== undefined) return null
  const text = firstValue(raw, 'content-length')
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : null
}

/** All values of a field in `raw`, by its lower-case name. */
export function allValues(raw: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) values.push(raw[i + 1]!)
  }
  return values
}
