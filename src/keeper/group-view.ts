//! PURE: what is seen of one replication group, and what can be done to it: the words of its deciders (failover.ts,
//! planned-changes.ts).
import type { GroupWish, NodeLoss } from './protocol.ts'
import type { Listening, Source } from './transit.ts'

export type Health =
  /** No process: never started, or ended and not started again yet. */
  | { readonly kind: 'absent' }
  /** Started, has not answered yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'well' }
  /** Silent, but not for long enough or for a good reason (a long script): wait. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'lost'; readonly reason: NodeLoss }

export interface NodeView {
  readonly id: string
  readonly address: string
  /** False when it is to be removed. */
  readonly wished: boolean
  readonly health: Health
  /** What the engine says it is; `unknown` before it answered. */
  readonly role: 'primary' | 'replica' | 'unknown'
  /** Address of the node it replicates from. */
  readonly follows: string | null
  /** Replication link up and no full transfer under way. */
  readonly inSync: boolean
  /** Holds a copy of the group's data: it was in sync once and has not begun anew. */
  readonly hasData: boolean
  /** It has what was written while its data was on the way to it (replica-lag.ts); true for a primary. */
  readonly caughtUp: boolean
  /** How far it is behind its primary, as far as is known (replica-lag.ts). Milliseconds. */
  readonly lagMs: number
  /** Addresses it listens on, and the ports there; null before it answered. */
  readonly bound: readonly string[]
  readonly listening: Listening | null
  /** By which port and kind of connection it replicates; null for a primary. */
  readonly followsBy: Pick<Source, 'port' | 'tls'> | null
  /** False while the back-off after a failed start runs. */
  readonly mayStart: boolean
  readonly restartWished: boolean
  /** Its process is of another engine or version than wished, and the host has the binary for the wished one. */
  readonly outdated: boolean
}

export interface GroupView {
  /** Id of the node that is primary by decision (the ledger's word). */
  readonly primary: string
  readonly automaticFailover: boolean
  /** Wished and not yet done. */
  readonly roleChange: NonNullable<GroupWish['roleChange']> | null
  readonly endpoint: string
  readonly reader: string
  /** How every node is to listen. */
  readonly listening: Listening
  /** Fronts of the keeper have all addresses of the group at its port: the nodes bind their own address alone. */
  readonly fronted: boolean
  readonly nodes: readonly NodeView[]
}

export type Action =
  /** Start the process; as replica of an address, or as an empty primary. */
  | { readonly do: 'start'; readonly node: string; readonly replicaOf: string | null }
  /** End a process that was judged lost but still exists. */
  | { readonly do: 'kill'; readonly node: string }
  /** End a process whatever its state, for what it holds is not to be served. */
  | { readonly do: 'discard'; readonly node: string }
  /**
   * Fence the lost primary, choose a replica by its offset now, promote it, move the endpoint. `asked`: the primary is
   * well, and is lost on purpose by the wished role change of this number.
   */
  | { readonly do: 'fail-over'; readonly from: string; readonly asked?: number }
  /** No automatic failover: the lost primary starts as a replica of the best one and becomes primary again after it. */
  | { readonly do: 'rebuild-primary'; readonly node: string }
  /** Hand the primary's role over without loss: before a wished restart or removal, or for the role change `asked`. */
  | { readonly do: 'hand-over'; readonly from: string; readonly to: string; readonly asked?: number }
  /** Nothing is left to do for the wished role change of this number. */
  | { readonly do: 'note-role-change'; readonly number: number }
  | { readonly do: 'promote'; readonly node: string }
  | { readonly do: 'follow'; readonly node: string; readonly primary: string }
  /** Change its ports to those that are wished for the group. */
  | { readonly do: 'listen'; readonly node: string }
  | { readonly do: 'bind'; readonly node: string; readonly addresses: readonly string[] }
  | { readonly do: 'restart'; readonly node: string }
  /** End a process of another engine or version than wished; it starts again as what is wished. */
  | { readonly do: 'replace'; readonly node: string }
  /** Start a second process beside the only node, as its replica. */
  | { readonly do: 'make-stand-in'; readonly node: string }
  /** The filled stand-in becomes the node: writes are handed over, its process gets the node's addresses and name. */
  | { readonly do: 'take-place'; readonly node: string; readonly standIn: string }
  | { readonly do: 'remove'; readonly node: string }

export const isWell = (node: NodeView): boolean => node.health.kind === 'well'
export const isHealthyReplica = (node: NodeView): boolean =>
  isWell(node) && node.role === 'replica' && node.inSync && node.caughtUp
export const isDown = (node: NodeView): boolean => node.health.kind === 'absent' || node.health.kind === 'lost'
const endedByItself = (node: NodeView): boolean => node.health.kind === 'lost' && node.health.reason === 'exit'
export const hasProcess = (node: NodeView): boolean => node.health.kind !== 'absent' && !endedByItself(node)
