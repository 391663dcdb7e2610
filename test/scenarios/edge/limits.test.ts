//! What one viewer can make the edge hold or do has a limit with a name (listen/limits.ts, http/range.ts and others):
//! each is reached here, and what is just below it still works.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { DEFAULT_LIMITS, type ListenLimits } from '../../../src/edge/listen/limits.ts'
import { listenViewers } from '../../../src/edge/listen/listener.ts'
import type { ViewerHandler, ViewerRequest } from '../../../src/edge/listen/viewer.ts'
import { RANGES_MAX } from '../../../src/http/range.ts'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { handClock } from '../../support/hand-clock.ts'

const statusOf = (answer: string) => Number(answer.slice(9, 12))
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4)

test('sizes of a request: at the limit it is served, one more is 414 or 494, and the connection ends', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const { urlBytes, headBytes, headers } = DEFAULT_LIMITS
  const end = `Host: ${HOST}\r\nConnection: close\r\n`
  const url = (bytes: number) => `GET /${'u'.repeat(bytes - 1)} HTTP/1.1\r\n${end}\r\n`
  assert.equal(statusOf(await edge.raw(url(urlBytes))), 200)
  assert.equal(statusOf(await edge.raw(url(urlBytes + 1))), 414)
  const head = (bytes: number) => {
    const before = `GET /a HTTP/1.1\r\n${end}X: `
    return `${before}${'v'.repeat(bytes - before.length - 4)}\r\n\r\n`
  }
  assert.equal(statusOf(await edge.raw(head(headBytes))), 200)
  assert.equal(statusOf(await edge.raw(head(headBytes + 1))), 494)
  const lines = (count: number) => `GET /a HTTP/1.1\r\n${end}${'X: y\r\n'.repeat(count - 2)}\r\n`
  assert.equal(statusOf(await edge.raw(lines(headers))), 200)
  assert.equal(statusOf(await edge.raw(lines(headers + 1))), 494)
})

test('ranges: up to RANGES_MAX parts that ascend; a flood of small or overlapping ones is the whole object, once', async (t) => {
  const body = 'x'.repeat(10_000)
  const origin = await startOrigin((_asked, response) => response.end(body))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  const parts = (count: number) => Array.from({ length: count }, (_, at) => `${at * 3}-${at * 3}`).join(',')
  const most = await edge.get('/a', { headers: { range: `bytes=${parts(RANGES_MAX)}` } })
  assert.deepEqual([most.status, most.body.split('Content-Range').length - 1], [206, RANGES_MAX])
  const floods = [
    parts(RANGES_MAX + 1),
    parts(2_000),
    '0-,'.repeat(1_300),
    `0-${',5-9'.repeat(1_000)}`,
    '0-9999,'.repeat(60),
  ]
  for (const ranges of floods) {
    const answer = await edge.get('/a', { headers: { range: `bytes=${ranges}` } })
    assert.deepEqual([answer.status, answer.body.length], [200, body.length], ranges.slice(0, 40))
  }
  assert.equal(origin.count('/a'), 1)
})

test('keys that a viewer makes up: the memory tier stays within its bytes, the keys included', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const policy = cachePolicy({ queryStrings: { behavior: 'all', names: [] } })
  const cacheBytes = 4 * 1024 * 1024
  const edge = await EdgeScenario.start(
    t,
    [distributionDoc(origin.port, { behaviors: [behaviorDoc({ cachePolicy: policy })] })],
    { cacheBytes },
  )
  const padding = 'q'.repeat(7_000)
  for (let at = 0; at < 1_200; at += 40) {
    const viewers = Array.from({ length: 40 }, (_, n) => edge.get(`/a?${at + n}${padding}`))
    for (const answer of await Promise.all(viewers)) assert.equal(answer.body, 'x')
  }
  const answer = await edge.feed.ask({ kind: 'counters' })
  assert.ok(answer.kind === 'counters')
  const held = answer.counters.cacheBytes ?? answer.counters.cache_bytes ?? 0
  assert.ok(held > 0 && held <= cacheBytes, `${held} bytes of ${cacheBytes}`)
  assert.equal((await edge.get(`/a?1199${padding}`)).xCache, 'Hit')
})

