//! Replication groups and memcached through the SDK on real engines: endpoints, failover, replicas, discovery.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { ElastiCacheScenario, redisAt, WAIT } from '../../support/elasticache-scenario.ts'
import { settingOf } from '../../support/keeper-door.ts'

let scenario: ElastiCacheScenario

before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

const availableGroup = (id: string) =>
  scenario.until(async () => {
    const found = await scenario.group(id)
    assert.equal(found.Status, 'available')
    return found
  })

const rolesOf = (group: sdk.ReplicationGroup) =>
  Object.fromEntries(group.NodeGroups![0]!.NodeGroupMembers!.map((m) => [m.CacheClusterId, m.CurrentRole]))

test('a group with two replicas: endpoints lead where they say, replicas really replicate', async () => {
  const { client } = scenario
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'the shop',
      Engine: 'redis',
      EngineVersion: '7.0',
      CacheNodeType: 'cache.t3.micro',
      NumCacheClusters: 3,
      AutomaticFailoverEnabled: true,
      Tags: [{ Key: 'team', Value: 'shop' }],
    }),
  )
  const group = await availableGroup('shop')
  await sdk.waitUntilReplicationGroupAvailable({ client, ...WAIT }, { ReplicationGroupId: 'shop' })
  assert.deepEqual(rolesOf(group), { 'shop-001': 'primary', 'shop-002': 'replica', 'shop-003': 'replica' })
  assert.equal((await scenario.cluster('shop-002')).EngineVersion, '7.0.15')
  const [shard] = group.NodeGroups!
  const primary = redisAt(shard!.PrimaryEndpoint!)
  const reader = redisAt(shard!.ReaderEndpoint!)
  try {
    await primary.set('k', 'v')
    await primary.wait(2, 1000)
    assert.equal(await reader.get('k'), 'v')
    await assert.rejects(reader.set('k', 'w'), /READONLY/)
    assert.deepEqual(await scenario.messages('replication-group', 'shop'), ['Replication group created'])
  } finally {
    primary.disconnect()
    reader.disconnect()
  }
})

test('the primary is killed: the same endpoint takes writes again, roles and events tell it', async () => {
  const before = await availableGroup('shop')
  const endpoint = before.NodeGroups![0]!.PrimaryEndpoint!
  const writer = redisAt(endpoint)
  try {
    await writer.set('before', '1')
    await writer.wait(2, 1000)
    const seen = scenario.control.link.seen()!.groups.find((g) => g.id === 'shop')!
    process.kill(seen.nodes.find((node) => node.role === 'primary')!.pid!, 'SIGKILL')
    await writer.set('after', '1')
    assert.equal(await writer.get('before'), '1')
    const after = await scenario.until(async () => {
      const group = await scenario.group('shop')
      assert.equal(group.Status, 'available')
      assert.equal(rolesOf(group)['shop-001'], 'replica')
      return group
    })
    assert.deepEqual(after.NodeGroups![0]!.PrimaryEndpoint, endpoint)
    const [winner] = Object.entries(rolesOf(after)).find(([, role]) => role === 'primary')!
    const failover = `Failover from primary node shop-001 to replica node ${winner} completed`
    await scenario.until(async () => {
      assert.equal((await scenario.messages('replication-group', 'shop')).at(-1), failover)
      const messages = await scenario.messages('cache-cluster', 'shop-001')
      assert.equal(messages.at(-1), 'Finished recovery for cache nodes 0001')
      assert.deepEqual(new Set(messages.slice(2, -1)), new Set([failover, 'Recovering cache nodes 0001']))
    })
  } finally {
    writer.disconnect()
  }
})

test('a parameter group for all members; a rebooted primary hands over first, so the data stays', async () => {
  const { client } = scenario
  const PG = { CacheParameterGroupName: 'eight' }
  await client.send(
    new sdk.CreateCacheParameterGroupCommand({ ...PG, CacheParameterGroupFamily: 'redis7', Description: 'x' }),
  )
  await client.send(
    new sdk.ModifyCacheParameterGroupCommand({
      ...PG,
      ParameterNameValues: [
        { ParameterName: 'databases', ParameterValue: '8' },
        { ParameterName: 'timeout', ParameterValue: '300' },
      ],
    }),
  )
  await client.send(new sdk.ModifyReplicationGroupCommand({ ReplicationGroupId: 'shop', ...PG }))
  const before = await scenario.until(async () => {
    const group = await scenario.group('shop')
    assert.equal(group.Status, 'available')
    for (const id of group.MemberClusters!) {
      assert.equal((await scenario.cluster(id)).CacheParameterGroup!.ParameterApplyStatus, 'pending-reboot')
    }
    return group
  })
  const primaryId = Object.entries(rolesOf(before)).find(([, role]) => role === 'primary')![0]
  await client.send(new sdk.RebootCacheClusterCommand({ CacheClusterId: primaryId, CacheNodeIdsToReboot: ['0001'] }))
  await scenario.until(async () => {
    const group = await scenario.group('shop')
    assert.equal(group.Status, 'available')
    assert.equal(rolesOf(group)[primaryId], 'replica')
    assert.equal((await scenario.cluster(primaryId)).CacheParameterGroup!.ParameterApplyStatus, 'in-sync')
  })
  const rebooted = (await scenario.cluster(primaryId)).CacheNodes![0]!.Endpoint!
  const writer = redisAt(before.NodeGroups![0]!.PrimaryEndpoint!)
  try {
    const primary = before.NodeGroups![0]!.PrimaryEndpoint!
    assert.equal(await settingOf(scenario.home, 'shop', rebooted.Address!, 'databases'), '8')
    assert.equal(await settingOf(scenario.home, 'shop', primary.Address!, 'timeout'), '300')
    await writer.set('rebooted', '1')
    assert.equal(await writer.get('before'), '1')
  } finally {
    writer.disconnect()
  }
})

