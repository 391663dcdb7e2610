//! Replication groups: describe, modify, delete (spec/elasticache.md 2.4, 2.6).
import type {
  DeleteReplicationGroupMessage,
  DeleteReplicationGroupResult,
  DescribeReplicationGroupsMessage,
  ModifyReplicationGroupMessage,
  ModifyReplicationGroupResult,
  ReplicationGroupMessage,
} from '@aws-sdk/client-elasticache'
import type { ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination } from '../../domain/elasticache-faults.ts'
import { maintenanceWindow, snapshotWindow } from '../../domain/windows.ts'
import type { Operation } from '../service.ts'
import { groupDescription } from './create-replication-group.ts'
import { onlyFields } from './fields.ts'
import { beginFinalSnapshot } from './final-snapshot.ts'
import { changedAccess } from './group-access.ts'
import { logDeliveryAtOnce } from './log-delivery.ts'
import { findCluster, findReplicationGroup } from './lookup.ts'
import { assignParameterGroup, sameEngine } from './modify-cache-cluster.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { checkWindows } from './new-cluster.ts'
import { OBSERVATION_MODIFIED, observationAfter } from './observation-settings.ts'
import { page } from './paging.ts'
import { markDeleting, membersOf } from './replicas.ts'
import { withSecurityGroups } from './security-groups.ts'
import { snapshottingClusterId, withRetention } from './snapshot-settings.ts'
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

const MODIFIABLE = [
  ...OBSERVATION_MODIFIED,
  'ReplicationGroupId',
  'ReplicationGroupDescription',
  'ApplyImmediately',
  'AutomaticFailoverEnabled',
  'PreferredMaintenanceWindow',
  'SnapshotWindow',
  'SnapshotRetentionLimit',
  'SnapshottingClusterId',
  'CacheParameterGroupName',
  'AutoMinorVersionUpgrade',
  'Engine',
  'EngineVersion',
  'CacheNodeType',
  'SecurityGroupIds',
  // AWS itself accepts and ignores it (spec 2.4).
  'NodeGroupId',
  'AuthToken',
  'AuthTokenUpdateStrategy',
  'UserGroupIdsToAdd',
  'UserGroupIdsToRemove',
  'RemoveUserGroups',
]

export const modifyReplicationGroup: Operation<ModifyReplicationGroupMessage, ModifyReplicationGroupResult> = (
  input,
  context,
) => {
  onlyFields('ModifyReplicationGroup', input, MODIFIABLE)
  return context.state.transact(async (tx) => {
    const { doc: before } = await findReplicationGroup(tx, input.ReplicationGroupId)
    mustBeAvailable(before)
    const automaticFailover = input.AutomaticFailoverEnabled ?? before.automaticFailover
    if (automaticFailover && before.members.length < 2) {
      throw invalidCombination('Replication groups with automatic failover must have at least 2 cache clusters.')
    }
    logDeliveryAtOnce(input.LogDeliveryConfigurations, input.ApplyImmediately)
    const observation = observationAfter(input, before.engine, before, context)
    const now = context.clock.now()
    const { doc: model } = await findCluster(tx, before.members[0])
    const runs = { id: before.id, engine: before.engine, version: model.engineVersion }
    const access = await changedAccess(tx, before, input, runs, context)
    const group: ReplicationGroupRecord = {
      ...withRetention(before, before.engine, input.SnapshotRetentionLimit, now),
      ...observation,
      ...(input.SnapshottingClusterId
        ? { snapshottingClusterId: snapshottingClusterId(before, input.SnapshottingClusterId) }
        : {}),
      ...(access === null ? {} : { ...access, status: 'modifying' }),
      automaticFailover,
      description: input.ReplicationGroupDescription
        ? groupDescription(input.ReplicationGroupDescription)
        : before.description,
      snapshotWindow: input.SnapshotWindow ? snapshotWindow(input.SnapshotWindow) : before.snapshotWindow,
      autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? before.autoMinorVersionUpgrade,
    }
    await tx.put('replication-group', group.id, group)
    for (const member of await membersOf(tx, before)) {
      sameEngine('ModifyReplicationGroup', member, input)
      const changed = {
        ...withRetention(member, member.engine, input.SnapshotRetentionLimit, now),
        ...observation,
        snapshotWindow: group.snapshotWindow,
        autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? member.autoMinorVersionUpgrade,
        maintenanceWindow: input.PreferredMaintenanceWindow
          ? maintenanceWindow(input.PreferredMaintenanceWindow)
          : member.maintenanceWindow,
      }
      checkWindows(changed.maintenanceWindow, group.snapshotWindow)
      await tx.put(
        'cache-cluster',
        member.id,
        await assignParameterGroup(
          tx,
          withSecurityGroups(changed, input.SecurityGroupIds, context),
          input.CacheParameterGroupName,
          context,
        ),
      )
    }
    return { ReplicationGroup: replicationGroupView(group, await membersOf(tx, group)) }
  })
}

export const deleteReplicationGroup: Operation<DeleteReplicationGroupMessage, DeleteReplicationGroupResult> = (
  input,
  context,
) => {
  onlyFields('DeleteReplicationGroup', input, ['ReplicationGroupId', 'FinalSnapshotIdentifier'])
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
    const group: ReplicationGroupRecord = { ...before, status: 'deleting', finalSnapshot }
    await tx.put('replication-group', group.id, group)
    const members = present.map(markDeleting)
    for (const member of members) await tx.put('cache-cluster', member.id, member)
    return { ReplicationGroup: replicationGroupView(group, members) }
  })
}
