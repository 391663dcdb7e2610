//! Distributions as an operator with a thousand sites has them: 25 behaviors each, patterns of all shapes, three origins.
//! They are AWS's own DistributionConfigs, so that every field that the API knows is there.
import type { CacheBehavior, DistributionConfig } from '@aws-sdk/client-cloudfront'
import { distributionDoc } from '../../src/control/plan/distribution-doc.ts'
import type { Policies } from '../../src/control/plan/policy-docs.ts'
import type { DistributionDoc } from '../../src/domain/distribution.ts'
import { withDefaults } from '../../src/services/cloudfront/distribution-defaults.ts'

const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'
const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'

/** Patterns of site `n`, in order of precedence; a quarter of them are no other site's. */
const patternsOf = (n: number): readonly string[] => [
  'api/v1/users/*',
  'api/v1/orders/*',
  'api/v1/carts/*',
  'api/v2/users/*',
  'api/v2/orders/*',
  `api/v2/tenant-${n}/*`,
  'api/*/health',
  `login-${n}`,
  'logout',
  'account/*',
  'checkout/*',
  `shop-${n}/*`,
  'images/*.jpg',
  'images/thumbs/??/*',
  `media/site-${n}/*`,
  '*.css',
  '*.js',
  '*.woff2',
  '*.png',
  `*.site${n}`,
  'downloads/*',
  `blog/${n}/*`,
  'feeds/*.xml',
  'robots.txt',
  'assets/*',
]

/** Which pattern's place a request asks for: the first, one in the middle, the last, and the default behavior. */
export const PLACES = {
  first: { pattern: 0, path: () => '/api/v1/users/4711' },
  middle: { pattern: 11, path: (n: number) => `/shop-${n}/product-12345` },
  last: { pattern: 24, path: () => '/assets/product-12345.jpg' },
  default: { pattern: -1, path: () => '/products/12345.html' },
} as const
export type Place = keyof typeof PLACES

export const hostOf = (n: number): string => `www.site-${n}.example`

/**
 * Site `n` before origins on `originPort` of this host, with the first `behaviors` of its patterns. Site 7, 17, 27 ...
 * have a wildcard alias, too.
 */
export function siteConfig(n: number, originPort: number, behaviors = 25): DistributionConfig {
  const origin = (Id: string, secret: string) => ({
    Id,
    DomainName: '127.0.0.1',
    CustomHeaders: { Quantity: 1, Items: [{ HeaderName: 'X-Origin-Secret', HeaderValue: secret }] },
    CustomOriginConfig: { HTTPPort: originPort, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' as const },
  })
  const behavior = (PathPattern: string): CacheBehavior => ({
    PathPattern,
    ViewerProtocolPolicy: 'allow-all',
    ...(PathPattern.startsWith('api/v2/') || PathPattern.startsWith('log')
      ? { TargetOriginId: 'api', CachePolicyId: CACHING_DISABLED, OriginRequestPolicyId: ALL_VIEWER }
      : { TargetOriginId: 'site', CachePolicyId: CACHING_OPTIMIZED, Compress: true }),
  })
  const aliases = [hostOf(n), ...(n % 10 === 7 ? [`*.site-${n}.example`] : [])]
  const patterns = patternsOf(n).slice(0, behaviors)
  return {
    CallerReference: `site-${n}`,
    Comment: `site ${n}`,
    Enabled: true,
    Aliases: { Quantity: aliases.length, Items: aliases },
    DefaultRootObject: 'index.html',
    Origins: {
      Quantity: 3,
      Items: [origin('site', `site-${n}`), origin('api', `api-${n}`), origin('media', `media-${n}`)],
    },
    CacheBehaviors: { Quantity: patterns.length, Items: patterns.map(behavior) },
    DefaultCacheBehavior: {
      TargetOriginId: 'site',
      ViewerProtocolPolicy: 'allow-all',
      CachePolicyId: CACHING_OPTIMIZED,
    },
  }
}

const NO_POLICIES: Policies = {
  cache: new Map(),
  originRequest: new Map(),
  responseHeaders: new Map(),
  deployment: new Map(),
}

/** Site `n` as control gives it to the edges. */
export function siteDoc(n: number, originPort: number, behaviors = 25): DistributionDoc {
  const id = `E${String(n).padStart(13, 'S')}`
  const record = {
    id,
    arn: `arn:aws:cloudfront::123456789012:distribution/${id}`,
    domainName: `d${String(n).padStart(13, 's')}.cloudfront.localhost`,
    etag: '',
    callerReference: '',
    status: 'Deployed' as const,
    changedRevision: 1,
    createdAt: '',
    lastModifiedTime: '',
    config: withDefaults(siteConfig(n, originPort, behaviors)),
  }
  return distributionDoc(record, NO_POLICIES)
}
