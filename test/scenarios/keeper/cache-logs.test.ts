//! Slow log and engine log of real engines on their way to files, a bucket and a stream; destinations that fail, and a
//! control that goes and comes again.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { Redis } from 'ioredis'
import { logDeliveryTask } from '../../../src/control/tasks/log-delivery.ts'
import type { LogDestination } from '../../../src/domain/log-destination.ts'
import { ElastiCacheScenario, redisAt, WAIT } from '../../support/elasticache-scenario.ts'
import { S3_KEYS, type S3Server, startS3 } from '../../support/s3-server.ts'

let scenario: ElastiCacheScenario
let s3: S3Server
let redis: Redis
const problems: string[] = []
const destinations = new Map<string, LogDestination>([
  ['bucket', { kind: 's3', bucket: 'private-logs', prefix: 'caches' }],
  ['stream', { kind: 'redis', url: 'redis://shop', key: 'logs' }],
])

before(async () => {
  scenario = await ElastiCacheScenario.start()
  s3 = await startS3([{ name: 'private-logs' }])
  const { client } = scenario
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'with logs',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      LogDeliveryConfigurations: [slowLogTo('/shop/slow', 'json'), engineLogTo('engine', 'json')],
    }),
  )
  await sdk.waitUntilReplicationGroupAvailable({ client, ...WAIT }, { ReplicationGroupId: 'shop' })
  redis = redisAt((await scenario.group('shop')).NodeGroups![0]!.PrimaryEndpoint!)
})
after(async () => {
  redis?.disconnect()
  await s3?.close()
  await scenario?.end()
})

const slowLogTo = (LogGroup: string, LogFormat: sdk.LogFormat): sdk.LogDeliveryConfigurationRequest => ({
  LogType: 'slow-log',
  DestinationType: 'cloudwatch-logs',
  DestinationDetails: { CloudWatchLogsDetails: { LogGroup } },
  LogFormat,
})
const engineLogTo = (DeliveryStream: string, LogFormat: sdk.LogFormat): sdk.LogDeliveryConfigurationRequest => ({
  LogType: 'engine-log',
  DestinationType: 'kinesis-firehose',
  DestinationDetails: { KinesisFirehoseDetails: { DeliveryStream } },
  LogFormat,
})

/** One round of the task, as a control of its own would run it. */
async function deliver(): Promise<void> {
  const { state, link } = scenario.control
  await logDeliveryTask({
    state,
    keeper: link,
    destinations,
    onProblem: (line) => problems.push(line),
    sinks: {
      directory: join(scenario.home, 'logs'),
      s3: { endpoint: s3.url, region: 'us-east-1', keys: S3_KEYS },
      addressOf: async (id) => {
        const group = (await state.get('replication-group', id))?.doc
        return group?.primaryEndpoint ? { host: group.primaryEndpoint, port: group.port } : null
      },
    },
  }).run()
}

/** Takes longer than the 10 ms of slowlog-log-slower-than. */
const slow = (mark: string): Promise<unknown> =>
  redis.eval(
    `local from = redis.call('TIME') repeat local now = redis.call('TIME')
     until (now[1] - from[1]) * 1000000 + now[2] - from[2] > 15000 return ARGV[1]`,
    0,
    mark,
  )

async function modify(...LogDeliveryConfigurations: sdk.LogDeliveryConfigurationRequest[]): Promise<void> {
  await scenario.client.send(
    new sdk.ModifyReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      LogDeliveryConfigurations,
      ApplyImmediately: true,
    }),
  )
}

async function statuses(): Promise<string[]> {
  const { LogDeliveryConfigurations: logs = [] } = await scenario.group('shop')
  return logs.map(({ LogType: type, Status, Message }) => [type, Status, Message ?? ''].join(' ').trim())
}

/** The member that is primary, whose slow log it is. */
async function primary(): Promise<string> {
  const { NodeGroupMembers: members } = (await scenario.group('shop')).NodeGroups![0]!
  return members!.find(({ CurrentRole: role }) => role === 'primary')!.CacheClusterId!
}

const fileOf = async (group: string, cluster: string, log: string): Promise<string[]> => {
  const file = join(scenario.home, 'logs', group, 'elasticache/redis', cluster, '0001', log)
  return (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean)
}

test('deliveries are enabling until the first look, then active, on the group and its members', async () => {
  assert.deepEqual(await statuses(), ['slow-log enabling', 'engine-log enabling'])
  const pending = (await scenario.group('shop')).PendingModifiedValues!.LogDeliveryConfigurations!
  assert.equal(pending.length, 2)
  await deliver()
  assert.deepEqual(await statuses(), ['slow-log active', 'engine-log active'])
  const member = await scenario.cluster('shop-002')
  assert.equal(member.ReplicationGroupLogDeliveryEnabled, true)
  assert.deepEqual(
    member.LogDeliveryConfigurations!.map(({ Status }) => Status),
    ['active', 'active'],
  )
})

