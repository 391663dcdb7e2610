//! Stored records as the SDK's output types (spec/elasticache.md 2.7). Endpoints are IP addresses: a name would need a
//! resolver that knows it. What no one has seen yet is absent.
import type {
  CacheCluster,
  CacheNode,
  CacheSubnetGroup,
  Endpoint,
  NodeGroupMember,
  PendingModifiedValues,
  ReplicationGroup,
  ReplicationGroupPendingModifiedValues,
  ScaleConfig,
} from '@aws-sdk/client-elasticache'
import type {
  CacheClusterRecord,
  CacheNodeRecord,
  CacheSubnetGroupRecord,
  ReplicationGroupRecord,
  ScaleRecord,
} from '../../domain/cluster.ts'
import { shownVersion } from '../../domain/engine-versions.ts'
import { accessView, pendingAccess } from './access-views.ts'
import { logDeliveryView, pendingLogDelivery } from './log-delivery.ts'
import { topicView } from './notification-topic.ts'
import { pendingTransit, transitView } from './transit.ts'
import { spreadZone } from './zones.ts'

/** There is no VPC: its id is one fixed name. */
export const VPC_ID = 'vpc-00000000'

const LANDING_PAGE = 'https://console.aws.amazon.com/elasticache/home#client-download:'

const endpoint = (address: string | null, port: number): Endpoint | undefined =>
  address === null ? undefined : { Address: address, Port: port }

export function cacheClusterView(record: CacheClusterRecord, showNodes: boolean): CacheCluster {
  const toReboot = record.nodes.filter((node) => node.parameterStatus === 'pending-reboot').map((node) => node.id)
  const zones = new Set(record.nodes.map((node) => node.availabilityZone))
  const memcached = record.engine === 'memcached'
  const logDelivery = record.logDelivery ?? []
  return {
    CacheClusterId: record.id,
    ARN: record.arn,
    ClientDownloadLandingPage: LANDING_PAGE,
    CacheNodeType: record.nodeType,
    Engine: record.engine,
    EngineVersion: shownVersion(record.engine, record.engineVersion, record.binaryVersion),
    CacheClusterStatus: record.status,
    NumCacheNodes: record.nodes.length,
    PreferredAvailabilityZone: zones.size > 1 ? 'Multiple' : [...zones][0],
    CacheClusterCreateTime: new Date(record.createdAt),
    PreferredMaintenanceWindow: record.maintenanceWindow,
    PendingModifiedValues: {
      ...pendingOf(record),
      ...pendingLogDelivery(logDelivery),
      ...pendingTransit(record),
    },
    CacheSecurityGroups: [],
    CacheParameterGroup: {
      CacheParameterGroupName: record.parameterGroupName,
      ParameterApplyStatus: parameterApplyStatus(record),
      CacheNodeIdsToReboot: toReboot,
    },
    CacheSubnetGroupName: record.subnetGroupName,
    AutoMinorVersionUpgrade: record.autoMinorVersionUpgrade,
    SecurityGroups: (record.securityGroupIds ?? []).map((id) => ({
      SecurityGroupId: id,
      Status: record.securityGroupsActive ? 'active' : 'adding',
    })),
    AuthTokenEnabled: Boolean(record.authTokenModifiedAt),
    ...(record.authTokenModifiedAt ? { AuthTokenLastModifiedDate: new Date(record.authTokenModifiedAt) } : {}),
    ...transitView(record),
    AtRestEncryptionEnabled: record.atRestEncryption ?? false,
    ReplicationGroupLogDeliveryEnabled: record.replicationGroupId !== null && logDelivery.length > 0,
    LogDeliveryConfigurations: logDelivery.map(logDeliveryView),
    ...topicView(record),
    NetworkType: 'ipv4',
    IpDiscovery: 'ipv4',
    ...(memcached
      ? { ConfigurationEndpoint: endpoint(record.configurationEndpoint, record.port) }
      : {
          SnapshotRetentionLimit: record.snapshotRetentionLimit ?? 0,
          SnapshotWindow: record.snapshotWindow ?? undefined,
        }),
    ...(record.replicationGroupId === null ? {} : { ReplicationGroupId: record.replicationGroupId }),
    ...(showNodes ? { CacheNodes: record.nodes.map((node) => cacheNodeView(node, record.port)) } : {}),
  }
}

/** The worst of the nodes: a restart that is needed, values on their way, or in-sync. */
function parameterApplyStatus(record: CacheClusterRecord): string {
  const statuses = record.nodes.map((node) => node.parameterStatus)
  if (statuses.includes('pending-reboot')) return 'pending-reboot'
  return statuses.includes('applying') ? 'applying' : 'in-sync'
}

const cacheNodeView = (node: CacheNodeRecord, port: number): CacheNode => ({
  CacheNodeId: node.id,
  CacheNodeStatus: node.status,
  CacheNodeCreateTime: new Date(node.createdAt),
  Endpoint: endpoint(node.address, port),
  ParameterGroupStatus: node.parameterStatus,
  CustomerAvailabilityZone: node.availabilityZone,
})

