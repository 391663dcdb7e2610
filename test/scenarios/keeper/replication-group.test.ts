//! A replication group on real redis-servers: made, written through its endpoints, and kept alive when nodes die.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { KeeperHost, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

test('a group of three replicates; its endpoints answer ioredis and redis-cli', async () => {
  host.wish([redisGroup('shop', 3)])
  const group = await host.settled('shop')
  assert.equal(group.problem, null)
  assert.equal(replicasOf(group).length, 2)
  const writer = await redisAt(group.endpoint)
  await writer.set('price', '9.99')
  assert.equal(await writer.wait(2, 5000), 2)
  writer.disconnect()
  const seen = new Set<string>()
  for (let connection = 0; connection < 2; connection++) {
    const reader = await redisAt(group.readerEndpoint!)
    assert.equal(await reader.get('price'), '9.99')
    seen.add(/tcp_port:\d+[\s\S]*?process_id:(\d+)|process_id:(\d+)/.exec(await reader.info('server'))![0])
    await assert.rejects(reader.set('price', '0'), /READONLY/)
    reader.disconnect()
  }
  assert.equal(seen.size, 2, 'two connections reach two replicas')
  const cli = execFileSync('redis-cli', ['-h', group.endpoint, 'GET', 'price'], { encoding: 'utf8' })
  assert.equal(cli.trim(), '9.99')
})

test('a killed primary: no write is lost that a replica acknowledged, and the node comes back as a replica', async () => {
  const before = await host.settled('shop')
  const old = primaryOf(before)
  const written = await writeUntilFailover(before.endpoint, old.pid!)
  const group = await host.settled(
    'shop',
    (g) => primaryOf(g).id !== old.id && g.nodes.every((n) => n.state === 'available'),
  )
  const reader = await redisAt(group.endpoint)
  const values = await reader.mget(written.map((n) => `w:${n}`))
  reader.disconnect()
  assert.ok(written.length > 0)
  assert.deepEqual(values, written.map(String))
  const back = group.nodes.find((n) => n.id === old.id)!
  assert.equal(back.role, 'replica')
  assert.equal(back.address, old.address)
  assert.notEqual(back.pid, old.pid)
  const words = host.eventWords()
  assert.ok(words.includes(`node-lost ${old.id} exit`), words.join('; '))
  assert.ok(words.includes(`failover ${old.id} ${primaryOf(group).id}`))
  assert.ok(words.includes(`recovered ${old.id} false`))
})

/** Writes with WAIT 1 through the endpoint, kills `pid` in the middle, and goes on until writes succeed again. */
async function writeUntilFailover(endpoint: string, pid: number): Promise<readonly number[]> {
  const acknowledged: number[] = []
  let killed = false
  let afterKill = 0
  for (let n = 0; afterKill < 50; ) {
    try {
      const redis = await redisAt(endpoint)
      try {
        while (afterKill < 50) {
          n++
          await redis.set(`w:${n}`, n)
          if ((await redis.wait(1, 1000)) >= 1) {
            acknowledged.push(n)
            if (killed) afterKill++
          }
          if (n === 100) {
            process.kill(pid, 'SIGKILL')
            killed = true
          }
        }
      } finally {
        redis.disconnect()
      }
    } catch {
      // Between two primaries: the next connection tries again.
    }
  }
  return acknowledged
}

test('a stopped primary is fenced and failed over; it comes back as a replica', async () => {
  const before = await host.settled('shop')
  const old = primaryOf(before)
  process.kill(old.pid!, 'SIGSTOP')
  const group = await host.settled('shop', (g) => primaryOf(g).id !== old.id)
  assert.ok(host.eventWords().includes(`node-lost ${old.id} frozen`))
  const writer = await redisAt(group.endpoint)
  await writer.set('after', 'freeze')
  assert.equal(await writer.wait(2, 5000), 2)
  writer.disconnect()
})

test('a killed replica is started again and catches up', async () => {
  const before = await host.settled('shop')
  const lost = replicasOf(before)[0]!
  process.kill(lost.pid!, 'SIGKILL')
  const isBack = (n: { id: string; pid: number | null }): boolean => n.id === lost.id && n.pid !== lost.pid
  const group = await host.settled('shop', (g) => g.nodes.some(isBack))
  assert.equal(primaryOf(group).id, primaryOf(before).id)
  const redis = await redisAt(lost.address)
  assert.equal(await redis.get('after'), 'freeze')
  redis.disconnect()
})

test('a removed replica goes, a removed group leaves nothing', async () => {
  const full = await host.settled('shop')
  host.wish([redisGroup('shop', 3, { nodes: full.nodes.slice(0, 2).map((n) => ({ id: n.id, firstPrimary: false })) })])
  const group = await host.settled('shop', (g) => g.nodes.length === 2)
  assert.deepEqual(
    group.nodes.map((n) => n.id).sort(),
    full.nodes
      .slice(0, 2)
      .map((n) => n.id)
      .sort(),
  )
  host.wish([])
  await host.waitFor((seen) => seen.groups.length === 0)
  await host.gone('nodes', 'shop')
})

test('a group that is wished again while it is still being removed is made anew', async () => {
  host.wish([redisGroup('again', 1)])
  const first = await host.settled('again')
  host.wish([])
  host.wish([redisGroup('again', 1)])
  const second = await host.settled('again', (g) => g.nodes[0]!.pid !== first.nodes[0]!.pid)
  const redis = await redisAt(second.endpoint)
  assert.equal(await redis.ping(), 'PONG')
  redis.disconnect()
})
