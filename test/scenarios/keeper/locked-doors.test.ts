//! A keeper that is killed while tokens or users change: no node lets anybody in who must not come in, at no moment, also
//! where an engine died meanwhile and the next keeper starts it again; and the next keeper finishes the change.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { connectKeeper } from '../../../src/keeper/client.ts'
import { sha256Of } from '../../../src/keeper/door.ts'
import type { GroupSeen, UserWish } from '../../../src/keeper/protocol.ts'
import { KeeperHost, PATIENCE_MS, redisGroup, replicasOf } from '../../support/keeper-host.ts'

const [OLD, NEW, NEXT] = ['token-number-one-of-16', 'token-number-two-of-16', 'token-number-three-16'] as const

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

interface Name {
  readonly username?: string
  readonly password?: string
}

const auth = (...tokens: string[]): readonly UserWish[] => [
  { name: 'default', access: 'on ~* &* +@all', passwords: tokens.map(sha256Of), noPassword: false, iam: false },
]
const bob = (...passwords: string[]): readonly UserWish[] => [{ ...auth(...passwords)[0]!, name: 'bob' }]

const wish = (users: readonly UserWish[]): number =>
  host.wish([
    redisGroup('shop', 3, {
      transit: { mode: 'required', names: [], renewal: 0, imported: null },
      access: { users },
    }),
  ])

/** What a new client gets for PING: PONG, the word of the refusal, or that nobody is there. */
async function knock(address: string, name: Name = {}): Promise<string> {
  const redis = new Redis({
    ...{ host: address, port: 6379, ...name, tls: { ca: readFileSync(join(host.home, 'authority', 'ca', 'ca.pem')) } },
    ...{ lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null, maxRetriesPerRequest: 0 },
  })
  const refused = new Promise<string>((resolve) => {
    redis.on('error', (error) => resolve(wordOf(error)))
  })
  const answer = redis.connect().then(() => redis.ping())
  const first = await Promise.race([refused, answer.catch(wordOf)])
  redis.disconnect()
  return first
}

const wordOf = ({ message }: Error): string => message.split(' ')[0]!

/** Knocks at all addresses, without a name and with a wrong token, until it is ended. Tells how often each was refused. */
function watched(addresses: readonly string[]) {
  const refusals = new Map<string, number>(addresses.map((address) => [address, 0]))
  const entered: string[] = []
  let ended = false
  const watching = Promise.all(
    addresses.map(async (address) => {
      while (!ended) {
        for (const name of [{}, { password: 'a-token-of-nobody' }]) {
          const answer = await knock(address, name)
          if (answer === 'PONG') entered.push(address)
          if (/^(NOAUTH|WRONGPASS)/.test(answer)) refusals.set(address, refusals.get(address)! + 1)
        }
      }
    }),
  )
  return {
    /** Each address refused somebody from now on. */
    async refuses(): Promise<void> {
      const from = new Map(refusals)
      while (addresses.some((address) => refusals.get(address)! < from.get(address)! + 4)) await pause()
    },
    async end(): Promise<void> {
      ended = true
      await watching
      assert.deepEqual(entered, [], 'somebody came in without a token')
    },
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
const addressesOf = (group: GroupSeen): readonly string[] => group.nodes.map((node) => node.address)

async function everywhere(addresses: readonly string[], name: Name, expected: string): Promise<void> {
  for (const address of addresses)
    assert.equal(await knock(address, name), expected, `${address} ${JSON.stringify(name)}`)
}

test('AUTH: killed while a rotation is under way, on some nodes already', async () => {
  wish(auth(OLD))
  const addresses = addressesOf(await host.settled('shop'))
  const watch = watched(addresses)
  wish(auth(OLD, NEW))
  while (!(await Promise.all(addresses.map((address) => knock(address, { password: NEW })))).includes('PONG'))
    await pause()
  await host.killKeeper()
  await watch.refuses()
  await everywhere(addresses, { password: OLD }, 'PONG')
  await host.startKeeper()
  await host.waitFor((seen) => host.client.hello?.pid === host.process.pid && seen.groups.some((g) => g.settled))
  await host.settled('shop')
  await everywhere(addresses, { password: OLD }, 'PONG')
  await everywhere(addresses, { password: NEW }, 'PONG')
  await watch.refuses()
  await watch.end()
})

test('AUTH: killed as soon as it heard of a rotation, and a replica with it; the next keeper is alone at first', async () => {
  const before = await host.settled('shop')
  const addresses = addressesOf(before)
  const watch = watched(addresses)
  wish(auth(NEW, NEXT))
  await host.killKeeper()
  const [lost] = replicasOf(before)
  host.client.close()
  process.kill(lost!.pid!, 'SIGKILL')
  await host.startKeeper()
  // What its ledger knows: the door of the engine that it starts is locked, and those who had a right come in.
  while ((await knock(lost!.address, { password: NEW })) !== 'PONG') await pause()
  await watch.refuses()
  await everywhere(addresses, {}, 'NOAUTH')
  host.client = await connectKeeper(join(host.home, 'keeper.sock'), { version: 'test' }, PATIENCE_MS)
  wish(auth(NEW, NEXT))
  await host.settled('shop')
  await everywhere(addresses, { password: NEXT }, 'PONG')
  await everywhere(addresses, { password: OLD }, 'WRONGPASS')
  await watch.refuses()
  await watch.end()
})

test('users: killed while AUTH gives way to users, and while a password changes', async () => {
  const addresses = addressesOf(await host.settled('shop'))
  const watch = watched(addresses)
  for (const users of [bob(OLD), bob(NEW)]) {
    wish(users)
    await host.killKeeper()
    await watch.refuses()
    await host.startKeeper()
    await host.waitFor(() => host.client.hello?.pid === host.process.pid)
    await host.settled('shop')
  }
  await everywhere(addresses, {}, 'NOAUTH')
  await everywhere(addresses, { password: NEXT }, 'WRONGPASS')
  await everywhere(addresses, { username: 'bob', password: OLD }, 'WRONGPASS')
  await everywhere(addresses, { username: 'bob', password: NEW }, 'PONG')
  await watch.refuses()
  await watch.end()
})
