//! A network of three POPs in the running program: driven by the AWS SDK and the command line, looked at by viewers.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import {
  CloudFrontClient,
  CreateDistributionCommand,
  CreateInvalidationCommand,
  type DistributionConfig,
  waitUntilDistributionDeployed,
  waitUntilInvalidationCompleted,
} from '@aws-sdk/client-cloudfront'
import type { PlaceStatus } from '../../../src/services/cachefront/installation.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, healthOf, type Installation, newHome, up } from '../../support/program-installation.ts'

/** As in docs/tiers.md: the first is at home. */
const NAMES = ['IAD50-C1', 'FRA50-C1', 'NRT50-C1']

describe('three POPs in the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  let origin: TestOrigin
  let client: CloudFrontClient
  let number = 0

  before(async () => {
    origin = await startOrigin((asked, response) => void response.end(`page ${asked.url}`))
    home = await newHome()
    running = await up(home, '--pops', '3', '--workers', '2')
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    client = new CloudFrontClient({ endpoint: running.api, region: 'us-east-1', credentials })
  })
  after(async () => {
    client.destroy()
    await endAll(home)
    await origin.close()
  })

  async function create(change: (config: DistributionConfig) => DistributionConfig = (config) => config) {
    const DistributionConfig = change(oneOrigin(`pops-${number++}`, origin.port))
    const { Distribution } = await client.send(new CreateDistributionCommand({ DistributionConfig }))
    const { Id = '', DomainName: host = '' } = Distribution ?? {}
    await waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id })
    return { Id, host }
  }

  const places = async (): Promise<readonly PlaceStatus[]> => {
    const { out, code } = await cachefront(home, 'pops', 'list', '--json')
    assert.equal(code, 0)
    return JSON.parse(out) as PlaceStatus[]
  }

  const addresses = async (): Promise<string[]> =>
    (await places()).flatMap((place) => (place.kind === 'pop' ? (place.http ?? '') : []))

  function get(address: string, host: string, path: string, headers = {}) {
    return new Promise<{ xCache: string; pop: string; timing: string }>((resolve, reject) => {
      const call = request(`http://${address}${path}`, { headers: { host, ...headers }, agent: false }, (response) => {
        const { 'x-cache': xCache, 'x-amz-cf-pop': pop, 'server-timing': timing } = response.headers
        response.resume()
        response.on('end', () => resolve({ xCache: String(xCache), pop: String(pop), timing: String(timing ?? '') }))
      })
      call.on('error', reject)
      call.end()
    })
  }

  test('each is seen through an address of its own, and they cost the origin one request together', async () => {
    const { Id, host } = await create()
    const health = await healthOf(running.api)
    assert.deepEqual(
      health.pops.map(({ name }) => name),
      NAMES,
    )
    assert.deepEqual(health.regionals, [{ name: 'REC-us-east-1', region: 'us-east-1' }])
    const at = health.pops.map(({ http }) => http ?? '')
    assert.deepEqual(at, await addresses())
    assert.equal(new Set(at).size, 3)
    for (const expected of ['Miss', 'Miss again']) {
      const answers = []
      for (const address of at) answers.push(await get(address, host, '/a'))
      assert.deepEqual(
        answers.map(({ pop }) => pop),
        NAMES,
      )
      assert.deepEqual(
        answers.map(({ xCache }) => xCache.split(' ')[0]),
        ['Miss', 'Hit', 'Hit'],
        expected,
      )
      const InvalidationBatch = { CallerReference: expected, Paths: { Quantity: 1, Items: ['/a'] } }
      const { Invalidation } = await client.send(
        new CreateInvalidationCommand({ DistributionId: Id, InvalidationBatch }),
      )
      const wanted = { DistributionId: Id, Id: Invalidation?.Id }
      await waitUntilInvalidationCompleted({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, wanted)
    }
    assert.equal(origin.count('/a'), 2)
  })

  test('an origin shield is a place of its own', async () => {
    const { host } = await create((config) => ({
      ...config,
      Origins: {
        Quantity: 1,
        Items: (config.Origins?.Items ?? []).map((one) => ({
          ...one,
          OriginShield: { Enabled: true, OriginShieldRegion: 'eu-west-1' },
        })),
      },
    }))
    const shield = (await places()).find(({ kind }) => kind === 'shield')
    assert.deepEqual(shield, { kind: 'shield', name: 'REC-eu-west-1', region: 'eu-west-1', state: 'up' })
    const [first = '', second = ''] = await addresses()
    assert.match((await get(first, host, '/shielded')).xCache, /^Miss/)
    assert.match((await get(second, host, '/shielded')).xCache, /^Hit/)
    const explained = await cachefront(home, 'explain', `http://${first}/new`, '--header', `Host: ${host}`, '--json')
    assert.match(explained.out, /Origins\.Items\[0\]\.OriginShield\.OriginShieldRegion/)
  })

  test('a regional edge cache that is down is passed over, a POP that is down answers nobody', async () => {
    const { host } = await create()
    const at = await addresses()
    const down = await cachefront(home, 'pops', 'down', 'REC-us-east-1')
    assert.deepEqual([down.code, down.out.trim()], [0, 'REC-us-east-1 is down.'])
    for (const address of at) assert.match((await get(address, host, '/b')).xCache, /^Miss/)
    assert.equal(origin.count('/b'), 3)
    assert.equal((await cachefront(home, 'pops', 'up', 'REC-us-east-1')).code, 0)
    for (const address of at) await get(address, host, '/c')
    assert.equal(origin.count('/c'), 1)

    assert.equal((await cachefront(home, 'pops', 'down', 'NRT50-C1', '--json')).code, 0)
    await assert.rejects(get(at[2] ?? '', host, '/c'), { code: 'ECONNREFUSED' })
    assert.match((await get(at[1] ?? '', host, '/c')).xCache, /^Hit/)
    const { pops, status } = await healthOf(running.api)
    assert.deepEqual([status, pops[2]?.state, pops[2]?.http], ['ok', 'down', null])
    assert.match((await cachefront(home, 'pops')).out, /^NRT50-C1 +POP +ap-northeast-1 .* down$/m)
    assert.equal((await cachefront(home, 'pops', 'up', 'NRT50-C1')).code, 0)
    assert.match((await get(at[2] ?? '', host, '/c')).xCache, /^Hit/)

    const unknown = await cachefront(home, 'pops', 'down', 'XXX')
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, /There is no place XXX: there are IAD50-C1, /)
  })
})
