//! Who may see what, all of it on one distribution of the running program, with AWS's SDK alone: a web ACL with its sets,
//! geo restriction, signed cookies; what the edge does with each, what the log calls it, and what a change changes.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFront, type DistributionConfig } from '@aws-sdk/client-cloudfront'
import { type Rule, WAFV2 } from '@aws-sdk/client-wafv2'
import { getSignedCookies } from '@aws-sdk/cloudfront-signer'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { listed } from '../../support/fault-site.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import {
  cachefront,
  distributionIsDeployed,
  endAll,
  type Installation,
  newHome,
  up,
} from '../../support/program-installation.ts'
import { blockRule, pathStarts, SCOPE as Scope, visibility } from '../../support/waf-site.ts'

const GERMAN = '2a02:2e0::1'
const AMERICAN = '8.8.8.8'
/** Of nowhere; the IP set will have it. */
const LISTED = '192.0.2.55'

describe('who may see what', { timeout: 120_000 }, () => {
  let home: string
  let running: Installation
  let origin: TestOrigin
  let cloudfront: CloudFront
  let waf: WAFV2
  let host = ''
  let distribution = ''
  let webAcl = ''

  before(async () => {
    origin = await startOrigin((asked, response) => response.end(asked.url))
    home = await newHome()
    running = await up(home, '--workers', '2')
    const client = {
      endpoint: running.api,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }
    cloudfront = new CloudFront(client)
    waf = new WAFV2(client)
  })
  after(async () => {
    cloudfront?.destroy()
    waf?.destroy()
    assert.deepEqual(await endAll(home), [])
    await origin.close()
  })

  interface Seen {
    readonly status: number
    readonly headers: IncomingHttpHeaders
    readonly body: string
  }
  const get = (path: string, from: string, headers: Record<string, string> = {}): Promise<Seen> =>
    new Promise((resolve, reject) => {
      const [address, port] = running.edge.split(':')
      const own = { host, 'user-agent': 'test', 'x-cachefront-viewer-address': from, ...headers }
      request({ host: address, port, path, headers: own, agent: false }, async (response) => {
        let body = ''
        for await (const chunk of response.setEncoding('utf8')) body += chunk
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
        .on('error', reject)
        .end()
    })

  /** Until both workers have heard of a change of the web ACL. */
  async function becomes(status: number, path: string, from: string): Promise<void> {
    for (let same = 0; same < 20; ) {
      if ((await get(path, from)).status === status) same++
      else {
        same = 0
        await sleep(20)
      }
    }
  }

  async function change(edit: (config: DistributionConfig) => DistributionConfig): Promise<void> {
    const { DistributionConfig: config, ETag } = await cloudfront.getDistributionConfig({ Id: distribution })
    await cloudfront.updateDistribution({
      Id: distribution,
      IfMatch: ETag,
      DistributionConfig: edit(config as DistributionConfig),
    })
    await distributionIsDeployed(running.api, distribution)
  }

  test('a web ACL blocks by address, by content and by a managed group, and says so in its own words', async () => {
    const { Summary: set } = await waf.createIPSet({
      ...{ Name: 'unwanted', Scope, IPAddressVersion: 'IPV4', Addresses: [`${LISTED}/32`] },
    })
    const Rules: Rule[] = [
      {
        Name: 'unwanted',
        Priority: 0,
        Statement: { IPSetReferenceStatement: { ARN: set?.ARN } },
        Action: { Block: { CustomResponse: { ResponseCode: 429, CustomResponseBodyKey: 'later' } } },
        VisibilityConfig: visibility('unwanted'),
      },
      {
        Name: 'injection',
        Priority: 1,
        Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesSQLiRuleSet' } },
        OverrideAction: { None: {} },
        VisibilityConfig: visibility('injection'),
      },
      {
        Name: 'common',
        Priority: 3,
        Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesCommonRuleSet' } },
        OverrideAction: { None: {} },
        VisibilityConfig: visibility('common'),
      },
    ]
    const shop = { Name: 'shop', Scope, DefaultAction: { Allow: {} }, VisibilityConfig: visibility('shop') } as const
    const { Summary: acl } = await waf.createWebACL({
      ...{ ...shop, Rules: [...Rules, blockRule('admin', 2, pathStarts('/admin'))] },
      CustomResponseBodies: { later: { ContentType: 'APPLICATION_JSON', Content: '{"error":"later"}' } },
    })
    webAcl = acl?.ARN ?? ''
    const config = oneOrigin('viewer-access', origin.port)
    const made = await cloudfront.createDistribution({ DistributionConfig: { ...config, WebACLId: webAcl } })
    host = made.Distribution?.DomainName ?? ''
    distribution = made.Distribution?.Id ?? ''
    await distributionIsDeployed(running.api, distribution)

    // From the first request on: there is no moment without the web ACL.
    const refused = await get('/admin/1', GERMAN)
    assert.equal(refused.status, 403)
    assert.match(refused.body, /Request blocked/)
    assert.equal((await get('/a', GERMAN)).status, 200)
    const custom = await get('/a', LISTED)
    assert.deepEqual(
      [custom.status, custom.headers['content-type'], custom.body],
      [429, 'application/json', '{"error":"later"}'],
    )
    const injected = await get(`/a?id=${encodeURIComponent("1' OR '1'='1")}`, GERMAN)
    assert.equal(injected.status, 403)
    assert.match(injected.body, /Request blocked/)
    assert.equal(origin.count('/a'), 1, 'nothing that was blocked reached the origin')

    const { IPSet, LockToken } = await waf.getIPSet({ Name: 'unwanted', Scope, Id: set?.Id })
    await waf.updateIPSet({
      ...{
        Name: 'unwanted',
        Scope,
        Id: set?.Id,
        LockToken,
        Addresses: [...(IPSet?.Addresses ?? []), '198.51.100.0/24'],
      },
    })
    await becomes(429, '/a', '198.51.100.7')
    const samplesOf = async (RuleMetricName: string) => {
      const { SampledRequests = [] } = await waf.getSampledRequests({
        ...{ WebAclArn: webAcl, RuleMetricName, Scope, MaxItems: 100 },
        TimeWindow: { StartTime: new Date(Date.now() - 600_000), EndTime: new Date(Date.now() + 60_000) },
      })
      return SampledRequests.map(({ Action, Request }) => [Action, Request?.URI, Request?.ClientIP])
    }
    assert.deepEqual(await samplesOf('admin'), [['BLOCK', '/admin/1', GERMAN]])
    assert.deepEqual((await samplesOf('unwanted')).find(([, , address]) => address === LISTED)?.[0], 'BLOCK')

    const { WebACL, LockToken: lock } = await waf.getWebACL({ Name: 'shop', Scope, Id: acl?.Id })
    await waf.updateWebACL({
      ...{ ...shop, Id: acl?.Id, LockToken: lock, Rules, CustomResponseBodies: WebACL?.CustomResponseBodies },
    })
    await becomes(200, '/admin/1', GERMAN)
    assert.deepEqual((await cloudfront.listDistributionsByWebACLId({ WebACLId: webAcl })).DistributionList?.Quantity, 1)
    const explained = await cachefront(home, 'explain', `http://${host}:${running.edge.split(':')[1]}/a`)
    assert.match(explained.out + explained.err, /access-waf +webAcl shop/)
    assert.match(explained.out, /^answer 200/m, 'explain sends a User-Agent, as viewers do')
  })

  test('geo restriction on the same distribution: the web ACL first, then the country', async () => {
    await change((config) => ({
      ...config,
      Restrictions: { GeoRestriction: { RestrictionType: 'whitelist', ...listed('DE') } },
    }))
    assert.deepEqual(
      [(await get('/a', GERMAN)).status, (await get('/a', AMERICAN)).status, (await get('/a', LISTED)).status],
      [200, 403, 429],
    )
  })

  test('signed cookies on the same distribution: a key group that trusts, and one that trusts no more', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const keyOf = async (name: string, EncodedKey: string) =>
      (await cloudfront.createPublicKey({ PublicKeyConfig: { CallerReference: name, Name: name, EncodedKey } }))
        .PublicKey?.Id ?? ''
    const keyPairId = await keyOf('first', publicKey)
    const { KeyGroup, ETag } = await cloudfront.createKeyGroup({
      KeyGroupConfig: { Name: 'members', Items: [keyPairId] },
    })
    await change((config) => ({
      ...config,
      DefaultCacheBehavior: {
        ...(config.DefaultCacheBehavior as NonNullable<DistributionConfig['DefaultCacheBehavior']>),
        TrustedKeyGroups: { Enabled: true, ...listed(KeyGroup?.Id ?? '') },
      },
    }))
    const policy = JSON.stringify({
      Statement: [
        {
          Resource: `http://${host}/*`,
          Condition: { DateLessThan: { 'AWS:EpochTime': Math.floor(Date.now() / 1000) + 600 } },
        },
      ],
    })
    const cookie = Object.entries(getSignedCookies({ keyPairId, privateKey, policy, algorithm: 'SHA256' }))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const unsigned = await get('/a', GERMAN)
    assert.deepEqual([unsigned.status, unsigned.headers['content-type']], [403, 'text/xml'])
    assert.match(unsigned.body, /<Code>MissingKey<\/Code>/)
    const signed = await get('/a', GERMAN, { cookie })
    assert.deepEqual(
      [signed.status, signed.headers['x-cache']],
      [200, 'Hit from cloudfront'],
      'in the cache from before',
    )
    assert.equal((await get('/a', AMERICAN, { cookie })).status, 403, 'a signature moves nobody to another country')

    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
      type: 'spki',
      format: 'pem',
    })
    await cloudfront.updateKeyGroup({
      Id: KeyGroup?.Id,
      IfMatch: ETag,
      KeyGroupConfig: { Name: 'members', Items: [await keyOf('second', String(other))] },
    })
    await distributionIsDeployed(running.api, distribution)
    const late = await get('/a', GERMAN, { cookie })
    assert.equal(late.status, 403)
    assert.match(late.body, /<Code>InvalidKey<\/Code>/)
  })

  test('the access log tells the one refusal from the other', async () => {
    const directory = join(home, 'logs')
    const names = (await readdir(directory)).filter((name) => name.startsWith('access-'))
    const wanted = ['InvalidRequestBlocked', 'ClientGeoBlocked']
    // A line is written some moments after its answer.
    for (let tries = 0; tries < 200; tries++) {
      const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
      if (wanted.every((word) => texts.join('').includes(`\t${word}\t`))) return
      await sleep(50)
    }
    assert.fail(`no line says ${wanted.join(' and ')}`)
  })
})
