import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { ImportCertificateRequest } from '@aws-sdk/client-acm'
import type { CustomErrorResponse, DistributionConfig, Origin } from '@aws-sdk/client-cloudfront'
import { withImported } from '../../../test/support/viewer-certificate.ts'
import { Fault } from '../../domain/faults.ts'
import { quotasWith } from '../../domain/quotas.ts'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { State } from '../../state/state.ts'
import { importCertificate } from '../acm/import-certificate.ts'
import type { ServiceContext } from '../service.ts'
import { CLOUDFRONT_OPERATIONS } from './operations.ts'

const OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'
const DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'
const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'

let home: string
let state: State
let context: ServiceContext
let number = 0

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'cachefront-cloudfront-'))
})
after(() => rm(home, { recursive: true, force: true }))

beforeEach(async () => {
  state = await openSqliteState(join(home, `state-${++number}`, 'state.db'), systemClock)
  context = {
    state,
    clock: systemClock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    quotas: quotasWith(),
    host: { binaries: () => [] },
  }
})
afterEach(() => state.close())

// biome-ignore lint/suspicious/noExplicitAny: the answers of many operations, read member by member in the tests.
async function call(operation: string, input: unknown = {}): Promise<any> {
  const run = CLOUDFRONT_OPERATIONS[operation]
  assert(run !== undefined)
  return run(input, context)
}

const acm = { importCertificate: (input: ImportCertificateRequest) => importCertificate(input, context) }

const refused =
  (code: string, status: number, text = /./) =>
  (error: unknown) => {
    assert(error instanceof Fault, String(error))
    assert.equal(error.code, code, error.message)
    assert.equal(error.status, status)
    assert.match(error.message, text)
    return true
  }

