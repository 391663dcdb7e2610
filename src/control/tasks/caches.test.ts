//! The operations of ElastiCache and the task that follows them, on a real state; the keeper's reports are written by hand
//! (test/scenarios/keeper has the real one).
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { Fault } from '../../domain/faults.ts'
import type { GroupSeen, GroupWish, KeeperSeen, NodeSeen } from '../../keeper/protocol.ts'
import { MovableClock } from '../../lib/clock.ts'
import { ELASTICACHE_OPERATIONS as ops } from '../../services/elasticache/operations.ts'
import type { ServiceContext } from '../../services/service.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { State } from '../../state/state.ts'
import { type CachesKeeper, cachesTask } from './caches.ts'

const SINCE = '2026-01-01T00:00:00.000Z'

/** Reports what the test says; by default, that every wish has come true at once. */
class ScriptedKeeper implements CachesKeeper {
  groups: readonly GroupWish[] = []
  revision = 0
  /** Changes the report of a group before it is given. */
  edit: (group: GroupSeen) => GroupSeen = (group) => group
  /** What was seen of the wishes at `frozen`, while that is set. */
  frozen: { readonly groups: readonly GroupWish[]; readonly revision: number } | null = null

  wishGroups(groups: readonly GroupWish[], revision: number): void {
    this.groups = groups
    this.revision = revision
  }

  seenRevision(): number {
    return this.frozen?.revision ?? this.revision
  }

  seen(): KeeperSeen {
    const groups = (this.frozen?.groups ?? this.groups).map((wish, at) => this.edit(seenOf(wish, at)))
    return { sequence: 1, groups, workers: [], nodeNetwork: '127.16.0.0/16', binaries: [] }
  }
}

function seenOf(wish: GroupWish, at: number): GroupSeen {
  const resp = wish.engine !== 'memcached'
  const nodes = wish.nodes.map(
    (node, index): NodeSeen => ({
      id: node.id,
      state: 'available',
      role: !resp ? 'none' : node.firstPrimary ? 'primary' : 'replica',
      address: `127.16.${at}.${10 + index}`,
      pid: 100 + index,
      binaryVersion: resp ? '7.0.15' : '1.6.18',
      pendingReboot: [],
      availableSince: (wish.restarts[node.id] ?? 0) > 0 ? '2026-01-01T00:01:00.000Z' : SINCE,
    }),
  )
  const readerEndpoint = resp ? `127.16.${at}.2` : null
  return { id: wish.id, settled: true, endpoint: `127.16.${at}.1`, readerEndpoint, nodes, problem: null }
}

const clock = new MovableClock()
let dir: string
let state: State
let keeper: ScriptedKeeper
let context: ServiceContext

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cachefront-caches-'))
})
after(() => rm(dir, { recursive: true }))

beforeEach(async (t) => {
  state = await openSqliteState(join(dir, `${encodeURIComponent(t.name)}.db`), clock)
  ;(t as unknown as { after(fn: () => Promise<void>): void }).after(() => state.close())
  keeper = new ScriptedKeeper()
  const binaries = [
    { engine: 'redis', version: '7.0.15' },
    { engine: 'memcached', version: '1.6.18' },
  ]
  context = {
    state,
    clock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    host: { binaries: () => binaries },
  }
})

/** Runs the task until it has nothing to do. */
async function settle(): Promise<void> {
  const task = cachesTask(state, keeper, clock)
  for (let round = 0; (await task.run()).length > 0; round++) assert.ok(round < 10, 'the task does not come to rest')
}

const fails = async (work: () => Promise<unknown>, code: string, words = /./): Promise<void> => {
  // An operation may also throw before it returns its promise.
  await assert.rejects(
    async () => work(),
    (error: Fault) => {
      assert.equal(error.code, code, error.message)
      assert.match(error.message, words)
      return true
    },
  )
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
  assert.deepEqual(await state.list('tags'), [])
})

