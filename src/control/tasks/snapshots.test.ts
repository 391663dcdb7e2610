//! The task of snapshots with ElastiCache's operations, on a real state and a clock that moves; the keeper's reports are
//! written by hand (test/scenarios/keeper/snapshots.test.ts has the real one).
import assert from 'node:assert/strict'
import { beforeEach, type TestContext, test } from 'node:test'
import { type ElastiCacheContext, elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import { ScriptedKeeper } from '../../../test/support/scripted-keeper.ts'
import { ELASTICACHE_OPERATIONS as ops } from '../../services/elasticache/operations.ts'
import type { TransferEnd } from '../transfers.ts'
import { cachesTask } from './caches.ts'
import { snapshotsTask } from './snapshots.ts'

let keeper: ScriptedKeeper
let context: ElastiCacheContext

beforeEach(async (t) => {
  ends.clear()
  keeper = new ScriptedKeeper()
  context = await elasticacheContext(t as TestContext)
})

/** Runs both tasks until neither has anything to do. */
async function settle(): Promise<void> {
  const tasks = [
    cachesTask(context.state, keeper, context.clock),
    snapshotsTask({ ...context, keeper, owner: context, transfers: TRANSFERS, vault: TRANSFERS }),
  ]
  for (let round = 0, idle = 0; idle < 2; round++) {
    const acted = await Promise.all([tasks[0]!.run(), tasks[1]!.run()])
    idle = acted.flat().length === 0 ? idle + 1 : 0
    assert.ok(round < 20, `the tasks do not come to rest: ${acted.flat()}`)
  }
}

/** No data is carried here: only captures of the keeper, which the test reports. */
const ends = new Map<string, TransferEnd>()
const TRANSFERS = {
  follow() {},
  end: (name: string) => ends.get(name) ?? null,
  list: async () => [],
  async remove() {},
}

const group = async (id = 'shop') =>
  (await ops.DescribeReplicationGroups({ ReplicationGroupId: id }, context)).ReplicationGroups![0]!
const cluster = async (id: string) =>
  (await ops.DescribeCacheClusters({ CacheClusterId: id }, context)).CacheClusters![0]!
const snapshots = async (filter: object = {}) => (await ops.DescribeSnapshots(filter, context)).Snapshots!
const names = async (filter: object = {}) => (await snapshots(filter)).map((one) => one.SnapshotName)
const messages = async (type: string, id: string) =>
  (await ops.DescribeEvents({ SourceType: type as 'cache-cluster', SourceIdentifier: id }, context))
    .Events!.map((event) => event.Message)
    .reverse()

const REDIS = { Engine: 'redis', CacheNodeType: 'cache.t3.micro', EngineVersion: '7.0' }
const GROUP = {
  ReplicationGroupId: 'shop',
  ReplicationGroupDescription: 'the shop',
  NumCacheClusters: 3,
  AutomaticFailoverEnabled: true,
  SnapshotWindow: '01:00-02:00',
  PreferredMaintenanceWindow: 'sun:05:00-sun:06:00',
  ...REDIS,
}
const HOUR_MS = 3_600_000

/** Moves the clock on to the next time it is `hour`:30 UTC. */
function moveTo(hour: number): void {
  const now = context.clock.now()
  const today = Math.floor(now / (24 * HOUR_MS)) * 24 * HOUR_MS + (hour + 0.5) * HOUR_MS
  context.clock.moveTo(context.clock.offsetMs + (today > now ? today : today + 24 * HOUR_MS) - now)
}

async function available(more: object = {}): Promise<void> {
  await ops.CreateReplicationGroup({ ...GROUP, ...more }, context)
  await settle()
  assert.equal((await group()).Status, 'available')
}

test('a snapshot of a group: the source refuses changes until it is captured, then all fields are there', async () => {
  await available()
  keeper.editSnapshot = (seen) => ({ ...seen, state: 'capturing', facts: null })
  const made = await ops.CreateSnapshot({ SnapshotName: 'Before', ReplicationGroupId: 'shop' }, context)
  assert.equal(made.Snapshot!.SnapshotStatus, 'creating')
  assert.equal(made.Snapshot!.SnapshotName, 'before')
  await settle()
  assert.equal((await group()).Status, 'snapshotting')
  assert.equal((await cluster('shop-002')).CacheClusterStatus, 'snapshotting', 'the member that is read')
  assert.equal((await cluster('shop-001')).CacheClusterStatus, 'available')
  const change = { ReplicationGroupId: 'shop', ApplyImmediately: true }
  await fails(() => ops.ModifyReplicationGroup(change, context), 'InvalidReplicationGroupState', /snapshotting/)
  const remove = { ReplicationGroupId: 'shop' }
  await fails(() => ops.DeleteReplicationGroup(remove, context), 'InvalidReplicationGroupState', /snapshotting/)
  await fails(() => ops.DeleteSnapshot({ SnapshotName: 'before' }, context), 'InvalidSnapshotState')
  keeper.editSnapshot = (seen) => seen
  await settle()
  assert.equal((await group()).Status, 'available')
  assert.equal((await cluster('shop-002')).CacheClusterStatus, 'available')
  const [found] = await snapshots({ SnapshotName: 'before', ShowNodeGroupConfig: true })
  const { NodeSnapshots, ...rest } = found!
  assert.deepEqual(rest, {
    SnapshotName: 'before',
    ARN: 'arn:aws:elasticache:us-east-1:123456789012:snapshot:before',
    SnapshotStatus: 'available',
    SnapshotSource: 'manual',
    ReplicationGroupId: 'shop',
    ReplicationGroupDescription: 'the shop',
    AutomaticFailover: 'enabled',
    NumNodeGroups: 1,
    Engine: 'redis',
    EngineVersion: '7.0.15',
    CacheNodeType: 'cache.t3.micro',
    PreferredMaintenanceWindow: 'sun:05:00-sun:06:00',
    Port: 6379,
    CacheParameterGroupName: 'default.redis7',
    CacheSubnetGroupName: 'default',
    VpcId: 'vpc-00000000',
    AutoMinorVersionUpgrade: true,
    SnapshotRetentionLimit: 0,
    SnapshotWindow: '01:00-02:00',
    DataTiering: 'disabled',
  })
  const [node] = NodeSnapshots!
  assert.equal(node!.CacheClusterId, 'shop-002')
  assert.equal(node!.CacheSize, '5 MB')
  assert.deepEqual(node!.NodeGroupConfiguration, {
    NodeGroupId: '0001',
    ReplicaCount: 2,
    PrimaryAvailabilityZone: 'us-east-1a',
    ReplicaAvailabilityZones: ['us-east-1b', 'us-east-1c'],
  })
  assert.equal(
    (await messages('replication-group', 'shop')).at(-1),
    "Snapshot succeeded for snapshot with ID 'before' of replication group with ID 'shop'",
  )
})

test('a snapshot that fails says why, in its event and to whoever restores it', async () => {
  await available()
  keeper.editSnapshot = (seen) => ({ ...seen, state: 'failed', facts: null, problem: 'the disk is full' })
  await ops.CreateSnapshot({ SnapshotName: 's', CacheClusterId: 'shop-003' }, context)
  assert.equal((await cluster('shop-003')).CacheClusterStatus, 'snapshotting')
  await settle()
  assert.equal((await snapshots())[0]!.SnapshotStatus, 'failed')
  assert.equal((await group()).Status, 'available')
  assert.equal((await cluster('shop-003')).CacheClusterStatus, 'available')
  assert.equal(
    (await messages('cache-cluster', 'shop-003')).at(-1),
    "Snapshot failed for snapshot with ID 's' of cache cluster with ID 'shop-003': the disk is full",
  )
  const restore = { ...GROUP, ReplicationGroupId: 'other', SnapshotName: 's' }
  await fails(() => ops.CreateReplicationGroup(restore, context), 'InvalidSnapshotState', /disk is full/)
  await ops.DeleteSnapshot({ SnapshotName: 's' }, context)
  await settle()
  assert.deepEqual(await names(), [])
  assert.deepEqual(keeper.data(), [])
})

test('automatic ones: one a window, one after a jump over many, kept as long as the limit says', async () => {
  moveTo(12)
  await available({ SnapshotRetentionLimit: 2 })
  assert.deepEqual(await names(), [], 'the window of today was over before')
  moveTo(1)
  await settle()
  const [first] = await snapshots()
  assert.match(first!.SnapshotName!, /^automatic\.shop-\d{4}-\d\d-\d\d-01-30$/)
  assert.equal(first!.SnapshotSource, 'automated')
  assert.equal(first!.NodeSnapshots![0]!.CacheClusterId, 'shop-002')
  moveTo(3)
  await settle()
  assert.equal((await names()).length, 1)
  await ops.ModifyReplicationGroup({ ReplicationGroupId: 'shop', SnapshottingClusterId: 'shop-003' }, context)
  await settle()
  moveTo(1)
  await settle()
  assert.equal((await names()).length, 2)
  assert.equal((await snapshots())[1]!.NodeSnapshots![0]!.CacheClusterId, 'shop-003')
  await ops.CopySnapshot({ SourceSnapshotName: first!.SnapshotName, TargetSnapshotName: 'kept' }, context)
  await settle()
  assert.deepEqual(await names({ SnapshotSource: 'user' }), ['kept'])
  // Ten days without anybody looking: one new snapshot, the two old ones are over their two days.
  context.clock.moveTo(context.clock.offsetMs + 240 * HOUR_MS)
  await settle()
  assert.equal((await names({ SnapshotSource: 'system' })).length, 1)
  assert.deepEqual(await names({ SnapshotSource: 'user' }), ['kept'])
  assert.equal(keeper.data().length, 2, 'the copy keeps the data that it shares')
  await ops.ModifyReplicationGroup({ ReplicationGroupId: 'shop', SnapshotRetentionLimit: 0 }, context)
  await settle()
  assert.deepEqual(await names(), ['kept'])
})

test('automatic ones go with their group, manual ones stay', async () => {
  await available({ SnapshotRetentionLimit: 35 })
  moveTo(1)
  await settle()
  await ops.CreateSnapshot({ SnapshotName: 'mine', ReplicationGroupId: 'shop' }, context)
  await settle()
  assert.equal((await names()).length, 2)
  await ops.DeleteReplicationGroup({ ReplicationGroupId: 'shop' }, context)
  await settle()
  assert.deepEqual(await names(), ['mine'])
  assert.deepEqual(await names({ ReplicationGroupId: 'shop' }), ['mine'])
})

test('a final snapshot of the primary: deleting throughout; a failed one ends the deletion', async () => {
  await available()
  const gone = { ReplicationGroupId: 'shop', FinalSnapshotIdentifier: 'last' }
  keeper.editSnapshot = (seen) => ({ ...seen, state: 'failed', facts: null, problem: 'no room' })
  assert.equal((await ops.DeleteReplicationGroup(gone, context)).ReplicationGroup!.Status, 'deleting')
  await settle()
  assert.equal((await group()).Status, 'available')
  assert.equal((await cluster('shop-001')).CacheClusterStatus, 'available')
  assert.match(
    (await messages('replication-group', 'shop')).join('\n'),
    /not deleted, because its final snapshot failed/,
  )
  await fails(() => ops.DeleteReplicationGroup(gone, context), 'SnapshotAlreadyExistsFault')
  keeper.editSnapshot = (seen) => ({ ...seen, state: 'capturing', facts: null })
  await ops.DeleteReplicationGroup({ ...gone, FinalSnapshotIdentifier: 'very-last' }, context)
  await settle()
  assert.equal((await group()).Status, 'deleting')
  assert.equal((await cluster('shop-001')).CacheClusterStatus, 'deleting')
  assert.equal(keeper.groups.length, 1, 'its engines run on')
  assert.equal(keeper.groups[0]!.nodes.length, 3)
  keeper.editSnapshot = (seen) => seen
  await settle()
  await fails(() => group(), 'ReplicationGroupNotFoundFault')
  const [kept] = await snapshots({ SnapshotName: 'very-last' })
  assert.equal(kept!.SnapshotStatus, 'available')
  assert.equal(kept!.NodeSnapshots![0]!.CacheClusterId, 'shop-001')
})

test('a final snapshot of a cluster; none of memcached, none of a replica', async () => {
  await ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS }, context)
  await ops.CreateCacheCluster(
    { CacheClusterId: 'mc', ...REDIS, Engine: 'memcached', EngineVersion: '1.6.17', NumCacheNodes: 1 },
    context,
  )
  await available()
  const final = { FinalSnapshotIdentifier: 'last' }
  const remove = (CacheClusterId: string) => () => ops.DeleteCacheCluster({ CacheClusterId, ...final }, context)
  await fails(remove('mc'), 'SnapshotFeatureNotSupportedFault')
  await fails(remove('shop-003'), 'InvalidParameterCombination')
  await remove('one')()
  await settle()
  await fails(() => cluster('one'), 'CacheClusterNotFound')
  assert.deepEqual(await names({ CacheClusterId: 'one' }), ['last'])
})

