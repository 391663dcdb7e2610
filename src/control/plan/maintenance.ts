//! PURE: what begins in the maintenance windows that are open now: changes of engine, version and node type that were asked
//! for without ApplyImmediately, more and fewer memcached nodes, primaries that were named so, and service updates where
//! AutoMinorVersionUpgrade asks for them (spec/elasticache.md 2.4, 11.5).
import type { CacheClusterRecord, ReplicationGroupRecord, ServiceUpdateRecord } from '../../domain/cluster.ts'
import { serves } from '../../domain/engine-versions.ts'
import { nodesBegun } from '../../domain/memcached-nodes.ts'
import { nextBatch } from '../../domain/memcached-scaling.ts'
import { begun } from '../../domain/pending-change.ts'
import { isAutomatic, nodesBehind, updating } from '../../domain/service-updates.ts'
import { isInMaintenance } from '../../domain/windows.ts'
import { isOlder } from '../../lib/versions.ts'
import { promoting } from '../../services/elasticache/group-roles.ts'
import type { Stored } from '../../state/state.ts'
import type { CacheRecords } from './caches.ts'

/** What the plan looks at. */
export interface MaintenanceRecords extends Pick<CacheRecords, 'clusters' | 'groups'> {
  readonly updates: readonly Stored<ServiceUpdateRecord>[]
}

/** What to write. */
export interface MaintenancePlan {
  readonly clusters: readonly CacheClusterRecord[]
  readonly groups: readonly ReplicationGroupRecord[]
}

/**
 * Only what is available is changed: the rest waits, in this window or the next. A window that passed while nobody was
 * there is over.
 */
export function maintenancePlan({ clusters, groups, updates }: MaintenanceRecords, now: number): MaintenancePlan {
  const docs = clusters.map(({ doc }) => doc)
  const open = (cluster: CacheClusterRecord): boolean =>
    cluster.status === 'available' && isInMaintenance(cluster.maintenanceWindow, now)
  const alone = docs.filter((doc) => doc.replicationGroupId === null && open(doc))
  const known = updates.map(({ doc }) => doc)
  const changed = alone.flatMap((doc) =>
    waits(doc) || doc.pendingNodes ? [nodesBegun(begun(doc, now), now)] : (updated([doc], known, now) ?? []),
  )
  const inGroups = groups.map(({ doc: group }) => {
    const members = group.members.flatMap((id) => docs.find((doc) => doc.id === id) ?? [])
    if (group.status !== 'available' || !members.every(open)) return { clusters: [], groups: [] }
    return groupPlan(group, members, known, now)
  })
  return {
    clusters: [
      ...docs.flatMap((doc) => nextBatch(doc, now) ?? []),
      ...changed,
      ...inGroups.flatMap((plan) => plan.clusters),
    ],
    groups: inGroups.flatMap((plan) => plan.groups),
  }
}

const waits = (cluster: CacheClusterRecord): boolean => cluster.pending?.applyingSince === null

/** The primary first: a change of all members would hand its role over anyway, and the next look goes on. */
function groupPlan(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  updates: readonly ServiceUpdateRecord[],
  now: number,
): MaintenancePlan {
  if (group.pendingPrimary) return { clusters: [], groups: [promoting(group, group.pendingPrimary)] }
  const waiting = members.flatMap((member) => (waits(member) ? [begun(member, now)] : []))
  const clusters = waiting.length > 0 ? waiting : (updated(members, updates, now) ?? [])
  return { clusters, groups: clusters.length === 0 ? [] : [{ ...group, status: 'modifying' }] }
}

/**
 * The newest service update that a node lacks, where AutoMinorVersionUpgrade asks for it. One that was stopped by hand
 * stays so.
 */
function updated(
  clusters: readonly CacheClusterRecord[],
  updates: readonly ServiceUpdateRecord[],
  now: number,
): CacheClusterRecord[] | null {
  const [model] = clusters
  if (model === undefined || !isAutomatic(clusters)) return null
  const lacking = updates.filter(
    (update) =>
      serves({ engine: update.engine, version: update.version }, model.engine, model.engineVersion) &&
      clusters.some((one) => nodesBehind(one, update.version).length > 0 && one.serviceUpdate?.name !== update.name),
  )
  const [first, ...rest] = lacking
  if (first === undefined) return null
  const newest = rest.reduce((best, one) => (isOlder(best.version, one.version) ? one : best), first)
  return clusters.map((cluster) => updating(cluster, newest, now))
}
