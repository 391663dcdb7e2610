//! WebSocket through the edge to a real server (`ws`), spoken by a real client: what passes untouched, what ends it, what
//! the log says of it (spec/cloudfront.md 6.1, 12.4, 13.4).
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { listenViewers } from '../../../src/edge/listen/listener.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { startRawOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST, originDoc } from '../../support/edge-scenario.ts'

interface WsOrigin {
  readonly port: number
  readonly server: Server
  readonly handshakes: IncomingMessage[]
  readonly clients: Set<WebSocket>
}

/** Echoes, with permessage-deflate; `/refused` is answered 403, `/plain` is an ordinary page. */
async function wsOrigin(t: TestContext, secure: ServerOptions | null = null): Promise<WsOrigin> {
  const handshakes: IncomingMessage[] = []
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (protocols) => (protocols.has('chat.v2') ? 'chat.v2' : false),
  })
  wss.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
  const page: RequestListener = (request, response) => response.end(`page ${request.url}`)
  const server = secure === null ? createServer(page) : createSecureServer(secure, page)
  server.on('upgrade', (request, socket, head) => {
    handshakes.push(request)
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-Why: no\r\nConnection: close\r\n\r\nrefuse')
      return
    }
    wss.handleUpgrade(request, socket, head, (client) => wss.emit('connection', client, request))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const client of wss.clients) client.terminate()
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, server, handshakes, clients: wss.clients }
}

async function scenario(t: TestContext, changes: Partial<DistributionDoc> = {}, workers = 1) {
  const origin = await wsOrigin(t)
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, changes)], { count: workers })
  const dial = (path: string, protocols: string[] = [], options: object = {}) =>
    new WebSocket(`ws://127.0.0.1:${edge.port()}${path}`, protocols, { headers: { host: HOST }, ...options })
  return { origin, edge, dial }
}

async function opened(socket: WebSocket): Promise<WebSocket> {
  await once(socket, 'open')
  return socket
}

async function echoed(socket: WebSocket, data: string | Buffer): Promise<Buffer> {
  const answer = once(socket, 'message')
  socket.send(data)
  return (await answer)[0] as Buffer
}

/** The log's lines, once the worker has written them all. */
async function logLines(edge: EdgeScenario): Promise<string[][]> {
  await edge.pause()
  const text = await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => line.split('\t'))
}

test('messages of every size pass both ways, compressed as the two ends agreed, in the protocol they chose', async (t) => {
  const { origin, dial } = await scenario(t)
  const socket = dial('/chat?room=1', ['chat.v1', 'chat.v2'])
  const upgraded = once(socket, 'upgrade')
  await opened(socket)
  const [answer] = (await upgraded) as [IncomingMessage]
  assert.equal(answer.statusCode, 101)
  assert.equal(answer.headers['x-cache'], 'Miss from cloudfront')
  assert.match(String(answer.headers.via), /^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/)
  assert.equal(answer.headers['x-amz-cf-pop'], 'FRA50-C1')
  assert.deepEqual([socket.protocol, socket.extensions], ['chat.v2', 'permessage-deflate'])
  for (const bytes of [0, 1, 125, 126, 65_535, 65_536, 5_000_000]) {
    const sent = randomBytes(bytes)
    assert.ok((await echoed(socket, sent)).equals(sent), `${bytes}`)
  }
  assert.equal(String(await echoed(socket, 'text '.repeat(100_000))), 'text '.repeat(100_000))
  socket.close(4001, 'done')
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  assert.deepEqual([code, String(reason)], [4001, 'done'])
  const [{ url, headers }] = origin.handshakes as [IncomingMessage]
  assert.equal(url, '/chat')
  assert.equal(headers['sec-websocket-protocol'], 'chat.v1,chat.v2')
  assert.match(String(headers['sec-websocket-extensions']), /permessage-deflate/)
  assert.deepEqual([headers.connection, headers.upgrade], ['upgrade', 'websocket'])
})

