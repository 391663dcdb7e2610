//! What a group does when its host runs out of something: no disk, no memory for data, a clock that jumps.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Redis } from 'ioredis'
import { connectKeeper } from '../../../src/keeper/client.ts'
import { startKeeper } from '../../../src/keeper/keeper.ts'
import type { KeeperEvent } from '../../../src/keeper/protocol.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { KeeperHost, PATIENCE_MS, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts'

/** Writes until nothing more fits, to the last block. */
function fill(path: string): void {
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      assert.match((error as Error).message, /ENOSPC/)
    }
  }
}

test('a primary that dies while the disk is full is failed over, told of and rebuilt', async (t) => {
  let disk: SmallDisk | null = null
  const host = await KeeperHost.start(async (home) => {
    disk = await mountSmallDisk(t, home, '16m')
  })
  try {
    if (disk === null) return
    host.wish([redisGroup('full', 3)])
    let group = await host.settled('full')
    const writer = await redisAt(group.endpoint)
    await writer.set('kept', 'yes')
    assert.equal(await writer.wait(2, 5000), 2)
    writer.disconnect()
    fill(join(host.home, 'filler'))
    for (const round of [1, 2, 3]) {
      const old = primaryOf(group)
      process.kill(old.pid!, 'SIGKILL')
      group = await host.settled('full', (g) => primaryOf(g).id !== old.id)
      assert.equal(group.problem, null)
      const word = `failover ${old.id} ${primaryOf(group).id}`
      assert.equal(host.eventWords().filter((one) => one.startsWith('failover')).length, round)
      assert.ok(host.eventWords().includes(word), word)
    }
    // The next keeper reads what was written on the full disk.
    await host.killKeeper()
    await host.startKeeper()
    const before = group.nodes.map((n) => n.pid)
    const again = await host.settled('full', () => host.client.hello?.pid === host.process.pid)
    assert.deepEqual([primaryOf(again).id, again.nodes.map((n) => n.pid)], [primaryOf(group).id, before])
    const reader = await redisAt(again.endpoint)
    assert.equal(await reader.get('kept'), 'yes')
    reader.disconnect()
  } finally {
    await host.end(async () => (disk as SmallDisk | null)?.unmount())
  }
})

test('timeouts and failovers do not look at the wall clock', async () => {
  const home = mkdtempSync(join(tmpdir(), 'keeper-clock-'))
  let jumpMs = 0
  const clock = {
    now: () => systemClock.now() + jumpMs,
    wall: () => systemClock.wall() + jumpMs,
    monotonic: () => systemClock.monotonic(),
  }
  const socketPath = join(home, 'keeper.sock')
  const keeper = await startKeeper({
    ...{ home, socketPath, nodeNetwork: null, version: 'test', clock, log: () => {} },
    ...{ execPath: process.execPath, programArgs: [], env: {} },
  })
  const events: KeeperEvent[] = []
  const client = await connectKeeper(socketPath, { version: 'test', onEvents: (more) => events.push(...more) })
  try {
    client.wish({ sequence: 1, groups: [redisGroup('time', 2)], workers: [] })
    const settled = async (isNew: (primary: string) => boolean) => {
      const find = () => client.seen?.groups.find((g) => g.settled && isNew(primaryOf(g).id))
      await client.waitFor(() => find() !== undefined, PATIENCE_MS)
      return find()!
    }
    let group = await settled(() => true)
    for (const days of [-400, 400]) {
      jumpMs = days * 86_400_000
      const old = primaryOf(group)
      process.kill(old.pid!, 'SIGKILL')
      group = await settled((primary) => primary !== old.id)
      const told = events.filter((e) => e.event.kind === 'failover').at(-1)!
      assert.ok(Math.abs(Date.parse(told.at) - clock.wall()) < 60_000, `${told.at} is the host's time`)
    }
    const kinds = events.map((e) => e.event.kind)
    assert.equal(kinds.filter((kind) => kind === 'node-lost').length, 2, kinds.join(' '))
    assert.equal(kinds.filter((kind) => kind === 'failover').length, 2, kinds.join(' '))
  } finally {
    client.close()
    await keeper.stop({ engines: true, workers: true })
    rmSync(home, { recursive: true, force: true })
  }
})

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