test('restore: the snapshot is restoring until the group is there; what is too large or refused fails for good', async () => {
  await available({ Port: 7000 })
  await ops.CreateSnapshot({ SnapshotName: 's', ReplicationGroupId: 'shop' }, context)
  await settle()
  const restore = (id: string, more: object = {}) =>
    ops.CreateReplicationGroup(
      { ReplicationGroupId: id, ReplicationGroupDescription: 'x', SnapshotName: 's', ...more },
      context,
    )
  keeper.edit = (seen) => ({ ...seen, settled: seen.id !== 'again' })
  await restore('again', { NumCacheClusters: 2 })
  assert.equal((await snapshots())[0]!.SnapshotStatus, 'restoring')
  await settle()
  assert.equal((await snapshots())[0]!.SnapshotStatus, 'restoring')
  await fails(() => restore('third'), 'InvalidSnapshotState')
  const wish = keeper.groups.find(({ id }) => id === 'again')!
  assert.deepEqual(wish.restoreFrom, { snapshot: keeper.data()[0] })
  assert.equal(wish.port, 7000)
  assert.equal((await group('again')).CacheNodeType, 'cache.t3.micro')
  keeper.edit = (seen) => seen
  await settle()
  assert.equal((await group('again')).Status, 'available')
  assert.equal((await snapshots())[0]!.SnapshotStatus, 'available')

  keeper.edit = (seen) =>
    seen.id === 'broken'
      ? {
          ...seen,
          settled: false,
          restore: { snapshot: '', state: 'failed', bytes: 0, bytesTotal: null, attempt: 1, problem: 'short read' },
        }
      : seen
  await ops.CreateCacheCluster({ CacheClusterId: 'broken', SnapshotName: 's' }, context)
  await settle()
  assert.equal((await cluster('broken')).CacheClusterStatus, 'restore-failed')
  assert.match((await messages('cache-cluster', 'broken')).at(-1)!, /from snapshot 's': short read/)
  assert.ok(!keeper.groups.some(({ id }) => id === 'broken'), 'nothing of it runs')
  keeper.editSnapshot = (seen) => ({ ...seen, facts: { ...seen.facts!, usedMemoryBytes: 900 * 1024 ** 2 } })
  await ops.CreateSnapshot({ SnapshotName: 'large', CacheClusterId: 'shop-001' }, context)
  await settle()
  await restore('small', { SnapshotName: 'large' })
  await settle()
  assert.equal((await group('small')).Status, 'create-failed')
  assert.equal((await cluster('small-001')).CacheClusterStatus, 'restore-failed')
  assert.match((await messages('replication-group', 'small')).at(-1)!, /943718400 bytes .* choose a larger node type/)
  await restore('roomy', { SnapshotName: 'large', CacheNodeType: 'cache.t3.small' })
  await settle()
  assert.equal((await group('roomy')).Status, 'available')
  for (const id of ['small', 'roomy']) await ops.DeleteReplicationGroup({ ReplicationGroupId: id }, context)
  await settle()
  await fails(() => group('small'), 'ReplicationGroupNotFoundFault')
})

