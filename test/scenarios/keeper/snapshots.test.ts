//! Snapshots by the keeper: captured from real engines as a replica would, sealed, deleted only when they are named.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Vault } from '../../../src/keeper/snapshots/vault.ts'
import type { SnapshotSeen, SnapshotWish } from '../../../src/keeper/snapshots/wish.ts'
import { KeeperHost, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'

let host: KeeperHost
let vault: Vault
before(async () => {
  host = await KeeperHost.start()
  vault = new Vault(host.home)
})
after(() => host.end())

const wishOf = (id: string, change: Partial<SnapshotWish> = {}): SnapshotWish => ({
  id,
  group: 'shop',
  from: 'replica',
  kmsKeyId: null,
  ...change,
})

const shop = redisGroup('shop', 2)

async function finished(id: string): Promise<SnapshotSeen> {
  const find = (snapshots: readonly SnapshotSeen[]): SnapshotSeen | undefined =>
    snapshots.find((one) => one.id === id && one.state !== 'capturing')
  return find((await host.waitFor((seen) => find(seen.snapshots) !== undefined)).snapshots)!
}

async function bytesOf(id: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of (await vault.open(id)).rdb()) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('a replica is captured, whole, with its facts; nothing is wished of it twice', async () => {
  host.wish([shop])
  const group = await host.settled('shop')
  const redis = await redisAt(group.endpoint)
  const value = randomBytes(300_000)
  for (let n = 0; n < 20; n++) await redis.set(`big:${n}`, Buffer.concat([Buffer.from(String(n)), value]))
  await redis.select(3)
  await redis.set('elsewhere', 'too', 'EX', 1000)
  await redis.wait(1, 5000)
  redis.disconnect()
  host.wish([shop], [], { snapshots: [wishOf('first')] })
  const seen = await finished('first')
  assert.equal(seen.problem, null)
  assert.equal(seen.node, replicasOf(group)[0]!.id)
  assert.deepEqual(seen.facts?.keys, { '0': 20, '3': 1 })
  assert.equal(seen.facts?.engineVersion, group.nodes[0]!.binaryVersion)
  assert.equal(seen.bytes, seen.facts?.rdbBytes)
  const rdb = await bytesOf('first')
  assert.equal(rdb.length, seen.bytes)
  assert.ok(rdb.includes(value) && rdb.includes('elsewhere'))
  const file = join(host.home, 'snapshots/first/data.sealed')
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
  assert.equal(readFileSync(file).includes(value.subarray(0, 40)), false)
  host.wish([shop], [], { snapshots: [wishOf('first'), wishOf('second', { from: 'primary' })] })
  assert.equal((await finished('second')).node, primaryOf(group).id)
  assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), hash)
})

test('a snapshot stays when nobody wishes it, across keepers and without its group, until its deletion is wished', async () => {
  host.wish([], [])
  await host.waitFor((seen) => seen.groups.length === 0)
  await host.killKeeper()
  await host.startKeeper()
  const ids = (snapshots: readonly SnapshotSeen[]): string => snapshots.map((one) => `${one.id} ${one.state}`).join()
  await host.waitFor(
    (seen) => host.client.hello?.pid === host.process.pid && ids(seen.snapshots) === 'first ready,second ready',
  )
  host.wish([], [], { snapshotDeletions: ['second', 'never-was'] })
  await host.waitFor((seen) => ids(seen.snapshots) === 'first ready')
  assert.equal(existsSync(join(host.home, 'snapshots/second')), false)
})

test('what cannot be captured fails with its reason, and the failure is remembered', async () => {
  host.wish([shop], [], {
    snapshots: [wishOf('no-group', { group: 'nobody' }), wishOf('no-key', { kmsKeyId: 'alias/none' })],
  })
  assert.match((await finished('no-group')).problem!, /there is no group nobody on this host/)
  assert.match((await finished('no-key')).problem!, /There is no key alias\/none: cachefront encryption-keys list/)
  await host.killKeeper()
  await host.startKeeper()
  await host.waitFor(() => host.client.hello?.pid === host.process.pid)
  assert.equal((await finished('no-group')).state, 'failed')
  host.wish([shop], [], { snapshotDeletions: ['no-group', 'no-key'] })
  await host.waitFor((seen) => seen.snapshots.length === 1)
})

test('a group that lost its data is not captured as an empty one', async () => {
  host.wish([shop])
  const group = await host.settled('shop')
  const redis = await redisAt(group.endpoint)
  await redis.set('precious', 'yes')
  redis.disconnect()
  // Frozen nodes are not captured, so the wish is known when they die, and waits for what comes after them.
  for (const { pid } of group.nodes) process.kill(pid!, 'SIGSTOP')
  host.wish([shop], [], { snapshots: [wishOf('last', { from: 'primary' })] })
  await host.waitFor((seen) => seen.snapshots.some((one) => one.id === 'last'))
  for (const { pid } of group.nodes) process.kill(pid!, 'SIGKILL')
  const seen = await finished('last')
  assert.equal(seen.state, 'failed')
  assert.match(seen.problem!, /group shop lost its data meanwhile: its primary came up empty/)
  // It is empty, and says so; what it is given from now on can be captured.
  await host.settled('shop')
  host.wish([shop], [], { snapshots: [wishOf('next', { from: 'primary' })] })
  assert.equal((await finished('next')).state, 'ready')
})
