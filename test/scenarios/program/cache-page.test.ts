//! `cachefront cache show` and `cache metrics` of the real program: each value of the page is what the API says, or what runs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import * as sdk from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import { cachefront, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

const run = promisify(execFile)
const WAIT = { maxWaitTime: 40, minDelay: 0.1, maxDelay: 0.5 }
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:alerts'

let installation: Installation
let client: sdk.ElastiCacheClient

before(async () => {
  installation = await up(await newHome(), '--topic', `${TOPIC}=http://127.0.0.1:1/`)
  client = new sdk.ElastiCacheClient({
    endpoint: installation.api,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'sessions and pages',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
      NotificationTopicArn: TOPIC,
    }),
  )
  await client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'pages',
      Engine: 'memcached',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheNodes: 2,
      AZMode: 'cross-az',
    }),
  )
  await sdk.waitUntilReplicationGroupAvailable({ client, ...WAIT }, { ReplicationGroupId: 'shop' })
  await sdk.waitUntilCacheClusterAvailable({ client, ...WAIT }, { CacheClusterId: 'pages' })
})
after(async () => {
  client?.destroy()
  if (installation !== undefined) assert.deepEqual(await endAll(installation.home), [])
})

interface Shown {
  readonly page: Readonly<Record<string, string>>
  readonly cacheNodes: readonly Readonly<Record<string, string>>[]
  readonly nodes: readonly { readonly pid: number; readonly binaryVersion: string }[]
}

async function show(name: string): Promise<Shown> {
  const { code, out, err } = await cachefront(installation.home, 'cache', 'show', name, '--json')
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1)
const endpoint = ({ Address, Port }: sdk.Endpoint): string => `${Address}:${Port}`

test('every value of a replication group is what the API and the keeper say', async () => {
  const group = (await client.send(new sdk.DescribeReplicationGroupsCommand({ ReplicationGroupId: 'shop' })))
    .ReplicationGroups![0]!
  const member = (
    await client.send(new sdk.DescribeCacheClustersCommand({ CacheClusterId: 'shop-001', ShowCacheNodeInfo: true }))
  ).CacheClusters![0]!
  const subnets = (
    await client.send(new sdk.DescribeCacheSubnetGroupsCommand({ CacheSubnetGroupName: member.CacheSubnetGroupName }))
  ).CacheSubnetGroups![0]!
  const [shard] = group.NodeGroups!
  const redis = new Redis(shard!.PrimaryEndpoint!.Port!, shard!.PrimaryEndpoint!.Address!)
  await redis.ping()
  const { page, cacheNodes, nodes } = await show('shop')
  redis.disconnect()
  const {
    'Update status': updates,
    'Connected compute resources': clients,
    'Security groups': security,
    ...rest
  } = page
  assert.deepEqual(rest, {
    'Cluster name': group.ReplicationGroupId,
    Description: group.Description,
    'Node type': group.CacheNodeType,
    Status: capital(group.Status!),
    Engine: capital(group.Engine!),
    'Engine version': member.EngineVersion,
    'Engine binary': nodes[0]!.binaryVersion,
    'Global datastore': '-',
    'Global datastore role': '-',
    'Cluster mode': 'Disabled',
    Shards: '1',
    'Number of nodes': '2',
    'Data tiering': capital(group.DataTiering!),
    'Multi-AZ': capital(group.MultiAZ!),
    'Auto-failover': 'Enabled',
    'Encryption in transit': group.TransitEncryptionEnabled ? 'Enabled' : 'Disabled',
    'Encryption at rest': group.AtRestEncryptionEnabled ? 'Enabled' : 'Disabled',
    'Parameter group': member.CacheParameterGroup!.CacheParameterGroupName,
    'Outpost ARN': '-',
    'Transit encryption mode': '-',
    'Certificate valid until': '-',
    'Configuration endpoint': '-',
    'Primary endpoint': endpoint(shard!.PrimaryEndpoint!),
    'Reader endpoint': endpoint(shard!.ReaderEndpoint!),
    ARN: group.ARN,
    'Network type': group.NetworkType,
    'IP discovery': group.IpDiscovery,
    'Subnet group': member.CacheSubnetGroupName,
    'VPC ID': subnets.VpcId,
    'AUTH default user access': 'Disabled',
    'AUTH token last modified': '-',
    'Encryption key': '-',
    'User group': '-',
    'User group association status': '-',
  })
  assert.match(updates!, /^(Up to date|Update available|-)$/)
  assert.match(clients!, /^127\.\d+\.\d+\.\d+$/)
  const groups = member.SecurityGroups!.map(({ SecurityGroupId, Status }) => `${SecurityGroupId} (${Status})`)
  assert.equal(security, groups.join(', ') || '-')
  assert.deepEqual(
    cacheNodes.map(({ NODE, ROLE }) => [NODE, ROLE]),
    [
      ['shop-001', 'Primary'],
      ['shop-002', 'Replica'],
    ],
  )
  assert.equal(cacheNodes[0]!.ENDPOINT, endpoint(member.CacheNodes![0]!.Endpoint!))
  assert.equal(cacheNodes[0]!.PID, String(nodes[0]!.pid))
})

