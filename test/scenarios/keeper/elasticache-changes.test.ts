//! Changes of replication groups and clusters through the SDK on real engines: what they keep, what they say meanwhile, and
//! what waits for the maintenance window.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { ElastiCacheScenario, redisAt } from '../../support/elasticache-scenario.ts'

let scenario: ElastiCacheScenario

before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

const GROUP = {
  ReplicationGroupDescription: 'a group',
  Engine: 'redis',
  EngineVersion: '7.0',
  CacheNodeType: 'cache.t4g.micro',
}

const create = (ReplicationGroupId: string, changes: Partial<sdk.CreateReplicationGroupMessage>) =>
  scenario.client.send(new sdk.CreateReplicationGroupCommand({ ReplicationGroupId, ...GROUP, ...changes }))
const modify = async (ReplicationGroupId: string, changes: Partial<sdk.ModifyReplicationGroupMessage>) =>
  (await scenario.client.send(new sdk.ModifyReplicationGroupCommand({ ReplicationGroupId, ...changes })))
    .ReplicationGroup!
const drop = (ReplicationGroupId: string, changes: Partial<sdk.DeleteReplicationGroupMessage> = {}) =>
  scenario.client.send(new sdk.DeleteReplicationGroupCommand({ ReplicationGroupId, ...changes }))

/** The group once it is available and `accepts` it. */
const availableGroup = (id: string, accepts: (group: sdk.ReplicationGroup) => void = () => {}) =>
  scenario.until(async () => {
    const found = await scenario.group(id)
    assert.equal(found.Status, 'available')
    accepts(found)
    return found
  })

const availableCluster = (id: string, accepts: (cluster: sdk.CacheCluster) => void = () => {}) =>
  scenario.until(async () => {
    const found = await scenario.cluster(id)
    assert.equal(found.CacheClusterStatus, 'available')
    accepts(found)
    return found
  })

const primaryOf = (group: sdk.ReplicationGroup) =>
  group.NodeGroups![0]!.NodeGroupMembers!.find((member) => member.CurrentRole === 'primary')!.CacheClusterId!
const zonesOf = (group: sdk.ReplicationGroup) =>
  group.NodeGroups![0]!.NodeGroupMembers!.map((member) => member.PreferredAvailabilityZone)
const endpointOf = (group: sdk.ReplicationGroup) => group.NodeGroups![0]!.PrimaryEndpoint!
const pidOf = (group: string, node: string) =>
  scenario.control.link
    .seen()!
    .groups.find((g) => g.id === group)
    ?.nodes.find((n) => n.id === node)?.pid

/** Writes 500 keys at the endpoint. */
async function fill(endpoint: sdk.Endpoint): Promise<void> {
  const redis = redisAt(endpoint)
  const writes = Array.from({ length: 500 }, (_, n) => redis.set(`k:${n}`, 'v'.repeat(100)))
  await Promise.all(writes).finally(() => redis.disconnect())
}

async function keysAt(endpoint: sdk.Endpoint): Promise<number> {
  const redis = redisAt(endpoint)
  return redis.dbsize().finally(() => redis.disconnect())
}

test('Multi-AZ spreads members over zones; automatic failover says what it is doing', async () => {
  await create('zones', { NumCacheClusters: 3, AutomaticFailoverEnabled: true, MultiAZEnabled: true })
  const made = await availableGroup('zones')
  assert.equal(made.MultiAZ, 'enabled')
  assert.deepEqual(zonesOf(made), ['us-east-1a', 'us-east-1b', 'us-east-1c'])
  const answer = await modify('zones', { AutomaticFailoverEnabled: false, MultiAZEnabled: false })
  assert.equal(answer.Status, 'modifying')
  assert.equal(answer.AutomaticFailover, 'disabling')
  assert.equal(answer.PendingModifiedValues!.AutomaticFailoverStatus, 'disabled')
  const now = await availableGroup('zones')
  assert.deepEqual([now.AutomaticFailover, now.MultiAZ], ['disabled', 'disabled'])
  assert.equal(now.PendingModifiedValues!.AutomaticFailoverStatus, undefined)
})

