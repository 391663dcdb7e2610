//! More and fewer memcached nodes through the API on real servers: waiting for the maintenance window, taken back, at once,
//! over availability zones, and what clients discover meanwhile.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { ElastiCacheScenario } from '../../support/elasticache-scenario.ts'
import { say } from '../../support/memcached.ts'

const HOUR_MS = 3_600_000

let scenario: ElastiCacheScenario
before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

const modify = (more: object) =>
  scenario.client.send(new sdk.ModifyCacheClusterCommand({ CacheClusterId: 'mem', ...more }))

const withNodes = (...ids: string[]): Promise<sdk.CacheCluster> =>
  scenario.until(async () => {
    const cluster = await scenario.cluster('mem')
    assert.equal(cluster.CacheClusterStatus, 'available')
    assert.deepEqual(
      cluster.CacheNodes!.map((node) => node.CacheNodeId),
      ids,
    )
    return cluster
  })

const discovered = async ({ ConfigurationEndpoint }: sdk.CacheCluster): Promise<number> =>
  (await say(ConfigurationEndpoint!.Address!, 'config get cluster\r\n')).split('\n')[2]!.trim().split(' ').length

/** A window that opens in two hours and lasts one, in UTC. */
function windowFromNow(): string {
  const text = (at: Date): string =>
    `${at.toLocaleDateString('en-US', { weekday: 'short', timeZone: 'UTC' }).toLowerCase()}:${at.toISOString().slice(11, 16)}`
  const opens = scenario.now() + 2 * HOUR_MS
  return `${text(new Date(opens))}-${text(new Date(opens + HOUR_MS))}`
}

test('without ApplyImmediately nodes wait for the window; the present number takes that back', async () => {
  await scenario.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'mem',
      Engine: 'memcached',
      NumCacheNodes: 2,
      CacheNodeType: 'cache.t4g.micro',
      PreferredMaintenanceWindow: windowFromNow(),
    }),
  )
  await withNodes('0001', '0002')
  await modify({ NumCacheNodes: 3 })
  const added = await modify({ NumCacheNodes: 4, AZMode: 'cross-az' })
  assert.equal(added.CacheCluster!.PendingModifiedValues!.NumCacheNodes, 4)
  await modify({ NumCacheNodes: 2 })
  const { PendingModifiedValues: none } = await withNodes('0001', '0002')
  assert.equal(none!.NumCacheNodes, undefined)
})

test('in the window they are made, over the zones with the fewest; then what is removed leaves', async () => {
  await modify({ NumCacheNodes: 4 })
  scenario.advance(2.5 * HOUR_MS)
  const grown = await withNodes('0001', '0002', '0003', '0004')
  assert.equal(grown.PreferredAvailabilityZone, 'Multiple')
  assert.equal(await discovered(grown), 4)
  assert.deepEqual(grown.PendingModifiedValues, {})
  const messages = await scenario.messages('cache-cluster', 'mem')
  assert.ok(messages.includes('Finished modifying number of nodes from 2 to 4'), messages.join('\n'))
  // The window is still open: what may wait for it begins at once.
  await modify({ NumCacheNodes: 3, CacheNodeIdsToRemove: ['0002'] })
  const shrunk = await withNodes('0001', '0003', '0004')
  assert.equal(await discovered(shrunk), 3)
  await assert.rejects(modify({ AZMode: 'single-az' }), /several zones/)
})

test('ApplyImmediately begins what waits, too; a number is not used again', async () => {
  scenario.advance(5 * HOUR_MS)
  await modify({ NumCacheNodes: 4 })
  await modify({ NumCacheNodes: 5, ApplyImmediately: true, NewAvailabilityZones: ['us-east-1f'] })
  const grown = await withNodes('0001', '0003', '0004', '0005', '0006')
  assert.equal(grown.CacheNodes!.at(-1)!.CustomerAvailabilityZone, 'us-east-1f')
  assert.equal(await discovered(grown), 5)
})