test('a memcached cluster has its configuration endpoint, its zones and no access control', async () => {
  const command = new sdk.DescribeCacheClustersCommand({ CacheClusterId: 'pages', ShowCacheNodeInfo: true })
  const cluster = (await client.send(command)).CacheClusters![0]!
  const { page, cacheNodes } = await show('pages')
  assert.equal(page['Configuration endpoint'], endpoint(cluster.ConfigurationEndpoint!))
  assert.equal(page['Cluster name'], 'pages')
  assert.equal(page.Description, '-')
  assert.equal(page.Engine, 'Memcached')
  assert.equal(page['Engine version'], cluster.EngineVersion)
  assert.equal(page['Multi-AZ'], 'Enabled')
  assert.equal(page['Number of nodes'], '2')
  assert.equal(page['Primary endpoint'], '-')
  assert.equal(page['Connected compute resources'], '-')
  assert.deepEqual(
    cacheNodes.map((node) => [node.ID, node.ZONE, node.ENDPOINT]),
    cluster.CacheNodes!.map((node) => [node.CacheNodeId, node.CustomerAvailabilityZone, endpoint(node.Endpoint!)]),
  )
})

/** What the page says of encryption and access. */
const locks = ({ page }: Shown): Readonly<Record<string, string>> => {
  const labels = ['Encryption in transit', 'Transit encryption mode', 'Encryption at rest', 'Encryption key'] as const
  const more = ['AUTH default user access', 'AUTH token last modified', 'User group', 'User group association status']
  return Object.fromEntries([...labels, ...more].map((label) => [label, page[label] ?? 'no row']))
}

async function locked(id: string, how: Partial<sdk.CreateReplicationGroupCommandInput>): Promise<sdk.ReplicationGroup> {
  const about = {
    ReplicationGroupId: id,
    ReplicationGroupDescription: id,
    Engine: 'redis',
    CacheNodeType: 'cache.t4g.micro',
  }
  await client.send(
    new sdk.CreateReplicationGroupCommand({ ...about, NumCacheClusters: 1, TransitEncryptionEnabled: true, ...how }),
  )
  await sdk.waitUntilReplicationGroupAvailable({ client, ...WAIT }, { ReplicationGroupId: id })
  const found = await client.send(new sdk.DescribeReplicationGroupsCommand({ ReplicationGroupId: id }))
  return found.ReplicationGroups![0]!
}

test('a group with TLS and an AUTH token: its certificate is the one that its primary shows', async () => {
  const group = await locked('token', { AuthToken: 'a-token-of-some-length' })
  const shown = await show('token')
  assert.ok(group.AuthTokenEnabled && group.TransitEncryptionEnabled)
  assert.deepEqual(locks(shown), {
    'Encryption in transit': 'Enabled',
    'Transit encryption mode': capital(group.TransitEncryptionMode!),
    'Encryption at rest': 'Disabled',
    'Encryption key': '-',
    'AUTH default user access': 'Enabled',
    'AUTH token last modified': group.AuthTokenLastModifiedDate!.toISOString(),
    'User group': '-',
    'User group association status': '-',
  })
  const { Address: host, Port: port } = group.NodeGroups![0]!.PrimaryEndpoint!
  const ca = readFileSync(join(installation.home, 'tls', 'ca', 'ca.pem'))
  const socket = connect({ host: host!, port: port!, ca })
  await once(socket, 'secureConnect')
  const served = new Date(socket.getPeerX509Certificate()!.validTo).toISOString()
  socket.destroy()
  assert.equal(shown.page['Certificate valid until'], served)
})

