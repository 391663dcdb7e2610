//! SCENARIO: commands that a parameter group blocks by `rename-commands` (spec/elasticache.md 5.3) are refused to every
//! client on every node at once, over failovers and on new replicas, and allowed again when they are taken off the list.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import type { Redis } from 'ioredis'
import { ADMIN_USER, sha256Of } from '../../../src/keeper/door.ts'
import { ElastiCacheScenario, redisAt } from '../../support/elasticache-scenario.ts'
import { adminAt } from '../../support/keeper-door.ts'
import { redisAt as clientAt, KeeperHost, redisGroup } from '../../support/keeper-host.ts'

const PG = { CacheParameterGroupName: 'blocking' }
const PASSWORD = 'a-password-of-16+'

let scenario: ElastiCacheScenario
const clients: Redis[] = []

before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(async () => {
  for (const client of clients) client.disconnect()
  await scenario.end()
})

const block = (ParameterValue: string) =>
  scenario.client.send(
    new sdk.ModifyCacheParameterGroupCommand({
      ...PG,
      ParameterNameValues: [{ ParameterName: 'rename-commands', ParameterValue }],
    }),
  )

/** Available, with so many members that have the parameters of now. */
const inSync = (members: number): Promise<sdk.ReplicationGroup> =>
  scenario.until(async () => {
    const group = await scenario.group('shop')
    assert.equal(group.Status, 'available')
    assert.equal(group.MemberClusters!.length, members)
    for (const id of group.MemberClusters!) {
      assert.equal((await scenario.cluster(id)).CacheParameterGroup!.ParameterApplyStatus, 'in-sync')
    }
    return group
  })

/** A client at each address of the group: nodes, primary and reader endpoint. */
function clientsOf(group: sdk.ReplicationGroup): Redis[] {
  const [shard] = group.NodeGroups!
  const nodes = shard!.NodeGroupMembers!.map((member) => member.ReadEndpoint!)
  const made = [...nodes, shard!.PrimaryEndpoint!, shard!.ReaderEndpoint!].map(redisAt)
  clients.push(...made)
  return made
}

async function refusedTo(all: readonly Redis[], ...command: readonly [string, ...string[]]): Promise<void> {
  for (const client of all) await assert.rejects(client.call(...command), /NOPERM/, command.join(' '))
}

test('on every node of a new group, in scripts too; what is not blocked is allowed', async () => {
  const { client } = scenario
  await client.send(
    new sdk.CreateCacheParameterGroupCommand({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'blocks' }),
  )
  await block('FLUSHALL blocked keys BLOCKED')
  const { Parameters } = await client.send(new sdk.DescribeCacheParametersCommand({ ...PG, Source: 'user' }))
  assert.deepEqual(
    Parameters!.map((p) => [p.ParameterName, p.ParameterValue, p.IsModifiable, p.ChangeType]),
    [['rename-commands', 'FLUSHALL blocked keys BLOCKED', true, 'immediate']],
  )
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ...PG,
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'the shop',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
    }),
  )
  const all = clientsOf(await inSync(2))
  await refusedTo(all, 'flushall')
  await refusedTo(all, 'keys', '*')
  for (const one of all) {
    await assert.rejects(one.call('eval', "return redis.call('keys', '*')", '0'), /can't run this command/)
    await one.call('dbsize')
  }
})

test('on a replica that joins, and after a failover', async () => {
  await scenario.client.send(
    new sdk.IncreaseReplicaCountCommand({ ReplicationGroupId: 'shop', NewReplicaCount: 2, ApplyImmediately: true }),
  )
  await inSync(3)
  await scenario.client.send(new sdk.TestFailoverCommand({ ReplicationGroupId: 'shop', NodeGroupId: '0001' }))
  await scenario.until(async () => {
    const members = (await scenario.group('shop')).NodeGroups![0]!.NodeGroupMembers!
    assert.notEqual(members.find((member) => member.CurrentRole === 'primary')!.CacheClusterId, 'shop-001')
  })
  await refusedTo(clientsOf(await inSync(3)), 'flushall')
})

test('a change is there at once, for clients that are connected; data and replication are untouched', async () => {
  const group = await inSync(3)
  const all = clientsOf(group)
  const primary = all.at(-2)!
  await primary.set('k', 'v')
  assert.equal(await primary.wait(2, 20_000), 2)
  await block('del blocked')
  await inSync(3)
  await refusedTo(all, 'del', 'k')
  for (const one of all) assert.deepEqual(await one.call('keys', '*'), ['k'])
  // What is denied to clients still comes from the primary: a past expiry is a DEL to the replicas.
  await primary.call('pexpire', 'k', '-1')
  assert.equal(await primary.wait(2, 20_000), 2)
  for (const one of all) assert.equal(await one.get('k'), null)
  await scenario.client.send(new sdk.ResetCacheParameterGroupCommand({ ...PG, ResetAllParameters: true }))
  await inSync(3)
  assert.equal(await primary.call('del', 'k'), 0)
  assert.equal(await primary.call('flushall'), 'OK')
})

test('whoever it is: AUTH, users with selectors, IAM users; a command that the engine lacks is nothing to deny', async () => {
  const host = await KeeperHost.start()
  const opened: Redis[] = []
  try {
    const user = { passwords: [sha256Of(PASSWORD)], noPassword: false, iam: false }
    const users = [
      { ...user, name: 'default', access: 'on ~* &* +@all' },
      { ...user, name: 'all', access: 'on ~* &* +@all +flushall (~* &* +@all +flushall)' },
      { ...user, name: 'robot', access: 'on ~* &* +@all', passwords: [], iam: true },
    ]
    host.wish([redisGroup('named', 2, { access: { users }, blockedCommands: ['flushall', 'waitaof'] })])
    const { nodes } = await host.settled('named')
    for (const { address } of nodes) {
      const admin = await adminAt(host.home, 'named', address)
      opened.push(admin)
      const known = (await admin.call('acl', 'users')) as string[]
      assert.deepEqual([...known].sort(), ['all', ADMIN_USER, 'default', 'robot'])
      for (const { name } of users) {
        assert.match(String(await admin.call('acl', 'dryrun', name, 'flushall')), /has no permissions/, name)
        assert.equal(await admin.call('acl', 'dryrun', name, 'flushdb'), 'OK')
      }
      for (const username of ['default', 'all']) {
        const client = await clientAt(address, 6379, { username, password: PASSWORD })
        opened.push(client)
        await refusedTo([client], 'flushall')
      }
    }
  } finally {
    for (const client of opened) client.disconnect()
    await host.end()
  }
})
