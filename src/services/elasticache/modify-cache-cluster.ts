//! ModifyCacheCluster: node count of memcached, parameter group, windows (spec/elasticache.md 2.5).
import type { ModifyCacheClusterMessage, ModifyCacheClusterResult } from '@aws-sdk/client-elasticache'
import { required } from '../../domain/cache-names.ts'
import { type CacheClusterRecord, MEMCACHED_NODES_MAX } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { notImplemented } from '../../domain/faults.ts'
import { maintenanceWindow, snapshotWindow } from '../../domain/windows.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkRoom, checkStarts } from './capacity.ts'
import { dataSize } from './data-size.ts'
import { bringsParameterGroup, withEngineChange } from './engine-changes.ts'
import { recordEvents } from './event-log.ts'
import { onlyFields } from './fields.ts'
import { logDeliveryAtOnce } from './log-delivery.ts'
import { findCluster, parameterGroupFor } from './lookup.ts'
import { mustBeAvailableCluster } from './must-be-available.ts'
import { checkWindows, newNodes } from './new-cluster.ts'
import { OBSERVATION_MODIFIED, observationAfter } from './observation-settings.ts'
import { withSecurityGroups } from './security-groups.ts'
import { withRetention } from './snapshot-settings.ts'
import { cacheClusterView } from './views.ts'
import { spreadZone, zone } from './zones.ts'

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
    if (input.AZMode !== undefined && input.AZMode !== before.availabilityZoneMode) {
      throw notImplemented('Changing AZMode by ModifyCacheCluster')
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
    const record = await resized(tx, withSecurityGroups(assigned, input.SecurityGroupIds, context), input, context)
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

async function resized(
  tx: Transaction,
  record: CacheClusterRecord,
  input: ModifyCacheClusterMessage,
  context: ServiceContext,
): Promise<CacheClusterRecord> {
  const present = record.nodes.length
  const wanted = input.NumCacheNodes ?? present
  const named = input.CacheNodeIdsToRemove ?? []
  const zones = input.NewAvailabilityZones ?? []
  if (named.length > 0 && wanted >= present) {
    throw invalidCombination('CacheNodeIdsToRemove needs a NumCacheNodes below the present number.')
  }
  if (zones.length > 0 && wanted <= present) {
    throw invalidCombination('NewAvailabilityZones needs a NumCacheNodes above the present number.')
  }
  if (wanted === present) return record
  if (record.engine !== 'memcached') throw invalidValue(`NumCacheNodes is 1 for ${record.engine}.`)
  if (!Number.isInteger(wanted) || wanted < 1) throw invalidValue(`NumCacheNodes is at least 1, not ${wanted}.`)
  if (wanted > MEMCACHED_NODES_MAX) {
    throw elasticacheFault(
      'NodeQuotaForClusterExceeded',
      `A memcached cluster has at most ${MEMCACHED_NODES_MAX} cache nodes, not ${wanted}.`,
    )
  }
  if (input.ApplyImmediately !== true) {
    throw notImplemented('Changing NumCacheNodes in the maintenance window (ApplyImmediately other than true)')
  }
  return wanted > present
    ? grown(tx, record, wanted - present, zones, context)
    : shrunk(record, present - wanted, named)
}

async function grown(
  tx: Transaction,
  record: CacheClusterRecord,
  more: number,
  given: readonly string[],
  context: ServiceContext,
): Promise<CacheClusterRecord> {
  await checkRoom(tx, context, record, more)
  if (given.length > 0 && given.length !== more) {
    throw invalidCombination(`NewAvailabilityZones names ${given.length} zones for ${more} new cache nodes.`)
  }
  const here = record.nodes[0]?.availabilityZone
  const spread = record.availabilityZoneMode === 'cross-az'
  const zones = Array.from({ length: more }, (_, at) => {
    const name = given[at]
    if (name !== undefined) return zone(context.region, name)
    return spread || here === undefined ? spreadZone(context.region, record.nodes.length + at) : here
  })
  if (!spread && zones.some((name) => name !== here)) {
    throw invalidCombination(`${record.id} is single-az: new cache nodes are in ${here}.`)
  }
  // Numbers are not used again while the cluster lives: a client may still have the old node of that name in its ring.
  const highest = Math.max(...record.nodes.map((node) => Number(node.id)))
  const createdAt = new Date(context.clock.now()).toISOString()
  return {
    ...record,
    status: 'modifying',
    nodesBefore: record.nodes.length,
    nodes: [...record.nodes, ...newNodes(highest, zones, createdAt)],
  }
}

function shrunk(record: CacheClusterRecord, fewer: number, named: readonly string[]): CacheClusterRecord {
  const ids = new Set(named)
  if (ids.size !== fewer) {
    required('CacheNodeIdsToRemove', named.length > 0 ? named : undefined)
    throw invalidCombination(`CacheNodeIdsToRemove must name exactly ${fewer} cache nodes, not ${ids.size}.`)
  }
  const unknown = named.find((id) => !record.nodes.some((node) => node.id === id))
  if (unknown !== undefined) throw invalidValue(`${record.id} has no cache node ${unknown.slice(0, 20)}.`)
  return {
    ...record,
    status: 'modifying',
    nodesBefore: record.nodes.length,
    nodes: record.nodes.map((node) => (ids.has(node.id) ? { ...node, status: 'deleting' } : node)),
  }
}
