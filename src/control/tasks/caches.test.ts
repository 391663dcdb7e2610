//! The task that follows ElastiCache's operations, on a real state; the keeper's reports are written by hand
//! (test/scenarios/keeper has the real one).
import assert from 'node:assert/strict'
import { beforeEach, type TestContext, test } from 'node:test'
import { type ElastiCacheContext, elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import { ScriptedKeeper, SINCE } from '../../../test/support/scripted-keeper.ts'
import type { GroupSeen } from '../../keeper/protocol.ts'
import { ELASTICACHE_OPERATIONS as ops } from '../../services/elasticache/operations.ts'
import { cachesTask } from './caches.ts'

let keeper: ScriptedKeeper
let context: ElastiCacheContext

beforeEach(async (t) => {
  keeper = new ScriptedKeeper()
  context = await elasticacheContext(t as TestContext)
})

/** Runs the task until it has nothing to do. */
async function settle(): Promise<void> {
  const task = cachesTask(context.state, keeper, context.clock)
  for (let round = 0; (await task.run()).length > 0; round++) assert.ok(round < 10, 'the task does not come to rest')
}

const cluster = async (id: string) =>
  (await ops.DescribeCacheClusters({ CacheClusterId: id, ShowCacheNodeInfo: true }, context)).CacheClusters![0]!
const group = async (id: string) =>
  (await ops.DescribeReplicationGroups({ ReplicationGroupId: id }, context)).ReplicationGroups![0]!
const messages = async (type: string, id: string) =>
  (await ops.DescribeEvents({ SourceType: type as 'cache-cluster', SourceIdentifier: id }, context))
    .Events!.map((event) => event.Message)
    .reverse()

const REDIS = { Engine: 'redis', CacheNodeType: 'cache.t3.micro' }
const GROUP = {
  ReplicationGroupId: 'shop',
  ReplicationGroupDescription: 'the shop',
  NumCacheClusters: 3,
  AutomaticFailoverEnabled: true,
  ...REDIS,
}

test('a cluster is creating until the keeper has settled its wish, then available with an endpoint', async () => {
  const made = await ops.CreateCacheCluster({ CacheClusterId: 'One', ...REDIS, EngineVersion: '7.0' }, context)
  assert.equal(made.CacheCluster!.CacheClusterId, 'one')
  assert.equal(made.CacheCluster!.CacheClusterStatus, 'creating')
  keeper.edit = (seen) => ({ ...seen, settled: false })
  await settle()
  assert.equal((await cluster('one')).CacheClusterStatus, 'creating')
  keeper.edit = (seen) => seen
  await settle()
  const found = await cluster('ONE')
  assert.equal(found.CacheClusterStatus, 'available')
  assert.equal(found.EngineVersion, '7.0.15')
  assert.equal(found.ConfigurationEndpoint, undefined)
  assert.deepEqual(found.CacheNodes![0]!.Endpoint, { Address: '127.16.0.10', Port: 6379 })
  assert.deepEqual(await messages('cache-cluster', 'one'), [
    'Added cache node 0001 in availability zone us-east-1a',
    'Cache cluster created',
  ])
  assert.equal(keeper.groups[0]!.engineVersion, '7.0')
})

test('a report that is older than the wish sets nothing', async () => {
  await ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS }, context)
  keeper.frozen = { groups: [], revision: 0 }
  await settle()
  assert.equal((await cluster('one')).CacheClusterStatus, 'creating')
  await ops.DeleteCacheCluster({ CacheClusterId: 'one' }, context)
  await settle()
  assert.equal((await cluster('one')).CacheClusterStatus, 'deleting', 'the keeper has not yet had the wish')
})

test('a replication group: members, endpoints, roles that follow a failover, no configuration endpoint', async () => {
  await ops.CreateReplicationGroup({ ...GROUP, Tags: [{ Key: 'team', Value: 'shop' }] }, context)
  await settle()
  const made = await group('shop')
  assert.equal(made.Status, 'available')
  assert.deepEqual(made.MemberClusters, ['shop-001', 'shop-002', 'shop-003'])
  assert.equal(made.ConfigurationEndpoint, undefined)
  const [shard] = made.NodeGroups!
  assert.deepEqual(shard!.PrimaryEndpoint, { Address: '127.16.0.1', Port: 6379 })
  assert.deepEqual(shard!.ReaderEndpoint, { Address: '127.16.0.2', Port: 6379 })
  const roles = async () => (await group('shop')).NodeGroups![0]!.NodeGroupMembers!.map((m) => m.CurrentRole)
  assert.deepEqual(await roles(), ['primary', 'replica', 'replica'])
  const tags = await ops.ListTagsForResource({ ResourceName: (await cluster('shop-002')).ARN }, context)
  assert.deepEqual(tags.TagList, [{ Key: 'team', Value: 'shop' }])

  const failedOver = (seen: GroupSeen): GroupSeen => ({
    ...seen,
    settled: false,
    nodes: seen.nodes.map((node, at) => ({
      ...node,
      role: at === 1 ? 'primary' : 'replica',
      state: at === 0 ? 'recovering' : 'available',
    })),
  })
  keeper.edit = failedOver
  await settle()
  assert.equal((await group('shop')).Status, 'modifying')
  assert.equal((await cluster('shop-001')).CacheNodes![0]!.CacheNodeStatus, 'creating')
  keeper.edit = (seen) => {
    const after = failedOver(seen)
    return { ...after, settled: true, nodes: after.nodes.map((node) => ({ ...node, state: 'available' })) }
  }
  await settle()
  assert.equal((await group('shop')).Status, 'available')
  assert.deepEqual(await roles(), ['replica', 'primary', 'replica'])
  await fails(() => ops.DeleteCacheCluster({ CacheClusterId: 'shop-002' }, context), 'InvalidCacheClusterState')
})

