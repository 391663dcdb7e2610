//! Faults of snapshots (spec 1.3, 1.6, 1.8, 1.9, 2.2-2.6, 8).
import type { SnapshotStatus } from '../../../src/domain/snapshot.ts'
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

type SiteCall = (site: ElastiCacheFaultSite) => Promise<unknown>

/** With a cluster `one` that stands alone, available, the call is refused. */
const refused = (code: string, section: string, when: string, call: SiteCall, status = 400): ElastiCacheFaultRow => ({
  code,
  status,
  section,
  when,
  async provoke(site) {
    await site.cluster('one')
    return () => call(site)
  },
})

/** With a snapshot `s` of the cluster `one` in that status. */
const withSnapshot = (code: string, when: string, is: SnapshotStatus, call: SiteCall): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section: '8',
  when,
  async provoke(site) {
    await site.snapshot('s', is)
    return () => call(site)
  },
})

const create = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.createSnapshot({ SnapshotName: 'new', ...changes })
const copy = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.copySnapshot({ SourceSnapshotName: 's', TargetSnapshotName: 'new', ...changes })
const describe = (changes: object) => (site: ElastiCacheFaultSite) => site.client.describeSnapshots(changes)
const restore = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.createCacheCluster({
    CacheClusterId: 'new',
    Engine: 'redis',
    CacheNodeType: 'cache.t4g.micro',
    ...changes,
  })
const modify = (changes: object) => (site: ElastiCacheFaultSite) =>
  site.client.modifyCacheCluster({ CacheClusterId: 'one', ...changes })

const RDB_ARN = 'arn:aws:s3:::bucket/dump.rdb'

