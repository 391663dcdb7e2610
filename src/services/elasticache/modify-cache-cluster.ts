//! ModifyCacheCluster: node count of memcached, parameter group, windows (spec/elasticache.md 2.5).
import type { ModifyCacheClusterMessage, ModifyCacheClusterResult } from '@aws-sdk/client-elasticache'
import type { CacheClusterRecord } from '../../domain/cluster.ts'
import { invalidCombination } from '../../domain/elasticache-faults.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { maintenanceWindow, snapshotWindow } from '../../domain/windows.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkStarts } from './capacity.ts'
import { dataSize } from './data-size.ts'
import { bringsParameterGroup, withEngineChange } from './engine-changes.ts'
import { recordEvents } from './event-log.ts'
import { onlyFields } from './fields.ts'
import { logDeliveryAtOnce } from './log-delivery.ts'
import { findCluster, parameterGroupFor } from './lookup.ts'
import { mustBeAvailableCluster } from './must-be-available.ts'
import { checkWindows } from './new-cluster.ts'
import { withNodeCount } from './node-count.ts'
import { OBSERVATION_MODIFIED, observationAfter } from './observation-settings.ts'
import { withSecurityGroups } from './security-groups.ts'
import { withRetention } from './snapshot-settings.ts'
import { cacheClusterView } from './views.ts'

const MODIFIABLE = [
  ...OBSERVATION_MODIFIED,
  'CacheClusterId',
  'NumCacheNodes',
  'CacheNodeIdsToRemove',
  'AZMode',
  'NewAvailabilityZones',
  'PreferredMaintenanceWindow',
  'CacheParameterGroupName',
  'ApplyImmediately',
  'Engine',
  'EngineVersion',
  'AutoMinorVersionUpgrade',
  'SnapshotWindow',
  'SnapshotRetentionLimit',
  'CacheNodeType',
  'ScaleConfig',
  'SecurityGroupIds',
]

export const modifyCacheCluster: Operation<ModifyCacheClusterMessage, ModifyCacheClusterResult> = async (
  input,
  context,
) => {
  onlyFields('ModifyCacheCluster', input, MODIFIABLE)
  // Asked before: a transaction does not wait for an engine.
  const size = input.CacheNodeType
    ? await dataSize([(await findCluster(context.state, input.CacheClusterId)).doc], context)
    : null
  return context.state.transact(async (tx) => {
    const { doc: before } = await findCluster(tx, input.CacheClusterId)
    mustBeAvailableCluster(before)
    if (before.replicationGroupId !== null) {
      throw invalidCombination(
        `Cache cluster ${before.id} is a member of ${before.replicationGroupId}; modify the replication group.`,
      )
    }
    if (input.SnapshotWindow && before.engine === 'memcached') {
      throw invalidCombination('Memcached clusters have no snapshots, so no SnapshotWindow.')
    }
    logDeliveryAtOnce(input.LogDeliveryConfigurations, input.ApplyImmediately)
    const windows: CacheClusterRecord = {
      ...before,
      ...observationAfter(input, before.engine, before, context),
      autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? before.autoMinorVersionUpgrade,
      snapshotWindow: input.SnapshotWindow ? snapshotWindow(input.SnapshotWindow) : before.snapshotWindow,
      maintenanceWindow: input.PreferredMaintenanceWindow
        ? maintenanceWindow(input.PreferredMaintenanceWindow)
        : before.maintenanceWindow,
    }
    const kept = withRetention(windows, before.engine, input.SnapshotRetentionLimit, context.clock.now())
    // Windows of an earlier time that overlap hold up no other change.
    if (windows.snapshotWindow !== null && (input.SnapshotWindow || input.PreferredMaintenanceWindow)) {
      checkWindows(windows.maintenanceWindow, windows.snapshotWindow)
    }
    const [changed = kept] = await withEngineChange(tx, [kept], input, size, context)
    const assigned = bringsParameterGroup([changed])
      ? changed
      : await assignParameterGroup(tx, changed, input.CacheParameterGroupName, context)
    const secured = withSecurityGroups(assigned, input.SecurityGroupIds, context)
    const record = await withNodeCount(tx, secured, input, context)
    await tx.put('cache-cluster', record.id, record)
    return { CacheCluster: cacheClusterView(record, false) }
  })
}

/**
 * The record with another parameter group, when one is named. Its immediate values are applied at once, with or without
 * ApplyImmediately: nothing waits for a maintenance window here. The others wait for a reboot.
 */
export async function assignParameterGroup(
  tx: Transaction,
  record: CacheClusterRecord,
  given: string | undefined,
  context: ServiceContext,
): Promise<CacheClusterRecord> {
  if (given === undefined) return record
  const family = familyOf(record.engine, record.engineVersion)
  const { name, values } = await parameterGroupFor(tx, given, family, context)
  if (name === record.parameterGroupName) return record
  checkStarts(record, values)
  await recordEvents(tx, context.clock.now(), [
    { source: 'cache-cluster', sourceId: record.id, message: `Updated to use a CacheParameterGroup ${name}` },
  ])
  return {
    ...record,
    status: 'modifying',
    parameterGroupName: name,
    nodes: record.nodes.map((node) => ({ ...node, parameterStatus: 'applying' })),
  }
}