function config(changes: Partial<DistributionConfig> = {}, reference = `r${Math.random()}`): DistributionConfig {
  return {
    CallerReference: reference,
    Comment: '',
    Enabled: true,
    Origins: {
      Quantity: 1,
      Items: [
        {
          Id: 'shop',
          DomainName: '127.0.0.1',
          CustomOriginConfig: { HTTPPort: 8000, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
        },
      ],
    },
    DefaultCacheBehavior: { TargetOriginId: 'shop', ViewerProtocolPolicy: 'allow-all', CachePolicyId: OPTIMIZED },
    ...changes,
  }
}

const behavior = (changes: object) => ({
  DefaultCacheBehavior: {
    TargetOriginId: 'shop',
    ViewerProtocolPolicy: 'allow-all' as const,
    CachePolicyId: OPTIMIZED,
    ...changes,
  },
})

const PAGE = { ErrorCode: 404, ResponsePagePath: '/404.html', ResponseCode: '200', ErrorCachingMinTTL: 5 }
const errors = (...Items: CustomErrorResponse[]) => ({ CustomErrorResponses: { Quantity: Items.length, Items } })

const create = async (changes: Partial<DistributionConfig> = {}) =>
  call('CreateDistribution', { DistributionConfig: config(changes) })

/** As the reconciler does when every edge has acknowledged. */
const deploy = (id: string) =>
  state.transact(async (tx) => {
    const stored = await tx.get('distribution', id)
    assert(stored)
    await tx.put('distribution', id, { ...stored.doc, status: 'Deployed' })
  })

describe('distributions', () => {
  test('a new one has AWS-shaped names, is in progress and is fully defaulted', async () => {
    const { Distribution: made, ETag, Location } = await create()
    assert.match(made.Id, /^E[A-Z0-9]{13}$/)
    assert.match(made.DomainName, /^d[a-z0-9]{13}\.cloudfront\.localhost$/)
    assert.equal(made.ARN, `arn:aws:cloudfront::123456789012:distribution/${made.Id}`)
    assert.equal(Location, `https://cloudfront.amazonaws.com/2020-05-31/distribution/${made.Id}`)
    assert.match(ETag, /^E[A-Z0-9]{13}$/)
    assert.equal(made.Status, 'InProgress')
    assert.equal(made.DistributionConfig.PriceClass, 'PriceClass_All')
    assert.deepEqual(made.DistributionConfig.CacheBehaviors, { Quantity: 0 })
    assert.equal(made.DistributionConfig.DefaultCacheBehavior.Compress, false)
    const stored = await state.get('distribution', made.Id)
    assert.equal(stored?.doc.changedRevision, stored?.revision)
  })

  test('Get, edit, Update round-trips with a new ETag each time', async () => {
    const { Distribution: made, ETag: first } = await create()
    const got = await call('GetDistributionConfig', { Id: made.Id })
    assert.equal(got.ETag, first)
    const edited = { ...got.DistributionConfig, Comment: 'edited' }
    const updated = await call('UpdateDistribution', { Id: made.Id, IfMatch: first, DistributionConfig: edited })
    assert.notEqual(updated.ETag, first)
    const again = await call('GetDistribution', { Id: made.Id })
    assert.deepEqual(again.Distribution.DistributionConfig, edited)
    assert.equal(again.ETag, updated.ETag)
  })

  test('custom error responses get their defaults and round-trip', async () => {
    const { Distribution: made, ETag: IfMatch } = await create(errors({ ErrorCode: 503 }, PAGE))
    const stored = {
      Quantity: 2,
      Items: [{ ErrorCode: 503, ResponsePagePath: '', ResponseCode: '', ErrorCachingMinTTL: 10 }, PAGE],
    }
    assert.deepEqual(made.DistributionConfig.CustomErrorResponses, stored)
    const input = { Id: made.Id, IfMatch, DistributionConfig: made.DistributionConfig }
    const updated = await call('UpdateDistribution', input)
    assert.deepEqual(updated.Distribution.DistributionConfig.CustomErrorResponses, stored)
  })

  test('Compress is stored', async () => {
    const { Distribution: made } = await create(behavior({ Compress: true }))
    assert.equal(made.DistributionConfig.DefaultCacheBehavior.Compress, true)
  })

  test('If-Match: missing or misshapen is 400, stale is 412, and nothing changes', async () => {
    const { Distribution: made, ETag } = await create()
    const input = { Id: made.Id, DistributionConfig: made.DistributionConfig }
    await assert.rejects(call('UpdateDistribution', input), refused('InvalidIfMatchVersion', 400))
    await assert.rejects(
      call('UpdateDistribution', { ...input, IfMatch: 'not one!' }),
      refused('InvalidIfMatchVersion', 400),
    )
    await assert.rejects(
      call('UpdateDistribution', { ...input, IfMatch: 'E00000000000AA' }),
      refused('PreconditionFailed', 412),
    )
    await assert.rejects(
      call('DeleteDistribution', { Id: made.Id, IfMatch: 'EXX' }),
      refused('PreconditionFailed', 412),
    )
    assert.equal((await call('GetDistribution', { Id: made.Id })).ETag, ETag)
  })

  test('an update needs the fields that a create does not, and the same CallerReference', async () => {
    const { Distribution: made, ETag: IfMatch } = await create()
    const { Aliases: _, ...without } = made.DistributionConfig
    await assert.rejects(
      call('UpdateDistribution', { Id: made.Id, IfMatch, DistributionConfig: without }),
      refused('IllegalUpdate', 400, /Aliases/),
    )
    const other = { ...made.DistributionConfig, CallerReference: 'other' }
    await assert.rejects(
      call('UpdateDistribution', { Id: made.Id, IfMatch, DistributionConfig: other }),
      refused('IllegalUpdate', 400, /CallerReference/),
    )
  })

  test('a CallerReference is used once, whatever the content', async () => {
    await call('CreateDistribution', { DistributionConfig: config({}, 'once') })
    await assert.rejects(
      call('CreateDistribution', { DistributionConfig: config({}, 'once') }),
      refused('DistributionAlreadyExists', 409),
    )
  })

  test('Delete needs disabled and Deployed; then it and its tags and invalidations are gone', async () => {
    const { Distribution: made } = await call('CreateDistributionWithTags', {
      DistributionConfigWithTags: { DistributionConfig: config(), Tags: { Items: [{ Key: 'team', Value: 'shop' }] } },
    })
    const batch = { CallerReference: 'i', Paths: { Quantity: 1, Items: ['/*'] } }
    await call('CreateInvalidation', { DistributionId: made.Id, InvalidationBatch: batch })
    const got = await call('GetDistribution', { Id: made.Id })
    assert.equal(got.Distribution.InProgressInvalidationBatches, 1)
    await assert.rejects(
      call('DeleteDistribution', { Id: made.Id, IfMatch: got.ETag }),
      refused('DistributionNotDisabled', 409),
    )
    const { ETag: IfMatch } = await call('UpdateDistribution', {
      Id: made.Id,
      IfMatch: got.ETag,
      DistributionConfig: { ...got.Distribution.DistributionConfig, Enabled: false },
    })
    await assert.rejects(call('DeleteDistribution', { Id: made.Id, IfMatch }), refused('DistributionNotDisabled', 409))
    await deploy(made.Id)
    await call('DeleteDistribution', { Id: made.Id, IfMatch })
    await assert.rejects(call('GetDistribution', { Id: made.Id }), refused('NoSuchDistribution', 404))
    assert.deepEqual(await state.list('invalidation'), [])
    assert.deepEqual(await state.list('tags'), [])
  })

  test('an alias belongs to one distribution', async () => {
    const aliases = await withImported(acm, ['shop.example.com'])
    await create(aliases)
    await assert.rejects(create(aliases), refused('CNAMEAlreadyExists', 409))
    await assert.rejects(
      create({ Aliases: { Quantity: 1, Items: ['Shop.example.com'] } }),
      refused('InvalidArgument', 400),
    )
  })

  test('SSLSupportMethod vip gets an address, which stays its own until it is deleted', async () => {
    const { ViewerCertificate } = await withImported(acm, [], ['shop.example.com'])
    const vip = { ViewerCertificate: { ...ViewerCertificate, SSLSupportMethod: 'vip' as const } }
    await assert.rejects(create(vip), refused('NotImplemented', 501, /SSLSupportMethod \(vip\).*--dedicated-ips/))
    context = { ...context, dedicatedAddresses: ['127.9.0.1', '127.9.0.2'] }
    const addressOf = async (id: string) => (await state.get('distribution', id))?.doc.dedicatedAddress
    const [one, two] = [await create(vip), await create(vip)]
    assert.deepEqual(
      [await addressOf(one.Distribution.Id), await addressOf(two.Distribution.Id)],
      ['127.9.0.1', '127.9.0.2'],
    )
    await assert.rejects(create(vip), refused('TooManyCertificates', 400))
    const { DistributionConfig, ETag: IfMatch } = await call('GetDistributionConfig', { Id: one.Distribution.Id })
    const sni = { ...DistributionConfig, Enabled: false, ViewerCertificate: { ...ViewerCertificate } }
    const { ETag } = await call('UpdateDistribution', { Id: one.Distribution.Id, IfMatch, DistributionConfig: sni })
    // Nobody else gets it before it is gone.
    await assert.rejects(create(vip), refused('TooManyCertificates', 400))
    const stored = await state.get('distribution', one.Distribution.Id)
    await state.transact((tx) => tx.put('distribution', one.Distribution.Id, { ...stored!.doc, status: 'Deployed' }))
    await call('DeleteDistribution', { Id: one.Distribution.Id, IfMatch: ETag })
    const three = await create(vip)
    assert.equal(await addressOf(three.Distribution.Id), '127.9.0.1')
  })

  test('lists come in pages, by Marker and MaxItems', async () => {
    const empty = await call('ListDistributions')
    assert.deepEqual(empty.DistributionList, { Marker: '', MaxItems: 100, IsTruncated: false, Quantity: 0 })
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push((await create()).Distribution.Id)
    const seen: string[] = []
    let Marker: string | undefined
    let pages = 0
    do {
      const { DistributionList: page } = await call('ListDistributions', { MaxItems: 2, Marker })
      assert.equal(page.Marker, Marker ?? '')
      assert.equal(page.IsTruncated, page.NextMarker !== undefined)
      assert.equal(page.Quantity, page.Items.length)
      seen.push(...page.Items.map((item: { Id: string }) => item.Id))
      Marker = page.NextMarker
      pages++
    } while (Marker !== undefined)
    assert.equal(pages, 3)
    assert.deepEqual(seen, ids.sort())
    await assert.rejects(call('ListDistributions', { MaxItems: 0 }), refused('InvalidArgument', 400))
  })
})

describe('what is refused', () => {
  const invalid: readonly [string, Partial<DistributionConfig>, string, number][] = [
    ['an unknown origin', behavior({ TargetOriginId: 'other' }), 'NoSuchOrigin', 404],
    ['a slash before the root object', { DefaultRootObject: '/index.html' }, 'InvalidDefaultRootObject', 400],
    ['an unknown policy', behavior({ CachePolicyId: 'no-such' }), 'NoSuchCachePolicy', 404],
    ['no caching at all', behavior({ CachePolicyId: undefined }), 'InvalidArgument', 400],
    [
      'an unknown origin request policy',
      behavior({ OriginRequestPolicyId: 'no-such' }),
      'NoSuchOriginRequestPolicy',
      404,
    ],
    ['a set of methods', behavior({ AllowedMethods: { Quantity: 1, Items: ['GET'] } }), 'InvalidArgument', 400],
    ['an address as alias', { Aliases: { Quantity: 1, Items: ['192.0.2.1'] } }, 'InvalidArgument', 400],
    ['a connection mode that is none', { ConnectionMode: 'x' as 'direct' }, 'InvalidArgument', 400],
    [
      'a long origin id',
      { Origins: { Quantity: 1, Items: [{ Id: 'x'.repeat(129), DomainName: 'a.example' }] } },
      'InvalidArgument',
      400,
    ],
    ['a long comment', { Comment: 'x'.repeat(129) }, 'InvalidArgument', 400],
    ['no certificate', { ViewerCertificate: { CloudFrontDefaultCertificate: false } }, 'InvalidViewerCertificate', 400],
    ['an error code without page', errors({ ErrorCode: 418 }), 'InvalidErrorCode', 400],
    ['a status that has no page', errors({ ErrorCode: 412, ErrorCachingMinTTL: 5 }), 'InvalidErrorCode', 400],
    ['a response code of its own', errors({ ...PAGE, ResponseCode: '301' }), 'InvalidResponseCode', 400],
    ['a page without response code', errors({ ...PAGE, ResponseCode: '' }), 'InvalidArgument', 400],
    ['a response code without page', errors({ ...PAGE, ResponsePagePath: undefined }), 'InvalidArgument', 400],
    ['an error code twice', errors(PAGE, { ...PAGE, ResponseCode: '404' }), 'InvalidArgument', 400],
    ['a negative TTL', errors({ ...PAGE, ErrorCachingMinTTL: -1 }), 'InvalidArgument', 400],
    ['a relative page', errors({ ...PAGE, ResponsePagePath: '404.html' }), 'InvalidRelativePath', 400],
    ['a page with a query', errors({ ...PAGE, ResponsePagePath: '/404?x' }), 'InvalidRelativePath', 400],
    ['a page with a space', errors({ ...PAGE, ResponsePagePath: '/not found' }), 'InvalidRelativePath', 400],
    ['a long page', errors({ ...PAGE, ResponsePagePath: `/${'x'.repeat(4000)}` }), 'InvalidRelativePath', 400],
    // Wrong comes before not built.
    [
      'a wrong value beside one that is not built',
      { ...behavior({ SmoothStreaming: true }), HttpVersion: 'http9' as never },
      'InvalidArgument',
      400,
    ],
  ]
  // Spec 6.2, each row; and how names begin.
  const notCustom =
    'Cache-Control Connection Content-Length Cookie Host If-Match If-Modified-Since If-None-Match If-Range ' +
    'If-Unmodified-Since Max-Forwards Pragma Proxy-Authorization Proxy-Connection Range Request-Range TE Trailer ' +
    'Transfer-Encoding Upgrade Via X-Real-Ip X-Amz-Meta-Own X-Edge-Own x-amz-cf-id HOST'
  const withHeader = (HeaderName: string): Partial<DistributionConfig> => {
    const [origin] = config().Origins?.Items ?? []
    const CustomHeaders = { Quantity: 1, Items: [{ HeaderName, HeaderValue: 'v' }] }
    return { Origins: { Quantity: 1, Items: [{ ...(origin as Origin), CustomHeaders }] } }
  }
  for (const name of notCustom.split(' ')) {
    test(`an origin's custom header ${name}: InvalidArgument`, async () => {
      await assert.rejects(create(withHeader(name)), refused('InvalidArgument', 400))
      assert.deepEqual(await state.list('distribution'), [])
    })
  }
  test("an origin's custom header may be Authorization, or one of its own", async () => {
    for (const name of ['Authorization', 'X-Verify', 'User-Agent']) await create(withHeader(name))
    assert.equal((await state.list('distribution')).length, 3)
  })

  for (const [name, changes, code, status] of invalid) {
    test(`${name}: ${code}`, async () => {
      await assert.rejects(create(changes), refused(code, status))
      assert.deepEqual(await state.list('distribution'), [])
    })
  }

  const notBuilt: readonly [string, Partial<DistributionConfig>][] = [
    ['HttpVersion', { HttpVersion: 'http3' }],
    ['HttpVersion', { HttpVersion: 'http2and3' }],
    ['PriceClass', { PriceClass: 'None' }],
    ['WebACLId', { WebACLId: '0a1b2c3d-0000-0000-0000-000000000000' }],
    [
      'Logging.Enabled',
      { Logging: { Enabled: true, IncludeCookies: false, Bucket: 'b.s3.amazonaws.com', Prefix: '' } },
    ],
    ['Amplify-Default', behavior({ CachePolicyId: '4d1d2f1d-3a71-49ad-9e08-7ea5d843a556' })],
  ]
  for (const [field, changes] of notBuilt) {
    test(`${field} ${changes.HttpVersion ?? ''} is not built: 501 with its name`, async () => {
      const names = new RegExp(field.replace(/[[\].]/g, '\\$&'))
      await assert.rejects(create(changes), refused('NotImplemented', 501, names))
      assert.deepEqual(await state.list('distribution'), [])
    })
  }
})

describe('invalidations', () => {
  const batch = (reference: string, ...Items: string[]) => ({
    CallerReference: reference,
    Paths: { Quantity: Items.length, Items },
  })

  test('the same batch again is the earlier one; other paths are an error', async () => {
    const { Distribution: made } = await create()
    const input = (b: object) => ({ DistributionId: made.Id, InvalidationBatch: b })
    const first = await call('CreateInvalidation', input(batch('a', '/x', '/y*')))
    assert.equal(first.Invalidation.Status, 'InProgress')
    assert.match(first.Location, new RegExp(`/distribution/${made.Id}/invalidation/${first.Invalidation.Id}$`))
    const again = await call('CreateInvalidation', input(batch('a', '/x', '/y*')))
    assert.equal(again.Invalidation.Id, first.Invalidation.Id)
    await assert.rejects(
      call('CreateInvalidation', input(batch('a', '/z'))),
      refused('InvalidationBatchAlreadyExists', 409),
    )
    const second = await call('CreateInvalidation', input(batch('b', '/z')))
    const { InvalidationList: list } = await call('ListInvalidations', { DistributionId: made.Id })
    assert.deepEqual(
      list.Items.map((item: { Id: string }) => item.Id),
      [second.Invalidation.Id, first.Invalidation.Id],
    )
    const got = await call('GetInvalidation', { DistributionId: made.Id, Id: first.Invalidation.Id })
    assert.deepEqual(got.Invalidation.InvalidationBatch, batch('a', '/x', '/y*'))
  })

  test('wrong paths, too many paths, unknown ids', async () => {
    const { Distribution: made } = await create()
    const invalidate = (...paths: string[]) =>
      call('CreateInvalidation', { DistributionId: made.Id, InvalidationBatch: batch(paths.join(), ...paths) })
    await assert.rejects(invalidate('no-slash'), refused('InvalidArgument', 400))
    await assert.rejects(invalidate('/a*b'), refused('InvalidArgument', 400))
    await assert.rejects(invalidate('#tag'), refused('InvalidArgument', 400))
    await assert.rejects(invalidate(...Array.from({ length: 3001 }, (_, i) => `/${i}`)), refused('BatchTooLarge', 413))
    await assert.rejects(
      invalidate(...Array.from({ length: 16 }, (_, i) => `/${i}*`)),
      refused('TooManyInvalidationsInProgress', 400),
    )
    await assert.rejects(
      call('GetInvalidation', { DistributionId: made.Id, Id: 'INONE' }),
      refused('NoSuchInvalidation', 404),
    )
    await assert.rejects(call('ListInvalidations', { DistributionId: 'ENONE' }), refused('NoSuchDistribution', 404))
  })
})

describe('policies', () => {
  const policy = (changes: object = {}) => ({ Name: `p${Math.random().toString(36).slice(2)}`, MinTTL: 0, ...changes })
  const parameters = (changes: object = {}) => ({
    ParametersInCacheKeyAndForwardedToOrigin: {
      EnableAcceptEncodingGzip: false,
      HeadersConfig: { HeaderBehavior: 'none' },
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'none' },
      ...changes,
    },
  })
  const headers = (...Items: string[]) =>
    parameters({ HeadersConfig: { HeaderBehavior: 'whitelist', Headers: { Quantity: Items.length, Items } } })

  test('defaults, round trip, in use, delete', async () => {
    const made = await call('CreateCachePolicy', { CachePolicyConfig: policy({ Name: 'mine' }) })
    const Id = made.CachePolicy.Id
    assert.match(Id, /^[0-9a-f-]{36}$/)
    assert.equal(made.CachePolicy.CachePolicyConfig.DefaultTTL, 86_400)
    assert.equal(made.CachePolicy.CachePolicyConfig.MaxTTL, 31_536_000)
    await assert.rejects(
      call('CreateCachePolicy', { CachePolicyConfig: policy({ Name: 'mine' }) }),
      refused('CachePolicyAlreadyExists', 409),
    )
    const edited = { ...made.CachePolicy.CachePolicyConfig, MaxTTL: 86_400 }
    const updated = await call('UpdateCachePolicy', { Id, IfMatch: made.ETag, CachePolicyConfig: edited })
    assert.deepEqual((await call('GetCachePolicyConfig', { Id })).CachePolicyConfig, edited)
    await create(behavior({ CachePolicyId: Id }))
    await assert.rejects(call('DeleteCachePolicy', { Id, IfMatch: updated.ETag }), refused('CachePolicyInUse', 409))
    await assert.rejects(call('DeleteCachePolicy', { Id }), refused('InvalidIfMatchVersion', 400))
  })

  const wrong: readonly [string, object, string, number][] = [
    ['order of TTLs', { MinTTL: 10, DefaultTTL: 5 }, 'InvalidTTLOrder', 400],
    ['caching disabled', { DefaultTTL: 0, MaxTTL: 0, ...headers('X-A') }, 'InvalidArgument', 400],
    ['a header of the connection', headers('Connection'), 'InvalidArgument', 400],
    ['a header that differs for each viewer', headers('CloudFront-Viewer-Address'), 'InvalidArgument', 400],
    ['a header that differs for each network', headers('CloudFront-Viewer-ASN'), 'InvalidArgument', 400],
    ['a header that differs for each connection', headers('CloudFront-Viewer-Cert-Pem'), 'InvalidArgument', 400],
    ['a header of the ClientHello', headers('CloudFront-Viewer-JA3-Fingerprint'), 'InvalidArgument', 400],
    ['a header that nobody knows', headers('CloudFront-Viewer-Mood'), 'NotImplemented', 501],
    [
      'too many headers',
      headers(...Array.from({ length: 11 }, (_, i) => `X-${i}`)),
      'TooManyHeadersInCachePolicy',
      400,
    ],
  ]
  for (const [name, changes, code, status] of wrong) {
    test(`${name}: ${code}`, async () => {
      await assert.rejects(call('CreateCachePolicy', { CachePolicyConfig: policy(changes) }), refused(code, status))
    })
  }

  test('managed ones are listed by their ids and names, and cannot be changed', async () => {
    const { CachePolicyList: managed } = await call('ListCachePolicies', { Type: 'managed' })
    assert.equal(managed.Quantity, 11)
    const optimized = managed.Items.find((item: { CachePolicy: { Id: string } }) => item.CachePolicy.Id === OPTIMIZED)
    assert.equal(optimized.Type, 'managed')
    assert.equal(optimized.CachePolicy.CachePolicyConfig.Name, 'Managed-CachingOptimized')
    assert.equal((await call('ListCachePolicies', { Type: 'custom' })).CachePolicyList.Quantity, 0)
    await assert.rejects(call('UpdateCachePolicy', { Id: DISABLED, IfMatch: 'E' }), refused('IllegalUpdate', 400))
    await assert.rejects(
      call('DeleteOriginRequestPolicy', { Id: ALL_VIEWER, IfMatch: 'E' }),
      refused('IllegalDelete', 400),
    )
    const { OriginRequestPolicyList: page } = await call('ListOriginRequestPolicies', { MaxItems: 3 })
    assert.equal(page.Quantity, 3)
    assert.equal(page.NextMarker, page.Items[2].OriginRequestPolicy.Id)
  })

  test('a list goes on where it was when the policy of its Marker is deleted', async () => {
    for (const Name of ['a', 'b', 'c']) await call('CreateCachePolicy', { CachePolicyConfig: policy({ Name }) })
    const ids = ({ CachePolicyList: page }: { CachePolicyList: { Items?: { CachePolicy: { Id: string } }[] } }) =>
      (page.Items ?? []).map((item) => item.CachePolicy.Id)
    const [first, ...rest] = ids(await call('ListCachePolicies', { Type: 'custom' }))
    await call('DeleteCachePolicy', { Id: first, IfMatch: (await call('GetCachePolicy', { Id: first })).ETag })
    assert.deepEqual(ids(await call('ListCachePolicies', { Marker: first })), rest)
    assert.deepEqual(ids(await call('ListCachePolicies', { Marker: rest[1] })), [])
  })

  test('an origin request policy of the account', async () => {
    const made = await call('CreateOriginRequestPolicy', {
      OriginRequestPolicyConfig: {
        Name: 'forward',
        HeadersConfig: { HeaderBehavior: 'allExcept', Headers: { Quantity: 1, Items: ['Host'] } },
        CookiesConfig: { CookieBehavior: 'all' },
        QueryStringsConfig: { QueryStringBehavior: 'all' },
      },
    })
    const got = await call('GetOriginRequestPolicy', { Id: made.OriginRequestPolicy.Id })
    assert.equal(got.ETag, made.ETag)
    await call('DeleteOriginRequestPolicy', { Id: made.OriginRequestPolicy.Id, IfMatch: made.ETag })
    await assert.rejects(
      call('GetOriginRequestPolicy', { Id: made.OriginRequestPolicy.Id }),
      refused('NoSuchOriginRequestPolicy', 404),
    )
  })
})