test('a distribution as the origin passes it on; one that has no WebSocket behind it answers as it does', async (t) => {
  const origin = await wsOrigin(t)
  const [inner, outer] = ['dinner.cloudfront.localhost', 'douter.cloudfront.localhost']
  const edge = await EdgeScenario.start(t, [
    distributionDoc(1, { id: 'EOUTER', domainName: outer, origins: [originDoc(80, { domainName: inner })] }),
    distributionDoc(origin.port, { id: 'EINNER', domainName: inner }),
  ])
  const dial = (path: string) => new WebSocket(`ws://127.0.0.1:${edge.port()}${path}`, [], { headers: { host: outer } })
  const socket = dial('/chat')
  const upgraded = once(socket, 'upgrade')
  await opened(socket)
  const [answer] = (await upgraded) as [IncomingMessage]
  assert.equal(answer.headers['x-cache'], 'Miss from cloudfront')
  assert.equal(String(answer.headers.via).split(',').length, 1)
  const sent = randomBytes(100_000)
  assert.ok((await echoed(socket, sent)).equals(sent))
  assert.equal(String(origin.handshakes[0]?.headers['cdn-loop']), 'CloudFront, CloudFront')
  socket.close(4001, 'done')
  assert.equal((await once(socket, 'close'))[0], 4001)
  const refused = dial('/refused')
  const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(response.statusCode, 403)
  response.resume()
  const lines = (await logLines(edge)).filter((fields) => fields[7] === '/chat')
  assert.deepEqual(
    lines.map((fields) => [fields[6], fields[8], fields[13]]),
    [inner, outer].map((host) => [host, '101', 'Miss']),
  )
  for (const fields of lines) assert.ok(Number(fields[17]) > 100_000, `${fields[6]}: bytes of the viewer`)
})

test('the origin sees what the policies forward, custom headers and what CloudFront adds', async (t) => {
  const origin = await wsOrigin(t)
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      origins: [originDoc(origin.port, { path: '/base', customHeaders: [['X-Key', 'secret']] })],
      behaviors: [
        behaviorDoc({
          originRequestPolicy: {
            id: 'all-viewer',
            headers: { behavior: 'whitelist', names: ['origin', 'x-own'] },
            cookies: { behavior: 'all', names: [] },
            queryStrings: { behavior: 'all', names: [] },
          },
        }),
      ],
    }),
  ])
  const headers = { host: HOST, origin: 'https://app.test', 'x-own': '1', 'x-other': '2', cookie: 'a=1' }
  const socket = await opened(new WebSocket(`ws://127.0.0.1:${edge.port()}/ws?token=t`, [], { headers }))
  socket.terminate()
  const [{ url, headers: seen }] = origin.handshakes as [IncomingMessage]
  assert.equal(url, '/base/ws?token=t')
  assert.deepEqual(
    ['origin', 'x-own', 'x-other', 'cookie', 'x-key', 'x-forwarded-for', 'user-agent'].map((name) => seen[name]),
    ['https://app.test', '1', undefined, 'a=1', 'secret', '127.0.0.1', 'Amazon CloudFront'],
  )
})

for (const workers of [1, 3]) {
  test(`${workers} workers: each handshake is the origin's own, cached answers are not taken for it`, async (t) => {
    const { origin, edge, dial } = await scenario(t, {}, workers)
    assert.equal((await edge.get('/live')).body, 'page /live')
    assert.equal((await edge.get('/live')).xCache, 'Hit')
    const sockets = await Promise.all([dial('/live'), dial('/live'), dial('/live')].map(opened))
    assert.equal(origin.handshakes.length, 3)
    assert.equal((await edge.get('/live')).xCache, 'Hit')
    for (const socket of sockets) socket.terminate()
  })
}

test('over HTTPS, with the log line of a wss connection at its end', async (t) => {
  const { origin, edge } = await scenario(t)
  const ca = await edge.trust()
  const url = `wss://127.0.0.1:${edge.httpsPort()}/secure`
  const options = { headers: { host: HOST }, ca, servername: HOST }
  const socket = await opened(new WebSocket(url, [], options))
  assert.equal(String(await echoed(socket, 'hello')), 'hello')
  const closed = once([...origin.clients][0] as WebSocket, 'close')
  socket.close()
  await closed
  const [line] = await logLines(edge)
  const of = (...at: number[]) => at.map((n) => line?.[n])
  assert.deepEqual(of(7, 8, 13, 16, 20, 28), ['/secure', '101', 'Miss', 'wss', 'TLSv1.3', 'Miss'])
  const [sent, received] = of(3, 17).map(Number) as [number, number]
  assert.ok(sent > 200 && sent < 1_000 && received > 200 && received < 1_000, `${sent} ${received}`)
})

