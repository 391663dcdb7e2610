//! PURE: what to do next for one replication group, from what was seen. The group (group.ts) acts, looks again and asks
//! again until nothing is left to do; it does one list at a time, so two failovers of a group never overlap.
//! Facts behind the rules: engine-notes "Failover of one group", spec/elasticache.md 7.6.
import type { NodeLoss } from './protocol.ts'

/** A replica that is further behind its primary than this is not read from through the reader endpoint. Milliseconds. */
export const READER_LAG_MAX_MS = 5000

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
  /** How far it is behind its primary, as far as is known (replica-lag.ts). Milliseconds. */
  readonly lagMs: number
  /** Addresses it listens on. */
  readonly bound: readonly string[]
  /** False while the back-off after a failed start runs. */
  readonly mayStart: boolean
  readonly restartWished: boolean
}

export interface GroupView {
  /** Id of the node that is primary by decision (the ledger's word). */
  readonly primary: string
  readonly automaticFailover: boolean
  readonly endpoint: string
  readonly reader: string
  readonly nodes: readonly NodeView[]
}

export type Action =
  /** Start the process; as replica of an address, or as an empty primary. */
  | { readonly do: 'start'; readonly node: string; readonly replicaOf: string | null }
  /** End a process that was judged lost but still exists. */
  | { readonly do: 'kill'; readonly node: string }
  /** Fence the lost primary, choose a replica by its offset now, promote it, move the endpoint. */
  | { readonly do: 'fail-over'; readonly from: string }
  /** No automatic failover: the lost primary starts as a replica of the best one and becomes primary again after it. */
  | { readonly do: 'rebuild-primary'; readonly node: string }
  /** Hand the primary's role over without loss: before a wished restart or removal. */
  | { readonly do: 'hand-over'; readonly from: string; readonly to: string }
  | { readonly do: 'promote'; readonly node: string }
  | { readonly do: 'follow'; readonly node: string; readonly primary: string }
  | { readonly do: 'bind'; readonly node: string; readonly addresses: readonly string[] }
  | { readonly do: 'restart'; readonly node: string }
  | { readonly do: 'remove'; readonly node: string }

const isWell = (node: NodeView): boolean => node.health.kind === 'well'
const isDown = (node: NodeView): boolean => node.health.kind === 'absent' || node.health.kind === 'lost'
const hasProcess = (node: NodeView): boolean => node.health.kind !== 'absent' && !endedByItself(node)
const endedByItself = (node: NodeView): boolean => node.health.kind === 'lost' && node.health.reason === 'exit'
const isHealthyReplica = (node: NodeView): boolean => isWell(node) && node.role === 'replica' && node.inSync

/**
 * May be read from through the reader endpoint: what it shows is at most `READER_LAG_MAX_MS` old. One that has lost its
 * link is out at once, unless its primary does not answer: then nobody writes, and what the replica has is the newest.
 */
function isReadable(group: GroupView, node: NodeView): boolean {
  if (!isWell(node) || node.role !== 'replica' || !node.wished || node.lagMs > READER_LAG_MAX_MS) return false
  const primary = group.nodes.find((n) => n.id === group.primary)
  return node.inSync || (node.hasData && (primary === undefined || !isWell(primary)))
}

/** The next things to do, in order; empty when the group is as wished or must be waited for. */
export function planGroup(group: GroupView): readonly Action[] {
  const primary = group.nodes.find((n) => n.id === group.primary)
  if (primary === undefined) return []
  const others = group.nodes.filter((n) => n !== primary)
  if (isDown(primary)) return [...planWithoutPrimary(group, primary, others), ...planLostReplicas(others)]
  if (!isWell(primary)) return planLostReplicas(others)
  const role = planRole(primary, others)
  if (role !== null) return role
  const leaving = planLeaving(group, primary, others)
  if (leaving.length > 0) return leaving
  return [...planReplicas(primary, others), ...planBindings(group, primary, others)]
}

/** The primary is down: promote a copy of the data if there is one; start empty only when there is none. */
function planWithoutPrimary(group: GroupView, primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const copies = others.filter((n) => n.hasData && !isDown(n))
  if (copies.some(isWell)) {
    if (group.automaticFailover || !primary.wished) return [{ do: 'fail-over', from: primary.id }]
    return primary.mayStart ? [{ do: 'rebuild-primary', node: primary.id }] : []
  }
  // A copy that is only silent may come back: an empty primary would make it throw its data away.
  if (copies.length > 0) return []
  if (hasProcess(primary)) return [{ do: 'kill', node: primary.id }]
  return primary.mayStart ? [{ do: 'start', node: primary.id, replicaOf: null }] : []
}

/** Replicas that still exist but are lost are ended while the primary's fate is open; they start when it is known. */
function planLostReplicas(others: readonly NodeView[]): readonly Action[] {
  return others.filter((n) => isDown(n) && hasProcess(n)).map((n) => ({ do: 'kill', node: n.id }))
}

/** The decided primary must say so itself; while it is rebuilt from a living copy it is waited for. Null: all is well. */
function planRole(primary: NodeView, others: readonly NodeView[]): readonly Action[] | null {
  if (primary.role === 'primary') return null
  const source = others.find((n) => n.address === primary.follows)
  if (source !== undefined && isWell(source) && source.role === 'primary' && !primary.inSync)
    return planLostReplicas(others)
  return [{ do: 'promote', node: primary.id }]
}

