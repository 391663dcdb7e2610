//! THE TABLE of what origins do wrong: what the viewer gets, which word stands for it in log and trace, how often the
//! origin is asked, and that no timeout is exceeded.
import assert from 'node:assert/strict'
import { createServer, request as send } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import type { OriginDoc } from '../../../src/domain/distribution.ts'
import type { OriginFailureKind } from '../../../src/domain/outcomes.ts'
import type { Trace } from '../../../src/observe/trace.ts'
import { startOrigin, startRawOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'

interface Row {
  readonly what: string
  /** Bytes that are written at once, after which the connection stays open (`open`) or ends; or what is done instead. */
  readonly does: string | ((socket: Socket) => void)
  readonly end?: 'open' | 'end' | 'reset'
  readonly status: number
  /** Null for an answer that is passed on. */
  readonly kind: OriginFailureKind | null
  /** How often the origin is asked: 1 unless said. */
  readonly asked?: number
  readonly origin?: Partial<OriginDoc>
  /** Body that the viewer gets of an answer that is passed on. */
  readonly body?: string
}

const OK = 'HTTP/1.1 200 OK\r\n'
const lines = (count: number, line: string): string => `${line}\r\n`.repeat(count)
/** Goes on writing while anybody reads. */
const endless = (first: string, piece: string) => (socket: Socket) => {
  const more = (): void => {
    if (!socket.destroyed) socket.write(piece, more)
  }
  socket.write(first, more)
}
/** A piece each 40 ms. */
const drip = (first: string, piece: string) => (socket: Socket) => {
  socket.write(first)
  const timer = setInterval(() => socket.write(piece), 40)
  socket.once('close', () => clearInterval(timer))
}

const ROWS: readonly Row[] = [
  { what: 'no HTTP', does: 'nonsense\r\n\r\n', status: 502, kind: 'invalid-response' },
  { what: 'HTTP/0.9: a body and nothing else', does: '<html>hello</html>', end: 'end', status: 502, kind: 'invalid-response' },
  { what: 'TLS', does: '\x16\x03\x01\x02\x00\x01\x00', status: 502, kind: 'invalid-response' },
  { what: 'HTTP/2', does: '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64', status: 502, kind: 'invalid-response' },
  { what: 'a request', does: 'GET / HTTP/1.1\r\n\r\n', status: 502, kind: 'invalid-response' },
  { what: 'another major version', does: 'HTTP/9.9 200 OK\r\n\r\n', status: 502, kind: 'invalid-response' },
  { what: 'a status with a letter', does: 'HTTP/1.1 2x0 OK\r\n\r\n', status: 502, kind: 'invalid-response' },
  { what: 'status 099', does: 'HTTP/1.1 099 Odd\r\n\r\n', status: 502, kind: 'invalid-response' },
  { what: 'a protocol change that nobody asked for', does: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', status: 502, kind: 'invalid-response' },
  { what: '100 (Continue) to a request without Expect', does: `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`, status: 502, kind: 'invalid-response' },
  { what: 'a status line that does not end', does: `HTTP/1.1 200 ${'x'.repeat(70_000)}`, status: 504, kind: 'read-timeout' },
  { what: 'a header field of 33 KB', does: `${OK}X: ${'x'.repeat(33_000)}\r\n\r\n`, status: 502, kind: 'header-too-big' },
  { what: 'many header fields, 40 KB together', does: `${OK}${lines(8_000, 'X: 1')}\r\n`, status: 502, kind: 'header-too-big' },
  { what: 'tiny header fields, 42 KB with their line ends', does: `${OK}${lines(8_500, 'X:1')}\r\n`, status: 502, kind: 'header-too-big' },
  { what: 'a header of 32,000 bytes', does: `${OK}X: ${'x'.repeat(31_900)}\r\nContent-Length: 2\r\n\r\nok`, status: 200, kind: null, body: 'ok' },
  { what: 'a header without end', does: endless(OK, lines(1_000, 'X: 1')), status: 502, kind: 'header-too-big' },
  { what: 'a header without end, in drops', does: drip(OK, 'X'), status: 504, kind: 'read-timeout' },
  { what: 'empty lines without end', does: endless('', lines(1_000, '')), status: 504, kind: 'read-timeout' },
  { what: 'hints without end', does: endless('', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), status: 502, kind: 'invalid-response' },
  { what: 'two lengths', does: `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, status: 502, kind: 'invalid-response' },
  { what: 'a negative length', does: `${OK}Content-Length: -1\r\n\r\n`, status: 502, kind: 'invalid-response' },
  { what: 'a length that is no number', does: `${OK}Content-Length: 0x2\r\n\r\nok`, status: 502, kind: 'invalid-response' },
  { what: 'a length beyond all numbers', does: `${OK}Content-Length: 99999999999999999999999\r\n\r\nok`, status: 502, kind: 'invalid-response' },
  { what: 'a length and chunks', does: `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, status: 502, kind: 'invalid-response' },
  { what: 'a transfer coding that nobody knows', does: `${OK}Transfer-Encoding: gzip\r\n\r\n`, end: 'end', status: 502, kind: 'invalid-response' },
  { what: 'nothing, and closes', does: '', end: 'end', status: 502, kind: 'reset', asked: 3, origin: { connectionAttempts: 3 } },
  { what: 'nothing, and resets', does: '', end: 'reset', status: 502, kind: 'reset', asked: 2, origin: { connectionAttempts: 2 } },
  { what: 'half a header, and closes', does: `${OK}Content-Le`, end: 'end', status: 502, kind: 'reset' },
  { what: 'nothing for ever', does: '', status: 504, kind: 'read-timeout', asked: 3, origin: { connectionAttempts: 3 } },
  { what: 'half a header, then nothing', does: `${OK}Content-Le`, status: 504, kind: 'read-timeout' },
  { what: 'a header in drops, slower than a whole answer may be', does: drip(OK, 'X: 1\r\n'), status: 504, kind: 'completion-timeout', origin: { readTimeoutMs: 10_000, responseCompletionTimeoutMs: 300 } },
  { what: 'more than its length', does: `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, status: 200, kind: null, body: 'ok' },
  { what: 'a coding that is not true', does: `${OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain`, status: 200, kind: null, body: 'plain' },
  { what: 'trailers that nobody announced', does: `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Cache: Hit\r\nSet-Cookie: a=b\r\n\r\n`, status: 200, kind: null, body: 'ok' },
  { what: 'a body until it closes', does: `${OK}\r\nall of it`, end: 'end', status: 200, kind: null, body: 'all of it' },
  { what: 'an empty reason', does: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', status: 200, kind: null, body: 'ok' },
  { what: 'a reason with a control character', does: 'HTTP/1.1 200 a\x07b\r\nContent-Length: 2\r\n\r\nok', status: 200, kind: null, body: 'ok' },
] // biome-ignore format: a table

/** Milliseconds: what a row may take beside its timeouts, on any machine. */
const SLACK_MS = 20_000
const READ_MS = 200
/** Short only where it is to be over. */
const readMs = (row: Row): number => (row.kind === 'read-timeout' ? READ_MS : 10_000)

test('what origins do wrong', async (t) => {
  const origin = await startRawOrigin((socket, head) => {
    const row = ROWS[Number(/^GET \/(\d+)/.exec(head)?.[1])]
    if (row === undefined) return
    if (typeof row.does !== 'string') return row.does(socket)
    socket.write(row.does, 'latin1')
    if (row.end === 'end') socket.end()
    if (row.end === 'reset') socket.resetAndDestroy()
  })
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, {
    origins: ROWS.map((row, at) =>
      originDoc(origin.port, { id: `${at}`, connectionAttempts: 1, readTimeoutMs: readMs(row), ...row.origin }),
    ),
    behaviors: [
      ...ROWS.map((_row, at) => behaviorDoc({ pathPattern: `/${at}`, originId: `${at}` })),
      behaviorDoc({ originId: '0' }),
    ],
  })
  const edge = await EdgeScenario.start(t, [document])
  for (const [at, row] of ROWS.entries()) {
    await t.test(
      `an origin that sends ${row.what}: ${row.status}${row.kind === null ? '' : ` ${row.kind}`}`,
      async () => {
        const began = performance.now()
        const answer = await edge.get(`/${at}`, { headers: { 'x-cachefront-explain': '1' } })
        const took = performance.now() - began
        assert.equal(answer.status, row.status)
        assert.equal(answer.xCache, row.kind === null ? 'Miss' : 'Error')
        const asked = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
        assert(asked.kind === 'trace')
        const { outcome, originRequests } = asked.trace as Trace
        if (row.kind !== null) {
          assert.equal(answer.headers.server, 'CloudFront')
          assert.match(answer.body, /Generated by cloudfront \(CloudFront\)/)
          assert.match(String(outcome?.reason), new RegExp(`: ${row.kind}$`))
          assert.notEqual(originRequests[0]?.error, null, 'the operator is told why')
        } else assert.equal(answer.body, row.body)
        const times = row.asked ?? 1
        assert.equal(origin.requests.filter((head) => head.startsWith(`GET /${at} `)).length, times)
        const limit = row.kind === 'read-timeout' ? READ_MS * times : 300
        assert.ok(took < limit + SLACK_MS, `${took} ms`)
        if (row.kind === 'read-timeout') assert.ok(took >= READ_MS * times * 0.9, `${took} ms`)
      },
    )
  }
})

for (const [what, head, body] of [
  ['less than its length', 'Content-Length: 10\r\n', '01234'],
  ['chunks without their end', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n'],
  ['a chunk that is none', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\nzz\r\n'],
] as const) {
  test(`${what}: the viewer's connection is cut, the next one asks anew`, async (t) => {
    const origin = await startRawOrigin((socket) => socket.write(`${OK}${head}\r\n${body}`, () => socket.end()))
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
    const got = await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
    assert.doesNotMatch(got, /\r\n0\r\n\r\n$/, 'no end of chunks')
    const asked = origin.requests.length
    if (got.startsWith('HTTP/1.1 200')) {
      await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
      assert.equal(origin.requests.length, asked + 1)
    }
  })
}

test('a body in drops, each in time, is cut when the whole takes too long', async (t) => {
  const origin = await startRawOrigin(drip(`${OK}Content-Length: 1000000\r\n\r\n`, 'x'))
  t.after(() => origin.close())
  const origins = [originDoc(origin.port, { readTimeoutMs: 10_000, responseCompletionTimeoutMs: 300 })]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins })])
  const got = await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  assert.match(got, /^HTTP\/1\.1 200 OK/)
  assert.ok(got.length < 10_000)
  await edge.get('/', { host: 'nobody.example' })
  const seen = await edge.feed.ask({ kind: 'origins' })
  assert(seen.kind === 'origins')
  assert.deepEqual(seen.origins[0]?.failures, { 'completion-timeout': 1 })
})