export const SNAPSHOT_ROWS: readonly ElastiCacheFaultRow[] = [
  refused('InvalidParameterCombination', '8', 'CreateSnapshot of nothing', create({})),
  refused(
    'InvalidParameterCombination',
    '8',
    'CreateSnapshot of a cluster and of a group',
    create({ CacheClusterId: 'one', ReplicationGroupId: 'shop' }),
  ),
  refused('CacheClusterNotFound', '1.8', 'CreateSnapshot of no cluster', create({ CacheClusterId: 'two' }), 404),
  refused(
    'ReplicationGroupNotFoundFault',
    '1.8',
    'CreateSnapshot of no group',
    create({ ReplicationGroupId: 'shop' }),
    404,
  ),
  ...['1st', 'a--b', 'a-', 'automatic.one-2026-01-01-00-00', 'x'.repeat(256)].map((SnapshotName) =>
    refused(
      'InvalidParameterValue',
      '1.6',
      `CreateSnapshot with the name ${SnapshotName.slice(0, 40)}`,
      create({ CacheClusterId: 'one', SnapshotName }),
    ),
  ),
  {
    code: 'SnapshotFeatureNotSupportedFault',
    status: 400,
    section: '8',
    when: 'CreateSnapshot of memcached',
    async provoke(site) {
      await site.memcached('mc', 1)
      return () => site.client.createSnapshot({ SnapshotName: 's', CacheClusterId: 'mc' })
    },
  },
  {
    code: 'SnapshotFeatureNotSupportedFault',
    status: 400,
    section: '1.8',
    when: 'a final snapshot of memcached',
    async provoke(site) {
      await site.memcached('mc', 1)
      return () => site.client.deleteCacheCluster({ CacheClusterId: 'mc', FinalSnapshotIdentifier: 's' })
    },
  },
  {
    code: 'InvalidCacheClusterState',
    status: 400,
    section: '8',
    when: 'CreateSnapshot of a cluster that is being snapshotted',
    async provoke(site) {
      await site.cluster('one')
      await site.changeCluster('one', { status: 'snapshotting' })
      return () => site.client.createSnapshot({ SnapshotName: 's', CacheClusterId: 'one' })
    },
  },
  {
    code: 'InvalidReplicationGroupState',
    status: 400,
    section: '8',
    when: 'CreateSnapshot of a group that is modified',
    async provoke(site) {
      await site.group('shop', 2)
      await site.changeGroup('shop', { status: 'modifying' })
      return () => site.client.createSnapshot({ SnapshotName: 's', ReplicationGroupId: 'shop' })
    },
  },
  {
    code: 'InvalidReplicationGroupState',
    status: 400,
    section: '8',
    when: 'DeleteReplicationGroup while it is snapshotted',
    async provoke(site) {
      await site.group('shop', 2)
      await site.changeGroup('shop', { status: 'snapshotting' })
      return () => site.client.deleteReplicationGroup({ ReplicationGroupId: 'shop' })
    },
  },
  {
    code: 'SnapshotQuotaExceededFault',
    status: 400,
    section: '1.9',
    when: 'a 21st manual snapshot of a node within 24 hours',
    async provoke(site) {
      await site.cluster('one')
      const at = new Date(site.clock.now()).toISOString()
      await site.changeCluster('one', { manualSnapshots: Array.from({ length: 20 }, () => at) })
      return () => site.client.createSnapshot({ SnapshotName: 's', CacheClusterId: 'one' })
    },
  },
  withSnapshot('SnapshotAlreadyExistsFault', 'CreateSnapshot with a name that is taken', 'available', (site) =>
    site.client.createSnapshot({ SnapshotName: 'S', CacheClusterId: 'one' }),
  ),
  withSnapshot('SnapshotAlreadyExistsFault', 'a final snapshot with a name that is taken', 'available', (site) =>
    site.client.deleteCacheCluster({ CacheClusterId: 'one', FinalSnapshotIdentifier: 's' }),
  ),
  withSnapshot(
    'SnapshotAlreadyExistsFault',
    'CopySnapshot to a name that is taken',
    'available',
    copy({ TargetSnapshotName: 's' }),
  ),
  refused(
    'SnapshotNotFoundFault',
    '1.3',
    'DescribeSnapshots of a name that is none',
    describe({ SnapshotName: 'x' }),
    404,
  ),
  refused(
    'SnapshotNotFoundFault',
    '8',
    'DeleteSnapshot of none',
    (site) => site.client.deleteSnapshot({ SnapshotName: 'x' }),
    404,
  ),
  refused('SnapshotNotFoundFault', '8', 'CopySnapshot of none', copy({}), 404),
  refused('SnapshotNotFoundFault', '8', 'a restore of none', restore({ SnapshotName: 'x' }), 404),
  refused('InvalidParameterValue', '1.3', 'DescribeSnapshots with MaxRecords 51', describe({ MaxRecords: 51 })),
  refused('InvalidParameterValue', '1.3', 'DescribeSnapshots with MaxRecords 19', describe({ MaxRecords: 19 })),
  refused('InvalidParameterValue', '8', 'DescribeSnapshots of source manual', describe({ SnapshotSource: 'manual' })),
  ...(['creating', 'restoring', 'copying', 'exporting', 'deleting'] as const).map((status) =>
    withSnapshot('InvalidSnapshotState', `DeleteSnapshot of one that is ${status}`, status, (site) =>
      site.client.deleteSnapshot({ SnapshotName: 's' }),
    ),
  ),
  withSnapshot('InvalidSnapshotState', 'CopySnapshot of one that is creating', 'creating', copy({})),
  withSnapshot('InvalidSnapshotState', 'a restore of one that failed', 'failed', restore({ SnapshotName: 's' })),
  withSnapshot(
    'InvalidParameterCombination',
    'a restore of a name and of a file',
    'available',
    restore({ SnapshotName: 's', SnapshotArns: [RDB_ARN] }),
  ),
  withSnapshot(
    'InvalidParameterCombination',
    'a restore into memcached',
    'available',
    restore({ SnapshotName: 's', Engine: 'memcached', NumCacheNodes: 1 }),
  ),
  withSnapshot(
    'InvalidParameterValue',
    'a restore into an older engine',
    'available',
    restore({ SnapshotName: 's', EngineVersion: '7.0' }),
  ),
  withSnapshot(
    'InvalidParameterValue',
    'an export to a bucket that there is not',
    'available',
    copy({ TargetBucket: 'nobody-has-it' }),
  ),
  ...['a,b', '/a', '.a', 'x'.repeat(1001)].map((TargetSnapshotName) =>
    withSnapshot(
      'InvalidParameterValue',
      `an export to ${TargetSnapshotName.slice(0, 20)}`,
      'available',
      copy({ TargetSnapshotName, TargetBucket: 'backups' }),
    ),
  ),
  withSnapshot(
    'InvalidParameterCombination',
    'an export with a key',
    'available',
    copy({ TargetBucket: 'backups', KmsKeyId: 'alias/mine' }),
  ),
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '8',
    when: 'an export of what is encrypted with a customer managed key',
    async provoke(site) {
      await site.snapshot('s', 'available', { kmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1' })
      return () => copy({ TargetBucket: 'backups' })(site)
    },
  },
  refused('InvalidParameterValue', '8', 'a restore of a file that there is not', restore({ SnapshotArns: [RDB_ARN] })),
  ...[[RDB_ARN, RDB_ARN], ['arn:aws:s3:::bucket'], ['arn:aws:s3:::bucket/a,b.rdb'], ['s3://bucket/dump.rdb']].map(
    (SnapshotArns) =>
      refused('InvalidParameterValue', '8', `SnapshotArns ${SnapshotArns.join(' ')}`, restore({ SnapshotArns })),
  ),
  ...[-1, 36].map((SnapshotRetentionLimit) =>
    refused(
      'InvalidParameterValue',
      '1.6',
      `SnapshotRetentionLimit ${SnapshotRetentionLimit}`,
      modify({ SnapshotRetentionLimit }),
    ),
  ),
  refused(
    'InvalidParameterCombination',
    '1.6',
    'windows that overlap',
    modify({ SnapshotWindow: '04:30-05:30', PreferredMaintenanceWindow: 'sun:05:00-sun:06:00' }),
  ),
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '8',
    when: 'SnapshotRetentionLimit of memcached',
    async provoke(site) {
      await site.memcached('mc', 1)
      return () => site.client.modifyCacheCluster({ CacheClusterId: 'mc', SnapshotRetentionLimit: 1 })
    },
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '2.4',
    when: 'SnapshottingClusterId of another group',
    async provoke(site) {
      await site.group('shop', 2)
      return () =>
        site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', SnapshottingClusterId: 'other-001' })
    },
  },
]
