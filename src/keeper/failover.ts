//! PURE: what to do next for one replication group, from what was seen. The group (group.ts) acts, looks again and asks
//! again until nothing is left to do; it does one list at a time, so two failovers of a group never overlap.
//! Facts behind the rules: engine-notes "Failover of one group", spec/elasticache.md 7.6.
import {
  type Action,
  type GroupView,
  hasProcess,
  isDown,
  isHealthyReplica,
  isWell,
  type NodeView,
} from './group-view.ts'
import { planChanges } from './planned-changes.ts'
import { sameListening, sourceAt } from './transit.ts'

/** A replica that is further behind its primary than this is not read from through the reader endpoint. Milliseconds. */
export const READER_LAG_MAX_MS = 5000

/**
 * May be read from through the reader endpoint: what it shows is at most `READER_LAG_MAX_MS` old. One that was just
 * filled must have caught up; one that has lost its link is out at once, unless its primary does not answer: then nobody writes, and what the replica has is the newest.
 */
function isReadable(group: GroupView, node: NodeView): boolean {
  if (!isWell(node) || node.role !== 'replica' || !node.wished || node.lagMs > READER_LAG_MAX_MS) return false
  const primary = group.nodes.find((n) => n.id === group.primary)
  return (node.inSync && node.caughtUp) || (node.hasData && (primary === undefined || !isWell(primary)))
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
  const ports = planListening(group)
  if (ports.length > 0) return ports
  const changes = planChanges(group, primary, others)
  if (changes.length > 0) return changes
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

/** Ports first: a replica can follow its primary by another port only where that is open. */
function planListening(group: GroupView): readonly Action[] {
  const others = group.nodes.filter(
    (n) => isWell(n) && n.listening !== null && !sameListening(n.listening, group.listening),
  )
  return others.map((n) => ({ do: 'listen', node: n.id }))
}

/** A replica reaches its primary as that one listens: over TLS where it can. */
function followsRightly(node: NodeView, primary: NodeView): boolean {
  if (node.role !== 'replica' || node.follows !== primary.address || node.followsBy === null) return false
  if (primary.listening === null) return true
  const { port, tls } = sourceAt(primary.address, primary.listening)
  return node.followsBy.port === port && node.followsBy.tls === tls
}

function planReplicas(primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  return others.flatMap((node): Action[] => {
    if (isDown(node)) {
      if (hasProcess(node)) return [{ do: 'kill', node: node.id }]
      return node.mayStart ? [{ do: 'start', node: node.id, replicaOf: primary.address }] : []
    }
    return isWell(node) && !followsRightly(node, primary) ? [{ do: 'follow', node: node.id, primary: primary.id }] : []
  })
}

/**
 * Who answers at the reader endpoint: the front when two or more replicas are wished (it goes to the readable ones, to
 * the primary when there is none), the only replica itself while it is readable, otherwise the primary.
 */
export function readerHolder(group: GroupView): 'front' | string {
  if (group.fronted) return 'front'
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
  if (group.fronted) return [node.address]
  const own = [node.address, group.endpoint]
  return node.bound.includes(group.reader) ? [...own, group.reader] : own
}

/** First those that give an address up, then those that take one: two processes cannot bind the same one. */
function planBindings(group: GroupView, primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const reader = readerHolder(group)
  const changes = [primary, ...others].filter(isWell).flatMap((node) => {
    const wanted = [node.address]
    if (node === primary && !group.fronted) wanted.push(group.endpoint)
    if (node.id === reader) wanted.push(group.reader)
    const isSame = wanted.length === node.bound.length && wanted.every((a) => node.bound.includes(a))
    const gives = node.bound.some((a) => !wanted.includes(a))
    return isSame ? [] : [{ gives, action: { do: 'bind', node: node.id, addresses: wanted } as const }]
  })
  return [...changes.filter((c) => c.gives), ...changes.filter((c) => !c.gives)].map((c) => c.action)
}

/** Memcached: nodes know nothing of each other, so each is decided alone. */
export function planIndependent(nodes: readonly NodeView[]): readonly Action[] {
  return nodes.flatMap((node): readonly Action[] => {
    if (!node.wished) return [{ do: 'remove', node: node.id }]
    if (isDown(node) && hasProcess(node)) return [{ do: 'kill', node: node.id }]
    if (isDown(node)) return node.mayStart ? [{ do: 'start', node: node.id, replicaOf: null }] : []
    return node.restartWished && isWell(node) ? [{ do: 'restart', node: node.id }] : replaceAlone(node, nodes)
  })
}

/** One after the other, so that only its keys are missed while it begins anew. */
function replaceAlone(node: NodeView, nodes: readonly NodeView[]): readonly Action[] {
  const first = nodes.find((n) => n.outdated)
  return node === first && nodes.every(isWell) ? [{ do: 'replace', node: node.id }] : []
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

/** What is wrong with a replica that runs, in words for a person; null when nothing is. */
export function replicaTrouble(group: GroupView): string | null {
  const primary = group.nodes.find((n) => n.id === group.primary)
  if (primary === undefined || !isWell(primary) || primary.role !== 'primary') return null
  for (const node of group.nodes) {
    if (node === primary || !isWell(node) || node.follows !== primary.address || !node.hasData) continue
    if (!node.inSync) return `replica ${node.id} has lost its primary ${primary.id}`
    const limit = `${READER_LAG_MAX_MS / 1000} s`
    if (node.lagMs > READER_LAG_MAX_MS)
      return `replica ${node.id} is more than ${limit} behind its primary ${primary.id}`
  }
  return null
}

/** True when the decided primary is one, and answers at the endpoint. */
export function takesWrites(group: GroupView): boolean {
  const primary = group.nodes.find((n) => n.id === group.primary)
  if (primary === undefined || !isWell(primary) || primary.role !== 'primary') return false
  return group.fronted || primary.bound.includes(group.endpoint)
}

/** True when every wished node answers, replicas are in sync and the endpoints lead to them. */
export function isSettled(group: GroupView): boolean {
  const primary = group.nodes.find((n) => n.id === group.primary)
  if (primary === undefined || planGroup(group).length > 0) return false
  return group.nodes.every((n) => n.wished && isWell(n) && (n === primary ? n.role === 'primary' : isHealthyReplica(n)))
}
