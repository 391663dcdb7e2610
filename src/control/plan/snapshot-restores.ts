//! PURE: whether what is made from a snapshot may begin now, must wait, or never will.
import type { CacheClusterRecord, ReplicationGroupRecord, SnapshotSettings } from '../../domain/cluster.ts'
import { nodeType } from '../../domain/node-types.ts'
import type { SnapshotRecord } from '../../domain/snapshot.ts'

/** `find`: a snapshot by its name, undefined when it is gone. Null when nothing changes. */
export function judgeRestore(
  { status, restoreFrom, nodeType: node }: ReplicationGroupRecord | CacheClusterRecord,
  find: (name: string) => SnapshotRecord | undefined,
): SnapshotSettings['restoreFrom'] | null {
  if (status !== 'creating' || restoreFrom?.state !== 'waiting') return null
  const snapshot = find(restoreFrom.snapshot)
  const refused = (problem: string) => ({ ...restoreFrom, state: 'refused' as const, problem })
  if (snapshot === undefined) return refused('the snapshot is gone')
  if (snapshot.status === 'failed') return refused(snapshot.problem ?? 'the snapshot failed')
  if (snapshot.status !== 'restoring' && snapshot.status !== 'available') return null
  const most = nodeType(node).maxmemory
  if (snapshot.memoryBytes !== null && snapshot.memoryBytes > most) {
    return refused(
      `its data takes ${snapshot.memoryBytes} bytes of memory, and a ${node} has ${most}: choose a larger node type`,
    )
  }
  return { ...restoreFrom, state: 'ready' }
}
