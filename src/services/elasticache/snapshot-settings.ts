//! The settings of snapshots that requests make of clusters and groups: SnapshotRetentionLimit, SnapshottingClusterId.
import { normalName, shown } from '../../domain/cache-names.ts'
import type { CacheEngine, ReplicationGroupRecord, SnapshotSettings } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { RETENTION_DAYS_MAX } from '../../domain/snapshot.ts'

/**
 * The settings after a request that may name a limit. Automatic snapshots begin with the next window after the limit
 * became more than 0: the one that is open or over is not made up for.
 * @throws InvalidParameterValue out of 0-35; InvalidParameterCombination for memcached
 */
export function withRetention<T extends SnapshotSettings>(
  record: T,
  engine: CacheEngine,
  given: number | undefined,
  now: number,
): T {
  if (given === undefined) return record
  if (!Number.isInteger(given) || given < 0 || given > RETENTION_DAYS_MAX) {
    throw invalidValue(`SnapshotRetentionLimit is 0 to ${RETENTION_DAYS_MAX} days, not ${given}.`)
  }
  if (engine === 'memcached') {
    if (given === 0) return record
    throw invalidCombination('Memcached clusters have no snapshots, so no SnapshotRetentionLimit.')
  }
  const begins = given > 0 && (record.snapshotRetentionLimit ?? 0) === 0
  return {
    ...record,
    snapshotRetentionLimit: given,
    ...(begins ? { automaticSnapshotAt: new Date(now).toISOString() } : {}),
  }
}

/** @throws InvalidParameterValue when it is not a member of the group */
export function snapshottingClusterId(group: ReplicationGroupRecord, given: string): string {
  const id = normalName(given)
  if (group.members.includes(id)) return id
  throw invalidValue(
    `SnapshottingClusterId ${shown(given)} is not a member of ${group.id}; its members are ${group.members.join(', ')}.`,
  )
}
