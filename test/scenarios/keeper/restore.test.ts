//! Groups that get their data from a snapshot: whole, or not at all, whoever dies in the middle.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { GroupSeen, GroupWish } from '../../../src/keeper/protocol.ts'
import { Vault } from '../../../src/keeper/snapshots/vault.ts'
import type { RestoreSeen } from '../../../src/keeper/snapshots/wish.ts'
import { KeeperHost, primaryOf, redisAt, redisGroup } from '../../support/keeper-host.ts'
import { rdbOf } from '../../support/rdb.ts'

const LIBRARY = "#!lua name=shop\nredis.register_function('two', function() return 2 end)"

let host: KeeperHost
let vault: Vault
before(async () => {
  host = await KeeperHost.start()
  vault = new Vault(host.home)
  host.wish([redisGroup('source', 1)])
  const group = await host.settled('source')
  const redis = await redisAt(group.endpoint)
  const value = randomBytes(500_000)
  for (let n = 0; n < 40; n++) await redis.set(`big:${n}`, Buffer.concat([Buffer.from(`${n} `), value]))
  await redis.zadd('board', 3, 'c', 1, 'a')
  await redis.set('soon', 'gone', 'EX', 5000)
  await redis.call('FUNCTION', 'LOAD', LIBRARY)
  await redis.select(5)
  await redis.hset('user:1', 'name', 'Ada')
  redis.disconnect()
  host.wish([redisGroup('source', 1)], [], {
    snapshots: [{ id: 'whole', group: 'source', from: 'primary', kmsKeyId: null }],
  })
  await host.waitFor((seen) => seen.snapshots[0]?.state === 'ready')
})
after(() => host.end())

const from = (snapshot: string, id: string, count = 1, change: Partial<GroupWish> = {}): GroupWish =>
  redisGroup(id, count, { restoreFrom: { snapshot }, ...change })

async function restoreOf(id: string, accepts: (restore: RestoreSeen) => boolean): Promise<GroupSeen> {
  const find = (groups: readonly GroupSeen[]): GroupSeen | undefined =>
    groups.find((one) => one.id === id && one.restore !== undefined && accepts(one.restore))
  return find((await host.waitFor((seen) => find(seen.groups) !== undefined)).groups)!
}

const failed = (id: string): Promise<GroupSeen> => restoreOf(id, (restore) => restore.state === 'failed')

/** Everything that the source holds, as DEBUG DIGEST of an engine that allows it would: keys, values, times, functions. */
async function assertWhole(group: GroupSeen, address = group.endpoint): Promise<void> {
  const redis = await redisAt(address)
  // By name, and both at one moment: a key that is not the source's says whose it is.
  const [[, keys], [, count]] = (await redis.multi().keys('*').dbsize().exec()) as [[null, string[]], [null, number]]
  assert.deepEqual(keys.sort(), [...Array.from({ length: 40 }, (_, n) => `big:${n}`), 'board', 'soon'].sort())
  assert.equal(count, keys.length)
  assert.ok((await redis.ttl('soon')) > 4000)
  assert.deepEqual(await redis.zrange('board', '0', '-1'), ['a', 'c'])
  assert.equal((await redis.getBuffer('big:39'))!.length, 500_003)
  assert.match(String(await redis.call('FUNCTION', 'LIST')), /library_name,shop/)
  await redis.select(5)
  assert.equal(await redis.hget('user:1', 'name'), 'Ada')
  redis.disconnect()
}

/** True when somebody listens at the address. */
async function answers(address: string): Promise<boolean> {
  const socket = connect(6379, address)
  const isOpen = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return isOpen
}

test('a group of three gets the data in its primary, then in its replicas, and takes writes', async () => {
  host.wish([from('whole', 'three', 3)])
  const group = await host.settled('three')
  assert.equal(group.restore?.state, 'done')
  assert.equal(group.restore?.bytes, group.restore?.bytesTotal)
  await assertWhole(group)
  await assertWhole(group, group.nodes.find((node) => node.role === 'replica')!.address)
  const redis = await redisAt(group.endpoint)
  await redis.set('new', '1')
  assert.equal(await redis.wait(2, 5000), 2)
  redis.disconnect()
  // It is done once: what the group is now is its own.
  process.kill(primaryOf(group).pid!, 'SIGKILL')
  const after = await host.settled('three', (g) => primaryOf(g).id !== primaryOf(group).id)
  const again = await redisAt(after.endpoint)
  assert.equal(await again.get('new'), '1')
  again.disconnect()
})

