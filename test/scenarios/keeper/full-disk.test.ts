//! What becomes of data on its way to a disk that fills up: snapshots, imports and exports end as failed with the reason
//! and leave nothing; append-only files do what docs/encryption-at-rest.md says; all goes on when there is room again.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Redis } from 'ioredis'
import { FolderStore } from '../../../src/control/stores/folder-store.ts'
import { Vault } from '../../../src/keeper/snapshots/vault.ts'
import { KeeperHost, PATIENCE_MS, primaryOf, redisAt, redisGroup } from '../../support/keeper-host.ts'
import { rdbOf } from '../../support/rdb.ts'
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts'

const VALUE = randomBytes(100_000)
/** 6 MB of data. */
const KEYS = 60
const ABOUT = { kmsKeyId: null, startedAt: '2026-11-30T00:00:00Z', now: () => '2026-11-30T00:00:01Z' }

let disk: SmallDisk | null = null
let skip: string | false = false
const host = await KeeperHost.start(async (home) => {
  const note = (why = ''): void => {
    skip = why
  }
  disk = await mountSmallDisk({ skip: note }, home, '32m')
})
after(() => host.end(async () => disk?.unmount()))
const filler = join(host.home, 'filler')

/** Writes until nothing more fits, to the last block; then gives `spare` bytes back. */
function fill(spare: number): void {
  const reserve = join(host.home, 'reserve')
  if (spare > 0) writeFileSync(reserve, Buffer.alloc(spare))
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      assert.match((error as Error).message, /ENOSPC/)
    }
  }
  rmSync(reserve, { force: true })
}
const makeRoom = (): void => rmSync(filler, { force: true })

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const late = performance.now() + PATIENCE_MS
  while (!(await holds().catch(() => false))) {
    assert.ok(performance.now() < late, what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function ended(id: string) {
  const find = () => host.client.seen?.snapshots.find((one) => one.id === id && one.state !== 'capturing')
  await host.waitFor(() => find() !== undefined)
  return find()!
}

const put = (redis: Redis, key: string): Promise<string> => redis.set(key, VALUE).catch((error: Error) => error.message)

test('a capture that the disk has no room for fails with the reason and gives its room back; the group serves on', {
  skip,
}, async () => {
  const shop = redisGroup('shop', 2)
  host.wish([shop])
  const group = await host.settled('shop')
  const redis = await redisAt(group.endpoint)
  for (let n = 0; n < KEYS; n++) assert.equal(await put(redis, `key:${n}`), 'OK')
  await redis.wait(1, 5000)
  fill(3_000_000)
  const wishOf = (id: string) => ({ id, group: 'shop', from: 'replica', kmsKeyId: null }) as const
  host.wish([shop], [], { snapshots: [wishOf('no-room')] })
  const failed = await ended('no-room')
  assert.equal(failed.state, 'failed')
  assert.match(failed.problem!, /ENOSPC/)
  assert.deepEqual(readdirSync(join(host.home, 'snapshots/no-room')), ['failed.json'])
  // With not a byte left not even the failure can be written down; it is told all the same.
  fill(0)
  host.wish([shop], [], { snapshots: [wishOf('no-byte')] })
  assert.match((await ended('no-byte')).problem!, /ENOSPC/)
  const served = await host.settled('shop')
  assert.equal(served.problem, null)
  assert.deepEqual(
    served.nodes.map(({ pid }) => pid),
    group.nodes.map(({ pid }) => pid),
  )
  assert.equal(await put(redis, 'meanwhile'), 'OK')
  redis.disconnect()
  makeRoom()
  host.wish([shop], [], { snapshots: [wishOf('roomy')], snapshotDeletions: ['no-room', 'no-byte'] })
  assert.equal((await ended('roomy')).problem, null)
  host.wish([redisGroup('copy', 1, { restoreFrom: { snapshot: 'roomy' } })])
  const copy = await redisAt((await host.settled('copy')).endpoint)
  assert.equal(await copy.dbsize(), KEYS + 1)
  copy.disconnect()
  host.wish([])
  await host.waitFor(({ groups, snapshots }) => groups.length === 0 && snapshots.map(({ id }) => id).join() === 'roomy')
})

test('an import and an export that the disk has no room for leave nothing; with room they come through', {
  skip,
}, async () => {
  const vault = new Vault(host.home)
  const directory = join(host.home, 'exports')
  await mkdir(directory)
  const rdb = rdbOf('key', randomBytes(6_000_000))
  const imported = () =>
    vault.import(
      'moved-in',
      (async function* () {
        for (let at = 0; at < rdb.length; at += 100_000) yield rdb.subarray(at, at + 100_000)
      })(),
      ABOUT,
    )
  const store = new FolderStore('exports.folder.cachefront', directory)
  const exported = async () => {
    const { manifest, rdb } = await vault.open('roomy')
    await store.write('roomy-0001.rdb', rdb(), manifest.facts.rdbBytes, new AbortController().signal)
    return manifest.facts.rdbBytes
  }
  fill(2_000_000)
  await assert.rejects(imported(), /ENOSPC/)
  assert.equal(await vault.stored('moved-in'), null)
  await assert.rejects(exported(), /ENOSPC/)
  assert.deepEqual(readdirSync(directory), [])
  makeRoom()
  assert.equal((await imported()).facts.rdbBytes, rdb.length)
  await exported()
  assert.deepEqual(readdirSync(directory), ['roomy-0001.rdb'])
  rmSync(directory, { recursive: true })
  await vault.remove('moved-in')
})

test('everysec: the engine refuses writes while its file has no room, and takes them again; nothing that was kept is lost', {
  skip,
}, async () => {
  host.wish([redisGroup('file', 1, { appendonly: 'everysec' })])
  const group = await host.settled('file')
  const redis = await redisAt(group.endpoint)
  assert.equal(await put(redis, 'before'), 'OK')
  fill(200_000)
  let refusal = ''
  let accepted = 0
  await until('it refuses writes', async () => {
    refusal = await put(redis, `full:${accepted}`)
    if (refusal === 'OK') accepted++
    return refusal.startsWith('MISCONF')
  })
  assert.match(refusal, /No space left on device/)
  assert.equal((await redis.getBuffer('before'))!.length, VALUE.length)
  const meanwhile = await host.settled('file')
  assert.equal(meanwhile.nodes[0]!.pid, group.nodes[0]!.pid)
  makeRoom()
  await until('it takes writes again', async () => (await put(redis, 'after')) === 'OK')
  await until('all is on the disk', async () => {
    const info = await redis.info('persistence')
    return /aof_last_write_status:ok/.test(info) && /aof_buffer_length:0/.test(info)
  })
  const keys = (await redis.keys('*')).sort()
  redis.disconnect()
  process.kill(group.nodes[0]!.pid!, 'SIGKILL')
  const again = await redisAt((await host.settled('file', (g) => g.nodes[0]!.pid !== group.nodes[0]!.pid)).endpoint)
  assert.deepEqual((await again.keys('*')).sort(), keys)
  again.disconnect()
})

test('always: no write is answered that is not kept; with room the group is well again and has all that was answered', {
  skip,
}, async () => {
  host.wish([redisGroup('pair', 2, { appendonly: 'always' })])
  const group = await host.settled('pair')
  const redis = await redisAt(group.endpoint)
  assert.equal(await put(redis, 'before'), 'OK')
  await redis.wait(1, 5000)
  fill(250_000)
  const answered = ['before']
  let last = ''
  for (let n = 0; n < 10; n++) {
    last = await put(redis, `full:${n}`)
    if (last !== 'OK') break
    answered.push(`full:${n}`)
  }
  assert.notEqual(last, 'OK')
  redis.disconnect()
  // The engine has ended itself: it is seen, not passed over.
  await host.waitFor(() => host.eventWords().some((words) => words.startsWith(`node-lost ${primaryOf(group).id}`)))
  makeRoom()
  const well = await host.settled('pair', (g) => primaryOf(g).pid !== primaryOf(group).pid)
  assert.equal(well.problem, null)
  const again = await redisAt(well.endpoint)
  const present = await again.keys('*')
  for (const key of answered) assert.ok(present.includes(key), `${key} of ${present.join()}`)
  assert.equal(await put(again, 'after'), 'OK')
  assert.equal(await again.wait(1, 5000), 1)
  again.disconnect()
})
