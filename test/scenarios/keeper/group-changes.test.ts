//! Changes of a running group: settings, wished restarts, no automatic failover, and what a host lacks.
import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connectKeeper } from '../../../src/keeper/client.ts'
import { startKeeper } from '../../../src/keeper/keeper.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { settingOf } from '../../support/keeper-door.ts'
import {
  KeeperHost,
  memcachedGroup,
  PATIENCE_MS,
  primaryOf,
  redisAt,
  redisGroup,
  replicasOf,
} from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

const config = (address: string, name: string) => settingOf(host.home, 'set', address, name)

test('settings apply at the start and at run time; what the engine refuses is named', async () => {
  const first = [
    ['maxmemory', '100mb'],
    ['databases', '16'],
    ['close-on-replica-write', 'yes'],
  ] as const
  host.wish([redisGroup('set', 1, { configuration: first })])
  const started = await host.settled('set')
  const { pid } = started.nodes[0]!
  assert.deepEqual(started.nodes[0]!.pendingReboot, ['close-on-replica-write'], 'unknown to stock redis')
  assert.equal(await config(started.endpoint, 'maxmemory'), '104857600')
  const second = [
    ['maxmemory', '50mb'],
    ['maxmemory-policy', 'allkeys-lru'],
    ['databases', '4'],
  ] as const
  host.wish([redisGroup('set', 1, { configuration: second })])
  const changed = await host.settled('set', (g) => g.nodes[0]!.pendingReboot.includes('databases'))
  assert.deepEqual(changed.nodes[0]!.pendingReboot, ['databases'], 'decided at the start of the process')
  assert.equal(changed.nodes[0]!.pid, pid)
  assert.equal(await config(changed.endpoint, 'maxmemory-policy'), 'allkeys-lru')
  host.wish([redisGroup('set', 1, { configuration: second, restarts: { 'set-001': 1 } })])
  const restarted = await host.settled('set', (g) => g.nodes[0]!.pendingReboot.length === 0)
  assert.equal(await config(restarted.endpoint, 'databases'), '4')
  assert.deepEqual(host.eventWords(), ['restarted set-001'])
})

test('restarting every node of a group loses nothing: the primary hands over first', async () => {
  host.wish([redisGroup('roll', 2)])
  const before = await host.settled('roll')
  const redis = await redisAt(before.endpoint)
  for (let n = 0; n < 500; n++) await redis.set(`k:${n}`, n)
  redis.disconnect()
  host.wish([redisGroup('roll', 2, { restarts: { 'roll-001': 1, 'roll-002': 1 } })])
  const pids = before.nodes.map((n) => n.pid)
  const after = await host.settled('roll', (g) => g.nodes.every((n) => !pids.includes(n.pid)))
  const again = await redisAt(after.endpoint)
  assert.equal(await again.dbsize(), 500)
  again.disconnect()
  const words = host.eventWords().filter((w) => w.includes('roll-'))
  assert.ok(words.includes('failover roll-001 roll-002'), words.join('; '))
  assert.ok(words.includes('restarted roll-001') && words.includes('restarted roll-002'))
  assert.ok(!words.some((w) => w.startsWith('node-lost')))
})

test('without automatic failover a dead primary is rebuilt from a replica and stays primary', async () => {
  host.wish([redisGroup('fixed', 2, { automaticFailover: false })])
  const before = await host.settled('fixed')
  const old = primaryOf(before)
  const redis = await redisAt(before.endpoint)
  await redis.set('kept', 'yes')
  assert.equal(await redis.wait(1, 5000), 1)
  redis.disconnect()
  process.kill(old.pid!, 'SIGKILL')
  const after = await host.settled('fixed', (g) => primaryOf(g).pid !== old.pid)
  assert.equal(primaryOf(after).id, old.id)
  assert.equal(replicasOf(after).length, 1)
  const again = await redisAt(after.endpoint)
  assert.equal(await again.get('kept'), 'yes')
  again.disconnect()
  const words = host.eventWords().filter((w) => w.includes('fixed-'))
  assert.deepEqual(words, ['node-lost fixed-001 exit', 'recovering fixed-001', 'recovered fixed-001 false'])
})

test('a primary that is busy with a script is left alone', async () => {
  const before = await host.settled('fixed')
  const redis = await redisAt(before.endpoint)
  const script = "local a = redis.call('TIME') repeat local b = redis.call('TIME') until b[1] - a[1] > 4 return 'done'"
  assert.equal(await redis.eval(script, 0), 'done')
  redis.disconnect()
  const after = await host.settled('fixed')
  assert.equal(primaryOf(after).pid, primaryOf(before).pid)
})

test('a host without engines runs, and says which package a group needs', async () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'keeper-bare-')))
  const socketPath = join(home, 'keeper.sock')
  const keeper = await startKeeper({
    home,
    socketPath,
    nodeNetwork: null,
    version: 'test',
    clock: systemClock,
    log: () => {},
    execPath: process.execPath,
    programArgs: [],
    env: {},
    searchPath: [join(home, 'nowhere')],
  })
  const client = await connectKeeper(socketPath, { version: 'test' }, PATIENCE_MS)
  client.wish({ sequence: 1, workers: [], groups: [redisGroup('r', 1), memcachedGroup('m', 1)] })
  const seen = await client.waitFor(
    (s) => s.groups.length === 2 && s.groups.every((g) => g.problem !== null),
    PATIENCE_MS,
  )
  assert.deepEqual(seen.binaries, [])
  assert.match(seen.groups[0]!.problem!, /redis is not installed on this host: install the package redis-server/)
  assert.match(seen.groups[1]!.problem!, /install the package memcached/)
  assert.ok(seen.groups.every((g) => g.nodes[0]!.state === 'creating'))
  await client.stop({ engines: true, workers: true })
  await keeper.stopped
  rmSync(home, { recursive: true })
})
