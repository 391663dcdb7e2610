import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import type { DistributionRecord } from '../../domain/records.ts'
import { distributionDoc, policiesNamed } from './distribution-doc.ts'

const MINE = '11111111-2222-3333-4444-555555555555'
const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac'
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'

const config: DistributionConfig = {
  CallerReference: 'r',
  Comment: '',
  Enabled: true,
  DefaultRootObject: 'index.html',
  HttpVersion: 'http2',
  Origins: {
    Quantity: 1,
    Items: [
      {
        Id: 'shop',
        DomainName: 'localhost',
        OriginPath: '/app',
        CustomHeaders: { Quantity: 1, Items: [{ HeaderName: 'X-Secret', HeaderValue: 's' }] },
        ConnectionAttempts: 2,
        ConnectionTimeout: 4,
        CustomOriginConfig: {
          HTTPPort: 8000,
          HTTPSPort: 443,
          OriginProtocolPolicy: 'match-viewer',
          OriginReadTimeout: 7,
          OriginKeepaliveTimeout: 9,
        },
      },
    ],
  },
  CacheBehaviors: {
    Quantity: 1,
    Items: [
      {
        PathPattern: '/api/*',
        TargetOriginId: 'shop',
        ViewerProtocolPolicy: 'allow-all',
        CachePolicyId: CACHING_DISABLED,
        OriginRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
      },
    ],
  },
  DefaultCacheBehavior: { TargetOriginId: 'shop', ViewerProtocolPolicy: 'allow-all', CachePolicyId: MINE },
}

const record: DistributionRecord = {
  id: 'E1',
  arn: 'arn',
  domainName: 'd1.cloudfront.localhost',
  etag: 'E',
  callerReference: 'r',
  status: 'InProgress',
  changedRevision: 1,
  createdAt: '',
  lastModifiedTime: '',
  config,
}

const mine = {
  Name: 'mine',
  MinTTL: 1,
  DefaultTTL: 2,
  MaxTTL: 3,
  ParametersInCacheKeyAndForwardedToOrigin: {
    EnableAcceptEncodingGzip: true,
    HeadersConfig: { HeaderBehavior: 'whitelist', Headers: { Quantity: 1, Items: ['X-Tenant'] } },
    CookiesConfig: { CookieBehavior: 'none' },
    QueryStringsConfig: { QueryStringBehavior: 'all' },
  },
} as const

test('times are milliseconds, the default behavior is the last, policies are resolved', () => {
  const policies = {
    cache: new Map([[MINE, structuredClone(mine) as never]]),
    originRequest: new Map(),
    deployment: new Map(),
    responseHeaders: new Map(),
  }
  const doc = distributionDoc(record, policies)
  assert.deepEqual(doc.origins, [
    {
      id: 'shop',
      domainName: 'localhost',
      path: '/app',
      customHeaders: [['X-Secret', 's']],
      connectionAttempts: 2,
      connectionTimeoutMs: 4_000,
      protocolPolicy: 'match-viewer',
      ipAddressType: 'ipv4',
      httpPort: 8000,
      httpsPort: 443,
      readTimeoutMs: 7_000,
      keepaliveTimeoutMs: 9_000,
      responseCompletionTimeoutMs: null,
    },
  ])
  const [api, standard] = doc.behaviors
  assert.equal(doc.behaviors.length, 2)
  assert.equal(api?.pathPattern, '/api/*')
  assert.equal(api?.cachePolicy.maxTtl, 0)
  assert.deepEqual(api?.originRequestPolicy?.headers, { behavior: 'allExcept', names: ['host'] })
  assert.equal(standard?.pathPattern, '*')
  assert.equal(standard?.originRequestPolicy, null)
  assert.deepEqual(standard?.cachePolicy, {
    id: MINE,
    name: 'mine',
    minTtl: 1,
    defaultTtl: 2,
    maxTtl: 3,
    headers: { behavior: 'whitelist', names: ['x-tenant'] },
    cookies: { behavior: 'none', names: [] },
    queryStrings: { behavior: 'all', names: [] },
    gzip: true,
    brotli: false,
  })
})

test('a policy that is not there is an error that names it and the field', () => {
  const none = { cache: new Map(), originRequest: new Map(), deployment: new Map(), responseHeaders: new Map() }
  assert.throws(() => distributionDoc(record, none), new RegExp(`CachePolicyId names "${MINE}", which is not there`))
})

test('the policies that a configuration names', () => {
  const named = policiesNamed(config)
  assert.deepEqual([...named.cache].sort(), [MINE, CACHING_DISABLED].sort())
  assert.deepEqual([...named.originRequest], [ALL_VIEWER_EXCEPT_HOST])
})

test('custom error responses and compression reach the edge', () => {
  const page = { ErrorCode: 404, ResponsePagePath: '/404.html', ResponseCode: '200', ErrorCachingMinTTL: 0 }
  const changed: DistributionConfig = {
    ...config,
    DefaultCacheBehavior: { ...config.DefaultCacheBehavior, CachePolicyId: CACHING_DISABLED, Compress: true } as never,
    CustomErrorResponses: {
      Quantity: 2,
      Items: [page, { ErrorCode: 503, ResponsePagePath: '', ResponseCode: '', ErrorCachingMinTTL: 5 }],
    },
  }
  const doc = distributionDoc(
    { ...record, config: changed },
    { cache: new Map(), originRequest: new Map(), deployment: new Map(), responseHeaders: new Map() },
  )
  assert.deepEqual(doc.errorResponses, [
    { errorCode: 404, cachingMinTtlSeconds: 0, page: { path: '/404.html', responseCode: 200 } },
    { errorCode: 503, cachingMinTtlSeconds: 5, page: null },
  ])
  assert.deepEqual(
    doc.behaviors.map((behavior) => behavior.compress),
    [false, true],
  )
})

test('strict mode is what the tag says', () => {
  const policies = {
    cache: new Map([[MINE, structuredClone(mine) as never]]),
    originRequest: new Map(),
    deployment: new Map(),
    responseHeaders: new Map(),
  }
  const strict = (tags: Record<string, string>) => distributionDoc(record, policies, tags).rfcStrict
  assert.deepEqual([strict({}), strict({ 'cachefront:rfc-strict': 'false' })], [false, false])
  assert.equal(strict({ team: 'a', 'cachefront:rfc-strict': 'true' }), true)
})

test('origin groups reach the edge: the first member is the primary', () => {
  const OriginGroups: DistributionConfig['OriginGroups'] = {
    Quantity: 1,
    Items: [
      {
        Id: 'group',
        FailoverCriteria: { StatusCodes: { Quantity: 2, Items: [503, 404] } },
        Members: { Quantity: 2, Items: [{ OriginId: 'shop' }, { OriginId: 'spare' }] },
      },
    ],
  }
  const changed = {
    ...config,
    CacheBehaviors: undefined,
    OriginGroups,
    DefaultCacheBehavior: { ...config.DefaultCacheBehavior, CachePolicyId: CACHING_DISABLED },
  }
  const doc = distributionDoc(
    { ...record, config: changed },
    { cache: new Map(), originRequest: new Map(), deployment: new Map(), responseHeaders: new Map() },
  )
  assert.deepEqual(doc.originGroups, [{ id: 'group', primary: 'shop', secondary: 'spare', statusCodes: [503, 404] }])
})
