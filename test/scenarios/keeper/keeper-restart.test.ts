//! The keeper dies: engines and workers go on, the next keeper finds all of them, and finishes what the first began.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { GroupSeen, KeeperSeen } from '../../../src/keeper/protocol.ts'
import { identify, isAlive, processesBelow } from '../../../src/lib/process.ts'
import { KeeperHost, memcachedGroup, primaryOf, redisAt, redisGroup } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

const workers = [{ name: 'worker-0', args: ['--name', 'worker-0'], version: '1' }]
const pids = (seen: KeeperSeen): readonly (number | null)[] =>
  [...seen.groups.flatMap((g) => g.nodes.map((n) => n.pid)), ...seen.workers.map((w) => w.pid)].sort()
const allSettled = (seen: KeeperSeen): boolean =>
  seen.groups.length === 3 && seen.groups.every((g) => g.settled) && seen.workers.every((w) => w.pid !== null)

test('a keeper killed under load loses no engine and no worker; the next one adopts all of them', async () => {
  host.wish([redisGroup('shop', 3), redisGroup('single', 1), memcachedGroup('mem', 2)], workers)
  const before = await host.waitFor(allSettled)
  const group = before.groups.find((g) => g.id === 'shop')!
  const redis = await redisAt(group.endpoint)
  await host.killKeeper()
  for (let n = 0; n < 200; n++) await redis.set(`load:${n}`, n)
  await host.startKeeper()
  for (let n = 200; n < 400; n++) await redis.set(`load:${n}`, n)
  const after = await host.waitFor((seen) => allSettled(seen) && host.client.hello?.pid === host.process.pid)
  assert.deepEqual(pids(after), pids(before), 'no process was started again')
  assert.deepEqual(host.eventWords(), [])
  assert.equal(await redis.get('load:0'), '0')
  redis.disconnect()
})

test('a primary that dies while no keeper runs is failed over by the next one', async () => {
  const before = await host.settled('shop')
  const old = primaryOf(before)
  const redis = await redisAt(before.endpoint)
  await redis.set('kept', 'yes')
  assert.equal(await redis.wait(2, 5000), 2)
  redis.disconnect()
  await host.killKeeper()
  process.kill(old.pid!, 'SIGKILL')
  await host.startKeeper()
  const group = await host.settled('shop', (g) => primaryOf(g).id !== old.id)
  const again = await redisAt(group.endpoint)
  assert.equal(await again.get('kept'), 'yes')
  again.disconnect()
  assert.ok(host.eventWords().includes(`failover ${old.id} ${primaryOf(group).id}`))
})