/** Removals and wished restarts. A primary with a healthy replica hands over first. */
function planLeaving(group: GroupView, primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const removals = others.filter((n) => !n.wished)
  if (removals.length > 0) return removals.map((n) => ({ do: 'remove', node: n.id }))
  const heir = others.find(isHealthyReplica)
  if (!primary.wished) return heir === undefined ? [] : [{ do: 'hand-over', from: primary.id, to: heir.id }]
  // Replicas first and one at a time, so that the others keep serving and the primary is handed over only once.
  const replica = others.find((n) => n.restartWished && isWell(n))
  if (replica !== undefined) {
    const restReady = others.every((n) => n === replica || isHealthyReplica(n))
    return restReady ? [{ do: 'restart', node: replica.id }] : []
  }
  if (!primary.restartWished || !others.every(isHealthyReplica)) return []
  if (group.automaticFailover && heir !== undefined) return [{ do: 'hand-over', from: primary.id, to: heir.id }]
  return [{ do: 'restart', node: primary.id }]
}

function planReplicas(primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  return others.flatMap((node): Action[] => {
    if (isDown(node)) {
      if (hasProcess(node)) return [{ do: 'kill', node: node.id }]
      return node.mayStart ? [{ do: 'start', node: node.id, replicaOf: primary.address }] : []
    }
    const follows = node.role === 'replica' && node.follows === primary.address
    return isWell(node) && !follows ? [{ do: 'follow', node: node.id, primary: primary.id }] : []
  })
}

/**
 * Who answers at the reader endpoint: the front when two or more replicas are wished (it goes to the readable ones, to
 * the primary when there is none), the only replica itself while it is readable, otherwise the primary.
 */
export function readerHolder(group: GroupView): 'front' | string {
  const replicas = group.nodes.filter((n) => n.id !== group.primary && n.wished)
  if (replicas.length >= 2) return 'front'
  return replicas.find((n) => isReadable(group, n))?.id ?? group.primary
}

/** Where the front of the reader endpoint leads to. */
export function readerTargets(group: GroupView): readonly string[] {
  const replicas = group.nodes.filter((n) => n.id !== group.primary && isReadable(group, n))
  if (replicas.length > 0) return replicas.map((n) => n.address)
  return group.nodes.filter((n) => n.id === group.primary && isWell(n)).map((n) => n.address)
}

/**
 * Addresses whose connections through the front may stay: not those of a replica that was promoted, is being removed or
 * has fallen behind, for their clients would go on to read what a reader endpoint does not promise. A replica that is
 * only silent keeps its own.
 */
export function readerKeeps(group: GroupView): readonly string[] {
  const replicas = group.nodes.filter((n) => n.id !== group.primary && n.wished && n.health.kind === 'waiting')
  const silent = replicas.filter((n) => n.inSync || n.role === 'unknown')
  return [...readerTargets(group), ...silent.map((n) => n.address)]
}

/**
 * What the promoted node listens on at once. It keeps the reader endpoint that it had: until there is a replica again,
 * readers are its own, and not one connection of theirs is refused.
 */
export function addressesOfPromoted(group: GroupView, node: NodeView): readonly string[] {
  const own = [node.address, group.endpoint]
  return node.bound.includes(group.reader) ? [...own, group.reader] : own
}

/** First those that give an address up, then those that take one: two processes cannot bind the same one. */
function planBindings(group: GroupView, primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const reader = readerHolder(group)
  const changes = [primary, ...others].filter(isWell).flatMap((node) => {
    const wanted = [node.address]
    if (node === primary) wanted.push(group.endpoint)
    if (node.id === reader) wanted.push(group.reader)
    const isSame = wanted.length === node.bound.length && wanted.every((a) => node.bound.includes(a))
    const gives = node.bound.some((a) => !wanted.includes(a))
    return isSame ? [] : [{ gives, action: { do: 'bind', node: node.id, addresses: wanted } as const }]
  })
  return [...changes.filter((c) => c.gives), ...changes.filter((c) => !c.gives)].map((c) => c.action)
}

/** Memcached: nodes know nothing of each other, so each is decided alone. */
export function planIndependent(nodes: readonly NodeView[]): readonly Action[] {
  return nodes.flatMap((node): Action[] => {
    if (!node.wished) return [{ do: 'remove', node: node.id }]
    if (isDown(node) && hasProcess(node)) return [{ do: 'kill', node: node.id }]
    if (isDown(node)) return node.mayStart ? [{ do: 'start', node: node.id, replicaOf: null }] : []
    return node.restartWished && isWell(node) ? [{ do: 'restart', node: node.id }] : []
  })
}

export interface Candidate {
  readonly id: string
  readonly role: 'primary' | 'replica'
  readonly hasData: boolean
  /** Bytes of the replication stream it holds. */
  readonly offset: number
}

/**
 * Which copy becomes primary: the one with the most of the stream. At equal offsets one that was promoted already (by a
 * keeper that died in between), then the lowest id. Null when none holds data.
 */
export function chooseReplica(candidates: readonly Candidate[]): string | null {
  const rank = (c: Candidate): number => (c.role === 'primary' ? 0 : 1)
  const usable = candidates.filter((c) => c.hasData)
  usable.sort((a, b) => b.offset - a.offset || rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
  return usable[0]?.id ?? null
}

/** True when the decided primary is one, and answers at the endpoint. */
export function takesWrites(group: GroupView): boolean {
  const primary = group.nodes.find((n) => n.id === group.primary)
  return (
    primary !== undefined && isWell(primary) && primary.role === 'primary' && primary.bound.includes(group.endpoint)
  )
}

/** True when every wished node answers, replicas are in sync and the endpoints lead to them. */
export function isSettled(group: GroupView): boolean {
  const primary = group.nodes.find((n) => n.id === group.primary)
  if (primary === undefined || planGroup(group).length > 0) return false
  return group.nodes.every((n) => n.wished && isWell(n) && (n === primary ? n.role === 'primary' : isHealthyReplica(n)))
}
