//! Runs in a network namespace (source-filter.test.ts): security groups and subnets as allow lists on real engines, told
//! by the address that a client comes from.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { ElastiCacheScenario } from './elasticache-scenario.ts'

const WEB = '127.0.1.0/24'
const BATCH = '127.0.2.0/24'
/** In no network that is defined; the usual source of a client on this host. */
const ELSEWHERE = '127.0.0.1'
const NETWORKS = {
  securityGroups: new Map([
    ['sg-web', [WEB]],
    ['sg-batch', [BATCH, '127.0.2.7/32']],
  ]),
  subnets: new Map([
    ['subnet-a', ['127.0.1.0/25']],
    ['subnet-b', ['127.0.1.128/25']],
  ]),
}
const LIMIT = { timeout: 50_000 }

let scenario: ElastiCacheScenario
before(async () => {
  scenario = await ElastiCacheScenario.start({ networks: NETWORKS })
})
after(() => scenario.end())

/** Whether somebody at `from` gets an answer. */
async function answers(from: string, { Address, Port }: sdk.Endpoint): Promise<boolean> {
  const socket = connect({ host: Address!, port: Port!, localAddress: from })
  try {
    await once(socket, 'connect')
    // Both engines answer a line they do not know.
    socket.write('hello?\r\n')
    await once(socket, 'data')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const reached = async (from: string, endpoints: readonly sdk.Endpoint[]): Promise<boolean[]> =>
  Promise.all(endpoints.map((endpoint) => answers(from, endpoint)))

async function availableCluster(id: string): Promise<sdk.CacheCluster> {
  return scenario.until(async () => {
    const cluster = await scenario.cluster(id)
    assert.equal(cluster.CacheClusterStatus, 'available')
    return cluster
  })
}

async function groupEndpoints(): Promise<sdk.Endpoint[]> {
  const { NodeGroups: nodeGroups } = await scenario.group('shop')
  const { PrimaryEndpoint, ReaderEndpoint, NodeGroupMembers } = nodeGroups![0]!
  return [PrimaryEndpoint!, ReaderEndpoint!, ...NodeGroupMembers!.map((member) => member.ReadEndpoint!)]
}

const all = (answer: boolean, endpoints: readonly unknown[]): boolean[] => endpoints.map(() => answer)
const rules = (): string => execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })

test('a replication group answers its security group at every address, and nobody else', LIMIT, async () => {
  await scenario.client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'x',
      NumCacheClusters: 3,
      AutomaticFailoverEnabled: true,
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      SecurityGroupIds: ['sg-web'],
    }),
  )
  for (const id of ['shop-001', 'shop-002', 'shop-003']) {
    const cluster = await availableCluster(id)
    assert.deepEqual(cluster.SecurityGroups, [{ SecurityGroupId: 'sg-web', Status: 'active' }])
  }
  await scenario.until(async () => assert.equal((await scenario.group('shop')).Status, 'available'))
  const endpoints = await groupEndpoints()
  assert.equal(endpoints.length, 5)
  assert.deepEqual(await reached('127.0.1.9', endpoints), all(true, endpoints))
  assert.deepEqual(await reached(ELSEWHERE, endpoints), all(false, endpoints))
  assert.deepEqual(await reached('127.0.2.9', endpoints), all(false, endpoints))
})

test('another security group holds at once, for connections that exist too', LIMIT, async () => {
  const endpoints = await groupEndpoints()
  const { Address, Port } = endpoints[0]!
  const old = connect({ host: Address!, port: Port!, localAddress: '127.0.1.9' })
  await once(old, 'connect')
  const ended = new Promise((resolve) => old.once('close', resolve))
  old.on('error', () => {})
  await scenario.client.send(
    new sdk.ModifyReplicationGroupCommand({ ReplicationGroupId: 'shop', SecurityGroupIds: ['sg-batch'] }),
  )
  await scenario.until(async () => {
    const { SecurityGroups: groups } = await scenario.cluster('shop-001')
    assert.deepEqual(groups, [{ SecurityGroupId: 'sg-batch', Status: 'active' }])
  })
  old.write('PING\r\n')
  await ended
  assert.deepEqual(await reached('127.0.2.9', endpoints), all(true, endpoints))
  assert.deepEqual(await reached('127.0.1.9', endpoints), all(false, endpoints))
  assert.ok((await scenario.messages('cache-cluster', 'shop-001')).includes('Applied change to security group'))
})

