//! Nothing is accepted and ignored: every member that the SDK's schemas give an operation's input is acted on or refused by
//! name with 501. A member that a newer SDK brings fails here until it is one of the two.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as elasticache from '@aws-sdk/client-elasticache'
import type { NormalizedSchema } from '@smithy/core/schema'
import { modelOf } from '../../aws/model.ts'
import { Fault } from '../../domain/faults.ts'
import { quotasWith } from '../../domain/quotas.ts'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { State } from '../../state/state.ts'
import { ELASTICACHE_OPERATIONS } from './operations.ts'

const MODEL = modelOf(elasticache)

type Name = keyof typeof ELASTICACHE_OPERATIONS

const PAGE = ['MaxRecords', 'Marker']

/**
 * Members that act, by operation; some of their values are refused by the operation itself once it knows the resource
 * (another Engine, a ReplicaConfiguration, a FinalSnapshotIdentifier), which is tested elsewhere.
 */
const ACTS: Readonly<Record<Name, readonly string[]>> = {
  AddTagsToResource: ['ResourceName', 'Tags'],
  CopySnapshot: ['KmsKeyId', 'SourceSnapshotName', 'Tags', 'TargetBucket', 'TargetSnapshotName'],
  CreateCacheCluster: [
    'SecurityGroupIds',
    'LogDeliveryConfigurations',
    'NotificationTopicArn',
    'AZMode',
    'AutoMinorVersionUpgrade',
    'CacheClusterId',
    'CacheNodeType',
    'CacheParameterGroupName',
    'CacheSubnetGroupName',
    'Engine',
    'EngineVersion',
    'NumCacheNodes',
    'Port',
    'PreferredAvailabilityZone',
    'PreferredAvailabilityZones',
    'PreferredMaintenanceWindow',
    'ReplicationGroupId',
    'SnapshotArns',
    'SnapshotName',
    'SnapshotRetentionLimit',
    'SnapshotWindow',
    'Tags',
    'TransitEncryptionEnabled',
  ],
  CreateCacheParameterGroup: ['CacheParameterGroupFamily', 'CacheParameterGroupName', 'Description', 'Tags'],
  CreateCacheSubnetGroup: ['CacheSubnetGroupDescription', 'CacheSubnetGroupName', 'SubnetIds', 'Tags'],
  CreateReplicationGroup: [
    'SecurityGroupIds',
    'AuthToken',
    'UserGroupIds',
    'LogDeliveryConfigurations',
    'NotificationTopicArn',
    'AtRestEncryptionEnabled',
    'AutoMinorVersionUpgrade',
    'AutomaticFailoverEnabled',
    'CacheNodeType',
    'CacheParameterGroupName',
    'CacheSubnetGroupName',
    'Engine',
    'EngineVersion',
    'MultiAZEnabled',
    'NodeGroupConfiguration',
    'KmsKeyId',
    'NumCacheClusters',
    'Port',
    'PreferredCacheClusterAZs',
    'PreferredMaintenanceWindow',
    'PrimaryClusterId',
    'ReplicasPerNodeGroup',
    'ReplicationGroupDescription',
    'ReplicationGroupId',
    'SnapshotArns',
    'SnapshotName',
    'SnapshotRetentionLimit',
    'SnapshotWindow',
    'Tags',
    'TransitEncryptionEnabled',
    'TransitEncryptionMode',
  ],
  CreateSnapshot: ['CacheClusterId', 'KmsKeyId', 'ReplicationGroupId', 'SnapshotName', 'Tags'],
  CreateUser: [
    'AccessString',
    'AuthenticationMode',
    'Engine',
    'NoPasswordRequired',
    'Passwords',
    'Tags',
    'UserId',
    'UserName',
  ],
  CreateUserGroup: ['Engine', 'Tags', 'UserGroupId', 'UserIds'],
  DecreaseReplicaCount: [
    'ApplyImmediately',
    'NewReplicaCount',
    'ReplicaConfiguration',
    'ReplicasToRemove',
    'ReplicationGroupId',
  ],
  DeleteCacheCluster: ['CacheClusterId', 'FinalSnapshotIdentifier'],
  DeleteCacheParameterGroup: ['CacheParameterGroupName'],
  DeleteCacheSubnetGroup: ['CacheSubnetGroupName'],
  DeleteReplicationGroup: ['FinalSnapshotIdentifier', 'ReplicationGroupId', 'RetainPrimaryCluster'],
  DeleteSnapshot: ['SnapshotName'],
  DeleteUser: ['UserId'],
  DeleteUserGroup: ['UserGroupId'],
  DescribeCacheClusters: ['CacheClusterId', 'ShowCacheClustersNotInReplicationGroups', 'ShowCacheNodeInfo', ...PAGE],
  DescribeCacheEngineVersions: ['CacheParameterGroupFamily', 'DefaultOnly', 'Engine', 'EngineVersion', ...PAGE],
  DescribeCacheParameterGroups: ['CacheParameterGroupName', ...PAGE],
  DescribeCacheParameters: ['CacheParameterGroupName', 'Source', ...PAGE],
  DescribeCacheSubnetGroups: ['CacheSubnetGroupName', ...PAGE],
  DescribeEngineDefaultParameters: ['CacheParameterGroupFamily', ...PAGE],
  DescribeEvents: ['Duration', 'EndTime', 'SourceIdentifier', 'SourceType', 'StartTime', ...PAGE],
  DescribeReplicationGroups: ['ReplicationGroupId', ...PAGE],
  DescribeSnapshots: [
    'CacheClusterId',
    'ReplicationGroupId',
    'ShowNodeGroupConfig',
    'SnapshotName',
    'SnapshotSource',
    ...PAGE,
  ],
  DescribeUserGroups: ['UserGroupId', ...PAGE],
  DescribeUsers: ['Engine', 'Filters', 'UserId', ...PAGE],
  IncreaseReplicaCount: ['ApplyImmediately', 'NewReplicaCount', 'ReplicaConfiguration', 'ReplicationGroupId'],
  BatchApplyUpdateAction: ['CacheClusterIds', 'ReplicationGroupIds', 'ServiceUpdateName'],
  BatchStopUpdateAction: ['CacheClusterIds', 'ReplicationGroupIds', 'ServiceUpdateName'],
  DescribeServiceUpdates: ['ServiceUpdateName', 'ServiceUpdateStatus', ...PAGE],
  DescribeUpdateActions: [
    'CacheClusterIds',
    'Engine',
    'ReplicationGroupIds',
    'ServiceUpdateName',
    'ServiceUpdateStatus',
    'ServiceUpdateTimeRange',
    'ShowNodeLevelUpdateStatus',
    'UpdateActionStatus',
    ...PAGE,
  ],
  ListAllowedNodeTypeModifications: ['CacheClusterId', 'ReplicationGroupId'],
  ListTagsForResource: ['ResourceName'],
  ModifyCacheCluster: [
    'SecurityGroupIds',
    'LogDeliveryConfigurations',
    'NotificationTopicArn',
    'NotificationTopicStatus',
    'AZMode',
    'ApplyImmediately',
    'AutoMinorVersionUpgrade',
    'CacheClusterId',
    'CacheNodeIdsToRemove',
    'CacheNodeType',
    'CacheParameterGroupName',
    'Engine',
    'EngineVersion',
    'NewAvailabilityZones',
    'NumCacheNodes',
    'PreferredMaintenanceWindow',
    'ScaleConfig',
    'SnapshotRetentionLimit',
    'SnapshotWindow',
  ],
  ModifyCacheParameterGroup: ['CacheParameterGroupName', 'ParameterNameValues'],
  ModifyCacheSubnetGroup: ['CacheSubnetGroupDescription', 'CacheSubnetGroupName', 'SubnetIds'],
  ModifyReplicationGroup: [
    'SecurityGroupIds',
    'AuthToken',
    'AuthTokenUpdateStrategy',
    'RemoveUserGroups',
    'UserGroupIdsToAdd',
    'UserGroupIdsToRemove',
    'LogDeliveryConfigurations',
    'NotificationTopicArn',
    'NotificationTopicStatus',
    'ApplyImmediately',
    'AutoMinorVersionUpgrade',
    'AutomaticFailoverEnabled',
    'CacheNodeType',
    'CacheParameterGroupName',
    'Engine',
    'EngineVersion',
    'MultiAZEnabled',
    'NodeGroupId',
    'PreferredMaintenanceWindow',
    'PrimaryClusterId',
    'ReplicationGroupDescription',
    'ReplicationGroupId',
    'SnapshotRetentionLimit',
    'SnapshotWindow',
    'SnapshottingClusterId',
    'TransitEncryptionEnabled',
    'TransitEncryptionMode',
  ],
  ModifyUser: [
    'AccessString',
    'AppendAccessString',
    'AuthenticationMode',
    'Engine',
    'NoPasswordRequired',
    'Passwords',
    'UserId',
  ],
  ModifyUserGroup: ['Engine', 'UserGroupId', 'UserIdsToAdd', 'UserIdsToRemove'],
  RebootCacheCluster: ['CacheClusterId', 'CacheNodeIdsToReboot'],
  RemoveTagsFromResource: ['ResourceName', 'TagKeys'],
  ResetCacheParameterGroup: ['CacheParameterGroupName', 'ParameterNameValues', 'ResetAllParameters'],
  TestFailover: ['NodeGroupId', 'ReplicationGroupId'],
}

