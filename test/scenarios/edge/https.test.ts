//! The HTTPS listener: the installation's own certificates by name, its limits, and that what lies behind it is the same
//! HTTP/1.1 as without TLS. Certificates of distributions: tls-names.test.ts.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { listenViewers } from '../../../src/edge/listen/listener.ts'
import { Authority } from '../../../src/lib/ca/authority.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { acceptorOf } from '../../support/tls-acceptor.ts'

const SECOND = { id: 'E2TESTDISTRIB2', domainName: 'd222222abcdef8.cloudfront.localhost', aliases: ['*.second.test'] }

async function scenario(t: TestContext): Promise<{ edge: EdgeScenario; trust: string; originPort: number }> {
  const origin = await startOrigin((asked, response) => response.end(asked.url))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { aliases: ['www.first.test'] }),
    distributionDoc(origin.port, SECOND),
  ])
  return { edge, trust: await edge.trust(), originPort: origin.port }
}

/** Resolves with the secured connection, or with the code of the error that ended it. */
async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket | string> {
  const socket = connectTls({ host: '127.0.0.1', port, ...options })
  try {
    await once(socket, 'secureConnect')
    socket.on('error', () => {})
    return socket
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

async function secured(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const outcome = await handshake(port, options)
  assert.ok(typeof outcome !== 'string', String(outcome))
  return outcome
}

async function talk(socket: Socket, text: string): Promise<string> {
  let got = ''
  socket.on('data', (bytes: Buffer) => {
    got += bytes.toString('latin1')
  })
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return got
}

test('each name of the edge and each alias has a certificate that is for it; others get that of the edge', async (t) => {
  const { edge, trust } = await scenario(t)
  const port = edge.httpsPort()
  const rows: readonly (readonly [servername: string, outcome: 'secured' | string])[] = [
    [HOST, 'secured'],
    ['d111111abcdef8.cloudfront.net', 'secured'],
    ['localhost', 'secured'],
    ['www.first.test', 'secured'],
    ['WWW.First.test', 'secured'],
    ['a.second.test', 'secured'],
    ['b.second.test', 'secured'],
    // A wildcard of a certificate stands for one label.
    ['a.b.second.test', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['nobody.test', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ]
  for (const [servername, outcome] of rows) {
    const got = await handshake(port, { servername, ca: trust })
    assert.equal(typeof got === 'string' ? got : 'secured', outcome, servername)
    if (typeof got !== 'string') got.destroy()
  }
  // By address: no name is sent.
  const bare = await secured(port, { ca: trust })
  bare.destroy()
  assert.equal(await handshake(port, { servername: HOST }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})

test('an alias has its certificate as soon as the configuration has the alias', async (t) => {
  const { edge, trust, originPort } = await scenario(t)
  const options = { servername: 'new.first.test', ca: trust }
  assert.equal(await handshake(edge.httpsPort(), options), 'ERR_TLS_CERT_ALTNAME_INVALID')
  await edge.feed.put(distributionDoc(originPort, { aliases: ['new.first.test'] }))
  const socket = await secured(edge.httpsPort(), options)
  const answer = await talk(socket, 'GET /x HTTP/1.1\r\nHost: new.first.test\r\nConnection: close\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\/x$/s)
})

test('names of the edge are under the policy TLSv1, with an ECDSA key and an RSA key side by side', async (t) => {
  const { edge, trust } = await scenario(t)
  const port = edge.httpsPort()
  const options = { servername: HOST, ca: trust }
  const newest = await secured(port, options)
  assert.deepEqual([newest.getProtocol(), newest.getCipher().name], ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'])
  newest.destroy()
  const older = await secured(port, { ...options, maxVersion: 'TLSv1.2' })
  assert.deepEqual([older.getProtocol(), older.getCipher().name], ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'])
  older.destroy()
  const oldest = await secured(port, {
    ...options,
    ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
  })
  assert.deepEqual([oldest.getProtocol(), oldest.getCipher().name], ['TLSv1', 'ECDHE-ECDSA-AES128-SHA'])
  oldest.destroy()
  // Its RSA key is made for the first viewer who takes no other.
  const rsa = { ...options, maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384' } as const
  const sockets = await Promise.all([secured(port, rsa), secured(port, rsa)])
  for (const socket of sockets) {
    assert.deepEqual([socket.getCipher().name, socket.getPeerCertificate().bits], ['ECDHE-RSA-AES256-GCM-SHA384', 2048])
    socket.destroy()
  }
  const both = await secured(port, { ...options, ALPNProtocols: ['h2', 'http/1.1'] })
  assert.equal(both.alpnProtocol, 'h2')
  both.destroy()
  assert.equal(typeof (await handshake(port, { ...options, ALPNProtocols: ['h3'] })), 'string')
})

test('keep-alive, pipelining and refusals are those of HTTP/1.1', async (t) => {
  const { edge, trust } = await scenario(t)
  const socket = await secured(edge.httpsPort(), { servername: HOST, ca: trust })
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
  const answer = await talk(socket, `${get('/1')}${get('/2')}${get('/1')}GET / HTTP/1.1\r\nBad Name: x\r\n\r\n`)
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)
  assert.deepEqual(statuses, ['200', '200', '200', '400'])
})

test('OpenSSL that asks for a renegotiation loses its connection, over HTTP/1.1 and HTTP/2; others go on', async (t) => {
  const { edge, trust } = await scenario(t)
  const port = edge.httpsPort()
  const other = await secured(port, { servername: HOST, ca: trust, maxVersion: 'TLSv1.2' })
  for (const protocol of ['http/1.1', 'h2']) {
    const at = ['-connect', `127.0.0.1:${port}`, '-servername', HOST]
    const client = spawn('openssl', ['s_client', ...at, '-tls1_2', '-alpn', protocol])
    t.after(() => client.kill())
    let said = ''
    const isThere = (text: string) => text.includes('Verify return code')
    // A line of its own `R` means renegotiate, once the session is there.
    const heard = (bytes: Buffer) => {
      const before = said
      said += bytes
      if (isThere(said) && !isThere(before)) client.stdin.write('R\n')
    }
    client.stdout.on('data', heard)
    client.stderr.on('data', heard)
    const [code] = await once(client, 'close')
    assert.match(said, new RegExp(`ALPN protocol: ${protocol}`))
    assert.match(said, /RENEGOTIATING/)
    assert.notEqual(code, 0, said)
  }
  assert.match(
    await talk(other, `GET /on HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`),
    /^HTTP\/1\.1 200 .*\/on$/s,
  )
})

test('plain HTTP on the port of HTTPS is cut off', async (t) => {
  const { edge } = await scenario(t)
  const socket = connectTcp(edge.httpsPort(), '127.0.0.1')
  socket.on('error', () => {})
  assert.doesNotMatch(await talk(socket, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`), /HTTP\//)
})

test('a resumed session is known as one', async (t) => {
  const { listener, authority, seen } = await listening(t)
  const options = { ca: authority.certificate, servername: 'localhost', maxVersion: 'TLSv1.2' } as const
  const { port } = listener.addresses[0]!
  const first = await secured(port, options)
  const session = first.getSession()
  await talk(first, 'GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const again = await secured(port, { ...options, session })
  const get = 'GET /2 HTTP/1.1\r\nHost: x\r\n'
  await talk(again, `${get}\r\n${get}Connection: close\r\n\r\n`)
  const cipher = 'ECDHE-ECDSA-AES128-GCM-SHA256'
  assert.deepEqual(seen, [
    { scheme: 'https', tls: { protocol: 'TLSv1.2', cipher, resumed: false }, reused: false },
    { scheme: 'https', tls: { protocol: 'TLSv1.2', cipher, resumed: true }, reused: false },
    { scheme: 'https', tls: { protocol: 'TLSv1.2', cipher, resumed: true }, reused: true },
  ])
})

/** The first byte of a ClientHello, and no more. */
async function halfHello(port: number) {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(Buffer.from([0x16]))
  return { socket, over: once(socket.resume(), 'close') }
}

test('a handshake that does not come to its end is cut off', async (t) => {
  const { listener, events } = await listening(t, { handshakeMs: 200 })
  const { port } = listener.addresses[0]!
  const [one, two] = [await halfHello(port), await halfHello(port)]
  await Promise.all([one.over, two.over])
  assert.deepEqual(events, ['handshake-timeout', 'handshake-timeout'])
  assert.equal(listener.connections, 0)
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'localhost' })
  await once(socket, 'secureConnect')
  socket.destroy()
})

test('only so many handshakes wait at a time: the oldest makes room', async (t) => {
  const { listener } = await listening(t, { handshakes: 2, handshakeMs: 60_000 })
  const { port } = listener.addresses[0]!
  const [one, two, three] = [await halfHello(port), await halfHello(port), await halfHello(port)]
  await one.over
  assert.deepEqual([two.socket.closed, three.socket.closed], [false, false])
  two.socket.destroy()
  three.socket.destroy()
})

test('a large answer out of memory goes in pieces, at the pace of the viewer', async (t) => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'x')
  let sent = 0
  const { listener, authority, sockets } = await listening(t, {}, (reply) => {
    reply.whole(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body, () => {
      sent++
    })
  })
  const options = { ca: authority.certificate, servername: 'localhost' }
  const reader = await secured(listener.addresses[0]!.port, options)
  const got = await talk(reader, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  assert.equal(got.length - got.indexOf('\r\n\r\n') - 4, body.length)
  assert.equal(sent, 1)
  // One that does not read holds a few pieces and not the whole.
  const stalled = await secured(listener.addresses[0]!.port, options)
  stalled.pause()
  stalled.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  while ((sockets.at(-1)?.writableLength ?? 0) === 0 || sockets.length < 2) await new Promise(setImmediate)
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  assert.ok(sockets.at(-1)!.writableLength <= 512 * 1024, `${sockets.at(-1)!.writableLength}`)
  assert.equal(sent, 1)
  stalled.destroy()
  while (sent < 2) await new Promise(setImmediate)
})

interface Seen {
  readonly scheme: string
  readonly tls: unknown
  readonly reused: boolean
}

async function listening(
  t: TestContext,
  limits: Parameters<typeof listenViewers>[0]['limits'] = {},
  answer: (reply: Parameters<Parameters<typeof listenViewers>[0]['handler']>[1]) => void = (reply) =>
    reply.whole('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', null, null),
) {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-tls-'))
  const authority = await Authority.open(directory, Date.now)
  const made = await authority.issue(['localhost', '127.0.0.1'])
  const acceptor = acceptorOf(made)
  const seen: Seen[] = []
  const events: string[] = []
  const sockets: Socket[] = []
  const listener = await listenViewers({
    addresses: [{ host: '127.0.0.1', port: 0, pop: 0, tls: acceptor }],
    reusePort: false,
    clock: systemClock,
    limits: { sweepMs: 5, ...limits },
    handler: ({ connection, reused }, reply) => {
      const { scheme, tls } = connection
      const { protocol, cipher, resumed } = tls!
      seen.push({ scheme, tls: { protocol, cipher, resumed }, reused })
      sockets.push((connection as unknown as { socket: Socket }).socket)
      answer(reply)
    },
    refuse: ({ status }) => ({ head: `HTTP/1.1 ${status} X\r\n\r\n`, body: Buffer.alloc(0) }),
    onConnection: (event) => events.push(event),
    onDropped: (cause) => events.push(cause),
  })
  t.after(async () => {
    await listener.close()
    authority.close()
    await rm(directory, { recursive: true })
  })
  return { listener, authority, seen, events, sockets }
}
