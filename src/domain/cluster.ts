//! ElastiCache's resources as they are stored: what the user wished (written by services/elasticache) and what the
//! reconciler has seen (written by control/tasks/caches.ts only). Times are ISO 8601 strings.
import type { GroupAccess } from './access.ts'
import type { LogDeliveryRecord } from './log-delivery.ts'
import type { TransitSettings } from './transit.ts'

export type CacheEngine = 'redis' | 'valkey' | 'memcached'

/** spec/elasticache.md 1.5. A deleted cluster leaves no record; there is no `create-failed` for clusters. */
export type ClusterStatus =
  | 'creating'
  | 'available'
  | 'modifying'
  /** Set by who begins a snapshot and cleared by who ends it; the reconciler of caches leaves it alone. */
  | 'snapshotting'
  | 'rebooting cluster nodes'
  | 'deleting'
  | 'restore-failed'
export type GroupStatus = 'creating' | 'available' | 'modifying' | 'snapshotting' | 'deleting' | 'create-failed'
export type CacheNodeStatus = 'creating' | 'available' | 'rebooting' | 'deleting'
/** `applying` until the running engine was seen with the values; `pending-reboot` when only a restart can set them. */
export type ParameterApplyStatus = 'in-sync' | 'applying' | 'pending-reboot'

/** One cache node: a process. redis and valkey have one a cluster, `0001`; memcached 1-60. */
export interface CacheNodeRecord {
  /** Four digits. */
  readonly id: string
  readonly createdAt: string
  readonly availabilityZone: string
  readonly status: CacheNodeStatus
  /** How often the user asked for a restart; the keeper restarts when it grows. */
  readonly restarts: number
  /** `startedAt` of the process that a wished restart is to end; null when none is under way. */
  readonly rebootFrom: string | null
  /** Seen: address of its own, null before it first answered. */
  readonly address: string | null
  /** Seen: when the running process answered first. */
  readonly startedAt: string | null
  /** Seen: `primary` or `replica` in a replication group, else `none`. */
  readonly role: 'primary' | 'replica' | 'none'
  readonly parameterStatus: ParameterApplyStatus
  /** memcached, while the node type of the cluster changes in batches: the new one, of a node whose turn has come. */
  readonly nodeType?: string
  /** Seen: what its binary reports, e.g. `7.0.15`; absent before it was. */
  readonly binaryVersion?: string
}

export interface ServiceUpdateRecord {
  /** `redis-7-0-16`. */
  readonly name: string
  readonly engine: CacheEngine
  /** Version of the binary, `7.0.16`. */
  readonly version: string
  /** When it was first found beside nodes that run an older one; ISO time. */
  readonly releasedAt: string
}

/** What was asked of one cluster, or of a member of a group. */
export interface AppliedUpdate {
  readonly name: string
  readonly version: string
  readonly since: string
  /** Nodes that had not begun when it was stopped stay as they are. */
  readonly stopped: boolean
}

/** How the node type of a memcached cluster changes. */
export interface ScaleRecord {
  /** Of all nodes, in one batch; rounded up to whole nodes. */
  readonly percentage: number
  /** From the beginning of one batch to that of the next. */
  readonly intervalMinutes: number
  /** When the last batch was begun, ISO time; null before the first. */
  readonly batchAt: string | null
}

/**
 * A change of engine, version or node type that was asked for and is not done. Members of a replication group have it
 * all alike. Absent members stay as they are.
 */
export interface PendingChange {
  readonly engine?: 'redis' | 'valkey'
  /** As asked: `7.1`. */
  readonly engineVersion?: string
  readonly nodeType?: string
  /** With the `nodeType` of memcached; absent: all nodes at once. */
  readonly scale?: ScaleRecord
  /** The parameter group that comes with a version of another family. */
  readonly parameterGroupName?: string
  /** ISO time since when it is carried out; null while it waits for the maintenance window. */
  readonly applyingSince: string | null
}

/**
 * A wished change of the primary; the keeper carries each number out once. `test-failover` loses the primary on purpose,
 * `promote` hands its role over to `to`.
 */
export interface RoleChange {
  readonly number: number
  readonly kind: 'test-failover' | 'promote'
  readonly to: string | null
}

