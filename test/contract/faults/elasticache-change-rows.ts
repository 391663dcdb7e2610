//! Faults of changes that keep the data: engine version and node type, Multi-AZ, the primary, test failovers, groups made
//! of a cluster (spec 2.3-2.6, 7.1-7.5).
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

type Act = (site: ElastiCacheFaultSite) => Promise<unknown>

/** `prepare`, then the call is refused. */
const refused = (
  code: string,
  section: string,
  when: string,
  prepare: Act,
  call: Act,
  status = 400,
): ElastiCacheFaultRow => ({
  code,
  status,
  section,
  when,
  async provoke(site) {
    await prepare(site)
    return () => call(site)
  },
})

const group =
  (members: number, changes: object = {}): Act =>
  (site) =>
    site.group('shop', members, changes)
const cluster =
  (changes: object = {}): Act =>
  (site) =>
    site.cluster('one', changes)
const newGroup =
  (changes: object): Act =>
  (site) =>
    site.client.createReplicationGroup({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'a group',
      CacheNodeType: 'cache.t4g.micro',
      ...changes,
    })
const modify =
  (changes: object): Act =>
  (site) =>
    site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', ...changes })
const modifyCluster =
  (changes: object): Act =>
  (site) =>
    site.client.modifyCacheCluster({ CacheClusterId: 'one', ...changes })
const test =
  (changes: object = {}): Act =>
  (site) =>
    site.client.testFailover({ ReplicationGroupId: 'shop', NodeGroupId: '0001', ...changes })
const counts =
  (operation: 'increaseReplicaCount' | 'decreaseReplicaCount', changes: object): Act =>
  (site) =>
    site.client[operation]({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...changes })

const nothing: Act = async () => {}
const FAILOVER = { AutomaticFailoverEnabled: true }
const MULTI_AZ = { ...FAILOVER, MultiAZEnabled: true }
const [A, B, C] = ['us-east-1a', 'us-east-1b', 'us-east-1c']
const shard = (changes: object) => ({ ReplicaConfiguration: [{ NodeGroupId: '0001', NewReplicaCount: 2, ...changes }] })
const COMBINATION = 'InvalidParameterCombination'
const VALUE = 'InvalidParameterValue'

const TESTS: readonly ElastiCacheFaultRow[] = [
  refused('ReplicationGroupNotFoundFault', '7.2', 'TestFailover of nobody’s group', nothing, test(), 404),
  refused(
    'NodeGroupNotFoundFault',
    '7.2',
    'a node group that there is not',
    group(2, FAILOVER),
    test({ NodeGroupId: '0002' }),
    404,
  ),
  refused('TestFailoverNotAvailableFault', '7.2', 'without automatic failover', group(2), test()),
  refused(
    'InvalidReplicationGroupState',
    '7.2',
    'while another one runs',
    async (site) => {
      await group(2, FAILOVER)(site)
      await test()(site)
    },
    test(),
  ),
  refused(
    'APICallRateForCustomerExceeded',
    '7.2',
    'the sixteenth within 24 hours',
    async (site) => {
      await group(2, FAILOVER)(site)
      for (let at = 0; at < 15; at++) {
        await test()(site)
        await site.settle()
      }
      site.clock.moveTo(site.clock.offsetMs + 23 * 60 * 60 * 1000)
    },
    test(),
  ),
]