test('replicas come and go while the data stays', async () => {
  const { client } = scenario
  const count = { ReplicationGroupId: 'shop', ApplyImmediately: true }
  const before = await availableGroup('shop')
  await client.send(new sdk.IncreaseReplicaCountCommand({ ...count, NewReplicaCount: 3 }))
  const grown = await availableGroup('shop')
  assert.deepEqual(grown.MemberClusters, ['shop-001', 'shop-002', 'shop-003', 'shop-004'])
  const added = redisAt((await scenario.cluster('shop-004')).CacheNodes![0]!.Endpoint!)
  try {
    await scenario.until(async () => assert.equal(await added.get('before'), '1'))
  } finally {
    added.disconnect()
  }
  const tags = await client.send(
    new sdk.ListTagsForResourceCommand({ ResourceName: (await scenario.cluster('shop-004')).ARN }),
  )
  assert.deepEqual(tags.TagList, [{ Key: 'team', Value: 'shop' }])
  await client.send(new sdk.DecreaseReplicaCountCommand({ ...count, NewReplicaCount: 1 }))
  const shrunk = await scenario.until(async () => {
    const group = await scenario.group('shop')
    assert.equal(group.Status, 'available')
    assert.equal(group.MemberClusters!.length, 2)
    return group
  })
  const primaryOf = (group: sdk.ReplicationGroup) =>
    Object.entries(rolesOf(group)).find(([, role]) => role === 'primary')![0]
  assert.equal(primaryOf(shrunk), primaryOf(before))
  const primary = redisAt(shrunk.NodeGroups![0]!.PrimaryEndpoint!)
  try {
    assert.equal(await primary.get('before'), '1')
  } finally {
    primary.disconnect()
  }
})

test('a deleted group is gone for the waiter, with its members', async () => {
  const { client } = scenario
  const pids = scenario.control.link.seen()!.groups[0]!.nodes.map((node) => node.pid!)
  await client.send(new sdk.DeleteReplicationGroupCommand({ ReplicationGroupId: 'shop' }))
  await sdk.waitUntilReplicationGroupDeleted({ client, ...WAIT }, { ReplicationGroupId: 'shop' })
  const left = await client.send(new sdk.DescribeCacheClustersCommand({}))
  assert.deepEqual(left.CacheClusters, [])
  for (const pid of pids) await scenario.until(async () => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }))
})

/** What one text command of memcached answers, up to and with `end`. */
async function ask(endpoint: sdk.Endpoint, command: string, end: string): Promise<string> {
  const socket = connect(endpoint.Port!, endpoint.Address!)
  await once(socket, 'connect')
  socket.write(command)
  let text = ''
  for await (const chunk of socket) {
    text += chunk
    if (text.endsWith(end)) break
  }
  return text
}

test('memcached: discovery at the configuration endpoint follows the node count', async () => {
  const { client } = scenario
  const id = { CacheClusterId: 'mc' }
  await client.send(
    new sdk.CreateCacheClusterCommand({
      ...id,
      Engine: 'memcached',
      CacheNodeType: 'cache.t3.micro',
      NumCacheNodes: 2,
    }),
  )
  const available = () =>
    scenario.until(async () => {
      const found = await scenario.cluster('mc')
      assert.equal(found.CacheClusterStatus, 'available')
      return found
    })
  const discovered = async (cluster: sdk.CacheCluster) => {
    const text = await ask(cluster.ConfigurationEndpoint!, 'config get cluster\r\n', 'END\r\n')
    const [, version, nodes] = /^CONFIG cluster 0 \d+\r\n(\d+)\n(.*)\n\r\nEND\r\n$/.exec(text)!
    return { version: Number(version), addresses: nodes!.split(' ').map((item) => item.split('|')[1]) }
  }
  const addressesOf = (cluster: sdk.CacheCluster) => cluster.CacheNodes!.map((node) => node.Endpoint!.Address)
  const two = await available()
  const first = await discovered(two)
  assert.deepEqual(new Set(first.addresses), new Set(addressesOf(two)))
  const [node] = two.CacheNodes!
  assert.equal(await ask(node!.Endpoint!, 'set k 0 0 1\r\nv\r\n', '\r\n'), 'STORED\r\n')

  await client.send(new sdk.ModifyCacheClusterCommand({ ...id, NumCacheNodes: 3, ApplyImmediately: true }))
  const three = await available()
  assert.equal(three.CacheNodes!.length, 3)
  const second = await discovered(three)
  assert.deepEqual(new Set(second.addresses), new Set(addressesOf(three)))
  assert.ok(second.version > first.version)
  assert.match(
    await ask(node!.Endpoint!, 'get k\r\n', 'END\r\n'),
    /^VALUE k 0 1\r\nv\r\n/,
    'the old node was left alone',
  )

  await client.send(
    new sdk.ModifyCacheClusterCommand({
      ...id,
      NumCacheNodes: 2,
      CacheNodeIdsToRemove: ['0002'],
      ApplyImmediately: true,
    }),
  )
  const fewer = await available()
  assert.deepEqual(
    fewer.CacheNodes!.map((n) => n.CacheNodeId),
    ['0001', '0003'],
  )
  assert.deepEqual(new Set((await discovered(fewer)).addresses), new Set(addressesOf(fewer)))
  assert.deepEqual((await scenario.messages('cache-cluster', 'mc')).slice(-2), [
    'Finished modifying number of nodes from 2 to 3',
    'Removed cache nodes 0002',
  ])
})
