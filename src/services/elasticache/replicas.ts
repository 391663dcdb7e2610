//! Adding replicas to a replication group and taking them away: CreateCacheCluster with a ReplicationGroupId,
//! DeleteCacheCluster of a member, IncreaseReplicaCount, DecreaseReplicaCount (spec/elasticache.md 7.3).
import type {
  DecreaseReplicaCountMessage,
  DecreaseReplicaCountResult,
  IncreaseReplicaCountMessage,
  IncreaseReplicaCountResult,
} from '@aws-sdk/client-elasticache'
import { required } from '../../domain/cache-names.ts'
import {
  type CacheClusterRecord,
  GROUP_NODES_MAX,
  memberId,
  type ReplicationGroupRecord,
} from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkRoom } from './capacity.ts'
import { onlyFields } from './fields.ts'
import { findCluster, findReplicationGroup } from './lookup.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { checkNameFree, newCluster } from './new-cluster.ts'
import { putTags, tagsAt } from './tags.ts'
import { replicationGroupView } from './views.ts'
import { spreadZone } from './zones.ts'

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

async function addMember(
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
  const made = newCluster(
    {
      ...model,
      id: replica.id,
      snapshotWindow: group.snapshotWindow,
      autoMinorVersionUpgrade: replica.autoMinorVersionUpgrade ?? group.autoMinorVersionUpgrade,
      zones: [replica.zone ?? spreadZone(context.region, group.members.length)],
    },
    context,
  )
  await tx.put('cache-cluster', made.id, made)
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

const HANDLED = ['ReplicationGroupId', 'NewReplicaCount', 'ApplyImmediately']

function countOf(operation: string, input: IncreaseReplicaCountMessage | DecreaseReplicaCountMessage): number {
  if (input.ReplicaConfiguration?.length) throw notImplemented(`The field ReplicaConfiguration of ${operation}`)
  if (input.ApplyImmediately !== true) throw invalidValue(`ApplyImmediately must be true for ${operation}.`)
  const count = required('NewReplicaCount', input.NewReplicaCount)
  if (Number.isInteger(count) && count >= 0 && count <= REPLICAS_MAX) return count
  throw invalidValue(`NewReplicaCount is 0 to ${REPLICAS_MAX}, not ${count}.`)
}

const noOperation = (group: ReplicationGroupRecord, count: number) =>
  elasticacheFault('NoOperationFault', `Replication group ${group.id} has ${count} replicas already.`)

export const increaseReplicaCount: Operation<IncreaseReplicaCountMessage, IncreaseReplicaCountResult> = (
  input,
  context,
) => {
  onlyFields('IncreaseReplicaCount', input, [...HANDLED, 'ReplicaConfiguration'])
  const wanted = countOf('IncreaseReplicaCount', input)
  return context.state.transact(async (tx) => {
    let { doc: group } = await findReplicationGroup(tx, input.ReplicationGroupId)
    mustBeAvailable(group)
    const present = group.members.length - 1
    if (wanted === present) throw noOperation(group, present)
    if (wanted < present) {
      throw invalidValue(`${group.id} has ${present} replicas; DecreaseReplicaCount takes replicas away.`)
    }
    for (let number = 1; group.members.length <= wanted; number++) {
      const id = memberId(group.id, number)
      if (group.members.includes(id)) continue
      await checkNameFree(tx, id, 'cluster')
      await addMember(tx, group, context, { id, zone: null, autoMinorVersionUpgrade: null, tags: {} })
      group = (await findReplicationGroup(tx, group.id)).doc
    }
    return { ReplicationGroup: replicationGroupView(group, await membersOf(tx, group)) }
  })
}

export const decreaseReplicaCount: Operation<DecreaseReplicaCountMessage, DecreaseReplicaCountResult> = (
  input,
  context,
) => {
  onlyFields('DecreaseReplicaCount', input, [...HANDLED, 'ReplicaConfiguration', 'ReplicasToRemove'])
  return context.state.transact(async (tx) => {
    const { doc: group } = await findReplicationGroup(tx, input.ReplicationGroupId)
    mustBeAvailable(group)
    const members = await membersOf(tx, group)
    for (const record of chosenReplicas(group, members, input)) await removeReplica(tx, group, record)
    const after = (await findReplicationGroup(tx, group.id)).doc
    return { ReplicationGroup: replicationGroupView(after, await membersOf(tx, after)) }
  })
}

/** Those named, or the replicas with the highest numbers. */
function chosenReplicas(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  input: DecreaseReplicaCountMessage,
): CacheClusterRecord[] {
  const named = input.ReplicasToRemove ?? []
  if (named.length > 0) {
    if (input.NewReplicaCount !== undefined) {
      throw invalidCombination('Give NewReplicaCount or ReplicasToRemove, not both.')
    }
    if (input.ApplyImmediately !== true) throw invalidValue('ApplyImmediately must be true for DecreaseReplicaCount.')
    return [...new Set(named)].map((id) => {
      const record = members.find((m) => m.id === id.toLowerCase())
      if (record === undefined) throw invalidValue(`${id} is not a member of replication group ${group.id}.`)
      if (record.nodes[0]?.role === 'primary') throw invalidValue(`${id} is the primary and cannot be removed.`)
      return record
    })
  }
  const wanted = countOf('DecreaseReplicaCount', input)
  const present = group.members.length - 1
  if (wanted === present) throw noOperation(group, present)
  if (wanted > present) {
    throw invalidValue(`${group.id} has ${present} replicas; IncreaseReplicaCount adds replicas.`)
  }
  if (group.automaticFailover && wanted < 1) {
    throw invalidCombination(`${group.id} has automatic failover, which needs at least 1 replica.`)
  }
  const replicas = members.filter((m) => m.nodes[0]?.role !== 'primary')
  return replicas.slice(replicas.length - (present - wanted))
}