test('tags: put, read, remove; wrong ones are refused', async () => {
  const { Distribution: made } = await create()
  const Resource = made.ARN
  await call('TagResource', { Resource, Tags: { Items: [{ Key: 'a', Value: '1' }, { Key: 'b' }] } })
  await call('TagResource', { Resource, Tags: { Items: [{ Key: 'a', Value: '2' }] } })
  const listed = await call('ListTagsForResource', { Resource })
  assert.deepEqual(listed.Tags.Items, [
    { Key: 'a', Value: '2' },
    { Key: 'b', Value: '' },
  ])
  await call('UntagResource', { Resource, TagKeys: { Items: ['a', 'none'] } })
  assert.deepEqual((await call('ListTagsForResource', { Resource })).Tags.Items, [{ Key: 'b', Value: '' }])
  await call('TagResource', { Resource, Tags: { Items: [{ Key: '__proto__', Value: 'kept' }] } })
  assert.deepEqual((await call('ListTagsForResource', { Resource })).Tags.Items, [
    { Key: 'b', Value: '' },
    { Key: '__proto__', Value: 'kept' },
  ])
  for (const Key of ['aws:x', 'AWS:x', 'cachefront:x', '<', '']) {
    await assert.rejects(call('TagResource', { Resource, Tags: { Items: [{ Key }] } }), refused('InvalidTagging', 400))
  }
  for (const Value of ['', 'yes', 'TRUE']) {
    const Tags = { Items: [{ Key: 'cachefront:rfc-strict', Value }] }
    await assert.rejects(call('TagResource', { Resource, Tags }), refused('InvalidTagging', 400, /true or false/))
  }
  await assert.rejects(call('ListTagsForResource', { Resource: `${Resource}X` }), refused('NoSuchResource', 404))
  await assert.rejects(call('ListTagsForResource', { Resource: 'x' }), refused('InvalidArgument', 400))
})