/** Asks for something, whatever the member is. */
function sample(schema: NormalizedSchema): unknown {
  if (schema.isListSchema()) return [sample(schema.getValueSchema())]
  if (schema.isStructSchema()) return {}
  if (schema.isTimestampSchema()) return new Date(0)
  return schema.isBooleanSchema() ? true : schema.isNumericSchema() ? 7 : 'other'
}

describe('each member of an input acts or is refused by name', () => {
  let home: string
  let state: State
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cachefront-fields-'))
    state = await openSqliteState(join(home, 'state.db'), systemClock)
  })
  after(async () => {
    await state.close()
    await rm(home, { recursive: true })
  })

  /** Whether the operation answers 501 with the member's name to an input of this member alone. */
  async function isRefused(operation: Name, member: string, schema: NormalizedSchema): Promise<boolean> {
    const context = {
      state,
      clock: systemClock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(),
      host: { binaries: () => [] },
    }
    const run = ELASTICACHE_OPERATIONS[operation] as (input: object, given: typeof context) => Promise<unknown>
    try {
      await run({ [member]: sample(schema) }, context)
      return false
    } catch (error) {
      assert(error instanceof Fault, `${operation}.${member}: ${error}`)
      return error.code === 'NotImplemented' && error.message.includes(`The field ${member}`)
    }
  }

  for (const operation of Object.keys(ELASTICACHE_OPERATIONS) as Name[]) {
    test(operation, async () => {
      const input = MODEL.operations.get(operation)?.input
      assert(input !== undefined)
      const acting: string[] = []
      for (const [member, schema] of input.structIterator()) {
        if (!(await isRefused(operation, member, schema))) acting.push(member)
      }
      assert.deepEqual(acting.sort(), [...ACTS[operation]].sort())
    })
  }
})
