//! Faults of replication groups (spec 1.8, 2.3, 2.4, 2.6, 7.3).
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

const create = (site: ElastiCacheFaultSite, changes: object) =>
  site.client.createReplicationGroup({
    ReplicationGroupId: 'new',
    ReplicationGroupDescription: 'a group',
    Engine: 'redis',
    CacheNodeType: 'cache.t4g.micro',
    ...changes,
  })

const refusedNew = (code: string, section: string, when: string, changes: object): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section,
  when,
  provoke: (site) => () => create(site, changes),
})

/** With a group `shop` of a primary and `replicas` replicas, the call is refused. */
const refused = (
  code: string,
  section: string,
  when: string,
  replicas: number,
  call: (site: ElastiCacheFaultSite) => Promise<unknown>,
  changes: object = {},
): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section,
  when,
  async provoke(site) {
    await site.group('shop', replicas + 1, changes)
    return () => call(site)
  },
})

const increase = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.increaseReplicaCount({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...changes })
const decrease = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.decreaseReplicaCount({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...changes })
const modify = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', ...changes })

const notFound = (when: string, call: (site: ElastiCacheFaultSite) => Promise<unknown>): ElastiCacheFaultRow => ({
  code: 'ReplicationGroupNotFoundFault',
  status: 404,
  section: '1.3',
  when,
  provoke: (site) => () => call(site),
})

const inState = (when: string, call: (site: ElastiCacheFaultSite) => Promise<unknown>): ElastiCacheFaultRow => ({
  code: 'InvalidReplicationGroupState',
  status: 400,
  section: '1.8',
  when: `${when} while the group is modified`,
  async provoke(site) {
    await site.group('shop', 3)
    await site.changeGroup('shop', { status: 'modifying' })
    return () => call(site)
  },
})