test('a keeper or an engine killed in the middle of a restore: it begins anew and ends whole', async () => {
  host.wish([from('whole', 'cut')])
  const loading = await restoreOf('cut', (restore) => restore.state === 'loading')
  await host.killKeeper()
  await host.startKeeper()
  const again = await restoreOf('cut', (restore) => restore.attempt > 1 && restore.state !== 'waiting')
  assert.ok(again.restore!.attempt >= 2)
  const group = await host.settled('cut')
  assert.notEqual(primaryOf(group).pid, loading.nodes[0]!.pid, 'the half filled engine is not the one that serves')
  await assertWhole(group)
  host.wish([from('whole', 'shot')])
  const shot = await restoreOf('shot', (restore) => restore.state === 'loading')
  process.kill(shot.nodes[0]!.pid!, 'SIGKILL')
  await assertWhole(await host.settled('shot'))
})

test('a snapshot that was tampered with or cut off fails with its reason; nothing of the group is served', async () => {
  const file = join(host.home, 'snapshots/whole/data.sealed')
  const data = readFileSync(file)
  const flipped = Buffer.from(data)
  flipped[data.length - 3_000_000]! ^= 1
  try {
    writeFileSync(file, flipped)
    host.wish([from('whole', 'bent', 2)])
    const bent = await failed('bent')
    assert.match(bent.restore!.problem!, /frame \d+ is not authentic/)
    writeFileSync(file, data.subarray(0, 5_000_000))
    host.wish([from('whole', 'bent', 2), from('whole', 'short')])
    const short = await failed('short')
    assert.match(short.restore!.problem!, /was cut off/)
    const seen = await host.waitFor((all) =>
      all.groups.every((group) => group.nodes.every((node) => node.pid === null)),
    )
    for (const group of seen.groups) {
      for (const address of [group.endpoint, ...group.nodes.map((node) => node.address)]) {
        assert.equal(await answers(address), false, address)
      }
    }
  } finally {
    writeFileSync(file, data)
  }
})

test('a newer RDB, data that does not fit, an unknown snapshot and bytes that the engine refuses fail with their reasons', async () => {
  const about = { kmsKeyId: null, startedAt: '2026-11-30T00:00:00Z', now: () => '2026-11-30T00:00:01Z' }
  const put = (id: string, rdb: Buffer) =>
    vault.import(
      id,
      (async function* () {
        yield rdb
      })(),
      about,
    )
  const newer = rdbOf('k', Buffer.from('v'), 'none')
  newer.write('REDIS0099')
  await put('newer', newer)
  const garbage = rdbOf('k', Buffer.from('v'), 'none')
  // The type of its only value.
  garbage[garbage.indexOf(Buffer.from([0xfb, 1, 0])) + 3] = 0x77
  await put('garbage', garbage)
  await put('plain', rdbOf('imported', Buffer.from('value')))
  host.wish([
    from('newer', 'newer'),
    from('nowhere', 'nowhere'),
    from('whole', 'small', 1, { configuration: [['maxmemory', '8mb']] }),
    from('garbage', 'garbage'),
    from('plain', 'plain'),
  ])
  assert.match((await failed('newer')).restore!.problem!, /its RDB has version 99 .* reads up to \d+: choose a newer/)
  assert.match((await failed('nowhere')).restore!.problem!, /There is no snapshot nowhere/)
  assert.match((await failed('small')).restore!.problem!, /does not fit: the node has a maxmemory of 8388608 bytes/)
  assert.match((await failed('garbage')).restore!.problem!, /closed the connection .* the engine's last words/)
  const redis = await redisAt((await host.settled('plain')).endpoint)
  assert.equal(await redis.get('imported'), 'value')
  redis.disconnect()
})
