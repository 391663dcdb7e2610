//! Calls to a real gRPC server by the edge's own origin side: kinds, ends, limits, and what becomes of a connection.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { TestAuthority } from '../../../../test/support/certificates.ts'
import { originDoc } from '../../../../test/support/edge-scenario.ts'
import { frame, startFrameOrigin } from '../../../../test/support/frame-origin.ts'
import { startGrpcOrigin } from '../../../../test/support/grpc-origin.ts'
import type { OriginDoc } from '../../../domain/distribution.ts'
import { firstValue } from '../../../http/headers.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { OriginSink, SourceControl } from '../attempts.ts'
import type { OriginFailure } from '../failure.ts'
import { addressGuard } from '../guard.ts'
import { Origins } from '../pool.ts'
import { AWS_S3, reachedOrigin } from '../reached.ts'
import { OriginNames } from '../resolve.ts'
import { OriginTls } from '../tls.ts'

const authority = await TestAuthority.make()
const certificate = await authority.issue({ names: ['origin.test'] })

/** What a sink heard. */
class Heard implements OriginSink {
  status = 0
  headers: readonly string[] = []
  trailers: readonly string[] = []
  bytes: Buffer[] = []
  failure: OriginFailure | null = null
  control: SourceControl | null = null
  readonly head: Promise<void>
  readonly over: Promise<void>
  #onHead: () => void = () => {}
  #onOver: () => void = () => {}
  #onData: (() => void) | null = null
  /** The answer ended in the turn of its head. */
  endedWithHead = false
  #headTurn = false

  constructor() {
    this.head = new Promise((resolve) => {
      this.#onHead = resolve
    })
    this.over = new Promise((resolve) => {
      this.#onOver = resolve
    })
  }

  onInterim(): void {}
  onUpgrade(): void {}

  onHead(status: number, _text: string, headers: readonly string[]): void {
    this.status = status
    this.headers = headers
    this.#headTurn = true
    queueMicrotask(() => {
      this.#headTurn = false
    })
    this.#onHead()
  }

  onData(chunk: Uint8Array): void {
    this.bytes.push(Buffer.from(chunk))
    this.#onData?.()
  }

  onEnd(trailers: readonly string[]): void {
    this.trailers = trailers
    this.endedWithHead = this.#headTurn
    this.#onOver()
  }

  onFailure(failure: OriginFailure): void {
    this.failure = failure
    this.#onHead()
    this.#onOver()
  }

  async until(bytes: number): Promise<void> {
    while (this.received < bytes) {
      await new Promise<void>((resolve) => {
        this.#onData = resolve
      })
    }
  }

  get received(): number {
    return this.bytes.reduce((sum, { length }) => sum + length, 0)
  }

  get grpcStatus(): string | undefined {
    return firstValue(this.trailers, 'grpc-status') ?? firstValue(this.headers, 'grpc-status')
  }
}

/** A message as gRPC frames it. */
function framed(message: string | Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(message), 1)
  return Buffer.concat([head, Buffer.from(message)])
}

function edgeSide(t: TestContext, connectionMs?: number) {
  const origins = new Origins({
    guard: addressGuard([], []),
    names: new OriginNames(async () => ['127.0.0.1'], systemClock),
    tls: new OriginTls([authority.pem]),
    ...(connectionMs === undefined ? {} : { connectionMs }),
  })
  t.after(() => origins.close())
  return (port: number, path: string, body: Readable | null, changes: Partial<OriginDoc> = {}, more: string[] = []) => {
    const heard = new Heard()
    const document = originDoc(1, {
      domainName: 'origin.test',
      protocolPolicy: 'https-only',
      httpsPort: port,
      connectionAttempts: 1,
      ...changes,
    })
    heard.control = origins.send(
      {
        origin: reachedOrigin(document, 0, AWS_S3),
        scheme: 'https',
        method: 'POST',
        target: path,
        headers: ['Host', 'origin.test', 'Content-Type', 'application/grpc', 'TE', 'trailers', ...more],
        body,
        trailers: null,
        grpc: true,
      },
      heard,
    )
    return heard
  }
}

function bodyOf(...messages: (string | Buffer)[]): PassThrough {
  const body = new PassThrough()
  for (const message of messages) body.write(framed(message))
  body.end()
  return body
}

