//! What control and the keeper of a host say to each other (JSON lines on a Unix socket, 0600, in the home).
//! Control sends the whole wish; the keeper makes it so, decides alone while control is away, and reports what it sees.
//! The wish is kept in the keeper's ledger: a keeper that starts again goes on from there.

import type { KeeperAnswer, KeeperQuestion, QuestionKind } from './questions.ts'
import type { RestoreSeen, RestoreWish, SnapshotSeen, SnapshotWish } from './snapshots/wish.ts'
import type { TransitMode } from './transit.ts'

/** Everything that should run on this host. Idempotent; the newest one holds. */
export interface KeeperWish {
  /** Grows with each wish; the keeper ignores an older one than it has. */
  readonly sequence: number
  readonly workers: readonly WorkerWish[]
  readonly groups: readonly GroupWish[]
  /** Snapshots to capture; absent for none. One that is left out is not deleted. */
  readonly snapshots?: readonly SnapshotWish[]
  /** Ids of snapshots to delete, a capture under way included; wins over `snapshots`. An unknown id is nothing to do. */
  readonly snapshotDeletions?: readonly string[]
}

/** An edge worker: a process of this program that the keeper starts and starts again when it dies. */
export interface WorkerWish {
  readonly name: string
  /** Arguments of main.ts, e.g. `['worker', '--name', 'worker-0', ...]`. */
  readonly args: readonly string[]
  /** Version of the program; a running worker of another one is drained and replaced. */
  readonly version: string
}

/** One or more engine processes behind common endpoints: a cache cluster or a replication group. */
export interface GroupWish {
  /** Id of the replication group, or of the cluster that stands alone; unique among both. */
  readonly id: string
  readonly engine: 'redis' | 'valkey' | 'memcached'
  /**
   * As the user asked (`7.1`, `1.6.22`); the keeper finds a binary that serves it. Another one replaces nodes one at a
   * time: redis and valkey keep their data, memcached begins empty.
   */
  readonly engineVersion: string
  readonly port: number
  readonly nodes: readonly NodeWish[]
  /** Promote a replica when the primary dies. Without it a dead primary comes back at its address, empty. */
  readonly automaticFailover: boolean
  /**
   * redis, valkey: directives, applied at start and by CONFIG SET when they change; give every directive that matters,
   * for one that is left out keeps its value until the node restarts. memcached: command line options as
   * `['-m', '512']`, `['-o', 'hash_algorithm=murmur3']`, a flag alone as `['-C', '']`; a change needs a restart.
   * Address, port, user and daemon options are the keeper's own.
   */
  readonly configuration: readonly (readonly [name: string, value: string])[]
  /**
   * Networks (CIDRs) that clients must come from, one of each list; absent: from anywhere. Nothing of the group listens
   * before the host's packet filter holds clients to it.
   */
  readonly sources?: readonly (readonly string[])[]
  /** Nodes to restart once, by node id, with the number of the wished restart: a grown number restarts. */
  readonly restarts: Readonly<Record<string, number>>
  /**
   * redis, valkey: changes who is primary once for each number that is greater than any before. `test-failover` kills the
   * primary as a failure would and promotes a replica; `promote` hands the role over to the node `to` without loss.
   * Either waits until there is a replica in sync for it. Absent: never.
   */
  readonly roleChange?: {
    readonly number: number
    readonly kind: 'test-failover' | 'promote'
    readonly to: string | null
  }
  /** redis, valkey: an append-only file in each node's directory, which a node that starts again loads. Absent: none. */
  readonly appendonly?: 'everysec' | 'always'
  /** redis, valkey: nothing of the data is plain text on a disk: no append-only file, no core dumps. Absent: false. */
  readonly atRestEncryption?: boolean
  /**
   * redis, valkey: a group that is new to the keeper gets the data of this snapshot before anything of it is served.
   * Once done it is done: a later restart of the keeper or of a node does not restore again.
   */
  readonly restoreFrom?: RestoreWish | null
  /** redis, valkey: commands, in lower case, that no client may call, whoever it is. Absent: the restricted ones alone. */
  readonly blockedCommands?: readonly string[]
  /** redis, valkey: who may come in. Absent or null: everybody, as the default user with every command that is not restricted. */
  readonly access?: AccessWish | null
  /** Encryption in transit; absent or null for none. memcached: `required` or none, and never changed. */
  readonly transit?: TransitWish | null
}

