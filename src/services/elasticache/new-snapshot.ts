//! The record of a snapshot that is to be captured, from the cluster or replication group as it is now. CreateSnapshot,
//! the deletions with a final snapshot and the automatic ones of control/tasks/snapshots.ts make theirs here.
import { elasticacheArn } from '../../domain/arn.ts'
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault } from '../../domain/elasticache-faults.ts'
import { shownVersion } from '../../domain/engine-versions.ts'
import type { SnapshotOf, SnapshotOrigin, SnapshotRecord } from '../../domain/snapshot.ts'
import { uuid } from '../../lib/ids.ts'
import type { ServiceContext } from '../service.ts'

export type SnapshotOwner = Pick<ServiceContext, 'region' | 'accountId'>

/** What is captured: a group of `members`, or one cluster, which may be a member of a group. */
export type SnapshotSource =
  | { readonly kind: 'group'; readonly group: ReplicationGroupRecord; readonly members: readonly CacheClusterRecord[] }
  | {
      readonly kind: 'cluster'
      readonly cluster: CacheClusterRecord
      readonly group: ReplicationGroupRecord | null
      readonly members: readonly CacheClusterRecord[]
    }

export interface NewSnapshot {
  /** Stored form. */
  readonly name: string
  readonly source: 'manual' | 'automated'
  readonly from: Extract<SnapshotOrigin, { kind: 'capture' }>['from']
  readonly kmsKeyId: string | null
  readonly final: boolean
}

export function newSnapshot(wish: NewSnapshot, of: SnapshotSource, owner: SnapshotOwner, now: number): SnapshotRecord {
  const model = of.kind === 'cluster' ? of.cluster : (of.members[0] as CacheClusterRecord)
  return {
    name: wish.name,
    arn: snapshotArn(owner, wish.name),
    createdAt: new Date(now).toISOString(),
    status: 'creating',
    source: wish.source,
    engine: model.engine === 'valkey' ? 'valkey' : 'redis',
    engineVersion: shownVersion(model.engine, model.engineVersion, model.binaryVersion),
    of: snapshotOf(of, model),
    origin: { kind: 'capture', from: wish.from },
    ...(wish.final ? { final: true } : {}),
    data: uuid(),
    // Of a group with a key of its own: that one, whatever made the snapshot.
    kmsKeyId: wish.kmsKeyId ?? of.group?.kmsKeyId ?? null,
    node: null,
    finishedAt: null,
    memoryBytes: null,
    rdbBytes: null,
    exporting: null,
    problem: null,
  }
}

export const snapshotArn = (owner: SnapshotOwner, name: string): string =>
  elasticacheArn(owner.region, owner.accountId, 'snapshot', name)

function snapshotOf(source: SnapshotSource, model: CacheClusterRecord): SnapshotOf {
  const { group, members } = source
  const primary = members.find((member) => member.nodes[0]?.role === 'primary') ?? members[0]
  const replicas = members.filter((member) => member !== primary)
  return {
    replicationGroupId: group?.id ?? null,
    replicationGroupDescription: group?.description ?? null,
    automaticFailover: group?.automaticFailover ?? null,
    cacheClusterId: source.kind === 'cluster' ? source.cluster.id : null,
    sourceCreatedAt: group?.createdAt ?? model.createdAt,
    cacheClusterCreateTime: source.kind === 'cluster' ? source.cluster.createdAt : null,
    nodeType: model.nodeType,
    availabilityZone: source.kind === 'cluster' ? (model.nodes[0]?.availabilityZone ?? null) : null,
    maintenanceWindow: model.maintenanceWindow,
    port: model.port,
    parameterGroupName: model.parameterGroupName,
    subnetGroupName: model.subnetGroupName,
    autoMinorVersionUpgrade: group?.autoMinorVersionUpgrade ?? model.autoMinorVersionUpgrade,
    snapshotRetentionLimit: (group ?? model).snapshotRetentionLimit ?? 0,
    snapshotWindow: group?.snapshotWindow ?? model.snapshotWindow ?? '',
    replicaCount: replicas.length,
    primaryZone: primary?.nodes[0]?.availabilityZone ?? null,
    replicaZones: replicas.flatMap((replica) => replica.nodes[0]?.availabilityZone ?? []),
    notificationTopicArn: model.notificationTopicArn ?? null,
  }
}

/** Member from which automatic snapshots of a group are taken: the one chosen by SnapshottingClusterId while it lives. */
export function automaticFrom(group: ReplicationGroupRecord): NewSnapshot['from'] {
  const chosen = group.snapshottingClusterId ?? null
  return chosen !== null && group.members.includes(chosen) ? { node: chosen } : 'replica'
}

/** @throws SnapshotFeatureNotSupportedFault */
export function refuseMemcached(cluster: CacheClusterRecord): void {
  if (cluster.engine !== 'memcached') return
  throw elasticacheFault(
    'SnapshotFeatureNotSupportedFault',
    `Cache cluster ${cluster.id} runs memcached, which has no snapshots.`,
  )
}
