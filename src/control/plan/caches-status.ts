//! PURE: stored clusters and replication groups, and what the keeper sees -> statuses, roles, endpoints and events.
//! Only this sets a status to `available`: every node has answered and the endpoints lead there (DESIGN section 3).
import type {
  CacheClusterRecord,
  CacheNodeRecord,
  ClusterStatus,
  ReplicationGroupRecord,
} from '../../domain/cluster.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { fixedNames } from '../../domain/parameters/directives.ts'
import { FAMILIES } from '../../domain/parameters/families.ts'
import type { GroupSeen, KeeperSeen, NodeSeen } from '../../keeper/protocol.ts'
import type { NewEvent } from '../../services/elasticache/event-log.ts'
import type { Stored } from '../../state/state.ts'
import { type CacheRecords, nodeIdOf } from './caches.ts'

/** What to write; null deletes the record with its tags. */
export interface StatusChanges {
  readonly clusters: ReadonlyMap<string, CacheClusterRecord | null>
  readonly groups: ReadonlyMap<string, ReplicationGroupRecord | null>
  /** Of deleted records: their tags go too. */
  readonly goneArns: readonly string[]
  readonly events: readonly NewEvent[]
}

/** One record with what was seen of its group; `current`: the keeper has made the wish that this revision led to. */
interface View {
  readonly group: GroupSeen | undefined
  readonly current: boolean
}

/** `seenRevision`: the state's revision whose plan the keeper's report describes; records written later are not judged. */
export function statusChanges(records: CacheRecords, seen: KeeperSeen, seenRevision: number): StatusChanges {
  const groupsSeen = new Map(seen.groups.map((group) => [group.id, group]))
  const clusters = new Map<string, CacheClusterRecord | null>()
  const groups = new Map<string, ReplicationGroupRecord | null>()
  const goneArns: string[] = []
  const events: NewEvent[] = []
  const viewOf = (stored: Stored<unknown>, groupId: string): View => ({
    group: groupsSeen.get(groupId),
    current: stored.revision <= seenRevision,
  })
  for (const stored of records.clusters) {
    const before = stored.doc
    const after = clusterAfter(before, viewOf(stored, before.replicationGroupId ?? before.id))
    events.push(...clusterEvents(before, after))
    if (after === null) goneArns.push(before.arn)
    if (!same(before, after)) clusters.set(stored.id, after)
  }
  for (const stored of records.groups) {
    const members = stored.doc.members.flatMap((id) => {
      const changed = clusters.get(id)
      const doc = changed === undefined ? records.clusters.find((c) => c.id === id)?.doc : changed
      return doc ? [doc] : []
    })
    const after = groupAfter(stored.doc, members, viewOf(stored, stored.id))
    events.push(...groupEvents(stored.doc, after))
    if (after === null) goneArns.push(stored.doc.arn)
    if (!same(stored.doc, after)) groups.set(stored.id, after)
  }
  return { clusters, groups, goneArns, events }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function clusterAfter(before: CacheClusterRecord, view: View): CacheClusterRecord | null {
  if (before.status === 'deleting') return isGone(before, view) ? null : before
  const fixed = fixedNames(FAMILIES.get(familyOf(before.engine, before.engineVersion)))
  const nodes = before.nodes.flatMap((node) => {
    const seen = view.group?.nodes.find(({ id }) => id === nodeIdOf(before, node))
    if (node.status === 'deleting') return seen === undefined && view.current ? [] : [node]
    return [seen === undefined ? node : nodeAfter(node, seen, view, fixed)]
  })
  const status = clusterStatus(before, nodes, view)
  const version = view.group?.nodes.find(({ id }) => before.nodes.some((node) => nodeIdOf(before, node) === id))
  return {
    ...before,
    status,
    nodes,
    nodesBefore: status === 'available' ? null : before.nodesBefore,
    binaryVersion: version?.binaryVersion ?? before.binaryVersion,
    configurationEndpoint:
      before.engine === 'memcached' && status === 'available' && view.group !== undefined
        ? view.group.endpoint
        : before.configurationEndpoint,
  }
}

const isGone = (cluster: CacheClusterRecord, view: View): boolean =>
  view.current &&
  !cluster.nodes.some((node) => view.group?.nodes.some(({ id }) => id === nodeIdOf(cluster, node))) &&
  (cluster.replicationGroupId !== null || view.group === undefined)

function nodeAfter(node: CacheNodeRecord, seen: NodeSeen, view: View, fixed: ReadonlySet<string>): CacheNodeRecord {
  const answers = seen.state === 'available'
  // The report may be older than the restart that was wished: the same process still runs.
  const restarting = node.rebootFrom !== null && (!view.current || seen.availableSince === node.rebootFrom)
  const status = restarting || seen.state === 'rebooting' ? 'rebooting' : answers ? 'available' : 'creating'
  const pending = seen.pendingReboot.some((name) => !fixed.has(name))
  const known = view.current && answers && !restarting && (pending || view.group?.settled === true)
  return {
    ...node,
    status,
    rebootFrom: restarting ? node.rebootFrom : null,
    address: seen.availableSince === null ? node.address : seen.address,
    startedAt: seen.availableSince ?? node.startedAt,
    role: answers ? seen.role : node.role,
    parameterStatus: known ? (pending ? 'pending-reboot' : 'in-sync') : node.parameterStatus,
  }
}

function clusterStatus(before: CacheClusterRecord, nodes: readonly CacheNodeRecord[], view: View): ClusterStatus {
  const allAnswer = nodes.every((node) => node.status === 'available')
  const settled = view.group?.settled === true && view.current
  if (before.status === 'creating') return allAnswer && settled ? 'available' : 'creating'
  if (nodes.some((node) => node.status === 'rebooting')) return 'rebooting cluster nodes'
  if (!allAnswer) return 'modifying'
  if (before.status === 'available' || settled) return 'available'
  return before.status
}

function groupAfter(
  before: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  view: View,
): ReplicationGroupRecord | null {
  if (before.status === 'deleting') {
    return members.length === 0 && view.group === undefined && view.current ? null : before
  }
  const allAvailable = members.every((member) => member.status === 'available')
  const settled = view.group?.settled === true && view.current
  const ready = allAvailable && (before.status === 'available' || settled)
  const status = ready ? 'available' : before.status === 'creating' ? 'creating' : 'modifying'
  const endpoints =
    status === 'creating' || view.group === undefined
      ? {}
      : { primaryEndpoint: view.group.endpoint, readerEndpoint: view.group.readerEndpoint }
  return { ...before, status, members: members.map(({ id }) => id), ...endpoints }
}

/** spec/elasticache.md 11.3. */
function clusterEvents(before: CacheClusterRecord, after: CacheClusterRecord | null): NewEvent[] {
  const event = (message: string): NewEvent => ({ source: 'cache-cluster', sourceId: before.id, message })
  if (after === null) return [event('Cache cluster deleted')]
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
  const finished = before.nodesBefore !== null && after.nodesBefore === null
  return finished && before.nodesBefore < after.nodes.length
    ? [event(`Finished modifying number of nodes from ${before.nodesBefore} to ${after.nodes.length}`)]
    : []
}

function groupEvents(before: ReplicationGroupRecord, after: ReplicationGroupRecord | null): NewEvent[] {
  const event = (message: string): NewEvent => ({ source: 'replication-group', sourceId: before.id, message })
  // Wording of both unconfirmed.
  if (after === null) return [event('Replication group deleted')]
  if (before.status === 'creating' && after.status === 'available') return [event('Replication group created')]
  return []
}
