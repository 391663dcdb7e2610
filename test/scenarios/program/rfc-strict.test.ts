//! Strict mode of the running program: by the tag through the AWS SDK, and by --rfc-strict for every distribution.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import {
  CloudFrontClient,
  CreateDistributionWithTagsCommand,
  GetDistributionCommand,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

const STRICT = 'cachefront:rfc-strict'

describe('strict mode of the running program', { timeout: 120_000 }, () => {
  let home: string
  let running: Installation
  let origin: TestOrigin
  let client: CloudFrontClient
  let asked = 0

  const start = async (...flags: string[]): Promise<void> => {
    running = await up(home, ...flags)
    client?.destroy()
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    client = new CloudFrontClient({ endpoint: running.api, region: 'us-east-1', credentials })
  }

  before(async () => {
    // It says nothing of how long: CloudFront keeps it for Default TTL, an RFC cache does not keep it.
    origin = await startOrigin((_asked, response) => void response.end('body'))
    home = await newHome()
    await start()
  })
  after(async () => {
    client.destroy()
    await endAll(home)
    await origin.close()
  })

  async function create(tags: readonly Tag[]): Promise<{ Id: string; ARN: string; host: string }> {
    const config = oneOrigin(`r${asked++}`, origin.port)
    const { Distribution } = await client.send(
      new CreateDistributionWithTagsCommand({
        DistributionConfigWithTags: { DistributionConfig: config, Tags: { Items: [...tags] } },
      }),
    )
    const { Id = '', ARN = '', DomainName: host = '' } = Distribution ?? {}
    await deployed(Id)
    return { Id, ARN, host }
  }

  const deployed = (Id: string) =>
    waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id })

  /** How the second of two requests for something new is answered. */
  async function second(host: string): Promise<string> {
    const path = `/${asked++}`
    await get(host, path)
    return get(host, path)
  }

  function get(host: string, path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(`http://${running.edge}${path}`, { headers: { host }, agent: false }, (response) => {
        response.resume()
        response.on('end', () => resolve(String(response.headers['x-cache'])))
      })
      call.on('error', reject)
      call.end()
    })
  }

  test('the tag, on a new distribution and on one that is there', async () => {
    const { Id, ARN, host } = await create([{ Key: STRICT, Value: 'true' }])
    assert.equal(await second(host), 'Miss from cloudfront')
    for (const [change, result] of [
      [new UntagResourceCommand({ Resource: ARN, TagKeys: { Items: [STRICT] } }), 'Hit from cloudfront'],
      [
        new TagResourceCommand({ Resource: ARN, Tags: { Items: [{ Key: STRICT, Value: 'true' }] } }),
        'Miss from cloudfront',
      ],
      [
        new TagResourceCommand({ Resource: ARN, Tags: { Items: [{ Key: STRICT, Value: 'false' }] } }),
        'Hit from cloudfront',
      ],
    ] as const) {
      await client.send(change as TagResourceCommand)
      await deployed(Id)
      assert.equal(await second(host), result)
    }
    await assert.rejects(create([{ Key: STRICT, Value: 'yes' }]), { name: 'InvalidTagging' })
    await assert.rejects(create([{ Key: 'cachefront:unknown', Value: 'true' }]), { name: 'InvalidTagging' })
  })

  test('--rfc-strict, over a restart, makes every distribution strict whatever its tags', async () => {
    const tagged = await create([{ Key: STRICT, Value: 'false' }])
    const plain = await create([])
    assert.deepEqual([await second(tagged.host), await second(plain.host)], Array(2).fill('Hit from cloudfront'))
    await cachefront(home, 'down')
    await start('--rfc-strict')
    const { Distribution } = await client.send(new GetDistributionCommand({ Id: plain.Id }))
    assert.equal(Distribution?.Status, 'Deployed')
    assert.deepEqual([await second(tagged.host), await second(plain.host)], Array(2).fill('Miss from cloudfront'))
  })
})
