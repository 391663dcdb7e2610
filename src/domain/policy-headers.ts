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
