//! What ElastiCache's operations refuse, by wire code, and that a refusal leaves nothing behind.
import assert from 'node:assert/strict'
import { beforeEach, type TestContext, test } from 'node:test'
import { type ElastiCacheContext, elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import { ELASTICACHE_OPERATIONS as ops } from './operations.ts'

let context: ElastiCacheContext

beforeEach(async (t) => {
  context = await elasticacheContext(t as TestContext)
})

const REDIS = { Engine: 'redis', CacheNodeType: 'cache.t3.micro' }
const GROUP = {
  ReplicationGroupId: 'shop',
  ReplicationGroupDescription: 'the shop',
  NumCacheClusters: 3,
  AutomaticFailoverEnabled: true,
  ...REDIS,
}

test('bad parameters change nothing, all or nothing', async () => {
  const PG = { CacheParameterGroupName: 'mine' }
  await ops.CreateCacheParameterGroup({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'x' }, context)
  const modify = (...pairs: (readonly [string, string])[]) =>
    ops.ModifyCacheParameterGroup(
      {
        ...PG,
        ParameterNameValues: pairs.map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue })),
      },
      context,
    )
  await fails(
    () => modify(['timeout', '60'], ['maxmemory-policy', 'random']),
    'InvalidParameterValue',
    /maxmemory-policy/,
  )
  await fails(() => modify(['timeout', '10']), 'InvalidParameterValue', /0,20-/)
  await fails(() => modify(['no-such', '1']), 'InvalidParameterValue', /no-such/)
  await fails(() => modify(['appendonly', 'yes']), 'InvalidParameterValue', /cannot be modified/)
  await fails(() => modify(['rename-commands', 'flushall gone']), 'NotImplemented', /flushall blocked/)
  await fails(() => modify(), 'InvalidParameterValue')
  assert.deepEqual((await context.state.get('cache-parameter-group', 'mine'))!.doc.values, {})
  await fails(
    () =>
      ops.ModifyCacheParameterGroup(
        {
          CacheParameterGroupName: 'default.redis7',
          ParameterNameValues: [{ ParameterName: 'timeout', ParameterValue: '60' }],
        },
        context,
      ),
    'InvalidCacheParameterGroupState',
  )
  await fails(
    () =>
      ops.CreateCacheCluster(
        { CacheClusterId: 'm', Engine: 'memcached', NumCacheNodes: 1, CacheNodeType: 'cache.t3.micro', ...PG },
        context,
      ),
    'InvalidParameterCombination',
    /family memcached1\.6 but found one of family redis7/,
  )
})

test('bad input of clusters and groups, by code; nothing is half written', async () => {
  const create = (more: object) => () => ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS, ...more }, context)
  await fails(create({ CacheClusterId: '1st' }), 'InvalidParameterValue')
  await fails(create({ Engine: 'mongodb' }), 'InvalidParameterValue')
  await fails(create({ Engine: 'valkey' }), 'InsufficientCacheClusterCapacity', /valkey-server/)
  await fails(create({ CacheNodeType: 'huge' }), 'InvalidParameterValue')
  await fails(create({ NumCacheNodes: 2 }), 'InvalidParameterValue')
  await fails(create({ Port: 80 }), 'InvalidParameterValue')
  await fails(create({ CacheParameterGroupName: 'none' }), 'CacheParameterGroupNotFound')
  await fails(create({ CacheParameterGroupName: 'default.redis7.cluster.on' }), 'NotImplemented')
  await fails(create({ CacheSubnetGroupName: 'none' }), 'CacheSubnetGroupNotFoundFault')
  await fails(create({ PreferredAvailabilityZone: 'eu-west-1a' }), 'InvalidParameterValue')
  await fails(
    create({ PreferredAvailabilityZone: 'us-east-1a', PreferredAvailabilityZones: ['us-east-1b'] }),
    'InvalidParameterCombination',
  )
  const memcached = { Engine: 'memcached', NumCacheNodes: 1, SnapshotWindow: '05:00-06:00' }
  await fails(create(memcached), 'InvalidParameterCombination', /SnapshotWindow/)
  await fails(create({ PreferredMaintenanceWindow: 'never' }), 'InvalidParameterValue')
  await fails(create({ Tags: [{ Key: 'aws:x', Value: '1' }] }), 'InvalidParameterValue')
  for (const [field, value] of Object.entries({
    AuthToken: 'secret-secret-secret',
    NetworkType: 'ipv6',
    OutpostMode: 'single-outpost',
  })) {
    await fails(create({ [field]: value }), 'NotImplemented', new RegExp(`^(?!.*secret).*${field}`))
  }
  const group = (more: object) => () => ops.CreateReplicationGroup({ ...GROUP, ...more }, context)
  await fails(group({ NumCacheClusters: 1 }), 'InvalidParameterCombination', /at least 2/)
  await fails(group({ NumCacheClusters: 7 }), 'NodeQuotaForClusterExceeded')
  await fails(group({ ReplicasPerNodeGroup: 1 }), 'InvalidParameterCombination')
  await fails(group({ ReplicationGroupDescription: undefined }), 'MissingParameter')
  await fails(group({ Engine: 'memcached' }), 'InvalidParameterValue')
  for (const [field, value] of Object.entries({
    NumNodeGroups: 2,
    ClusterMode: 'enabled',
    DataTieringEnabled: true,
    GlobalReplicationGroupId: 'g',
  })) {
    await fails(group({ [field]: value }), 'NotImplemented', new RegExp(field))
  }
  for (const more of [{ UserGroupIds: ['g'] }, { AuthToken: 'secret-secret-secret' }]) {
    await fails(group(more), 'InvalidParameterCombination', /^(?!.*secret).*TransitEncryptionEnabled/)
  }
  assert.equal(await context.state.revision(), 0)
})

