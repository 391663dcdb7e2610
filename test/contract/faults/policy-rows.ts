//! Faults of cache policies and origin request policies (spec 1.5, 2.7, 4.1, 4.2).
import type { CachePolicyConfig, OriginRequestPolicyConfig } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, many } from '../../support/fault-site.ts'

const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'
const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'
const NOBODY = '00000000-0000-0000-0000-000000000000'

const cacheConfig = (parameters: object = {}, changes: object = {}): CachePolicyConfig => ({
  ...{ Name: 'mine', MinTTL: 1, DefaultTTL: 10, MaxTTL: 100 },
  ParametersInCacheKeyAndForwardedToOrigin: {
    EnableAcceptEncodingGzip: false,
    HeadersConfig: { HeaderBehavior: 'none' },
    CookiesConfig: { CookieBehavior: 'none' },
    QueryStringsConfig: { QueryStringBehavior: 'none' },
    ...parameters,
  },
  ...changes,
})
const requestConfig = (changes: object = {}): OriginRequestPolicyConfig => ({
  Name: 'mine',
  HeadersConfig: { HeaderBehavior: 'none' },
  CookiesConfig: { CookieBehavior: 'none' },
  QueryStringsConfig: { QueryStringBehavior: 'none' },
  ...changes,
})

const headers = { HeadersConfig: { HeaderBehavior: 'whitelist', Headers: listed(...many(11, (at) => `x-${at}`)) } }
const cookies = { CookiesConfig: { CookieBehavior: 'whitelist', Cookies: listed(...many(11, (at) => `c${at}`)) } }
const queries = {
  QueryStringsConfig: { QueryStringBehavior: 'whitelist', QueryStrings: listed(...many(11, (at) => `q${at}`)) },
}

const newCache =
  (parameters: object, changes: object = {}) =>
  (site: FaultSite) =>
  () =>
    site.client.createCachePolicy({ CachePolicyConfig: cacheConfig(parameters, changes) })
const newRequest = (changes: object) => (site: FaultSite) => () =>
  site.client.createOriginRequestPolicy({ OriginRequestPolicyConfig: requestConfig(changes) })

const madeCache = async (site: FaultSite, Name = 'mine') => {
  const made = await site.client.createCachePolicy({ CachePolicyConfig: cacheConfig({}, { Name }) })
  return { id: made.CachePolicy?.Id, etag: made.ETag }
}
const madeRequest = async (site: FaultSite, Name = 'mine') => {
  const made = await site.client.createOriginRequestPolicy({ OriginRequestPolicyConfig: requestConfig({ Name }) })
  return { id: made.OriginRequestPolicy?.Id, etag: made.ETag }
}
const using = (site: FaultSite, changes: object) => ({
  DefaultCacheBehavior: { ...site.one.config.DefaultCacheBehavior, ...changes } as never,
})

const row = (
  code: string,
  status: number,
  when: string,
  provoke: FaultRow['provoke'],
  quotas: FaultRow['quotas'] = {},
): FaultRow => ({ code, status, section: '1.5, 2.7', when, provoke, quotas })

export const POLICY_ROWS: readonly FaultRow[] = [
  row('NoSuchCachePolicy', 404, 'an id that is nobody’s', (site) => () => site.client.getCachePolicy({ Id: NOBODY })),
  row(
    'NoSuchCachePolicy',
    404,
    'a behavior that names nobody’s',
    (site) => () => site.update(using(site, { CachePolicyId: NOBODY })),
  ),
  row('CachePolicyAlreadyExists', 409, 'a name that is taken', async (site) => {
    await madeCache(site)
    return newCache({})(site)
  }),
  row('CachePolicyInUse', 409, 'a delete of what a distribution names', async (site) => {
    const { id, etag } = await madeCache(site)
    await site.update(using(site, { CachePolicyId: id }))
    return () => site.client.deleteCachePolicy({ Id: id, IfMatch: etag })
  }),
  row(
    'IllegalUpdate',
    400,
    'an update of a managed one',
    (site) => () =>
      site.client.updateCachePolicy({ Id: CACHING_OPTIMIZED, IfMatch: 'E1', CachePolicyConfig: cacheConfig() }),
  ),
  row(
    'IllegalDelete',
    400,
    'a delete of a managed one',
    (site) => () => site.client.deleteOriginRequestPolicy({ Id: ALL_VIEWER, IfMatch: 'E1' }),
  ),
  row('PreconditionFailed', 412, 'an update by an old version', async (site) => {
    const { id } = await madeCache(site)
    return () => site.client.updateCachePolicy({ Id: id, IfMatch: 'E1', CachePolicyConfig: cacheConfig() })
  }),
  row('InvalidTTLOrder', 400, 'a MaxTTL below the DefaultTTL', newCache({}, { MaxTTL: 5 })),
  row(
    'InvalidArgument',
    400,
    'a key for what is not cached',
    newCache({ CookiesConfig: { CookieBehavior: 'all' } }, { MinTTL: 0, DefaultTTL: 0, MaxTTL: 0 }),
  ),
  row(
    'TooManyCachePolicies',
    400,
    'one more than the account may have',
    async (site) => {
      await madeCache(site)
      return newCache({}, { Name: 'one-more' })(site)
    },
    { policiesOfEachKind: 1 },
  ),
  row('TooManyHeadersInCachePolicy', 400, '11 headers', newCache(headers)),
  row('TooManyCookiesInCachePolicy', 400, '11 cookies', newCache(cookies)),
  row('TooManyQueryStringsInCachePolicy', 400, '11 query strings', newCache(queries)),
  row(
    'TooManyDistributionsAssociatedToCachePolicy',
    400,
    'one distribution more than it may serve',
    async (site) => {
      const { id } = await madeCache(site)
      await site.create(using(site, { CachePolicyId: id }))
      return () => site.update(using(site, { CachePolicyId: id }))
    },
    { distributionsPerPolicy: 1 },
  ),
  row(
    'NoSuchOriginRequestPolicy',
    404,
    'a behavior that names nobody’s',
    (site) => () => site.update(using(site, { OriginRequestPolicyId: NOBODY })),
  ),
  row('OriginRequestPolicyAlreadyExists', 409, 'a name that is taken', async (site) => {
    await madeRequest(site)
    return newRequest({})(site)
  }),
  row('OriginRequestPolicyInUse', 409, 'a delete of what a distribution names', async (site) => {
    const { id, etag } = await madeRequest(site)
    await site.update(using(site, { OriginRequestPolicyId: id }))
    return () => site.client.deleteOriginRequestPolicy({ Id: id, IfMatch: etag })
  }),
  row(
    'TooManyOriginRequestPolicies',
    400,
    'one more than the account may have',
    async (site) => {
      await madeRequest(site)
      return newRequest({ Name: 'one-more' })(site)
    },
    { policiesOfEachKind: 1 },
  ),
  row('TooManyHeadersInOriginRequestPolicy', 400, '11 headers', newRequest(headers)),
  row('TooManyCookiesInOriginRequestPolicy', 400, '11 cookies', newRequest(cookies)),
  row('TooManyQueryStringsInOriginRequestPolicy', 400, '11 query strings', newRequest(queries)),
  row(
    'TooManyDistributionsAssociatedToOriginRequestPolicy',
    400,
    'one distribution more than it may serve',
    async (site) => {
      const { id } = await madeRequest(site)
      await site.create(using(site, { OriginRequestPolicyId: id }))
      return () => site.update(using(site, { OriginRequestPolicyId: id }))
    },
    { distributionsPerPolicy: 1 },
  ),
]