/** `members` in the order of the group's list. */
export function replicationGroupView(
  record: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
): ReplicationGroup {
  return {
    ReplicationGroupId: record.id,
    ARN: record.arn,
    Description: record.description,
    Status: record.status,
    PendingModifiedValues: {
      ...pendingOfGroup(record),
      ...pendingAccess(record),
      ...pendingLogDelivery(record.logDelivery ?? []),
      ...pendingTransit(record),
    },
    MemberClusters: [...record.members],
    // One node group without slots, no ConfigurationEndpoint: that is how clients tell that cluster mode is off.
    NodeGroups: [
      {
        NodeGroupId: '0001',
        Status: record.status,
        PrimaryEndpoint: endpoint(record.primaryEndpoint, record.port),
        ReaderEndpoint: endpoint(record.readerEndpoint, record.port),
        NodeGroupMembers: members.map(memberView),
      },
    ],
    AutomaticFailover: automaticFailoverOf(record),
    MultiAZ: record.multiAz ? 'enabled' : 'disabled',
    SnapshotRetentionLimit: record.snapshotRetentionLimit ?? 0,
    SnapshotWindow: record.snapshotWindow,
    ...(record.snapshottingClusterId ? { SnapshottingClusterId: record.snapshottingClusterId } : {}),
    ClusterEnabled: false,
    ClusterMode: 'disabled',
    CacheNodeType: record.nodeType,
    ...accessView(record),
    ...transitView(record),
    AtRestEncryptionEnabled: record.atRestEncryption ?? false,
    // `sse-elasticache` is AWS's word for the service's own key.
    StorageEncryptionType: !record.atRestEncryption ? 'none' : record.kmsKeyId ? 'sse-kms' : 'sse-elasticache',
    ...(record.kmsKeyId ? { KmsKeyId: record.kmsKeyId } : {}),
    LogDeliveryConfigurations: (record.logDelivery ?? []).map(logDeliveryView),
    ReplicationGroupCreateTime: new Date(record.createdAt),
    DataTiering: 'disabled',
    AutoMinorVersionUpgrade: record.autoMinorVersionUpgrade,
    NetworkType: 'ipv4',
    IpDiscovery: 'ipv4',
    Engine: record.engine,
  }
}

/** Changes of engine and node type are shown on the members, not on their group (spec 2.4). */
function pendingOf({ pending, engine, nodes, pendingNodes }: CacheClusterRecord): PendingModifiedValues {
  const { add, remove } = pendingNodes ?? { add: [], remove: [] }
  const count =
    add.length + remove.length === 0
      ? {}
      : {
          NumCacheNodes: nodes.length + add.length - remove.length,
          ...(remove.length === 0 ? {} : { CacheNodeIdsToRemove: [...remove] }),
        }
  if (!pending) return count
  const version = pending.engineVersion
  return {
    ...count,
    ...(pending.nodeType === undefined ? {} : { CacheNodeType: pending.nodeType }),
    ...(pending.scale === undefined ? {} : { ScaleConfig: scaleView(pending.scale) }),
    ...(version === undefined ? {} : { EngineVersion: shownVersion(pending.engine ?? engine, version, null) }),
  }
}

const scaleView = ({ percentage, intervalMinutes }: ScaleRecord): ScaleConfig => ({
  ScalePercentage: percentage,
  ScaleIntervalMinutes: intervalMinutes,
})

function pendingOfGroup(record: ReplicationGroupRecord): ReplicationGroupPendingModifiedValues {
  const promoting = record.status === 'modifying' && record.roleChange?.kind === 'promote' ? record.roleChange.to : null
  const primary = record.pendingPrimary ?? promoting
  return {
    ...(primary ? { PrimaryClusterId: primary } : {}),
    ...(record.automaticFailoverChanging
      ? { AutomaticFailoverStatus: record.automaticFailover ? 'enabled' : 'disabled' }
      : {}),
  }
}

function automaticFailoverOf({ automaticFailover, automaticFailoverChanging }: ReplicationGroupRecord) {
  if (automaticFailoverChanging) return automaticFailover ? 'enabling' : 'disabling'
  return automaticFailover ? 'enabled' : 'disabled'
}

function memberView(member: CacheClusterRecord): NodeGroupMember {
  const node = member.nodes[0]
  return {
    CacheClusterId: member.id,
    CacheNodeId: node?.id,
    ReadEndpoint: endpoint(node?.address ?? null, member.port),
    PreferredAvailabilityZone: node?.availabilityZone,
    ...(node === undefined || node.role === 'none' ? {} : { CurrentRole: node.role }),
  }
}

/** The zone of a subnet is its place in the list. */
export function subnetGroupView(record: CacheSubnetGroupRecord, region: string): CacheSubnetGroup {
  return {
    CacheSubnetGroupName: record.name,
    CacheSubnetGroupDescription: record.description,
    ARN: record.arn,
    VpcId: VPC_ID,
    Subnets: record.subnetIds.map((id, at) => ({
      SubnetIdentifier: id,
      SubnetAvailabilityZone: { Name: spreadZone(region, at) },
      SupportedNetworkTypes: ['ipv4'],
    })),
    SupportedNetworkTypes: ['ipv4'],
  }
}