export const GROUP_ROWS: readonly ElastiCacheFaultRow[] = [
  notFound('DescribeReplicationGroups', (site) =>
    site.client.describeReplicationGroups({ ReplicationGroupId: 'nobody' }),
  ),
  notFound('ModifyReplicationGroup', (site) => site.client.modifyReplicationGroup({ ReplicationGroupId: 'nobody' })),
  notFound('DeleteReplicationGroup', (site) => site.client.deleteReplicationGroup({ ReplicationGroupId: 'nobody' })),
  notFound('IncreaseReplicaCount', increase({ ReplicationGroupId: 'nobody', NewReplicaCount: 2 })),
  notFound('DecreaseReplicaCount', decrease({ ReplicationGroupId: 'nobody', NewReplicaCount: 2 })),
  notFound('CreateCacheCluster', (site) =>
    site.client.createCacheCluster({ CacheClusterId: 'more', ReplicationGroupId: 'nobody' }),
  ),
  {
    code: 'ReplicationGroupAlreadyExists',
    status: 400,
    section: '1.6',
    when: 'an id that a group has',
    async provoke(site) {
      await site.group('new', 1)
      return () => create(site, {})
    },
  },
  refusedNew('InvalidParameterValue', '1.6', 'an id of 41 characters', { ReplicationGroupId: 'a'.repeat(41) }),
  refusedNew('InvalidParameterValue', '1.6', 'a description of 256 characters', {
    ReplicationGroupDescription: 'd'.repeat(256),
  }),
  refusedNew('MissingParameter', '2.3', 'no description', { ReplicationGroupDescription: '' }),
  refusedNew('InvalidKMSKeyFault', '2.3', 'a key that is not here', {
    AtRestEncryptionEnabled: true,
    KmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1',
  }),
  refusedNew('InvalidParameterCombination', '2.3', 'encryption at rest with an append-only file', {
    AtRestEncryptionEnabled: true,
    Tags: [{ Key: 'cachefront:appendonly', Value: 'always' }],
  }),
  refusedNew('InvalidParameterValue', '11.2', 'another value of the append-only tag', {
    Tags: [{ Key: 'cachefront:appendonly', Value: 'sometimes' }],
  }),
  refusedNew('InvalidParameterValue', '2.3', 'memcached', { Engine: 'memcached' }),
  refusedNew('InvalidParameterCombination', '1.8', 'automatic failover with one cluster', {
    AutomaticFailoverEnabled: true,
    NumCacheClusters: 1,
  }),
  refusedNew('InvalidParameterCombination', '2.3', 'both counts', { NumCacheClusters: 2, ReplicasPerNodeGroup: 1 }),
  refusedNew('InvalidParameterCombination', '2.3', 'zones for two of three', {
    NumCacheClusters: 3,
    PreferredCacheClusterAZs: ['us-east-1a', 'us-east-1b'],
  }),
  refusedNew('InvalidParameterValue', '2.3', 'six replicas', { ReplicasPerNodeGroup: 6 }),
  refusedNew('NodeQuotaForClusterExceeded', '1.9', 'seven clusters', { NumCacheClusters: 7 }),
  refused('NodeQuotaForClusterExceeded', '1.9', 'CreateCacheCluster of a sixth replica', 5, (site) =>
    site.client.createCacheCluster({ CacheClusterId: 'one-more', ReplicationGroupId: 'shop' }),
  ),
  refused('NoOperationFault', '7.3', 'IncreaseReplicaCount to the present count', 2, increase({ NewReplicaCount: 2 })),
  refused('NoOperationFault', '7.3', 'DecreaseReplicaCount to the present count', 2, decrease({ NewReplicaCount: 2 })),
  refused('InvalidParameterValue', '7.3', 'IncreaseReplicaCount downwards', 2, increase({ NewReplicaCount: 1 })),
  refused('InvalidParameterValue', '7.3', 'DecreaseReplicaCount upwards', 2, decrease({ NewReplicaCount: 3 })),
  refused('InvalidParameterValue', '7.3', 'six replicas', 2, increase({ NewReplicaCount: 6 })),
  refused(
    'InvalidParameterValue',
    '7.3',
    'IncreaseReplicaCount not at once',
    1,
    increase({ NewReplicaCount: 2, ApplyImmediately: false }),
  ),
  refused(
    'InvalidParameterValue',
    '7.3',
    'the primary in ReplicasToRemove',
    2,
    decrease({ ReplicasToRemove: ['shop-001'] }),
  ),
  refused(
    'InvalidParameterCombination',
    '7.3',
    'no replica left under automatic failover',
    1,
    decrease({ NewReplicaCount: 0 }),
    { AutomaticFailoverEnabled: true },
  ),
  refused(
    'InvalidCacheClusterState',
    '2.6',
    'DeleteCacheCluster of the last replica under automatic failover',
    1,
    (site) => site.client.deleteCacheCluster({ CacheClusterId: 'shop-002' }),
    { AutomaticFailoverEnabled: true },
  ),
  refused(
    'InvalidParameterCombination',
    '1.8',
    'automatic failover for one cluster',
    0,
    modify({ AutomaticFailoverEnabled: true }),
  ),
  {
    code: 'CacheParameterGroupNotFound',
    status: 404,
    section: '2.4',
    when: 'ModifyReplicationGroup with a parameter group that there is not',
    async provoke(site) {
      await site.group('shop', 1)
      return () => modify({ CacheParameterGroupName: 'nobodys' })(site)
    },
  },
  inState('ModifyReplicationGroup', modify({ ReplicationGroupDescription: 'other' })),
  inState('IncreaseReplicaCount', increase({ NewReplicaCount: 4 })),
  inState('DecreaseReplicaCount', decrease({ NewReplicaCount: 1 })),
  inState('CreateCacheCluster', (site) =>
    site.client.createCacheCluster({ CacheClusterId: 'more', ReplicationGroupId: 'shop' }),
  ),
  {
    code: 'InvalidReplicationGroupState',
    status: 400,
    section: '2.6',
    when: 'DeleteReplicationGroup of what is being deleted',
    async provoke(site) {
      await site.group('shop', 1)
      await site.client.deleteReplicationGroup({ ReplicationGroupId: 'shop' })
      return () => site.client.deleteReplicationGroup({ ReplicationGroupId: 'shop' })
    },
  },
]
