//! Patterns that stand between an application and its data, on a real replication group: write-through and write-behind to
//! SQLite, the index of a bucket, the state of a Lambda function. Their processes are killed where it hurts.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import S3rver from 's3rver'
import type { OrderAnswer, OrderEvent } from './lambda-state.ts'
import { type S3EventRecord, S3Index } from './s3-index.ts'
import type { Cache } from './support/cache.ts'
import { type Group, startGroup } from './support/group.ts'
import { WriteBehind } from './write-behind.ts'
import { openDatabase, readValue } from './write-behind-worker.ts'
import { WriteThrough } from './write-through.ts'

let group: Group
let cache: Cache
let directory: string
before(async () => {
  group = await startGroup()
  cache = group.cache
})
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'patterns-'))
  await cache.primary.flushall()
})
after(() => group?.stop())

const primary = (): string => `${group.primary.host}:${group.primary.port}`

async function killPrimary(): Promise<void> {
  const [, pid] = /process_id:(\d+)/.exec(await cache.primary.info('server')) ?? []
  process.kill(Number(pid), 'SIGKILL')
}

test('write-through: readers see the new value, and neither a slow reader nor a late writer leaves an old one', async () => {
  const items = new WriteThrough(cache, join(directory, 'items.db'))
  assert.equal(await items.set('mug', 'blue'), 'written')
  assert.deepEqual([(await items.get('mug'))?.value, items.queries], ['blue', 0])
  const slow = items.read('mug')!
  await items.set('mug', 'green')
  assert.equal(await items.put('mug', slow), false)
  assert.deepEqual(await items.get('mug'), { value: 'green', version: 2 })
  await cache.primary.flushall()
  assert.deepEqual(
    [(await items.get('mug'))?.value, (await items.get('mug'))?.value, items.queries],
    ['green', 'green', 2],
  )
  assert.equal(await items.get('nothing'), null)
  items.close()
  rmSync(directory, { recursive: true })
})