export interface TransitWish {
  readonly mode: 'preferred' | 'required'
  /** DNS names in the certificate that is made for the group, besides its addresses. */
  readonly names: readonly string[]
  /** A grown number makes a new certificate. */
  readonly renewal: number
  /** Directory of a certificate that is used instead (lib/ca/imported.ts); null to make one. */
  readonly imported: string | null
}

export interface AccessWish {
  /** Users of the engines by unique names. Without a `default` among them nobody comes in unnamed. */
  readonly users: readonly UserWish[]
  /** How tokens of IAM users are verified; absent or null where there are none. */
  readonly iam?: IamWish | null
}

export interface IamWish {
  /** Whose signatures are right. Null: the installation has no keys, and signatures are not looked at. */
  readonly keyPair: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
  /** Callers need keys, and caches know none: no token is right. */
  readonly nobody?: boolean
  readonly region: string
}

export interface UserWish {
  /** Name that clients log in with. */
  readonly name: string
  /** Access string in the form that domain/acl makes; restricted commands are denied besides. */
  readonly access: string
  /** SHA-256 of passwords, 64 hexadecimal digits each. The passwords themselves never reach the keeper. */
  readonly passwords: readonly string[]
  /** Any password, and none, is right. */
  readonly noPassword: boolean
  /** It logs in with signed tokens instead of passwords. */
  readonly iam: boolean
}

export interface NodeWish {
  /** redis: the cache cluster id (`shop-001`); memcached: the node id (`0001`). Unique in the group. */
  readonly id: string
  /** The node that is to be primary when the group is first made; later the keeper decides. */
  readonly firstPrimary: boolean
  /**
   * The group that this node's process belongs to until now: it comes over with its address, its data and its clients,
   * and the group that it leaves ends. Absent, or a group that does not have it: it is made here.
   */
  readonly from?: string
  /**
   * Lowest version of the binary, e.g. `7.0.16`, that the node is to run: an older one is replaced when the host has a
   * newer, keeping the data of redis and valkey. Absent: any.
   */
  readonly binaryAtLeast?: string
  /** memcached: the configuration of this node in place of the group's. Absent: the group's. */
  readonly configuration?: GroupWish['configuration']
}

/** `replacing`: its process gives way to one of the engine or version that is wished. */
export type NodeState = 'creating' | 'available' | 'recovering' | 'rebooting' | 'replacing' | 'deleting'

/** How a node was lost: its process ended, was stopped by a signal, or runs without answering. */
export type NodeLoss = 'exit' | 'frozen' | 'hung'

export interface NodeSeen {
  readonly id: string
  readonly state: NodeState
  readonly role: 'primary' | 'replica' | 'none'
  /** Address of its own, e.g. `127.16.0.2`; the port is that of the group. */
  readonly address: string
  readonly pid: number | null
  /** Version that the running binary reports, e.g. `7.0.15`; null before it answered. */
  readonly binaryVersion: string | null
  /** Names of directives that the running engine holds with other values than wished (need a restart, or were refused). */
  readonly pendingReboot: readonly string[]
  /** ISO time when this process answered first; null before. */
  readonly availableSince: string | null
}

