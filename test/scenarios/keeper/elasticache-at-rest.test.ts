//! Encryption at rest and append-only files as a user has them, with the SDK on real engines.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { Vault } from '../../../src/keeper/snapshots/vault.ts'
import { ElastiCacheScenario, redisAt } from '../../support/elasticache-scenario.ts'

let scenario: ElastiCacheScenario
before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

const create = (ReplicationGroupId: string, more: Partial<sdk.CreateReplicationGroupCommandInput> = {}) =>
  scenario.client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId,
      ReplicationGroupDescription: 'a group',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
      ...more,
    }),
  )

const available = (id: string) =>
  scenario.until(async () => {
    const found = await scenario.group(id)
    assert.equal(found.Status, 'available')
    return found
  })

const endpointOf = (group: sdk.ReplicationGroup): sdk.Endpoint => group.NodeGroups![0]!.PrimaryEndpoint!

test('a group with a key of its own: its snapshots are sealed by it, its clients cannot make it write to the disk', async (t) => {
  const vault = new Vault(scenario.home)
  const key = await vault.keys.create('alias/shop', new Date().toISOString())
  await create('shop', { AtRestEncryptionEnabled: true, KmsKeyId: 'alias/shop' })
  const group = await available('shop')
  assert.deepEqual(
    [group.AtRestEncryptionEnabled, group.StorageEncryptionType, group.KmsKeyId],
    [true, 'sse-kms', key.arn],
  )
  assert.equal((await scenario.cluster('shop-001')).AtRestEncryptionEnabled, true)
  const redis = redisAt(endpointOf(group))
  t.after(() => redis.disconnect())
  await redis.set('name', 'value')
  for (const command of [
    ['SAVE'],
    ['BGSAVE'],
    ['BGREWRITEAOF'],
    ['DEBUG', 'RELOAD'],
    ['CONFIG', 'SET', 'save', '1 1'],
    ['CONFIG', 'SET', 'appendonly', 'yes'],
    ['CONFIG', 'SET', 'repl-diskless-load', 'disabled'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['PSYNC', '?', '-1'],
  ] as const) {
    await assert.rejects(
      redis.call(command[0], ...command.slice(1)),
      /NOPERM|unknown command|not allowed/,
      command.join(' '),
    )
  }
  await scenario.client.send(new sdk.CreateSnapshotCommand({ SnapshotName: 'nightly', ReplicationGroupId: 'shop' }))
  await scenario.until(async () => {
    const describe = new sdk.DescribeSnapshotsCommand({ SnapshotName: 'nightly' })
    const [snapshot] = (await scenario.client.send(describe)).Snapshots!
    assert.deepEqual([snapshot!.SnapshotStatus, snapshot!.KmsKeyId], ['available', key.arn])
  })
})

test('an append-only file by a tag: the data is there after a reboot of all nodes, and gone from the disk with the tag', async (t) => {
  await create('kept', { Tags: [{ Key: 'cachefront:appendonly', Value: 'always' }] })
  const group = await available('kept')
  const file = join(scenario.home, 'nodes/kept/kept-001/appendonlydir')
  assert.ok(existsSync(file))
  const redis = redisAt(endpointOf(group))
  t.after(() => redis.disconnect())
  await redis.set('name', 'value')
  for (const { pid } of scenario.control.link.seen()!.groups.find(({ id }) => id === 'kept')!.nodes) {
    assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /redis-server/)
    process.kill(pid!, 'SIGKILL')
  }
  await scenario.until(async () => assert.equal(await redis.get('name'), 'value'))
  await available('kept')
  const untag = { ResourceName: group.ARN, TagKeys: ['cachefront:appendonly'] }
  await scenario.client.send(new sdk.RemoveTagsFromResourceCommand(untag))
  await scenario.until(async () => assert.equal(existsSync(file), false))
  assert.equal(await redis.get('name'), 'value')
})
