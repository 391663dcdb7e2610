//! SCENARIO: IAM users: tokens by AWS's own signer log in at every endpoint over TLS, in RESP2 and RESP3, with ioredis,
//! node-redis and redis-cli; anything else is refused by the engine; groups without such users have no front.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '@redis/client'
import { SignatureV4 } from '@smithy/signature-v4'
import { Redis } from 'ioredis'
import { Sha256 } from '../../../src/aws/sigv4.ts'
import { sha256Of } from '../../../src/keeper/door.ts'
import { iamFront } from '../../../src/keeper/iam/iam-front.ts'
import type { GroupSeen, GroupWish, UserWish } from '../../../src/keeper/protocol.ts'
import { listeningOf } from '../../../src/keeper/transit.ts'
import { KeeperHost, primaryOf, redisGroup } from '../../support/keeper-host.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const REGION = 'eu-west-1'
const PASSWORD = 'a-password-of-16+'

const ann: UserWish = { name: 'ann', access: 'on ~* &* +@all', passwords: [], noPassword: false, iam: true }
const bob: UserWish = { ...ann, name: 'bob', passwords: [sha256Of(PASSWORD)], iam: false }

let host: KeeperHost

const group = (users: readonly UserWish[], mode: 'preferred' | 'required' = 'required'): GroupWish =>
  redisGroup('shop', 3, {
    transit: { mode, names: [], renewal: 0, imported: null },
    access: { users, iam: { keyPair: KEYS, region: REGION } },
  })

before(async () => {
  host = await KeeperHost.start()
  host.wish([group([ann, bob])])
  await host.settled('shop')
})

after(() => host.end())

interface TokenOf {
  readonly cache?: string
  readonly user?: string
  readonly secret?: string
  readonly at?: number
}

/** As AWS's documents say: a presigned URL without its scheme. */
async function tokenOf({ cache = 'shop', user = 'ann', secret, at = Date.now() }: TokenOf = {}): Promise<string> {
  const credentials = { ...KEYS, ...(secret === undefined ? {} : { secretAccessKey: secret }) }
  const signer = new SignatureV4({ credentials, region: REGION, service: 'elasticache', sha256: Sha256 })
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'http:',
      hostname: cache,
      path: '/',
      query: { Action: 'connect', User: user },
      headers: { host: cache },
    },
    { signingDate: new Date(at), expiresIn: 900 },
  )
  return `${cache}/?${new URLSearchParams(signed.query as Record<string, string>)}`
}

const authority = (): string => join(host.home, 'authority', 'ca', 'ca.pem')
const tls = () => ({ ca: readFileSync(authority()) })

/** A client that does not come back by itself, and says nothing of its own. */
const ONCE = { enableReadyCheck: false, retryStrategy: () => null, maxRetriesPerRequest: 0, disableClientInfo: true }

async function connected(address: string, username: string, password: string, port = 6379): Promise<Redis> {
  const redis = new Redis({
    ...{ host: address, port, username, password, tls: tls() },
    ...{ lazyConnect: true, ...ONCE },
  })
  redis.on('error', () => {})
  await redis.connect()
  return redis
}

async function whoami(address: string, username: string, password: string): Promise<string> {
  const redis = await connected(address, username, password)
  try {
    return String(await redis.call('ACL', 'WHOAMI'))
  } finally {
    redis.disconnect()
  }
}

const addressesOf = (seen: GroupSeen): string[] => [
  seen.endpoint,
  seen.readerEndpoint!,
  ...seen.nodes.map((node) => node.address),
]

test('a token logs in at every endpoint, with ioredis; a password user beside it', async () => {
  const seen = await host.settled('shop')
  for (const address of addressesOf(seen)) {
    assert.equal(await whoami(address, 'ann', await tokenOf()), 'ann', address)
    assert.equal(await whoami(address, 'bob', PASSWORD), 'bob', address)
  }
  const redis = await connected(seen.endpoint, 'ann', await tokenOf())
  const large = 'x'.repeat(3_000_000)
  assert.deepEqual(await redis.pipeline().set('k', large).get('k').exec(), [
    [null, 'OK'],
    [null, large],
  ])
  redis.disconnect()
})

