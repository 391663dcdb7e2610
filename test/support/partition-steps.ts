//! Runs in a network namespace (partition.test.ts): a group whose nodes cannot reach each other, or not the keeper. A
//! writer with numbers at the primary endpoint watches all the while.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { keeperAddress } from '../../src/keeper/addresses.ts'
import type { GroupSeen, NodeSeen } from '../../src/keeper/protocol.ts'
import { KeeperHost, primaryOf, redisAt, redisGroup, replicasOf } from './keeper-host.ts'
import { cut } from './network-namespace.ts'

/** Where the clients' connections come from. */
const OUTSIDE = '127.0.0.1'
const WAIT_MS = 300
/** A step that takes longer hangs: it fails, and what it started is ended. Milliseconds. */
const LIMIT = { timeout: 50_000 }

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
  host.wish([redisGroup('shop', 3)])
})
after(async () => {
  cut([])
  await host.end()
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** The process that a new connection reaches; NaN when the connection is ended in its middle, as one to a stale replica is. */
const pidAt = async (address: string): Promise<number> => {
  const redis = await redisAt(address).catch(() => null)
  const info = (await redis?.info('server').catch(() => '')) ?? ''
  redis?.disconnect()
  return Number(/process_id:(\d+)/.exec(info)?.[1])
}
const nodes = async (): Promise<{ group: GroupSeen; primary: NodeSeen; replicas: readonly NodeSeen[] }> => {
  const group = await host.settled('shop')
  return { group, primary: primaryOf(group), replicas: replicasOf(group) }
}

/** Writes numbers at the endpoint until it is stopped; remembers which ones `replicas` replicas had. */
class NumberWriter {
  readonly acknowledged: number[] = []
  accepted = 0
  readonly #endpoint: string
  readonly #replicas: number
  readonly #key: string
  #stopped = false
  readonly #done: Promise<void>

  constructor(endpoint: string, key: string, replicas: number) {
    this.#endpoint = endpoint
    this.#replicas = replicas
    this.#key = key
    this.#done = this.#run()
  }

  async #run(): Promise<void> {
    for (let n = 1; !this.#stopped; ) {
      try {
        const redis = await redisAt(this.#endpoint)
        redis.options.commandTimeout = 1000
        try {
          for (; !this.#stopped; n++) {
            await redis.set(`${this.#key}:${n}`, n)
            this.accepted++
            if ((await redis.wait(this.#replicas, WAIT_MS)) >= this.#replicas) this.acknowledged.push(n)
            await pause(5)
          }
        } finally {
          redis.disconnect()
        }
      } catch {
        // The primary of this connection is gone: the next one tries again.
        n++
        await pause(5)
      }
    }
  }

  /** Accepted writes grow by `count` from now on. */
  async goesOn(count = 20): Promise<void> {
    const until = this.accepted + count
    while (this.accepted < until) await pause(10)
  }

  /** Stops; every acknowledged number must be at the endpoint. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
    const redis = await redisAt(this.#endpoint)
    const kept =
      this.acknowledged.length === 0 ? [] : await redis.mget(this.acknowledged.map((n) => `${this.#key}:${n}`))
    redis.disconnect()
    assert.deepEqual(kept, this.acknowledged.map(String))
  }
}

test(
  'both replicas are cut from the primary: it goes on alone, and readers are led to it until they are back',
  LIMIT,
  async () => {
    const { group, primary, replicas } = await nodes()
    const writer = new NumberWriter(group.endpoint, 'alone', 2)
    await writer.goesOn()
    cut(replicas.map((r) => [primary.address, r.address] as const))
    const events = host.events.length
    while ((await pidAt(group.readerEndpoint!)) !== primary.pid) await pause(100)
    for (let n = 0; n < 4; n++) assert.equal(await pidAt(group.readerEndpoint!), primary.pid)
    const seen = await host.waitFor((s) => /behind its primary|lost its primary/.test(s.groups[0]?.problem ?? ''))
    assert.equal(primaryOf(seen.groups[0]!).id, primary.id)
    await writer.goesOn(2)
    cut([])
    const back = new Set<number>()
    while (!replicas.every((r) => back.has(r.pid!))) back.add(await pidAt(group.readerEndpoint!))
    await host.settled('shop', (g) => g.problem === null)
    await writer.stop()
    assert.deepEqual(host.eventWords().slice(events), [])
  },
)

test(
  'of a cut-off and an up-to-date replica, the primary that dies is followed by the one that has its writes',
  LIMIT,
  async () => {
    const { group, primary, replicas } = await nodes()
    // The first by name would win at equal offsets.
    const [cutOff, current] = [...replicas].sort((a, b) => (a.id < b.id ? -1 : 1)) as [NodeSeen, NodeSeen]
    cut([[primary.address, cutOff.address]])
    const writer = new NumberWriter(group.endpoint, 'current', 1)
    await writer.goesOn(100)
    process.kill(primary.pid!, 'SIGKILL')
    await host.waitFor((s) => primaryOf(s.groups[0]!).id !== primary.id)
    assert.equal(primaryOf((await host.waitFor(() => true)).groups[0]!).id, current.id)
    await writer.goesOn()
    cut([])
    await host.settled('shop')
    await writer.stop()
  },
)

test('a rebuilt node that cannot reach the new primary is not told of as available', LIMIT, async () => {
  const { group, primary, replicas } = await nodes()
  cut(replicas.map((r) => [primary.address, r.address] as const))
  const writer = new NumberWriter(group.endpoint, 'rebuilt', 1)
  process.kill(primary.pid!, 'SIGKILL')
  const isBegun = (g: GroupSeen): boolean =>
    primaryOf(g).id !== primary.id &&
    g.nodes.some((n) => n.id === primary.id && n.pid !== null && n.pid !== primary.pid)
  await host.waitFor((s) => isBegun(s.groups[0]!))
  await writer.goesOn(50)
  const seen = (await host.waitFor(() => true)).groups[0]!
  const rebuilt = seen.nodes.find((n) => n.id === primary.id)!
  assert.equal(rebuilt.state, 'recovering')
  assert.equal(seen.settled, false)
  cut([])
  const after = await host.settled('shop')
  assert.equal(after.nodes.find((n) => n.id === primary.id)!.state, 'available')
  await writer.stop()
})

test(
  'a primary that the keeper cannot reach is ended before another takes its endpoint: no write is in two places',
  LIMIT,
  async () => {
    const { group, primary } = await nodes()
    const writer = new NumberWriter(group.endpoint, 'fenced', 2)
    await writer.goesOn()
    // Clients reach it through the endpoint as before: only the fence keeps it from taking their writes.
    cut([OUTSIDE, keeperAddress(primary.address)].map((from) => [from, primary.address] as const))
    await host.waitFor((s) => primaryOf(s.groups[0]!).id !== primary.id)
    assert.throws(() => process.kill(primary.pid!, 0), /ESRCH/)
    await writer.goesOn()
    cut([])
    await host.settled('shop')
    await writer.stop()
    assert.ok(host.eventWords().includes(`node-lost ${primary.id} hung`), host.eventWords().join('; '))
  },
)
