//! Continuous deployment of the running program, the way AWS's developer guide goes: copy, change, try by a header, take a
//! share of the viewers, promote, clear up; and an alias that moves. With AWS's SDK, and its command line for the copy.

import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { ACM } from '@aws-sdk/client-acm'
import {
  CloudFront,
  type ContinuousDeploymentPolicyConfig,
  type DistributionConfig,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { awsJson } from '../../support/api-programs.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'
import { withImported } from '../../support/viewer-certificate.ts'

const SHOP = 'shop.example.com'

interface Seen {
  readonly status: number
  readonly body: string
  /** `name=value` of the cookie that was set; empty for none. */
  readonly cookie: string
}

describe('continuous deployment of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  let origin: TestOrigin
  let client: CloudFront
  let acm: ACM

  before(async () => {
    origin = await startOrigin((asked, response) => void response.end(asked.url))
    home = await newHome()
    running = await up(home, '--movable-clock')
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    client = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials })
    acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
  })
  after(async () => {
    client.destroy()
    acm.destroy()
    await endAll(home)
    await origin.close()
  })

  const deployed = (Id: string) =>
    waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id })

  const ask = (path: string, headers: Record<string, string> = {}, host = SHOP): Promise<Seen> =>
    new Promise((resolve, reject) => {
      const [address, port] = running.edge.split(':')
      request({ host: address, port, path, headers: { host, ...headers }, agent: false }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => {
          const cookie = (response.headers['set-cookie'] ?? [''])[0]?.split(';')[0] ?? ''
          resolve({ status: response.statusCode ?? 0, body, cookie })
        })
      })
        .on('error', reject)
        .end()
    })

  /** Reads, changes and writes a configuration, as one does; resolves when the edges have it. */
  async function edit(Id: string, change: (config: DistributionConfig) => Partial<DistributionConfig>): Promise<void> {
    const { DistributionConfig, ETag: IfMatch } = await client.getDistributionConfig({ Id })
    const config = DistributionConfig as DistributionConfig
    await client.updateDistribution({ Id, IfMatch, DistributionConfig: { ...config, ...change(config) } })
    await deployed(Id)
  }

  const withOriginPath = (path: string) => (config: DistributionConfig) => ({
    Origins: {
      Quantity: 1,
      Items: (config.Origins?.Items ?? []).map((one) => ({ ...one, OriginPath: path })),
    },
  })

  let primary = ''
  let staging = { id: '', domainName: '' }
  let policy = ''

  async function changePolicy(change: Partial<ContinuousDeploymentPolicyConfig>): Promise<void> {
    const { ContinuousDeploymentPolicyConfig: old, ETag: IfMatch } = await client.getContinuousDeploymentPolicyConfig({
      Id: policy,
    })
    const config = { ...(old as ContinuousDeploymentPolicyConfig), ...change }
    await client.updateContinuousDeploymentPolicy({ Id: policy, IfMatch, ContinuousDeploymentPolicyConfig: config })
    // A policy has no status: the distribution that has it is deployed anew.
    await deployed(primary)
  }

  test('a copy by the AWS CLI is a staging distribution without aliases, that nobody reaches', async () => {
    const made = await client.createDistribution({
      DistributionConfig: { ...oneOrigin('shop', origin.port), ...(await withImported(acm, [SHOP])) },
    })
    primary = made.Distribution?.Id ?? ''
    await deployed(primary)
    const copied = await awsJson(
      running.api,
      'cloudfront',
      ...[
        ...['copy-distribution', '--primary-distribution-id', primary, '--if-match', made.ETag ?? ''],
        ...['--staging', '--caller-reference', 'copy'],
      ],
    )
    const { Id: id, DomainName: domainName, DistributionConfig: config } = copied.Distribution
    staging = { id, domainName }
    assert.deepEqual([config.Staging, config.Enabled, config.Aliases.Quantity], [true, true, 0])
    assert.deepEqual(config.Origins.Items[0].DomainName, '127.0.0.1')
    assert.match(copied.Location, new RegExp(`/distribution/${id}$`))
    await edit(id, withOriginPath('/next'))
    assert.equal((await ask('/', {}, domainName)).status, 403)
    const listed = await client.listDistributions({})
    assert.deepEqual(
      listed.DistributionList?.Items?.map(({ Id, Staging }) => [Id, Staging]).sort(),
      [
        [primary, false],
        [id, true],
      ].sort(),
    )
  })

  test('by a header who knows it sees the staging distribution, and nobody else', async () => {
    const made = await client.createContinuousDeploymentPolicy({
      ContinuousDeploymentPolicyConfig: {
        StagingDistributionDnsNames: { Quantity: 1, Items: [staging.domainName] },
        Enabled: true,
        TrafficConfig: {
          Type: 'SingleHeader',
          SingleHeaderConfig: { Header: 'aws-cf-cd-preview', Value: 'on' },
        },
      },
    })
    policy = made.ContinuousDeploymentPolicy?.Id ?? ''
    assert.match(made.Location ?? '', new RegExp(`/continuous-deployment-policy/${policy}$`))
    assert.equal((await ask('/a', { 'aws-cf-cd-preview': 'on' })).body, '/a', 'it is attached to nobody yet')
    await edit(primary, () => ({ ContinuousDeploymentPolicyId: policy }))
    assert.equal((await ask('/b', { 'aws-cf-cd-preview': 'on' })).body, '/next/b')
    assert.equal((await ask('/b')).body, '/b')
    const policies = await client.listContinuousDeploymentPolicies({})
    const ids = policies.ContinuousDeploymentPolicyList?.Items?.map((item) => item.ContinuousDeploymentPolicy?.Id)
    assert.deepEqual(ids, [policy])
  })

  test('by a weight 15 % of the sessions see it, and each goes on as it began until it expires', async () => {
    await changePolicy({
      TrafficConfig: {
        Type: 'SingleWeight',
        SingleWeightConfig: { Weight: 0.15, SessionStickinessConfig: { IdleTTL: 300, MaximumTTL: 600 } },
      },
    })
    const sessions: Seen[] = []
    for (let at = 0; at < 1_000; at++) sessions.push(await ask('/c'))
    const taken = sessions.filter(({ body }) => body === '/next/c').length
    // 150 are to be expected, with a deviation of 11.3: nobody will see six times that.
    assert.ok(taken > 82 && taken < 218, `${taken} of 1,000`)
    for (const body of ['/c', '/next/c']) {
      const session = sessions.find((one) => one.body === body) as Seen
      for (let at = 0; at < 20; at++) assert.equal((await ask('/c', { cookie: session.cookie })).body, body)
    }
    const [one] = sessions as [Seen]
    const begunOf = ({ cookie }: Seen) => cookie.split('.')[1]
    const goesOn = await ask('/c', { cookie: one.cookie })
    assert.equal(begunOf(goesOn), begunOf(one))
    await cachefront(home, 'clock', 'advance', '301s')
    assert.notEqual(begunOf(await ask('/c', { cookie: one.cookie })), begunOf(one), 'idle for more than 300 seconds')
  })

  test('a promotion gives everybody the new configuration, keeps the alias, and disables the policy', async () => {
    const [one, two] = [await client.getDistribution({ Id: primary }), await client.getDistribution({ Id: staging.id })]
    const promoted = await client.updateDistributionWithStagingConfig({
      Id: primary,
      StagingDistributionId: staging.id,
      IfMatch: `${one.ETag},${two.ETag}`,
    })
    const config = promoted.Distribution?.DistributionConfig
    assert.equal(promoted.Distribution?.Status, 'InProgress')
    assert.notEqual(promoted.ETag, one.ETag)
    assert.deepEqual(config?.Aliases?.Items, [SHOP])
    assert.deepEqual(
      [config?.CallerReference, config?.Staging, config?.ContinuousDeploymentPolicyId],
      ['shop', false, policy],
    )
    assert.equal((await client.getDistribution({ Id: staging.id })).ETag, two.ETag)
    const after = await client.getContinuousDeploymentPolicy({ Id: policy })
    assert.equal(after.ContinuousDeploymentPolicy?.ContinuousDeploymentPolicyConfig?.Enabled, false)
    await deployed(primary)
    for (let at = 0; at < 20; at++) {
      const { body, cookie } = await ask(`/d${at}`)
      assert.deepEqual([body, cookie], [`/next/d${at}`, ''])
    }
  })

  test('the same staging distribution serves the next change; then all of it can be deleted', async () => {
    await edit(staging.id, withOriginPath('/after-next'))
    await changePolicy({
      Enabled: true,
      TrafficConfig: { Type: 'SingleHeader', SingleHeaderConfig: { Header: 'aws-cf-cd-preview', Value: 'on' } },
    })
    assert.equal((await ask('/e', { 'aws-cf-cd-preview': 'on' })).body, '/after-next/e')
    await edit(primary, () => ({ ContinuousDeploymentPolicyId: '' }))
    assert.equal((await ask('/e', { 'aws-cf-cd-preview': 'on' })).body, '/next/e')
    const { ETag } = await client.getContinuousDeploymentPolicy({ Id: policy })
    await client.deleteContinuousDeploymentPolicy({ Id: policy, IfMatch: ETag })
    await edit(staging.id, () => ({ Enabled: false }))
    const left = await client.getDistribution({ Id: staging.id })
    await client.deleteDistribution({ Id: staging.id, IfMatch: left.ETag })
    const list = await client.listDistributions({})
    assert.deepEqual(
      list.DistributionList?.Items?.map(({ Id }) => Id),
      [primary],
    )
  })

  test('an alias moves to another distribution, and no request finds it nowhere', async () => {
    const made = await client.createDistribution({
      DistributionConfig: {
        ...oneOrigin('other', origin.port),
        ...withOriginPath('/other')(oneOrigin('other', origin.port)),
        ...(await withImported(acm, ['*.example.com'])),
      },
    })
    const other = made.Distribution?.Id ?? ''
    await deployed(other)
    const overlapping = await client.listConflictingAliases({ DistributionId: other, Alias: '*.example.com' })
    assert.deepEqual(overlapping.ConflictingAliasesList?.Items, [
      { Alias: SHOP, DistributionId: `*******${primary.slice(7)}`, AccountId: '******789012' },
    ])
    let moving = true
    const statuses = new Set<number>()
    const viewer = (async () => {
      while (moving) statuses.add((await ask('/moved')).status)
    })()
    await client.associateAlias({ TargetDistributionId: other, Alias: SHOP })
    await Promise.all([deployed(other), deployed(primary)])
    moving = false
    await viewer
    assert.deepEqual([...statuses], [200])
    assert.equal((await ask('/new')).body, '/other/new')
    const config = await client.getDistributionConfig({ Id: primary })
    assert.equal(config.DistributionConfig?.Aliases?.Quantity, 0)
    // The exact name was more specific than the wildcard before; now both are one distribution's.
    await edit(other, () => ({ Enabled: false }))
    assert.equal((await ask('/new')).status, 403)
  })
})
