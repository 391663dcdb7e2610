//! Snapshots as they are stored (spec/elasticache.md 8): what they are of, what is being done with them, where their data
//! lies. Statuses of what was captured, exported or restored are set by control/tasks/snapshots.ts only. Times are ISO
//! 8601 strings.
import { DAY_MS } from './windows.ts'

/** `failed` and `exporting` are not in AWS's list of words (unconfirmed there); the console shows both. */
export type SnapshotStatus = 'creating' | 'available' | 'restoring' | 'copying' | 'exporting' | 'deleting' | 'failed'

/** How the data of a snapshot comes to be. */
export type SnapshotOrigin =
  /** Captured from a group of engines; `from` as of the keeper's SnapshotWish. */
  | { readonly kind: 'capture'; readonly from: 'replica' | 'primary' | { readonly node: string } }
  /** Another snapshot's data; with `from` (the id of that data) sealed again, with the key that is asked for. */
  | { readonly kind: 'copy'; readonly of: string; readonly from?: string }
  /** An RDB file that is read from a bucket or a folder. */
  | { readonly kind: 'import'; readonly bucket: string; readonly key: string }
  /** An RDB file that somebody hands over piece by piece. */
  | { readonly kind: 'upload' }

/** What is done with an available snapshot. */
export interface SnapshotExport {
  readonly bucket: string
  /** Name of the file in it: `<target>-0001.rdb`. */
  readonly key: string
  readonly startedAt: string
}

/** The cluster or group at the moment of the snapshot, in the words of the API's Snapshot; absent where it has none. */
export interface SnapshotOf {
  /** Null for a cluster that stood alone. */
  readonly replicationGroupId: string | null
  readonly replicationGroupDescription: string | null
  readonly automaticFailover: boolean | null
  /** The cluster that was named; null for a snapshot of a replication group. */
  readonly cacheClusterId: string | null
  /** When the group, or the cluster that stood alone, was made: another one may have its name later. */
  readonly sourceCreatedAt: string
  readonly cacheClusterCreateTime: string | null
  readonly nodeType: string
  readonly availabilityZone: string | null
  readonly maintenanceWindow: string
  readonly port: number
  readonly parameterGroupName: string
  readonly subnetGroupName: string
  readonly autoMinorVersionUpgrade: boolean
  readonly snapshotRetentionLimit: number
  readonly snapshotWindow: string
  readonly replicaCount: number
  readonly primaryZone: string | null
  readonly replicaZones: readonly string[]
  readonly notificationTopicArn: string | null
}

export interface SnapshotRecord {
  readonly name: string
  readonly arn: string
  readonly createdAt: string
  readonly status: SnapshotStatus
  readonly source: 'manual' | 'automated'
  /** It is read for one restore (SnapshotArns) and goes with it: not shown, not to be named. */
  readonly internal?: true
  readonly engine: 'redis' | 'valkey'
  /** As the source shows it, e.g. `7.0.15`; of an imported file what its header says; null before that is known. */
  readonly engineVersion: string | null
  /** Null for an imported one. */
  readonly of: SnapshotOf | null
  readonly origin: SnapshotOrigin
  /** The group is being deleted and waits for this one. */
  readonly final?: true
  /** Id of the sealed data below the home; a copy with the same key has that of its source. */
  readonly data: string
  /** Key that was asked for; null: that of the installation. */
  readonly kmsKeyId: string | null
  /** Seen: cluster id of the node that it was captured from, and when that node was made. */
  readonly node: { readonly clusterId: string; readonly createdAt: string } | null
  /** Seen: when the data was complete. */
  readonly finishedAt: string | null
  /** Seen: bytes that the data set took in the engine, and bytes of its RDB file. */
  readonly memoryBytes: number | null
  readonly rdbBytes: number | null
  readonly exporting: SnapshotExport | null
  /** Why it failed, or why its last export did; for a person. */
  readonly problem: string | null
}

/** Manual snapshots of one node in 24 hours (spec 1.9). */
export const MANUAL_SNAPSHOTS_PER_NODE = 20
/** Days that automatic snapshots may be kept (spec 1.6). */
export const RETENTION_DAYS_MAX = 35

/** The ids of what a snapshot is of: the group's and its own, as requests may name them. */
export const sourceId = (of: SnapshotOf): string => of.cacheClusterId ?? of.replicationGroupId ?? ''

/** The group of engine processes that was captured: the replication group's id, or the lone cluster's. */
export const groupIdOf = (of: SnapshotOf): string => of.replicationGroupId ?? of.cacheClusterId ?? ''

/** `automatic.<id>-YYYY-MM-DD-HH-MM`, UTC (spec 8). */
export function automaticName(id: string, at: number): string {
  const [, day, hour, minute] = /^(.{10})T(..):(..)/.exec(new Date(at).toISOString()) ?? []
  return `automatic.${id}-${day}-${hour}-${minute}`
}

/** Whether an automatic snapshot is over its retention of `days` at `now`. */
export const isOverRetention = (snapshot: SnapshotRecord, days: number, now: number): boolean =>
  Date.parse(snapshot.createdAt) + days * DAY_MS <= now
