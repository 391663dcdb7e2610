//! THE TABLE: ElastiCache's operations by their names in AWS's model. An operation that is not here answers 501.
import type { OperationTable } from '../service.ts'
import { deleteCacheCluster, describeCacheClusters, rebootCacheCluster } from './cache-clusters.ts'
import { copySnapshot } from './copy-snapshot.ts'
import { createCacheCluster } from './create-cache-cluster.ts'
import { createReplicationGroup } from './create-replication-group.ts'
import { createSnapshot } from './create-snapshot.ts'
import { describeCacheEngineVersions } from './engine-versions.ts'
import { describeEvents } from './events.ts'
import { modifyCacheCluster } from './modify-cache-cluster.ts'
import { modifyReplicationGroup } from './modify-replication-group.ts'
import { listAllowedNodeTypeModifications } from './node-type-modifications.ts'
import {
  createCacheParameterGroup,
  deleteCacheParameterGroup,
  describeCacheParameterGroups,
  modifyCacheParameterGroup,
  resetCacheParameterGroup,
} from './parameter-groups.ts'
import { describeCacheParameters, describeEngineDefaultParameters } from './parameters.ts'
import { decreaseReplicaCount, increaseReplicaCount } from './replica-counts.ts'
import { deleteReplicationGroup, describeReplicationGroups } from './replication-groups.ts'
import {
  batchApplyUpdateAction,
  batchStopUpdateAction,
  describeServiceUpdates,
  describeUpdateActions,
} from './service-updates.ts'
import { deleteSnapshot, describeSnapshots } from './snapshots.ts'
import {
  createCacheSubnetGroup,
  deleteCacheSubnetGroup,
  describeCacheSubnetGroups,
  modifyCacheSubnetGroup,
} from './subnet-groups.ts'
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from './tags.ts'
import { testFailover } from './test-failover.ts'
import { createUserGroup, deleteUserGroup, describeUserGroups, modifyUserGroup } from './user-groups.ts'
import { createUser, deleteUser, describeUsers, modifyUser } from './users.ts'

export const ELASTICACHE_OPERATIONS = {
  AddTagsToResource: addTagsToResource,
  BatchApplyUpdateAction: batchApplyUpdateAction,
  BatchStopUpdateAction: batchStopUpdateAction,
  DescribeServiceUpdates: describeServiceUpdates,
  DescribeUpdateActions: describeUpdateActions,
  CopySnapshot: copySnapshot,
  CreateCacheCluster: createCacheCluster,
  CreateCacheParameterGroup: createCacheParameterGroup,
  CreateCacheSubnetGroup: createCacheSubnetGroup,
  CreateReplicationGroup: createReplicationGroup,
  CreateSnapshot: createSnapshot,
  CreateUser: createUser,
  CreateUserGroup: createUserGroup,
  DecreaseReplicaCount: decreaseReplicaCount,
  DeleteCacheCluster: deleteCacheCluster,
  DeleteCacheParameterGroup: deleteCacheParameterGroup,
  DeleteCacheSubnetGroup: deleteCacheSubnetGroup,
  DeleteReplicationGroup: deleteReplicationGroup,
  DeleteSnapshot: deleteSnapshot,
  DeleteUser: deleteUser,
  DeleteUserGroup: deleteUserGroup,
  DescribeCacheClusters: describeCacheClusters,
  DescribeCacheEngineVersions: describeCacheEngineVersions,
  DescribeCacheParameterGroups: describeCacheParameterGroups,
  DescribeCacheParameters: describeCacheParameters,
  DescribeCacheSubnetGroups: describeCacheSubnetGroups,
  DescribeEngineDefaultParameters: describeEngineDefaultParameters,
  DescribeEvents: describeEvents,
  DescribeReplicationGroups: describeReplicationGroups,
  DescribeSnapshots: describeSnapshots,
  DescribeUserGroups: describeUserGroups,
  DescribeUsers: describeUsers,
  IncreaseReplicaCount: increaseReplicaCount,
  ListAllowedNodeTypeModifications: listAllowedNodeTypeModifications,
  ListTagsForResource: listTagsForResource,
  ModifyCacheCluster: modifyCacheCluster,
  ModifyCacheParameterGroup: modifyCacheParameterGroup,
  ModifyCacheSubnetGroup: modifyCacheSubnetGroup,
  ModifyReplicationGroup: modifyReplicationGroup,
  ModifyUser: modifyUser,
  ModifyUserGroup: modifyUserGroup,
  RebootCacheCluster: rebootCacheCluster,
  RemoveTagsFromResource: removeTagsFromResource,
  ResetCacheParameterGroup: resetCacheParameterGroup,
  TestFailover: testFailover,
} as const satisfies OperationTable