test('replicas come and go', async () => {
  await ops.CreateReplicationGroup({ ...GROUP, NumCacheClusters: 2 }, context)
  await fails(
    () => ops.CreateCacheCluster({ CacheClusterId: 'extra', ReplicationGroupId: 'shop' }, context),
    'InvalidReplicationGroupState',
  )
  await settle()
  await fails(
    () => ops.CreateCacheCluster({ CacheClusterId: 'extra', ReplicationGroupId: 'shop', Port: 6400 }, context),
    'InvalidParameterCombination',
    /Port/,
  )
  await ops.CreateCacheCluster({ CacheClusterId: 'extra', ReplicationGroupId: 'shop' }, context)
  assert.equal((await group('shop')).Status, 'modifying')
  await settle()
  assert.deepEqual((await group('shop')).MemberClusters, ['extra', 'shop-001', 'shop-002'])
  const count = { ReplicationGroupId: 'shop', ApplyImmediately: true }
  await fails(() => ops.IncreaseReplicaCount({ ...count, NewReplicaCount: 2 }, context), 'NoOperationFault')
  await ops.IncreaseReplicaCount({ ...count, NewReplicaCount: 5 }, context)
  await settle()
  assert.equal((await group('shop')).MemberClusters!.length, 6)
  await ops.DecreaseReplicaCount({ ...count, NewReplicaCount: 1 }, context)
  await settle()
  assert.deepEqual((await group('shop')).Status, 'available')
  assert.equal((await group('shop')).MemberClusters!.length, 2)
  const [last] = (await group('shop')).MemberClusters!.filter((id) => id !== 'shop-001')
  await fails(() => ops.DeleteCacheCluster({ CacheClusterId: last }, context), 'InvalidCacheClusterState', /failover/)
  await ops.DeleteReplicationGroup({ ReplicationGroupId: 'shop' }, context)
  assert.equal((await group('shop')).Status, 'deleting')
  await settle()
  await fails(() => group('shop'), 'ReplicationGroupNotFoundFault')
  await fails(() => cluster('shop-001'), 'CacheClusterNotFound')
  assert.deepEqual(await context.state.list('tags'), [])
})

test('memcached: nodes are added and removed by number, the configuration endpoint stays', async () => {
  const memcached = { CacheClusterId: 'mc', Engine: 'memcached', CacheNodeType: 'cache.t3.micro' }
  await fails(() => ops.CreateCacheCluster(memcached, context), 'MissingParameter', /NumCacheNodes/)
  await ops.CreateCacheCluster({ ...memcached, NumCacheNodes: 2, AZMode: 'cross-az' }, context)
  await settle()
  const made = await cluster('mc')
  assert.deepEqual(made.ConfigurationEndpoint, { Address: '127.16.0.1', Port: 11211 })
  assert.equal(made.PreferredAvailabilityZone, 'Multiple')
  assert.equal(keeper.groups[0]!.engineVersion, '1.6.22')
  const modify = { CacheClusterId: 'mc', ApplyImmediately: true }
  await ops.ModifyCacheCluster({ ...modify, NumCacheNodes: 4 }, context)
  assert.equal((await cluster('mc')).CacheClusterStatus, 'modifying')
  await settle()
  assert.deepEqual(
    (await cluster('mc')).CacheNodes!.map((node) => node.CacheNodeId),
    ['0001', '0002', '0003', '0004'],
  )
  await fails(
    () => ops.ModifyCacheCluster({ ...modify, NumCacheNodes: 3 }, context),
    'MissingParameter',
    /CacheNodeIdsToRemove/,
  )
  for (const more of [{ NumCacheNodes: 5, CacheNodeIdsToRemove: ['0002'] }, { NewAvailabilityZones: ['us-east-1a'] }]) {
    await fails(() => ops.ModifyCacheCluster({ ...modify, ...more }, context), 'InvalidParameterCombination')
  }
  await ops.ModifyCacheCluster({ ...modify, NumCacheNodes: 3, CacheNodeIdsToRemove: ['0002'] }, context)
  await settle()
  assert.equal((await cluster('mc')).CacheClusterStatus, 'available')
  assert.deepEqual((await messages('cache-cluster', 'mc')).slice(3), [
    'Finished modifying number of nodes from 2 to 4',
    'Removed cache nodes 0002',
  ])
  assert.deepEqual(
    keeper.groups[0]!.nodes.map((node) => node.id),
    ['0001', '0003', '0004'],
  )
})

