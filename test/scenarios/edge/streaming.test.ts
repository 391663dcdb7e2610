//! Bodies pass with back-pressure both ways: what lies between the two ends is bounded, whatever the size of the body and
//! whoever is slow. Told by what one end has sent and the other has got, not by time.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { bytesHeld, HELD_BYTES_MAX } from '../../../src/edge/cache/flight-body.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const MIB = 1024 * 1024
const BODY_BYTES = 64 * MIB
/**
 * Between two ends: what the edge holds ahead of its fastest reader (1 MiB; for what may be kept up to the object limit,
 * 4 MiB here) and the buffers of four sockets, of which Linux lets each have 4 to 6 MiB.
 */
const BETWEEN_MAX = 32 * MIB
const PIECE = 64 * 1024

/** Piece number `at` of a body whose pieces all differ. */
const piece = (at: number): Buffer => Buffer.alloc(PIECE, `piece ${at} `)

const WHOLE = createHash('sha256')
for (let at = 0; at < BODY_BYTES / PIECE; at++) WHOLE.update(piece(at))
const DIGEST = WHOLE.digest('hex')

/** What one end has sent and the other has got. */
class Between {
  sent = 0
  got = 0
  most = 0
  /** Called after each piece that the sender could get rid of. */
  moved(sent: number): void {
    this.sent += sent
    this.most = Math.max(this.most, this.sent - this.got)
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

async function edgeBefore(t: TestContext, answer: Answer, { workers = 1, strict = false } = {}) {
  const origin = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    origin.close()
    origin.closeAllConnections()
  })
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachePolicy: cachePolicy({ queryStrings: { behavior: 'all', names: [] } }),
  })
  const { port } = origin.address() as AddressInfo
  const document = distributionDoc(port, { behaviors: [behavior], rfcStrict: strict })
  return EdgeScenario.start(t, [document], { count: workers })
}

/** Resolves when it takes more, or never will. */
function drained(to: ServerResponse | Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      to.off('drain', done).off('close', done)
      resolve()
    }
    to.on('drain', done).on('close', done)
  })
}

/** Sends the whole body as fast as it is taken. */
async function sendBody(
  to: ServerResponse | Socket,
  between: Between,
  frame = (bytes: Buffer) => [bytes],
): Promise<void> {
  for (let at = 0; at < BODY_BYTES / PIECE; at++) {
    let flowing = true
    for (const bytes of frame(piece(at))) flowing = to.write(bytes)
    between.moved(PIECE)
    if (!flowing) await drained(to)
    if (to.destroyed) return
  }
}