/** An HTTP/2 server that does what a test wants. */
async function h2Server(
  t: TestContext,
  onStream: (stream: ServerHttp2Stream, path: string) => void,
  settings: { maxConcurrentStreams?: number } = {},
): Promise<{ port: number; sessions: ServerHttp2Session[]; server: Http2SecureServer }> {
  const sessions: ServerHttp2Session[] = []
  const server = createSecureServer({ ...certificate, settings })
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    onStream(stream as ServerHttp2Stream, headers[':path'] ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sessions, server }
}

test('a call of each kind, over one connection: bodies both ways at once, status and metadata behind them', async (t) => {
  const origin = await startGrpcOrigin(certificate)
  t.after(() => origin.kill())
  const ask = edgeSide(t)
  const unary = ask(origin.port, '/test.Echo/Unary', bodyOf('hello'), {}, ['X-Sent', 'a', 'grpc-timeout', '10S'])
  await unary.over
  assert.deepEqual([unary.status, unary.grpcStatus, unary.failure], [200, '0', null])
  assert.ok(Buffer.concat(unary.bytes).equals(framed('hello')))
  assert.deepEqual([firstValue(unary.headers, 'x-seen'), firstValue(unary.trailers, 'x-trailing')], ['a', 'a'])
  const left = Number(origin.calls[0]?.deadline) - Date.now()
  assert.ok(left > 0 && left <= 10_000, 'the deadline goes on')

  const download = ask(origin.port, '/test.Echo/Download', bodyOf('{"count":50,"bytes":100000}'))
  await download.over
  assert.deepEqual([download.received, download.grpcStatus], [50 * 100_005, '0'])

  const upload = ask(
    origin.port,
    '/test.Echo/Upload',
    bodyOf(...Array.from({ length: 20 }, () => Buffer.alloc(70_000))),
  )
  await upload.over
  assert.ok(Buffer.concat(upload.bytes).equals(framed('1400000')))

  const talk = new PassThrough()
  const chat = ask(origin.port, '/test.Echo/Chat', talk)
  for (const [at, word] of ['one', 'two', 'three'].entries()) {
    talk.write(framed(word))
    await chat.until(framed('onetwothree'.slice(0, [3, 6, 11][at])).length + at * 5)
  }
  talk.end()
  await chat.over
  assert.ok(Buffer.concat(chat.bytes).equals(Buffer.concat(['one', 'two', 'three'].map(framed))))
  assert.equal(chat.grpcStatus, '0')

  const failed = ask(origin.port, '/test.Echo/Fail', bodyOf('9'))
  await failed.over
  assert.deepEqual([failed.status, failed.grpcStatus, failed.failure], [200, '9', null])
  assert.equal(firstValue(failed.trailers, 'x-why') ?? firstValue(failed.headers, 'x-why'), 'asked for')
})

test('an answer that is a head alone is told as such', async (t) => {
  const { port } = await h2Server(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
  })
  const heard = edgeSide(t)(port, '/x', bodyOf('a'))
  await heard.over
  assert.deepEqual([heard.status, heard.grpcStatus, heard.endedWithHead], [200, '5', true])
})

test('who cancels ends the stream at the origin with CANCEL; the connection goes on', async (t) => {
  const codes: (number | undefined)[] = []
  const closed = Promise.withResolvers<void>()
  const { port, sessions } = await h2Server(t, (stream, path) => {
    stream.respond({ ':status': 200 })
    if (path === '/end') stream.end()
    else stream.write('x')
    stream.on('close', () => {
      codes.push(stream.rstCode)
      if (path !== '/end') closed.resolve()
    })
  })
  const ask = edgeSide(t)
  const heard = ask(port, '/hang', new PassThrough())
  await heard.until(1)
  heard.control?.abort()
  await closed.promise
  const next = ask(port, '/end', null)
  await next.over
  assert.deepEqual([codes[0], next.status, sessions.length], [8, 200, 1])
})

