//! Stored snapshots as the SDK's output type (spec/elasticache.md 8). What an imported one has not, and what is not known
//! yet, is absent.
import type { NodeSnapshot, Snapshot } from '@aws-sdk/client-elasticache'
import { cacheNodeId } from '../../domain/cluster.ts'
import type { SnapshotOf, SnapshotRecord } from '../../domain/snapshot.ts'
import { VPC_ID } from './views.ts'

/** The one node group without cluster mode. */
const NODE_GROUP = '0001'
const MEBIBYTE = 1024 ** 2

export function snapshotView(record: SnapshotRecord, showConfiguration = false): Snapshot {
  const { of } = record
  return {
    SnapshotName: record.name,
    ARN: record.arn,
    SnapshotStatus: record.status,
    SnapshotSource: record.source,
    Engine: record.engine,
    EngineVersion: record.engineVersion ?? undefined,
    DataTiering: 'disabled',
    ...(record.kmsKeyId === null ? {} : { KmsKeyId: record.kmsKeyId }),
    ...(of === null ? {} : ofView(of)),
    NodeSnapshots: [nodeView(record, showConfiguration)],
  }
}

function ofView(of: SnapshotOf): Partial<Snapshot> {
  const shared = {
    CacheNodeType: of.nodeType,
    PreferredMaintenanceWindow: of.maintenanceWindow,
    Port: of.port,
    CacheParameterGroupName: of.parameterGroupName,
    CacheSubnetGroupName: of.subnetGroupName,
    VpcId: VPC_ID,
    AutoMinorVersionUpgrade: of.autoMinorVersionUpgrade,
    SnapshotRetentionLimit: of.snapshotRetentionLimit,
    SnapshotWindow: of.snapshotWindow,
    ...(of.notificationTopicArn === null ? {} : { TopicArn: of.notificationTopicArn }),
  }
  if (of.cacheClusterId !== null) {
    return {
      ...shared,
      CacheClusterId: of.cacheClusterId,
      CacheClusterCreateTime: dateOf(of.cacheClusterCreateTime),
      NumCacheNodes: 1,
      PreferredAvailabilityZone: of.availabilityZone ?? undefined,
      // A member's snapshot names its group too: the filter by ReplicationGroupId finds it.
      ...(of.replicationGroupId === null ? {} : groupView(of)),
    }
  }
  return { ...shared, ...groupView(of), NumNodeGroups: 1 }
}

const groupView = (of: SnapshotOf): Partial<Snapshot> => ({
  ReplicationGroupId: of.replicationGroupId ?? undefined,
  ReplicationGroupDescription: of.replicationGroupDescription ?? undefined,
  AutomaticFailover: of.automaticFailover ? 'enabled' : 'disabled',
})

function nodeView(record: SnapshotRecord, showConfiguration: boolean): NodeSnapshot {
  const { of, node } = record
  return {
    NodeGroupId: NODE_GROUP,
    CacheNodeId: cacheNodeId(1),
    CacheClusterId: node?.clusterId ?? of?.cacheClusterId ?? undefined,
    CacheNodeCreateTime: dateOf(node?.createdAt ?? of?.cacheClusterCreateTime ?? null),
    // Empty until it is known, as on AWS.
    CacheSize: record.memoryBytes === null ? '' : sizeText(record.memoryBytes),
    SnapshotCreateTime: dateOf(record.finishedAt ?? record.createdAt),
    ...(showConfiguration && of !== null
      ? {
          NodeGroupConfiguration: {
            NodeGroupId: NODE_GROUP,
            ReplicaCount: of.replicaCount,
            PrimaryAvailabilityZone: of.primaryZone ?? undefined,
            ReplicaAvailabilityZones: [...of.replicaZones],
          },
        }
      : {}),
  }
}

const dateOf = (iso: string | null): Date | undefined => (iso === null ? undefined : new Date(iso))

/** `5 MB`, at least 1: the text of CacheSize. */
export const sizeText = (bytes: number): string => `${Math.max(1, Math.round(bytes / MEBIBYTE))} MB`