test('a body that stops in the middle is cut after the read timeout', async (t) => {
  const origin = await startRawOrigin((socket) => socket.write(`${OK}Content-Length: 1000000\r\n\r\nxxx`))
  t.after(() => origin.close())
  const origins = [originDoc(origin.port, { readTimeoutMs: READ_MS })]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins })])
  const got = await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  assert.match(got, /xxx$/)
})

test('a redirect of the origin to the distribution itself is relayed and kept, never followed', async (t) => {
  const origin = await startOrigin((asked, response) =>
    response.writeHead(301, { location: `http://${HOST}${asked.url}`, 'cache-control': 'max-age=60' }).end(),
  )
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const xCache of ['Miss', 'Hit']) {
    const answer = await edge.get('/a')
    assert.deepEqual([answer.status, answer.headers.location, answer.xCache], [301, `http://${HOST}/a`, xCache])
  }
  assert.equal(origin.count('/a'), 1)
})

test('an origin that leads back to the distribution through a proxy ends with 403, not in a circle', async (t) => {
  let passed = 0
  let edgePort = 0
  const proxy = createServer((request, response) => {
    passed++
    const { method, url, headers } = request
    const onward = send(
      { port: edgePort, host: '127.0.0.1', method, path: url, headers: { ...headers, host: HOST } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  const behavior = behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }) })
  const document = distributionDoc((proxy.address() as AddressInfo).port, { behaviors: [behavior] })
  const edge = await EdgeScenario.start(t, [document])
  edgePort = edge.port()
  const answer = await edge.get('/a')
  assert.equal(answer.status, 403)
  assert.equal(passed, 2)
})