test('replicas come and go by ReplicaConfiguration, in the zones that it names', async () => {
  const { client } = scenario
  const shard = { NodeGroupId: '0001' }
  const ids = { ReplicationGroupId: 'zones', ApplyImmediately: true }
  const less = { ...shard, NewReplicaCount: 1, PreferredAvailabilityZones: ['us-east-1a', 'us-east-1c'] }
  await client.send(new sdk.DecreaseReplicaCountCommand({ ...ids, ReplicaConfiguration: [less] }))
  const fewer = await availableGroup('zones', (group) => assert.equal(group.MemberClusters!.length, 2))
  assert.deepEqual(fewer.MemberClusters, ['zones-001', 'zones-003'])
  const zones = ['us-east-1a', 'us-east-1c', 'us-east-1e']
  const more = { ...shard, NewReplicaCount: 2, PreferredAvailabilityZones: zones }
  await client.send(new sdk.IncreaseReplicaCountCommand({ ...ids, ReplicaConfiguration: [more] }))
  const grown = await availableGroup('zones', (group) => assert.equal(group.MemberClusters!.length, 3))
  assert.deepEqual(grown.MemberClusters, ['zones-001', 'zones-002', 'zones-003'])
  assert.deepEqual(zonesOf(grown).sort(), zones)
  assert.deepEqual((await scenario.messages('replication-group', 'zones')).slice(1), [
    'Decreasing number of requested nodes',
    'Finished modifying number of nodes from 3 to 2',
    'Increasing number of requested nodes',
    'Finished modifying number of nodes from 2 to 3',
  ])
})

test('a chosen primary: at once, or in the maintenance window', async () => {
  const group = await availableGroup('zones')
  await fill(endpointOf(group))
  const [first = '', second = ''] = group.MemberClusters!.filter((id) => id !== primaryOf(group))
  const answer = await modify('zones', { PrimaryClusterId: first, ApplyImmediately: true })
  assert.equal(answer.PendingModifiedValues!.PrimaryClusterId, first)
  await availableGroup('zones', (now) => assert.equal(primaryOf(now), first))
  assert.equal(await keysAt(endpointOf(group)), 500)
  const waiting = await modify('zones', { PrimaryClusterId: second, PreferredMaintenanceWindow: windowIn(2) })
  assert.deepEqual([waiting.Status, waiting.PendingModifiedValues!.PrimaryClusterId], ['available', second])
  scenario.advance(2 * HOUR_MS)
  await availableGroup('zones', (now) => {
    assert.equal(primaryOf(now), second)
    assert.equal(now.PendingModifiedValues!.PrimaryClusterId, undefined)
  })
  assert.equal(await keysAt(endpointOf(group)), 500)
})

const HOUR_MS = 3_600_000
/** A maintenance window of an hour that begins within the `hours`th hour from now. */
function windowIn(hours: number): string {
  const shown = (ms: number): string => {
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][new Date(ms).getUTCDay()]
    return `${day}:${new Date(ms).toISOString().slice(11, 16)}`
  }
  const from = scenario.now() + hours * HOUR_MS - HOUR_MS / 2
  return `${shown(from)}-${shown(from + HOUR_MS)}`
}

test('an engine version waits for the window, is shown on the members, and keeps the data', async () => {
  const group = await availableGroup('zones')
  const pids = group.MemberClusters!.map((id) => pidOf('zones', id))
  const answer = await modify('zones', { EngineVersion: '7.1', PreferredMaintenanceWindow: windowIn(3) })
  assert.equal(answer.Status, 'available')
  assert.deepEqual(answer.PendingModifiedValues, {})
  const member = await scenario.cluster('zones-002')
  assert.deepEqual(member.PendingModifiedValues, { EngineVersion: '7.1.0' })
  assert.match(member.EngineVersion!, /^7\.0\./)
  scenario.advance(3 * HOUR_MS)
  await scenario.until(async () => assert.match((await scenario.cluster('zones-002')).EngineVersion!, /^7\.1\./))
  const now = await availableGroup('zones')
  for (const id of now.MemberClusters!) assert.deepEqual((await scenario.cluster(id)).PendingModifiedValues, {})
  for (const [at, id] of now.MemberClusters!.entries()) assert.notEqual(pidOf('zones', id), pids[at])
  assert.deepEqual(endpointOf(now), endpointOf(group))
  assert.equal(await keysAt(endpointOf(now)), 500)
  const last = (await scenario.messages('replication-group', 'zones')).at(-1)
  assert.equal(last, 'Succeeded upgrading from redis 7.0 to redis 7.1.')
})