for (const [code, kind] of [
  [0x8, 'reset'],
  [0x2, 'reset'],
  [0x7, 'refused'],
  [0xb, 'header-too-big'],
] as const) {
  for (const after of ['before its head', 'within its body'] as const) {
    test(`a stream that the origin resets with ${code} ${after} is a failure: ${kind}`, async (t) => {
      // 200 in the static table (RFC 7541 appendix A).
      const begun = [frame(1, 0x4, 1, [0x88]), frame(0, 0, 1, [...Buffer.from('part')])]
      const { port } = await startFrameOrigin(t, certificate, [
        ...(after === 'before its head' ? [] : begun),
        frame(3, 0, 1, [0, 0, 0, code]),
      ])
      const heard = edgeSide(t)(port, '/x', bodyOf('a'))
      await heard.over
      assert.deepEqual([heard.failure?.kind, heard.failure?.cancelled], [kind, code === 8])
    })
  }
}

test('no more streams on a connection than the origin allows: others get one of their own, in time', async (t) => {
  let open = 0
  let most = 0
  const { port, sessions } = await h2Server(
    t,
    (stream) => {
      most = Math.max(most, ++open)
      stream.on('close', () => open--)
      stream.respond({ ':status': 200 })
      setImmediate(() => stream.end('done'))
    },
    { maxConcurrentStreams: 5 },
  )
  const ask = edgeSide(t)
  const all = Array.from({ length: 40 }, () => ask(port, '/x', null))
  await Promise.all(all.map(({ over }) => over))
  assert.deepEqual(
    all.map(({ status, failure }) => [status, failure]),
    all.map(() => [200, null]),
  )
  assert.ok(sessions.length <= 32)
  assert.ok(most <= sessions.length * 5, `${most} streams on ${sessions.length} connections`)
})

test('GOAWAY: what runs ends in order, what comes then goes by a new connection', async (t) => {
  const streams: ServerHttp2Stream[] = []
  const { port, sessions } = await h2Server(t, (stream) => {
    streams.push(stream)
    stream.respond({ ':status': 200 })
    stream.write('begun')
  })
  const ask = edgeSide(t)
  const first = ask(port, '/1', null)
  await first.until(5)
  sessions[0]?.goaway()
  sessions[0]?.close()
  // Until the edge has seen it a new stream may still go there, and would be refused: it is seen with the next bytes.
  streams[0]?.write('more')
  await first.until(9)
  const second = ask(port, '/2', null)
  await second.until(5)
  streams[0]?.end()
  streams[1]?.end()
  await Promise.all([first.over, second.over])
  assert.deepEqual([first.failure, second.failure, sessions.length], [null, null, 2])
})

test('a connection that dies fails its calls; the next one has a new connection', async (t) => {
  const { port, sessions } = await h2Server(t, (stream, path) => {
    stream.respond({ ':status': 200 })
    if (path === '/end') stream.end()
    else stream.write('begun')
  })
  const ask = edgeSide(t)
  const calls = [ask(port, '/1', new PassThrough()), ask(port, '/2', null)]
  await Promise.all(calls.map((call) => call.until(5)))
  sessions[0]?.destroy()
  await Promise.all(calls.map(({ over }) => over))
  assert.deepEqual(
    calls.map(({ failure }) => failure?.kind),
    ['reset', 'reset'],
  )
  const next = ask(port, '/end', null)
  await next.over
  assert.deepEqual([next.status, sessions.length], [200, 2])
})

test('a connection takes no stream after its time, and is closed when nobody has used it', async (t) => {
  const { port, sessions } = await h2Server(t, (stream) => {
    stream.respond({ ':status': 200 })
    stream.end()
  })
  const ask = edgeSide(t, 1)
  await ask(port, '/1', null).over
  await once(sessions[0] as ServerHttp2Session, 'close')
  await ask(port, '/2', null, { keepaliveTimeoutMs: 1 }).over
  await once(sessions[1] as ServerHttp2Session, 'close')
})

test('silence of both sides for OriginReadTimeout is a timeout; bytes of either side begin it anew', async (t) => {
  const { port } = await h2Server(t, (stream, path) => {
    if (path === '/late') return
    stream.respond({ ':status': 200 })
    stream.write('x')
  })
  const ask = edgeSide(t)
  const late = ask(port, '/late', bodyOf('a'), { readTimeoutMs: 60 })
  await late.over
  assert.equal(late.failure?.kind, 'read-timeout')
  const body = new PassThrough()
  const busy = ask(port, '/busy', body, { readTimeoutMs: 400 })
  const began = performance.now()
  const timer = setInterval(() => body.write('y'), 50)
  await new Promise((resolve) => setTimeout(resolve, 900))
  assert.equal(busy.failure, null, 'it is not silent')
  clearInterval(timer)
  await busy.over
  assert.equal((busy as Heard).failure?.kind, 'read-timeout')
  assert.ok(performance.now() - began >= 1_250)
})

