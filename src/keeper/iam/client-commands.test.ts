import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { randomOf } from '../../../test/support/random.ts'
import { ClientCommands } from './client-commands.ts'

const bulk = (...args: string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`

/** What comes out when the text goes in in pieces of these sizes; each login is told with its place in a transaction. */
async function through(text: string, sizes: () => number): Promise<{ out: string; logins: string[] }> {
  const logins: string[] = []
  const commands = new ClientCommands(async (args, inTransaction) => {
    logins.push(`${args.join(' ')}${inTransaction ? ' in MULTI' : ''}`)
    return args.map((arg) => (arg === 'token' ? 'internal-secret' : arg))
  })
  const out: Buffer[] = []
  commands.on('data', (chunk: Buffer) => out.push(chunk))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    const size = sizes()
    commands.write(bytes.subarray(at, at + size))
    at += size
  }
  commands.end()
  await once(commands, 'end')
  return { out: Buffer.concat(out).toString(), logins }
}

const SENT = [
  bulk('HELLO', '3', 'AUTH', 'ann', 'token', 'SETNAME', 'x'),
  bulk('SET', 'k', bulk('AUTH', 'ann', 'token')),
  'PING\r\n',
  'auth ann token\r\n',
  bulk('MULTI'),
  bulk('auth', 'ann', 'token'),
  bulk('GET', 'ü'),
  bulk('DISCARD'),
  '*0\r\n',
  bulk('AUTH', 'password'),
  bulk('SUBSCRIBE', 'a-channel-of-a-long-name'),
].join('')

const EXPECTED = [
  bulk('HELLO', '3', 'AUTH', 'ann', 'internal-secret', 'SETNAME', 'x'),
  bulk('SET', 'k', bulk('AUTH', 'ann', 'token')),
  'PING\r\n',
  bulk('auth', 'ann', 'internal-secret'),
  bulk('MULTI'),
  bulk('auth', 'ann', 'internal-secret'),
  bulk('GET', 'ü'),
  bulk('DISCARD'),
  '*0\r\n',
  bulk('AUTH', 'password'),
  bulk('SUBSCRIBE', 'a-channel-of-a-long-name'),
].join('')

test('logins are exchanged, all else passes as it came, in pieces of any size', async () => {
  const random = randomOf(11)
  const ways = [() => 100_000, () => 1, ...Array.from({ length: 30 }, () => () => 1 + random.whole(40))]
  for (const sizes of ways) {
    const { out, logins } = await through(SENT, sizes)
    assert.equal(out, EXPECTED)
    assert.deepEqual(logins, [
      'HELLO 3 AUTH ann token SETNAME x',
      'auth ann token',
      'auth ann token in MULTI',
      'AUTH password',
    ])
  }
})

for (const bad of ['*x\r\n', '*2\r\nAUTH\r\n', '"AUTH" ann token\r\n', `*3\r\n$4\r\nAUTH\r\n$99999\r\n`]) {
  test(`cut off: ${JSON.stringify(bad)}`, async () => {
    const commands = new ClientCommands(async (args) => args)
    commands.on('data', () => {})
    const failed = once(commands, 'error')
    commands.write(bad)
    await failed
  })
}