test('an export that fails leaves the snapshot as it was and says why; what a copy with a key lacks fails it', async () => {
  await available()
  await ops.CreateSnapshot({ SnapshotName: 's', ReplicationGroupId: 'shop' }, context)
  await settle()
  const stores = { exportProblem: async () => null, importProblem: async () => null }
  const target = { SourceSnapshotName: 's', TargetSnapshotName: 'out', TargetBucket: 'b' }
  await ops.CopySnapshot(target, { ...context, stores })
  await settle()
  assert.equal((await snapshots())[0]!.SnapshotStatus, 'exporting')
  ends.set('s', { outcome: 'failed', problem: 'the bucket is gone' })
  await settle()
  assert.equal((await snapshots())[0]!.SnapshotStatus, 'available')
  const message = "Export to b failed: the bucket is gone (snapshot with ID 's')"
  assert.equal((await messages('replication-group', 'shop')).at(-1), message)
  ends.clear()
  ends.set('again', { outcome: 'failed', problem: 'There is no key alias/mine' })
  const copied = { SourceSnapshotName: 's', TargetSnapshotName: 'again', KmsKeyId: 'alias/mine' }
  const keys = { find: async () => 'arn:aws:kms:us-east-1:123456789012:key/mine' }
  await ops.CopySnapshot(copied, { ...context, keys })
  await settle()
  assert.equal((await snapshots({ SnapshotName: 'again' }))[0]!.SnapshotStatus, 'failed')
})

