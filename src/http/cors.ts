//! Cross-origin resource sharing at the server (Fetch standard, 3.2): which requests are about it, whether their origin is
//! on a list, and what an answer says to it. Pure.

/** What may be said; names and methods as they are to be written. */
export interface CorsAnswer {
  readonly allowHeaders: readonly string[]
  readonly allowMethods: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly allowCredentials: boolean
  /** Seconds; null says nothing of it. */
  readonly maxAgeSec: number | null
}

/** True when an origin is on the list. */
export type OriginMatcher = (origin: string) => boolean

/** `https://app.example.org:8443`, `null`, or what somebody sent in its place: scheme, host, port. */
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@]*)$/i

/** The form of an item: a scheme or none, a host with or without `*.` before it, a port or none. */
export const ORIGIN_ITEM = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*\.)?([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

/**
 * Compiles a list of origins without `*` alone. Scheme and host are compared without case (Origin has them in lower case
 * anyway), the port as it is written. An item without a scheme means every scheme; `*.` stands for one or more labels.
 * What CloudFront does with ports and schemes is unconfirmed.
 */
export function compileOrigins(items: readonly string[]): OriginMatcher {
  const exact = new Set<string>()
  const hosts = new Set<string>()
  const ends: { readonly scheme: string; readonly end: string }[] = []
  for (const item of items) {
    const [, scheme = '', wildcard = '', host = '', port = ''] = ORIGIN_ITEM.exec(item.toLowerCase()) ?? []
    const authority = host + port
    if (authority === '') exact.add(item.toLowerCase())
    else if (wildcard !== '') ends.push({ scheme, end: `.${authority}` })
    else if (scheme === '') hosts.add(authority)
    else exact.add(`${scheme}://${authority}`)
  }
  return (origin) => {
    const lower = origin.toLowerCase()
    if (exact.has(lower) || hosts.has(lower)) return true
    const [, scheme = '', authority = ''] = ORIGIN.exec(lower) ?? []
    if (authority === '') return false
    return (
      hosts.has(authority) ||
      ends.some(
        ({ scheme: wanted, end }) =>
          (wanted === '' || wanted === scheme) && authority.length > end.length && authority.endsWith(end),
      )
    )
  }
}

/**
 * Name and value of each header for a request whose origin may have `allowedOrigin` (`*` or the origin itself). What only
 * a preflight asks for (spec/cloudfront.md 4.9) is said to OPTIONS alone.
 */
export function corsHeaders(
  answer: CorsAnswer,
  allowedOrigin: string,
  preflight: boolean,
): (readonly [name: string, value: string])[] {
  const headers: (readonly [string, string])[] = [['Access-Control-Allow-Origin', allowedOrigin]]
  if (answer.allowCredentials) headers.push(['Access-Control-Allow-Credentials', 'true'])
  if (preflight) {
    headers.push(['Access-Control-Allow-Headers', answer.allowHeaders.join(', ')])
    headers.push(['Access-Control-Allow-Methods', answer.allowMethods.join(', ')])
    if (answer.maxAgeSec !== null) headers.push(['Access-Control-Max-Age', `${answer.maxAgeSec}`])
  }
  if (answer.exposeHeaders.length > 0) headers.push(['Access-Control-Expose-Headers', answer.exposeHeaders.join(', ')])
  return headers
}
