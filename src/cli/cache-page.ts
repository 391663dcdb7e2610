//! PURE: the page that the AWS console shows of a cache (spec/elasticache.md 2.8), from the API's answers and what the keeper
//! and the engines tell. `-` is the console's sign for what there is none of.
import type {
  CacheCluster,
  CacheSubnetGroup,
  Endpoint,
  ReplicationGroup,
  UpdateAction,
} from '@aws-sdk/client-elasticache'
import type { GroupSeen } from '../keeper/protocol.ts'

export interface PageSources {
  /** Null for a cluster that stands alone. */
  readonly group: ReplicationGroup | null
  /** The members of the group, or the one cluster; with their nodes. */
  readonly clusters: readonly CacheCluster[]
  readonly subnetGroup: CacheSubnetGroup | null
  /** Null when the service does not tell. */
  readonly updateActions: readonly UpdateAction[] | null
  /** Null when the keeper does not know it. */
  readonly seen: GroupSeen | null
  /** Addresses of clients that are connected now; null where the engine does not tell. */
  readonly clients: readonly string[] | null
}

export type PageRow = readonly [label: string, value: string]

const NONE = '-'

export function consolePage(sources: PageSources): readonly PageRow[] {
  const { group, clusters, subnetGroup, seen } = sources
  const [model] = clusters
  const shards = group?.NodeGroups ?? []
  return [
    ['Cluster name', group?.ReplicationGroupId ?? model?.CacheClusterId ?? NONE],
    ['Description', group?.Description ?? NONE],
    ['Node type', group?.CacheNodeType ?? model?.CacheNodeType ?? NONE],
    ['Status', capital(group?.Status ?? model?.CacheClusterStatus)],
    ['Engine', capital(group?.Engine ?? model?.Engine)],
    ['Engine version', model?.EngineVersion ?? NONE],
    ['Engine binary', binaries(seen)],
    ['Global datastore', group?.GlobalReplicationGroupInfo?.GlobalReplicationGroupId ?? NONE],
    ['Global datastore role', capital(group?.GlobalReplicationGroupInfo?.GlobalReplicationGroupMemberRole)],
    ['Update status', updateStatus(sources.updateActions)],
    ['Cluster mode', capital(group?.ClusterMode)],
    ['Shards', group === null ? NONE : String(shards.length)],
    ['Number of nodes', String(group?.MemberClusters?.length ?? model?.NumCacheNodes ?? 0)],
    ['Data tiering', capital(group?.DataTiering)],
    ['Multi-AZ', group === null ? capital(zones(model)) : capital(group.MultiAZ)],
    ['Auto-failover', capital(group?.AutomaticFailover)],
    ['Encryption in transit', enabled(group?.TransitEncryptionEnabled ?? model?.TransitEncryptionEnabled)],
    ['Encryption at rest', enabled(group?.AtRestEncryptionEnabled ?? model?.AtRestEncryptionEnabled)],
    ['Parameter group', model?.CacheParameterGroup?.CacheParameterGroupName ?? NONE],
    ['Outpost ARN', group?.MemberClustersOutpostArns?.join(', ') || NONE],
    ['Transit encryption mode', capital(group?.TransitEncryptionMode ?? model?.TransitEncryptionMode)],
    ['Certificate valid until', seen?.transit?.certificate?.notAfter ?? NONE],
    ['Configuration endpoint', address(group?.ConfigurationEndpoint ?? model?.ConfigurationEndpoint)],
    ['Primary endpoint', address(shards[0]?.PrimaryEndpoint)],
    ['Reader endpoint', address(shards[0]?.ReaderEndpoint)],
    ['ARN', group?.ARN ?? model?.ARN ?? NONE],
    ['Network type', group?.NetworkType ?? model?.NetworkType ?? NONE],
    ['IP discovery', group?.IpDiscovery ?? model?.IpDiscovery ?? NONE],
    ['Subnet group', model?.CacheSubnetGroupName ?? NONE],
    ['VPC ID', subnetGroup?.VpcId ?? NONE],
    ['AUTH default user access', accessControl(group ?? model)],
    ['AUTH token last modified', (group ?? model)?.AuthTokenLastModifiedDate?.toISOString() ?? NONE],
    ['Encryption key', encryptionKey(group)],
    ['User group', userGroup(group)],
    ['User group association status', associationStatus(group)],
    ['Connected compute resources', connected(sources.clients)],
    ['Security groups', securityGroups(model)],
  ]
}

/** What was asked for without ApplyImmediately: a line for each cluster, and what the user can do about it. */
export function waitingChanges({ group, clusters }: PageSources): readonly string[] {
  const waiting = clusters.flatMap((cluster) => {
    const pending = cluster.CacheClusterStatus === 'available' ? (cluster.PendingModifiedValues ?? {}) : {}
    const values = [
      ...(pending.EngineVersion ? [`engine version ${pending.EngineVersion}`] : []),
      ...(pending.CacheNodeType ? [`node type ${pending.CacheNodeType}`] : []),
      ...(pending.NumCacheNodes ? [`${pending.NumCacheNodes} nodes`] : []),
    ]
    if (values.length === 0) return []
    return [`${cluster.CacheClusterId}: ${values.join(', ')}, in ${cluster.PreferredMaintenanceWindow} (UTC)`]
  })
  const primary = group?.Status === 'available' ? group.PendingModifiedValues?.PrimaryClusterId : undefined
  const all = primary === undefined ? waiting : [...waiting, `${group?.ReplicationGroupId}: primary ${primary}`]
  return all.length === 0
    ? []
    : ['Waits for the maintenance window; asked for with ApplyImmediately it begins now:', ...all]
}

