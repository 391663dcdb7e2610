//! What may be wished of the data on a disk, and what the records then say.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import { ELASTICACHE_OPERATIONS as ops } from './operations.ts'

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/1'
const GROUP = {
  ReplicationGroupId: 'shop',
  ReplicationGroupDescription: 'a group',
  CacheNodeType: 'cache.t4g.micro',
  ReplicasPerNodeGroup: 1,
}
const CLUSTER = { CacheClusterId: 'one', CacheNodeType: 'cache.t4g.micro', Engine: 'redis' }
const ARN = 'arn:aws:elasticache:us-east-1:123456789012'
const appendonly = (Value: string) => ({ Tags: [{ Key: 'cachefront:appendonly', Value }] })

/** A context whose only key is KEY, by `alias/shop` too. */
async function contextWithKey(t: Parameters<typeof elasticacheContext>[0]) {
  const find = async (id: string | null): Promise<string> => {
    if (id === KEY || id === 'alias/shop') return KEY
    throw new Error(`There is no key ${id}: cachefront encryption-keys list shows those of this installation.`)
  }
  return { ...(await elasticacheContext(t)), keys: { find } }
}

test('encryption at rest: by the service key, by one that exists, and by none that does not', async (t) => {
  const context = await contextWithKey(t)
  const create = (id: string, more: object) =>
    ops.CreateReplicationGroup({ ...GROUP, ReplicationGroupId: id, ...more }, context)
  const shown = async (id: string, more: object) => {
    const { ReplicationGroup: group } = await create(id, more)
    return [group?.AtRestEncryptionEnabled, group?.StorageEncryptionType, group?.KmsKeyId]
  }
  assert.deepEqual(await shown('plain', {}), [false, 'none', undefined])
  assert.deepEqual(await shown('own', { AtRestEncryptionEnabled: true }), [true, 'sse-elasticache', undefined])
  const kms = { AtRestEncryptionEnabled: true, KmsKeyId: 'alias/shop' }
  assert.deepEqual(await shown('kms', kms), [true, 'sse-kms', KEY])
  const { CacheClusters: members } = await ops.DescribeCacheClusters({ CacheClusterId: 'kms-002' }, context)
  assert.equal(members?.[0]?.AtRestEncryptionEnabled, true)
  await fails(
    () => create('x', { ...kms, KmsKeyId: 'nowhere' }),
    'InvalidKMSKeyFault',
    /no key nowhere: cachefront encryption-keys/,
  )
  await fails(() => create('x', { KmsKeyId: KEY }), 'InvalidParameterCombination', /needs AtRestEncryptionEnabled/)
})

test('valkey is encrypted at rest unless the user or an append-only file says otherwise', async (t) => {
  const context = await contextWithKey(t)
  const valkey = { ...context, host: { binaries: () => [{ engine: 'valkey', version: '8.0.1' }] } }
  const atRest = async (id: string, more: object) => {
    const input = { ...GROUP, Engine: 'valkey', ReplicationGroupId: id, ...more }
    return (await ops.CreateReplicationGroup(input, valkey)).ReplicationGroup?.AtRestEncryptionEnabled
  }
  assert.equal(await atRest('by-default', {}), true)
  assert.equal(await atRest('refused', { AtRestEncryptionEnabled: false }), false)
  assert.equal(await atRest('file', appendonly('always')), false)
})

test('the append-only tag: its values, its resources, never beside encryption at rest', async (t) => {
  const context = await contextWithKey(t)
  const group = (id: string, more: object) => () =>
    ops.CreateReplicationGroup({ ...GROUP, ReplicationGroupId: id, ...more }, context)
  const groupRecord = async () => (await context.state.get('replication-group', 'shop'))?.doc
  const clusterRecord = async () => (await context.state.get('cache-cluster', 'one'))?.doc
  await fails(group('x', appendonly('sometimes')), 'InvalidParameterValue', /everysec or always, not sometimes/)
  await fails(group('x', { AtRestEncryptionEnabled: true, ...appendonly('always') }), 'InvalidParameterCombination')
  const other = { Tags: [{ Key: 'cachefront:other', Value: '1' }] }
  await fails(group('x', other), 'NotImplemented', /cachefront:other/)
  const memcached = { ...CLUSTER, Engine: 'memcached', NumCacheNodes: 1, ...appendonly('always') }
  await fails(() => ops.CreateCacheCluster(memcached, context), 'InvalidParameterCombination', /redis and valkey/)
  await group('shop', appendonly('everysec'))()
  assert.equal((await groupRecord())?.appendonly, 'everysec')
  await ops.CreateCacheCluster({ ...CLUSTER, ...appendonly('always') }, context)
  assert.equal((await clusterRecord())?.appendonly, 'always')
  const tag = (resource: string, value: string) =>
    ops.AddTagsToResource({ ResourceName: `${ARN}:${resource}`, ...appendonly(value) }, context)
  const untag = (resource: string) =>
    ops.RemoveTagsFromResource({ ResourceName: `${ARN}:${resource}`, TagKeys: ['cachefront:appendonly'] }, context)
  await tag('replicationgroup:shop', 'always')
  assert.equal((await groupRecord())?.appendonly, 'always')
  await untag('replicationgroup:shop')
  assert.equal((await groupRecord())?.appendonly, null)
  await untag('cluster:one')
  assert.equal((await clusterRecord())?.appendonly, null)
  await fails(() => tag('cluster:shop-001', 'always'), 'InvalidParameterCombination', /tag the replication group shop/)
  await group('sealed', { AtRestEncryptionEnabled: true })()
  await fails(() => tag('replicationgroup:sealed', 'always'), 'InvalidParameterCombination', /choose one/)
  const { TagList: tags } = await ops.ListTagsForResource({ ResourceName: `${ARN}:replicationgroup:sealed` }, context)
  assert.deepEqual(tags, [], 'nothing was written of a refused call')
})
