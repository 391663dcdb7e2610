//! PURE: stored clusters and replication groups -> what the keeper is to run.
import type {
  CacheClusterRecord,
  CacheNodeRecord,
  CacheParameterGroupRecord,
  CacheSubnetGroupRecord,
  ReplicationGroupRecord,
  SnapshotSettings,
  StorageSettings,
} from '../../domain/cluster.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { nodeTypeNow } from '../../domain/memcached-scaling.ts'
import { nodeType } from '../../domain/node-types.ts'
import { type Configuration, configurationOf, type Overrides } from '../../domain/parameters/directives.ts'
import { FAMILIES } from '../../domain/parameters/families.ts'
import { blockedBy } from '../../domain/parameters/rename-commands.ts'
import { type SourceNetworks, sourcesOf } from '../../domain/source-networks.ts'
import type { GroupWish, NodeWish } from '../../keeper/protocol.ts'
import type { Stored } from '../../state/state.ts'
import { type AccessRecords, accessWish } from './access.ts'
import { transitWish } from './transit.ts'

/** All that the plan looks at, read together. */
export interface CacheRecords extends AccessRecords {
  readonly clusters: readonly Stored<CacheClusterRecord>[]
  readonly groups: readonly Stored<ReplicationGroupRecord>[]
  readonly parameterGroups: readonly Stored<CacheParameterGroupRecord>[]
  readonly subnetGroups: readonly Stored<CacheSubnetGroupRecord>[]
  /** Security groups as the operator defines them now. */
  readonly networks: SourceNetworks
}

