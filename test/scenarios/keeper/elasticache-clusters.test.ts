//! Cache clusters through the SDK on real engines: made, used, changed, restarted, lost, deleted.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { ElastiCacheScenario, redisAt, WAIT } from '../../support/elasticache-scenario.ts'
import { settingOf } from '../../support/keeper-door.ts'

let scenario: ElastiCacheScenario

before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

const available = (id: string) =>
  scenario.until(async () => {
    const found = await scenario.cluster(id)
    assert.equal(found.CacheClusterStatus, 'available')
    return found
  })

test('redis: available means that it answers; the waiter of the SDK agrees; parameters are real', async (t) => {
  const { client } = scenario
  const PG = { CacheParameterGroupName: 'mine' }
  await client.send(
    new sdk.CreateCacheParameterGroupCommand({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'mine' }),
  )
  const begun = performance.now()
  const made = await client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'one',
      Engine: 'redis',
      CacheNodeType: 'cache.t3.micro',
      ...PG,
    }),
  )
  assert.equal(made.CacheCluster!.CacheClusterStatus, 'creating')
  const one = await available('one')
  t.diagnostic(`CreateCacheCluster to available: ${Math.round(performance.now() - begun)} ms`)
  await sdk.waitUntilCacheClusterAvailable({ client, ...WAIT }, { CacheClusterId: 'one' })
  assert.deepEqual(await scenario.messages('cache-cluster', 'one'), [
    'Added cache node 0001 in availability zone us-east-1a',
    'Cache cluster created',
  ])
  const redis = redisAt(one.CacheNodes![0]!.Endpoint!)
  try {
    const config = (name: string) => settingOf(scenario.home, 'one', one.CacheNodes![0]!.Endpoint!.Address!, name)
    assert.equal(await config('maxmemory'), '402653184')
    assert.equal(await config('maxmemory-policy'), 'volatile-lru')
    await client.send(
      new sdk.ModifyCacheParameterGroupCommand({
        ...PG,
        ParameterNameValues: [
          { ParameterName: 'maxmemory-policy', ParameterValue: 'allkeys-lfu' },
          { ParameterName: 'reserved-memory-percent', ParameterValue: '50' },
          { ParameterName: 'databases', ParameterValue: '4' },
        ],
      }),
    )
    const pending = await scenario.until(async () => {
      const group = (await scenario.cluster('one')).CacheParameterGroup!
      assert.equal(group.ParameterApplyStatus, 'pending-reboot')
      return group
    })
    assert.deepEqual(pending.CacheNodeIdsToReboot, ['0001'])
    assert.equal(await config('maxmemory-policy'), 'allkeys-lfu')
    assert.equal(await config('maxmemory'), '268435456')
    assert.equal(await config('databases'), '16')

    await redis.set('k', 'v')
    await client.send(new sdk.RebootCacheClusterCommand({ CacheClusterId: 'one', CacheNodeIdsToReboot: ['0001'] }))
    assert.equal((await scenario.cluster('one')).CacheClusterStatus, 'rebooting cluster nodes')
    const again = await available('one')
    assert.equal(again.CacheParameterGroup!.ParameterApplyStatus, 'in-sync')
    assert.equal(await config('databases'), '4')
    assert.equal(await redis.get('k'), null)
    await scenario.until(async () => {
      const messages = await scenario.messages('cache-cluster', 'one')
      assert.deepEqual(messages.slice(2), ['Cache node 0001 shutdown', 'Cache node 0001 restarted'])
    })
  } finally {
    redis.disconnect()
  }
})

test('a killed node comes back empty at its address, with its events', async () => {
  const before = await available('one')
  const node = before.CacheNodes![0]!
  const redis = redisAt(node.Endpoint!)
  try {
    await redis.set('k', 'v')
    const seen = scenario.control.link.seen()!.groups.find((group) => group.id === 'one')!
    process.kill(seen.nodes[0]!.pid!, 'SIGKILL')
    await scenario.until(async () => {
      const messages = await scenario.messages('cache-cluster', 'one')
      assert.deepEqual(messages.slice(-2), ['Recovering cache nodes 0001', 'Finished recovery for cache nodes 0001'])
    })
    const found = await available('one')
    assert.deepEqual(found.CacheNodes![0]!.Endpoint, node.Endpoint)
    assert.equal(await redis.get('k'), null)
    assert.equal(await settingOf(scenario.home, 'one', node.Endpoint!.Address!, 'databases'), '4')
  } finally {
    redis.disconnect()
  }
})

test('what happens while control is away is told once when it is back', async () => {
  const seen = scenario.control.link.seen()!.groups.find((group) => group.id === 'one')!
  const told = (await scenario.messages('cache-cluster', 'one')).length
  await scenario.restartControl(async () => {
    process.kill(seen.nodes[0]!.pid!, 'SIGKILL')
  })
  await scenario.until(async () => {
    const messages = await scenario.messages('cache-cluster', 'one')
    assert.deepEqual(messages.slice(told), ['Recovering cache nodes 0001', 'Finished recovery for cache nodes 0001'])
  })
  await scenario.restartControl(async () => {})
  await available('one')
  assert.equal((await scenario.messages('cache-cluster', 'one')).length, told + 2)
})

test('deleting: gone for the waiter, the process too', async () => {
  const { client } = scenario
  const { pid } = scenario.control.link.seen()!.groups.find((group) => group.id === 'one')!.nodes[0]!
  const answer = await client.send(new sdk.DeleteCacheClusterCommand({ CacheClusterId: 'one' }))
  assert.equal(answer.CacheCluster!.CacheClusterStatus, 'deleting')
  await sdk.waitUntilCacheClusterDeleted({ client, ...WAIT }, { CacheClusterId: 'one' })
  await scenario.until(async () => assert.throws(() => process.kill(pid!, 0), { code: 'ESRCH' }))
  await scenario.until(async () => {
    assert.equal((await scenario.messages('cache-cluster', 'one')).at(-1), 'Cache cluster deleted')
  })
  await client.send(new sdk.DeleteCacheParameterGroupCommand({ CacheParameterGroupName: 'mine' }))
})

test('the engine versions are those of this host', async () => {
  const { CacheEngineVersions: versions } = await scenario.client.send(new sdk.DescribeCacheEngineVersionsCommand({}))
  const engines = new Set(versions!.map((v) => v.Engine))
  assert.deepEqual(engines, new Set(scenario.control.link.binaries().map((binary) => binary.engine)))
})
