//! Faults of the nodes of one group that the keeper must tell apart: two at once, a frozen primary that wakes, a script
//! that runs for long, a replica that falls behind, a keeper that sleeps.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { Redis } from 'ioredis'
import { HUNG_AFTER_MS } from '../../../src/keeper/judge.ts'
import type { KeeperSeen } from '../../../src/keeper/protocol.ts'
import { KeeperHost, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
  host.wish([redisGroup('shop', 3)])
})
after(() => host.end())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const pidOf = async (redis: Redis): Promise<number> => Number(/process_id:(\d+)/.exec(await redis.info('server'))![1])

/** Ends when `accepts`; the runner's own timeout is the limit. */
async function until(accepts: () => Promise<boolean>): Promise<void> {
  while (!(await accepts())) await pause(50)
}

/** The process that a new connection to the reader endpoint reaches. */
async function readerPid(reader: string): Promise<number> {
  const redis = await redisAt(reader)
  try {
    return await pidOf(redis)
  } finally {
    redis.disconnect()
  }
}

test('a primary dies while a replica is frozen: the other one takes over, and the frozen one is replaced', async () => {
  const before = await host.settled('shop')
  const old = primaryOf(before)
  const [frozen, heir] = replicasOf(before) as [(typeof before.nodes)[0], (typeof before.nodes)[0]]
  process.kill(frozen.pid!, 'SIGSTOP')
  process.kill(old.pid!, 'SIGKILL')
  const group = await host.settled('shop', (g) => primaryOf(g).id !== old.id)
  assert.equal(primaryOf(group).id, heir.id)
  assert.notEqual(group.nodes.find((n) => n.id === frozen.id)!.pid, frozen.pid)
  assert.ok(host.eventWords().includes(`node-lost ${frozen.id} frozen`), host.eventWords().join('; '))
})

test('a frozen primary never takes the write that waits in its socket, awake or not', async () => {
  const before = await host.settled('shop')
  const old = primaryOf(before)
  const socket = connect({ host: before.endpoint, port: 6379, noDelay: true })
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.on('close', resolve))
  process.kill(old.pid!, 'SIGSTOP')
  socket.write('SET woken yes\r\n')
  const group = await host.settled('shop', (g) => primaryOf(g).id !== old.id)
  await closed
  assert.equal(answer, '')
  assert.throws(() => process.kill(old.pid!, 'SIGCONT'), /ESRCH/)
  const redis = await redisAt(group.endpoint)
  assert.equal(await redis.get('woken'), null)
  redis.disconnect()
})

test('a primary that works at a long script keeps its role', async () => {
  const before = await host.settled('shop')
  const events = host.events.length
  const redis = await redisAt(before.endpoint)
  const script = `
    local function ms() local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end
    local since = ms()
    while ms() - since < tonumber(ARGV[1]) do end
    return 'done'`
  assert.equal(await redis.eval(script, 0, HUNG_AFTER_MS + 1500), 'done')
  redis.disconnect()
  const group = await host.settled('shop')
  assert.deepEqual(
    group.nodes.map((n) => n.pid),
    before.nodes.map((n) => n.pid),
  )
  assert.deepEqual(host.eventWords().slice(events), [])
})

test('a primary that sleeps and answers nobody is replaced', async () => {
  const before = await host.settled('shop')
  const old = primaryOf(before)
  const redis = await redisAt(before.endpoint)
  // Its process is asleep and uses no processor: the same as one that hangs in a lock.
  await redis.call('CLIENT', 'PAUSE', '600000', 'ALL')
  const group = await host.settled('shop', (g) => primaryOf(g).id !== old.id)
  redis.disconnect()
  assert.ok(host.eventWords().includes(`node-lost ${old.id} hung`), host.eventWords().join('; '))
  const writer = await redisAt(group.endpoint)
  assert.equal(await writer.set('after', 'sleep'), 'OK')
  writer.disconnect()
})

test('a primary with as many clients as it takes is not replaced by a keeper that cannot get in', async () => {
  const configuration = [['maxclients', '24']] as const
  const two = redisGroup('busy', 2, { configuration })
  host.wish([redisGroup('shop', 3), two])
  const before = await host.settled('busy')
  const clients: Redis[] = []
  try {
    await host.killKeeper()
    for (;;) {
      const client = await redisAt(before.endpoint).catch(() => null)
      if (client === null) break
      clients.push(client)
    }
    const events = host.events.length
    await host.startKeeper()
    const problem = (seen: KeeperSeen): string => seen.groups.find((g) => g.id === 'busy')?.problem ?? ''
    await host.waitFor((seen) => problem(seen).includes('maxclients'))
    await pause(HUNG_AFTER_MS + 500)
    assert.equal(await clients[0]!.set('served', 'yes'), 'OK')
    assert.deepEqual(
      host
        .eventWords()
        .slice(events)
        .filter((word) => word.includes('busy')),
      [],
    )
  } finally {
    for (const client of clients) client.disconnect()
  }
  const after = await host.settled('busy', (g) => g.problem === null)
  assert.deepEqual(
    after.nodes.map((n) => [n.id, n.role, n.pid]),
    before.nodes.map((n) => [n.id, n.role, n.pid]),
  )
  host.wish([redisGroup('shop', 3)])
})

test('a replica that falls behind leaves the reader endpoint with its connections, and comes back', async () => {
  const group = await host.settled('shop')
  const [stale, fresh] = replicasOf(group) as [(typeof group.nodes)[0], (typeof group.nodes)[0]]
  const writer = await redisAt(group.endpoint)
  const writing = setInterval(() => void writer.incr('n').catch(() => {}), 50)
  const admin = await redisAt(stale.address)
  try {
    let attached = await redisAt(group.readerEndpoint!)
    while ((await pidOf(attached)) !== stale.pid) {
      attached.disconnect()
      attached = await redisAt(group.readerEndpoint!)
    }
    // On a replica it holds back the stream of its primary: it answers, its link is up, and what it shows grows old.
    await admin.call('CLIENT', 'PAUSE', '600000', 'WRITE')
    await once(attached, 'close')
    const behind = Number(await admin.get('n'))
    assert.ok(Number(await writer.get('n')) - behind > 1, 'it left because it was behind')
    for (let connection = 0; connection < 4; connection++) {
      assert.equal(await readerPid(group.readerEndpoint!), fresh.pid)
    }
    await admin.call('CLIENT', 'UNPAUSE')
    await until(async () => (await readerPid(group.readerEndpoint!)) === stale.pid)
    assert.ok(Number(await admin.get('n')) > behind)
  } finally {
    clearInterval(writing)
    writer.disconnect()
    admin.disconnect()
  }
})

test('a keeper that was stopped for long takes nobody for dead when it goes on', async () => {
  const before = await host.settled('shop')
  const events = host.events.length
  host.process.kill('SIGSTOP')
  await pause(HUNG_AFTER_MS + 1000)
  host.process.kill('SIGCONT')
  const sequence = host.wish([redisGroup('shop', 3)])
  await host.waitFor((seen) => seen.sequence === sequence)
  const group = await host.settled('shop')
  assert.deepEqual(
    group.nodes.map((n) => n.pid),
    before.nodes.map((n) => n.pid),
  )
  assert.deepEqual(host.eventWords().slice(events), [])
})