test('a node type that holds the data is taken at once; the memory of every engine follows', async () => {
  const { client } = scenario
  const id = { ReplicationGroupId: 'zones' }
  const allowed = await client.send(new sdk.ListAllowedNodeTypeModificationsCommand(id))
  assert.ok(allowed.ScaleUpModifications!.includes('cache.t4g.small'))
  assert.ok(!allowed.ScaleUpModifications!.includes('cache.t4g.micro'), 'not the present one')
  const answer = await modify('zones', { CacheNodeType: 'cache.t4g.small', ApplyImmediately: true })
  assert.deepEqual([answer.Status, answer.CacheNodeType], ['modifying', 'cache.t4g.micro'])
  assert.deepEqual((await scenario.cluster('zones-001')).PendingModifiedValues, { CacheNodeType: 'cache.t4g.small' })
  const now = await availableGroup('zones', (group) => assert.equal(group.CacheNodeType, 'cache.t4g.small'))
  for (const member of now.NodeGroups![0]!.NodeGroupMembers!) {
    const redis = redisAt(member.ReadEndpoint!)
    const info = await redis.info('memory').finally(() => redis.disconnect())
    // 75% of 1471026299 bytes.
    assert.match(info, /^maxmemory:1103269724\r$/m)
  }
  const last = (await scenario.messages('replication-group', 'zones')).at(-1)
  assert.equal(last, 'Succeeded applying modification to cache node type to cache.t4g.small.')
  const down = await client.send(new sdk.ListAllowedNodeTypeModificationsCommand(id))
  assert.ok(down.ScaleDownModifications!.includes('cache.t4g.micro'), 'half a megabyte fits')
})

test('TestFailover: the events of AWS in their order, and the group works on', async () => {
  await modify('zones', { AutomaticFailoverEnabled: true })
  const group = await availableGroup('zones', (now) => assert.equal(now.AutomaticFailover, 'enabled'))
  const old = primaryOf(group)
  const oldPid = pidOf('zones', old)
  const before = (await scenario.messages('cache-cluster', old)).length
  const command = new sdk.TestFailoverCommand({ ReplicationGroupId: 'zones', NodeGroupId: '0001' })
  const { ReplicationGroup: answer } = await scenario.client.send(command)
  assert.equal(answer!.Status, 'modifying')
  const now = await availableGroup('zones', (after) => assert.notEqual(primaryOf(after), old))
  assert.notEqual(pidOf('zones', old), oldPid)
  assert.equal(await keysAt(endpointOf(now)), 500)
  const failover = `Failover from primary node ${old} to replica node ${primaryOf(now)} completed`
  await scenario.until(async () => {
    const ofGroup = await scenario.messages('replication-group', 'zones')
    assert.deepEqual(ofGroup.slice(-2), ['Test Failover API called for node group 0001', failover])
    assert.deepEqual((await scenario.messages('cache-cluster', old)).slice(before), [
      failover,
      'Recovering cache nodes 0001',
      'Finished recovery for cache nodes 0001',
    ])
  })
  await drop('zones')
})