test('memcached: nodes are added and removed by number, the configuration endpoint stays', async () => {
  const memcached = { CacheClusterId: 'mc', Engine: 'memcached', CacheNodeType: 'cache.t3.micro' }
  await fails(() => ops.CreateCacheCluster(memcached, context), 'MissingParameter', /NumCacheNodes/)
  await ops.CreateCacheCluster({ ...memcached, NumCacheNodes: 2, AZMode: 'cross-az' }, context)
  await settle()
  const made = await cluster('mc')
  assert.deepEqual(made.ConfigurationEndpoint, { Address: '127.16.0.1', Port: 11211 })
  assert.equal(made.PreferredAvailabilityZone, 'Multiple')
  assert.equal(keeper.groups[0]!.engineVersion, '1.6')
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

test('bad parameters change nothing, all or nothing', async () => {
  const PG = { CacheParameterGroupName: 'mine' }
  await ops.CreateCacheParameterGroup({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'x' }, context)
  const modify = (...pairs: (readonly [string, string])[]) =>
    ops.ModifyCacheParameterGroup(
      {
        ...PG,
        ParameterNameValues: pairs.map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue })),
      },
      context,
    )
  await fails(
    () => modify(['timeout', '60'], ['maxmemory-policy', 'random']),
    'InvalidParameterValue',
    /maxmemory-policy/,
  )
  await fails(() => modify(['timeout', '10']), 'InvalidParameterValue', /0,20-/)
  await fails(() => modify(['no-such', '1']), 'InvalidParameterValue', /no-such/)
  await fails(() => modify(['appendonly', 'yes']), 'InvalidParameterValue', /cannot be modified/)
  await fails(() => modify(['cluster-enabled', 'yes']), 'NotImplemented', /cluster mode/)
  await fails(() => modify(['rename-commands', 'flushall blocked']), 'NotImplemented')
  await fails(() => modify(), 'InvalidParameterValue')
  assert.deepEqual((await state.get('cache-parameter-group', 'mine'))!.doc.values, {})
  await fails(
    () =>
      ops.ModifyCacheParameterGroup(
        {
          CacheParameterGroupName: 'default.redis7',
          ParameterNameValues: [{ ParameterName: 'timeout', ParameterValue: '60' }],
        },
        context,
      ),
    'InvalidCacheParameterGroupState',
  )
  await fails(
    () =>
      ops.CreateCacheCluster(
        { CacheClusterId: 'm', Engine: 'memcached', NumCacheNodes: 1, CacheNodeType: 'cache.t3.micro', ...PG },
        context,
      ),
    'InvalidParameterCombination',
    /family memcached1\.6 but found one of family redis7/,
  )
})

test('bad input of clusters and groups, by code; nothing is half written', async () => {
  const create = (more: object) => () => ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS, ...more }, context)
  await fails(create({ CacheClusterId: '1st' }), 'InvalidParameterValue')
  await fails(create({ Engine: 'mongodb' }), 'InvalidParameterValue')
  await fails(create({ Engine: 'valkey' }), 'InsufficientCacheClusterCapacity', /valkey-server/)
  await fails(create({ CacheNodeType: 'huge' }), 'InvalidParameterValue')
  await fails(create({ NumCacheNodes: 2 }), 'InvalidParameterValue')
  await fails(create({ Port: 80 }), 'InvalidParameterValue')
  await fails(create({ CacheParameterGroupName: 'none' }), 'CacheParameterGroupNotFound')
  await fails(create({ CacheParameterGroupName: 'default.redis7.cluster.on' }), 'NotImplemented')
  await fails(create({ CacheSubnetGroupName: 'none' }), 'CacheSubnetGroupNotFoundFault')
  await fails(create({ PreferredAvailabilityZone: 'eu-west-1a' }), 'InvalidParameterValue')
  await fails(create({ PreferredMaintenanceWindow: 'never' }), 'InvalidParameterValue')
  await fails(create({ Tags: [{ Key: 'aws:x', Value: '1' }] }), 'InvalidParameterValue')
  for (const [field, value] of Object.entries({
    TransitEncryptionEnabled: true,
    AuthToken: 'secret-secret-secret',
    SnapshotRetentionLimit: 1,
    SnapshotName: 's',
    SecurityGroupIds: ['sg-1'],
    NotificationTopicArn: 'arn:aws:sns:x',
    NetworkType: 'ipv6',
    LogDeliveryConfigurations: [{}],
    OutpostMode: 'single-outpost',
  })) {
    await fails(create({ [field]: value }), 'NotImplemented', new RegExp(`^(?!.*secret).*${field}`))
  }
  const group = (more: object) => () => ops.CreateReplicationGroup({ ...GROUP, ...more }, context)
  await fails(group({ NumCacheClusters: 1 }), 'InvalidParameterCombination', /at least 2/)
  await fails(group({ NumCacheClusters: 7 }), 'NodeQuotaForClusterExceeded')
  await fails(group({ ReplicasPerNodeGroup: 1 }), 'InvalidParameterCombination')
  await fails(group({ ReplicationGroupDescription: undefined }), 'MissingParameter')
  await fails(group({ Engine: 'memcached' }), 'InvalidParameterValue')
  for (const [field, value] of Object.entries({
    MultiAZEnabled: true,
    AtRestEncryptionEnabled: true,
    NumNodeGroups: 2,
    ClusterMode: 'enabled',
    UserGroupIds: ['g'],
    DataTieringEnabled: true,
    GlobalReplicationGroupId: 'g',
    PrimaryClusterId: 'one',
  })) {
    await fails(group({ [field]: value }), 'NotImplemented', new RegExp(field))
  }
  assert.equal(await state.revision(), 0)
})

