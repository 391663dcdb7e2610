//! An update action as the SDK's output type (spec/elasticache.md 11.5).
import type { CacheNodeUpdateStatus, NodeUpdateStatus, UpdateAction } from '@aws-sdk/client-elasticache'
import type {
  CacheClusterRecord,
  CacheNodeRecord,
  ReplicationGroupRecord,
  ServiceUpdateRecord,
} from '../../domain/cluster.ts'
import { type ActionStatus, applyBy, nodesBehind, SEVERITY } from '../../domain/service-updates.ts'

/** What an update is applied to: a group with its members, or a cluster that stands alone. */
export interface Target {
  readonly group: ReplicationGroupRecord | null
  readonly clusters: readonly CacheClusterRecord[]
}

export interface ActionShown {
  readonly update: ServiceUpdateRecord
  readonly target: Target
  readonly status: ActionStatus
  /** Milliseconds. */
  readonly now: number
  /** Show each node, too. */
  readonly nodes: boolean
}

export function updateActionView({ update, target, status, now, nodes }: ActionShown): UpdateAction {
  const all = target.clusters.flatMap((cluster) => cluster.nodes)
  const behind = target.clusters.flatMap((cluster) => nodesBehind(cluster, update.version))
  const [first] = target.clusters
  const since = target.clusters.find(({ serviceUpdate }) => serviceUpdate?.name === update.name)?.serviceUpdate?.since
  const seen = new Date(since ?? update.releasedAt)
  return {
    ...(target.group === null ? { CacheClusterId: first?.id } : { ReplicationGroupId: target.group.id }),
    ServiceUpdateName: update.name,
    ServiceUpdateReleaseDate: new Date(update.releasedAt),
    ServiceUpdateSeverity: SEVERITY,
    ServiceUpdateStatus: 'available',
    ServiceUpdateRecommendedApplyByDate: new Date(applyBy(update)),
    ServiceUpdateType: 'security-update',
    UpdateActionAvailableDate: new Date(update.releasedAt),
    UpdateActionStatus: status,
    UpdateActionStatusModifiedDate: seen,
    NodesUpdated: `${all.length - behind.length}/${all.length}`,
    SlaMet: slaMet(update, target, status, now),
    Engine: first?.engine,
    EstimatedUpdateTime: 'a few seconds per node, more with much data',
    ...(nodes ? nodeLevel(update, target, status, seen) : {}),
  }
}

/** `n/a` for what was made after the date; `no` once the date has passed over a node that was not updated. */
function slaMet(update: ServiceUpdateRecord, target: Target, status: ActionStatus, now: number) {
  const createdAt = target.group?.createdAt ?? target.clusters[0]?.createdAt ?? ''
  if (Date.parse(createdAt) > applyBy(update)) return 'n/a'
  return status === 'complete' || now <= applyBy(update) ? 'yes' : 'no'
}

/** What is said of a node that runs the older binary. */
const OF_NODE_BEHIND: Readonly<Record<ActionStatus, NodeUpdateStatus>> = {
  'not-applied': 'not-applied',
  scheduled: 'not-applied',
  'waiting-to-start': 'waiting-to-start',
  'in-progress': 'waiting-to-start',
  stopping: 'stopping',
  stopped: 'stopped',
  complete: 'complete',
}

function nodeLevel(
  update: ServiceUpdateRecord,
  target: Target,
  status: ActionStatus,
  seen: Date,
): Partial<UpdateAction> {
  const nodeView = (cluster: CacheClusterRecord, node: CacheNodeRecord): CacheNodeUpdateStatus => {
    const isBehind = nodesBehind(cluster, update.version).includes(node.id)
    const nodeStatus = isBehind ? OF_NODE_BEHIND[status] : 'complete'
    return {
      CacheNodeId: node.id,
      NodeUpdateStatus: node.status === 'available' || !isBehind ? nodeStatus : 'in-progress',
      NodeDeletionDate: undefined,
      NodeUpdateStartDate: seen,
      NodeUpdateInitiatedBy: 'customer',
      NodeUpdateStatusModifiedDate: seen,
    }
  }
  const each = target.clusters.flatMap((cluster) => cluster.nodes.map((node) => ({ cluster, node })))
  if (target.group === null) {
    return { CacheNodeUpdateStatus: each.map(({ cluster, node }) => nodeView(cluster, node)) }
  }
  const members = each.map(({ cluster, node }) => ({ CacheClusterId: cluster.id, ...nodeView(cluster, node) }))
  return { NodeGroupUpdateStatus: [{ NodeGroupId: '0001', NodeGroupMemberUpdateStatus: members }] }
}