export interface GroupSeen {
  readonly id: string
  /** True when every wished node answers, replicas are in sync and the endpoints lead to them. */
  readonly settled: boolean
  /** Address of the primary endpoint (redis, valkey) or of the configuration endpoint (memcached). */
  readonly endpoint: string
  /** Address of the reader endpoint; null for memcached. */
  readonly readerEndpoint: string | null
  readonly nodes: readonly NodeSeen[]
  /** What keeps the group from settling, in words for a person; null when nothing does. */
  readonly problem: string | null
  /** Of a group that was made from a snapshot; absent for any other. */
  readonly restore?: RestoreSeen
  /** Absent for a group without encryption in transit whose engines have nothing of it any more. */
  readonly transit?: TransitSeen
}

export interface TransitSeen {
  /** How all nodes that answer take clients now; null while they differ. */
  readonly mode: TransitMode | null
  /** Null before there is one. Times are ISO 8601. */
  readonly certificate: {
    readonly number: number
    /** Number of the wished renewal that it fulfils. */
    readonly renewal: number
    readonly notBefore: string
    readonly notAfter: string
    readonly fingerprint256: string
    /** Directory that it was imported from; null for one that was made here. */
    readonly imported: string | null
  } | null
  /** Why the certificate is not the one that is wished, in words for a person; null when it is. */
  readonly problem: string | null
}

/** What happened, numbered without gaps; kept in the ledger until control has acknowledged it. */
export interface KeeperEvent {
  readonly sequence: number
  /** ISO time, host clock. */
  readonly at: string
  readonly groupId: string
  readonly event:
    | { readonly kind: 'node-lost'; readonly node: string; readonly reason: NodeLoss }
    | { readonly kind: 'failover'; readonly from: string; readonly to: string }
    | { readonly kind: 'recovering'; readonly node: string }
    | { readonly kind: 'recovered'; readonly node: string; readonly empty: boolean }
    | { readonly kind: 'restarted'; readonly node: string }
    /** All nodes serve a new certificate. `replicated`: of a replication group, not of a memcached cluster. */
    | {
        readonly kind: 'certificate-renewed'
        readonly number: number
        readonly notAfter: string
        readonly replicated: boolean
      }
}

export interface KeeperSeen {
  /** Sequence of the wish that this describes. */
  readonly sequence: number
  readonly groups: readonly GroupSeen[]
  /** Snapshots in the keeper's snapshot directory, unwished ones included, and those being captured; sorted by id. */
  readonly snapshots: readonly SnapshotSeen[]
  readonly workers: readonly {
    readonly name: string
    readonly pid: number | null
    readonly version: string
    /** How often it was started again after a death. */
    readonly restarts: number
  }[]
  /** What keeps this host from filtering clients by their source, for a person; null when nothing does. */
  readonly sourceFilterMissing?: string | null
  /** Network that all engine and endpoint addresses of this installation are from, e.g. `127.16.0.0/16`. */
  readonly nodeNetwork: string
  /**
   * Engines that this host can run: engine and full version of the binary found, e.g. `redis 7.0.15`; `features`: what
   * its build can do (`active-defrag`).
   */
  readonly binaries: readonly {
    readonly engine: string
    readonly version: string
    readonly path: string
    readonly features?: readonly string[]
  }[]
}

export type ToKeeper =
  | { readonly type: 'hello'; readonly version: string }
  | { readonly type: 'wish'; readonly wish: KeeperWish }
  | { readonly type: 'acknowledge-events'; readonly sequence: number }
  /** `id` is the asker's own, of this connection. */
  | { readonly type: 'ask'; readonly id: number; readonly question: KeeperQuestion }
  /** End engines and workers as asked, then exit 0. */
  | { readonly type: 'stop'; readonly engines: boolean; readonly workers: boolean }

export type FromKeeper =
  | { readonly type: 'hello'; readonly pid: number; readonly version: string; readonly wishSequence: number }
  /** Sent after each change of what it sees. */
  | { readonly type: 'seen'; readonly seen: KeeperSeen }
  | { readonly type: 'events'; readonly events: readonly KeeperEvent[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: KeeperAnswer<QuestionKind> }
  /** In place of an answer; in words for a person. */
  | { readonly type: 'no-answer'; readonly id: number; readonly problem: string }
  | { readonly type: 'stopped' }
