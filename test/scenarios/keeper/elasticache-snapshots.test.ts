//! Snapshots as a user has them, with the SDK on real engines: captured, listed, copied, exported to S3 and to a folder,
//! loaded by a stock redis-server, and deleted.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
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

const FUNCTION = `#!lua name=lib
redis.register_function{function_name='one', callback=function() return 1 end, flags={'no-writes'}}`

/** Data of several kinds, in two databases, with a function and a time to live. */
async function fill(redis: Redis): Promise<void> {
  await redis.mset(...Array.from({ length: 500 }, (_, n) => [`product:${n}`, `price ${n}`]).flat())
  await redis.hset('cart', { apple: '1', pear: '2' })
  await redis.zadd('board', '3', 'ann', '5', 'bob')
  await redis.set('session', 'ann', 'EX', 5000)
  await redis.call('FUNCTION', 'LOAD', FUNCTION)
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

/** Of every key with its value as the engine keeps it, in every database. (DEBUG DIGEST is closed in our engines.) */
async function digestOf(redis: Redis): Promise<string> {
  const hash = createHash('sha256')
  for (const database of [0, 3]) {
    await redis.select(database)
    for (const key of (await redis.keys('*')).sort()) {
      hash.update(`${database} ${key} `).update((await redis.dumpBuffer(key)) ?? '')
    }
  }
  await redis.select(0)
  return hash.digest('hex')
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

test('a snapshot becomes a new group with another size, port and node type; the snapshot is restoring meanwhile', async () => {
  const { client } = scenario
  const made = client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'again',
      ReplicationGroupDescription: 'from a snapshot',
      SnapshotName: 'kept',
      CacheNodeType: 'cache.t3.small',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
      Port: 7001,
    }),
  )
  assert.equal((await made).ReplicationGroup!.Status, 'creating')
  const group = await availableGroup('again')
  const [shard] = group.NodeGroups!
  const source = redisAt((await scenario.group('shop')).NodeGroups![0]!.PrimaryEndpoint!)
  const primary = redisAt(shard!.PrimaryEndpoint!)
  const reader = redisAt(shard!.ReaderEndpoint!)
  try {
    assert.equal(shard!.PrimaryEndpoint!.Port, 7001)
    assert.deepEqual(await contents(primary), EXPECTED)
    assert.deepEqual(await contents(reader), EXPECTED)
    assert.equal(await digestOf(primary), await digestOf(source))
    await primary.set('written', 'after')
  } finally {
    for (const redis of [source, primary, reader]) redis.disconnect()
  }
  await reaches('kept', 'available')
  assert.deepEqual(await scenario.messages('replication-group', 'again'), ['Replication group created'])
})

test('a dump of a stock redis-server in a bucket becomes a cluster; what is no dump fails for good', async (t) => {
  const { client } = scenario
  const stock = await stockRedis(t, null)
  await fill(stock)
  await stock.save()
  const [, directory] = (await stock.config('GET', 'dir')) as [string, string]
  const dump = await readFile(join(directory, 'dump.rdb'))
  const put = (Key: string, Body: Buffer) => bucket.send(new PutObjectCommand({ Bucket: 'backups', Key, Body }))
  await put('dumps/mine.rdb', dump)
  const create = (CacheClusterId: string, key: string) =>
    client.send(
      new sdk.CreateCacheClusterCommand({
        CacheClusterId,
        Engine: 'redis',
        CacheNodeType: 'cache.t3.micro',
        SnapshotArns: [`arn:aws:s3:::backups/${key}`],
      }),
    )
  await create('imported', 'dumps/mine.rdb')
  const cluster = await scenario.until(async () => {
    const found = await scenario.cluster('imported')
    assert.equal(found.CacheClusterStatus, 'available')
    return found
  })
  const redis = redisAt(cluster.CacheNodes![0]!.Endpoint!)
  try {
    assert.deepEqual(await contents(redis), EXPECTED)
  } finally {
    redis.disconnect()
  }
  await put('cut.rdb', dump.subarray(0, dump.length - 20))
  await create('broken', 'cut.rdb')
  await scenario.until(async () =>
    assert.equal((await scenario.cluster('broken')).CacheClusterStatus, 'restore-failed'),
  )
  assert.match((await scenario.messages('cache-cluster', 'broken')).at(-1)!, /^Failed to create the cache cluster from/)
  await assert.rejects(create('third', 'none.rdb'), {
    message: /^Unable to fetch metadata from S3 for bucket: backups/,
  })
  // Nothing is left of what was read, and nothing is shown of it.
  await scenario.until(async () => {
    const { Snapshots } = await client.send(new sdk.DescribeSnapshotsCommand({}))
    assert.deepEqual(
      Snapshots!.map((one) => one.SnapshotName),
      ['kept'],
    )
    assert.equal((await readdir(join(scenario.home, 'snapshots'))).length, 1)
  })
})

