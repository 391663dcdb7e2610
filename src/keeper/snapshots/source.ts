//! PURE: which node of a group is captured.
import type { GroupView, NodeView } from '../group-view.ts'
import type { SnapshotWish } from './wish.ts'

/** The node to capture from now; a text says in words what is waited for. */
export function chooseSource(group: GroupView, from: SnapshotWish['from']): NodeView | string {
  const primary = group.nodes.find((node) => node.id === group.primary)
  const isPrimary = (node: NodeView): boolean => node.id === group.primary && node.role === 'primary'
  const holds = (node: NodeView): boolean =>
    node.health.kind === 'well' && node.hasData && (isPrimary(node) || (node.role === 'replica' && node.inSync))
  if (typeof from === 'object') {
    const node = group.nodes.find(({ id }) => id === from.node)
    if (node === undefined) return `there is no node ${from.node} in the group`
    return holds(node) ? node : `node ${node.id} is not in a state to be captured`
  }
  const replica = group.nodes.find((node) => node.id !== group.primary && node.wished && holds(node))
  if (from === 'replica' && replica !== undefined) return replica
  if (primary !== undefined && holds(primary)) return primary
  return `no node of the group is in a state to be captured`
}