/** What snapshots want of a replication group, or of a cluster that stands alone; absent: none of it. */
export interface SnapshotSettings {
  /** Days that automatic snapshots are kept; 0 for none. */
  readonly snapshotRetentionLimit?: number
  /** When the newest automatic snapshot was begun, or since when there are to be some. */
  readonly automaticSnapshotAt?: string | null
  /** Name of the snapshot that is taken before the rest of it is deleted; null once it is taken. */
  readonly finalSnapshot?: string | null
  /** The snapshot that it is made from; it stays when the snapshot is gone. */
  readonly restoreFrom?: RestoreFrom | null
}

export interface RestoreFrom {
  /** Name of the snapshot. */
  readonly snapshot: string
  /** Id of its data, as of SnapshotRecord. */
  readonly data: string
  /** `waiting` for the data to be there and judged; `ready`: the keeper may restore; `refused`: it never will. */
  readonly state: 'waiting' | 'ready' | 'refused'
  /** Why it was refused, for a person. */
  readonly problem: string | null
}

/**
 * What its users want to hear of a replication group, or of a cluster that stands alone; its members have the same.
 * Absent: nothing.
 */
export interface ObservationSettings {
  /** At most one for each type of log. */
  readonly logDelivery?: readonly LogDeliveryRecord[]
  readonly notificationTopicArn?: string | null
  readonly notificationTopicStatus?: 'active' | 'inactive'
}

/** Either nodes to make or nodes to end, never both. */
export interface PendingNodes {
  /** Zones of the nodes to make. */
  readonly add: readonly string[]
  /** Ids of the nodes to end. */
  readonly remove: readonly string[]
}

/** When an append-only file is synced to the disk: each second, or before each write is answered. */
export type AppendOnly = 'everysec' | 'always'

/** What of the data is on a disk, and how; all absent: nothing is, but snapshots, and those by the installation's own key. */
export interface StorageSettings {
  /** Nothing of the data is ever plain text on a disk; never changes. */
  readonly atRestEncryption?: boolean
  /** ARN of the key that its snapshots are encrypted by; null for the installation's own. */
  readonly kmsKeyId?: string | null
  /** From the tag `cachefront:appendonly`; null for no append-only file. */
  readonly appendonly?: AppendOnly | null
}

export interface CacheClusterRecord extends SnapshotSettings, StorageSettings, TransitSettings, ObservationSettings {
  readonly id: string
  readonly arn: string
  readonly createdAt: string
  readonly engine: CacheEngine
  /** As asked: `7.0`; memcached `1.6.17`. */
  readonly engineVersion: string
  /** Seen: what the running binary reports, e.g. `7.0.15`. */
  readonly binaryVersion: string | null
  readonly nodeType: string
  readonly port: number
  /** Null for a cluster that stands alone. */
  readonly replicationGroupId: string | null
  readonly status: ClusterStatus
  readonly nodes: readonly CacheNodeRecord[]
  /** Node count before a change of it that is under way, for the event; null when none is. memcached only. */
  readonly nodesBefore: number | null
  readonly availabilityZoneMode: 'single-az' | 'cross-az'
  /** memcached: nodes that wait for the maintenance window; absent for none. */
  readonly pendingNodes?: PendingNodes
  readonly parameterGroupName: string
  readonly subnetGroupName: string
  /** Security groups whose networks clients may come from; absent or empty: from anywhere. */
  readonly securityGroupIds?: readonly string[]
  /** Seen: the packet filter holds clients to them. */
  readonly securityGroupsActive?: boolean
  /** `ddd:hh24:mi-ddd:hh24:mi`, UTC, lower case. */
  readonly maintenanceWindow: string
  /** `hh24:mi-hh24:mi`, UTC; null for memcached. */
  readonly snapshotWindow: string | null
  readonly autoMinorVersionUpgrade: boolean
  /** Seen: address of the memcached configuration endpoint; null for other engines and before `available`. */
  readonly configurationEndpoint: string | null
  /** The service update that was applied last; absent for none. */
  readonly serviceUpdate?: AppliedUpdate
  /** Absent when nothing is pending. */
  readonly pending?: PendingChange | null
  /**
   * The keeper's group that its process comes from: the replication group that left it behind, or the cluster that it
   * was before it became a member. Absent once it has come over.
   */
  readonly movedFrom?: string | null
  /** When the AUTH token of its replication group was changed last; null or absent: it has none. */
  readonly authTokenModifiedAt?: string | null
  /** When manual snapshots of this node were asked for within the last 24 hours: there is a quota. */
  readonly manualSnapshots?: readonly string[]
}

