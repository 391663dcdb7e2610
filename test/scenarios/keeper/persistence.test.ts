//! Append-only files (tag `cachefront:appendonly`): a node comes back with its data, never with older data than a replica
//! has, and never with what is no longer its own.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connectKeeper } from '../../../src/keeper/client.ts'
import type { GroupSeen } from '../../../src/keeper/protocol.ts'
import { KeeperHost, PATIENCE_MS, primaryOf, redisAt, redisGroup } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

const single = redisGroup('single', 1, { appendonly: 'always' })
const fileOf = (group: string, node: string): string => join(host.home, 'nodes', group, node, 'appendonlydir')

async function put(group: GroupSeen, key: string): Promise<void> {
  const redis = await redisAt(group.endpoint)
  await redis.set(key, 'kept')
  redis.disconnect()
}

async function keys(group: GroupSeen): Promise<readonly string[]> {
  const redis = await redisAt(group.endpoint)
  const found = (await redis.keys('*')).sort()
  redis.disconnect()
  return found
}

test('a node comes back with its data: after SIGKILL, with its keeper, and after an end and a start of everything', async () => {
  host.wish([single])
  const first = await host.settled('single')
  await put(first, 'one')
  process.kill(first.nodes[0]!.pid!, 'SIGKILL')
  const second = await host.settled('single', (g) => g.nodes[0]!.pid !== first.nodes[0]!.pid)
  assert.deepEqual(await keys(second), ['one'])
  assert.ok(host.eventWords().includes('recovered single-001 false'), 'it did not come back empty')
  await put(second, 'two')
  // Both at once, as when the host loses its power.
  await host.killKeeper()
  process.kill(second.nodes[0]!.pid!, 'SIGKILL')
  await host.startKeeper()
  const third = await host.settled('single', (g) => g.nodes[0]!.pid !== second.nodes[0]!.pid)
  assert.deepEqual(await keys(third), ['one', 'two'])
  await put(third, 'three')
  const control = await connectKeeper(join(host.home, 'keeper.sock'), { version: 'end' }, PATIENCE_MS)
  await control.stop({ engines: true, workers: true })
  await host.startKeeper()
  const fourth = await host.settled('single', (g) => g.nodes[0]!.pid !== third.nodes[0]!.pid)
  assert.deepEqual(await keys(fourth), ['one', 'three', 'two'])
})

test('asked for and given up on a running node; what was given up does not come back', async () => {
  host.wish([redisGroup('single', 1)])
  const without = await host.settled('single')
  assert.equal(existsSync(fileOf('single', 'single-001')), false)
  assert.deepEqual(await keys(without), ['one', 'three', 'two'])
  process.kill(without.nodes[0]!.pid!, 'SIGKILL')
  const empty = await host.settled('single', (g) => g.nodes[0]!.pid !== without.nodes[0]!.pid)
  assert.deepEqual(await keys(empty), [])
  await put(empty, 'new')
  host.wish([single])
  const again = await host.settled('single', (g) => g.nodes[0]!.pendingReboot.length === 0)
  assert.equal(again.nodes[0]!.pid, empty.nodes[0]!.pid)
  // It holds from when the engine has written down what it has.
  const manifest = join(fileOf('single', 'single-001'), 'appendonly.aof.manifest')
  while (!existsSync(manifest)) await new Promise((resolve) => setTimeout(resolve, 10))
  process.kill(again.nodes[0]!.pid!, 'SIGKILL')
  assert.deepEqual(await keys(await host.settled('single', (g) => g.nodes[0]!.pid !== again.nodes[0]!.pid)), ['new'])
})

test('a group that is made anew under the same name has none of the old data', async () => {
  host.wish([])
  await host.waitFor((seen) => seen.groups.length === 0)
  host.wish([single])
  assert.deepEqual(await keys(await host.settled('single')), [])
})

test('a dead primary with its old file follows the replica that was promoted, and gives its own data up', async () => {
  host.wish([redisGroup('pair', 2, { appendonly: 'everysec' })])
  const first = await host.settled('pair')
  const old = primaryOf(first)
  await put(first, 'before')
  const redis = await redisAt(first.endpoint)
  await redis.wait(1, 5000)
  redis.disconnect()
  process.kill(old.pid!, 'SIGKILL')
  const second = await host.settled('pair', (g) => primaryOf(g).id !== old.id)
  await put(second, 'after')
  const replica = await redisAt(second.nodes.find((node) => node.id === old.id)!.address)
  while ((await replica.dbsize()) < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  replica.disconnect()
  // Everything at once: the one that was decided to be primary brings the data, the other takes it.
  await host.killKeeper()
  for (const node of second.nodes) process.kill(node.pid!, 'SIGKILL')
  await host.startKeeper()
  const third = await host.settled('pair', (g) => g.nodes.every((n) => second.nodes.every((o) => o.pid !== n.pid)))
  assert.equal(primaryOf(third).id, primaryOf(second).id)
  assert.deepEqual(await keys(third), ['after', 'before'])
})

test('encryption at rest rules the file out, and core dumps with it', async () => {
  host.wish([redisGroup('secret', 2, { appendonly: 'always', atRestEncryption: true })])
  const group = await host.settled('secret')
  await put(group, 'key')
  const { readFileSync } = await import('node:fs')
  for (const node of group.nodes) {
    assert.equal(existsSync(fileOf('secret', node.id)), false)
    assert.match(readFileSync(`/proc/${node.pid}/limits`, 'utf8'), /^Max core file size\s+0\s+0\s/m)
    assert.match(readFileSync(`/proc/${node.pid}/coredump_filter`, 'utf8'), /^0+$/m)
  }
})
