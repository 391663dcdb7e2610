//! Parameter groups of every family, their default groups, and what a host can and cannot do.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import { FAMILIES } from '../../domain/parameters/families.ts'
import type { ServiceContext } from '../service.ts'
import { ELASTICACHE_OPERATIONS as ops } from './operations.ts'

const REDIS = { Engine: 'redis', CacheNodeType: 'cache.t3.micro' }

const setting = (ParameterName: string, ParameterValue: string) => [{ ParameterName, ParameterValue }]

test('a group of every family is made, changed, described, reset and deleted, whatever is installed', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  for (const family of FAMILIES.keys()) {
    const CacheParameterGroupName = `g-${family.replaceAll('.', '-')}`
    await ops.CreateCacheParameterGroup(
      { CacheParameterGroupName, CacheParameterGroupFamily: family, Description: family },
      context,
    )
    const [name, value] = family.startsWith('memcached') ? ['chunk_size', '64'] : ['timeout', '20']
    await ops.ModifyCacheParameterGroup({ CacheParameterGroupName, ParameterNameValues: setting(name, value) }, context)
    const user = await ops.DescribeCacheParameters({ CacheParameterGroupName, Source: 'user' }, context)
    assert.deepEqual(
      user.Parameters?.map((p) => [p.ParameterName, p.ParameterValue]),
      [[name, value]],
      family,
    )
    await ops.ResetCacheParameterGroup({ CacheParameterGroupName, ResetAllParameters: true }, context)
    const reset = await ops.DescribeCacheParameters({ CacheParameterGroupName, Source: 'user' }, context)
    assert.deepEqual(reset.Parameters, [])
    await ops.DeleteCacheParameterGroup({ CacheParameterGroupName }, context)
  }
})

test('every family has its default group, and one for cluster mode from redis3.2 on', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  const { CacheParameterGroups: all } = await ops.DescribeCacheParameterGroups({}, context)
  const names = all!.map((group) => group.CacheParameterGroupName!)
  const withCluster = names.filter((name) => name.endsWith('.cluster.on'))
  assert.deepEqual(withCluster, [
    'default.redis3.2.cluster.on',
    'default.redis4.0.cluster.on',
    'default.redis5.0.cluster.on',
    'default.redis6.x.cluster.on',
    'default.redis7.cluster.on',
    'default.valkey7.cluster.on',
    'default.valkey8.cluster.on',
    'default.valkey9.cluster.on',
  ])
  for (const family of FAMILIES.keys()) assert.ok(names.includes(`default.${family}`), family)
  const group = { CacheParameterGroupName: 'default.redis7.cluster.on' }
  const { Parameters } = await ops.DescribeCacheParameters({ ...group, Source: 'engine-default' }, context)
  const enabled = Parameters!.find((p) => p.ParameterName === 'cluster-enabled')
  assert.equal(enabled?.ParameterValue, 'yes')
  await fails(
    () => ops.CreateCacheCluster({ CacheClusterId: 'c', ...REDIS, ...group }, context),
    'NotImplemented',
    /Cluster mode/,
  )
})

test('a group may turn cluster mode on, but cannot be attached then, nor be turned on while it is', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  const PG = { CacheParameterGroupName: 'mine' }
  const turn = (value: string) =>
    ops.ModifyCacheParameterGroup({ ...PG, ParameterNameValues: setting('cluster-enabled', value) }, context)
  await ops.CreateCacheParameterGroup({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'x' }, context)
  await turn('yes')
  const create = () => ops.CreateCacheCluster({ CacheClusterId: 'c', ...REDIS, ...PG }, context)
  await fails(create, 'NotImplemented', /Cluster mode/)
  await turn('no')
  await create()
  await fails(() => turn('yes'), 'InvalidCacheParameterGroupState', /while c uses the group/)
  const reset = { ...PG, ParameterNameValues: [{ ParameterName: 'cluster-enabled' }] }
  await fails(() => ops.ResetCacheParameterGroup(reset, context), 'InvalidCacheParameterGroupState')
})

