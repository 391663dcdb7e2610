//! PURE: what becomes of the record of one cluster by what the keeper sees of it.
import type { CacheClusterRecord, CacheNodeRecord, ClusterStatus } from '../../domain/cluster.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { unscaled } from '../../domain/memcached-scaling.ts'
import { fixedNames } from '../../domain/parameters/directives.ts'
import { FAMILIES } from '../../domain/parameters/families.ts'
import type { NodeSeen } from '../../keeper/protocol.ts'
import { nodeIdOf, wishedNow } from './caches.ts'
import { isSettled, type View } from './status-view.ts'
import { transitSettled } from './transit.ts'

/** Null when it has been deleted and is gone. */
export function clusterAfter(before: CacheClusterRecord, view: View): CacheClusterRecord | null {
  if (before.status === 'deleting') return isGone(before, view) ? null : before
  if (before.status === 'restore-failed') return before
  const wished = wishedNow(before)
  const fixed = fixedNames(FAMILIES.get(familyOf(wished.engine, wished.engineVersion)))
  const nodes = before.nodes.flatMap((node) => {
    const seen = view.group?.nodes.find(({ id }) => id === nodeIdOf(before, node))
    if (node.status === 'deleting') return seen === undefined && view.current ? [] : [node]
    return [seen === undefined ? node : nodeAfter(node, seen, view, fixed)]
  })
  const status = clusterStatus(before, nodes, view)
  const version = view.group?.nodes.find(({ id }) => before.nodes.some((node) => nodeIdOf(before, node) === id))
  const after = {
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
  return isSettled(view) ? transitSettled(finished(after), view.group) : after
}

/** What was under way has come to its end: a change that was carried out is what the cluster is. */
function finished(record: CacheClusterRecord): CacheClusterRecord {
  const { movedFrom: _, ...settled } = record
  // Of what is settled nobody from elsewhere can reach anything.
  const arrived = settled.securityGroupIds?.length ? { ...settled, securityGroupsActive: true } : settled
  if (!arrived.pending?.applyingSince || unscaled(arrived).length > 0) return arrived
  const { pending: __, ...changed } = wishedNow(arrived)
  return { ...changed, nodes: changed.nodes.map(({ nodeType: ___, ...node }) => node) }
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
  // Before it has settled the names may be those of an earlier wish, while newer values are still on their way.
  const known = isSettled(view) && answers && !restarting
  return {
    ...node,
    status,
    rebootFrom: restarting ? node.rebootFrom : null,
    address: seen.availableSince === null ? node.address : seen.address,
    startedAt: seen.availableSince ?? node.startedAt,
    role: answers ? seen.role : node.role,
    ...(seen.binaryVersion === null ? {} : { binaryVersion: seen.binaryVersion }),
    parameterStatus: known ? (pending ? 'pending-reboot' : 'in-sync') : node.parameterStatus,
  }
}

function clusterStatus(before: CacheClusterRecord, nodes: readonly CacheNodeRecord[], view: View): ClusterStatus {
  if (before.status === 'snapshotting') return before.status
  const allAnswer = nodes.every((node) => node.status === 'available')
  const settled = isSettled(view)
  if (before.status === 'creating') {
    if (view.restoreProblem !== null) return 'restore-failed'
    return allAnswer && settled ? 'available' : 'creating'
  }
  // A change that is carried out restarts nodes too: that is `modifying`, not a reboot that was asked for.
  const changing = Boolean(before.pending?.applyingSince)
  if (!changing && nodes.some((node) => node.status === 'rebooting')) return 'rebooting cluster nodes'
  if (!allAnswer || unscaled(before).length > 0) return 'modifying'
  if (before.status === 'available' || settled) return 'available'
  return before.status
}
