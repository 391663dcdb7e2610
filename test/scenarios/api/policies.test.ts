//! Policies through AWS's SDK (spec/cloudfront.md 1.4, 4.6-4.9): what was written is what comes back, managed ones are
//! there by their ids, and one finds who uses what.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResponseHeadersPolicyConfig } from '@aws-sdk/client-cloudfront'
import { FaultSite, listed } from '../../support/fault-site.ts'

const EVERYTHING: ResponseHeadersPolicyConfig = {
  Name: 'everything',
  Comment: 'all blocks',
  CorsConfig: {
    AccessControlAllowOrigins: listed('https://a.test', 'https://*.b.test'),
    AccessControlAllowHeaders: listed('X-A', 'X-B'),
    AccessControlAllowMethods: listed('GET', 'PUT'),
    AccessControlAllowCredentials: true,
    AccessControlExposeHeaders: listed('X-C'),
    AccessControlMaxAgeSec: 600,
    OriginOverride: true,
  },
  SecurityHeadersConfig: {
    XSSProtection: { Override: true, Protection: true, ModeBlock: true },
    FrameOptions: { Override: false, FrameOption: 'DENY' },
    ReferrerPolicy: { Override: false, ReferrerPolicy: 'same-origin' },
    ContentSecurityPolicy: { Override: true, ContentSecurityPolicy: "default-src 'self'" },
    ContentTypeOptions: { Override: true },
    StrictTransportSecurity: {
      Override: true,
      IncludeSubdomains: true,
      Preload: true,
      AccessControlMaxAgeSec: 63_072_000,
    },
  },
  ServerTimingHeadersConfig: { Enabled: true, SamplingRate: 12.3456 },
  CustomHeadersConfig: listed(
    { Header: 'X-Brand', Value: 'mine', Override: true },
    { Header: 'X-Empty', Value: '', Override: false },
  ),
  RemoveHeadersConfig: listed({ Header: 'Server' }, { Header: 'X-Powered-By' }),
}