test('slow commands go to a file of the log group once, over a restart of control and one of the node', async () => {
  await slow('first')
  await deliver()
  await scenario.restartControl(() => slow('second') as Promise<void>)
  await deliver()
  await deliver()
  const cluster = await primary()
  const marks = async (): Promise<string[]> => {
    const lines = (await fileOf('/shop/slow', cluster, 'slow-log')).map((line) => JSON.parse(line))
    for (const line of lines) {
      const { CacheClusterId: id, CacheNodeId: node, ClientAddress: address } = line
      assert.deepEqual([id, node], [cluster, '0001'])
      // The engine has no address for a client that had gone before its command ended.
      assert.match(address, /^(127\.\d+\.\d+\.\d+:\d+|\?:0)$/)
      assert.ok(line['Duration (us)'] > 10_000 && line.Timestamp > 1_700_000_000 && Number.isInteger(line.Id))
    }
    return lines.filter(({ Command }) => /^(eval|EVAL)/.test(Command)).map(({ Command }) => Command.split(' ').at(-1))
  }
  assert.deepEqual(await marks(), ['first', 'second'])
})

test('lines of the engine go to a file of the delivery stream, with level, role and UTC', async () => {
  const { client } = scenario
  const since = (await fileOf('engine', 'shop-002', 'engine-log')).length
  await client.send(new sdk.RebootCacheClusterCommand({ CacheClusterId: 'shop-002', CacheNodeIdsToReboot: ['0001'] }))
  await scenario.until(async () => assert.equal((await scenario.cluster('shop-002')).CacheClusterStatus, 'available'))
  await scenario.until(async () => {
    await deliver()
    const lines = (await fileOf('engine', 'shop-002', 'engine-log')).slice(since).map((line) => JSON.parse(line))
    const started = lines.find(({ Message }) => /Ready to accept connections/.test(Message))
    assert.ok(started, JSON.stringify(lines.slice(-3)))
    assert.deepEqual(
      [started.CacheClusterId, started.LogLevel, started.Role],
      ['shop-002', 'NOTICE', 'M'].with(2, started.Role),
    )
    assert.match(started.Role, /^[MS]$/)
    const age = Date.now() - Date.parse(started.Time)
    assert.ok(age >= -1000 && age < 60_000, `${started.Time} is ${age} ms ago`)
  })
})

test('a bucket gets objects below its prefix, as text', async () => {
  await modify(slowLogTo('bucket', 'text'))
  assert.equal((await statuses())[0], 'slow-log modifying')
  await deliver()
  await slow('to-the-bucket')
  await deliver()
  assert.equal((await statuses())[0], 'slow-log active')
  const bucket = new S3Client({ endpoint: s3.url, region: 'us-east-1', credentials: S3_KEYS, forcePathStyle: true })
  const listed = await bucket.send(new ListObjectsV2Command({ Bucket: 'private-logs' }))
  const stream = `caches/elasticache/redis/${await primary()}/0001/slow-log/`
  const keys = listed.Contents!.map(({ Key }) => Key!)
  assert.ok(keys.every((key) => /^caches\/elasticache\/redis\/shop-00\d\/0001\/slow-log\/.*\.log$/.test(key)))
  const texts = await Promise.all(
    keys
      .filter((key) => key.startsWith(stream))
      .map(async (Key) => {
        const { Body } = await bucket.send(new GetObjectCommand({ Bucket: 'private-logs', Key }))
        return Body!.transformToString()
      }),
  )
  bucket.destroy()
  assert.match(texts.join(''), /^shop-00\d,0001,\d{10},\d{5,},eval .*to-the-bucket,127\.\d+\.\d+\.\d+:\d+,\n/im)
})

test('a stream of a cache of the installation gets an entry a line', async () => {
  await modify(slowLogTo('stream', 'json'))
  await deliver()
  await slow('to-the-stream')
  await deliver()
  const entries = await redis.xrange('logs', '-', '+')
  const found = entries.find(([, fields]) => fields[3]!.includes('to-the-stream'))!
  assert.equal(found[1][0], 'stream')
  assert.equal(found[1][1], `elasticache/redis/${await primary()}/0001/slow-log`)
  assert.equal(JSON.parse(found[1][3]!).CacheNodeId, '0001')
})

test('a destination that is not there is an error with a message, and gets what it missed when it comes', async () => {
  const port = await freePort()
  destinations.set('later', { kind: 'redis', url: `redis://127.0.0.1:${port}`, key: 'logs' })
  await modify(slowLogTo('later', 'json'))
  await deliver()
  assert.match((await statuses())[0]!, /^slow-log error .*ECONNREFUSED/)
  destinations.set('later', { kind: 's3', bucket: 'no-such-bucket', prefix: '' })
  await deliver()
  assert.match((await statuses())[0]!, /^slow-log error .*404 for the bucket no-such-bucket/)
  // The engine is not held up meanwhile, and remembers.
  await slow('while-it-was-away')
  destinations.set('later', { kind: 'file' })
  await deliver()
  assert.equal((await statuses())[0], 'slow-log active')
  const lines = await fileOf('later', await primary(), 'slow-log')
  assert.ok(lines.some((line) => line.includes('while-it-was-away')))
  assert.deepEqual(problems, [])
})

test('a delivery that is taken away is gone with the place where it was read', async () => {
  await modify({ LogType: 'slow-log', Enabled: false } as sdk.LogDeliveryConfigurationRequest)
  assert.equal((await statuses())[0], 'slow-log disabling')
  await deliver()
  assert.deepEqual(await statuses(), ['engine-log active'])
  const cursors = await scenario.control.state.list('log-cursor')
  assert.deepEqual(
    cursors.map(({ id }) => id),
    ['shop-001/0001/engine-log', 'shop-002/0001/engine-log'],
  )
})

async function freePort(): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