const ROLES: readonly ElastiCacheFaultRow[] = [
  refused(COMBINATION, '2.3', 'Multi-AZ without automatic failover', nothing, newGroup({ MultiAZEnabled: true })),
  refused(
    COMBINATION,
    '7.1',
    'Multi-AZ with all members in one zone',
    nothing,
    newGroup({ ...MULTI_AZ, NumCacheClusters: 2, PreferredCacheClusterAZs: [A, A] }),
  ),
  refused(
    COMBINATION,
    '7.1',
    'Multi-AZ loses automatic failover',
    group(2, MULTI_AZ),
    modify({ AutomaticFailoverEnabled: false }),
  ),
  refused(
    COMBINATION,
    '7.1',
    'Multi-AZ for members in one zone',
    group(2, { ...FAILOVER, PreferredCacheClusterAZs: [A, A] }),
    modify({ MultiAZEnabled: true }),
  ),
  refused(
    COMBINATION,
    '7.1',
    'DecreaseReplicaCount takes the last replica of another zone',
    group(3, { ...MULTI_AZ, PreferredCacheClusterAZs: [A, A, B] }),
    counts('decreaseReplicaCount', { ReplicasToRemove: ['shop-003'] }),
  ),
  refused(
    'InvalidCacheClusterState',
    '7.1',
    'DeleteCacheCluster takes it',
    group(3, { ...MULTI_AZ, PreferredCacheClusterAZs: [A, A, B] }),
    (site) => site.client.deleteCacheCluster({ CacheClusterId: 'shop-003' }),
  ),
  refused(
    COMBINATION,
    '7.1',
    'a primary is named under automatic failover',
    group(2, FAILOVER),
    modify({ PrimaryClusterId: 'shop-002', ApplyImmediately: true }),
  ),
  refused(VALUE, '2.4', 'a primary that is no member', group(2), modify({ PrimaryClusterId: 'other' })),
]

const MEMBERS: readonly ElastiCacheFaultRow[] = [
  refused(
    COMBINATION,
    '2.3',
    'zones of NodeGroupConfiguration and of PreferredCacheClusterAZs',
    nothing,
    newGroup({ NodeGroupConfiguration: [{ ReplicaCount: 1 }], PreferredCacheClusterAZs: [A, B] }),
  ),
  refused(
    COMBINATION,
    '2.3',
    'two replicas and one of their zones',
    nothing,
    newGroup({ NodeGroupConfiguration: [{ ReplicaCount: 2, ReplicaAvailabilityZones: [A] }] }),
  ),
  refused(
    COMBINATION,
    '2.3',
    'two node groups without cluster mode',
    nothing,
    newGroup({ NodeGroupConfiguration: [{ ReplicaCount: 0 }, { ReplicaCount: 0 }] }),
  ),
  refused(
    COMBINATION,
    '2.3',
    'NodeGroupConfiguration against NumCacheClusters',
    nothing,
    newGroup({ NumCacheClusters: 3, NodeGroupConfiguration: [{ ReplicaCount: 1 }] }),
  ),
  refused(
    VALUE,
    '11.1',
    'a zone in which the subnet group has no subnet',
    (site) =>
      site.client.createCacheSubnetGroup({
        CacheSubnetGroupName: 'two',
        CacheSubnetGroupDescription: 'a and b',
        SubnetIds: ['subnet-1', 'subnet-2'],
      }),
    newGroup({ CacheSubnetGroupName: 'two', NumCacheClusters: 2, PreferredCacheClusterAZs: [A, C] }),
  ),
  refused(
    'CacheClusterNotFound',
    '2.3',
    'PrimaryClusterId of nobody',
    nothing,
    newGroup({ PrimaryClusterId: 'x' }),
    404,
  ),
  refused(
    'InvalidCacheClusterState',
    '2.3',
    'PrimaryClusterId of a member of another group',
    (site) => site.group('other', 1),
    newGroup({ PrimaryClusterId: 'other-001', CacheNodeType: undefined }),
  ),
  refused(
    COMBINATION,
    '2.3',
    'PrimaryClusterId of memcached',
    (site) => site.memcached('web', 1),
    newGroup({ PrimaryClusterId: 'web', CacheNodeType: undefined }),
  ),
  refused(
    COMBINATION,
    '2.3',
    'PrimaryClusterId with replicas',
    cluster(),
    newGroup({ PrimaryClusterId: 'one', NumCacheClusters: 2 }),
  ),
  refused(COMBINATION, '2.6', 'a retained primary with a final snapshot', group(2), (site) =>
    site.client.deleteReplicationGroup({
      ReplicationGroupId: 'shop',
      RetainPrimaryCluster: true,
      FinalSnapshotIdentifier: 'last',
    }),
  ),
  refused(
    COMBINATION,
    '2.6',
    'a retained primary whose group is encrypted in transit',
    async (site) => {
      await group(2)(site)
      await site.changeGroup('shop', { transitEncryption: 'required' })
    },
    (site) => site.client.deleteReplicationGroup({ ReplicationGroupId: 'shop', RetainPrimaryCluster: true }),
  ),
  refused(
    'InvalidReplicationGroupState',
    '2.6',
    'a primary is retained while the group is modified',
    async (site) => {
      await group(2)(site)
      await site.changeGroup('shop', { status: 'modifying' })
    },
    (site) => site.client.deleteReplicationGroup({ ReplicationGroupId: 'shop', RetainPrimaryCluster: true }),
  ),
  refused(
    'NodeGroupNotFoundFault',
    '7.3',
    'ReplicaConfiguration of a node group that there is not',
    group(2),
    counts('increaseReplicaCount', shard({ NodeGroupId: '0002' })),
    404,
  ),
  refused(
    COMBINATION,
    '7.3',
    'ReplicaConfiguration with too few zones',
    group(2),
    counts('increaseReplicaCount', shard({ PreferredAvailabilityZones: [A, B] })),
  ),
  refused(
    COMBINATION,
    '7.3',
    'ReplicaConfiguration that would move a member',
    group(2),
    counts('increaseReplicaCount', shard({ PreferredAvailabilityZones: [C, C, C] })),
  ),
  refused(
    COMBINATION,
    '7.3',
    'both ways to say the count',
    group(2),
    counts('increaseReplicaCount', { NewReplicaCount: 2, ...shard({}) }),
  ),
]