test('a response headers policy with everything comes back as it was written, is replaced and deleted', () =>
  FaultSite.use({}, async ({ client }) => {
    const made = await client.createResponseHeadersPolicy({ ResponseHeadersPolicyConfig: EVERYTHING })
    const Id = made.ResponseHeadersPolicy?.Id
    assert.match(Id ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(made.Location, `https://cloudfront.amazonaws.com/2020-05-31/response-headers-policy/${Id}`)
    assert.deepEqual(made.ResponseHeadersPolicy?.ResponseHeadersPolicyConfig, EVERYTHING)
    const got = await client.getResponseHeadersPolicy({ Id })
    assert.equal(got.ETag, made.ETag)
    assert.deepEqual(got.ResponseHeadersPolicy, made.ResponseHeadersPolicy)
    const config = await client.getResponseHeadersPolicyConfig({ Id })
    assert.deepEqual(config.ResponseHeadersPolicyConfig, EVERYTHING)
    const small = { Name: 'small', CustomHeadersConfig: listed({ Header: 'X-A', Value: 'b', Override: false }) }
    const updated = await client.updateResponseHeadersPolicy({
      Id,
      IfMatch: config.ETag,
      ResponseHeadersPolicyConfig: small,
    })
    assert.notEqual(updated.ETag, made.ETag)
    assert.deepEqual(updated.ResponseHeadersPolicy?.ResponseHeadersPolicyConfig, { ...small, Comment: '' })
    await client.deleteResponseHeadersPolicy({ Id, IfMatch: updated.ETag })
    await assert.rejects(client.getResponseHeadersPolicy({ Id }), { name: 'NoSuchResponseHeadersPolicy' })
  }))

test('what a policy leaves out has its default', () =>
  FaultSite.use({}, async ({ client }) => {
    const made = await client.createResponseHeadersPolicy({
      ResponseHeadersPolicyConfig: {
        Name: 'small',
        CorsConfig: {
          AccessControlAllowOrigins: listed('*'),
          AccessControlAllowHeaders: listed('*'),
          AccessControlAllowMethods: listed('ALL'),
          AccessControlAllowCredentials: false,
          OriginOverride: false,
        },
        ServerTimingHeadersConfig: { Enabled: true },
      },
    })
    const config = made.ResponseHeadersPolicy?.ResponseHeadersPolicyConfig
    assert.equal(config?.CorsConfig?.AccessControlExposeHeaders?.Quantity, 0)
    assert.equal(config?.CorsConfig?.AccessControlMaxAgeSec, undefined)
    assert.equal(config?.ServerTimingHeadersConfig?.SamplingRate, 0)
    assert.equal(config?.SecurityHeadersConfig, undefined)
    assert.equal(config?.Comment, '')
  }))

/** By the tables of spec 4.6-4.8. */
const MANAGED = {
  cache: 11,
  request: 8,
  headers: [
    ['SimpleCORS', '60669652-455b-4ae9-85a4-c4c02393f86c'],
    ['CORS-With-Preflight', '5cc3b908-e619-4b99-88e5-2cf7f45965bd'],
    ['SecurityHeadersPolicy', '67f7725c-6f97-4210-82d7-5512b31e9d03'],
    ['CORS-and-SecurityHeadersPolicy', 'e61eb60c-9c35-4d20-a928-2b84e02af89c'],
    ['CORS-with-preflight-and-SecurityHeadersPolicy', 'eaab4381-ed33-4a86-88ca-d9558dc6cd63'],
  ],
} as const

test('the managed policies are listed, read by id, and attached', () =>
  FaultSite.use({}, async (site) => {
    const { client } = site
    const Type = 'managed'
    assert.equal((await client.listCachePolicies({ Type })).CachePolicyList?.Quantity, MANAGED.cache)
    assert.equal((await client.listOriginRequestPolicies({ Type })).OriginRequestPolicyList?.Quantity, MANAGED.request)
    const list = (await client.listResponseHeadersPolicies({ Type })).ResponseHeadersPolicyList
    assert.deepEqual(
      list?.Items?.map(({ Type: type, ResponseHeadersPolicy: policy }) => [
        type,
        policy?.ResponseHeadersPolicyConfig?.Name,
        policy?.Id,
      ]),
      MANAGED.headers.map(([name, id]) => ['managed', `Managed-${name}`, id]),
    )
    let made = site.one
    for (const [name, id] of MANAGED.headers) {
      const got = await client.getResponseHeadersPolicy({ Id: id })
      assert.equal(got.ResponseHeadersPolicy?.ResponseHeadersPolicyConfig?.Name, `Managed-${name}`)
      const DefaultCacheBehavior = { ...made.config.DefaultCacheBehavior, ResponseHeadersPolicyId: id } as never
      made = await site.update({ DefaultCacheBehavior }, made)
      assert.equal(made.config.DefaultCacheBehavior?.ResponseHeadersPolicyId, id)
    }
    const { SecurityHeadersConfig } = (
      await client.getResponseHeadersPolicyConfig({ Id: '67f7725c-6f97-4210-82d7-5512b31e9d03' })
    ).ResponseHeadersPolicyConfig as ResponseHeadersPolicyConfig
    assert.deepEqual(SecurityHeadersConfig, {
      XSSProtection: { Override: false, Protection: true, ModeBlock: true },
      FrameOptions: { Override: false, FrameOption: 'SAMEORIGIN' },
      ReferrerPolicy: { Override: false, ReferrerPolicy: 'strict-origin-when-cross-origin' },
      ContentTypeOptions: { Override: true },
      StrictTransportSecurity: {
        Override: false,
        IncludeSubdomains: false,
        Preload: false,
        AccessControlMaxAgeSec: 31_536_000,
      },
    })
  }))

test('lists of policies go on from page to page', () =>
  FaultSite.use({}, async ({ client }) => {
    await client.createResponseHeadersPolicy({ ResponseHeadersPolicyConfig: EVERYTHING })
    const seen: (string | undefined)[] = []
    let Marker: string | undefined
    do {
      const page = (await client.listResponseHeadersPolicies({ MaxItems: 4, ...(Marker && { Marker }) }))
        .ResponseHeadersPolicyList
      assert.ok((page?.Items?.length ?? 0) <= 4)
      seen.push(...(page?.Items ?? []).map((item) => item.ResponseHeadersPolicy?.ResponseHeadersPolicyConfig?.Name))
      Marker = page?.NextMarker
    } while (Marker !== undefined)
    assert.equal(seen.length, 6)
    assert.equal(seen.at(-1), 'everything')
    assert.equal(new Set(seen).size, 6)
  }))

test('who uses a policy: default behavior, other behaviors, each distribution once, from page to page', () =>
  FaultSite.use({}, async (site) => {
    const { client, one } = site
    const made = await client.createResponseHeadersPolicy({ ResponseHeadersPolicyConfig: EVERYTHING })
    const ResponseHeadersPolicyId = made.ResponseHeadersPolicy?.Id
    const standard = one.config.DefaultCacheBehavior
    const named = { ...standard, ResponseHeadersPolicyId } as never
    const ids = [
      (await site.create({ DefaultCacheBehavior: named })).id,
      (await site.create({ CacheBehaviors: listed({ ...(named as object), PathPattern: '/a' } as never) })).id,
      (
        await site.create({
          DefaultCacheBehavior: named,
          CacheBehaviors: listed({ ...(named as object), PathPattern: '/a' } as never),
        })
      ).id,
    ].sort()
    const whole = await client.listDistributionsByResponseHeadersPolicyId({ ResponseHeadersPolicyId })
    assert.deepEqual(whole.DistributionIdList, {
      Marker: '',
      MaxItems: 100,
      IsTruncated: false,
      Quantity: 3,
      Items: ids,
    })
    const first = await client.listDistributionsByResponseHeadersPolicyId({ ResponseHeadersPolicyId, MaxItems: 2 })
    assert.equal(first.DistributionIdList?.IsTruncated, true)
    const second = await client.listDistributionsByResponseHeadersPolicyId({
      ResponseHeadersPolicyId,
      MaxItems: 2,
      Marker: first.DistributionIdList?.NextMarker,
    })
    assert.deepEqual([...(first.DistributionIdList?.Items ?? []), ...(second.DistributionIdList?.Items ?? [])], ids)
    const unused = await client.listDistributionsByResponseHeadersPolicyId({
      ResponseHeadersPolicyId: MANAGED.headers[0][1],
    })
    assert.equal(unused.DistributionIdList?.Quantity, 0)
    const byCache = await client.listDistributionsByCachePolicyId({ CachePolicyId: standard?.CachePolicyId })
    assert.deepEqual(byCache.DistributionIdList?.Items, [...ids, one.id].sort())
    const OriginRequestPolicyId = '216adef6-5c7f-47e4-b989-5492eafa07d3'
    await site.update({ DefaultCacheBehavior: { ...standard, OriginRequestPolicyId } as never })
    const byRequest = await client.listDistributionsByOriginRequestPolicyId({ OriginRequestPolicyId })
    assert.deepEqual(byRequest.DistributionIdList?.Items, [one.id])
  }))

test('distributions without a web ACL, and by their connection mode', () =>
  FaultSite.use({}, async ({ client, one }) => {
    const ids = (list: { readonly Items?: readonly { readonly Id?: string | undefined }[] | undefined } | undefined) =>
      list?.Items?.map(({ Id }) => Id) ?? []
    assert.deepEqual(ids((await client.listDistributionsByWebACLId({ WebACLId: 'null' })).DistributionList), [one.id])
    const acl = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/00000000-0000-0000-0000-000000000000'
    assert.deepEqual(ids((await client.listDistributionsByWebACLId({ WebACLId: acl })).DistributionList), [])
    const direct = await client.listDistributionsByConnectionMode({ ConnectionMode: 'direct' })
    assert.deepEqual(ids(direct.DistributionList), [one.id])
    const tenants = await client.listDistributionsByConnectionMode({ ConnectionMode: 'tenant-only' })
    assert.deepEqual(ids(tenants.DistributionList), [])
  }))

test('a lookup by what is not built answers 501 and names the operation', () =>
  FaultSite.use({}, async ({ client }) => {
    for (const call of [
      () => client.listDistributionsByVpcOriginId({ VpcOriginId: 'x' }),
      () => client.listDistributionsByAnycastIpListId({ AnycastIpListId: 'x' }),
      () => client.listDistributionsByRealtimeLogConfig({ RealtimeLogConfigName: 'x' }),
      () => client.listDistributionsByConnectionFunction({ ConnectionFunctionIdentifier: 'x' }),
      () => client.listDistributionsByOwnedResource({ ResourceArn: 'x' }),
    ]) {
      await assert.rejects(call(), (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
        assert.equal(error.name, 'NotImplemented')
        assert.equal(error.$metadata?.httpStatusCode, 501)
        assert.match(error.message, /ListDistributionsBy/)
        return true
      })
    }
  }))

test('ForwardedValues come back with every field, and Get, edit, Update round-trips', () =>
  FaultSite.use({}, async (site) => {
    const { client, one } = site
    const { CachePolicyId: _, ...standard } = one.config.DefaultCacheBehavior ?? {}
    const ForwardedValues = {
      QueryString: true,
      Cookies: { Forward: 'whitelist', WhitelistedNames: listed('session*') },
      Headers: listed('Origin'),
      QueryStringCacheKeys: listed('page'),
    } as const
    const made = await site.update({ DefaultCacheBehavior: { ...standard, ForwardedValues, MinTTL: 5 } as never })
    const got = await client.getDistributionConfig({ Id: one.id })
    const behavior = got.DistributionConfig?.DefaultCacheBehavior
    assert.deepEqual(behavior?.ForwardedValues, ForwardedValues)
    assert.deepEqual([behavior?.MinTTL, behavior?.DefaultTTL, behavior?.MaxTTL], [5, 86_400, 31_536_000])
    assert.equal(behavior?.CachePolicyId, undefined)
    const again = await site.update({ Comment: 'edited' }, made)
    assert.deepEqual(again.config.DefaultCacheBehavior, behavior)
    const plain = { QueryString: false, Cookies: { Forward: 'none' } }
    const small = await site.update({ DefaultCacheBehavior: { ...standard, ForwardedValues: plain } as never }, again)
    assert.deepEqual(small.config.DefaultCacheBehavior?.ForwardedValues, {
      ...plain,
      Headers: { Quantity: 0 },
      QueryStringCacheKeys: { Quantity: 0 },
    })
    assert.equal(small.config.DefaultCacheBehavior?.MinTTL, 0)
    // Back to a policy: the TTLs go with ForwardedValues.
    const back = await site.update({ DefaultCacheBehavior: one.config.DefaultCacheBehavior as never }, small)
    assert.deepEqual(back.config.DefaultCacheBehavior, one.config.DefaultCacheBehavior)
  }))
