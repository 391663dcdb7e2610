//! Adding one replica to a replication group and taking one away (spec/elasticache.md 7.3): CreateCacheCluster with a
//! ReplicationGroupId and DeleteCacheCluster of a member do it alone, replica-counts.ts several at once.
import { type CacheClusterRecord, GROUP_NODES_MAX, type ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault } from '../../domain/elasticache-faults.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { checkRoom } from './capacity.ts'
import { memberAuth } from './group-access.ts'
import { zoneOf } from './group-roles.ts'
import { findCluster, findReplicationGroup, findSubnetGroup } from './lookup.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { newCluster } from './new-cluster.ts'
import { putTags, tagsAt } from './tags.ts'
import { spreadOver, subnetZones, zoneWithin } from './zones.ts'

/** Replicas of one node group (spec 2.3). */
const REPLICAS_MAX = GROUP_NODES_MAX - 1

export async function membersOf(reader: Reader, group: ReplicationGroupRecord): Promise<CacheClusterRecord[]> {
  const found = await Promise.all(group.members.map((id) => findCluster(reader, id)))
  return found.map(({ doc }) => doc)
}

export interface NewReplica {
  readonly id: string
  /** Null: the service chooses. */
  readonly zone: string | null
  /** Null: as its group. */
  readonly autoMinorVersionUpgrade: boolean | null
  readonly tags: Readonly<Record<string, string>>
}

/**
 * Adds a member that follows the group; the group is `modifying` until it is in sync.
 * @throws InvalidReplicationGroupState, NodeQuotaForClusterExceeded, NodeQuotaForCustomerExceeded
 */
export async function addReplica(
  tx: Transaction,
  groupId: string | undefined,
  context: ServiceContext,
  replica: NewReplica,
): Promise<CacheClusterRecord> {
  const { doc: group } = await findReplicationGroup(tx, groupId)
  mustBeAvailable(group)
  return addMember(tx, group, context, replica)
}

/** The same for a group that was found and may be changed already. */
export async function addMember(
  tx: Transaction,
  group: ReplicationGroupRecord,
  context: ServiceContext,
  replica: NewReplica,
): Promise<CacheClusterRecord> {
  if (group.members.length >= GROUP_NODES_MAX) {
    throw elasticacheFault(
      'NodeQuotaForClusterExceeded',
      `Replication group ${group.id} has ${REPLICAS_MAX} replicas, the most there can be.`,
    )
  }
  const { doc: model } = await findCluster(tx, group.members[0])
  await checkRoom(tx, context, model, 1)
  const subnets = await findSubnetGroup(tx, model.subnetGroupName, context)
  const taken = (await membersOf(tx, group)).map(zoneOf)
  const [free] = spreadOver(subnetZones(context.region, subnets), taken, 1)
  const made = newCluster(
    {
      ...model,
      id: replica.id,
      snapshotWindow: group.snapshotWindow,
      autoMinorVersionUpgrade: replica.autoMinorVersionUpgrade ?? group.autoMinorVersionUpgrade,
      zones: [replica.zone === null ? (free as string) : zoneWithin(context.region, subnets, replica.zone)],
    },
    context,
  )
  await tx.put('cache-cluster', made.id, { ...made, ...memberAuth(group) })
  await tx.put('replication-group', group.id, {
    ...group,
    status: 'modifying',
    members: [...group.members, made.id].sort(),
  })
  await putTags(tx, made.arn, { ...(await tagsAt(tx, group.arn)), ...replica.tags })
  return made
}

/**
 * Marks a replica `deleting`; the reconciler removes it when its process has ended.
 * @throws InvalidCacheClusterState for the primary, and for the last replica under automatic failover.
 */
export async function removeReplica(
  tx: Transaction,
  group: ReplicationGroupRecord,
  record: CacheClusterRecord,
): Promise<CacheClusterRecord> {
  if (record.nodes[0]?.role === 'primary') {
    throw elasticacheFault(
      'InvalidCacheClusterState',
      `${record.id} is the primary of replication group ${group.id} and cannot be deleted alone; delete the group, or a replica.`,
    )
  }
  const staying = (await membersOf(tx, group)).filter((m) => m.id !== record.id && m.status !== 'deleting')
  if (group.automaticFailover && staying.length < 2) {
    throw elasticacheFault(
      'InvalidCacheClusterState',
      `${record.id} is the last replica of ${group.id}, which has automatic failover; disable that first.`,
    )
  }
  if (group.multiAz && new Set(staying.map(zoneOf)).size < 2) {
    throw elasticacheFault(
      'InvalidCacheClusterState',
      `${record.id} is the last replica of ${group.id} in another zone, which its Multi-AZ needs; disable that first.`,
    )
  }
  const deleting = markDeleting(record)
  await tx.put('cache-cluster', record.id, deleting)
  await tx.put('replication-group', group.id, { ...group, status: 'modifying' })
  return deleting
}

export const markDeleting = (record: CacheClusterRecord): CacheClusterRecord => ({
  ...record,
  status: 'deleting',
  nodes: record.nodes.map((node) => ({ ...node, status: 'deleting' })),
})