export interface ReplicationGroupRecord
  extends SnapshotSettings,
    StorageSettings,
    GroupAccess,
    TransitSettings,
    ObservationSettings {
  readonly id: string
  readonly arn: string
  readonly createdAt: string
  readonly description: string
  readonly engine: 'redis' | 'valkey'
  readonly nodeType: string
  readonly port: number
  readonly status: GroupStatus
  /** Cluster ids in the order of their numbers. */
  readonly members: readonly string[]
  /** The member that was primary at first; later the keeper decides. */
  readonly firstPrimary: string
  readonly automaticFailover: boolean
  /** The keeper has not yet taken up the present value of `automaticFailover`. Absent: it has. */
  readonly automaticFailoverChanging?: boolean
  /** Absent: false. */
  readonly multiAz?: boolean
  /** The last one that was wished; absent when there never was one. */
  readonly roleChange?: RoleChange
  /** Members before a change of their number that is under way, for the event; absent when none is. */
  readonly membersBefore?: number | null
  /** Member that is to become primary in the maintenance window; absent when none is. */
  readonly pendingPrimary?: string | null
  readonly snapshotWindow: string
  /** Member that automatic snapshots are taken from; null or absent: a replica, the primary where there is none. */
  readonly snapshottingClusterId?: string | null
  readonly autoMinorVersionUpgrade: boolean
  /** Encryption in transit; null or absent: none. */
  readonly transitEncryption?: 'preferred' | 'required' | null
  /** Seen: address of the primary endpoint; it stays when the primary changes. Null before `available`. */
  readonly primaryEndpoint: string | null
  readonly readerEndpoint: string | null
}

export interface CacheParameterGroupRecord {
  readonly name: string
  readonly arn: string
  readonly family: string
  readonly description: string
  /** Only what the user set; the rest follows the family's table. */
  readonly values: Readonly<Record<string, string>>
}

export interface CacheSubnetGroupRecord {
  readonly name: string
  readonly arn: string
  readonly description: string
  readonly subnetIds: readonly string[]
  /** CIDRs that the subnets stood for when they were named, by id; absent or empty: they are labels. */
  readonly networks?: Readonly<Record<string, readonly string[]>>
}

export type EventSource =
  | 'cache-cluster'
  | 'cache-parameter-group'
  | 'cache-subnet-group'
  | 'replication-group'
  | 'user'
  | 'user-group'

/** spec/elasticache.md 11.3. */
export interface CacheEventRecord {
  readonly source: EventSource
  readonly sourceId: string
  readonly message: string
  readonly date: string
}

/** How far the keeper's events have been stored, so that each is stored once. */
export interface KeeperCursorRecord {
  readonly eventSequence: number
}

/** Nodes that a replication group without cluster mode may have: one primary and five replicas (spec 2.3). */
export const GROUP_NODES_MAX = 6
/** Nodes of one memcached cluster (spec 1.9). */
export const MEMCACHED_NODES_MAX = 60
/** Nodes of one account in a region (spec 1.9). */
export const REGION_NODES_MAX = 300
/** Parameter groups, and subnet groups, of one account in a region (spec 1.9). */
export const GROUPS_MAX = 300
/** Days that events are kept (spec 11.3). */
export const EVENT_DAYS = 14

/** Id of member `number` (1-...) of a replication group without cluster mode: `shop-001` (spec 2.1). */
export const memberId = (groupId: string, number: number): string => `${groupId}-${String(number).padStart(3, '0')}`

/** Id of a memcached node: `0001`. */
export const cacheNodeId = (number: number): string => String(number).padStart(4, '0')

/** A node that was just wished and that nobody has seen yet. */
export function newCacheNode(id: string, createdAt: string, availabilityZone: string): CacheNodeRecord {
  return {
    id,
    createdAt,
    availabilityZone,
    status: 'creating',
    restarts: 0,
    rebootFrom: null,
    address: null,
    startedAt: null,
    role: 'none',
    parameterStatus: 'in-sync',
  }
}
