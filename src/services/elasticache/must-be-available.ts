//! Changes of a cluster or replication group begin only when nothing else is under way.
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault } from '../../domain/elasticache-faults.ts'

/** @throws InvalidCacheClusterState unless the cluster is available. */
export function mustBeAvailableCluster(record: CacheClusterRecord): void {
  if (record.status === 'available') return
  throw elasticacheFault(
    'InvalidCacheClusterState',
    `Cache cluster ${record.id} is ${record.status}, not available; wait until it is.`,
  )
}

/** @throws InvalidReplicationGroupState unless the group is available. */
export function mustBeAvailable(group: ReplicationGroupRecord): void {
  if (group.status === 'available') return
  throw elasticacheFault(
    'InvalidReplicationGroupState',
    `Replication group ${group.id} is ${group.status}, not available; wait until it is.`,
  )
}
