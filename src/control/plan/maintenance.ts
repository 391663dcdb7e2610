//! PURE: what begins in the maintenance windows that are open now: changes of engine, version and node type that were asked
//! for without ApplyImmediately, more and fewer memcached nodes, and primaries that were named so (spec/elasticache.md 2.4, 11.5).
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { nodesBegun } from '../../domain/memcached-nodes.ts'
import { begun } from '../../domain/pending-change.ts'
import { isInMaintenance } from '../../domain/windows.ts'
import { promoting } from '../../services/elasticache/group-roles.ts'
import type { CacheRecords } from './caches.ts'

/** What the plan looks at. */
export type MaintenanceRecords = Pick<CacheRecords, 'clusters' | 'groups'>

/** What to write. */
export interface MaintenancePlan {
  readonly clusters: readonly CacheClusterRecord[]
  readonly groups: readonly ReplicationGroupRecord[]
}

/**
 * Only what is available is changed: the rest waits, in this window or the next. A window that passed while nobody was
 * there is over.
 */
export function maintenancePlan({ clusters, groups }: MaintenanceRecords, now: number): MaintenancePlan {
  const docs = clusters.map(({ doc }) => doc)
  const open = (cluster: CacheClusterRecord): boolean =>
    cluster.status === 'available' && isInMaintenance(cluster.maintenanceWindow, now)
  const alone = docs.filter((doc) => doc.replicationGroupId === null && open(doc))
  const changed = alone.flatMap((doc) => (waits(doc) || doc.pendingNodes ? [nodesBegun(begun(doc, now), now)] : []))
  const inGroups = groups.map(({ doc: group }) => {
    const members = group.members.flatMap((id) => docs.find((doc) => doc.id === id) ?? [])
    if (group.status !== 'available' || !members.every(open)) return { clusters: [], groups: [] }
    return groupPlan(group, members, now)
  })
  return {
    clusters: [...changed, ...inGroups.flatMap((plan) => plan.clusters)],
    groups: inGroups.flatMap((plan) => plan.groups),
  }
}

const waits = (cluster: CacheClusterRecord): boolean => cluster.pending?.applyingSince === null

/** The primary first: a change of all members would hand its role over anyway, and the next look goes on. */
function groupPlan(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  now: number,
): MaintenancePlan {
  if (group.pendingPrimary) return { clusters: [], groups: [promoting(group, group.pendingPrimary)] }
  const clusters = members.flatMap((member) => (waits(member) ? [begun(member, now)] : []))
  return { clusters, groups: clusters.length === 0 ? [] : [{ ...group, status: 'modifying' }] }
}
