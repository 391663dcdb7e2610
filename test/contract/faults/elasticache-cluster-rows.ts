//! Faults of cache clusters that exist already or are being made (spec 1.8, 2.2, 2.5, 2.6).
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

const create = (site: ElastiCacheFaultSite, changes: object) =>
  site.client.createCacheCluster({
    CacheClusterId: 'new',
    Engine: 'redis',
    CacheNodeType: 'cache.t4g.micro',
    ...changes,
  })

/** CreateCacheCluster with these members is refused. */
const refusedNew = (code: string, section: string, when: string, changes: object): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section,
  when,
  provoke: (site) => () => create(site, changes),
})

/** A cluster of that state is changed. */
const inState = (when: string, call: (site: ElastiCacheFaultSite) => Promise<unknown>): ElastiCacheFaultRow => ({
  code: 'InvalidCacheClusterState',
  status: 400,
  section: '1.8',
  when,
  async provoke(site) {
    await site.cluster('one')
    await site.changeCluster('one', { status: 'modifying' })
    return () => call(site)
  },
})

const notFound = (when: string, call: (site: ElastiCacheFaultSite) => Promise<unknown>): ElastiCacheFaultRow => ({
  code: 'CacheClusterNotFound',
  status: 404,
  section: '1.3',
  when,
  provoke: (site) => () => call(site),
})

export const CLUSTER_ROWS: readonly ElastiCacheFaultRow[] = [
  notFound('DescribeCacheClusters', (site) => site.client.describeCacheClusters({ CacheClusterId: 'nobody' })),
  notFound('ModifyCacheCluster', (site) => site.client.modifyCacheCluster({ CacheClusterId: 'nobody' })),
  notFound('DeleteCacheCluster', (site) => site.client.deleteCacheCluster({ CacheClusterId: 'nobody' })),
  notFound('RebootCacheCluster', (site) =>
    site.client.rebootCacheCluster({ CacheClusterId: 'nobody', CacheNodeIdsToReboot: ['0001'] }),
  ),
  {
    code: 'CacheClusterAlreadyExists',
    status: 400,
    section: '1.6',
    when: 'an id that a cluster has',
    async provoke(site) {
      await site.cluster('new')
      return () => create(site, {})
    },
  },
  {
    code: 'CacheClusterAlreadyExists',
    status: 400,
    section: '1.6',
    when: 'the id of a member of a replication group',
    async provoke(site) {
      await site.group('shop', 2)
      return () => create(site, { CacheClusterId: 'SHOP-002' })
    },
  },
  refusedNew('InvalidParameterValue', '1.6', 'an id with two hyphens', { CacheClusterId: 'a--b' }),
  refusedNew('InvalidParameterValue', '2.2', 'an engine of nobody', { Engine: 'mongodb' }),
  refusedNew('InvalidParameterValue', '2.2', 'a version that is not offered', { EngineVersion: '2.8' }),
  refusedNew('InvalidParameterValue', '4.1', 'a node type that is none', { CacheNodeType: 'cache.huge' }),
  refusedNew('InvalidParameterValue', '2.2', 'two nodes of redis', { NumCacheNodes: 2 }),
  refusedNew('InvalidParameterValue', '1.6', 'a window of ten minutes', {
    PreferredMaintenanceWindow: 'sun:05:00-sun:05:10',
  }),
  refusedNew('InvalidParameterValue', '1.6', 'a port above 65535', { Port: 70_000 }),
  refusedNew('InvalidParameterValue', '11.1', 'a zone of another region', { PreferredAvailabilityZone: 'eu-west-1a' }),
  refusedNew('InvalidParameterCombination', '2.2', 'cross-az with redis', { AZMode: 'cross-az' }),
  refusedNew('InvalidParameterCombination', '2.2', 'a parameter group of another family', {
    CacheParameterGroupName: 'default.memcached1.6',
  }),
  refusedNew('MissingParameter', '1.8', 'no engine', { Engine: undefined }),
  refusedNew('NodeQuotaForClusterExceeded', '1.9', '61 nodes of memcached', {
    Engine: 'memcached',
    NumCacheNodes: 61,
  }),
  {
    code: 'NodeQuotaForCustomerExceeded',
    status: 400,
    section: '1.9',
    when: 'the 301st node',
    async provoke(site) {
      for (const id of ['a', 'b', 'c', 'd', 'e']) await site.memcached(id, 60)
      return () => create(site, {})
    },
  },
  {
    code: 'InsufficientCacheClusterCapacity',
    status: 400,
    section: '1.8',
    when: 'an engine that the host has no binary of',
    provoke(site) {
      site.host.binaries = []
      return () => create(site, {})
    },
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '1.8',
    when: 'a replica with an engine of its own',
    async provoke(site) {
      await site.group('shop', 2)
      return () => create(site, { ReplicationGroupId: 'shop' })
    },
  },
  inState('ModifyCacheCluster while it is modified', (site) =>
    site.client.modifyCacheCluster({ CacheClusterId: 'one', PreferredMaintenanceWindow: 'sun:05:00-sun:06:00' }),
  ),
  inState('RebootCacheCluster while it is modified', (site) =>
    site.client.rebootCacheCluster({ CacheClusterId: 'one', CacheNodeIdsToReboot: ['0001'] }),
  ),
  {
    code: 'InvalidCacheClusterState',
    status: 400,
    section: '1.8',
    when: 'DeleteCacheCluster of what is being deleted',
    async provoke(site) {
      await site.cluster('one')
      await site.client.deleteCacheCluster({ CacheClusterId: 'one' })
      return () => site.client.deleteCacheCluster({ CacheClusterId: 'one' })
    },
  },
  {
    code: 'InvalidCacheClusterState',
    status: 400,
    section: '1.8',
    when: 'DeleteCacheCluster of the primary of a group',
    async provoke(site) {
      await site.group('shop', 2)
      return () => site.client.deleteCacheCluster({ CacheClusterId: 'shop-001' })
    },
  },
  {
    code: 'SnapshotFeatureNotSupportedFault',
    status: 400,
    section: '1.8',
    when: 'a final snapshot of memcached',
    async provoke(site) {
      await site.memcached('web', 1)
      return () => site.client.deleteCacheCluster({ CacheClusterId: 'web', FinalSnapshotIdentifier: 'last' })
    },
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '2.5',
    when: 'ModifyCacheCluster of a member',
    async provoke(site) {
      await site.group('shop', 2)
      return () => site.client.modifyCacheCluster({ CacheClusterId: 'shop-001', AutoMinorVersionUpgrade: false })
    },
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '2.5',
    when: 'fewer nodes without their names',
    async provoke(site) {
      await site.memcached('web', 3)
      return () =>
        site.client.modifyCacheCluster({
          CacheClusterId: 'web',
          NumCacheNodes: 1,
          CacheNodeIdsToRemove: ['0001'],
          ApplyImmediately: true,
        })
    },
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '2.6',
    when: 'RebootCacheCluster of a node that there is not',
    async provoke(site) {
      await site.cluster('one')
      return () => site.client.rebootCacheCluster({ CacheClusterId: 'one', CacheNodeIdsToReboot: ['0002'] })
    },
  },
]
