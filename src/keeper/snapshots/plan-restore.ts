//! PURE: what to do next for a group whose data is still to come from a snapshot: only its primary runs, and nobody is
//! led to it. Replicas start and endpoints are bound once the data is there (failover.ts goes on from then).
import { type Action, type GroupView, hasProcess, isDown } from '../group-view.ts'

export interface RestoreView {
  /** It failed for good: nothing of the group runs. */
  readonly failed: boolean
  /** The primary's process is empty, or is being loaded: none that an earlier attempt has half filled. */
  readonly isFresh: boolean
}

export function planRestore(group: GroupView, { failed, isFresh }: RestoreView): readonly Action[] {
  return group.nodes.flatMap((node): Action[] => {
    const discarded: Action[] = hasProcess(node) ? [{ do: 'discard', node: node.id }] : []
    if (node.id !== group.primary) return node.wished ? discarded : [{ do: 'remove', node: node.id }]
    if (failed) return discarded
    if (!isDown(node)) return isFresh ? [] : discarded
    if (hasProcess(node)) return discarded
    return node.mayStart ? [{ do: 'start', node: node.id, replicaOf: null }] : []
  })
}
