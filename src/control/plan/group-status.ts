//! PURE: what becomes of the record of one replication group by its members and by what the keeper sees.
import { type GroupAccess, wishedUserGroups } from '../../domain/access.ts'
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { isSettled, type View } from './status-view.ts'
import { transitSettled } from './transit.ts'

/** `members` as they are after this look; null when the group has been deleted and is gone. */
export function groupAfter(
  before: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  view: View,
): ReplicationGroupRecord | null {
  if (before.status === 'deleting') {
    return members.length === 0 && view.group === undefined && view.current ? null : before
  }
  if (before.status === 'create-failed') return before
  if (before.status === 'creating' && view.restoreProblem !== null) return { ...before, status: 'create-failed' }
  const settled = isSettled(view)
  const status = groupStatus(before, members, settled)
  const endpoints =
    status === 'creating' || view.group === undefined
      ? {}
      : { primaryEndpoint: view.group.endpoint, readerEndpoint: view.group.readerEndpoint }
  return {
    ...(settled ? transitSettled(before, view.group) : before),
    status,
    members: members.map(({ id }) => id),
    ...ofMembers(members),
    ...(settled && before.automaticFailoverChanging ? { automaticFailoverChanging: false } : {}),
    ...(settled ? arrivedAccess(before) : {}),
    ...(settled && before.membersBefore ? { membersBefore: null } : {}),
    ...endpoints,
  }
}

/** Every node has the token and the user group that were wished. */
function arrivedAccess(before: ReplicationGroupRecord): GroupAccess {
  const { authToken, pendingUserGroups } = before
  return {
    ...(authToken?.pending ? { authToken: { ...authToken, pending: null } } : {}),
    ...(pendingUserGroups ? { userGroupIds: wishedUserGroups(before), pendingUserGroups: null } : {}),
  }
}

/** Members are alike in these. */
function ofMembers([member]: readonly CacheClusterRecord[]): Partial<ReplicationGroupRecord> {
  if (member === undefined || member.engine === 'memcached') return {}
  return { engine: member.engine, nodeType: member.nodeType }
}

function groupStatus(
  before: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  settled: boolean,
): ReplicationGroupRecord['status'] {
  if (before.status === 'snapshotting') return before.status
  // A member that is read for a snapshot serves as before.
  const allServe = members.every((member) => member.status === 'available' || member.status === 'snapshotting')
  if (allServe && (before.status === 'available' || settled)) return 'available'
  return before.status === 'creating' ? 'creating' : 'modifying'
}