test('20 manual snapshots of a node in 24 hours', async () => {
  await ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS }, context)
  await settle()
  for (let at = 0; at < 20; at++) {
    await ops.CreateSnapshot({ SnapshotName: `s${at}`, CacheClusterId: 'one' }, context)
    await settle()
  }
  const next = () => ops.CreateSnapshot({ SnapshotName: 'next', CacheClusterId: 'one' }, context)
  await fails(next, 'SnapshotQuotaExceededFault')
  const page = await ops.DescribeSnapshots({ MaxRecords: 20 }, context)
  assert.equal(page.Snapshots!.length, 20)
  assert.equal(page.Marker, undefined)
  await fails(() => ops.DescribeSnapshots({ MaxRecords: 51 }, context), 'InvalidParameterValue')
  context.clock.moveTo(context.clock.offsetMs + 24 * HOUR_MS)
  await next()
  const rest = await ops.DescribeSnapshots({ MaxRecords: 20 }, context)
  assert.equal((await ops.DescribeSnapshots({ MaxRecords: 20, Marker: rest.Marker }, context)).Snapshots!.length, 1)
})

test('tags of a snapshot live as long as it', async () => {
  await available()
  const Tags = [{ Key: 'team', Value: 'shop' }]
  await ops.CreateSnapshot({ SnapshotName: 's', ReplicationGroupId: 'shop', Tags }, context)
  await settle()
  const ResourceName = (await snapshots())[0]!.ARN
  assert.deepEqual((await ops.ListTagsForResource({ ResourceName }, context)).TagList, Tags)
  await ops.DeleteSnapshot({ SnapshotName: 's' }, context)
  await settle()
  assert.equal(await context.state.get('tags', ResourceName!), undefined)
})
