//! Codes of what is not built: the call that would bring them answers 501. A row goes when that call does something.
import type { ElastiCacheNotBuiltRow } from '../../support/elasticache-fault-site.ts'

export const ELASTICACHE_NOT_BUILT_ROWS: readonly ElastiCacheNotBuiltRow[] = [
  {
    codes: ['NodeGroupsPerReplicationGroupQuotaExceeded'],
    reason: 'cluster mode',
    names: /NumNodeGroups/,
    provoke: (site) => () =>
      site.client.createReplicationGroup({
        ReplicationGroupId: 'shop',
        ReplicationGroupDescription: 'a group',
        NumNodeGroups: 501,
      }),
  },
  {
    codes: ['ReplicationGroupAlreadyUnderMigrationFault', 'ReplicationGroupNotUnderMigrationFault'],
    reason: 'online migration',
    names: /StartMigration/,
    provoke: (site) => () =>
      site.client.startMigration({
        ReplicationGroupId: 'shop',
        CustomerNodeEndpointList: [{ Address: '127.0.0.1', Port: 6379 }],
      }),
  },
  {
    codes: [
      'GlobalReplicationGroupAlreadyExistsFault',
      'GlobalReplicationGroupNotFoundFault',
      'InvalidGlobalReplicationGroupState',
    ],
    reason: 'global datastores',
    names: /DescribeGlobalReplicationGroups/,
    provoke: (site) => () => site.client.describeGlobalReplicationGroups({}),
  },
  {
    codes: [
      'InvalidServerlessCacheStateFault',
      'ServerlessCacheAlreadyExistsFault',
      'ServerlessCacheNotFoundFault',
      'ServerlessCacheQuotaForCustomerExceededFault',
    ],
    reason: 'serverless caches',
    names: /DescribeServerlessCaches/,
    provoke: (site) => () => site.client.describeServerlessCaches({}),
  },
  {
    codes: [
      'InvalidServerlessCacheSnapshotStateFault',
      'ServerlessCacheSnapshotAlreadyExistsFault',
      'ServerlessCacheSnapshotNotFoundFault',
      'ServerlessCacheSnapshotQuotaExceededFault',
    ],
    reason: 'snapshots of serverless caches',
    names: /DescribeServerlessCacheSnapshots/,
    provoke: (site) => () => site.client.describeServerlessCacheSnapshots({}),
  },
  {
    codes: [
      'ReservedCacheNodeAlreadyExists',
      'ReservedCacheNodeNotFound',
      'ReservedCacheNodeQuotaExceeded',
      'ReservedCacheNodesOfferingNotFound',
    ],
    reason: 'reserved nodes',
    names: /DescribeReservedCacheNodes/,
    provoke: (site) => () => site.client.describeReservedCacheNodes({}),
  },
  {
    codes: [
      'AuthorizationAlreadyExists',
      'AuthorizationNotFound',
      'CacheSecurityGroupAlreadyExists',
      'CacheSecurityGroupNotFound',
      'InvalidCacheSecurityGroupState',
      'QuotaExceeded.CacheSecurityGroup',
    ],
    reason: 'cache security groups, of EC2-Classic, which AWS has retired',
    names: /DescribeCacheSecurityGroups/,
    provoke: (site) => () => site.client.describeCacheSecurityGroups({}),
  },
]
