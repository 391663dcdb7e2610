//! PURE: whose automatic snapshot is due (spec/elasticache.md 8). One is due once its daily window has begun and none was
//! taken since: a clock that moves over several windows, or a control that was away during them, makes up for them with
//! one snapshot, not with many of the same data.
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { automaticName, type SnapshotRecord } from '../../domain/snapshot.ts'
import { lastWindowStart } from '../../domain/windows.ts'
import {
  automaticFrom,
  newSnapshot,
  type SnapshotOwner,
  type SnapshotSource,
} from '../../services/elasticache/new-snapshot.ts'
import type { SnapshotRecords } from './snapshots.ts'

export interface DueSnapshot {
  readonly record: SnapshotRecord
  readonly source: SnapshotSource
}

/** At `now`, milliseconds on the movable clock. What is not available now is due later. */
export function dueSnapshots(records: SnapshotRecords, owner: SnapshotOwner, now: number): DueSnapshot[] {
  const clusters = new Map(records.clusters.map(({ doc }) => [doc.id, doc]))
  const sources: SnapshotSource[] = []
  for (const { doc: group } of records.groups) {
    if (!isDue(group, group.snapshotWindow, now)) continue
    sources.push({ kind: 'group', group, members: group.members.flatMap((id) => clusters.get(id) ?? []) })
  }
  for (const { doc: cluster } of records.clusters) {
    if (cluster.replicationGroupId !== null || !isDue(cluster, cluster.snapshotWindow, now)) continue
    sources.push({ kind: 'cluster', cluster, group: null, members: [cluster] })
  }
  return sources.map((source) => ({ source, record: automatic(source, owner, now) }))
}

function isDue(record: ReplicationGroupRecord | CacheClusterRecord, window: string | null, now: number): boolean {
  if (record.status !== 'available' || window === null || (record.snapshotRetentionLimit ?? 0) === 0) return false
  const since = Date.parse(record.automaticSnapshotAt ?? record.createdAt)
  return since < lastWindowStart(window, now)
}

function automatic(source: SnapshotSource, owner: SnapshotOwner, now: number): SnapshotRecord {
  const [id, from] =
    source.kind === 'group'
      ? ([source.group.id, automaticFrom(source.group)] as const)
      : ([source.cluster.id, { node: source.cluster.id }] as const)
  const wish = { name: automaticName(id, now), source: 'automated', from, kmsKeyId: null, final: false } as const
  return newSnapshot(wish, source, owner, now)
}