const MEMORY = '6mb'
const VALUE = 'x'.repeat(20_000)
/** Together three times what fits. */
const KEYS = 900
const KEPT = 20
const isRefused = (error: unknown): boolean => error instanceof Error && /^OOM /.test(error.message)

interface Filled {
  readonly refused: number
  readonly kept: number
  readonly evicted: number
}

/** A few keys without end, then many with an end (or without): how many writes were refused, who is left. */
async function fillMemory(redis: Redis, ends: boolean): Promise<Filled> {
  await redis.flushall()
  await redis.call('CONFIG', 'RESETSTAT').catch(() => {})
  const before = Number(/evicted_keys:(\d+)/.exec(await redis.info('stats'))![1])
  for (let n = 0; n < KEPT; n++) await redis.set(`kept:${n}`, VALUE)
  let refused = 0
  for (let first = 0; first < KEYS; first += 50) {
    const batch = redis.pipeline()
    for (let n = first; n < first + 50; n++) batch.set(`many:${n}`, VALUE, ...((ends ? ['EX', 3600] : []) as []))
    for (const [error] of (await batch.exec())!) {
      if (error === null) continue
      assert.ok(isRefused(error), error.message)
      refused++
    }
  }
  const kept = await redis.exists(...Array.from({ length: KEPT }, (_, n) => `kept:${n}`))
  return { refused, kept, evicted: Number(/evicted_keys:(\d+)/.exec(await redis.info('stats'))![1]) - before }
}

/** What gives way when memory is full: nothing, keys that have an end, any key. */
const POLICIES: readonly (readonly [policy: string, gives: 'nothing' | 'ending' | 'any'])[] = [
  ['noeviction', 'nothing'],
  ['volatile-lru', 'ending'],
  ['volatile-lfu', 'ending'],
  ['volatile-random', 'ending'],
  ['volatile-ttl', 'ending'],
  ['allkeys-lru', 'any'],
  ['allkeys-lfu', 'any'],
  ['allkeys-random', 'any'],
]
for (const [policy, gives] of POLICIES) {
  test(`out of memory under ${policy}: ${gives === 'nothing' ? 'writes are refused' : `${gives} keys give way`}`, async () => {
    const configuration = [
      ['maxmemory', MEMORY],
      ['maxmemory-policy', policy],
    ] as const
    host.wish([redisGroup('small', 2, { configuration })])
    const group = await host.settled('small')
    const events = host.events.length
    const redis = await redisAt(group.endpoint)
    const ending = await fillMemory(redis, true)
    if (gives === 'nothing') assert.ok(ending.refused > 0 && ending.evicted === 0, JSON.stringify(ending))
    else assert.ok(ending.refused === 0 && ending.evicted > 0, JSON.stringify(ending))
    if (gives !== 'any') assert.equal(ending.kept, KEPT)
    const endless = await fillMemory(redis, false)
    if (gives === 'any') assert.ok(endless.refused === 0 && endless.evicted > 0, JSON.stringify(endless))
    else assert.ok(endless.refused > 0 && endless.evicted === 0 && endless.kept === KEPT, JSON.stringify(endless))
    // A full group is a healthy one: it reads, its replica has the same keys, its roles stay.
    assert.equal(await redis.wait(1, 5000), 1)
    const replica = await redisAt(replicasOf(group)[0]!.address)
    // What a command evicts reaches the replica after its answer.
    while ((await replica.dbsize()) !== (await redis.dbsize())) await redis.wait(1, 5000)
    redis.disconnect()
    replica.disconnect()
    const after = await host.settled('small')
    assert.deepEqual(
      after.nodes.map(({ id, role, pid, state }) => [id, role, pid, state]),
      group.nodes.map(({ id, role, pid }) => [id, role, pid, 'available']),
    )
    assert.deepEqual(host.eventWords().slice(events), [])
  })
}
