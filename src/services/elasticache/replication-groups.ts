//! Replication groups: describe and delete (spec/elasticache.md 2.6, 2.7). Making and modifying them are files of their own.
import type {
  DeleteReplicationGroupMessage,
  DeleteReplicationGroupResult,
  DescribeReplicationGroupsMessage,
  ReplicationGroupMessage,
} from '@aws-sdk/client-elasticache'
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination } from '../../domain/elasticache-faults.ts'
import type { Operation } from '../service.ts'
import { onlyFields } from './fields.ts'
import { beginFinalSnapshot } from './final-snapshot.ts'
import { findReplicationGroup } from './lookup.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { page } from './paging.ts'
import { markDeleting, membersOf } from './replicas.ts'
import { replicationGroupView } from './views.ts'

export const describeReplicationGroups: Operation<DescribeReplicationGroupsMessage, ReplicationGroupMessage> = async (
  input,
  { state },
) => {
  if (input.ReplicationGroupId) {
    const { doc } = await findReplicationGroup(state, input.ReplicationGroupId)
    return { ReplicationGroups: [replicationGroupView(doc, await membersOf(state, doc))] }
  }
  const { items, Marker } = page(await state.list('replication-group'), ({ id }) => id, input)
  const views = items.map(async ({ doc }) => replicationGroupView(doc, await membersOf(state, doc)))
  return { ReplicationGroups: await Promise.all(views), Marker }
}

export const deleteReplicationGroup: Operation<DeleteReplicationGroupMessage, DeleteReplicationGroupResult> = (
  input,
  context,
) => {
  onlyFields('DeleteReplicationGroup', input, ['ReplicationGroupId', 'FinalSnapshotIdentifier', 'RetainPrimaryCluster'])
  const retains = input.RetainPrimaryCluster === true
  if (retains && input.FinalSnapshotIdentifier) {
    throw invalidCombination(
      'A primary that is retained needs no FinalSnapshotIdentifier; take a snapshot of it later.',
    )
  }
  return context.state.transact(async (tx) => {
    const { doc: before } = await findReplicationGroup(tx, input.ReplicationGroupId)
    // AWS deletes only what is available; here also what cannot become so (its engine is missing), or it would stay.
    if (before.status === 'deleting') {
      throw elasticacheFault('InvalidReplicationGroupState', `${before.id} is being deleted already.`)
    }
    if (before.status === 'snapshotting') mustBeAvailable(before)
    const present = await membersOf(tx, before)
    const finalSnapshot = input.FinalSnapshotIdentifier
      ? await beginFinalSnapshot(
          tx,
          input.FinalSnapshotIdentifier,
          { kind: 'group', group: before, members: present },
          context,
        )
      : null
    const retained = retains ? retainedPrimary(before, present) : null
    if (retained !== null) await tx.put('cache-cluster', retained.id, retained)
    const members = present.filter(({ id }) => id !== retained?.id).map(markDeleting)
    const group: ReplicationGroupRecord = {
      ...before,
      status: 'deleting',
      members: members.map(({ id }) => id),
      finalSnapshot,
    }
    await tx.put('replication-group', group.id, group)
    for (const member of members) await tx.put('cache-cluster', member.id, member)
    return { ReplicationGroup: replicationGroupView(group, members) }
  })
}

/** What guards a replication group and a cluster that stands alone cannot have; absent from the record: not so guarded. */
const GUARDS = ['authToken', 'userGroupIds', 'transitEncryption', 'atRestEncryption'] as const

/**
 * The primary as a cluster that stands alone from now on, with its process and its data.
 * @throws InvalidParameterCombination when that would open data which the group guards
 */
function retainedPrimary(group: ReplicationGroupRecord, members: readonly CacheClusterRecord[]): CacheClusterRecord {
  const guards: Readonly<Record<string, unknown>> = { ...group }
  const guard = GUARDS.find((name) => (Array.isArray(guards[name]) ? guards[name].length > 0 : guards[name]))
  if (guard !== undefined) {
    throw invalidCombination(
      `RetainPrimaryCluster would leave the data of ${group.id} without its ${guard}, which only a group can have; ` +
        'take a FinalSnapshotIdentifier instead.',
    )
  }
  const primary = members.find((member) => member.nodes[0]?.role === 'primary')
  if (group.status === 'available' && primary !== undefined) {
    return { ...primary, replicationGroupId: null, movedFrom: group.id, status: 'modifying' }
  }
  throw elasticacheFault(
    'InvalidReplicationGroupState',
    `Replication group ${group.id} is ${group.status}: its primary can be retained only while the group is available.`,
  )
}
