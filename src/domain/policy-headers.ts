//! Which headers a policy may list (spec/cloudfront.md 4.1, 4.2, 6.1, 6.3).

/** `CloudFront-*` headers that the edge makes today, in lower case; a policy that lists another one is refused with 501. */
export const GENERATED_HEADERS_BUILT: ReadonlySet<string> = new Set([
  'cloudfront-forwarded-proto',
  'cloudfront-viewer-http-version',
  'cloudfront-viewer-address',
  'cloudfront-error-uri',
  'cloudfront-error-args',
])

/** Lower-case names of headers in `names` that CloudFront would make and this edge does not yet. */
export function generatedHeadersNotBuilt(names: readonly string[]): string[] {
  return names
    .map((name) => name.toLowerCase())
    .filter((name) => name.startsWith('cloudfront-') && !GENERATED_HEADERS_BUILT.has(name))
}

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

/** Differ from viewer to viewer or connection to connection: refused in a cache key (spec 4.1). */
const REFUSED_IN_KEYS = [
  'cloudfront-viewer-address',
  'cloudfront-viewer-asn',
  'cloudfront-viewer-ja3-fingerprint',
  'cloudfront-viewer-ja4-fingerprint',
  'cloudfront-viewer-tls',
]

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
