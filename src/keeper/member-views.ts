//! PURE: one member of a group as the decider sees it, and as users do.
import { isOlder } from '../lib/versions.ts'
import { type Binary, chooseBinary, purposeOf } from './binaries.ts'
import type { Health, NodeView } from './group-view.ts'
import type { GroupRecord } from './ledger.ts'
import type { Member } from './members.ts'
import type { GroupWish, NodeSeen } from './protocol.ts'
import type { ReplicaLag, ReplicaSeen } from './replica-lag.ts'

export function nodeView(
  member: Member,
  health: Health,
  wish: GroupWish,
  record: GroupRecord,
  lag: ReplicaLag,
  binaries: readonly Binary[],
): NodeView {
  const { node } = member
  const facts = node.link === null ? null : node.facts
  return {
    id: node.id,
    address: node.address,
    wished: member.wished,
    health,
    role: facts === null || facts.role === 'none' ? 'unknown' : facts.role,
    follows: facts?.follows ?? null,
    inSync: facts?.inSync ?? false,
    hasData: node.hasData,
    caughtUp: facts?.role !== 'replica' || lag.hasCaughtUp(replicaSeen(member)),
    lagMs: facts?.role === 'replica' ? lag.of(facts.offset, node.factsAt) : 0,
    bound: facts?.bound ?? [],
    listening: facts?.listening ?? null,
    followsBy: facts?.followsBy ?? null,
    mayStart: node.mayStart,
    restartWished: (wish.restarts[node.id] ?? 0) > (record.restarts[node.id] ?? 0),
    outdated: isOutdated(member, wish, binaries),
  }
}

function replicaSeen({ node, phase }: Member): ReplicaSeen {
  return {
    id: node.id,
    pid: node.process?.pid ?? null,
    wasAvailable: phase === 'available',
    hasData: node.hasData,
    inSync: node.facts?.inSync ?? false,
    offset: node.facts?.offset ?? 0,
    atMs: node.factsAt,
  }
}

/** Another one could be started now that is what is wished, and this one is not. */
function isOutdated(member: Member, wish: GroupWish, binaries: readonly Binary[]): boolean {
  const choice = chooseBinary(binaries, wish.engine, wish.engineVersion)
  if ('problem' in choice) return false
  if (member.startedFor !== null && member.startedFor !== purposeOf(wish)) return true
  const least = wish.nodes.find((n) => n.id === member.node.id)?.binaryAtLeast
  const runs = member.node.facts?.version ?? ''
  if (least === undefined || runs === '') return false
  return isOlder(runs, least) && !isOlder(choice.binary.version, least)
}

/** `primary`: id of the node that is primary by decision; null where nodes have no roles. */
export function nodeSeen(member: Member, primary: string | null): NodeSeen {
  const { node } = member
  return {
    id: node.id,
    state: member.phase,
    role: primary === null ? 'none' : node.id === primary ? 'primary' : 'replica',
    address: node.address,
    pid: node.process?.pid ?? null,
    binaryVersion: member.binaryVersion || null,
    pendingReboot: node.pending,
    availableSince: member.availableSince,
  }
}