test('what the engine of this host was not built for is not modifiable, and says so', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  const PG = { CacheParameterGroupName: 'mine' }
  await ops.CreateCacheParameterGroup({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'x' }, context)
  const wish = { ...PG, ParameterNameValues: setting('activedefrag', 'yes') }
  const shown = async (on: ServiceContext) => {
    const { Parameters } = await ops.DescribeCacheParameters(PG, on)
    return Parameters!.find((p) => p.ParameterName === 'activedefrag')!
  }
  assert.equal((await shown(context)).IsModifiable, false)
  assert.equal((await shown(context)).Source, 'system')
  await fails(() => ops.ModifyCacheParameterGroup(wish, context), 'InvalidParameterValue', /active-defrag/)
  const able = {
    ...context,
    host: { binaries: () => [{ engine: 'redis', version: '7.0.15', features: ['active-defrag'] }] },
  }
  assert.equal((await shown(able)).IsModifiable, true)
  await ops.ModifyCacheParameterGroup(wish, able)
  assert.equal((await shown(able)).ParameterValue, 'yes')
})

test('versions of families that nothing here drives are refused, naming what the package serves', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  const create = (more: object) => () => ops.CreateCacheCluster({ CacheClusterId: 'c', ...REDIS, ...more }, context)
  for (const EngineVersion of ['6.x', '6.2', '5.0.6', '2.6.13']) {
    await fails(create({ EngineVersion }), 'InvalidParameterValue', /package redis-server serves 7\.0, 7\.1/)
  }
  const memcached = { Engine: 'memcached', NumCacheNodes: 1, EngineVersion: '1.5.16' }
  await fails(create(memcached), 'InvalidParameterValue', /package memcached serves 1\.6\.6/)
})

test('node types: too old an engine, and what can no longer be created', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  const create = (CacheNodeType: string, more: object = {}) =>
    ops.CreateCacheCluster({ CacheClusterId: 'c', ...REDIS, CacheNodeType, ...more }, context)
  await fails(() => create('cache.m8g.large'), 'InvalidParameterCombination', /does not run redis/)
  await fails(() => create('cache.t2.micro'), 'InvalidParameterValue', /no longer/)
  await fails(() => create('cache.r6gd.xlarge'), 'InvalidParameterValue', /data tiering/)
  await fails(() => create('cache.m3.medium'), 'InvalidParameterValue', /no longer/)
  await create('cache.m8g.large', { Engine: 'memcached', NumCacheNodes: 2 })
})

test('nodes are admitted up to the overcommitted memory of the host; the error has the numbers', async (t) => {
  const plain = await elasticacheContext(t as TestContext)
  // 402653184 bytes are what a micro node's data may take.
  const context = { ...plain, nodeMemory: { hostBytes: 402653184, overcommit: 3 } }
  const group = {
    ReplicationGroupId: 'shop',
    ReplicationGroupDescription: 'x',
    NumCacheClusters: 2,
    Engine: 'redis',
    CacheNodeType: 'cache.t3.micro',
  }
  await ops.CreateReplicationGroup(group, context)
  const one = (CacheClusterId: string) => ops.CreateCacheCluster({ CacheClusterId, ...REDIS }, context)
  await fails(
    () => ops.CreateCacheCluster({ CacheClusterId: 'big', ...REDIS, CacheNodeType: 'cache.m7g.large' }, context),
    'InsufficientCacheClusterCapacity',
    /may take 768 MiB, and this host admits 1152 MiB \(384 MiB of memory x 3\)/,
  )
  await one('third')
  await fails(() => one('fourth'), 'InsufficientCacheClusterCapacity', /--node-memory-overcommit/)
  assert.equal((await context.state.list('cache-cluster')).length, 3)
})
