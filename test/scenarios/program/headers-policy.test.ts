//! A response headers policy of the running program, as one goes about it: create one with everything, attach it, see the
//! headers on a miss and on a hit, change it and see the change without losing what is cached, find who uses it, and
//! delete it when nobody does. With AWS's SDK; legacy ForwardedValues and a lookup with AWS's command line.
import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import {
  CloudFront,
  type DefaultCacheBehavior,
  type DistributionConfig,
  type ResponseHeadersPolicyConfig,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { aws, awsJson } from '../../support/api-programs.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { listed } from '../../support/fault-site.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

const EVERYTHING: ResponseHeadersPolicyConfig = {
  Name: 'everything',
  CorsConfig: {
    AccessControlAllowOrigins: listed('https://app.test', 'https://*.shop.test'),
    AccessControlAllowHeaders: listed('X-Token'),
    AccessControlAllowMethods: listed('GET', 'PUT'),
    AccessControlAllowCredentials: true,
    AccessControlMaxAgeSec: 600,
    OriginOverride: true,
  },
  SecurityHeadersConfig: {
    ContentSecurityPolicy: { Override: true, ContentSecurityPolicy: "default-src 'self'" },
    ContentTypeOptions: { Override: true },
    StrictTransportSecurity: { Override: true, AccessControlMaxAgeSec: 600, IncludeSubdomains: true },
  },
  ServerTimingHeadersConfig: { Enabled: true, SamplingRate: 100 },
  CustomHeadersConfig: listed({ Header: 'X-Brand', Value: 'first', Override: true }),
  RemoveHeadersConfig: listed({ Header: 'X-Powered-By' }, { Header: 'Server' }),
}

describe('policies of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  let origin: TestOrigin
  let client: CloudFront

  before(async () => {
    origin = await startOrigin((asked, response) => {
      response.writeHead(200, { server: 'nginx', 'x-powered-by': 'PHP', 'x-brand': 'origin' })
      response.end(asked.url)
    })
    home = await newHome()
    running = await up(home)
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    client = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials })
  })
  after(async () => {
    client.destroy()
    await endAll(home)
    await origin.close()
  })

  const deployed = (Id: string | undefined) =>
    waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id })

  const ask = (host: string, path: string, headers = {}, method = 'GET'): Promise<IncomingHttpHeaders> =>
    new Promise((resolve, reject) => {
      const [address, port] = running.edge.split(':')
      request({ host: address, port, path, method, headers: { host, ...headers }, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.headers))
      })
        .on('error', reject)
        .end()
    })

  test('a response headers policy from its creation to its deletion', async () => {
    const policy = await client.createResponseHeadersPolicy({ ResponseHeadersPolicyConfig: EVERYTHING })
    const ResponseHeadersPolicyId = policy.ResponseHeadersPolicy?.Id
    const config = oneOrigin('headers', origin.port)
    const behavior = {
      ...(config.DefaultCacheBehavior as DefaultCacheBehavior),
      AllowedMethods: { ...listed('GET', 'HEAD', 'OPTIONS'), CachedMethods: listed('GET', 'HEAD') },
    } as DefaultCacheBehavior
    const made = await client.createDistribution({
      DistributionConfig: { ...config, DefaultCacheBehavior: { ...behavior, ResponseHeadersPolicyId } },
    })
    const { Id, DomainName: host = '' } = made.Distribution ?? {}
    await deployed(Id)

    for (const result of ['Miss', 'Hit']) {
      const headers = await ask(host, '/a', { origin: 'https://eu.shop.test' })
      assert.equal(headers['x-cache'], `${result} from cloudfront`)
      assert.equal(headers['access-control-allow-origin'], 'https://eu.shop.test')
      assert.equal(headers['access-control-allow-credentials'], 'true')
      assert.equal(headers['content-security-policy'], "default-src 'self'")
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['strict-transport-security'], 'max-age=600; includeSubDomains')
      assert.equal(headers['x-brand'], 'first')
      assert.equal(headers['x-powered-by'], undefined)
      assert.equal(headers.server, 'CloudFront')
      assert.match(
        String(headers['server-timing']),
        result === 'Hit' ? /cdn-cache-hit/ : /cdn-upstream-fbl.*cdn-cache-miss/,
      )
    }
    const preflight = await ask(host, '/a', { origin: 'https://app.test' }, 'OPTIONS')
    assert.equal(preflight['access-control-allow-methods'], 'GET, PUT')
    assert.equal(preflight['access-control-max-age'], '600')
    const explained = await cachefront(home, 'explain', `http://${host}:${running.edge.split(':')[1]}/a`)
    assert.match(explained.out + explained.err, /DefaultCacheBehavior\.ResponseHeadersPolicyId/)

    const updated = await client.updateResponseHeadersPolicy({
      Id: ResponseHeadersPolicyId,
      IfMatch: policy.ETag,
      ResponseHeadersPolicyConfig: {
        Name: 'everything',
        CustomHeadersConfig: listed({ Header: 'X-Brand', Value: 'second', Override: true }),
      },
    })
    await deployed(Id)
    const changed = await ask(host, '/a', { origin: 'https://eu.shop.test' })
    assert.equal(changed['x-cache'], 'Hit from cloudfront', 'the object is still there')
    assert.equal(changed['x-brand'], 'second')
    assert.equal(changed['access-control-allow-origin'], undefined)
    assert.equal(changed['server-timing'], undefined)
    assert.equal(changed.server, 'nginx', 'no longer removed')
    assert.equal(origin.count('/a'), 2, 'the miss and the preflight')

    const users = await client.listDistributionsByResponseHeadersPolicyId({ ResponseHeadersPolicyId })
    assert.deepEqual(users.DistributionIdList?.Items, [Id])
    const drop = () => client.deleteResponseHeadersPolicy({ Id: ResponseHeadersPolicyId, IfMatch: updated.ETag })
    await assert.rejects(drop(), { name: 'ResponseHeadersPolicyInUse' })
    const { DistributionConfig, ETag } = await client.getDistributionConfig({ Id })
    await client.updateDistribution({
      Id,
      IfMatch: ETag,
      DistributionConfig: {
        ...(DistributionConfig as DistributionConfig),
        DefaultCacheBehavior: {
          ...(DistributionConfig?.DefaultCacheBehavior as DefaultCacheBehavior),
          ResponseHeadersPolicyId: undefined,
        },
      },
    })
    await deployed(Id)
    assert.equal((await ask(host, '/a'))['x-brand'], 'origin')
    await drop()
    await assert.rejects(client.getResponseHeadersPolicy({ Id: ResponseHeadersPolicyId }), {
      name: 'NoSuchResponseHeadersPolicy',
    })
  })

  test('the AWS CLI: a managed policy, legacy ForwardedValues, and who uses what', async () => {
    const cli = (...args: string[]) => awsJson(running.api, 'cloudfront', ...args)
    const managed = await cli('list-response-headers-policies', '--type', 'managed')
    const security = managed.ResponseHeadersPolicyList.Items.find(
      (item: { ResponseHeadersPolicy: { ResponseHeadersPolicyConfig: { Name: string } } }) =>
        item.ResponseHeadersPolicy.ResponseHeadersPolicyConfig.Name === 'Managed-SecurityHeadersPolicy',
    ).ResponseHeadersPolicy.Id
    const config = oneOrigin('legacy', origin.port)
    const { CachePolicyId: _, ...behavior } = config.DefaultCacheBehavior as DefaultCacheBehavior
    const legacy = {
      ...config,
      DefaultCacheBehavior: {
        ...behavior,
        ResponseHeadersPolicyId: security,
        ForwardedValues: {
          QueryString: true,
          QueryStringCacheKeys: listed('page'),
          Cookies: { Forward: 'whitelist', WhitelistedNames: listed('session*') },
        },
        MinTTL: 0,
        DefaultTTL: 60,
        MaxTTL: 600,
      },
    }
    const { Distribution } = await cli('create-distribution', '--distribution-config', JSON.stringify(legacy))
    await deployed(Distribution.Id)
    const cookie = { cookie: 'session-a=1; other=2' }
    const first = await ask(Distribution.DomainName, '/p?page=1&utm=1', cookie)
    const second = await ask(Distribution.DomainName, '/p?page=1&utm=2', { cookie: 'session-a=1; other=3' })
    assert.deepEqual([first['x-cache'], second['x-cache']], ['Miss from cloudfront', 'Hit from cloudfront'])
    assert.equal(second['x-frame-options'], 'SAMEORIGIN')
    const asked = origin.asked.find(({ url }) => url.startsWith('/p'))
    assert.deepEqual([asked?.url, asked?.headers.cookie], ['/p?page=1&utm=1', 'session-a=1'])
    const users = await cli(
      'list-distributions-by-response-headers-policy-id',
      '--response-headers-policy-id',
      security,
    )
    assert.deepEqual(users.DistributionIdList.Items, [Distribution.Id])
    const wrong = {
      ...legacy,
      CallerReference: 'wrong',
      DefaultCacheBehavior: { ...legacy.DefaultCacheBehavior, MaxTTL: 5 },
    }
    const refused = await aws(
      running.api,
      'cloudfront',
      'create-distribution',
      '--distribution-config',
      JSON.stringify(wrong),
    )
    assert.match(refused.stderr, /\(InvalidTTLOrder\)/)
  })
})