test('write-behind: workers and the primary are killed, and the database has every write that was done, once', async () => {
  const file = join(directory, 'items.db')
  const env = { ...process.env, PATTERNS_PRIMARY: primary(), PATTERNS_DATABASE: file }
  const startWorker = async (): Promise<ChildProcess> => {
    const worker = fork(join(import.meta.dirname, 'write-behind-worker.ts'), {
      env,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    await once(worker, 'message')
    return worker
  }
  const kill = async (worker: ChildProcess): Promise<void> => {
    worker.kill('SIGKILL')
    await once(worker, 'exit')
  }
  const items = new WriteBehind(cache, 1)
  let worker = await startWorker()
  const done = new Map<string, string>()
  for (let n = 0; n < 300; n++) {
    const [id, value] = [`item-${n % 97}`, `value-${n}`]
    // A caller that got no answer asks again with the same id: it must not count twice, or come after a later one.
    await Promise.all([items.set(id, value, 30_000, `write-${n}`), items.set(id, value, 30_000, `write-${n}`)])
    done.set(id, value)
    if (n === 80 || n === 220) {
      await kill(worker)
      worker = await startWorker()
    }
    if (n === 150) await killPrimary()
  }
  while ((await items.backlog()) > 0);
  await kill(worker)
  const database = openDatabase(file)
  for (const [id, value] of done) assert.equal(readValue(database, id), value)
  const { writes } = database.prepare('SELECT COUNT(*) AS writes FROM write').get() as { writes: number }
  assert.equal(writes, 300)
  database.close()
  items.close()
  rmSync(directory, { recursive: true })
})

test('a write that the replicas do not have is not called done', async () => {
  const items = new WriteBehind(cache, 2)
  await assert.rejects(items.set('mug', 'blue', 1), /not every replica has it within 1 ms/)
  items.close()
})

test('the index of a bucket lists what ListObjects lists, page by page and by folders', async () => {
  const s3 = await startS3(directory)
  const keys = [
    'a/1.jpg',
    'a/2 ü.jpg',
    'a/b/3.jpg',
    'a/b/c.jpg',
    'b/1.jpg',
    '日本/富士.jpg',
    'top.txt',
    'a-b.txt',
    '🙂/x',
  ]
  await s3.client.send(new CreateBucketCommand({ Bucket: 'photos' }))
  for (const Key of keys) await s3.client.send(new PutObjectCommand({ Bucket: 'photos', Key, Body: Key }))
  const index = new S3Index(cache, 'photos')
  for (const [n, key] of keys.entries()) assert.equal(await index.apply(created(key, (n + 1).toString(16))), true)
  assert.equal(await cache.primary.wait(1, 30_000), 1)
  for (const Prefix of ['', 'a', 'a/', 'a/b/', '日', '🙂', 'none']) {
    const whole = await s3.client.send(new ListObjectsV2Command({ Bucket: 'photos', Prefix }))
    const listed = (whole.Contents ?? []).map(({ Key }) => Key)
    assert.deepEqual([...(await index.list(Prefix))].sort(), listed.sort(), `prefix ${Prefix}`)
    const split = await s3.client.send(new ListObjectsV2Command({ Bucket: 'photos', Prefix, Delimiter: '/' }))
    const folders = (split.CommonPrefixes ?? []).map((common) => common.Prefix)
    assert.deepEqual([...(await index.folders(Prefix))].sort(), folders.sort(), `folders of ${Prefix}`)
  }
  const inBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  assert.deepEqual(await index.list(''), inBytes, 'in the order of S3')
  const pages: string[] = []
  for (let after = ''; ; after = pages.at(-1) ?? '') {
    const page = await index.list('a/', { after, limit: 3 })
    pages.push(...page)
    if (page.length < 3) break
  }
  assert.deepEqual(pages, ['a/1.jpg', 'a/2 ü.jpg', 'a/b/3.jpg', 'a/b/c.jpg'])
  assert.deepEqual(await index.object('a/1.jpg'), { key: 'a/1.jpg', size: 7, etag: 'e' })
  await s3.stop()
  rmSync(directory, { recursive: true })
})

test('notifications that come late, twice or out of order leave the index as the bucket is', async () => {
  const index = new S3Index(cache, 'photos')
  const removed = (key: string, sequencer: string): S3EventRecord => ({
    ...created(key, sequencer),
    eventName: 'ObjectRemoved:Delete',
  })
  assert.equal(await index.apply(created('x', '00FF')), true)
  assert.equal(await index.apply(created('x', '00FF')), false, 'twice')
  assert.equal(await index.apply(removed('x', '100')), true, 'later although shorter')
  assert.equal(await index.apply(created('x', 'F0')), false, 'late')
  assert.equal(await cache.primary.wait(1, 30_000), 1)
  assert.deepEqual([await index.list(''), await index.object('x')], [[], null])
  assert.equal(await index.apply(created('x', '0101')), true, 'made again')
  assert.equal(
    await index.apply({ ...created('y', '1'), s3: { ...created('y', '1').s3, bucket: { name: 'other' } } }),
    false,
  )
  assert.equal(await cache.primary.wait(1, 30_000), 1)
  assert.deepEqual(await index.list(''), ['x'])
})

test('a Lambda function keeps its state over environments, and an event that comes twice counts once', async () => {
  const env = { ...process.env, CACHE_PRIMARY: primary() }
  const environment = (): ChildProcess => fork(join(import.meta.dirname, 'support/lambda-environment.ts'), { env })
  const invoke = async (child: ChildProcess, event: OrderEvent): Promise<OrderAnswer> => {
    child.send(event)
    const [{ answer, error }] = (await once(child, 'message')) as [{ answer: OrderAnswer; error?: string }]
    assert.equal(error, undefined)
    return answer
  }
  const order = (id: string): OrderEvent => ({ id, customer: 'ada', cents: 1_000 })
  const [warm, cold] = [environment(), environment()]
  assert.deepEqual(await invoke(warm, order('1')), { orders: 1, spentCents: 1_000, repeated: false })
  assert.deepEqual(await invoke(cold, order('2')), { orders: 2, spentCents: 2_000, repeated: false })
  // The environment dies after its work, before Lambda has the answer: Lambda sends the event again, to another one.
  warm.kill('SIGKILL')
  await once(warm, 'exit')
  assert.deepEqual(await invoke(cold, order('1')), { orders: 1, spentCents: 1_000, repeated: true })
  assert.deepEqual(await invoke(cold, order('3')), { orders: 3, spentCents: 3_000, repeated: false })
  const ended = once(cold, 'exit')
  cold.disconnect()
  await ended
})

const created = (key: string, sequencer: string): S3EventRecord => ({
  eventName: 'ObjectCreated:Put',
  s3: {
    bucket: { name: 'photos' },
    object: { key: encodeURIComponent(key).replaceAll('%20', '+'), size: Buffer.byteLength(key), eTag: 'e', sequencer },
  },
})

async function startS3(directory: string) {
  const server = createServer(new S3rver({ directory, silent: true, configureBuckets: [] }).callback()).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true })
  const stop = async (): Promise<void> => {
    client.destroy()
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { client, stop }
}