interface Listening {
  readonly dial: () => Socket
  readonly seen: ViewerRequest[]
  readonly causes: string[]
}

/** A listener of its own, where a limit or the time is the test's to set. */
async function listening(
  t: { after(end: () => unknown): void },
  handler: ViewerHandler,
  limits: Partial<ListenLimits> = {},
  clock: Clock = systemClock,
): Promise<Listening> {
  const seen: ViewerRequest[] = []
  const causes: string[] = []
  const listener = await listenViewers({
    addresses: [{ host: '127.0.0.1', port: 0, pop: 0, tls: null }],
    reusePort: false,
    clock,
    limits: { sweepMs: 2, ...limits },
    handler: (request, reply) => {
      seen.push(request)
      handler(request, reply)
    },
    refuse: ({ status, cause }) => {
      causes.push(cause)
      return { head: `HTTP/1.1 ${status} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, body: Buffer.alloc(0) }
    },
  })
  t.after(() => listener.close())
  return { dial: () => connect(listener.addresses[0]!.port, '127.0.0.1').on('error', () => {}), seen, causes }
}

const written = (socket: Socket, bytes: string) =>
  new Promise<void>((resolve) => socket.write(bytes, 'latin1', () => resolve()))
/** The listener has read what was written: it answers a request of another connection behind it. */
const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

async function answerOf(socket: Socket): Promise<string> {
  let answer = ''
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1')
  })
  await once(socket, 'close')
  return answer
}

test('slowloris: a head has headMs in all, however steadily its bytes come', async (t) => {
  const clock = handClock()
  const { dial, causes } = await listening(t, () => {}, { headMs: 1_000, idleMs: 60_000 }, clock)
  const socket = dial().setNoDelay()
  const answer = answerOf(socket)
  await written(socket, 'GET / HTTP/1.1\r\nHost: a\r\n')
  for (let sent = 0; sent < 12; sent++) {
    await turns()
    clock.forward(100)
    if (!socket.destroyed) await written(socket, 'X: y\r\n')
  }
  assert.equal(statusOf(await answer), 408)
  assert.deepEqual(causes, ['head-timeout'])
})

test('a body that trickles is cut: bytes earn it time at bodyBytesPerSecondMin, a steady one goes on', async (t) => {
  const clock = handClock()
  const limits = { bodyIdleMs: 1_000, bodyBytesPerSecondMin: 100 }
  const { dial, causes, seen } = await listening(t, (request) => void request.body?.stream().resume(), limits, clock)
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'
  const [steady, trickle] = [dial().setNoDelay(), dial().setNoDelay()]
  const answer = answerOf(trickle)
  await Promise.all([written(steady, head), written(trickle, head)])
  while (seen.length < 2) await turns()
  for (let second = 0; second < 20; second++) {
    await written(steady, 'x'.repeat(60))
    if (!trickle.destroyed) await written(trickle, 'x')
    await turns()
    clock.forward(500)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(statusOf(await answer), 408)
  assert.deepEqual(causes, ['body-timeout'])
  assert.equal(steady.destroyed, false)
  steady.destroy()
})

test('a viewer that sends requests without end and reads nothing: the edge stops answering, and stops reading', async (t) => {
  const body = Buffer.alloc(16_384, 'x')
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`
  const { dial, seen } = await listening(t, (_request, reply) => reply.whole(head, body, null))
  const socket = dial().pause()
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  // Far more bytes than the kernel keeps for two sockets, however large it lets their buffers grow.
  const total = 2_000_000
  let sent = 0
  while (sent < total && !socket.writableNeedDrain) {
    socket.write(request.repeat(1_000), 'latin1')
    sent += 1_000
    await turns()
  }
  assert.ok(sent < total, 'the edge reads no more')
  // Answers wait in the buffers of two sockets and of the kernel: some megabytes, whatever is asked.
  assert.ok(seen.length * body.length < 64 * 1024 * 1024, `${seen.length} answers`)
  socket.destroy()
})

test('tiny chunks: ten thousand of one byte are handed on in as many pieces as they came in', async (t) => {
  const pieces: number[] = []
  const over = Promise.withResolvers<void>()
  const { dial } = await listening(t, (request) => {
    const stream = request.body?.stream()
    stream?.on('data', (piece: Buffer) => pieces.push(piece.length))
    stream?.on('end', () => over.resolve())
  })
  const socket = dial()
  socket.write(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(10_000)}0\r\n\r\n`,
  )
  await over.promise
  assert.equal(
    pieces.reduce((sum, bytes) => sum + bytes, 0),
    10_000,
  )
  assert.ok(pieces.length < 100, `${pieces.length} pieces`)
  socket.destroy()
})

test('a body that nobody wants is thrown away up to discardBytes, then the connection ends, and says so', async (t) => {
  const { dial } = await listening(t, (_request, reply) => {
    const connection = reply.closes ? 'Connection: close\r\n' : ''
    reply.whole(`HTTP/1.1 403 X\r\n${connection}Content-Length: 0\r\n\r\n`, null, null)
  })
  const post = (framing: string) => `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`
  for (const framing of [`Content-Length: ${DEFAULT_LIMITS.discardBytes + 1}`, 'Transfer-Encoding: chunked']) {
    const socket = dial()
    const answer = answerOf(socket)
    socket.write(post(framing))
    assert.match(await answer, /Connection: close\r\n/)
  }
  const socket = dial()
  const small = answerOf(socket)
  socket.end(`${post('Content-Length: 3')}abc${post('Content-Length: 3')}abc`)
  assert.equal((await small).split('HTTP/1.1 403').length - 1, 2)
})

test('an idle connection keeps a header block for the next request only when it is small', async (t) => {
  const { dial, seen } = await listening(t, (_request, reply) => reply.whole('HTTP/1.1 204 X\r\n\r\n', null, null))
  const request = (bytes: number) => `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(bytes)}\r\n\r\n`
  for (const bytes of [100, DEFAULT_LIMITS.rememberedBytes]) {
    seen.length = 0
    const socket = dial()
    socket.resume().end(request(bytes).repeat(2))
    await once(socket, 'close')
    assert.equal(seen[0]?.headers === seen[1]?.headers, bytes === 100, `${bytes} bytes`)
  }
})

test('fields of nothing but what a pattern could go back and forth over do not hold up the others', async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.setHeader('etag', '"e"')
    response.end('ok')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  const fillings = [' ', '\t', ',', ';', '=', '"', '\\', 'a,', '"a" ', 'a=', 'W/', '0-', '-']
  for (const name of [
    'Range',
    'If-None-Match',
    'If-Match',
    'If-Range',
    'Accept-Encoding',
    'Cookie',
    'Cache-Control',
    'CDN-Loop',
  ]) {
    for (const filling of fillings) {
      const value = `bytes=0${filling.repeat(30_000 / filling.length)}x`
      const since = process.cpuUsage()
      const answer = await edge.raw(
        `GET /a HTTP/1.1\r\nHost: ${HOST}\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`,
      )
      const { user } = process.cpuUsage(since)
      assert.ok([200, 412].includes(statusOf(answer)), `${name}: ${JSON.stringify(filling)}: ${answer.slice(0, 80)}`)
      // Quadratic time over 30,000 bytes is over a second of this process's own CPU.
      assert.ok(user < 700_000, `${name} of ${JSON.stringify(filling)}: ${user} us`)
      if (statusOf(answer) === 200) assert.equal(bodyOf(answer), 'ok')
    }
  }
})
