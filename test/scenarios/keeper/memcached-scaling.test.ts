//! Another node type for a memcached cluster through the API on real servers: in batches on the movable clock, with the
//! other nodes serving meanwhile, over a restart of control and the death of a node whose turn has not come.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { ElastiCacheScenario } from '../../support/elasticache-scenario.ts'
import { say } from '../../support/memcached.ts'

const MINUTE_MS = 60_000
const SMALLER = 'cache.t4g.micro'
const LARGER = 'cache.t4g.small'
/** Item memory of the two less that of connections, MiB. */
const MIB = { [SMALLER]: 412, [LARGER]: 1302 } as const

let scenario: ElastiCacheScenario
before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

const modify = (more: object) =>
  scenario.client.send(new sdk.ModifyCacheClusterCommand({ CacheClusterId: 'mem', ...more }))

const stat = (text: string, name: string): number => Number(new RegExp(`^STAT ${name} (\\d+)`, 'm').exec(text)?.[1])

interface Node {
  readonly address: string
  readonly pid: number
  /** Item memory, MiB. */
  readonly size: number
  readonly items: number
}

async function nodesOf(cluster: sdk.CacheCluster): Promise<Node[]> {
  return Promise.all(
    cluster.CacheNodes!.map(async ({ Endpoint }) => {
      const [stats, settings] = [
        await say(Endpoint!.Address!, 'stats\r\n'),
        await say(Endpoint!.Address!, 'stats settings\r\n'),
      ]
      const [pid, items] = [stat(stats, 'pid'), stat(stats, 'curr_items')]
      return { address: Endpoint!.Address!, pid, size: stat(settings, 'maxbytes') / 2 ** 20, items }
    }),
  )
}

/** Once all nodes answer in that status and have these sizes. */
const withSizes = (status: string, ...sizes: number[]): Promise<sdk.CacheCluster> =>
  scenario.until(async () => {
    const cluster = await scenario.cluster('mem')
    assert.equal(cluster.CacheClusterStatus, status)
    assert.ok(cluster.CacheNodes!.every((node) => node.CacheNodeStatus === 'available'))
    assert.deepEqual(
      (await nodesOf(cluster)).map((node) => node.size),
      sizes,
    )
    return cluster
  })

test('it waits for the window and is taken back by the present type', async () => {
  await scenario.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'mem',
      Engine: 'memcached',
      NumCacheNodes: 3,
      CacheNodeType: SMALLER,
    }),
  )
  await withSizes('available', MIB[SMALLER], MIB[SMALLER], MIB[SMALLER])
  // Far from now, whenever this runs.
  const opposite = new Date(scenario.now() + 3.5 * 24 * 60 * MINUTE_MS)
  const day = opposite.toLocaleDateString('en-US', { weekday: 'short', timeZone: 'UTC' }).toLowerCase()
  const waiting = await modify({
    CacheNodeType: LARGER,
    ScaleConfig: { ScalePercentage: 50, ScaleIntervalMinutes: 10 },
    PreferredMaintenanceWindow: `${day}:01:00-${day}:02:00`,
  })
  assert.deepEqual(waiting.CacheCluster!.PendingModifiedValues, {
    CacheNodeType: LARGER,
    ScaleConfig: { ScalePercentage: 50, ScaleIntervalMinutes: 10 },
  })
  const back = await modify({ CacheNodeType: SMALLER })
  assert.deepEqual(back.CacheCluster!.PendingModifiedValues, {})
})

test('the first batch comes back empty with its new size; the others keep their items and serve', async () => {
  const before = await nodesOf(await scenario.cluster('mem'))
  for (const { address } of before) await say(address, 'set k 0 0 1\r\nv\r\n')
  const scale = { ScalePercentage: 50, ScaleIntervalMinutes: 10 }
  const begun = await modify({ CacheNodeType: LARGER, ScaleConfig: scale, ApplyImmediately: true })
  assert.equal(begun.CacheCluster!.CacheClusterStatus, 'modifying')
  // While nodes of the batch are away the endpoint leads to others. A connection that was led to one just before its end
  // is lost with it; its client connects again.
  const endpoint = begun.CacheCluster!.ConfigurationEndpoint!.Address!
  await scenario.until(async () => assert.match(await say(endpoint, 'version\r\n'), /^VERSION/))
  const now = await withSizes('modifying', MIB[LARGER], MIB[LARGER], MIB[SMALLER])
  assert.equal(now.CacheNodeType, SMALLER)
  assert.deepEqual(now.PendingModifiedValues, { CacheNodeType: LARGER, ScaleConfig: scale })
  const nodes = await nodesOf(now)
  assert.deepEqual(
    nodes.map((node) => node.address),
    before.map((node) => node.address),
  )
  assert.equal(nodes[2]!.pid, before[2]!.pid)
  assert.match(await say(nodes[2]!.address, 'get k\r\n'), /^VALUE k 0 1/)
  for (const { address } of nodes.slice(0, 2)) assert.doesNotMatch(await say(address, 'get k\r\n'), /VALUE/)
  await assert.rejects(modify({ CacheNodeType: SMALLER }), { name: 'InvalidCacheClusterStateFault' })
})

test('control starts again, and a node that dies before its turn has its old size; then the last batch', async () => {
  await scenario.restartControl(async () => {})
  scenario.advance(5 * MINUTE_MS)
  const { pid } = (await nodesOf(await scenario.cluster('mem')))[2]!
  process.kill(pid, 'SIGKILL')
  await scenario.until(async () => {
    const cluster = await scenario.cluster('mem')
    assert.ok(cluster.CacheNodes!.every((node) => node.CacheNodeStatus === 'available'))
    const node = (await nodesOf(cluster))[2]!
    assert.notEqual(node.pid, pid)
    assert.equal(node.size, MIB[SMALLER])
    assert.equal(cluster.CacheClusterStatus, 'modifying')
  })
  scenario.advance(5 * MINUTE_MS)
  const done = await withSizes('available', MIB[LARGER], MIB[LARGER], MIB[LARGER])
  assert.equal(done.CacheNodeType, LARGER)
  assert.deepEqual(done.PendingModifiedValues, {})
  assert.equal(done.CacheParameterGroup!.ParameterApplyStatus, 'in-sync')
  const messages = await scenario.messages('cache-cluster', 'mem')
  assert.ok(messages.includes(`Succeeded applying modification to cache node type to ${LARGER}.`), messages.join('\n'))
})

test('without a ScaleConfig its defaults hold: a fifth of the nodes, every five minutes', async () => {
  const begun = await modify({ CacheNodeType: SMALLER, ApplyImmediately: true })
  assert.deepEqual(begun.CacheCluster!.PendingModifiedValues!.ScaleConfig, {
    ScalePercentage: 20,
    ScaleIntervalMinutes: 5,
  })
  await withSizes('modifying', MIB[SMALLER], MIB[LARGER], MIB[LARGER])
  scenario.advance(5 * MINUTE_MS)
  await withSizes('modifying', MIB[SMALLER], MIB[SMALLER], MIB[LARGER])
  scenario.advance(5 * MINUTE_MS)
  await withSizes('available', MIB[SMALLER], MIB[SMALLER], MIB[SMALLER])
})
