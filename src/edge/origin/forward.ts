//! The request that goes to the origin: which of the viewer's headers, cookies and query strings, and what CloudFront
//! adds (spec/cloudfront.md 4.2, 6.1). Pure: compiled once for a behavior, applied per miss.
import { GENERATED_HEADERS, type GeneratedHeader, isGenerated } from '../../domain/generated-headers.ts'
import { CLOUDFRONT_HEADERS_2022_06 } from '../../domain/managed-policies.ts'
import type { CachePolicyDoc, OriginRequestPolicyDoc } from '../../domain/policy.ts'
import type { ViewerLocation } from '../../domain/viewer.ts'
import { forwardedFor, keyedEncoding } from '../cache/key.ts'
import type { ErrorOf, HeaderBlock, ViewerTls } from '../listen/viewer.ts'
import { admits, compileNames, filterCookies, filterQuery, type NameRule, NONE, union } from '../snapshot/name-rule.ts'
import { headerFacts } from '../viewer/header-facts.ts'
import type { ReachedOrigin } from './reached.ts'

export interface ForwardRecipe {
  readonly headers: NameRule
  readonly cookies: NameRule
  readonly queryStrings: NameRule
  /** Those of the headers which CloudFront makes that a policy lists and the edge can make. */
  readonly generated: readonly GeneratedHeader[]
  /** Their names in lower case. */
  readonly generatedNames: ReadonlySet<string>
  readonly custom: readonly (readonly [name: string, value: string])[]
  readonly customNames: ReadonlySet<string>
  /** Lower-case names of the viewer's header fields that are part of the cache key. */
  readonly keyed: ReadonlySet<string>
  readonly gzip: boolean
  readonly brotli: boolean
  readonly optionsCached: boolean
  /** ForwardedValues: an Accept-Encoding without gzip is removed, where a policy has `identity` (spec 4.4, 4.5). */
  readonly legacy: boolean
  readonly originHost: string
  readonly originPath: string
}

export interface ForwardedRequest {
  readonly method: string
  readonly path: string
  readonly query: string | null
  readonly headers: HeaderBlock
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  readonly scheme: 'http' | 'https'
  readonly viewerAddress: string
  readonly viewerPort: number
  /** As of Exchange. */
  readonly forwardedFor: string | null
  readonly location: ViewerLocation
  readonly tls: ViewerTls | null
  readonly reused: boolean
  /** Port of the listener that it came to. */
  readonly localPort: number
  readonly hasBody: boolean
  /** The answer may be kept: the viewer's conditions and range stay here, the edge makes its own. */
  readonly cacheable: boolean
  /** The viewer asks to go on in this protocol; null for none. */
  readonly upgrade: 'websocket' | null
  /** It is a call of gRPC. */
  readonly grpc: boolean
  /** Prefix in lower case of fields that the edge itself has put into the request; null for none. */
  readonly inserted: string | null
  readonly requestId: string
  readonly via: string
  readonly errorOf?: ErrorOf | undefined
}

export function compileForward(
  cache: CachePolicyDoc,
  request: OriginRequestPolicyDoc | null,
  origin: ReachedOrigin,
  cachedMethods: readonly string[],
): ForwardRecipe {
  const of = (part: 'headers' | 'cookies' | 'queryStrings') =>
    union(compileNames(cache[part]), request === null ? NONE : compileNames(request[part]))
  const keyed = cache.headers.behavior === 'whitelist' ? cache.headers.names : []
  const listed = new Set([...keyed, ...listedGenerated(request)])
  const generated = GENERATED_HEADERS.filter(({ name, make }) => make !== null && listed.has(name.toLowerCase()))
  return {
    headers: of('headers'),
    cookies: of('cookies'),
    queryStrings: of('queryStrings'),
    generated,
    generatedNames: new Set(generated.map(({ name }) => name.toLowerCase())),
    custom: origin.customHeaders,
    customNames: new Set(origin.customHeaders.map(([name]) => name.toLowerCase())),
    keyed: new Set(keyed),
    gzip: cache.gzip,
    brotli: cache.brotli,
    optionsCached: cachedMethods.includes('OPTIONS'),
    legacy: request?.headers.behavior === 'legacy',
    originHost: origin.host,
    originPath: origin.path,
  }
}

/**
 * Names among which are those of headers that CloudFront makes. An `allExcept` list has all of them besides that it does
 * not name: AWS's guide says so of Managed-AllViewerExceptHostHeader, which is such a list and nothing more.
 */
