//! Metrics of caches as they are offered: Prometheus text and the route of the command line, from sampled engines.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CreateCacheClusterCommand,
  CreateReplicationGroupCommand,
  waitUntilCacheClusterAvailable,
  waitUntilReplicationGroupAvailable,
} from '@aws-sdk/client-elasticache'
import { CacheMetrics, metricsTask } from '../../../src/control/cache-metrics.ts'
import { MovableClock } from '../../../src/lib/clock.ts'
import { type CacheMetricsDocument, cacheMetricsRoute } from '../../../src/services/cachefront/cache-metrics-route.ts'
import { cacheMetricsText, prometheusName } from '../../../src/services/cachefront/cache-metrics-text.ts'
import { ElastiCacheScenario, redisAt, WAIT } from '../../support/elasticache-scenario.ts'

const clock = new MovableClock()
let scenario: ElastiCacheScenario
let metrics: CacheMetrics

before(async () => {
  scenario = await ElastiCacheScenario.start()
  const { client } = scenario
  await client.send(
    new CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'measured',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
    }),
  )
  const memcached = { CacheClusterId: 'pages', Engine: 'memcached', CacheNodeType: 'cache.t4g.micro', NumCacheNodes: 1 }
  await client.send(new CreateCacheClusterCommand(memcached))
  await waitUntilReplicationGroupAvailable({ client, ...WAIT }, { ReplicationGroupId: 'shop' })
  await waitUntilCacheClusterAvailable({ client, ...WAIT }, { CacheClusterId: 'pages' })
  const { state, link } = scenario.control
  metrics = new CacheMetrics({ state, keeper: link, clock })
})
after(() => scenario?.end())

async function documentOf(query: string): Promise<{ status: number; document: CacheMetricsDocument }> {
  const route = cacheMetricsRoute(metrics, clock)
  const { status, body } = await route.run({ rest: '', query: new URLSearchParams(query), body: undefined })
  return { status, document: JSON.parse(body as string) }
}

test('each round is a sample of every node; what was counted between two is in the minute and in the counter', async () => {
  const task = metricsTask(metrics)
  assert.equal(task.periodMs, 60_000)
  await task.run()
  const group = await scenario.group('shop')
  const redis = redisAt(group.NodeGroups![0]!.PrimaryEndpoint!)
  await redis.set('a', '1')
  await redis.get('a')
  redis.disconnect()
  await task.run()
  const { document } = await documentOf('name=shop&metric=CacheHits')
  const [first, second] = document.nodes
  assert.equal(document.nodes.length, 2)
  assert.deepEqual([first!.clusterId, second!.clusterId], ['shop-001', 'shop-002'])
  assert.equal(first!.replicationGroupId, 'shop')
  const hits = first!.metrics[0]!
  assert.equal(hits.unit, 'Count')
  assert.equal(
    hits.points.reduce((sum, { value }) => sum + value, 0),
    1,
  )

  const text = await cacheMetricsText(metrics, clock)
  const labels = 'cache_cluster_id="shop-001",cache_node_id="0001",replication_group_id="shop"'
  assert.ok(text.includes(`# TYPE cachefront_elasticache_cache_hits_total counter\n`))
  assert.ok(text.includes(`\ncachefront_elasticache_cache_hits_total{${labels}} 1\n`), text)
  assert.match(text, /\ncachefront_elasticache_is_master\{cache_cluster_id="shop-002",.*\} 0\n/)
  assert.match(text, /\ncachefront_elasticache_unused_memory\{cache_cluster_id="pages",cache_node_id="0001"\} \d+\n/)
  // What this engine has no field for is not there at all.
  assert.ok(!text.includes('reclaimed_fields'))
})

test('a node that does not answer has no newer values', async () => {
  clock.moveTo(10 * 60_000)
  const pid = scenario.control.link.seen()!.groups.find(({ id }) => id === 'pages')!.nodes[0]!.pid!
  process.kill(pid, 'SIGSTOP')
  try {
    await metrics.refresh(0)
    const text = await cacheMetricsText(metrics, clock)
    assert.match(text, /\ncachefront_elasticache_curr_items\{cache_cluster_id="shop-001"/)
    assert.doesNotMatch(text, /\ncachefront_elasticache_curr_items\{cache_cluster_id="pages"/)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
})

test('names of what is not there are refused in words', async () => {
  assert.equal((await documentOf('name=none')).status, 404)
  assert.equal((await documentOf('')).status, 400)
  assert.equal((await documentOf('name=shop&metric=Tea')).status, 400)
})

test('names for Prometheus are CloudWatch names in small letters', () => {
  assert.equal(prometheusName('DB0AverageTTL', false), 'cachefront_elasticache_db0_average_ttl')
  assert.equal(prometheusName('EngineCPUUtilization', false), 'cachefront_elasticache_engine_cpu_utilization')
  assert.equal(prometheusName('GetTypeCmds', true), 'cachefront_elasticache_get_type_cmds_total')
})
