//! The managed policies in AWS's own shape (domain/managed-policies.ts has their settings).
import type {
  CachePolicyConfig,
  CachePolicyHeaderBehavior,
  ItemSelection,
  OriginRequestPolicyConfig,
  OriginRequestPolicyHeaderBehavior,
} from '@aws-sdk/client-cloudfront'
import { MANAGED_CACHE_POLICIES, MANAGED_ORIGIN_REQUEST_POLICIES } from '../../domain/managed-policies.ts'
import type { NameList } from '../../domain/policy.ts'
import { counted } from './distribution-defaults.ts'

const apiName = (name: string): string => `Managed-${name}`
const listed = (list: NameList) => (list.names.length > 0 ? counted(list.names) : undefined)

const cookies = (list: NameList) => ({ CookieBehavior: list.behavior as ItemSelection, Cookies: listed(list) })
const queryStrings = (list: NameList) => ({
  QueryStringBehavior: list.behavior as ItemSelection,
  QueryStrings: listed(list),
})

/** Listed in place of settings that AWS does not publish. */
const notPublished = (name: string): CachePolicyConfig => ({
  Name: name,
  Comment: 'Settings not published by AWS: it cannot be attached here',
  MinTTL: 0,
})

export const managedCachePolicyConfigs = MANAGED_CACHE_POLICIES.map(({ id, name, settings }) => ({
  id,
  name: apiName(name),
  published: settings !== null,
  config:
    settings === null
      ? notPublished(apiName(name))
      : ({
          Name: apiName(name),
          Comment: '',
          MinTTL: settings.minTtl,
          DefaultTTL: settings.defaultTtl,
          MaxTTL: settings.maxTtl,
          ParametersInCacheKeyAndForwardedToOrigin: {
            EnableAcceptEncodingGzip: settings.gzip,
            EnableAcceptEncodingBrotli: settings.brotli,
            HeadersConfig: {
              HeaderBehavior: settings.headers.behavior as CachePolicyHeaderBehavior,
              Headers: listed(settings.headers),
            },
            CookiesConfig: cookies(settings.cookies),
            QueryStringsConfig: queryStrings(settings.queryStrings),
          },
        } satisfies CachePolicyConfig as CachePolicyConfig),
}))

export const managedOriginRequestPolicyConfigs = MANAGED_ORIGIN_REQUEST_POLICIES.map(({ id, name, settings }) => ({
  id,
  name: apiName(name),
  published: true,
  config: {
    Name: apiName(name),
    Comment: '',
    HeadersConfig: {
      HeaderBehavior: settings.headers.behavior as OriginRequestPolicyHeaderBehavior,
      Headers: listed(settings.headers),
    },
    CookiesConfig: cookies(settings.cookies),
    QueryStringsConfig: queryStrings(settings.queryStrings),
  } satisfies OriginRequestPolicyConfig as OriginRequestPolicyConfig,
}))