test('over TLS on both sides, to an origin that asks for a certificate, while the other requests are HTTP/2', async (t) => {
  const authority = await TestAuthority.make()
  const [own, shown] = await Promise.all([
    authority.issue({ names: ['ws.test'] }),
    authority.issue({ names: ['client.test'], subject: 'edge' }),
  ])
  const origin = await wsOrigin(t, { ...own, requestCert: true, rejectUnauthorized: true, ca: authority.pem })
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-ws-ca-'))
  t.after(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'ca.pem'), authority.pem)
  const clientCertificate = { arn: 'arn:edge', chain: shown.cert, privateKey: shown.key }
  const toOrigin = { domainName: 'ws.test', protocolPolicy: 'https-only', httpsPort: origin.port } as const
  const edge = await EdgeScenario.start(t, [
    distributionDoc(1, { httpVersion: 'http2', origins: [originDoc(1, { ...toOrigin, clientCertificate })] }),
  ], { originAuthorities: [join(directory, 'ca.pem')], lookup: async () => ['127.0.0.1'] }) // biome-ignore format: options
  const ca = await edge.trust()
  const at = `127.0.0.1:${edge.httpsPort()}`
  // As browsers do: HTTP/2 for pages, another connection without it for the WebSocket.
  const pages = connectHttp2(`https://${at}`, { ca, servername: HOST })
  t.after(() => pages.close())
  const stream = pages.request({ ':authority': HOST, ':path': '/page' })
  assert.equal((await once(stream, 'response'))[0][':status'], 200)
  stream.resume()
  const options = { headers: { host: HOST }, ca, servername: HOST, ALPNProtocols: ['http/1.1'] }
  const socket = await opened(new WebSocket(`wss://${at}/chat`, [], options))
  const sent = randomBytes(300_000)
  assert.ok((await echoed(socket, sent)).equals(sent))
  const [handshake] = origin.handshakes as [IncomingMessage]
  assert.equal((handshake.socket as TLSSocket).getPeerCertificate().subject.CN, 'edge')
  socket.close()
  await once(socket, 'close')
})

test('redirect-to-https and https-only hold for handshakes', async (t) => {
  const { edge, dial } = await scenario(t, {
    behaviors: [
      behaviorDoc({ pathPattern: '/only/*', viewerProtocolPolicy: 'https-only' }),
      behaviorDoc({ viewerProtocolPolicy: 'redirect-to-https' }),
    ],
  })
  for (const [path, status] of [
    ['/a', 301],
    ['/only/a', 403],
  ] as const) {
    const socket = dial(path)
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    assert.equal(answer.statusCode, status)
    if (status === 301) assert.equal(answer.headers.location, `https://${HOST}:${edge.httpsPort()}/a`)
    socket.on('error', () => {}).terminate()
  }
})

test('what the origin answers in place of 101 is the answer', async (t) => {
  const { dial } = await scenario(t)
  const socket = dial('/refused')
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  let body = ''
  for await (const chunk of answer) body += chunk
  assert.deepEqual([answer.statusCode, answer.headers['x-why'], body], [403, 'no', 'refuse'])
  assert.equal(answer.headers['x-cache'], 'Error from cloudfront')
})

test('an origin that takes up another protocol, or cannot be reached, is an error of CloudFront', async (t) => {
  const wrong = await startRawOrigin((socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  })
  t.after(() => wrong.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(wrong.port, { origins: [originDoc(wrong.port, { connectionAttempts: 1 })] }),
  ])
  const ask = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port()}/x`, { headers: { host: HOST } })
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    socket.on('error', () => {}).terminate()
    return answer.statusCode
  }
  assert.equal(await ask(), 502)
  await wrong.close()
  assert.equal(await ask(), 502)
})

test('the guard of origins is asked about the address that a WebSocket would reach', async (t) => {
  const origin = await wsOrigin(t)
  const own = { ownAddresses: [`127.0.0.1:${origin.port}`] }
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], own)
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port()}/x`, { headers: { host: HOST } })
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  socket.on('error', () => {}).terminate()
  assert.equal(answer.statusCode, 502)
  assert.equal(origin.handshakes.length, 0)
})

test('what is no handshake of HTTP/1.1 by GET goes its usual way, without Upgrade', async (t) => {
  const { origin, edge } = await scenario(t, {
    behaviors: [behaviorDoc({ allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] })],
  })
  const ask = (line: string, headers: string) =>
    edge.raw(`${line}\r\nHost: ${HOST}\r\n${headers}Content-Length: 0\r\n\r\n`)
  for (const [line, headers] of [
    ['GET /p HTTP/1.1', 'Connection: upgrade, close\r\nUpgrade: h2c\r\n'],
    ['GET /p HTTP/1.1', 'Connection: close\r\nUpgrade: websocket\r\n'],
    ['GET /p HTTP/1.0', 'Connection: upgrade\r\nUpgrade: websocket\r\n'],
    ['POST /p HTTP/1.1', 'Connection: upgrade, close\r\nUpgrade: websocket\r\n'],
  ] as const) {
    assert.match(await ask(line, headers), /^HTTP\/1\.1 200 /, line)
  }
  assert.equal(origin.handshakes.length, 0)
})