test('the tag of strict mode is deployed like a change of the configuration, other tags are not', async () => {
  const tag = (Key: string, Value: string) => ({ Tags: { Items: [{ Key, Value }] } })
  const strict = tag('cachefront:rfc-strict', 'true')
  const untag = { TagKeys: { Items: ['cachefront:rfc-strict'] } }
  const made = await call('CreateDistributionWithTags', {
    DistributionConfigWithTags: { DistributionConfig: config(), ...strict },
  })
  const { Id, ARN: Resource } = made.Distribution
  const changedAt = async () => (await state.get('distribution', Id))?.doc.changedRevision
  for (const [operation, input, after] of [
    ['TagResource', tag('team', 'a'), 'Deployed'],
    ['TagResource', strict, 'Deployed'],
    ['TagResource', tag('cachefront:rfc-strict', 'false'), 'InProgress'],
    ['UntagResource', untag, 'Deployed'],
    ['TagResource', strict, 'InProgress'],
    ['UntagResource', untag, 'InProgress'],
  ] as const) {
    await deploy(Id)
    const before = await changedAt()
    await call(operation, { Resource, ...input })
    assert.equal((await call('GetDistribution', { Id })).Distribution.Status, after, operation)
    assert.equal((await changedAt()) === before, after === 'Deployed')
  }
})