test('names are unique over clusters, members and groups', async () => {
  await ops.CreateReplicationGroup(GROUP, context)
  await fails(() => ops.CreateReplicationGroup(GROUP, context), 'ReplicationGroupAlreadyExists')
  for (const id of ['shop', 'shop-002']) {
    await fails(() => ops.CreateCacheCluster({ CacheClusterId: id, ...REDIS }, context), 'CacheClusterAlreadyExists')
  }
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
  clock.moveTo(clock.offsetMs + 61 * 60_000)
  assert.equal((await ops.DescribeEvents({}, context)).Events!.length, 0)
  assert.equal((await ops.DescribeEvents({ Duration: 120 }, context)).Events!.length, 45)
  const all = { StartTime: new Date(0), EndTime: new Date(clock.now()) }
  assert.equal((await ops.DescribeEvents(all, context)).Events!.length, 45)
  clock.moveTo(clock.offsetMs + 14 * 24 * 3600_000)
  assert.equal((await ops.DescribeEvents(all, context)).Events!.length, 0)
  await settle()
  assert.equal((await state.list('cache-event')).length, 0)
})

test('subnet groups and tags', async () => {
  const SG = { CacheSubnetGroupName: 'Mine', CacheSubnetGroupDescription: 'x', SubnetIds: ['subnet-0a', 'subnet-0b'] }
  const made = (await ops.CreateCacheSubnetGroup(SG, context)).CacheSubnetGroup!
  assert.equal(made.CacheSubnetGroupName, 'mine')
  assert.equal(made.Subnets!.length, 2)
  await fails(() => ops.CreateCacheSubnetGroup(SG, context), 'CacheSubnetGroupAlreadyExists')
  await fails(() => ops.CreateCacheSubnetGroup({ ...SG, SubnetIds: ['net'] }, context), 'InvalidSubnet')
  await ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS, CacheSubnetGroupName: 'mine' }, context)
  await fails(() => ops.DeleteCacheSubnetGroup({ CacheSubnetGroupName: 'mine' }, context), 'CacheSubnetGroupInUse')
  await fails(
    () => ops.ModifyCacheSubnetGroup({ CacheSubnetGroupName: 'mine', SubnetIds: ['subnet-0a'] }, context),
    'SubnetInUse',
  )
  assert.deepEqual(
    (await ops.DescribeCacheSubnetGroups({}, context)).CacheSubnetGroups!.map((g) => g.CacheSubnetGroupName),
    ['default', 'mine'],
  )
  const ResourceName = made.ARN
  await ops.AddTagsToResource({ ResourceName, Tags: [{ Key: 'a', Value: '1' }] }, context)
  const two = await ops.AddTagsToResource({ ResourceName, Tags: [{ Key: 'b' }] }, context)
  assert.deepEqual(two.TagList, [
    { Key: 'a', Value: '1' },
    { Key: 'b', Value: '' },
  ])
  await fails(() => ops.RemoveTagsFromResource({ ResourceName, TagKeys: ['a', 'c'] }, context), 'TagNotFound')
  const one = await ops.RemoveTagsFromResource({ ResourceName, TagKeys: ['a'] }, context)
  assert.deepEqual(one.TagList, [{ Key: 'b', Value: '' }])
  await fails(() => ops.ListTagsForResource({ ResourceName: 'arn:aws:s3:::x' }, context), 'InvalidARN')
})
