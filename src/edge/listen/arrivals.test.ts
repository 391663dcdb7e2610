import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { acceptorOf } from '../../../test/support/tls-acceptor.ts'
import { Authority } from '../../lib/ca/authority.ts'
import type { MadeCertificate } from '../../lib/ca/wishes.ts'
import { systemClock } from '../../lib/clock.ts'
import type { ListenLimits } from './limits.ts'
import { type ListenOptions, listenViewers } from './listener.ts'

let directory = ''
let made: MadeCertificate
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cachefront-arrivals-'))
  const authority = await Authority.open(directory, Date.now)
  made = await authority.issue(['localhost'])
  authority.close()
})
after(() => rm(directory, { recursive: true }))

/** Answers with both ends of the connection as the pipeline sees them. */
async function listening(t: TestContext, limits: Partial<ListenLimits>, more: Partial<ListenOptions> = {}) {
  const tls = acceptorOf(made)
  const drops: string[] = []
  let heard = (): void => {}
  const listener = await listenViewers({
    addresses: [
      { host: '127.0.0.1', port: 0, pop: 0, tls: null },
      { host: '127.0.0.1', port: 0, pop: 0, tls },
    ],
    reusePort: false,
    clock: systemClock,
    limits: { sweepMs: 5, ...limits },
    handler: ({ connection }, reply) => {
      const { remoteAddress, remotePort, localAddress, localPort, loopback, proxied, scheme } = connection
      const ends = `${remoteAddress} ${remotePort} ${localAddress} ${localPort} ${scheme} ${loopback} ${proxied}`
      reply.whole(`HTTP/1.1 200 OK\r\nContent-Length: ${ends.length}\r\n\r\n`, Buffer.from(ends), null)
    },
    refuse: ({ status }) => ({ head: `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`, body: Buffer.alloc(0) }),
    onDropped: (cause, address) => {
      drops.push(`${cause} ${address}`)
      heard()
    },
    ...more,
  })
  t.after(() => listener.close())
  const [plain, secure] = listener.addresses.map(({ port }) => port) as [number, number]
  /** From that address of this host. */
  const dial = async (port: number, from: string): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const dropped = async (): Promise<string> => {
    if (drops.length === 0) await new Promise<void>((resolve) => (heard = resolve))
    return drops.shift() as string
  }
  return { plain, secure, dial, dropped, drops, listener }
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

async function answered(socket: Socket, text: string | Buffer): Promise<string> {
  let answer = ''
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1')
  })
  socket.write(text)
  await once(socket, 'close')
  return answer
}

async function secured(socket: Socket): Promise<Socket> {
  const over = connectTls({ socket, servername: 'localhost', rejectUnauthorized: false })
  await once(over, 'secureConnect')
  return over
}

test('half-open handshakes of one address do not keep another out, and end in time', async (t) => {
  const limits = { handshakesPerLoopbackAddress: 3, handshakes: 6, handshakeMs: 400 }
  const { secure, dial, dropped } = await listening(t, limits)
  const silent = await Promise.all([1, 2, 3].map(() => dial(secure, '127.0.0.2')))
  // One of them says as much as begins a record.
  silent[0]?.write(Buffer.from([0x16, 3, 1]))
  const over = once((await dial(secure, '127.0.0.2')).resume(), 'close')
  assert.equal(await dropped(), 'address-handshakes 127.0.0.2')
  await over
  assert.match(await answered(await secured(await dial(secure, '127.0.0.3')), GET), /^HTTP\/1\.1 200/)
  const ends = silent.map((socket) => once(socket.resume(), 'close'))
  for (let n = 0; n < 3; n++) assert.equal(await dropped(), 'handshake-timeout 127.0.0.2')
  await Promise.all(ends)
  assert.match(await answered(await secured(await dial(secure, '127.0.0.2')), GET), /^HTTP\/1\.1 200/)
})