const ENGINES: readonly ElastiCacheFaultRow[] = [
  refused(
    COMBINATION,
    '7.5',
    'an older version',
    cluster({ EngineVersion: '7.1' }),
    modifyCluster({ EngineVersion: '7.0' }),
  ),
  refused(
    COMBINATION,
    '7.5',
    'an older version for a group',
    group(2, { EngineVersion: '7.1' }),
    modify({ EngineVersion: '7.0' }),
  ),
  refused(VALUE, '7.5', 'a version that is not offered', cluster(), modifyCluster({ EngineVersion: '77.7' })),
  refused(COMBINATION, '14', 'from redis to memcached', cluster(), modifyCluster({ Engine: 'memcached' })),
  refused(COMBINATION, '14', 'to valkey without a version', cluster(), modifyCluster({ Engine: 'valkey' })),
  refused(
    'InsufficientCacheClusterCapacity',
    '14',
    'to valkey on a host without it',
    cluster(),
    modifyCluster({ Engine: 'valkey', EngineVersion: '8.0' }),
  ),
  refused(
    COMBINATION,
    '14',
    'to valkey with a parameter group of redis',
    async (site) => {
      site.host.binaries.push({ engine: 'valkey', version: '8.0.1' })
      await site.client.createCacheParameterGroup({
        CacheParameterGroupName: 'mine',
        CacheParameterGroupFamily: 'redis7',
        Description: 'mine',
      })
      await cluster({ CacheParameterGroupName: 'mine' })(site)
    },
    modifyCluster({ Engine: 'valkey', EngineVersion: '8.0' }),
  ),
  refused(VALUE, '7.5', 'a node type that is none', cluster(), modifyCluster({ CacheNodeType: 'cache.huge' })),
  refused(
    VALUE,
    '7.5',
    'a smaller node type while nobody can say how much data there is',
    cluster({ CacheNodeType: 'cache.t4g.small' }),
    modifyCluster({ CacheNodeType: 'cache.t4g.micro' }),
  ),
  refused(
    COMBINATION,
    '2.4',
    'an immediate upgrade while a node type waits',
    async (site) => {
      await cluster({ EngineVersion: '7.0' })(site)
      await modifyCluster({ CacheNodeType: 'cache.t4g.small' })(site)
    },
    modifyCluster({ EngineVersion: '7.1', ApplyImmediately: true }),
  ),
  refused(
    COMBINATION,
    '2.4',
    'an immediate node type while an upgrade waits',
    async (site) => {
      await cluster({ EngineVersion: '7.0' })(site)
      await modifyCluster({ EngineVersion: '7.1' })(site)
    },
    modifyCluster({ CacheNodeType: 'cache.t4g.small', ApplyImmediately: true }),
  ),
  refused(COMBINATION, '2.6', 'node types of nothing', nothing, (site) =>
    site.client.listAllowedNodeTypeModifications({}),
  ),
  refused(
    'CacheClusterNotFound',
    '2.6',
    'node types of nobody',
    nothing,
    (site) => site.client.listAllowedNodeTypeModifications({ CacheClusterId: 'nobody' }),
    404,
  ),
]