test('parameter groups: into the wish, applying, pending a reboot, in sync after it', async () => {
  const PG = { CacheParameterGroupName: 'mine' }
  await ops.CreateCacheParameterGroup({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'x' }, context)
  await ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS, ...PG }, context)
  await settle()
  const modify = (ParameterName: string, ParameterValue: string) =>
    ops.ModifyCacheParameterGroup({ ...PG, ParameterNameValues: [{ ParameterName, ParameterValue }] }, context)
  await modify('maxmemory-policy', 'allkeys-lfu')
  const status = async () => (await cluster('one')).CacheParameterGroup!
  assert.equal((await status()).ParameterApplyStatus, 'applying')
  await settle()
  assert.equal((await status()).ParameterApplyStatus, 'in-sync')
  assert.ok(
    keeper.groups[0]!.configuration.some(([name, value]) => name === 'maxmemory-policy' && value === 'allkeys-lfu'),
  )

  await modify('databases', '4')
  const pending = (seen: GroupSeen): GroupSeen => ({
    ...seen,
    nodes: seen.nodes.map((n) => ({ ...n, pendingReboot: ['databases'] })),
  })
  keeper.edit = pending
  await settle()
  assert.equal((await status()).ParameterApplyStatus, 'pending-reboot')
  assert.deepEqual((await status()).CacheNodeIdsToReboot, ['0001'])
  // The keeper has the wish, and the old process still runs.
  keeper.edit = (seen) => {
    const now = pending(seen)
    return { ...now, nodes: now.nodes.map((n) => ({ ...n, availableSince: SINCE })) }
  }
  await ops.RebootCacheCluster({ CacheClusterId: 'one', CacheNodeIdsToReboot: ['0001'] }, context)
  await settle()
  assert.equal((await cluster('one')).CacheClusterStatus, 'rebooting cluster nodes')
  keeper.edit = (seen) => seen
  await settle()
  assert.equal((await cluster('one')).CacheClusterStatus, 'available')
  assert.equal((await status()).ParameterApplyStatus, 'in-sync')

  const user = await ops.DescribeCacheParameters({ ...PG, Source: 'user' }, context)
  assert.deepEqual(
    user.Parameters!.map((p) => [p.ParameterName, p.ParameterValue]),
    [
      ['databases', '4'],
      ['maxmemory-policy', 'allkeys-lfu'],
    ],
  )
  await fails(() => ops.DeleteCacheParameterGroup(PG, context), 'InvalidCacheParameterGroupState', /one/)
  await ops.ResetCacheParameterGroup({ ...PG, ResetAllParameters: true }, context)
  await settle()
  assert.ok(keeper.groups[0]!.configuration.some(([name, value]) => name === 'databases' && value === '16'))
})

test('events: paging, windows of time, 14 days by the movable clock', async () => {
  await ops.CreateCacheParameterGroup(
    { CacheParameterGroupName: 'p', CacheParameterGroupFamily: 'redis7', Description: 'x' },
    context,
  )
  for (let n = 20; n < 65; n++) {
    await ops.ModifyCacheParameterGroup(
      { CacheParameterGroupName: 'p', ParameterNameValues: [{ ParameterName: 'timeout', ParameterValue: String(n) }] },
      context,
    )
  }
  const first = await ops.DescribeEvents({ MaxRecords: 20 }, context)
  assert.equal(first.Events![0]!.Message, 'Updated parameter timeout to 64')
  const second = await ops.DescribeEvents({ MaxRecords: 20, Marker: first.Marker }, context)
  assert.equal(second.Events![0]!.Message, 'Updated parameter timeout to 44')
  const third = await ops.DescribeEvents({ MaxRecords: 20, Marker: second.Marker }, context)
  assert.equal(third.Events!.length, 5)
  assert.equal(third.Marker, undefined)
  await fails(() => ops.DescribeEvents({ MaxRecords: 5 }, context), 'InvalidParameterValue')
  await fails(() => ops.DescribeEvents({ Marker: '??' }, context), 'InvalidParameterValue')
  await fails(() => ops.DescribeEvents({ SourceIdentifier: 'p' }, context), 'InvalidParameterCombination')
  context.clock.moveTo(context.clock.offsetMs + 61 * 60_000)
  assert.equal((await ops.DescribeEvents({}, context)).Events!.length, 0)
  assert.equal((await ops.DescribeEvents({ Duration: 120 }, context)).Events!.length, 45)
  const all = { StartTime: new Date(0), EndTime: new Date(context.clock.now()) }
  assert.equal((await ops.DescribeEvents(all, context)).Events!.length, 45)
  context.clock.moveTo(context.clock.offsetMs + 14 * 24 * 3600_000)
  assert.equal((await ops.DescribeEvents(all, context)).Events!.length, 0)
  await settle()
  assert.equal((await context.state.list('cache-event')).length, 0)
})
