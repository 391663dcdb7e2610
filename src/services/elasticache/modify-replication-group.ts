//! ModifyReplicationGroup (spec/elasticache.md 2.4). What it asks of engine and node type: engine-changes.ts; of failover,
//! zones and the primary: group-roles.ts.
import type { ModifyReplicationGroupMessage, ModifyReplicationGroupResult } from '@aws-sdk/client-elasticache'
import type { ReplicationGroupRecord } from '../../domain/cluster.ts'
import { maintenanceWindow, snapshotWindow } from '../../domain/windows.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { groupDescription } from './create-replication-group.ts'
import { type DataSize, dataSize } from './data-size.ts'
import { bringsParameterGroup, withEngineChange } from './engine-changes.ts'
import { onlyFields } from './fields.ts'
import { changedAccess, memberAuth } from './group-access.ts'
import { withFailover, withPrimary } from './group-roles.ts'
import { logDeliveryAtOnce } from './log-delivery.ts'
import { findReplicationGroup } from './lookup.ts'
import { assignParameterGroup } from './modify-cache-cluster.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { checkWindows } from './new-cluster.ts'
import { OBSERVATION_MODIFIED, observationAfter } from './observation-settings.ts'
import { membersOf } from './replicas.ts'
import { withSecurityGroups } from './security-groups.ts'
import { snapshottingClusterId, withRetention } from './snapshot-settings.ts'
import { changedTransit } from './transit.ts'
import { replicationGroupView } from './views.ts'

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
  'MultiAZEnabled',
  'PrimaryClusterId',
  'SecurityGroupIds',
  // AWS itself accepts and ignores it (spec 2.4).
  'NodeGroupId',
  'AuthToken',
  'AuthTokenUpdateStrategy',
  'UserGroupIdsToAdd',
  'UserGroupIdsToRemove',
  'RemoveUserGroups',
  'TransitEncryptionEnabled',
  'TransitEncryptionMode',
]

export const modifyReplicationGroup: Operation<ModifyReplicationGroupMessage, ModifyReplicationGroupResult> = async (
  input,
  context,
) => {
  onlyFields('ModifyReplicationGroup', input, MODIFIABLE)
  // Asked before: a transaction does not wait for an engine.
  const size = input.CacheNodeType ? await sizeOf(input.ReplicationGroupId, context) : null
  return context.state.transact(async (tx) => {
    const { doc: before } = await findReplicationGroup(tx, input.ReplicationGroupId)
    mustBeAvailable(before)
    logDeliveryAtOnce(input.LogDeliveryConfigurations, input.ApplyImmediately)
    const observation = observationAfter(input, before.engine, before, context)
    const present = await membersOf(tx, before)
    const now = context.clock.now()
    const runs = { id: before.id, engine: before.engine, version: present[0]?.engineVersion ?? '' }
    const access = await changedAccess(tx, before, input, runs, context)
    const transit = changedTransit({ ...before, ...access }, present, input)
    const group: ReplicationGroupRecord = {
      ...withRetention(before, before.engine, input.SnapshotRetentionLimit, now),
      ...observation,
      ...(input.SnapshottingClusterId
        ? { snapshottingClusterId: snapshottingClusterId(before, input.SnapshottingClusterId) }
        : {}),
      ...(access === null ? {} : { ...access, status: 'modifying' }),
      ...(transit === null ? {} : { ...transit, status: 'modifying' }),
      ...withFailover(before, present, input),
      description: input.ReplicationGroupDescription
        ? groupDescription(input.ReplicationGroupDescription)
        : before.description,
      snapshotWindow: input.SnapshotWindow ? snapshotWindow(input.SnapshotWindow) : before.snapshotWindow,
      autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? before.autoMinorVersionUpgrade,
    }
    const promoted = withPrimary(group, present, input)
    const changing = await withEngineChange(tx, present, input, size, context)
    const begins = changing.some((member) => member.pending?.applyingSince)
    const stored: ReplicationGroupRecord = begins ? { ...promoted, status: 'modifying' } : promoted
    await tx.put('replication-group', stored.id, stored)
    for (const member of changing) {
      const changed = {
        ...withRetention(member, member.engine, input.SnapshotRetentionLimit, now),
        ...observation,
        ...memberAuth(group),
        ...transit,
        snapshotWindow: group.snapshotWindow,
        autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? member.autoMinorVersionUpgrade,
        maintenanceWindow: input.PreferredMaintenanceWindow
          ? maintenanceWindow(input.PreferredMaintenanceWindow)
          : member.maintenanceWindow,
      }
      // Windows of an earlier time that overlap hold up no other change.
      if (input.SnapshotWindow || input.PreferredMaintenanceWindow) {
        checkWindows(changed.maintenanceWindow, group.snapshotWindow)
      }
      const guarded = withSecurityGroups(changed, input.SecurityGroupIds, context)
      const assigned = bringsParameterGroup(changing)
        ? guarded
        : await assignParameterGroup(tx, guarded, input.CacheParameterGroupName, context)
      await tx.put('cache-cluster', member.id, assigned)
    }
    return { ReplicationGroup: replicationGroupView(stored, await membersOf(tx, stored)) }
  })
}

async function sizeOf(id: string | undefined, context: ServiceContext): Promise<DataSize> {
  const { doc } = await findReplicationGroup(context.state, id)
  return dataSize(await membersOf(context.state, doc), context)
}