function listedGenerated(request: OriginRequestPolicyDoc | null): readonly string[] {
  if (request === null) return []
  const { behavior, names } = request.headers
  switch (behavior) {
    case 'whitelist':
    case 'allViewerAndWhitelistCloudFront':
      return names
    case 'allExcept':
      return CLOUDFRONT_HEADERS_2022_06.filter((name) => !names.includes(name))
    default:
      return []
  }
}

/** Path and query as the origin sees them. */
export function originTarget(recipe: ForwardRecipe, path: string, query: string | null): string {
  const forwarded = filterQuery(recipe.queryStrings, query)
  return `${recipe.originPath}${path}${forwarded === '' ? '' : `?${forwarded}`}`
}

/** Never forwarded as the viewer sent them: hop-by-hop, made by the edge, or removed by CloudFront (spec 6.1). */
const REMOVED = new Set([
  'accept-encoding', 'cdn-loop', 'connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive',
  'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'user-agent', 'via', 'x-cachefront-explain', 'x-cachefront-viewer-address', 'x-forwarded-for', 'x-forwarded-proto',
  'x-real-ip', 'http2-settings',
]) // biome-ignore format: a table
/** Forwarded without being asked for. */
const ALWAYS = new Set(['cache-control', 'pragma', 'max-forwards', 'request-range'])
const CONDITIONAL = new Set(['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since'])
const BODILESS = new Set(['GET', 'HEAD'])

/** Names that viewers do not speak in: the edge's own word, or one that it keeps for itself. */
const OWN_PREFIXES = ['x-edge-', 'x-amz-cf-'] as const

/**
 * Origins that hand fields on as variables (CGI, WSGI, PHP) take `_` for `-`: a name with an underscore passes only where
 * the name that it would be taken for passes too.
 */
function forwards(recipe: ForwardRecipe, name: string, request: ForwardedRequest): boolean {
  const taken = name.includes('_') ? name.replaceAll('_', '-') : name
  if (REMOVED.has(taken) || recipe.customNames.has(taken) || recipe.customNames.has(name)) return false
  if (OWN_PREFIXES.some((prefix) => taken.startsWith(prefix)) || isGenerated(taken)) return false
  if (ALWAYS.has(name)) return true
  if (request.inserted !== null && name.startsWith(request.inserted)) return true
  // WebSocket needs no policy (spec 13.4); what its handshake says is between the two ends.
  if (request.upgrade === 'websocket' && name.startsWith('sec-websocket-')) return true
  // Nor does gRPC, whose own fields are those with this prefix. What a policy says of others holds for its metadata, too.
  if (request.grpc && (name === 'content-type' || name.startsWith('grpc-'))) return true
  // A range never goes without the condition that it depends on: the parts of two versions make no object.
  if (name === 'range' || name === 'if-range') return !request.cacheable
  if (CONDITIONAL.has(name) && request.cacheable) return false
  if (name === 'content-type' && request.hasBody) return true
  if (name === 'authorization' && !BODILESS.has(request.method)) {
    if (request.method !== 'OPTIONS' || !recipe.optionsCached) return true
  }
  return admits(recipe.headers, name)
}

/**
 * Name, value, name, value ... in the viewer's order and spelling, then what CloudFront adds. A keyed field of several
 * lines goes as one: the origin must see what the key has, not one line of it. What Connection names is of one hop
 * (RFC 9110 7.6.1), unless it is keyed: an answer without it must not be kept as one with it.
 */
export function originHeaders(recipe: ForwardRecipe, request: ForwardedRequest): string[] {
  const { raw } = request.headers
  const out: string[] = ['Host', hostFor(recipe, request)]
  const ofOneHop = connectionOptions(request.headers)
  const sent = new Set<string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const lower = name.toLowerCase()
    if (!forwards(recipe, lower, request)) continue
    if (!recipe.keyed.has(lower)) {
      if (!ofOneHop.has(lower)) out.push(name, raw[i + 1] as string)
    } else if (!sent.has(lower)) {
      sent.add(lower)
      out.push(name, request.headers.getAll(lower).join(', '))
    }
  }
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '' && !recipe.customNames.has(name.toLowerCase())) out.push(name, value)
  }
  add('User-Agent', admits(recipe.headers, 'user-agent') ? request.headers.get('user-agent') : 'Amazon CloudFront')
  add('Accept-Encoding', encodingFor(recipe, request))
  // gRPC's own way to find proxies that lose trailers.
  if (request.grpc) add('TE', 'trailers')
  add('Cookie', filterCookies(recipe.cookies, request.headers.getAll('cookie')))
  add('X-Forwarded-For', forwardedFor(request.headers, request).join(', '))
  const viewerVia = admits(recipe.headers, 'via') ? request.headers.getAll('via') : []
  add('Via', appended(viewerVia, `${request.httpVersion} ${request.via}`, ', '))
  add('X-Amz-Cf-Id', request.requestId)
  add('CDN-Loop', appended(request.headers.getAll('cdn-loop'), LOOP_TOKEN, ', '))
  if (recipe.generated.length > 0) {
    const facts = headerFacts(request)
    for (const { name, make } of recipe.generated) add(name, make?.(facts))
  }
  for (const [name, value] of recipe.custom) out.push(name, value)
  return out
}

