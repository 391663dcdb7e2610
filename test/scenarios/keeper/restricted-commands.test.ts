//! SCENARIO: restricted commands (spec/elasticache.md 5.5) are refused to every client, what AWS allows is allowed, and
//! the keeper's own user is not to be seen.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Redis } from 'ioredis'
import { ADMIN_USER, sha256Of } from '../../../src/keeper/door.ts'
import { KeeperHost, redisAt, redisGroup } from '../../support/keeper-host.ts'

const PASSWORD = 'a-password-of-16+'

let host: KeeperHost
/** The default user of an open group, and a user of users whose access string allows everything, selector included. */
const clients: Redis[] = []

before(async () => {
  host = await KeeperHost.start()
  const user = { passwords: [sha256Of(PASSWORD)], noPassword: false, iam: false }
  const users = [{ ...user, name: 'all', access: 'on ~* &* +@all (~* &* +@all)' }]
  host.wish([redisGroup('open', 2), redisGroup('named', 1, { access: { users } })])
  clients.push(await redisAt((await host.settled('open')).endpoint))
  const { endpoint } = await host.settled('named')
  clients.push(await redisAt(endpoint, 6379, { username: 'all', password: PASSWORD }))
})

after(async () => {
  for (const client of clients) client.disconnect()
  await host.end()
})

const REFUSED = `
  config get maxmemory | config set maxmemory 1 | config rewrite | config resetstat | debug sleep 0 | save | bgsave |
  bgrewriteaof | replicaof no one | slaveof no one | shutdown nosave | sync | psync ? -1 | failover | module list |
  migrate 127.0.0.1 1 k 0 1 | acl setuser x on | acl deluser x | acl load | acl save | acl list | acl users |
  acl getuser default | cluster setslot 1 stable | cluster meet 127.0.0.1 1 | cluster addslots 1 |
  cluster delslots 1 | cluster failover | cluster forget x | cluster flushslots | cluster links | cluster bumpepoch |
  cluster replicate x | cluster reset | cluster saveconfig
`
const ALLOWED = `
  info | client list | client id | client setname n | client no-evict off | slowlog get | latency latest |
  memory stats | memory usage k | script load return | script exists x | wait 0 0 | keys * | dbsize | acl whoami |
  acl cat | acl log | object help | function list | flushdb | flushall | lastsave | role | time
`

const commands = (text: string): string[][] => text.split('|').map((line) => line.trim().split(' '))

for (const words of commands(REFUSED)) {
  test(`refused: ${words.join(' ')}`, async () => {
    for (const client of clients) {
      await assert.rejects(
        client.call(words[0]!, ...words.slice(1)),
        /NOPERM|DEBUG command not allowed/,
        words.join(' '),
      )
    }
  })
}

for (const words of commands(ALLOWED)) {
  test(`allowed: ${words.join(' ')}`, async () => {
    for (const client of clients) await client.call(words[0]!, ...words.slice(1))
  })
}

test('a script cannot do what its caller may not', async () => {
  for (const client of clients) {
    await assert.rejects(
      client.eval("return redis.call('config', 'get', 'masterauth')", 0),
      /can't run this command|not allowed from script/,
    )
  }
})

test('MONITOR is allowed and shows what clients do', async () => {
  const monitor = await clients[0]!.duplicate().monitor()
  const seen = new Promise<string[]>((resolve) => monitor.on('monitor', (_time, args) => resolve(args as string[])))
  await clients[0]!.set('k', 'v')
  assert.deepEqual(await seen, ['set', 'k', 'v'])
  monitor.disconnect()
})

test("nobody but the keeper comes in as the keeper's user", async () => {
  for (const client of clients) {
    await assert.rejects(client.auth(ADMIN_USER, ''), /WRONGPASS/)
    await assert.rejects(client.auth(ADMIN_USER, 'guess'), /WRONGPASS/)
  }
})
