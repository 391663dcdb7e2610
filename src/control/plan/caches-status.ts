//! PURE: stored clusters and replication groups, and what the keeper sees -> what to write: statuses, roles, endpoints,
//! events. Only this sets a status to `available`: every node has answered and the endpoints lead there (DESIGN section
//! 3). What becomes of one record: cluster-status.ts, group-status.ts; what is told of it: status-events.ts.
import type { CacheClusterRecord, ReplicationGroupRecord, SnapshotSettings } from '../../domain/cluster.ts'
import type { KeeperSeen } from '../../keeper/protocol.ts'
import type { NewEvent } from '../../services/elasticache/event-log.ts'
import type { Stored } from '../../state/state.ts'
import type { CacheRecords } from './caches.ts'
import { clusterAfter } from './cluster-status.ts'
import { groupAfter } from './group-status.ts'
import { clusterEvents, groupEvents } from './status-events.ts'
import { restoreProblem, type View } from './status-view.ts'

/** What to write; null deletes the record with its tags. */
export interface StatusChanges {
  readonly clusters: ReadonlyMap<string, CacheClusterRecord | null>
  readonly groups: ReadonlyMap<string, ReplicationGroupRecord | null>
  /** Of deleted records: their tags go too. */
  readonly goneArns: readonly string[]
  readonly events: readonly NewEvent[]
}

/** `seenRevision`: the state's revision whose plan the keeper's report describes; records written later are not judged. */
export function statusChanges(records: CacheRecords, seen: KeeperSeen, seenRevision: number): StatusChanges {
  const groupsSeen = new Map(seen.groups.map((group) => [group.id, group]))
  const clusters = new Map<string, CacheClusterRecord | null>()
  const groups = new Map<string, ReplicationGroupRecord | null>()
  const goneArns: string[] = []
  const events: NewEvent[] = []
  const viewOf = (stored: Stored<unknown>, groupId: string, { restoreFrom }: SnapshotSettings): View => ({
    group: groupsSeen.get(groupId),
    current: stored.revision <= seenRevision,
    restoreProblem: restoreProblem(restoreFrom, groupsSeen.get(groupId)),
  })
  /** What a cluster is made from: a member as its group. */
  const settingsOf = (cluster: CacheClusterRecord): SnapshotSettings =>
    cluster.replicationGroupId === null
      ? cluster
      : (records.groups.find(({ id }) => id === cluster.replicationGroupId)?.doc ?? {})
  for (const stored of records.clusters) {
    const before = stored.doc
    const view = viewOf(stored, before.replicationGroupId ?? before.id, settingsOf(before))
    const after = clusterAfter(before, view)
    events.push(...clusterEvents(before, after, view))
    if (after === null) goneArns.push(before.arn)
    if (!same(before, after)) clusters.set(stored.id, after)
  }
  for (const stored of records.groups) {
    const members = stored.doc.members.flatMap((id) => {
      const before = records.clusters.find((cluster) => cluster.id === id)?.doc
      const changed = clusters.get(id)
      const after = changed === undefined ? before : changed
      return before && after ? [{ before, after }] : []
    })
    const view = viewOf(stored, stored.id, stored.doc)
    const after = groupAfter(
      stored.doc,
      members.map((member) => member.after),
      view,
    )
    events.push(...groupEvents(stored.doc, after, members, view))
    if (after === null) goneArns.push(stored.doc.arn)
    if (!same(stored.doc, after)) groups.set(stored.id, after)
  }
  return { clusters, groups, goneArns, events }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
