//! Snapshots as a user has them, with the SDK on real engines: captured, listed, copied, exported to S3 and to a folder,
//! loaded by a stock redis-server, and deleted.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Redis } from 'ioredis'
import { ElastiCacheScenario, redisAt } from '../../support/elasticache-scenario.ts'
import { S3_KEYS, type S3Server, startS3 } from '../../support/s3-server.ts'

let scenario: ElastiCacheScenario
let s3: S3Server
let bucket: S3Client
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cachefront-exports-'))
  s3 = await startS3([{ name: 'backups' }])
  bucket = new S3Client({ endpoint: s3.url, region: 'us-east-1', credentials: S3_KEYS, forcePathStyle: true })
  scenario = await ElastiCacheScenario.start({
    s3: { endpoint: s3.url, region: 'us-east-1', keys: S3_KEYS },
    folders: new Map([['exports', folder]]),
  })
})
after(async () => {
  await scenario.end()
  bucket.destroy()
  await s3.close()
  await rm(folder, { recursive: true })
})

const snapshot = async (SnapshotName: string) =>
  (await scenario.client.send(new sdk.DescribeSnapshotsCommand({ SnapshotName }))).Snapshots![0]!

const reaches = (name: string, status: string) =>
  scenario.until(async () => {
    const found = await snapshot(name)
    assert.equal(found.SnapshotStatus, status)
    return found
  })

const availableGroup = (id: string) =>
  scenario.until(async () => {
    const found = await scenario.group(id)
    assert.equal(found.Status, 'available')
    return found
  })

/** Data of several kinds, in two databases, with a function and a time to live. */
async function fill(redis: Redis): Promise<void> {
  await redis.mset(...Array.from({ length: 500 }, (_, n) => [`product:${n}`, `price ${n}`]).flat())
  await redis.hset('cart', { apple: '1', pear: '2' })
  await redis.zadd('board', '3', 'ann', '5', 'bob')
  await redis.set('session', 'ann', 'EX', 5000)
  await redis.call('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('one', function() return 1 end)")
  await redis.select(3)
  await redis.set('elsewhere', 'yes')
  await redis.select(0)
}

/** What must be the same afterwards. */
async function contents(redis: Redis): Promise<object> {
  const ttl = await redis.ttl('session')
  assert.ok(ttl > 4000 && ttl <= 5000, `time to live ${ttl}`)
  await redis.select(3)
  const elsewhere = await redis.get('elsewhere')
  await redis.select(0)
  return {
    keys: await redis.dbsize(),
    price: await redis.get('product:499'),
    cart: await redis.hgetall('cart'),
    board: await redis.zrange('board', '0', '-1'),
    elsewhere,
    functions: await redis.call('FCALL', 'one', '0'),
  }
}

const EXPECTED = {
  keys: 503,
  price: 'price 499',
  cart: { apple: '1', pear: '2' },
  board: ['ann', 'bob'],
  elsewhere: 'yes',
  functions: 1,
}

/** A redis-server as the operating system has it, with this dump.rdb; ended by the test. */
async function stockRedis(t: { after(end: () => Promise<void>): void }, rdb: Buffer | null): Promise<Redis> {
  const directory = await mkdtemp(join(tmpdir(), 'stock-redis-'))
  if (rdb !== null) await writeFile(join(directory, 'dump.rdb'), rdb)
  const path = join(directory, 'redis.sock')
  const options = ['--port', '0', '--unixsocket', path, '--dir', directory, '--save', '']
  const server: ChildProcess = spawn('redis-server', options, { stdio: 'ignore' })
  const redis = new Redis({ path, retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  t.after(async () => {
    redis.disconnect()
    server.kill('SIGKILL')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    await rm(directory, { recursive: true })
  })
  return redis
}

test('a group is snapshotted from a replica; the source is snapshotting meanwhile', async () => {
  const { client } = scenario
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'the shop',
      Engine: 'redis',
      EngineVersion: '7.0',
      CacheNodeType: 'cache.t3.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
    }),
  )
  const group = await availableGroup('shop')
  const redis = redisAt(group.NodeGroups![0]!.PrimaryEndpoint!)
  try {
    await fill(redis)
    await redis.wait(1, 5000)
  } finally {
    redis.disconnect()
  }
  const made = await client.send(new sdk.CreateSnapshotCommand({ SnapshotName: 's', ReplicationGroupId: 'shop' }))
  assert.equal(made.Snapshot!.SnapshotStatus, 'creating')
  const done = await reaches('s', 'available')
  assert.equal(done.NodeSnapshots![0]!.CacheClusterId, 'shop-002')
  assert.match(done.NodeSnapshots![0]!.CacheSize!, /^\d+ MB$/)
  assert.equal(done.EngineVersion, '7.0.15')
  await availableGroup('shop')
  assert.equal(
    (await scenario.messages('replication-group', 'shop')).at(-1),
    "Snapshot succeeded for snapshot with ID 's' of replication group with ID 'shop'",
  )
})

test('an export to S3 is an RDB that a stock redis-server loads', async (t) => {
  const { client } = scenario
  const command = new sdk.CopySnapshotCommand({
    SourceSnapshotName: 's',
    TargetSnapshotName: 'Export',
    TargetBucket: 'backups',
  })
  assert.equal((await client.send(command)).Snapshot!.SnapshotStatus, 'exporting')
  await reaches('s', 'available')
  const object = await bucket.send(new GetObjectCommand({ Bucket: 'backups', Key: 'Export-0001.rdb' }))
  const redis = await stockRedis(t, Buffer.from(await object.Body!.transformToByteArray()))
  assert.deepEqual(await contents(redis), EXPECTED)
  await assert.rejects(client.send(command), {
    name: /InvalidParameterValue/,
    message: 'The S3 bucket backups already contains an object with key Export-0001.rdb.',
  })
  await assert.rejects(client.send(new sdk.CopySnapshotCommand({ ...command.input, TargetBucket: 'nobody-has-it' })), {
    message: 'The S3 bucket nobody-has-it does not exist.',
  })
})

test('an export to a folder: whole or not there, for its owner alone', async (t) => {
  const { client } = scenario
  const command = new sdk.CopySnapshotCommand({
    SourceSnapshotName: 's',
    TargetSnapshotName: 'shop',
    TargetBucket: 'exports.folder.cachefront',
  })
  await client.send(command)
  await reaches('s', 'available')
  assert.deepEqual(await readdir(folder), ['shop-0001.rdb'])
  const redis = await stockRedis(t, await readFile(join(folder, 'shop-0001.rdb')))
  assert.deepEqual(await contents(redis), EXPECTED)
  await assert.rejects(client.send(command), { message: /already contains an object with key shop-0001.rdb/ })
})

test('a copy outlives its source and its group', async () => {
  const { client } = scenario
  await client.send(new sdk.CopySnapshotCommand({ SourceSnapshotName: 's', TargetSnapshotName: 'kept' }))
  await reaches('kept', 'available')
  await client.send(new sdk.DeleteSnapshotCommand({ SnapshotName: 's' }))
  await scenario.until(async () => {
    const { Snapshots } = await client.send(new sdk.DescribeSnapshotsCommand({ ReplicationGroupId: 'shop' }))
    assert.deepEqual(
      Snapshots!.map((one) => one.SnapshotName),
      ['kept'],
    )
  })
  assert.equal((await readdir(join(scenario.home, 'snapshots'))).length, 1)
})
