//! PURE: what to do next in a group that is well, to make it what is wished: nodes that leave, a change of the primary that
//! was asked for, restarts, and nodes that run an older engine than wished. Failures come first (failover.ts); nothing
//! here loses data but a restart that was asked for of a node without replicas, and a failover that was asked for.
import { type Action, type GroupView, isHealthyReplica, isWell, type NodeView } from './group-view.ts'

/** Ends the id of a node that exists only while the only node of a group is replaced with its data. */
const STAND_IN = '+next'

export const standInOf = (node: string): string => node + STAND_IN
export const isStandIn = (node: string): boolean => node.endsWith(STAND_IN)

/** Empty: nothing to change, or it must be waited for. `primary` is well and says that it is one. */
export function planChanges(group: GroupView, primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const leaving = others.filter((n) => !n.wished && !isNeeded(n, primary))
  if (leaving.length > 0) return leaving.map((n) => ({ do: 'remove', node: n.id }))
  const heir = others.find((n) => n.wished && isHealthyReplica(n))
  if (!primary.wished) return heir === undefined ? [] : [{ do: 'hand-over', from: primary.id, to: heir.id }]
  const roleChange = planRoleChange(group, primary, others)
  if (roleChange.length > 0) return roleChange
  return planRestarts(group, primary, others, heir)
}

/** A stand-in stays until the node that it stands in for runs what is wished. */
const isNeeded = (node: NodeView, primary: NodeView): boolean =>
  primary.wished && primary.outdated && node.id === standInOf(primary.id)

function planRoleChange(group: GroupView, primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const wished = group.roleChange
  if (wished === null) return []
  if (wished.kind === 'test-failover') {
    // Without a copy in sync it would be no test but a loss.
    return others.some(isHealthyReplica) ? [{ do: 'fail-over', from: primary.id, asked: wished.number }] : []
  }
  const to = others.find((n) => n.id === wished.to)
  // It is primary by now, or it is gone: there is nothing left to do.
  if (to === undefined) return [{ do: 'note-role-change', number: wished.number }]
  return isHealthyReplica(to) ? [{ do: 'hand-over', from: primary.id, to: to.id, asked: wished.number }] : []
}

/** Replicas first and one at a time, so that the others keep serving and the primary is handed over only once. */
function planRestarts(
  group: GroupView,
  primary: NodeView,
  others: readonly NodeView[],
  heir: NodeView | undefined,
): readonly Action[] {
  const replica = others.find((n) => n.wished && isWell(n) && (n.restartWished || n.outdated))
  if (replica !== undefined) {
    const restReady = others.every((n) => n === replica || isHealthyReplica(n))
    return restReady ? [restartOf(replica)] : []
  }
  if (!primary.restartWished && !primary.outdated) return []
  if (!others.every(isHealthyReplica)) return []
  const keepsData = primary.outdated || group.automaticFailover
  if (keepsData && heir !== undefined) return [{ do: 'hand-over', from: primary.id, to: heir.id }]
  return primary.outdated ? planStandIn(primary, others) : [{ do: 'restart', node: primary.id }]
}

const restartOf = (node: NodeView): Action => ({ do: node.restartWished ? 'restart' : 'replace', node: node.id })

/** The only node of a group: a second process is filled from it, and becomes the node at its address. */
function planStandIn(primary: NodeView, others: readonly NodeView[]): readonly Action[] {
  const standIn = others.find((n) => n.id === standInOf(primary.id))
  if (standIn === undefined) return [{ do: 'make-stand-in', node: primary.id }]
  return [{ do: 'take-place', node: primary.id, standIn: standIn.id }]
}
