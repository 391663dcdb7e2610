//! Which headers a policy may list (spec/cloudfront.md 4.1, 4.2, 6.1, 6.3).
import { GENERATED_HEADERS } from './generated-headers.ts'

/** Never part of a cache key and never forwarded on request ("can be keyed: no" of spec 6.1). */
const REFUSED_BY_BOTH = [
  'cache-control',
  'connection',
  'content-length',
  'cookie',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'request-range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-proto',
  'x-real-ip',
]

/** Differ from viewer to viewer or connection to connection: refused in a cache key (spec 4.1, 6.3). */
const REFUSED_IN_KEYS = GENERATED_HEADERS.filter(({ keyable }) => !keyable).map(({ name }) => name.toLowerCase())

export const REFUSED_HEADERS = {
  'cache-policy': new Set([...REFUSED_BY_BOTH, ...REFUSED_IN_KEYS]),
  // Authorization goes to the origin through a cache policy or with allViewer (spec 4.2).
  'origin-request-policy': new Set([...REFUSED_BY_BOTH, 'authorization']),
} as const satisfies Readonly<Record<string, ReadonlySet<string>>>

/** Headers that an origin's CustomHeaders may not set (spec 6.2); by name, and by how the name begins. */
const CUSTOM_REFUSED = new Set(
  (
    'cache-control connection content-length cookie host if-match if-modified-since if-none-match if-range ' +
    'if-unmodified-since max-forwards pragma proxy-authorization proxy-connection range request-range te trailer ' +
    'transfer-encoding upgrade via x-real-ip'
  ).split(' '),
)
const CUSTOM_REFUSED_BEGINNINGS = ['x-amz-', 'x-edge-']

export function refusedAsCustomHeader(name: string): boolean {
  const lower = name.toLowerCase()
  return CUSTOM_REFUSED.has(lower) || CUSTOM_REFUSED_BEGINNINGS.some((beginning) => lower.startsWith(beginning))
}

/** Lower-case names of headers that ForwardedValues must list to have them forwarded; others pass (spec 6.1). */
export const NOT_PASSED_BY_DEFAULT = [
  'accept',
  'accept-charset',
  'accept-language',
  // Of GET and HEAD, and of an OPTIONS that is cached.
  'authorization',
  'expect',
  'host',
  'referer',
  'user-agent',
  'x-http-method-override',
] as const

/** Never removed by a response headers policy (spec 4.9): of one hop, or CloudFront's own. */
const KEPT_ALWAYS = new Set(
  (
    'connection content-encoding content-length expect host keep-alive proxy-authenticate proxy-authorization ' +
    'proxy-connection trailer transfer-encoding upgrade via warning x-accel-buffering x-accel-charset ' +
    'x-accel-limit-rate x-accel-redirect x-amzn-auth x-amzn-cf-billing x-amzn-cf-id x-amzn-cf-xff x-amzn-errortype ' +
    'x-amzn-fle-profile x-amzn-header-count x-amzn-header-order x-amzn-lambda-integration-tag x-amzn-requestid x-cache ' +
    'x-forwarded-proto x-real-ip'
  ).split(' '),
)
const KEPT_BEGINNINGS = ['x-amz-cf-', 'x-edge-']

/** `name` in lower case. */
export const keptByEveryPolicy = (name: string): boolean =>
  KEPT_ALWAYS.has(name) || KEPT_BEGINNINGS.some((beginning) => name.startsWith(beginning))

/** Set by SecurityHeadersConfig, never as custom headers. */
export const SECURITY_HEADERS: ReadonlySet<string> = new Set([
  'content-security-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
  'x-xss-protection',
])

/** Set by CorsConfig, never as custom headers. */
export const CORS_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
])

export const CORS_METHODS = ['GET', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'ALL'] as const
export const FRAME_OPTIONS = ['DENY', 'SAMEORIGIN'] as const
export const REFERRER_POLICIES = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'origin',
  'origin-when-cross-origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
] as const
