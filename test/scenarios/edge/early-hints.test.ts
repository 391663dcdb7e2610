//! Interim answers and trailers of an origin: they pass in strict mode; CloudFront passes neither.
import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startRawOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const HINT =
  'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-My: 1\r\nSet-Cookie: a=b\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n'
const CHUNKED =
  'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n' +
  '5\r\nhello\r\n0\r\nX-Sum: 12\r\nSet-Cookie: a=b\r\nX-Late: \xe9\r\n\r\n'

async function edgeBefore(t: TestContext, answer: string, { strict = true, workers = 1 } = {}) {
  const origin = await startRawOrigin((socket) => socket.write(answer, 'latin1'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: strict })], { count: workers })
  return { origin, edge }
}

interface Seen {
  readonly hints: { readonly status: number; readonly headers: readonly string[] }[]
  readonly rawHeaders: readonly string[]
  readonly body: string
  readonly rawTrailers: readonly string[]
}

/** Node's own client on the other end: what it takes for an interim answer and for trailers is one. */
function see(edge: EdgeScenario, path: string, headers: Record<string, string> = {}, worker = 0): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const hints: { status: number; headers: readonly string[] }[] = []
    const request = httpRequest({
      host: '127.0.0.1',
      port: edge.port(worker),
      path,
      headers: { host: HOST, ...headers },
      agent: false,
    })
    request.on('information', ({ statusCode, rawHeaders }) => hints.push({ status: statusCode, headers: rawHeaders }))
    request.on('response', (response) => {
      let body = ''
      response.setEncoding('latin1')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => {
        const { rawHeaders, rawTrailers } = response
        resolve({ hints, rawHeaders, body, rawTrailers })
      })
    })
    request.on('error', reject)
    request.end()
  })
}

const named = (raw: readonly string[], name: string): string | undefined => {
  const at = raw.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return at < 0 ? undefined : raw[at + 1]
}

const OK = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok'

for (const workers of [1, 3]) {
  test(`strict: 103 and 102 pass before the answer, which is kept without them (${workers} workers)`, async (t) => {
    const { edge } = await edgeBefore(t, `${HINT}HTTP/1.1 102 Processing\r\n\r\n${HINT}${OK}`, { workers })
    for (const path of ['/a', '/b', '/c']) {
      const seen = await see(edge, path)
      assert.deepEqual(
        seen.hints.map(({ status }) => status),
        [103, 102, 103],
      )
      assert.deepEqual(seen.hints[0]?.headers, ['Link', '</a.css>; rel=preload', 'X-My', '1'])
      assert.equal(seen.body, 'ok')
      for (let worker = 0; worker < workers; worker++) {
        const again = await see(edge, path, {}, worker)
        assert.deepEqual([again.hints.length, again.body], [worker === 0 ? 0 : again.hints.length, 'ok'])
        assert.match(named(again.rawHeaders, 'x-cache') ?? '', /^Hit/)
        assert.equal(again.hints.length, 0)
      }
    }
  })

  test(`strict: trailers pass behind the chunks to whoever keeps trailers (${workers} workers)`, async (t) => {
    const { origin, edge } = await edgeBefore(t, CHUNKED, { workers })
    for (const path of ['/a', '/b', '/c']) {
      const seen = await see(edge, path, { te: 'trailers' })
      assert.deepEqual([seen.body, seen.rawTrailers], ['hello', ['X-Sum', '12', 'X-Late', '\xe9']])
      assert.equal(named(seen.rawHeaders, 'trailer'), 'X-Sum')
      const stored = await see(edge, path, { te: 'trailers' })
      assert.deepEqual([stored.body, stored.rawTrailers], ['hello', []], 'they are of the message, not of the object')
      assert.deepEqual(
        [named(stored.rawHeaders, 'trailer'), named(stored.rawHeaders, 'content-length')],
        [undefined, '5'],
      )
    }
    assert.equal(origin.requests.length, 3)
    const without = await see(edge, '/d')
    assert.deepEqual(
      [without.body, without.rawTrailers, named(without.rawHeaders, 'trailer')],
      ['hello', [], undefined],
    )
  })
}

test('in the mode of CloudFront neither passes', async (t) => {
  const { edge } = await edgeBefore(t, HINT + CHUNKED, { strict: false })
  const seen = await see(edge, '/a', { te: 'trailers' })
  assert.deepEqual([seen.hints, seen.body, seen.rawTrailers], [[], 'hello', []])
  assert.equal(named(seen.rawHeaders, 'trailer'), undefined)
})