test('HELLO 3 AUTH by node-redis, AUTH by redis-cli', async () => {
  const { endpoint } = await host.settled('shop')
  const token = await tokenOf()
  const client = createClient({
    RESP: 3,
    username: 'ann',
    password: token,
    socket: { host: endpoint, port: 6379, tls: true, ca: tls().ca },
  })
  await client.connect()
  assert.equal(await client.sendCommand(['ACL', 'WHOAMI']), 'ann')
  client.destroy()
  const args = ['--tls', '--cacert', authority(), '-h', endpoint, '--user', 'ann', 'ACL', 'WHOAMI']
  const env = { ...process.env, REDISCLI_AUTH: token }
  assert.equal((await promisify(execFile)('redis-cli', args, { env })).stdout.trim(), 'ann')
})

test('a token that is not right is refused by the engine: another cache, user, key, time, and no token at all', async () => {
  const { endpoint } = await host.settled('shop')
  const wrong: Record<string, string> = {
    'another cache': await tokenOf({ cache: 'other' }),
    'another user': await tokenOf({ user: 'bob' }),
    'another secret key': await tokenOf({ secret: 'guess' }),
    'too old': await tokenOf({ at: Date.now() - 901_000 }),
    'not a token': PASSWORD,
  }
  const redis = await connected(endpoint, 'bob', PASSWORD)
  for (const [what, token] of Object.entries(wrong)) await assert.rejects(redis.auth('ann', token), /WRONGPASS/, what)
  await assert.rejects(redis.auth('bob', await tokenOf({ user: 'bob' })), /WRONGPASS/, 'a password user has no tokens')
  assert.equal(await redis.call('ACL', 'WHOAMI'), 'bob')
  redis.disconnect()
})

test('a connection logs in again with a fresh token, not within MULTI', async () => {
  const redis = await connected((await host.settled('shop')).endpoint, 'ann', await tokenOf())
  assert.equal(await redis.auth('ann', await tokenOf()), 'OK')
  await assert.rejects(redis.auth('ann', 'not a token'), /WRONGPASS/)
  assert.equal(await redis.ping(), 'PONG', 'a login that fails leaves the one before')
  redis.disconnect()
})

test('after a failover tokens log in at the same endpoint, by the next keeper too', async () => {
  const before = await host.settled('shop')
  process.kill(primaryOf(before).pid!, 'SIGKILL')
  const after = await host.settled('shop', (g) => primaryOf(g).id !== primaryOf(before).id)
  assert.equal(await whoami(after.endpoint, 'ann', await tokenOf()), 'ann')
  await host.killKeeper()
  await host.startKeeper()
  await host.waitFor((seen) => host.client.hello?.pid === host.process.pid && seen.groups.every((g) => g.settled))
  assert.equal(await whoami(after.endpoint, 'ann', await tokenOf()), 'ann')
})

test('without IAM users the engines stand at the endpoints themselves, and back', async () => {
  host.wish([group([bob])])
  const direct = await host.settled('shop')
  const redis = await connected(direct.endpoint, 'bob', PASSWORD)
  // The engine's own list of connections has the client's address: nobody stands between.
  const list = String(await redis.client('LIST', 'ID', String(await redis.client('ID'))))
  assert.match(list, new RegExp(` laddr=${direct.endpoint}:6379 `))
  redis.disconnect()
  host.wish([group([ann, bob])])
  const fronted = await host.settled('shop')
  assert.equal(await whoami(fronted.endpoint, 'ann', await tokenOf()), 'ann')
})

