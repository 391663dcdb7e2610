//! Encryption in transit step by step, counted: how often each client of each kind loses its connection, at every address
//! of the group, and that every write a replica has acknowledged is on every node at the end.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import type { GroupSeen, TransitWish } from '../../../src/keeper/protocol.ts'
import { KeeperHost, redisAt, redisGroup } from '../../support/keeper-host.ts'

const KINDS = ['plain', 'secure'] as const
type Kind = (typeof KINDS)[number]
type Mode = 'off' | 'preferred' | 'required'
/** Which kinds of clients come in. */
const TAKEN: Readonly<Record<Mode, readonly Kind[]>> = {
  off: ['plain'],
  preferred: KINDS,
  required: ['secure'],
}

let host: KeeperHost
const clients: Client[] = []
before(async () => {
  host = await KeeperHost.start()
})
after(async () => {
  await Promise.all(clients.map((client) => client.end()))
  await host.end()
})

const wish = (mode: Mode): number => {
  const transit: TransitWish | null = mode === 'off' ? null : { mode, names: [], renewal: 0, imported: null }
  return host.wish([redisGroup('move', 3, { transit })])
}

/** A client that comes back by itself, how often it came in, and what it had acknowledged. */
class Client {
  readonly kind: Kind
  readonly address: string
  readonly redis: Redis
  isIn = false
  sessions = 0
  lost = 0
  #written = 0
  readonly acknowledged: string[] = []
  #ended = false
  #writing: Promise<void> = Promise.resolve()

  constructor(kind: Kind, address: string) {
    this.kind = kind
    this.address = address
    const tls = kind === 'plain' ? {} : { tls: { ca: readFileSync(join(host.home, 'authority', 'ca', 'ca.pem')) } }
    this.redis = new Redis({ host: address, port: 6379, ...tls, retryStrategy: () => 20, maxRetriesPerRequest: null })
    this.redis.on('error', () => {})
    this.redis.on('ready', () => {
      this.isIn = true
      this.sessions++
    })
    this.redis.on('close', () => {
      if (this.isIn) this.lost++
      this.isIn = false
    })
  }

  async in(): Promise<void> {
    while (this.redis.status !== 'ready') await pause()
    await this.redis.ping()
  }

  write(): this {
    this.#writing = (async () => {
      while (!this.#ended) {
        const key = `${this.kind}:${++this.#written}`
        try {
          await this.redis.set(key, 'kept')
          if ((await this.redis.wait(1, 1000)) >= 1) this.acknowledged.push(key)
        } catch {
          // Cut off: nobody has acknowledged this one.
          await pause()
        }
      }
    })()
    return this
  }

  async reach(count: number): Promise<void> {
    const from = this.acknowledged.length
    while (this.acknowledged.length < from + count) await pause()
  }

  async end(): Promise<void> {
    this.#ended = true
    this.redis.disconnect()
    await this.#writing
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

test('off, preferred, required, preferred, off: one reconnect a step and node at most, and no acknowledged write is lost', {
  timeout: 120_000,
}, async (t) => {
  wish('off')
  let group: GroupSeen = await host.settled('move')
  const places = [group.endpoint, group.readerEndpoint!, ...group.nodes.map((node) => node.address)]
  const writers = new Map<Kind, Client>()
  const open = async (kind: Kind): Promise<void> => {
    const own = places.map((place) => new Client(kind, place))
    writers.set(kind, new Client(kind, group.endpoint).write())
    clients.push(...own, writers.get(kind)!)
    for (const client of own) await client.in()
    await writers.get(kind)!.reach(20)
  }
  await open('plain')
  let before: Mode = 'off'
  for (const mode of ['preferred', 'required', 'preferred', 'off'] as const) {
    const counted = clients.map(({ lost, sessions }) => ({ lost, sessions }))
    wish(mode)
    // A group that is plain for good has no certificate, and nothing to say of it.
    group = await host.settled('move', (g) => (g.transit?.mode ?? 'off') === mode)
    if (mode === 'preferred' && !writers.has('secure')) {
      await open('secure')
    }
    for (const client of clients) {
      if (TAKEN[mode].includes(client.kind)) await client.in()
      // Its end may be told a moment after the mode is.
      else while (client.isIn) await pause()
    }
    for (const kind of TAKEN[mode]) await writers.get(kind)!.reach(20)
    for (const [at, { lost, sessions }] of counted.entries()) {
      const client = clients[at]!
      const what = `${before} to ${mode}: ${client.kind} at ${client.address}`
      const [gone, come] = [client.lost - lost, client.sessions - sessions]
      t.diagnostic(`${what}: lost ${gone}, came in ${come}`)
      // The reader endpoint leads to a node that has yet to change, and its front comes or goes. Who was out comes in.
      const most = client.address === group.readerEndpoint ? group.nodes.length + 1 : 1
      const entering = TAKEN[before].includes(client.kind) ? 0 : 1
      assert.ok(gone <= most, `${what} lost ${gone} connections`)
      assert.ok(come <= gone + entering, `${what} came in ${come} times, ${gone} were lost`)
      if (!TAKEN[mode].includes(client.kind)) assert.equal(gone - come, 1 - entering, what)
    }
    before = mode
  }
  const acknowledged = [...writers.values()].flatMap((writer) => writer.acknowledged)
  await Promise.all(clients.map((client) => client.end()))
  assert.ok(acknowledged.length >= 120, `${acknowledged.length} writes were acknowledged`)
  const primary = await redisAt(group.endpoint)
  await primary.set('last', 'one')
  assert.equal(await primary.wait(2, 10_000), 2)
  primary.disconnect()
  for (const { address } of group.nodes) {
    const node = await redisAt(address)
    const values = await node.mget(acknowledged)
    assert.deepEqual(
      acknowledged.filter((_, at) => values[at] !== 'kept'),
      [],
      address,
    )
    node.disconnect()
  }
})