test('HTTP/1.0 knows neither', async (t) => {
  const { edge } = await edgeBefore(t, HINT + CHUNKED)
  const answer = await edge.raw(`GET /a HTTP/1.0\r\nHost: ${HOST}\r\nTE: trailers\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(answer, /\r\n\r\nhello$/)
})

test('who waits for the fetch of another gets no hints, and the answer', async (t) => {
  const answers: (() => void)[] = []
  const arrived = Promise.withResolvers<void>()
  const origin = await startRawOrigin((socket) => {
    socket.write(HINT)
    answers.push(() => socket.write(OK))
    arrived.resolve()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: true })])
  const leader = see(edge, '/a')
  await arrived.promise
  const waiter = see(edge, '/a')
  await edge.get('/', { host: 'nobody.example' })
  answers[0]?.()
  assert.deepEqual([(await leader).hints.length, (await waiter).hints.length], [1, 0])
  assert.deepEqual([(await leader).body, (await waiter).body], ['ok', 'ok'])
  assert.equal(origin.requests.length, 1)
})

test('hints over their limit are left out, the answer comes', async (t) => {
  const long = `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(16_000)}>\r\n\r\n`
  const { edge } = await edgeBefore(t, long.repeat(10) + OK)
  const seen = await see(edge, '/a')
  assert.deepEqual([seen.hints.length, seen.body], [4, 'ok'])
})

interface Heard {
  readonly rawHeaders: readonly string[]
  readonly body: string
  readonly rawTrailers: readonly string[]
}

/** An origin that hears requests with their trailers; the edge in front of it. */
async function edgeBeforeListener(t: TestContext, strict: boolean) {
  const heard: Heard[] = []
  const origin = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('latin1')) body += chunk
    const { rawHeaders, rawTrailers } = request
    heard.push({ rawHeaders, body, rawTrailers })
    response.writeHead(200, { trailer: 'X-Back' })
    response.write('got it')
    response.addTrailers({ 'X-Back': '1' })
    response.end()
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    origin.close()
    origin.closeAllConnections()
  })
  const { port } = origin.address() as AddressInfo
  const allowedMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
  const document = distributionDoc(port, { rfcStrict: strict, behaviors: [behaviorDoc({ allowedMethods })] })
  return { heard, edge: await EdgeScenario.start(t, [document]) }
}

const upload = (more: string, trailers: string) =>
  `POST /in HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n${more}\r\n` +
  `5\r\nhello\r\n6\r\n world\r\n0\r\n${trailers}\r\n`

test('strict: announced trailers of a request reach the origin, but for those that decide something', async (t) => {
  const { heard, edge } = await edgeBeforeListener(t, true)
  const trailers =
    'X-Sum:  12 \r\nAuthorization: secret\r\nX-Forwarded-For: 1.2.3.4\r\ncontent-length: 3\r\nX_Forwarded_For: 1\r\n'
  const answer = await edge.raw(upload('Trailer: X-Sum, Authorization\r\n', trailers))
  assert.match(
    answer,
    /^HTTP\/1\.1 200 OK\r\n.*\r\nTrailer: X-Back\r\n.*\r\n\r\n6\r\ngot it\r\n0\r\nX-Back: 1\r\n\r\n$/s,
  )
  const [one] = heard
  assert.deepEqual([one?.body, one?.rawTrailers], ['hello world', ['X-Sum', '12']])
  assert.deepEqual(
    [named(one?.rawHeaders ?? [], 'trailer'), named(one?.rawHeaders ?? [], 'transfer-encoding')],
    ['X-Sum', 'chunked'],
  )
  assert.equal(named(one?.rawHeaders ?? [], 'x-forwarded-for'), '127.0.0.1')
})

test('strict: trailers that no field announced are dropped', async (t) => {
  const { heard, edge } = await edgeBeforeListener(t, true)
  assert.match(await edge.raw(upload('', 'X-Sum: 12\r\n')), /^HTTP\/1\.1 200 OK\r\n/)
  assert.deepEqual([heard[0]?.body, heard[0]?.rawTrailers], ['hello world', []])
})

test('in the mode of CloudFront no trailer of a request reaches the origin', async (t) => {
  const { heard, edge } = await edgeBeforeListener(t, false)
  const answer = await edge.raw(upload('Trailer: X-Sum\r\n', 'X-Sum: 12\r\n'))
  assert.match(answer, /\r\n\r\n6\r\ngot it\r\n0\r\n\r\n$/)
  assert.deepEqual([heard[0]?.body, heard[0]?.rawTrailers], ['hello world', []])
  assert.equal(named(heard[0]?.rawHeaders ?? [], 'trailer'), undefined)
})

test('strict: an origin that is not there, and one that breaks off, are errors with trailers too', async (t) => {
  const gone = await startRawOrigin(() => {})
  await gone.close()
  const cut = await startRawOrigin((socket) => socket.destroy())
  t.after(() => cut.close())
  const allowedMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
  for (const { port } of [gone, cut]) {
    const document = distributionDoc(port, { rfcStrict: true, behaviors: [behaviorDoc({ allowedMethods })] })
    const edge = await EdgeScenario.start(t, [document])
    assert.match(await edge.raw(upload('Trailer: X-Sum\r\n', 'X-Sum: 12\r\n')), /^HTTP\/1\.1 502 /)
  }
})
