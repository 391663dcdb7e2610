//! PURE: what is looked at to tell what becomes of a stored cluster or replication group.
import type { RestoreFrom } from '../../domain/cluster.ts'
import type { GroupSeen } from '../../keeper/protocol.ts'

/** One record with what was seen of its group; `current`: the keeper has made the wish that this revision led to. */
export interface View {
  readonly group: GroupSeen | undefined
  readonly current: boolean
  /** Why the snapshot that it is made from cannot be restored; null while nothing speaks against it. */
  readonly restoreProblem: string | null
}

export function restoreProblem(from: RestoreFrom | null | undefined, seen: GroupSeen | undefined): string | null {
  if (from?.state === 'refused') return from.problem ?? 'it cannot be restored'
  return from && seen?.restore?.state === 'failed' ? (seen.restore.problem ?? 'the engine refused it') : null
}

/** The keeper has made what is wished: every node answers, replicas are in sync, the endpoints lead there. */
export const isSettled = (view: View): boolean => view.group?.settled === true && view.current
