//! Planned changes of running groups, on real engines: another engine version with the data kept, a failover that is asked
//! for, a chosen primary, nodes that change their group. Clients write throughout, and every acknowledged write is there.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import type { GroupSeen } from '../../../src/keeper/protocol.ts'
import { KeeperHost, memcachedGroup, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'

/** How long replicas have for a write that they are to acknowledge. Milliseconds. */
const WAIT_MS = 1000

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

/**
 * Writes numbered keys at an address, one after the other, until it is stopped; remembers which were acknowledged: by the
 * primary, and by as many replicas as are named.
 */
function writerAt(address: string, replicas = 0) {
  // Nothing is sent again: WAIT speaks of the writes of its own connection.
  const once = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }
  const redis = new Redis({ host: address, port: 6379, retryStrategy: () => 10, ...once })
  redis.on('error', () => {})
  const acknowledged: number[] = []
  let on = true
  const done = (async () => {
    for (let n = 0; on; n++) {
      try {
        const written = redis.set(`w:${n}`, n)
        const [, have] = await Promise.all([written, replicas === 0 ? 0 : redis.wait(replicas, WAIT_MS)])
        if (have >= replicas) acknowledged.push(n)
      } catch {
        // Not acknowledged: READONLY, or the connection moved. An application would try again.
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
  })()
  return {
    async reach(count: number): Promise<void> {
      while (acknowledged.length < count) await new Promise((resolve) => setTimeout(resolve, 2))
    },
    /** Which of the acknowledged writes `at` has not. */
    async missingAt(at: string): Promise<number[]> {
      on = false
      await done
      redis.disconnect()
      assert.ok(acknowledged.length > 0, 'nothing was written')
      const reader = await redisAt(at)
      const values = await reader.mget(acknowledged.map((n) => `w:${n}`))
      reader.disconnect()
      return acknowledged.filter((n, at) => values[at] !== String(n))
    },
  }
}

const pidsOf = (group: GroupSeen): Record<string, number | null> =>
  Object.fromEntries(group.nodes.map((n) => [n.id, n.pid]))

/** Every node has another process than in `before`. */
const allReplaced =
  (before: GroupSeen) =>
  (now: GroupSeen): boolean =>
    now.nodes.every((n) => n.pid !== null && n.pid !== pidsOf(before)[n.id])

test('a group gets another engine version: replicas first, then the primary hands over; no write is lost', async () => {
  host.wish([redisGroup('up', 3, { engineVersion: '7.0', automaticFailover: false })])
  const old = await host.settled('up')
  const writer = writerAt(old.endpoint)
  host.wish([redisGroup('up', 3, { engineVersion: '7.1', automaticFailover: false })])
  const now = await host.settled('up', allReplaced(old))
  assert.deepEqual(await writer.missingAt(now.endpoint), [])
  assert.equal(now.endpoint, old.endpoint)
  assert.notEqual(primaryOf(now).id, primaryOf(old).id)
  const words = host.eventWords().filter((w) => w.includes('up-'))
  assert.deepEqual(words, [`failover up-001 ${primaryOf(now).id}`], 'no node was lost, none recovered')
  host.wish([])
})

test('a lone node gets another version and keeps its data, its address and its place, again and again', async () => {
  host.wish([redisGroup('lone', 1, { engineVersion: '7.0', automaticFailover: false })])
  let before = await host.settled('lone')
  const [address] = before.nodes.map((n) => n.address)
  for (const engineVersion of ['7.1', '7.0', '7.1']) {
    const writer = writerAt(address!)
    host.wish([redisGroup('lone', 1, { engineVersion, automaticFailover: false })])
    const now = await host.settled('lone', allReplaced(before))
    assert.deepEqual(await writer.missingAt(now.endpoint), [])
    assert.deepEqual(
      now.nodes.map((n) => [n.id, n.address, n.role]),
      [['lone-001', address, 'primary']],
    )
    before = now
  }
  assert.deepEqual(
    host.eventWords().filter((w) => w.includes('lone-')),
    [],
  )
})

test('a keeper that is killed in the middle of it is continued by the next', async () => {
  const wishes = redisGroup('lone', 1, { engineVersion: '7.0', automaticFailover: false })
  const before = await host.settled('lone')
  const redis = await redisAt(before.endpoint)
  for (let n = 0; n < 200; n++) await redis.set(`k:${n}`, 'x'.repeat(100))
  redis.disconnect()
  host.wish([wishes])
  // Wherever it has come to: the stand-in may be there or not, filled or in its place already.
  await host.waitFor((seen) =>
    seen.groups.some((g) => g.id === 'lone' && (g.nodes.length > 1 || allReplaced(before)(g))),
  )
  await host.killKeeper()
  await host.startKeeper()
  const now = await host.settled('lone', allReplaced(before))
  assert.equal(now.nodes.length, 1)
  const again = await redisAt(now.nodes[0]!.address)
  assert.equal(await again.exists(...Array.from({ length: 200 }, (_, n) => `k:${n}`)), 200)
  again.disconnect()
  host.wish([])
})

test('memcached begins empty with another version, one node after the other', async () => {
  host.wish([memcachedGroup('web', 2, { engineVersion: '1.6.17' })])
  const before = await host.settled('web')
  host.wish([memcachedGroup('web', 2, { engineVersion: '1.6.22' })])
  const now = await host.settled('web', allReplaced(before))
  assert.deepEqual(
    now.nodes.map((n) => n.address),
    before.nodes.map((n) => n.address),
  )
  host.wish([])
})

test('a failover that is asked for: the primary really dies, a replica takes over, the node comes back; once', async () => {
  const roleChange = { number: 1, kind: 'test-failover', to: null } as const
  host.wish([redisGroup('drill', 3)])
  const before = await host.settled('drill')
  // Like every failure it may cost writes that no replica had; what all of them had is never lost.
  const writer = writerAt(before.endpoint, 2)
  await writer.reach(20)
  host.wish([redisGroup('drill', 3, { roleChange })])
  const old = primaryOf(before)
  const now = await host.settled('drill', (g) => primaryOf(g).id !== old.id)
  assert.notEqual(pidsOf(now)[old.id], old.pid)
  assert.deepEqual(await writer.missingAt(now.endpoint), [])
  const words = host.eventWords().filter((w) => w.includes('drill-'))
  assert.deepEqual(words.slice().sort(), [
    `failover ${old.id} ${primaryOf(now).id}`,
    `node-lost ${old.id} exit`,
    `recovered ${old.id} false`,
    `recovering ${old.id}`,
  ])
  assert.ok(words.indexOf(`failover ${old.id} ${primaryOf(now).id}`) < words.indexOf(`recovering ${old.id}`))
  await host.killKeeper()
  await host.startKeeper()
  const later = await host.settled('drill')
  assert.deepEqual(pidsOf(later), pidsOf(now), 'the next keeper does not do it again')
})

test('a replica is made primary: nothing is lost, and it stays so', async () => {
  const before = await host.settled('drill')
  const [to] = replicasOf(before)
  const writer = writerAt(before.endpoint)
  host.wish([redisGroup('drill', 3, { roleChange: { number: 2, kind: 'promote', to: to!.id } })])
  const now = await host.settled('drill', (g) => primaryOf(g).id === to!.id)
  assert.deepEqual(await writer.missingAt(now.endpoint), [])
  assert.deepEqual(pidsOf(now), pidsOf(before))
  host.wish([])
})

test('a cluster becomes the first member of a group, and a primary stays when its group goes', async () => {
  const alone = redisGroup('one', 1, { automaticFailover: false })
  const single = { ...alone, nodes: [{ id: 'one', firstPrimary: true }] }
  host.wish([single])
  const before = await host.settled('one')
  const [one] = before.nodes
  const writer = writerAt(one!.address)
  const member = { id: 'one', firstPrimary: true, from: 'one' }
  const grown = redisGroup('many', 2, { nodes: [member, { id: 'many-002', firstPrimary: false }] })
  host.wish([grown])
  const group = await host.settled('many')
  const ofOne = group.nodes.find((n) => n.id === 'one')!
  assert.deepEqual([ofOne.pid, ofOne.address, ofOne.role], [one!.pid, one!.address, 'primary'])
  assert.deepEqual(await writer.missingAt(group.endpoint), [])
  const primary = await redisAt(group.endpoint)
  await primary.set('last', '1')
  assert.equal(await primary.wait(1, 10_000), 1)
  primary.disconnect()
  assert.deepEqual(await writer.missingAt(group.readerEndpoint!), [])

  const again = writerAt(one!.address)
  host.wish([{ ...single, nodes: [{ id: 'one', firstPrimary: true, from: 'many' }] }])
  const left = await host.settled('one')
  const seen = await host.waitFor((s) => s.groups.length === 1)
  assert.deepEqual(seen.groups[0]!.id, 'one')
  assert.deepEqual([left.nodes[0]!.pid, left.nodes[0]!.address], [one!.pid, one!.address])
  assert.deepEqual(await again.missingAt(left.endpoint), [])
  // A keeper that starts again finds it in its group of now.
  await host.killKeeper()
  await host.startKeeper()
  assert.equal((await host.settled('one')).nodes[0]!.pid, one!.pid)
  assert.ok(existsSync(join(host.home, 'nodes', 'one', 'one', 'log')), 'it logs where it always did')
})