/** Forwarded under conditions of their own, or told of the request by the edge itself. */
const MADE_PER_REQUEST = new Set(['cdn-loop', 'via', 'x-amz-cf-id', 'x-forwarded-for'])
const REPLACED = new Set(['accept-encoding', 'host', 'user-agent'])

/** False when every request that may be kept has this field at the origin with the same value, or without it. */
export function canDiffer(recipe: ForwardRecipe, name: string): boolean {
  if (recipe.customNames.has(name)) return false
  if (MADE_PER_REQUEST.has(name) || recipe.generatedNames.has(name) || ALWAYS.has(name)) return true
  if (name === 'cookie') return recipe.cookies.kind !== 'none'
  return (REPLACED.has(name) || !REMOVED.has(name)) && admits(recipe.headers, name)
}

/** Our token in CDN-Loop (RFC 8586); a request that already carries two of them went in a circle. */
const LOOP_TOKEN = 'CloudFront'

/** Distributions that a request may pass one after the other (DESIGN 4, which origins). */
const CHAIN_MAX = 2

/** True for a request that has passed as many of our distributions as it may, as CDN-Loop says. */
export const loops = (headers: HeaderBlock): boolean => loopCount(headers) >= CHAIN_MAX

/** How many of our distributions a request has passed, as CDN-Loop says. */
export function loopCount(headers: HeaderBlock): number {
  const value = headers.getAll('cdn-loop')
  if (value.length === 0) return 0
  return value
    .join(',')
    .split(',')
    .filter((token) => token.trim().split(';')[0] === LOOP_TOKEN).length
}

/** Bytes of unkeyed viewer fields from which on an origin may refuse what it would not refuse others. */
const UNKEYED_BYTES_MAX = 4_096

/**
 * True when the origin got so much from this one viewer that an error may be due to it: such an error is nobody else's
 * (CPDoS by oversized headers). `sent` are the origin's header fields; those that every request has count little.
 */
export function carriesMuchUnkeyed(recipe: ForwardRecipe, sent: readonly string[]): boolean {
  let bytes = 0
  for (let i = 0; i < sent.length; i += 2) {
    const name = (sent[i] as string).toLowerCase()
    if (!recipe.keyed.has(name) && !recipe.customNames.has(name)) bytes += name.length + (sent[i + 1] as string).length
  }
  return bytes > UNKEYED_BYTES_MAX
}

/** Lower-case names that the viewer's Connection fields hold. */
function connectionOptions(headers: HeaderBlock): ReadonlySet<string> {
  const values = headers.getAll('connection')
  if (values.length === 0) return NO_NAMES
  return new Set(values.flatMap((value) => value.split(',').map((option) => option.trim().toLowerCase())))
}

const NO_NAMES: ReadonlySet<string> = new Set()

/**
 * A keyed Host goes as it came. One that is not keyed goes without what a viewer can vary at will: in small letters, and
 * with no other port than the one that was really asked, which an origin may build links of (what CloudFront does with
 * other ports is not documented: its viewers use 80 and 443).
 */
function hostFor(recipe: ForwardRecipe, request: ForwardedRequest): string {
  const sent = admits(recipe.headers, 'host') ? request.headers.get('host') : undefined
  if (sent === undefined) return recipe.originHost
  if (recipe.keyed.has('host')) return sent
  const { host } = request.headers
  return sent.endsWith(`:${request.localPort}`) ? `${host}:${request.localPort}` : host
}

function encodingFor(recipe: ForwardRecipe, request: ForwardedRequest): string | undefined {
  if (request.httpVersion === '1.0') return undefined
  const sent = request.headers.getAll('accept-encoding')
  if (sent.length === 0) return undefined
  if (!(recipe.gzip || recipe.brotli)) return admits(recipe.headers, 'accept-encoding') ? sent.join(', ') : undefined
  return keyedEncoding(recipe, request) || (recipe.legacy ? undefined : 'identity')
}

const appended = (values: readonly string[], own: string, separator: string): string => [...values, own].join(separator)