/** Groups that should run, sorted by id; a resource that is being deleted is not among them, which ends its processes. */
export function planGroups(records: CacheRecords): GroupWish[] {
  const alone = records.clusters
    .map(({ doc }) => doc)
    .filter((cluster) => cluster.replicationGroupId === null && runs(cluster))
  const groups = records.groups.map(({ doc }) => doc).filter(runs)
  return [
    ...alone.map((cluster) => standAlone(cluster, records)),
    ...groups.flatMap((group) => replicated(group, records)),
  ].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/**
 * What is being deleted runs on until its final snapshot is taken. What is made from a snapshot waits for its data, and
 * one that cannot have it never runs.
 */
function runs(record: CacheClusterRecord | ReplicationGroupRecord): boolean {
  if (record.status === 'deleting') return isHeld(record)
  if (record.status === 'restore-failed' || record.status === 'create-failed') return false
  return (record.restoreFrom ?? null) === null || record.restoreFrom?.state === 'ready'
}

/** Deleted, with a final snapshot that is not taken yet. */
const isHeld = (record: SnapshotSettings): boolean => (record.finalSnapshot ?? null) !== null

const restoreOf = ({ restoreFrom }: SnapshotSettings): Pick<GroupWish, 'restoreFrom'> =>
  restoreFrom?.state === 'ready' ? { restoreFrom: { snapshot: restoreFrom.data } } : {}

function storageOf({
  atRestEncryption,
  appendonly,
}: StorageSettings): Pick<GroupWish, 'atRestEncryption' | 'appendonly'> {
  return { ...(atRestEncryption ? { atRestEncryption } : {}), ...(appendonly ? { appendonly } : {}) }
}

function standAlone(cluster: CacheClusterRecord, records: CacheRecords): GroupWish {
  const nodes = cluster.nodes.filter((node) => node.status !== 'deleting' || isHeld(cluster))
  const wished = nodes.map((node) => ({ node, id: nodeIdOf(cluster, node) }))
  return {
    ...engineOf(cluster, records),
    id: cluster.id,
    nodes: wished.map(({ node, id }) => ({
      ...nodeWish(cluster, id, cluster.engine !== 'memcached'),
      ...ownConfiguration(cluster, node, records),
    })),
    automaticFailover: false,
    restarts: restartsOf(wished),
    ...restoreOf(cluster),
    ...transitWish(cluster),
    ...storageOf(cluster),
  }
}

function replicated(group: ReplicationGroupRecord, records: CacheRecords): GroupWish[] {
  const members = group.members.flatMap((id) => {
    const member = records.clusters.find((stored) => stored.id === id)?.doc
    return member === undefined || (member.status === 'deleting' && !isHeld(group)) ? [] : [member]
  })
  const [model] = members
  if (model === undefined) return []
  const primary = firstPrimary(group, members)
  const access = accessWish(group, records)
  const nodes = members.map((member) => nodeWish(member, member.id, member.id === primary))
  return [
    {
      ...engineOf(model, records),
      id: group.id,
      nodes,
      automaticFailover: group.automaticFailover,
      ...(group.roleChange === undefined ? {} : { roleChange: group.roleChange }),
      restarts: restartsOf(members.flatMap((m) => m.nodes.map((node) => ({ node, id: nodeIdOf(m, node) })))),
      ...(access === null ? {} : { access }),
      ...restoreOf(group),
      ...transitWish(group),
      ...storageOf(group),
    },
  ]
}

const nodeWish = (cluster: CacheClusterRecord, id: string, firstPrimary: boolean): NodeWish => ({
  id,
  firstPrimary,
  ...(cluster.movedFrom ? { from: cluster.movedFrom } : {}),
  ...(cluster.serviceUpdate && !cluster.serviceUpdate.stopped ? { binaryAtLeast: cluster.serviceUpdate.version } : {}),
})

/** Of a node that a change of the node type under way has not come to. */
function ownConfiguration(
  cluster: CacheClusterRecord,
  node: CacheNodeRecord,
  records: CacheRecords,
): Pick<NodeWish, 'configuration'> {
  const wished = wishedNow(cluster)
  const type = nodeTypeNow(cluster, node)
  return type === wished.nodeType ? {} : { configuration: settingsFor({ ...wished, nodeType: type }, records) }
}

/** The member made as primary; when that one has been deleted, the one that is primary now. */
function firstPrimary(group: ReplicationGroupRecord, members: readonly CacheClusterRecord[]): string | undefined {
  if (members.some(({ id }) => id === group.firstPrimary)) return group.firstPrimary
  return (members.find((m) => m.nodes[0]?.role === 'primary') ?? members[0])?.id
}

/** The keeper's name for a node: the cluster id, or the node id within a memcached cluster. */
export function nodeIdOf(cluster: CacheClusterRecord, node: CacheNodeRecord): string {
  return cluster.engine === 'memcached' ? node.id : cluster.id
}

/** What the cluster is to be now: with a pending change from when that is carried out. */
export function wishedNow(cluster: CacheClusterRecord): CacheClusterRecord {
  const { pending } = cluster
  if (!pending?.applyingSince) return cluster
  const { applyingSince: _, scale: __, ...change } = pending
  return { ...cluster, ...change }
}

function engineOf(
  record: CacheClusterRecord,
  records: CacheRecords,
): Pick<GroupWish, 'engine' | 'engineVersion' | 'port' | 'configuration' | 'sources' | 'blockedCommands'> {
  const cluster = wishedNow(record)
  const version = cluster.engineVersion
  const subnetGroup = records.subnetGroups.find(({ id }) => id === cluster.subnetGroupName)?.doc
  const sources = sourcesOf(cluster, subnetGroup, records.networks)
  const blocked = blockedBy(overridesOf(cluster, records))
  return {
    ...(sources.length === 0 ? {} : { sources }),
    ...(blocked.length === 0 ? {} : { blockedCommands: blocked }),
    engine: cluster.engine,
    engineVersion: version,
    port: cluster.port,
    configuration: settingsFor(cluster, records),
  }
}

/** What its parameter group sets; a default group is not stored, it sets nothing. */
const overridesOf = ({ parameterGroupName }: CacheClusterRecord, records: CacheRecords): Overrides =>
  records.parameterGroups.find(({ id }) => id === parameterGroupName)?.doc.values ?? {}

function settingsFor(cluster: CacheClusterRecord, records: CacheRecords): Configuration {
  const { engine, engineVersion } = cluster
  const family = FAMILIES.get(familyOf(engine, engineVersion))
  if (family === undefined) return []
  return configurationOf(family, engineVersion, overridesOf(cluster, records), nodeType(cluster.nodeType))
}

function restartsOf(
  nodes: readonly { readonly node: CacheNodeRecord; readonly id: string }[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(nodes.filter(({ node }) => node.restarts > 0).map(({ node, id }) => [id, node.restarts]))
}