test('failover goes on behind the filter; rules that somebody removed come back', LIMIT, async () => {
  const before = scenario.control.link.seen()!.groups.find(({ id }) => id === 'shop')!
  const primary = before.nodes.find((node) => node.role === 'primary')!
  process.kill(primary.pid!, 'SIGKILL')
  await scenario.until(async () => {
    const messages = await scenario.messages('replication-group', 'shop')
    assert.ok(messages.some((message) => message.startsWith('Failover from')))
    assert.equal((await scenario.group('shop')).Status, 'available')
  })
  const endpoints = await groupEndpoints()
  assert.deepEqual(await reached('127.0.2.9', endpoints), all(true, endpoints))
  assert.deepEqual(await reached(ELSEWHERE, endpoints), all(false, endpoints))
  execFileSync('nft', ['flush', 'ruleset'])
  await scenario.until(async () => assert.match(rules(), /cachefront_/))
  assert.deepEqual(await reached(ELSEWHERE, endpoints), all(false, endpoints))
})

test('memcached: nodes and configuration endpoint; subnets with networks count besides', LIMIT, async () => {
  await scenario.client.send(
    new sdk.CreateCacheSubnetGroupCommand({
      CacheSubnetGroupName: 'half',
      CacheSubnetGroupDescription: 'x',
      SubnetIds: ['subnet-a'],
    }),
  )
  const unknown = new sdk.CreateCacheSubnetGroupCommand({
    CacheSubnetGroupName: 'other',
    CacheSubnetGroupDescription: 'x',
    SubnetIds: ['subnet-a', 'subnet-zz'],
  })
  await assert.rejects(scenario.client.send(unknown), { name: 'InvalidSubnet' })
  await scenario.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'mem',
      Engine: 'memcached',
      NumCacheNodes: 2,
      CacheNodeType: 'cache.t4g.micro',
      CacheSubnetGroupName: 'half',
      SecurityGroupIds: ['sg-web'],
    }),
  )
  const cluster = await availableCluster('mem')
  const endpoints = [cluster.ConfigurationEndpoint!, ...cluster.CacheNodes!.map((node) => node.Endpoint!)]
  assert.deepEqual(await reached('127.0.1.9', endpoints), all(true, endpoints))
  // In the security group, not in the subnet.
  assert.deepEqual(await reached('127.0.1.200', endpoints), all(false, endpoints))
  assert.deepEqual(await reached(ELSEWHERE, endpoints), all(false, endpoints))
  await scenario.client.send(
    new sdk.ModifyCacheSubnetGroupCommand({ CacheSubnetGroupName: 'half', SubnetIds: ['subnet-a', 'subnet-b'] }),
  )
  await scenario.until(async () => assert.deepEqual(await reached('127.0.1.200', endpoints), all(true, endpoints)))
})

test('a second process that stands in for the only node is guarded before it has any data', LIMIT, async () => {
  await scenario.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'only',
      Engine: 'redis',
      EngineVersion: '7.0',
      CacheNodeType: 'cache.t4g.micro',
      SecurityGroupIds: ['sg-web'],
    }),
  )
  await availableCluster('only')
  const monitor = spawn('nft', ['monitor'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let changes = ''
    monitor.stdout.on('data', (text: Buffer) => {
      changes += text
    })
    await scenario.client.send(
      new sdk.ModifyCacheClusterCommand({ CacheClusterId: 'only', EngineVersion: '7.1', ApplyImmediately: true }),
    )
    await scenario.until(async () => assert.match((await availableCluster('only')).EngineVersion!, /^7\.1/))
    // The engine that gave way tells who copied its data.
    const log = readFileSync(join(scenario.home, 'nodes', 'only', 'only', 'log'), 'utf8')
    const standIn = /Replica (127\.[\d.]+):\d+ asks for synchronization/.exec(log)?.[1]
    assert.ok(standIn, log)
    await scenario.until(async () => assert.match(changes, new RegExp(`[ {]${standIn}[ ,]`)))
  } finally {
    monitor.kill()
  }
  await scenario.client.send(new sdk.DeleteCacheClusterCommand({ CacheClusterId: 'only' }))
})

test(
  'what the operator has not defined is refused; an open cluster stays open; the table goes with the last',
  LIMIT,
  async () => {
    const open = { Engine: 'redis', CacheNodeType: 'cache.t4g.micro' }
    const create = (CacheClusterId: string, SecurityGroupIds?: string[]) =>
      scenario.client.send(new sdk.CreateCacheClusterCommand({ CacheClusterId, ...open, SecurityGroupIds }))
    await assert.rejects(create('no', ['sg-none']), /--security-group sg-none=/)
    await create('open')
    const { CacheNodes: nodes, SecurityGroups: none } = await availableCluster('open')
    assert.deepEqual(none, [])
    assert.equal(await answers(ELSEWHERE, nodes![0]!.Endpoint!), true)
    await scenario.client.send(new sdk.DeleteReplicationGroupCommand({ ReplicationGroupId: 'shop' }))
    await scenario.client.send(new sdk.DeleteCacheClusterCommand({ CacheClusterId: 'mem' }))
    await scenario.until(async () => assert.doesNotMatch(rules(), /cachefront_/))
  },
)