test('names are unique over clusters, members and groups', async () => {
  await ops.CreateReplicationGroup(GROUP, context)
  await fails(() => ops.CreateReplicationGroup(GROUP, context), 'ReplicationGroupAlreadyExists')
  for (const id of ['shop', 'shop-002']) {
    await fails(() => ops.CreateCacheCluster({ CacheClusterId: id, ...REDIS }, context), 'CacheClusterAlreadyExists')
  }
})

test('subnet groups and tags', async () => {
  const SG = { CacheSubnetGroupName: 'Mine', CacheSubnetGroupDescription: 'x', SubnetIds: ['subnet-0a', 'subnet-0b'] }
  const made = (await ops.CreateCacheSubnetGroup(SG, context)).CacheSubnetGroup!
  assert.equal(made.CacheSubnetGroupName, 'mine')
  assert.equal(made.Subnets!.length, 2)
  await fails(() => ops.CreateCacheSubnetGroup(SG, context), 'CacheSubnetGroupAlreadyExists')
  await fails(() => ops.CreateCacheSubnetGroup({ ...SG, SubnetIds: ['net'] }, context), 'InvalidSubnet')
  await ops.CreateCacheCluster({ CacheClusterId: 'one', ...REDIS, CacheSubnetGroupName: 'mine' }, context)
  await fails(() => ops.DeleteCacheSubnetGroup({ CacheSubnetGroupName: 'mine' }, context), 'CacheSubnetGroupInUse')
  await fails(
    () => ops.ModifyCacheSubnetGroup({ CacheSubnetGroupName: 'mine', SubnetIds: ['subnet-0a'] }, context),
    'SubnetInUse',
  )
  assert.deepEqual(
    (await ops.DescribeCacheSubnetGroups({}, context)).CacheSubnetGroups!.map((g) => g.CacheSubnetGroupName),
    ['default', 'mine'],
  )
  const ResourceName = made.ARN
  await ops.AddTagsToResource({ ResourceName, Tags: [{ Key: 'a', Value: '1' }] }, context)
  const two = await ops.AddTagsToResource({ ResourceName, Tags: [{ Key: 'b' }] }, context)
  assert.deepEqual(two.TagList, [
    { Key: 'a', Value: '1' },
    { Key: 'b', Value: '' },
  ])
  await fails(() => ops.RemoveTagsFromResource({ ResourceName, TagKeys: ['a', 'c'] }, context), 'TagNotFound')
  const one = await ops.RemoveTagsFromResource({ ResourceName, TagKeys: ['a'] }, context)
  assert.deepEqual(one.TagList, [{ Key: 'b', Value: '' }])
  await fails(() => ops.ListTagsForResource({ ResourceName: 'arn:aws:s3:::x' }, context), 'InvalidARN')
})
