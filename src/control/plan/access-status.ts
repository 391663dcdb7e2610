//! PURE: users and user groups, and what the keeper sees -> what becomes of them. Only this makes one `active` that was
//! changed: every node of every replication group that has it answers with it (spec/elasticache.md 6.2, 6.4).
import {
  type GroupAccess,
  type UserGroupRecord,
  type UserRecord,
  wishedUserGroups,
  withPending,
} from '../../domain/access.ts'
import type { ReplicationGroupRecord } from '../../domain/cluster.ts'
import type { KeeperSeen } from '../../keeper/protocol.ts'
import type { NewEvent } from '../../services/elasticache/event-log.ts'
import type { Stored } from '../../state/state.ts'
import type { AccessRecords } from './access.ts'

/** What to write; null deletes the record with its tags. */
export interface AccessChanges {
  readonly users: ReadonlyMap<string, UserRecord | null>
  readonly userGroups: ReadonlyMap<string, UserGroupRecord | null>
  readonly goneArns: readonly string[]
  readonly events: readonly NewEvent[]
}

/** `seenRevision`: as of caches-status.ts. */
export function accessChanges(
  records: AccessRecords & { readonly groups: readonly Stored<ReplicationGroupRecord>[] },
  seen: KeeperSeen,
  seenRevision: number,
): AccessChanges {
  const settled = new Set(seen.groups.filter((group) => group.settled).map(({ id }) => id))
  /** Nodes of all replication groups with the user group have what was wished at that revision. */
  const arrived = (revision: number, userGroupIds: readonly string[]): boolean => {
    if (revision > seenRevision) return false
    const having = records.groups.map(({ doc }) => doc).filter((group) => runs(group) && has(group, userGroupIds))
    return having.every((group) => settled.has(group.id))
  }
  const users = new Map<string, UserRecord | null>()
  const userGroups = new Map<string, UserGroupRecord | null>()
  const goneArns: string[] = []
  const events: NewEvent[] = []
  for (const { id, doc, revision } of records.userGroups) {
    if (doc.status === 'active' || !arrived(revision, [id])) continue
    const after = userGroupAfter(doc)
    userGroups.set(id, after)
    if (after === null) goneArns.push(doc.arn)
    events.push({ source: 'user-group', sourceId: id, message: `User group ${DONE[doc.status]}` })
  }
  for (const { id, doc, revision } of records.users) {
    if (doc.status === 'active') continue
    const holders = records.userGroups.filter((group) => holds(group.doc, id)).map((group) => group.id)
    if (!arrived(revision, holders)) continue
    const after: UserRecord | null = doc.status === 'deleting' ? null : { ...doc, status: 'active' }
    users.set(id, after)
    if (after === null) goneArns.push(doc.arn)
    events.push({ source: 'user', sourceId: id, message: `User ${DONE[doc.status]}` })
  }
  return { users, userGroups, goneArns, events }
}

/** Wording unconfirmed: AWS has such lines (spec 11.3). */
const DONE = { creating: 'created', modifying: 'modified', deleting: 'deleted' } as const

const userGroupAfter = (before: UserGroupRecord): UserGroupRecord | null =>
  before.status === 'deleting'
    ? null
    : { ...before, status: 'active', userIds: withPending(before.userIds, before.pending), pending: null }

/** One whose nodes are to answer; what is deleted, or could not be made, has none that matter. */
const runs = ({ status }: ReplicationGroupRecord): boolean => status !== 'deleting' && status !== 'create-failed'

/** Also one that is to be without it and still has it. */
const has = (group: GroupAccess, userGroupIds: readonly string[]): boolean =>
  [...(group.userGroupIds ?? []), ...wishedUserGroups(group)].some((id) => userGroupIds.includes(id))

const holds = (group: UserGroupRecord, userId: string): boolean =>
  group.userIds.includes(userId) || withPending(group.userIds, group.pending).includes(userId)
