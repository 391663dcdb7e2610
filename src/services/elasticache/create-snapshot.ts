//! CreateSnapshot: a manual snapshot of a replication group, of a member of one, or of a cluster that stands alone
//! (spec/elasticache.md 8). The source is `snapshotting` until control/tasks/snapshots.ts has seen it captured.
import type { CreateSnapshotMessage, CreateSnapshotResult } from '@aws-sdk/client-elasticache'
import { newName } from '../../domain/cache-names.ts'
import { elasticacheFault, invalidCombination } from '../../domain/elasticache-faults.ts'
import { MANUAL_SNAPSHOTS_PER_NODE } from '../../domain/snapshot.ts'
import { DAY_MS } from '../../domain/windows.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { onlyFields } from './fields.ts'
import { findCluster, findReplicationGroup } from './lookup.ts'
import { mustBeAvailable, mustBeAvailableCluster } from './must-be-available.ts'
import { automaticFrom, type NewSnapshot, newSnapshot, refuseMemcached, type SnapshotSource } from './new-snapshot.ts'
import { membersOf } from './replicas.ts'
import { snapshotView } from './snapshot-view.ts'
import { checkSnapshotNameFree } from './snapshots.ts'
import { kmsKeyArn } from './storage.ts'
import { putTags, tagsOf } from './tags.ts'

const HANDLED = ['SnapshotName', 'CacheClusterId', 'ReplicationGroupId', 'KmsKeyId', 'Tags']

export const createSnapshot: Operation<CreateSnapshotMessage, CreateSnapshotResult> = async (input, context) => {
  onlyFields('CreateSnapshot', input, HANDLED)
  const name = newName('snapshot', input.SnapshotName)
  const { CacheClusterId: clusterId, ReplicationGroupId: groupId } = input
  if (!clusterId === !groupId) throw invalidCombination('Give exactly one of CacheClusterId and ReplicationGroupId.')
  const tags = tagsOf(input.Tags)
  const kmsKeyId = await kmsKeyArn(input.KmsKeyId, context)
  const now = context.clock.now()
  return context.state.transact(async (tx) => {
    const source = clusterId ? await clusterSource(tx, clusterId) : await groupSource(tx, groupId)
    await checkSnapshotNameFree(tx, name)
    await countManual(tx, source, now)
    const from: NewSnapshot['from'] =
      source.kind === 'cluster' ? { node: source.cluster.id } : automaticFrom(source.group)
    const record = newSnapshot({ name, source: 'manual', from, kmsKeyId, final: false }, source, context, now)
    await tx.put('snapshot', name, record)
    await putTags(tx, record.arn, tags)
    await markSnapshotting(tx, source)
    return { Snapshot: snapshotView(record) }
  })
}

/** @throws CacheClusterNotFound, InvalidCacheClusterState, SnapshotFeatureNotSupportedFault */
async function clusterSource(tx: Transaction, id: string): Promise<SnapshotSource> {
  const { doc: cluster } = await findCluster(tx, id)
  refuseMemcached(cluster)
  mustBeAvailableCluster(cluster)
  if (cluster.replicationGroupId === null) return { kind: 'cluster', cluster, group: null, members: [cluster] }
  const { doc: group } = await findReplicationGroup(tx, cluster.replicationGroupId)
  mustBeAvailable(group)
  return { kind: 'cluster', cluster, group, members: await membersOf(tx, group) }
}

/** @throws ReplicationGroupNotFoundFault, InvalidReplicationGroupState */
async function groupSource(
  tx: Transaction,
  id: string | undefined,
): Promise<Extract<SnapshotSource, { readonly kind: 'group' }>> {
  const { doc: group } = await findReplicationGroup(tx, id)
  mustBeAvailable(group)
  return { kind: 'group', group, members: await membersOf(tx, group) }
}

/**
 * Counts the snapshot for every node that it may be captured from: which one it will be is the keeper's to choose, so a
 * group has one count (unconfirmed for groups; AWS says "per node").
 * @throws SnapshotQuotaExceededFault
 */
async function countManual(tx: Transaction, source: SnapshotSource, now: number): Promise<void> {
  const nodes = source.kind === 'cluster' ? [source.cluster] : source.members
  for (const cluster of nodes) {
    const recent = (cluster.manualSnapshots ?? []).filter((at) => Date.parse(at) > now - DAY_MS)
    if (recent.length >= MANUAL_SNAPSHOTS_PER_NODE) {
      throw elasticacheFault(
        'SnapshotQuotaExceededFault',
        `${cluster.id} has had ${MANUAL_SNAPSHOTS_PER_NODE} manual snapshots within 24 hours, the most there can be; ` +
          `the next may be taken after ${new Date(Date.parse(recent[0] as string) + DAY_MS).toISOString()}.`,
      )
    }
    await tx.put('cache-cluster', cluster.id, { ...cluster, manualSnapshots: [...recent, new Date(now).toISOString()] })
  }
}

/** The group refuses other changes meanwhile, and so does the member whose data is captured, when it is known already. */
export async function markSnapshotting(tx: Transaction, source: SnapshotSource): Promise<void> {
  if (source.group !== null) {
    await tx.put('replication-group', source.group.id, { ...source.group, status: 'snapshotting' })
  }
  if (source.kind !== 'cluster') return
  const { doc: cluster } = await findCluster(tx, source.cluster.id)
  await tx.put('cache-cluster', cluster.id, { ...cluster, status: 'snapshotting' })
}
