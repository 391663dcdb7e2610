//! Encryption in transit of groups on real engines, as the keeper makes it: required from the start, both kinds of clients
//! at one address and port, changes of a living group, failovers and new certificates in between.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { Redis } from 'ioredis'
import { listeners } from '../../../src/keeper/listeners.ts'
import type { GroupSeen, TransitWish } from '../../../src/keeper/protocol.ts'
import { KeeperHost, primaryOf, redisGroup, replicasOf } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

const required: TransitWish = {
  mode: 'required',
  names: ['*.shop.abc123.use1.cache.amazonaws.com'],
  renewal: 0,
  imported: null,
}
const preferred: TransitWish = { ...required, mode: 'preferred' }

const authority = (): Buffer => readFileSync(join(host.home, 'authority', 'ca', 'ca.pem'))

/** A client that verifies the certificate by the authority alone, and comes back by itself. */
const secure = (address: string): Redis => clientOf({ host: address, port: 6379, tls: { ca: authority() } })
const plain = (address: string): Redis => clientOf({ host: address, port: 6379 })

function clientOf(options: object): Redis {
  const redis = new Redis({ ...options, retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  return redis
}

const inMode = (mode: string) => (group: GroupSeen) => group.transit?.mode === mode

test('required: every address serves TLS alone, verified by the authority, and nodes replicate over TLS', async () => {
  host.wish([redisGroup('shop', 3, { transit: required })])
  const group = await host.settled('shop', inMode('required'))
  const writer = secure(group.endpoint)
  await writer.set('price', '9.99')
  assert.equal(await writer.wait(2, 10_000), 2)
  for (const address of [group.endpoint, group.readerEndpoint!, ...group.nodes.map((n) => n.address)]) {
    const client = secure(address)
    assert.equal(await client.get('price'), '9.99', address)
    client.disconnect()
    const open = new Redis({
      host: address,
      port: 6379,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
    })
    open.on('error', () => {})
    await assert.rejects(
      open.connect().then(() => open.ping()),
      address,
    )
    open.disconnect()
  }
  writer.disconnect()
  const cli = ['--tls', '--cacert', join(host.home, 'authority', 'ca', 'ca.pem'), '-h', group.endpoint, 'GET', 'price']
  assert.equal(execFileSync('redis-cli', cli, { encoding: 'utf8' }).trim(), '9.99')
  // Nobody listens in plain text anywhere, and nobody may read the keys.
  for (const port of ports(group)) assert.equal(port, 6379)
  const keys = join(host.home, 'tls', 'shop')
  for (const name of readdirSync(keys)) assert.equal(statSync(join(keys, name)).mode & 0o777, 0o600, name)
})

/** Ports that the engines of the group listen on. */
function ports(group: GroupSeen): readonly number[] {
  const own = [group.endpoint, ...group.nodes.map((n) => n.address)]
  return listeners()
    .filter((one) => own.includes(one.address))
    .map((one) => one.port)
}

test('required: a killed and then a frozen primary; its writes are there, and a new certificate in between', async () => {
  const before = await host.settled('shop')
  const writer = secure(before.endpoint)
  let acknowledged = 0
  let stop = false
  const writing = (async () => {
    while (!stop) {
      const n = acknowledged + 1
      await writer.set(`w:${n}`, n)
      if ((await writer.wait(1, 1000)) >= 1) acknowledged = n
    }
  })()
  const reach = async (count: number): Promise<void> => {
    const from = acknowledged
    while (acknowledged < from + count) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await reach(20)
  process.kill(primaryOf(before).pid!, 'SIGKILL')
  const killed = await host.settled('shop', (g) => primaryOf(g).id !== primaryOf(before).id)
  await reach(20)
  host.wish([redisGroup('shop', 3, { transit: { ...required, renewal: 1 } })])
  const renewed = await host.settled('shop', (g) => g.transit?.certificate?.renewal === 1)
  assert.notEqual(renewed.transit!.certificate!.fingerprint256, before.transit!.certificate!.fingerprint256)
  await reach(20)
  process.kill(primaryOf(renewed).pid!, 'SIGSTOP')
  await host.settled('shop', (g) => primaryOf(g).id !== primaryOf(killed).id)
  await reach(20)
  stop = true
  await writing
  const values = await writer.mget(Array.from({ length: acknowledged }, (_, at) => `w:${at + 1}`))
  assert.deepEqual(
    values.map(Number),
    Array.from({ length: acknowledged }, (_, at) => at + 1),
  )
  writer.disconnect()
  assert.equal(host.eventWords().filter((words) => words.startsWith('certificate-renewed')).length, 1)
})

test('a new certificate breaks no connection, and new ones get it', async () => {
  const before = await host.settled('shop')
  const client = secure(before.endpoint)
  const id = await client.client('ID')
  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: before.endpoint, port: 6379, ca: authority() }, () => {
        resolve(socket.getPeerX509Certificate()!.fingerprint256)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  assert.equal(await shown(), before.transit!.certificate!.fingerprint256)
  host.wish([redisGroup('shop', 3, { transit: { ...required, renewal: 2 } })])
  const after = await host.settled('shop', (g) => g.transit?.certificate?.renewal === 2)
  assert.equal(await shown(), after.transit!.certificate!.fingerprint256)
  assert.equal(await client.client('ID'), id)
  client.disconnect()
})

test('none, preferred, required and back: a client of each kind loses no acknowledged write and is at most cut off', async () => {
  const wish = (transit: TransitWish | null) =>
    host.wish([redisGroup('shop', 3, { transit: { ...required, renewal: 2 } }), redisGroup('move', 3, { transit })])
  wish(null)
  const none = await host.settled('move')
  assert.equal(none.transit, undefined)
  const open = plain(none.endpoint)
  await open.set('kept', 'yes')
  const counters = [counting(open, 'open')]
  wish(preferred)
  const both = await host.settled('move', inMode('preferred'))
  assert.equal(both.endpoint, none.endpoint)
  await counters[0]!.reach(20)
  counters.push(counting(secure(both.endpoint), 'secure'))
  await counters[1]!.reach(20)
  for (const address of [both.readerEndpoint!, ...both.nodes.map((n) => n.address)]) {
    for (const client of [secure(address), plain(address)]) {
      assert.equal(await client.get('kept'), 'yes', address)
      client.disconnect()
    }
  }
  // Who is primary may change while both kinds write.
  process.kill(primaryOf(both).pid!, 'SIGKILL')
  const failed = await host.settled('move', (g) => primaryOf(g).id !== primaryOf(both).id && inMode('preferred')(g))
  for (const counter of counters) await counter.reach(20)
  const lost = counters.map((counter) => counter.acknowledged)
  wish(required)
  await host.settled('move', inMode('required'))
  await counters[1]!.reach(20)
  const stuck = counters[0]!.acknowledged
  wish(preferred)
  await host.settled('move', inMode('preferred'))
  for (const counter of counters) await counter.reach(20)
  wish(null)
  // Nobody has a use for its keys now.
  const off = await host.settled('move', (g) => g.transit === undefined)
  assert.ok(!existsSync(join(host.home, 'tls', 'move')))
  await counters[0]!.reach(20)
  const reader = plain(off.endpoint)
  assert.equal(await reader.wait(2, 10_000), 2)
  for (const [at, counter] of counters.entries()) {
    await counter.end()
    assert.ok(counter.acknowledged > lost[at]!)
    assert.equal(Number(await reader.get(counter.key)) >= counter.acknowledged, true, counter.key)
  }
  assert.ok(counters[0]!.acknowledged > stuck)
  assert.deepEqual(replicasOf(failed).length, 2)
  reader.disconnect()
})

/** Counts up at `key`; each number is written once the one before was acknowledged by a replica. */
function counting(client: Redis, key: string) {
  const state = { acknowledged: 0, ended: false }
  const run = async (): Promise<void> => {
    while (!state.ended) {
      const next = state.acknowledged + 1
      try {
        await client.set(key, next)
        if ((await client.wait(1, 1000)) >= 1) state.acknowledged = next
      } catch {
        // Cut off, or a former primary: it tries again.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }
  const running = run()
  return {
    key,
    get acknowledged() {
      return state.acknowledged
    },
    async reach(count: number): Promise<void> {
      const from = state.acknowledged
      while (state.acknowledged < from + count) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    async end(): Promise<void> {
      state.ended = true
      client.disconnect()
      await running
    },
  }
}