test('a host that has fallen silent keeps its connection to itself: later calls have another one', async (t) => {
  const { port, sockets } = await startFrameOrigin(t, certificate, [])
  const ask = edgeSide(t)
  const first = ask(port, '/1', null, { readTimeoutMs: 50 })
  await first.over
  assert.deepEqual([first.failure?.kind, sockets.length], ['read-timeout', 1])
  const second = ask(port, '/2', null, { readTimeoutMs: 50 })
  await second.over
  assert.deepEqual([second.failure?.kind, sockets.length], ['read-timeout', 2])
})

test('a connection that answers a ping goes on after a stream of it has waited in vain', async (t) => {
  let last: unknown = null
  const { port, sessions } = await h2Server(t, (stream, path) => {
    last = stream.session
    if (path === '/late') return
    stream.respond({ ':status': 200 })
    stream.end()
  })
  const ask = edgeSide(t)
  await ask(port, '/1', null).over
  const pinged = once(sessions[0] as ServerHttp2Session, 'ping')
  const late = ask(port, '/late', null, { readTimeoutMs: 50 })
  await late.over
  assert.equal(late.failure?.kind, 'read-timeout')
  await pinged
  // The answer of the ping is on its way; once it is here, calls are on the same connection again.
  while (!(await onFirst())) await new Promise((resolve) => setImmediate(resolve))
  async function onFirst(): Promise<boolean> {
    await ask(port, '/2', null).over
    return last === sessions[0]
  }
})

test('a reader that stops holds up its own stream, and no other', async (t) => {
  let written = 0
  const { port } = await h2Server(t, (stream, path) => {
    stream.respond({ ':status': 200 })
    if (path === '/end') {
      stream.end('done')
      return
    }
    const send = (): void => {
      let flows = true
      while (flows) {
        written += 65_536
        flows = stream.write(Buffer.alloc(65_536))
      }
    }
    stream.on('drain', send)
    send()
  })
  const ask = edgeSide(t)
  const slow = ask(port, '/endless', null)
  await slow.head
  slow.control?.pause()
  for (let at = 0; at < 20; at++) await ask(port, '/end', null).over
  const held = written
  for (let at = 0; at < 20; at++) await ask(port, '/end', null).over
  assert.equal(written, held, 'the origin is held up')
  assert.ok(held < 2 * 1024 * 1024, `${held} bytes`)
  slow.control?.resume()
  await slow.until(held + 1_000_000)
  slow.control?.abort()
})

test('who does not speak HTTP/2, or is no TLS server, is refused as any bad TLS is', async (t) => {
  const { createServer: createHttps } = await import('node:https')
  const https = createHttps(certificate, (_request, response) => response.end('one'))
  https.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
  t.after(() => https.close())
  const plain = createServer((socket) => socket.on('error', () => {}).end('no\r\n'))
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  t.after(() => plain.close())
  const ask = edgeSide(t)
  for (const server of [https, plain]) {
    const heard = ask((server.address() as AddressInfo).port, '/x', bodyOf('a'))
    await heard.over
    assert.equal(heard.failure?.kind, 'tls')
  }
  const none = ask(1, '/x', bodyOf('a'), { connectionAttempts: 3 })
  await none.over
  assert.equal(none.failure?.kind, 'refused')
})

test('trailers and heads that are too large are a failure, in whatever way they are', async (t) => {
  const { port } = await h2Server(t, (stream, path) => {
    const large = { 'x-large': 'y'.repeat(Number(path.slice(2))) }
    if (path.startsWith('/h')) {
      stream.respond({ ':status': 200, ...large }, { endStream: true })
      return
    }
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(large))
    stream.end('x')
  })
  const ask = edgeSide(t)
  for (const [path, kind] of [
    ['/h30000', undefined],
    ['/h40000', 'header-too-big'],
    ['/h60000', 'header-too-big'],
    ['/t30000', undefined],
    ['/t40000', 'header-too-big'],
  ] as const) {
    const heard = ask(port, path, null)
    await heard.over
    assert.equal(heard.failure?.kind, kind, path)
  }
})