/** A viewer's connection whose bytes are taken only when asked for. */
function viewer(edge: EdgeScenario, worker = 0): Socket {
  const socket = connect({ port: edge.port(worker), host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.pause()
  return socket
}

/** Reads to the end of a connection; the head, and the hash of what follows (without chunk marks when `chunked`). */
async function readAll(socket: Socket, between: Between): Promise<{ head: string; bytes: number; digest: string }> {
  const hash = createHash('sha256')
  let head = ''
  let bytes = 0
  for await (const data of socket) {
    let body = data as Buffer
    if (!head.includes('\r\n\r\n')) {
      const text = head + body.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      body = end < 0 ? Buffer.alloc(0) : body.subarray(end + 4 - head.length)
      head = end < 0 ? text : text.slice(0, end + 4)
    }
    hash.update(body)
    bytes += body.length
    between.got += body.length
  }
  return { head, bytes, digest: hash.digest('hex') }
}

const KINDS = [
  { what: 'that is not kept', headers: { 'cache-control': 'no-store' }, length: true },
  { what: 'larger than what is kept', headers: { 'cache-control': 'max-age=60' }, length: true },
  { what: 'of unknown length, larger than what is kept', headers: { 'cache-control': 'max-age=60' }, length: false },
] as const

for (const workers of [1, 2]) {
  for (const { what, headers, length } of KINDS) {
    test(`a stalled viewer of an answer ${what} stalls the origin, and nobody else (${workers} workers)`, async (t) => {
      const between = new Between()
      const begun = Promise.withResolvers<void>()
      const edge = await edgeBefore(
        t,
        async ({ url }, response) => {
          if (url !== '/big') return response.setHeader('cache-control', 'no-store').end('small')
          response.writeHead(200, length ? { ...headers, 'content-length': BODY_BYTES } : headers)
          begun.resolve()
          await sendBody(response, between)
          return response.end()
        },
        { workers },
      )
      const socket = viewer(edge)
      // HTTP/1.0: without chunk marks, told by the end of the connection.
      socket.write(`GET /big HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`)
      await begun.promise
      for (let n = 0; n < 50; n++) assert.equal((await edge.get(`/small?${n}`)).body, 'small')
      assert.ok(between.sent < BETWEEN_MAX, `${between.sent} bytes for a viewer that reads none`)
      assert.ok(bytesHeld() <= HELD_BYTES_MAX, `${bytesHeld()} bytes held`)
      const read = await readAll(socket, between)
      assert.equal(read.bytes, BODY_BYTES)
      assert.equal(read.digest, DIGEST)
      assert.ok(between.most <= BETWEEN_MAX, `${between.most} bytes between the two ends`)
    })
  }
}

for (const framing of ['length', 'chunked', 'chunked with trailers'] as const) {
  test(`a stalled origin stalls the viewer that sends to it, and nobody else (${framing})`, async (t) => {
    const between = new Between()
    const begun = Promise.withResolvers<{ request: IncomingMessage; response: ServerResponse }>()
    const edge = await edgeBefore(
      t,
      (request, response) => {
        if (request.method === 'GET') response.setHeader('cache-control', 'no-store').end('small')
        else begun.resolve({ request, response })
      },
      { strict: framing === 'chunked with trailers' },
    )
    const socket = viewer(edge)
    const head = framing === 'length' ? `Content-Length: ${BODY_BYTES}` : 'Trailer: X-Sum\r\nTransfer-Encoding: chunked'
    socket.write(`POST /in HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${head}\r\n\r\n`)
    const inChunk = (bytes: Buffer) => [Buffer.from(`${PIECE.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]
    const sending = sendBody(socket, between, framing === 'length' ? undefined : inChunk)
    const { request, response } = await begun.promise
    for (let n = 0; n < 50; n++) assert.equal((await edge.get(`/small?${n}`)).body, 'small')
    assert.ok(between.sent < BETWEEN_MAX, `${between.sent} bytes for an origin that reads none`)
    sending.then(() => framing !== 'length' && socket.write('0\r\nX-Sum: 1\r\n\r\n'))
    const hash = createHash('sha256')
    for await (const data of request) {
      hash.update(data as Buffer)
      between.got += (data as Buffer).length
    }
    assert.equal(hash.digest('hex'), DIGEST)
    assert.ok(between.most <= BETWEEN_MAX, `${between.most} bytes between the two ends`)
    assert.deepEqual(request.rawTrailers, framing === 'chunked with trailers' ? ['X-Sum', '1'] : [])
    response.end('thanks')
    assert.match((await readAll(socket, new Between())).head, /^HTTP\/1\.1 200 OK\r\n/)
  })
}

for (const workers of [1, 2]) {
  test(`a viewer that leaves stops the fetch that was for it alone (${workers} workers)`, async (t) => {
    const stopped = new Map<string, (early: boolean) => void>()
    const edge = await edgeBefore(
      t,
      async ({ url = '' }, response) => {
        response.on('close', () => stopped.get(url)?.(!response.writableFinished))
        response.writeHead(200, { 'cache-control': url === '/private' ? 'no-store' : 'max-age=60' })
        // A viewer that has only closed its half still gets the answer: that it has gone shows by its not taking any.
        while (!response.destroyed) if (!response.write(piece(0))) await drained(response)
      },
      { workers },
    )
    // Of several keys each worker owns some.
    for (const path of ['/private', '/a', '/b', '/c', '/d']) {
      const over = Promise.withResolvers<boolean>()
      stopped.set(path, over.resolve)
      const socket = viewer(edge)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      const [first] = (await once(socket.resume(), 'data')) as [Buffer]
      assert.match(first.toString('latin1'), /^HTTP\/1\.1 200 OK/)
      socket.destroy()
      assert.equal(await over.promise, true, path)
    }
  })
}

test('a viewer that leaves while it sends stops the request to the origin', async (t) => {
  const begun = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<string>()
  const edge = await edgeBefore(t, (request) => {
    request.on('error', (error: NodeJS.ErrnoException) => stopped.resolve(error.code ?? ''))
    request.once('data', () => begun.resolve())
  })
  const socket = viewer(edge)
  socket.write(`PUT /in HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000000\r\n\r\nsome of it`)
  await begun.promise
  socket.destroy()
  assert.equal(await stopped.promise, 'ECONNRESET')
})

test('an origin that answers before it has read everything is heard', async (t) => {
  const edge = await edgeBefore(t, (request, response) => {
    request.resume().on('error', () => {})
    response.writeHead(413).end('no')
  })
  const socket = viewer(edge)
  socket.write(`POST /in HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`)
  const sending = sendBody(socket, new Between())
  const read = await readAll(socket, new Between())
  await sending
  assert.match(read.head, /^HTTP\/1\.1 413 /)
})