test('connections of one address do not keep another out, and those that never send end in time', async (t) => {
  const { plain, dial, dropped } = await listening(t, { connectionsPerLoopbackAddress: 2, unusedMs: 400 })
  const silent = [await dial(plain, '127.0.0.2'), await dial(plain, '127.0.0.2')]
  await dial(plain, '127.0.0.2')
  assert.equal(await dropped(), 'address-connections 127.0.0.2')
  assert.match(await answered(await dial(plain, '127.0.0.3'), GET), /^HTTP\/1\.1 200/)
  await Promise.all(silent.map((socket) => once(socket.resume(), 'close')))
})

test('a bad record ends its own connection alone', async (t) => {
  const { secure, dial } = await listening(t, {})
  const raw = await dial(secure, '127.0.0.1')
  const [bad, good] = [await secured(raw), await secured(await dial(secure, '127.0.0.1'))]
  // A record of application data that nobody has encrypted.
  raw.write(Buffer.from([0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5]))
  const [error] = await once(bad, 'error')
  assert.match((error as Error).message, /alert bad record mac/)
  assert.match(await answered(good, GET), /^HTTP\/1\.1 200/)
})

const V1 = 'PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n'
const SIGNATURE = '0d0a0d0a000d0a515549540a'
const V2 = Buffer.from(`${SIGNATURE}21110010cb007107c0000201dc0401bb020001ff`, 'hex')
const LOCAL = Buffer.from(`${SIGNATURE}20000000`, 'hex')
const isProxy = (address: string): boolean => address === '127.0.0.2'

test('a proxy names the viewer, before HTTP and before TLS; nobody else can', async (t) => {
  const { plain, secure, dial } = await listening(t, {}, { isProxy })
  const named = '203.0.113.7 56324 192.0.2.1 443'
  assert.ok((await answered(await dial(plain, '127.0.0.2'), V1 + GET)).endsWith(`${named} http false true`))
  for (const header of [Buffer.from(V1), V2]) {
    const socket = await dial(secure, '127.0.0.2')
    socket.write(header)
    assert.ok((await answered(await secured(socket), GET)).endsWith(`${named} https false true`))
  }
  // In pieces, the last of which goes on with the request.
  const slow = await dial(plain, '127.0.0.2')
  slow.setNoDelay()
  for (const byte of V2.subarray(0, -1)) {
    slow.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  const rest = Buffer.concat([V2.subarray(-1), Buffer.from(GET)])
  assert.ok((await answered(slow, rest)).endsWith(`${named} http false true`))
  const own = await dial(plain, '127.0.0.2')
  const ends = `127.0.0.2 ${own.localPort} 127.0.0.1 ${plain} http false true`
  assert.ok((await answered(own, Buffer.concat([LOCAL, Buffer.from(GET)]))).endsWith(ends))
  assert.match(await answered(await dial(plain, '127.0.0.1'), V1 + GET), /^HTTP\/1\.1 400/)
  assert.match(await answered(await dial(plain, '127.0.0.1'), GET), / http true false$/)
})

test('a proxy that sends no header, half of one or a wrong one is cut off; what it names has its own bounds', async (t) => {
  const limits = { proxyHeaderMs: 300, connectionsPerAddress: 1, connectionsPerLoopbackAddress: 0 }
  const { plain, dial, dropped, drops } = await listening(t, limits, { isProxy })
  assert.equal(await answered(await dial(plain, '127.0.0.2'), GET), '')
  assert.equal(await dropped(), 'proxy-header 127.0.0.2')
  assert.equal(await answered(await dial(plain, '127.0.0.2'), V1.slice(0, 20)), '')
  assert.equal(await dropped(), 'proxy-header 127.0.0.2')
  const first = await dial(plain, '127.0.0.2')
  first.write(V1)
  first.write(GET.replace('Connection: close\r\n', ''))
  await once(first, 'data')
  assert.equal(await answered(await dial(plain, '127.0.0.2'), V1 + GET), '')
  assert.equal(await dropped(), 'address-connections 203.0.113.7')
  first.destroy()
  // It ends within its header: nothing to tell anybody.
  const left = await dial(plain, '127.0.0.2')
  left.end('PROXY')
  await once(left.resume(), 'close')
  assert.deepEqual(drops, [])
})
