//! FinalSnapshotIdentifier of DeleteReplicationGroup and DeleteCacheCluster: the snapshot that is taken of the primary
//! before the rest is deleted (spec/elasticache.md 2.6, 8). `deleting` is shown throughout. A final snapshot that fails
//! ends the deletion: what it was to keep is still there (control/plan/snapshots.ts).
import { newName } from '../../domain/cache-names.ts'
import type { CacheClusterRecord } from '../../domain/cluster.ts'
import { invalidCombination } from '../../domain/elasticache-faults.ts'
import type { Transaction } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { mustBeAvailable, mustBeAvailableCluster } from './must-be-available.ts'
import { newSnapshot, refuseMemcached, type SnapshotSource } from './new-snapshot.ts'
import { checkSnapshotNameFree } from './snapshots.ts'

/** Name of the snapshot. @throws as CreateSnapshot does; the quota of manual ones does not count it (unconfirmed) */
export async function beginFinalSnapshot(
  tx: Transaction,
  given: string,
  source: SnapshotSource,
  context: ServiceContext,
): Promise<string> {
  const name = newName('finalSnapshot', given)
  if (source.kind === 'group') mustBeAvailable(source.group)
  else {
    refuseMemcached(source.cluster)
    mustBeAvailableCluster(source.cluster)
  }
  await checkSnapshotNameFree(tx, name)
  const wish = { name, source: 'manual', from: 'primary', kmsKeyId: null, final: true } as const
  await tx.put('snapshot', name, newSnapshot(wish, source, context, context.clock.now()))
  return name
}

/** A replica goes and its group stays: there is nothing that a final snapshot would keep. */
export const finalOfMember = (record: CacheClusterRecord) =>
  invalidCombination(
    `${record.id} is a replica of ${record.replicationGroupId}, whose data stays: no FinalSnapshotIdentifier.`,
  )