test('a group with a user group and encryption at rest', async () => {
  const user = { UserId: 'app', UserName: 'default', Engine: 'redis', NoPasswordRequired: true }
  await client.send(new sdk.CreateUserCommand({ ...user, AccessString: 'on ~* +@all' }))
  await client.send(new sdk.CreateUserGroupCommand({ UserGroupId: 'team', Engine: 'redis', UserIds: ['app'] }))
  const group = await locked('users', { UserGroupIds: ['team'], AtRestEncryptionEnabled: true })
  assert.deepEqual([group.UserGroupIds, group.AtRestEncryptionEnabled], [['team'], true])
  assert.deepEqual(locks(await show('users')), {
    'Encryption in transit': 'Enabled',
    'Transit encryption mode': capital(group.TransitEncryptionMode!),
    'Encryption at rest': 'Enabled',
    'Encryption key': group.KmsKeyId ?? 'Default',
    'AUTH default user access': 'User group access control list',
    'AUTH token last modified': '-',
    'User group': 'team',
    'User group association status': 'Active',
  })
})

test('for a person it is a table, and a cache that is not there is told in words', async () => {
  const { out } = await cachefront(installation.home, 'cache', 'show', 'shop')
  assert.match(out, /^Cluster name {2,}shop$/m)
  assert.match(out, /^NODE +ID +STATUS +ROLE +ZONE/m)
  const { code, err } = await cachefront(installation.home, 'cache', 'show', 'nothing')
  assert.equal(code, 1)
  assert.match(err, /There is no cache nothing/)
})

test('its metrics are there for the command line and for Prometheus', async () => {
  const { code, out, err } = await cachefront(installation.home, 'cache', 'metrics', 'shop')
  assert.equal(code, 0, err)
  assert.match(out, /^METRIC +UNIT +STATISTIC +shop-001\/0001 +shop-002\/0001$/m)
  assert.match(out, /^IsMaster +Count +Average +1 +0$/m)
  const one = await cachefront(installation.home, 'cache', 'metrics', 'pages', '--metric', 'UnusedMemory', '--json')
  assert.equal(JSON.parse(one.out).nodes.length, 2)
  const text = await (await fetch(`${installation.api}/_cachefront/metrics`)).text()
  assert.match(text, /^cachefront_elasticache_is_master\{cache_cluster_id="shop-001",.*\} 1$/m)
})

test('CloudWatch of the AWS CLI reads them: list, statistics and data', async () => {
  const cloudwatch = async (...args: string[]): Promise<Record<string, unknown>> => {
    const all = ['cloudwatch', ...args, '--endpoint-url', installation.api, '--region', 'us-east-1', '--output', 'json']
    const env = { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_PAGER: '' }
    return JSON.parse((await run('/usr/bin/aws', all, { env })).stdout)
  }
  const dimensions = ['Name=CacheClusterId,Value=shop-001', 'Name=CacheNodeId,Value=0001']
  const listed = await cloudwatch('list-metrics', '--namespace', 'AWS/ElastiCache', '--dimensions', ...dimensions)
  const names = (listed.Metrics as { MetricName: string }[]).map(({ MetricName }) => MetricName)
  assert.ok(names.includes('CurrConnections') && names.includes('FreeableMemory'), names.join())

  const [from, to] = [Date.now() - 600_000, Date.now() + 60_000].map((at) => new Date(at).toISOString()) as [
    string,
    string,
  ]
  const asked = ['--namespace', 'AWS/ElastiCache', '--metric-name', 'IsMaster', '--period', '60']
  const times = ['--start-time', from, '--end-time', to]
  const given = await cloudwatch(
    'get-metric-statistics',
    ...asked,
    ...times,
    ...['--statistics', 'Maximum', 'SampleCount', '--dimensions', ...dimensions],
  )
  const points = given.Datapoints as { Maximum: number; SampleCount: number; Unit: string }[]
  assert.ok(points.length > 0)
  assert.deepEqual([points[0]!.Maximum, points[0]!.SampleCount, points[0]!.Unit], [1, 1, 'Count'])

  const metric = {
    Namespace: 'AWS/ElastiCache',
    MetricName: 'CurrItems',
    Dimensions: [{ Name: 'CacheClusterId', Value: 'pages' }],
  }
  const query = { Id: 'items', MetricStat: { Metric: metric, Period: 3600, Stat: 'SampleCount' } }
  const data = await cloudwatch('get-metric-data', '--metric-data-queries', JSON.stringify([query]), ...times)
  const [result] = data.MetricDataResults as { Id: string; Values: number[] }[]
  assert.equal(result!.Id, 'items')
  // Both nodes of the cluster, at least a minute each.
  assert.ok(result!.Values.reduce((sum, value) => sum + value, 0) >= 2)
})