/** Members or nodes; the first row is the heading. */
export function nodesTable({ group, clusters, seen }: PageSources): readonly (readonly string[])[] {
  const heading = ['NODE', 'ID', 'STATUS', 'ROLE', 'ZONE', 'ENDPOINT', 'PARAMETERS', 'CREATED', 'PID', 'BINARY']
  const rows = clusters.flatMap((cluster) =>
    (cluster.CacheNodes ?? []).map((node) => {
      const member = group?.NodeGroups?.[0]?.NodeGroupMembers?.find(
        (one) => one.CacheClusterId === cluster.CacheClusterId,
      )
      const keeperName = cluster.Engine === 'memcached' ? node.CacheNodeId : cluster.CacheClusterId
      const running = seen?.nodes.find(({ id }) => id === keeperName)
      return [
        cluster.CacheClusterId ?? NONE,
        node.CacheNodeId ?? NONE,
        node.CacheNodeStatus ?? NONE,
        capital(member?.CurrentRole),
        node.CustomerAvailabilityZone ?? NONE,
        address(node.Endpoint),
        node.ParameterGroupStatus ?? NONE,
        node.CacheNodeCreateTime?.toISOString() ?? NONE,
        running?.pid ? String(running.pid) : NONE,
        running?.binaryVersion ?? NONE,
      ]
    }),
  )
  return [heading, ...rows]
}

const capital = (word: string | undefined): string =>
  word === undefined || word === '' ? NONE : `${word[0]?.toUpperCase()}${word.slice(1).toLowerCase()}`

const enabled = (is: boolean | undefined): string => (is === undefined ? NONE : is ? 'Enabled' : 'Disabled')

const address = (endpoint: Endpoint | undefined): string =>
  endpoint?.Address === undefined ? NONE : `${endpoint.Address}:${endpoint.Port}`

/** A memcached cluster has no Multi-AZ field: its nodes are in several zones or in one. */
const zones = (cluster: CacheCluster | undefined): string | undefined =>
  cluster?.Engine !== 'memcached'
    ? undefined
    : cluster.PreferredAvailabilityZone === 'Multiple'
      ? 'enabled'
      : 'disabled'

function binaries(seen: GroupSeen | null): string {
  const versions = new Set(seen?.nodes.flatMap(({ binaryVersion }) => binaryVersion ?? []))
  return versions.size === 0 ? NONE : [...versions].join(', ')
}

/** What is not applied yet is an update that is available. */
const OPEN_UPDATES: ReadonlySet<string> = new Set([
  'not-applied',
  'waiting-to-start',
  'scheduling',
  'scheduled',
  'stopped',
])

function updateStatus(actions: readonly UpdateAction[] | null): string {
  if (actions === null) return NONE
  const statuses = actions.map(({ UpdateActionStatus: status }) => status ?? '')
  if (statuses.some((status) => status === 'in-progress' || status === 'stopping')) return 'Update in progress'
  return statuses.some((status) => OPEN_UPDATES.has(status)) ? 'Update available' : 'Up to date'
}

function accessControl(cache: ReplicationGroup | CacheCluster | undefined): string {
  if (cache !== undefined && 'UserGroupIds' in cache && (cache.UserGroupIds?.length ?? 0) > 0)
    return 'User group access control list'
  return cache?.AuthTokenEnabled ? 'Enabled' : 'Disabled'
}

function encryptionKey(group: ReplicationGroup | null): string {
  if (group?.AtRestEncryptionEnabled !== true) return NONE
  return group.KmsKeyId ?? 'Default'
}

const userGroup = (group: ReplicationGroup | null): string =>
  group?.UserGroupIds?.[0] ?? group?.PendingModifiedValues?.UserGroups?.UserGroupIdsToAdd?.[0] ?? NONE

function associationStatus(group: ReplicationGroup | null): string {
  const pending = group?.PendingModifiedValues?.UserGroups
  if ((pending?.UserGroupIdsToAdd?.length ?? 0) > 0) return 'Associating'
  if ((pending?.UserGroupIdsToRemove?.length ?? 0) > 0) return 'Disassociating'
  return (group?.UserGroupIds?.length ?? 0) > 0 ? 'Active' : NONE
}

const connected = (clients: readonly string[] | null): string =>
  clients === null ? NONE : clients.length === 0 ? 'none' : clients.join(', ')

function securityGroups(cluster: CacheCluster | undefined): string {
  const groups = cluster?.SecurityGroups ?? []
  return groups.map(({ SecurityGroupId: id, Status: status }) => `${id} (${status})`).join(', ') || NONE
}