test('preferred: tokens come in over TLS alone; passwords both ways, at every address', async () => {
  host.wish([group([ann, bob], 'preferred')])
  const seen = await host.settled('shop', (g) => g.transit?.mode === 'preferred')
  for (const address of addressesOf(seen)) {
    assert.equal(await whoami(address, 'ann', await tokenOf()), 'ann', address)
    assert.equal(await whoami(address, 'bob', PASSWORD), 'bob', address)
    assert.equal(await plainly(address, 'bob', PASSWORD), 'bob', address)
    // A token in plain text is anybody's for as long as it holds.
    assert.match(await plainly(address, 'ann', await tokenOf()), /^-WRONGPASS/, address)
  }
  host.wish([group([ann, bob])])
  const back = await host.settled('shop', (g) => g.transit?.mode === 'required')
  assert.equal(await whoami(back.endpoint, 'ann', await tokenOf()), 'ann')
  assert.equal(await plainly(back.endpoint, 'bob', PASSWORD), '')
})

/** Who a client without TLS is, or how it is refused; empty when its connection just ends. */
async function plainly(address: string, username: string, password: string): Promise<string> {
  const socket = connect(6379, address)
  let answers = ''
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    answers += bytes
    // Of AUTH, and of ACL WHOAMI: an error, or a length and a name.
    if (/^-.*\r\n-.*\r\n|^\+OK\r\n\$\d+\r\n.*\r\n/.test(answers)) socket.destroy()
  })
  socket.write(`AUTH ${username} ${password}\r\nACL WHOAMI\r\n`)
  await once(socket, 'close')
  return answers.replace(/^\+OK\r\n\$\d+/, '').trim()
}

test('a session ends by itself, and a fresh token makes it longer', async () => {
  const seen = await host.settled('shop')
  const SESSION_MS = 2000
  let expired = 0
  const front = iamFront({
    address: primaryOf(seen).address,
    port: 7000,
    targets: () => [primaryOf(seen).address],
    behind: () => listeningOf('required', 6379, true),
    certificateFile: () => join(host.home, 'tls', 'shop', certificateOf(seen)),
    pins: () => [seen.transit!.certificate!.fingerprint256],
    logins: { cacheId: 'shop', access: () => group([ann]).access!, password: iamPassword(), wall: Date.now },
    expired: () => {
      expired++
    },
    sessionMs: SESSION_MS,
  })
  await front.open()
  try {
    const redis = await connected(primaryOf(seen).address, 'ann', await tokenOf(), 7000)
    const ended = once(redis, 'end')
    const begun = performance.now()
    while (performance.now() < begun + SESSION_MS / 4) await redis.ping()
    const renewed = performance.now()
    await redis.auth('ann', await tokenOf())
    await ended
    // A timer of Node may be a millisecond early.
    assert.ok(performance.now() - renewed >= SESSION_MS - 5)
    assert.equal(expired, 1)

    // A MULTI that the engine refused begins no transaction: the login behind it begins a session like any other.
    const odd = new Redis({
      ...{ host: primaryOf(seen).address, port: 7000, tls: tls(), lazyConnect: true, protocol: 2 },
      ...ONCE,
    })
    odd.on('error', () => {})
    await odd.connect()
    const oddEnded = once(odd, 'end')
    await assert.rejects(odd.call('MULTI'), /NOAUTH/)
    assert.equal(await odd.auth('ann', await tokenOf()), 'OK')
    await oddEnded
    assert.equal(expired, 2)
  } finally {
    await front.close()
  }
})

const certificateOf = (seen: GroupSeen): string => {
  const names = readdirSync(join(host.home, 'tls', 'shop'))
  const found = names.filter((name) => name.includes(String(seen.transit!.certificate!.number)))
  const isServed = (name: string): boolean =>
    /PRIVATE KEY/.test(readFileSync(join(host.home, 'tls', 'shop', name), 'utf8'))
  return found.find(isServed)!
}

function iamPassword(): string {
  const ledger = new DatabaseSync(join(host.home, 'keeper.db'), { readOnly: true })
  const row = ledger.prepare("select body from secret where group_id = 'shop' and name = 'iam'").get()
  ledger.close()
  return (row as { readonly body: string }).body
}
