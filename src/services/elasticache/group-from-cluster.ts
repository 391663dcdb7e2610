//! CreateReplicationGroup with PrimaryClusterId: a cluster that stands alone becomes the first member of a new group. It
//! keeps its id, its process, its address and its data (spec/elasticache.md 2.1, 2.3).
import type { CreateReplicationGroupMessage, CreateReplicationGroupResult } from '@aws-sdk/client-elasticache'
import { elasticacheArn } from '../../domain/arn.ts'
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination } from '../../domain/elasticache-faults.ts'
import { maintenanceWindow, snapshotWindow } from '../../domain/windows.ts'
import type { ServiceContext } from '../service.ts'
import { checkFailover, zoneOf } from './group-roles.ts'
import { findCluster } from './lookup.ts'
import { mustBeAvailableCluster } from './must-be-available.ts'
import { checkNameFree, checkWindows } from './new-cluster.ts'
import { APPENDONLY_TAG } from './storage.ts'
import { putTags, tagsAt, tagsOf } from './tags.ts'
import { replicationGroupView } from './views.ts'

/** What may be said beside PrimaryClusterId; the rest is as the cluster has it. */
const OWN = [
  'ReplicationGroupId',
  'ReplicationGroupDescription',
  'PrimaryClusterId',
  'AutomaticFailoverEnabled',
  'MultiAZEnabled',
  'AutoMinorVersionUpgrade',
  'PreferredMaintenanceWindow',
  'SnapshotWindow',
  'Tags',
]

export function fromCluster(
  id: string,
  description: string,
  input: CreateReplicationGroupMessage,
  context: ServiceContext,
): Promise<CreateReplicationGroupResult> {
  return context.state.transact(async (tx) => {
    await checkNameFree(tx, id, 'group')
    const { doc: cluster } = await findCluster(tx, input.PrimaryClusterId)
    const engine = checkCluster(cluster)
    checkFields(cluster, input)
    checkFailover(input.AutomaticFailoverEnabled ?? false, input.MultiAZEnabled ?? false, [zoneOf(cluster)])
    const window = input.SnapshotWindow ? snapshotWindow(input.SnapshotWindow) : cluster.snapshotWindow
    const autoMinorVersionUpgrade = input.AutoMinorVersionUpgrade ?? cluster.autoMinorVersionUpgrade
    const member: CacheClusterRecord = {
      ...cluster,
      replicationGroupId: id,
      movedFrom: cluster.id,
      status: 'modifying',
      snapshotWindow: window,
      autoMinorVersionUpgrade,
      maintenanceWindow: input.PreferredMaintenanceWindow
        ? maintenanceWindow(input.PreferredMaintenanceWindow)
        : cluster.maintenanceWindow,
    }
    checkWindows(member.maintenanceWindow, window ?? '')
    const group: ReplicationGroupRecord = {
      id,
      arn: elasticacheArn(context.region, context.accountId, 'replicationgroup', id),
      createdAt: new Date(context.clock.now()).toISOString(),
      description,
      engine,
      nodeType: cluster.nodeType,
      port: cluster.port,
      status: 'creating',
      members: [cluster.id],
      firstPrimary: cluster.id,
      automaticFailover: false,
      snapshotWindow: window ?? '',
      autoMinorVersionUpgrade,
      primaryEndpoint: null,
      readerEndpoint: null,
      ...snapshotSettings(cluster),
      ...(cluster.appendonly ? { appendonly: cluster.appendonly } : {}),
    }
    const kept: Readonly<Record<string, string>> = cluster.appendonly ? { [APPENDONLY_TAG]: cluster.appendonly } : {}
    const tags = tagsOf(input.Tags, kept)
    await tx.put('replication-group', id, group)
    await tx.put('cache-cluster', member.id, member)
    await putTags(tx, group.arn, tags)
    await putTags(tx, member.arn, { ...(await tagsAt(tx, member.arn)), ...tags })
    return { ReplicationGroup: replicationGroupView(group, [member]) }
  })
}

function snapshotSettings({ snapshotRetentionLimit, automaticSnapshotAt }: CacheClusterRecord) {
  return {
    ...(snapshotRetentionLimit === undefined ? {} : { snapshotRetentionLimit }),
    ...(automaticSnapshotAt === undefined ? {} : { automaticSnapshotAt }),
  }
}

function checkCluster(cluster: CacheClusterRecord): 'redis' | 'valkey' {
  if (cluster.engine === 'memcached') {
    throw invalidCombination(`${cluster.id} runs memcached, which has no replication groups.`)
  }
  if (cluster.replicationGroupId !== null) {
    throw elasticacheFault(
      'InvalidCacheClusterState',
      `${cluster.id} is a member of ${cluster.replicationGroupId} already; PrimaryClusterId names a cluster that stands alone.`,
    )
  }
  mustBeAvailableCluster(cluster)
  return cluster.engine
}

/** Fields that say what the cluster has already may be repeated. */
function checkFields(cluster: CacheClusterRecord, input: CreateReplicationGroupMessage): void {
  const present: Readonly<Record<string, unknown>> = {
    Engine: cluster.engine,
    EngineVersion: cluster.engineVersion,
    CacheNodeType: cluster.nodeType,
    CacheParameterGroupName: cluster.parameterGroupName,
    CacheSubnetGroupName: cluster.subnetGroupName,
    Port: cluster.port,
    NumCacheClusters: 1,
    ReplicasPerNodeGroup: 0,
    NumNodeGroups: 1,
  }
  for (const [field, value] of Object.entries(input)) {
    if (value === undefined || OWN.includes(field) || present[field] === value) continue
    if (value === false || (Array.isArray(value) && value.length === 0)) continue
    throw invalidCombination(
      `${field} cannot be given with PrimaryClusterId: the group is as ${cluster.id} is; change it once it is available.`,
    )
  }
}