test('a cluster becomes a group, grows, and its primary stays when the group goes: one process, one data set', async () => {
  const { client } = scenario
  await client.send(
    new sdk.CreateCacheClusterCommand({ CacheClusterId: 'seed', Engine: 'redis', CacheNodeType: 'cache.t4g.micro' }),
  )
  const seed = await availableCluster('seed')
  const own = seed.CacheNodes![0]!.Endpoint!
  await fill(own)
  const pid = pidOf('seed', 'seed')
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'tree',
      ReplicationGroupDescription: 'grown from seed',
      PrimaryClusterId: 'seed',
    }),
  )
  const group = await availableGroup('tree')
  assert.deepEqual(group.MemberClusters, ['seed'])
  assert.equal((await availableCluster('seed')).ReplicationGroupId, 'tree')
  assert.equal(pidOf('tree', 'seed'), pid)
  assert.equal(await keysAt(endpointOf(group)), 500)
  const ids = { ReplicationGroupId: 'tree', ApplyImmediately: true }
  await client.send(new sdk.IncreaseReplicaCountCommand({ ...ids, NewReplicaCount: 1 }))
  const grown = await availableGroup('tree', (now) => assert.equal(now.MemberClusters!.length, 2))
  assert.equal(await keysAt(grown.NodeGroups![0]!.ReaderEndpoint!), 500)

  await drop('tree', { RetainPrimaryCluster: true })
  const left = await availableCluster('seed', (now) => assert.equal(now.ReplicationGroupId, undefined))
  assert.deepEqual(left.CacheNodes![0]!.Endpoint, own)
  assert.equal(pidOf('seed', 'seed'), pid)
  assert.equal(await keysAt(own), 500)
  await scenario.until(() => assert.rejects(scenario.group('tree'), { name: 'ReplicationGroupNotFoundFault' }))
})

test('a lone cluster gets another version with its data; memcached begins empty', async () => {
  const { client } = scenario
  const lone = { Engine: 'redis', EngineVersion: '7.0', CacheNodeType: 'cache.t4g.micro' }
  await client.send(new sdk.CreateCacheClusterCommand({ CacheClusterId: 'lone', ...lone }))
  const items = { ...lone, Engine: 'memcached', EngineVersion: '1.6.17', NumCacheNodes: 2 }
  await client.send(new sdk.CreateCacheClusterCommand({ CacheClusterId: 'items', ...items }))
  const own = (await availableCluster('lone')).CacheNodes![0]!.Endpoint!
  await fill(own)
  await availableCluster('items')
  const pids = ['0001', '0002'].map((id) => pidOf('items', id))
  for (const [CacheClusterId, EngineVersion] of [
    ['lone', '7.1'],
    ['items', '1.6.22'],
  ] as const) {
    await client.send(new sdk.ModifyCacheClusterCommand({ CacheClusterId, EngineVersion, ApplyImmediately: true }))
  }
  const now = await availableCluster('lone', (cluster) => assert.match(cluster.EngineVersion!, /^7\.1\./))
  assert.deepEqual(now.CacheNodes![0]!.Endpoint, own)
  assert.equal(await keysAt(own), 500)
  await availableCluster('items', (cluster) => assert.match(cluster.EngineVersion!, /^1\.6\.22/))
  for (const [at, id] of ['0001', '0002'].entries()) assert.notEqual(pidOf('items', id), pids[at])
})

test('a reboot empties a cluster that stands alone, as on AWS; a member of a group gets its data back', async () => {
  const { client } = scenario
  const own = (await availableCluster('lone')).CacheNodes![0]!.Endpoint!
  await create('pair', { NumCacheClusters: 2 })
  const pair = await availableGroup('pair')
  await fill(endpointOf(pair))
  const reboot = async (CacheClusterId: string, group: string): Promise<void> => {
    const pid = pidOf(group, CacheClusterId)
    const { CacheCluster: answer } = await client.send(
      new sdk.RebootCacheClusterCommand({ CacheClusterId, CacheNodeIdsToReboot: ['0001'] }),
    )
    assert.equal(answer!.CacheClusterStatus, 'rebooting cluster nodes')
    await availableCluster(CacheClusterId, () => assert.notEqual(pidOf(group, CacheClusterId), pid))
  }
  await reboot('lone', 'lone')
  assert.equal(await keysAt(own), 0)
  // Without automatic failover nobody else becomes primary: the node is filled from its replica and goes on.
  await reboot('pair-001', 'pair')
  const now = await availableGroup('pair')
  assert.equal(primaryOf(now), 'pair-001')
  assert.equal(await keysAt(endpointOf(now)), 500)
  const messages = (await scenario.messages('cache-cluster', 'pair-001')).slice(-2)
  assert.deepEqual(messages, ['Cache node 0001 shutdown', 'Cache node 0001 restarted'])
})