test('events wait for their acknowledgement, across a restart of the keeper', async () => {
  const last = host.events.at(-1)!.sequence
  assert.deepEqual(
    host.events.map((e) => e.sequence),
    host.events.map((_, at) => at + 1),
    'numbered without gaps',
  )
  host.client.acknowledgeEvents(last - 1)
  // A wish that is answered shows that what was sent before it has arrived.
  const sequence = host.wish([redisGroup('shop', 3), redisGroup('single', 1), memcachedGroup('mem', 2)], workers)
  await host.waitFor((seen) => seen.sequence === sequence)
  await host.killKeeper()
  await host.startKeeper()
  host.events.length = 0
  await host.waitFor((seen) => allSettled(seen) && host.client.hello?.pid === host.process.pid)
  while (host.events.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual(
    host.events.map((e) => e.sequence),
    [last],
  )
})

test('a failover that a keeper did not live to tell of is told by the next one, once', async () => {
  const primary = primaryOf(await host.settled('shop')).id
  const from = ['shop-001', 'shop-002', 'shop-003'].find((id) => id !== primary)!
  await host.killKeeper()
  const { DatabaseSync } = await import('node:sqlite')
  const ledger = new DatabaseSync(join(host.home, 'keeper.db'))
  const begun = JSON.stringify({ from, to: primary })
  ledger.exec(`update grp set body = json_set(body, '$.failover', json('${begun}')) where id = 'shop'`)
  ledger.close()
  const word = `failover ${from} ${primary}`
  const told = (): number => host.eventWords().filter((one) => one === word).length
  const before = told()
  for (const _keeper of [1, 2]) {
    await host.startKeeper()
    await host.waitFor((seen) => allSettled(seen) && host.client.hello?.pid === host.process.pid)
    while (told() === before) await new Promise((resolve) => setTimeout(resolve, 10))
    host.client.acknowledgeEvents(host.events.at(-1)!.sequence)
    await host.settled('shop')
    assert.equal(told(), before + 1)
    await host.killKeeper()
  }
  await host.startKeeper()
  await host.waitFor((seen) => allSettled(seen) && host.client.hello?.pid === host.process.pid)
})

test('an engine that a crash kept out of the ledger is found by its directory', async () => {
  const before = await host.settled('single')
  const node = before.nodes[0]!
  await host.killKeeper()
  const { DatabaseSync } = await import('node:sqlite')
  const ledger = new DatabaseSync(join(host.home, 'keeper.db'))
  ledger.exec("delete from node where group_id = 'single'")
  ledger.close()
  await host.startKeeper()
  await host.waitFor((seen) => allSettled(seen) && host.client.hello?.pid === host.process.pid)
  const after = await host.settled('single')
  assert.equal(after.nodes[0]!.pid, node.pid)
})

test('a node without replicas comes back at its address, empty, with its events', async () => {
  const before = await host.settled('single')
  const node = before.nodes[0]!
  const redis = await redisAt(before.endpoint)
  await redis.set('gone', 'soon')
  redis.disconnect()
  process.kill(node.pid!, 'SIGKILL')
  const after = await host.settled('single', (g) => g.nodes[0]!.pid !== node.pid)
  assert.equal(after.nodes[0]!.address, node.address)
  const again = await redisAt(after.endpoint)
  assert.equal(await again.get('gone'), null)
  again.disconnect()
  const words = host.eventWords().filter((w) => w.includes(node.id))
  assert.deepEqual(words, [`node-lost ${node.id} exit`, `recovering ${node.id}`, `recovered ${node.id} true`])
})

test('an address held by another program is named, and used once it is free', async () => {
  const before = await host.settled('single')
  const node = before.nodes[0]!
  const problemOf = (seen: KeeperSeen): string => seen.groups.find((g: GroupSeen) => g.id === 'single')?.problem ?? ''
  await host.killKeeper()
  process.kill(node.pid!, 'SIGKILL')
  const script = `require('net').createServer().listen(6379, '${node.address}', () => console.log('held'))`
  // The killed engine's listener may take a moment to go.
  let holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  while ((await Promise.race([once(holder.stdout!, 'data'), once(holder, 'exit')])).length !== 1) {
    holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  }
  await host.startKeeper()
  const seen = await host.waitFor((s) => problemOf(s).includes('is held by'))
  assert.match(problemOf(seen), new RegExp(`${node.address}:6379 of node single-001 is held by process ${holder.pid} `))
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await host.settled('single', (g) => g.problem === null)
})

test('workers: a dead one is started again, another version replaces the running one', async () => {
  const first = (await host.waitFor((s) => s.workers[0]?.pid != null)).workers[0]!
  process.kill(first.pid!, 'SIGKILL')
  const second = (await host.waitFor((s) => s.workers[0]?.pid != null && s.workers[0].pid !== first.pid)).workers[0]!
  assert.equal(second.restarts, first.restarts + 1)
  const old = identify(second.pid!)!
  host.wish([], [{ ...workers[0]!, version: '2' }])
  const third = (await host.waitFor((s) => s.workers[0]?.version === '2' && s.workers[0].pid !== null)).workers[0]!
  assert.notEqual(third.pid, second.pid)
  assert.equal(isAlive(old), false)
  host.wish([], [])
  await host.waitFor((s) => s.workers.length === 0 && s.groups.length === 0)
})

test('two keepers on one machine have different networks; a second keeper of one home is refused', async () => {
  const other = await KeeperHost.start()
  try {
    const mine = (await host.waitFor(() => true)).nodeNetwork
    assert.notEqual((await other.waitFor(() => true)).nodeNetwork, mine)
    const program = join(import.meta.dirname, '../../support/keeper-process.ts')
    const second = spawn(process.execPath, [program, host.home], { stdio: ['pipe', 'ignore', 'pipe'] })
    let text = ''
    second.stderr!.on('data', (chunk) => {
      text += chunk
    })
    const [code] = await once(second, 'exit')
    assert.equal(code, 1)
    assert.match(text, /a keeper runs in .* already/)
  } finally {
    await other.end()
  }
  assert.deepEqual(processesBelow(other.home), [])
})
