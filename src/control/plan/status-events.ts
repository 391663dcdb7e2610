//! PURE: what a record was and what becomes of it -> events in AWS's words (spec/elasticache.md 11.3).
import type { CacheClusterRecord, ReplicationGroupRecord, SnapshotSettings } from '../../domain/cluster.ts'
import type { NewEvent } from '../../services/elasticache/event-log.ts'
import type { View } from './status-view.ts'

/** `after` null: it is gone. */
export function clusterEvents(before: CacheClusterRecord, after: CacheClusterRecord | null, view: View): NewEvent[] {
  const event = (message: string): NewEvent => ({ source: 'cache-cluster', sourceId: before.id, message })
  if (after === null) return [event('Cache cluster deleted')]
  if (before.status !== 'restore-failed' && after.status === 'restore-failed') {
    // Of a group, the group's own event says it.
    return before.replicationGroupId === null ? [event(restoreFailed(before, 'cache cluster', view))] : []
  }
  if (before.status === 'creating' && after.status === 'available') {
    const added = after.nodes.map((node) =>
      event(`Added cache node ${node.id} in availability zone ${node.availabilityZone}`),
    )
    return [...added, event('Cache cluster created')]
  }
  const stay = new Set(after.nodes.map((node) => node.id))
  const removed = before.nodes.filter((node) => !stay.has(node.id)).map((node) => node.id)
  // The keeper may report that the nodes are gone before it reports that the rest has settled.
  if (removed.length > 0) return [event(`Removed cache nodes ${removed.join(', ')}`)]
  return [...changeMessages(before, after).map(event), ...nodeCountMessages(before, after).map(event)]
}

function nodeCountMessages(before: CacheClusterRecord, after: CacheClusterRecord): string[] {
  const finished = before.nodesBefore !== null && after.nodesBefore === null
  return finished && before.nodesBefore < after.nodes.length
    ? [`Finished modifying number of nodes from ${before.nodesBefore} to ${after.nodes.length}`]
    : []
}

/** Of a change that has been carried out. AWS publishes no wording for an engine version (unconfirmed). */
function changeMessages(before: CacheClusterRecord, after: CacheClusterRecord): string[] {
  const messages: string[] = []
  if (before.securityGroupsActive === false && after.securityGroupsActive) {
    messages.push('Applied change to security group')
  }
  if (before.nodeType !== after.nodeType) {
    messages.push(`Succeeded applying modification to cache node type to ${after.nodeType}.`)
  }
  if (before.engine !== after.engine || before.engineVersion !== after.engineVersion) {
    messages.push(
      `Succeeded upgrading from ${before.engine} ${before.engineVersion} to ${after.engine} ${after.engineVersion}.`,
    )
  }
  return messages
}

/** Wording unconfirmed. */
const restoreFailed = ({ restoreFrom }: SnapshotSettings, what: string, { restoreProblem }: View): string =>
  `Failed to create the ${what} from snapshot '${restoreFrom?.snapshot ?? ''}': ${restoreProblem ?? ''}`

/** A member as it was and as it is. */
export interface MemberChange {
  readonly before: CacheClusterRecord
  readonly after: CacheClusterRecord
}

export function groupEvents(
  before: ReplicationGroupRecord,
  after: ReplicationGroupRecord | null,
  members: readonly MemberChange[],
  view: View,
): NewEvent[] {
  const event = (message: string): NewEvent => ({ source: 'replication-group', sourceId: before.id, message })
  if (before.status !== 'create-failed' && after?.status === 'create-failed') {
    return [event(restoreFailed(before, 'replication group', view))]
  }
  // Wording of both unconfirmed.
  if (after === null) return [event('Replication group deleted')]
  if (before.status === 'creating' && after.status === 'available') return [event('Replication group created')]
  // A change comes to all members in one look: the group settles as one.
  const [first] = members
  const changes = first === undefined ? [] : changeMessages(first.before, first.after)
  const counted = before.membersBefore && !after.membersBefore ? [countMessage(before.membersBefore, after)] : []
  return [...changes, ...counted].map(event)
}

const countMessage = (before: number, after: ReplicationGroupRecord): string =>
  `Finished modifying number of nodes from ${before} to ${after.members.length}`