test('data that is larger than the node type: create-failed, and it can be deleted', async () => {
  const { client } = scenario
  const stored = (await scenario.control.state.get('snapshot', 'kept'))!.doc
  await scenario.control.state.transact((tx) =>
    tx.put('snapshot', 'huge', { ...stored, name: 'huge', memoryBytes: 2 ** 34 }),
  )
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'small',
      ReplicationGroupDescription: 'x',
      SnapshotName: 'huge',
    }),
  )
  await scenario.until(async () => assert.equal((await scenario.group('small')).Status, 'create-failed'))
  await client.send(new sdk.DeleteReplicationGroupCommand({ ReplicationGroupId: 'small' }))
  await scenario.until(() => assert.rejects(scenario.group('small'), { name: /ReplicationGroupNotFound/ }))
})

test('automatic snapshots by the clock: a day of it makes one; a group that goes takes its own along', async () => {
  const { client } = scenario
  const of = { ReplicationGroupId: 'again' }
  const automatic = async () =>
    (await client.send(new sdk.DescribeSnapshotsCommand({ ...of, SnapshotSource: 'system' }))).Snapshots!
  await availableGroup('again')
  await client.send(new sdk.ModifyReplicationGroupCommand({ ...of, SnapshotRetentionLimit: 3 }))
  assert.deepEqual(await automatic(), [])
  scenario.advance(24 * 3_600_000)
  const [first] = await scenario.until(async () => {
    const found = await automatic()
    assert.equal(found.length, 1)
    assert.equal(found[0]!.SnapshotStatus, 'available')
    return found
  })
  assert.match(first!.SnapshotName!, /^automatic\.again-\d{4}-\d\d-\d\d-\d\d-\d\d$/)
  assert.equal(first!.SnapshotSource, 'automated')
  await availableGroup('again')
  await client.send(new sdk.DeleteReplicationGroupCommand({ ...of, FinalSnapshotIdentifier: 'last' }))
  assert.equal((await scenario.group('again')).Status, 'deleting')
  await scenario.until(() => assert.rejects(scenario.group('again'), { name: /ReplicationGroupNotFound/ }))
  await scenario.until(async () => assert.deepEqual(await automatic(), []))
  const last = await reaches('last', 'available')
  assert.equal(last.NodeSnapshots![0]!.CacheClusterId, 'again-001')
})

test('control ends in the middle of a snapshot and of an export: the next one finishes both', async () => {
  const { client } = scenario
  await availableGroup('shop')
  await client.send(new sdk.CreateSnapshotCommand({ SnapshotName: 'interrupted', ReplicationGroupId: 'shop' }))
  await scenario.restartControl(async () => {})
  await reaches('interrupted', 'available')
  await client.send(
    new sdk.CopySnapshotCommand({
      SourceSnapshotName: 'interrupted',
      TargetSnapshotName: 'interrupted',
      TargetBucket: 'exports.folder.cachefront',
    }),
  )
  await scenario.restartControl(async () => {})
  await reaches('interrupted', 'available')
  assert.deepEqual((await readdir(folder)).sort(), ['interrupted-0001.rdb', 'shop-0001.rdb'])
})