const memcached: Act = (site) => site.memcached('one', 3)
const scaled = (ScaleConfig: object, more: object = {}): Act =>
  modifyCluster({ CacheNodeType: 'cache.t4g.small', ScaleConfig, ...more })

const SCALING: readonly ElastiCacheFaultRow[] = [
  refused(VALUE, '2.5', 'ScalePercentage below 10', memcached, scaled({ ScalePercentage: 9 })),
  refused(VALUE, '2.5', 'ScalePercentage above 100', memcached, scaled({ ScalePercentage: 101 })),
  refused(VALUE, '2.5', 'ScaleIntervalMinutes below 2', memcached, scaled({ ScaleIntervalMinutes: 1 })),
  refused(VALUE, '2.5', 'ScaleIntervalMinutes above 30', memcached, scaled({ ScaleIntervalMinutes: 31 })),
  refused(COMBINATION, '2.5', 'ScaleConfig of redis', cluster(), scaled({ ScalePercentage: 50 })),
  refused(
    COMBINATION,
    '2.5',
    'ScaleConfig without CacheNodeType',
    memcached,
    modifyCluster({ ScaleConfig: { ScalePercentage: 50 } }),
  ),
  refused(
    COMBINATION,
    '2.5',
    'ScaleConfig with another version',
    (site) => site.cluster('one', { Engine: 'memcached', EngineVersion: '1.6.6', NumCacheNodes: 3 }),
    scaled({ ScalePercentage: 50 }, { EngineVersion: '1.6.17' }),
  ),
]

const NOBODYS = { ServiceUpdateName: 'nobodys' }

const UPDATES: readonly ElastiCacheFaultRow[] = [
  ...(
    [
      ['DescribeServiceUpdates', (site) => site.client.describeServiceUpdates(NOBODYS)],
      ['DescribeUpdateActions', (site) => site.client.describeUpdateActions(NOBODYS)],
      [
        'BatchApplyUpdateAction',
        (site) => site.client.batchApplyUpdateAction({ ...NOBODYS, CacheClusterIds: ['one'] }),
      ],
      ['BatchStopUpdateAction', (site) => site.client.batchStopUpdateAction({ ...NOBODYS, CacheClusterIds: ['one'] })],
    ] as readonly (readonly [string, Act])[]
  ).map(([when, call]) => refused('ServiceUpdateNotFoundFault', '11.5', when, nothing, call, 404)),
  refused(
    COMBINATION,
    '11.5',
    'BatchApplyUpdateAction to nothing',
    (site) =>
      site.state.transact((tx) =>
        tx.put('service-update', 'redis-7-0-16', {
          name: 'redis-7-0-16',
          engine: 'redis',
          version: '7.0.16',
          releasedAt: '2026-01-01T00:00:00.000Z',
        }),
      ),
    (site) => site.client.batchApplyUpdateAction({ ServiceUpdateName: 'redis-7-0-16' }),
  ),
]

export const CHANGE_ROWS: readonly ElastiCacheFaultRow[] = [
  ...TESTS,
  ...ROLES,
  ...MEMBERS,
  ...ENGINES,
  ...SCALING,
  ...UPDATES,
]