test('a viewer that reads slowly holds back the origin, and gets every byte', async (t) => {
  const { origin, dial } = await scenario(t)
  const socket = await opened(dial('/slow', [], { perMessageDeflate: false }))
  const [server] = [...origin.clients] as [WebSocket]
  const raw = (socket as unknown as { _socket: Socket })._socket
  raw.pause()
  const piece = randomBytes(1024 * 1024)
  for (let n = 0; n < 40; n++) server.send(piece, { compress: false })
  // What has left the origin fits the buffers of two connections; the rest waits there.
  for (let turn = 0, before = -1; turn < 50 && server.bufferedAmount !== before; turn++) {
    before = server.bufferedAmount
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.ok(server.bufferedAmount > 10 * piece.length, `${server.bufferedAmount}`)
  let got = 0
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      assert.ok(data.equals(piece))
      if (++got === 40) resolve()
    })
  })
  raw.resume()
  await all
  socket.terminate()
})

test('bytes that come before 101, each half that ends by itself, and a connection that breaks', {
  timeout: 20_000,
}, async (t) => {
  const early = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  const origin = await startRawOrigin((socket) => {
    sockets.push(socket)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nFIRST')
    socket.on('data', (bytes: Buffer) => {
      if (String(bytes).endsWith('EARLY')) early.resolve()
    })
    // The viewer has said all: now the origin does.
    socket.on('end', () => socket.end('LAST'))
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const handshake = `GET /x HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nEARLY`
  const viewer = connect({ port: edge.port(), host: '127.0.0.1', allowHalfOpen: true })
  let got = ''
  viewer.on('data', (bytes: Buffer) => {
    got += bytes.toString('latin1')
    if (got.endsWith('FIRST')) viewer.end()
  })
  viewer.write(handshake, 'latin1')
  await early.promise
  await once(viewer, 'end')
  assert.match(got, /\r\n\r\nFIRSTLAST$/)
  // The origin dies without a word.
  const broken = connect({ port: edge.port(), host: '127.0.0.1' }).on('error', () => {})
  broken.write(handshake, 'latin1')
  await once(broken, 'data')
  sockets.at(-1)?.resetAndDestroy()
  await once(broken, 'close')
  const lines = await logLines(edge)
  assert.deepEqual(
    lines.map((line) => [line[8], line[16], line[28]]),
    [
      ['101', 'ws', 'Miss'],
      ['101', 'ws', 'OriginCommError'],
    ],
  )
})

test('a viewer that goes ends the connection to the origin', async (t) => {
  const { origin, dial } = await scenario(t)
  const socket = await opened(dial('/x'))
  const [server] = [...origin.clients] as [WebSocket]
  const closed = once(server, 'close')
  socket.terminate()
  const [code] = (await closed) as [number]
  assert.equal(code, 1006)
})

test('a drain ends what is open, after what was said', async (t) => {
  const { edge, dial } = await scenario(t)
  const socket = await opened(dial('/x'))
  assert.equal(String(await echoed(socket, 'before')), 'before')
  const closed = once(socket, 'close')
  await edge.pause()
  assert.equal((await closed)[0], 1006)
})

test('without a byte from the origin it ends after the idle time', async (t) => {
  const listener = await listenViewers({
    addresses: [{ host: '127.0.0.1', port: 0, pop: 0, tls: null }],
    reusePort: false,
    clock: systemClock,
    limits: { sweepMs: 5, tunnelIdleMs: 100 },
    refuse: () => assert.fail('nothing is refused'),
    handler: (_request, reply) => {
      const upstream = connect(silent.port, '127.0.0.1')
      upstream.once('connect', () => ends.resolve(reply.tunnel?.('HTTP/1.1 101 X\r\n\r\n', upstream)))
    },
  })
  const silent = await startRawOrigin((socket) => {
    socket.on('end', () => socket.end())
  })
  t.after(() => Promise.all([listener.close(), silent.close()]))
  const ends = Promise.withResolvers<unknown>()
  const viewer = connect(listener.addresses[0]!.port, '127.0.0.1')
  viewer.resume().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(viewer, 'close')
  assert.deepEqual(await ends.promise, { end: 'idle', received: 0 })
})
