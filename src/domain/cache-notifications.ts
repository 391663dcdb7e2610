//! THE TABLE of ElastiCache's events that SNS has names for (spec/elasticache.md 11.3): which message is which notification.

export interface NotificationRow {
  /** Name in the body of the notification, without `ElastiCache:`. */
  readonly name: string
  /** The event's message. */
  readonly message: RegExp
  /** One such message. */
  readonly example: string
}

const row = (name: string, message: RegExp, example: string): NotificationRow => ({ name, message, example })

/** The wording of replication groups, replica counts and certificates is ours where AWS's is not known. */
export const NOTIFICATIONS: readonly NotificationRow[] = [
  row(
    'AddCacheNodeComplete',
    /^Finished modifying number of nodes from \d+ to \d+$/,
    'Finished modifying number of nodes from 1 to 2',
  ),
  row(
    'AddCacheNodeFailed',
    /^Failed to modify number of nodes from \d+ to \d+/,
    'Failed to modify number of nodes from 1 to 2 due to insufficient free IP addresses',
  ),
  row('CacheClusterParametersChanged', /^Updated parameter \S+ to /, 'Updated parameter timeout to 10'),
  row(
    'CacheClusterParametersChanged',
    /^Updated to use a CacheParameterGroup /,
    'Updated to use a CacheParameterGroup mine',
  ),
  row('CacheClusterProvisioningComplete', /^Cache cluster created$/, 'Cache cluster created'),
  row(
    'CacheClusterProvisioningFailed',
    /^Failed to create the cache cluster/,
    'Failed to create the cache cluster due to incompatible network state',
  ),
  row(
    'CacheClusterScalingComplete',
    /^Succeeded applying modification to cache node type to /,
    'Succeeded applying modification to cache node type to cache.m7g.large.',
  ),
  row(
    'CacheClusterScalingFailed',
    /^Failed applying modification to cache node type to /,
    'Failed applying modification to cache node type to cache.m7g.large.',
  ),
  row('CacheClusterSecurityGroupModified', /^Applied change to security group/, 'Applied change to security group'),
  row('CacheNodeReplaceStarted', /^Recovering cache nodes /, 'Recovering cache nodes 0001'),
  row('CacheNodeReplaceComplete', /^Finished recovery for cache nodes /, 'Finished recovery for cache nodes 0001'),
  row('CacheNodesRebooted', /^Cache node \S+ restarted$/, 'Cache node 0001 restarted'),
  row('DeleteCacheClusterComplete', /^Cache cluster deleted$/, 'Cache cluster deleted'),
  row(
    'FailoverComplete',
    /^Failover from primary node \S+ to replica node \S+ completed$/,
    'Failover from primary node shop-001 to replica node shop-002 completed',
  ),
  row('RemoveCacheNodeComplete', /^Removed cache nodes /, 'Removed cache nodes 0002'),
  row(
    'SnapshotComplete',
    /^Snapshot succeeded for snapshot with ID /,
    "Snapshot succeeded for snapshot with ID 'backup' of replication group with ID 'shop'",
  ),
  row(
    'SnapshotFailed',
    /^Snapshot failed for snapshot with ID /,
    "Snapshot failed for snapshot with ID 'backup' of replication group with ID 'shop'",
  ),
  row('CreateReplicationGroupComplete', /^Replication group created$/, 'Replication group created'),
  row('CertificateRenewalComplete', /^Certificate renewal complete/i, 'Certificate renewal complete'),
  row(
    'ServiceUpdateAvailableForNode',
    /^Service update is available for cache node /,
    'Service update is available for cache node 0001.',
  ),
  row(
    'NodeReplacementScheduled',
    /^The replacement of cache node \S+ is scheduled/i,
    'The replacement of cache node 0001 is scheduled',
  ),
]

/** On a replication group the same message has a name of its own. */
const ON_GROUPS: Readonly<Record<string, string>> = {
  CacheClusterScalingComplete: 'ReplicationGroupScalingComplete',
  CacheClusterScalingFailed: 'ReplicationGroupScalingFailed',
}

/** Null for an event that is not notified: AWS shows it in DescribeEvents alone. */
export function notificationName(source: string, message: string): string | null {
  const name = NOTIFICATIONS.find((found) => found.message.test(message))?.name
  if (name === undefined) return null
  if (source !== 'replication-group') return name
  // AWS has a name for more replicas and none that is known for fewer.
  if (name === 'AddCacheNodeComplete') return grows(message) ? 'ReplicationGroupIncreaseReplicaCountFinished' : null
  return ON_GROUPS[name] ?? name
}

function grows(message: string): boolean {
  const [, from, to] = /from (\d+) to (\d+)/.exec(message) ?? []
  return Number(to) > Number(from)
}

/** A notification that has not been taken yet. Id: `<revision>/<time>/<number>`, in the order of the events. */
export interface NotificationRecord {
  /** The same for each attempt, so that a receiver can tell a repetition. */
  readonly messageId: string
  readonly topicArn: string
  readonly sourceId: string
  /** Without `ElastiCache:`. */
  readonly name: string
  /** ISO time of the event. */
  readonly at: string
}

/** The body that SNS posts to an HTTP endpoint, without a signature: there is no certificate of Amazon to sign with. */
export function notificationBody(record: NotificationRecord): string {
  return JSON.stringify({
    Type: 'Notification',
    MessageId: record.messageId,
    TopicArn: record.topicArn,
    Subject: 'ElastiCache Notification Message',
    Message: JSON.stringify({ [`ElastiCache:${record.name}`]: record.sourceId }),
    Timestamp: record.at,
  })
}
