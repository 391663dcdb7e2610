//! PURE: what is looked at to tell what becomes of a stored cluster or replication group.
import type { GroupSeen } from '../../keeper/protocol.ts'

/** One record with what was seen of its group; `current`: the keeper has made the wish that this revision led to. */
export interface View {
  readonly group: GroupSeen | undefined
  readonly current: boolean
}

/** The keeper has made what is wished: every node answers, replicas are in sync, the endpoints lead there. */
export const isSettled = (view: View): boolean => view.group?.settled === true && view.current
