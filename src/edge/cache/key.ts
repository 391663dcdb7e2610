//! The cache key (spec/cloudfront.md 4.3, 4.4). It is readable text, the same that a trace shows:
//! `E123 /path?query` (behind the name of the POP or regional edge cache whose object it is, where there are several),
//! then a line for each listed header, for the cookies and for the normalized Accept-Encoding.
//! No value can hold a line break, so two different requests never share a key. A wrong key is cache poisoning: whatever
//! may change the answer must be in it, whatever a viewer can vary freely should not be.
import type { GeneratedHeader } from '../../domain/generated-headers.ts'
import type { ViewerLocation } from '../../domain/viewer.ts'
import { selectingValue } from '../../http/vary.ts'
import type { ErrorOf, HeaderBlock, ViewerTls } from '../listen/viewer.ts'
import { filterCookies, filterQuery, type NameRule } from '../snapshot/name-rule.ts'
import { headerFacts } from '../viewer/header-facts.ts'

export interface KeyRecipe {
  readonly distributionId: string
  /** Lower case, sorted; headers that CloudFront makes are not among them. */
  readonly headers: readonly string[]
  /** Those that the policy lists, sorted by name. */
  readonly generated: readonly GeneratedHeader[]
  readonly cookies: NameRule
  readonly queryStrings: NameRule
  readonly gzip: boolean
  readonly brotli: boolean
  /**
   * Strict mode: listed headers are keyed by what they mean, not by how it is written (http/vary.ts); and what one mode
   * has stored the other never finds, for Vary was not heeded there.
   */
  readonly strict: boolean
  /** Strict mode: the viewer's Host is part of the URI that the origin is asked for. */
  readonly host: boolean
}

/** What a key is made of besides the header block. */
export interface KeyRequest {
  readonly method: string
  readonly query: string | null
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  readonly connection: { readonly scheme: 'http' | 'https'; readonly tls?: ViewerTls | null }
  readonly headers: HeaderBlock
  readonly errorOf?: ErrorOf | undefined
}

/** What it is made of besides the request itself; Exchange has it. */
export interface KeyViewer {
  readonly viewerAddress: string
  readonly forwardedFor: string | null
  readonly location: ViewerLocation
}

/**
 * The key of a request; `path` is the one after the default root object was put in, `place` the keyPrefix of the place
 * whose cache it is of (edge/places.ts). The part that comes from headers is
 * worked out once for a header block and found again for every later request of the connection that repeats it.
 */
export function cacheKey(
  place: string,
  recipe: KeyRecipe,
  path: string,
  request: KeyRequest,
  viewer: KeyViewer,
): string {
  const query = recipe.queryStrings.kind === 'none' ? '' : filterQuery(recipe.queryStrings, request.query)
  const uri = query === '' ? path : `${path}?${query}`
  const start = request.method === 'OPTIONS' ? `${recipe.distributionId} OPTIONS ` : `${recipe.distributionId} `
  return place + start + uri + headerPart(recipe, request, viewer)
}

/** What invalidation paths are compared with: the path, and the query as far as it is keyed (spec 8). */
export function invalidationUri(recipe: KeyRecipe, path: string, query: string | null): string {
  const keyed = filterQuery(recipe.queryStrings, query)
  return keyed === '' ? path : `${path}?${keyed}`
}

/** The viewer is the same for a header block: it is that of the connection, or one that the block itself names. */
function headerPart(recipe: KeyRecipe, request: KeyRequest, viewer: KeyViewer): string {
  // HTTP/1.0 has no Accept-Encoding (4.4): too rare to remember.
  if (request.httpVersion === '1.0') return makeHeaderPart(recipe, request, viewer)
  const known = request.headers.derived.get(recipe)
  if (known !== undefined) return known as string
  const made = makeHeaderPart(recipe, request, viewer)
  request.headers.derived.set(recipe, made)
  return made
}

/** No header's line: those have a colon. */
const STRICT_LINE = '\nrfc-strict'

function makeHeaderPart(recipe: KeyRecipe, request: KeyRequest, viewer: KeyViewer): string {
  let part = recipe.strict ? STRICT_LINE : ''
  for (const name of recipe.headers) {
    const values = name === 'x-forwarded-for' ? forwardedFor(request.headers, viewer) : request.headers.getAll(name)
    if (values.length > 0) part += `\n${name}: ${recipe.strict ? selectingValue(name, values) : values.join(', ')}`
  }
  if (recipe.host) part += `\nhost: ${request.headers.host}`
  for (const header of recipe.generated) {
    part += `\n${header.name.toLowerCase()}: ${generatedValue(header, request, viewer)}`
  }
  const cookies = filterCookies(recipe.cookies, request.headers.getAll('cookie'))
  if (cookies !== '') part += `\ncookie: ${cookies}`
  const encoding = keyedEncoding(recipe, request)
  if (encoding !== '') part += `\naccept-encoding: ${encoding}`
  return part
}

/** X-Forwarded-For as the origin gets it: what the viewer sent, then its address (spec 6.1). */
export function forwardedFor(headers: HeaderBlock, viewer: Omit<KeyViewer, 'location'>): readonly string[] {
  const before = viewer.forwardedFor ?? headers.getAll('x-forwarded-for').join(', ')
  return [...(before === '' ? [] : [before]), viewer.viewerAddress]
}

/** Of a header that the edge makes: what decides the answer is what the origin is told. */
function generatedValue(header: GeneratedHeader, request: KeyRequest, { location }: KeyViewer): string {
  const { connection, headers, httpVersion, errorOf } = request
  const { scheme, tls = null } = connection
  // No header of the connection's ends is part of a key; of TLS the viewer's certificate alone may be listed.
  const unkeyed = { viewerAddress: '', viewerPort: 0, reused: false }
  return header.make?.(headerFacts({ ...unkeyed, scheme, tls, headers, httpVersion, errorOf, location })) ?? ''
}

/** `br,gzip`, `br`, `gzip` or nothing: what the viewer accepts among what the policy enables (spec 4.4). */
export function keyedEncoding(
  recipe: Pick<KeyRecipe, 'gzip' | 'brotli'>,
  request: { readonly httpVersion: string; readonly headers: HeaderBlock },
): string {
  if (request.httpVersion === '1.0' || !(recipe.gzip || recipe.brotli)) return ''
  const values = request.headers.getAll('accept-encoding')
  if (values.length === 0) return ''
  const accepted = acceptedCodings(values.join(','))
  const brotli = recipe.brotli && accepted.has('br')
  const gzip = recipe.gzip && accepted.has('gzip')
  return brotli && gzip ? 'br,gzip' : brotli ? 'br' : gzip ? 'gzip' : ''
}

/** Codings that an Accept-Encoding value names with a weight above zero (RFC 9110, 12.5.3). `*` enables none here. */
function acceptedCodings(value: string): Set<string> {
  const accepted = new Set<string>()
  for (const piece of value.split(',')) {
    const [coding = '', ...parameters] = piece.split(';').map((text) => text.trim().toLowerCase())
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    if (coding !== '' && !refused) accepted.add(coding === 'x-gzip' ? 'gzip' : coding)
  }
  return accepted
}
