//! ForwardedValues with its TTLs (spec/cloudfront.md 2.3, 4.5) as the two policies that they amount to. PURE.
import type { DefaultCacheBehavior } from '@aws-sdk/client-cloudfront'
import type { LegacyDoc } from '../../domain/distribution.ts'
import type { CachePolicyDoc, NameList, OriginRequestPolicyDoc } from '../../domain/policy.ts'

const NONE: NameList = { behavior: 'none', names: [] }
const ALL: NameList = { behavior: 'all', names: [] }

const listed = (names: readonly string[]): NameList => (names.length === 0 ? NONE : { behavior: 'whitelist', names })

export interface LegacyPolicies {
  readonly cachePolicy: CachePolicyDoc
  readonly originRequestPolicy: OriginRequestPolicyDoc
  readonly legacy: LegacyDoc
}

/**
 * What ForwardedValues lists is keyed and forwarded; of query strings all are forwarded when some are keyed; what it does
 * not list of other headers passes unkeyed (6.1). `*` among the headers forwards all of them and keeps nothing.
 */
export function legacyPolicies(behavior: DefaultCacheBehavior): LegacyPolicies {
  const { ForwardedValues: values, MinTTL = 0 } = behavior
  const { DefaultTTL = Math.max(86_400, MinTTL), MaxTTL = Math.max(31_536_000, DefaultTTL) } = behavior
  const headers = (values?.Headers?.Items ?? []).map((name) => name.toLowerCase())
  const allHeaders = headers.includes('*')
  const keys = values?.QueryStringCacheKeys?.Items ?? []
  const queries = values?.QueryString === true
  const ttl = (seconds: number) => (allHeaders ? 0 : seconds)
  return {
    cachePolicy: {
      id: '',
      minTtl: ttl(MinTTL),
      defaultTtl: ttl(DefaultTTL),
      maxTtl: ttl(MaxTTL),
      headers: allHeaders ? NONE : listed(headers),
      cookies: cookies(values?.Cookies),
      queryStrings: !queries ? NONE : keys.length === 0 ? ALL : listed(keys),
      // Brotli needs a cache policy; gzip was always keyed in its normalized form (AWS's guide to caching by request headers).
      gzip: !allHeaders && MaxTTL > 0,
      brotli: false,
    },
    originRequestPolicy: {
      id: '',
      headers: { behavior: allHeaders ? 'allViewer' : 'legacy', names: [] },
      cookies: NONE,
      queryStrings: queries ? ALL : NONE,
    },
    legacy: { allHeaders },
  }
}

function cookies(preference: NonNullable<DefaultCacheBehavior['ForwardedValues']>['Cookies']): NameList {
  switch (preference?.Forward) {
    case 'all':
      return ALL
    case 'whitelist':
      return { ...listed(preference.WhitelistedNames?.Items ?? []), wildcards: true }
    default:
      return NONE
  }
}
