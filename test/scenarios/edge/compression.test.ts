//! Compression at the edge: what is compressed, once, how it is stored and what becomes of its validators.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { BehaviorDoc, DistributionDoc } from '../../../src/domain/distribution.ts'
import { type OriginHandler, startOrigin, startRawOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'

const PAGE = '<p>the same words again and again</p>\n'.repeat(500)
const BOTH = { 'accept-encoding': 'gzip, deflate, br' }
const GZIP = { 'accept-encoding': 'gzip' }
const BROTLI = { 'accept-encoding': 'br' }

const compressing = (changes: Partial<BehaviorDoc> = {}): BehaviorDoc =>
  behaviorDoc({ compress: true, cachePolicy: cachePolicy({ gzip: true, brotli: true }), ...changes })

interface Site {
  readonly origin: TestOrigin
  readonly edge: EdgeScenario
}

async function site(
  t: TestContext,
  handler: OriginHandler,
  document: Partial<DistributionDoc> = {},
  count = 1,
): Promise<Site> {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(
    t,
    [distributionDoc(origin.port, { behaviors: [compressing()], ...document })],
    { count },
  )
  return { origin, edge }
}

function send(response: ServerResponse, body = PAGE, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': String(body.length), ...headers })
  response.end(body)
}

function plain({ headers, body }: ViewerAnswer): string {
  const bytes = Buffer.from(body, 'latin1')
  switch (headers['content-encoding']) {
    case 'br':
      return brotliDecompressSync(bytes).toString('latin1')
    case 'gzip':
      return gunzipSync(bytes).toString('latin1')
    default:
      return body
  }
}

for (const count of [1, 3]) {
  test(`${count} worker(s): one fetch for each coding, compressed once and kept so`, async (t) => {
    const { origin, edge } = await site(t, (_, response) => send(response, PAGE, { ETag: '"v1"' }), {}, count)
    const viewers = [
      [BOTH, 'br'],
      [GZIP, 'gzip'],
      [BROTLI, 'br'],
      [{}, undefined],
    ] as const
    for (const [headers, coding] of viewers) {
      const miss = await edge.get('/a', { headers })
      assert.equal(miss.headers['content-encoding'], coding)
      assert.equal(plain(miss), PAGE)
      assert.equal(miss.xCache, 'Miss')
      for (let worker = 0; worker < count; worker++) {
        const hit = await edge.get('/a', { headers, worker })
        assert.equal(hit.xCache, 'Hit')
        assert.equal(hit.headers['content-encoding'], coding)
        assert.equal(hit.headers.etag, coding === undefined ? '"v1"' : 'W/"v1"')
        assert.equal(hit.headers.vary, coding === undefined ? undefined : 'Accept-Encoding')
        assert.equal(hit.headers['content-length'], String(hit.body.length))
        assert.equal(plain(hit), PAGE)
        if (coding !== undefined) assert.ok(hit.body.length < PAGE.length / 10)
      }
    }
    assert.equal(origin.count('/a'), 4, 'br,gzip - gzip - br - none')
    assert.deepEqual(
      origin.asked.map(({ headers }) => headers['accept-encoding']),
      ['br,gzip', 'gzip', 'br', undefined],
    )
    await edge.feed.invalidate(DISTRIBUTION_ID, '/a')
    for (const [headers] of viewers) assert.equal((await edge.get('/a', { headers })).xCache, 'Miss')
  })
}

test('those who read along get the compressed bytes too', async (t) => {
  const waiting: ServerResponse[] = []
  const arrived = Promise.withResolvers<void>()
  const { origin, edge } = await site(t, (_, response) => {
    waiting.push(response)
    arrived.resolve()
  })
  const viewers = Array.from({ length: 20 }, () => edge.get('/cold', { headers: BOTH }))
  await arrived.promise
  // Every viewer's request is in by then: they were sent before.
  for (let turn = 0; turn < 3; turn++) await edge.get('/', { host: 'nobody.example' })
  const large = Array.from({ length: 40_000 }, (_, at) => `${at * 7919}\n`).join('')
  send(waiting[0] as ServerResponse, large)
  for (const answer of await Promise.all(viewers)) assert.ok(plain(answer) === large)
  assert.equal(origin.count('/cold'), 1)
})

test('what is not compressed goes out and is kept as it came', async (t) => {
  const { edge } = await site(t, ({ url }, response) => {
    if (url === '/small') send(response, 'x'.repeat(999))
    else if (url === '/image') send(response, PAGE, { 'Content-Type': 'image/png' })
    else if (url === '/encoded') send(response, PAGE, { 'Content-Encoding': 'identity' })
    else if (url === '/kept') send(response, PAGE, { 'Cache-Control': 'max-age=60, no-transform' })
    else {
      response.writeHead(200, { 'Content-Type': 'text/html' })
      response.write(PAGE)
      response.end()
    }
  })
  for (const path of ['/small', '/image', '/encoded', '/kept', '/chunked']) {
    for (const xCache of ['Miss', 'Hit']) {
      const answer = await edge.get(path, { headers: BOTH })
      assert.notEqual(answer.headers['content-encoding'], 'br', path)
      assert.equal(answer.body, path === '/small' ? 'x'.repeat(999) : PAGE, path)
      assert.equal(answer.xCache, xCache, path)
    }
  }
  const old = await edge.raw(`GET /old HTTP/1.0\r\nHost: ${HOST}\r\nAccept-Encoding: gzip\r\n\r\n`)
  assert.doesNotMatch(old, /Content-Encoding/i)
})

test('nothing is compressed unless behavior, encodings and TTL say so', async (t) => {
  const off = { minTtl: 0, defaultTtl: 0, maxTtl: 0 }
  const listed = { behavior: 'whitelist' as const, names: ['accept-encoding'] }
  const behaviors = [
    compressing({ pathPattern: '/off', compress: false }),
    compressing({ pathPattern: '/encodings', cachePolicy: cachePolicy() }),
    compressing({ pathPattern: '/ttl', cachePolicy: cachePolicy({ ...off, gzip: true, brotli: true }) }),
    compressing({ pathPattern: '/listed', cachePolicy: cachePolicy({ gzip: true, headers: listed }) }),
    compressing(),
  ]
  const { edge } = await site(t, (_, response) => send(response), { behaviors })
  for (const path of ['/off', '/encodings', '/ttl', '/listed']) {
    const answer = await edge.get(path, { headers: BOTH })
    assert.equal(answer.headers['content-encoding'], undefined, path)
    assert.equal(answer.body, PAGE, path)
  }
  assert.equal((await edge.get('/on', { headers: BOTH })).headers['content-encoding'], 'br')
})

test('revalidation keeps the compressed copy and its weak tag; viewers are told 304', async (t) => {
  const { origin, edge } = await site(
    t,
    ({ headers }, response) => {
      if (headers['if-none-match'] === undefined) return send(response, PAGE, { ETag: '"v1"', Vary: 'Cookie' })
      response.writeHead(304, { ETag: '"v1"', Vary: 'Cookie' })
      response.end()
    },
    { behaviors: [compressing({ cachePolicy: cachePolicy({ gzip: true, brotli: true, defaultTtl: 10 }) })] },
  )
  assert.equal(plain(await edge.get('/a', { headers: BOTH })), PAGE)
  await edge.feed.moveClock(11_000)
  const refreshed = await edge.get('/a', { headers: BOTH })
  assert.equal(refreshed.xCache, 'RefreshHit')
  assert.equal(origin.asked[1]?.headers['if-none-match'], 'W/"v1"')
  for (const answer of [refreshed, await edge.get('/a', { headers: BOTH })]) {
    assert.equal(plain(answer), PAGE)
    assert.equal(answer.headers['content-encoding'], 'br')
    assert.equal(answer.headers.etag, 'W/"v1"')
    assert.equal(answer.headers.vary, 'Cookie, Accept-Encoding')
  }
  const known = await edge.get('/a', { headers: { ...BOTH, 'if-none-match': 'W/"v1"' } })
  assert.equal(known.status, 304)
  assert.equal(known.headers.etag, 'W/"v1"')
  const head = await edge.get('/a', { method: 'HEAD', headers: BOTH })
  assert.equal(head.headers['content-encoding'], 'br')
  assert.equal(head.headers['content-length'], String(refreshed.body.length))
  assert.equal(origin.asked.length, 2)
})

test('a custom error page is compressed, under the status that its row says', async (t) => {
  const { edge } = await site(
    t,
    ({ url }, response) => {
      if (url === '/404.html') return send(response)
      response.writeHead(404, { 'Content-Type': 'text/plain', 'Content-Length': '2' })
      response.end('no')
    },
    { errorResponses: [{ errorCode: 404, cachingMinTtlSeconds: 10, page: { path: '/404.html', responseCode: 404 } }] },
  )
  for (let turn = 0; turn < 2; turn++) {
    const answer = await edge.get('/gone', { headers: GZIP })
    assert.deepEqual([answer.status, answer.headers['content-encoding'], answer.xCache], [404, 'gzip', 'Error'])
    assert.equal(plain(answer), PAGE)
  }
})

test('a body that the origin does not finish cuts the viewer and is not cached', async (t) => {
  let whole = false
  const origin = await startRawOrigin((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\n\r\n`)
    if (whole) socket.write(PAGE)
    else socket.write(PAGE.slice(0, 5_000), () => socket.destroy())
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [compressing()] })])
  const get = `GET /a HTTP/1.1\r\nHost: ${HOST}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`
  const cut = await edge.raw(get)
  if (cut.startsWith('HTTP/1.1 200')) assert.ok(!cut.endsWith('\r\n0\r\n\r\n'), 'no last chunk')
  else assert.match(cut, /^HTTP\/1\.1 502 /)
  whole = true
  await edge.feed.invalidate(DISTRIBUTION_ID, '/a')
  const again = await edge.get('/a', { headers: GZIP })
  assert.equal(again.xCache, 'Miss')
  assert.equal(plain(again), PAGE)
})

test('the trace says what was compressed', async (t) => {
  const { edge } = await site(t, (_, response) => send(response))
  const answer = await edge.get('/a', { headers: { ...BOTH, 'x-cachefront-explain': '1' } })
  const traceId = String(answer.headers['x-cachefront-trace'])
  assert.match(JSON.stringify(await edge.feed.ask({ kind: 'trace', traceId })), /"compression":"br"/)
})

test('what was compressed, and why not, is counted and stands in the trace', async (t) => {
  const text = ['Content-Type', 'text/html']
  const sized = (bytes: number) => ['Content-Length', String(bytes)]
  const answers: Readonly<Record<string, { readonly head: readonly string[]; readonly bytes: number }>> = {
    '/br': { head: [...text, ...sized(2_000)], bytes: 2_000 },
    '/coded-already': { head: [...text, ...sized(2_000), 'Content-Encoding', 'zstd'], bytes: 2_000 },
    '/no-length': { head: text, bytes: 2_000 },
    '/too-small': { head: [...text, ...sized(999)], bytes: 999 },
    '/too-large': { head: [...text, ...sized(10_000_001)], bytes: 10_000_001 },
    '/type': { head: ['Content-Type', 'image/png', ...sized(2_000)], bytes: 2_000 },
    '/no-transform': { head: [...text, ...sized(2_000), 'Cache-Control', 'no-transform'], bytes: 2_000 },
  }
  const { edge } = await site(t, ({ url }, response) => {
    const { head, bytes } = answers[url] as (typeof answers)[string]
    response.writeHead(200, head as string[]).end(Buffer.alloc(bytes, 'a'))
  })
  for (const path of Object.keys(answers)) {
    const answer = await edge.get(path, { headers: { ...BOTH, 'x-cachefront-explain': '1' } })
    const traceId = String(answer.headers['x-cachefront-trace'])
    const why = path === '/br' ? 'br' : `none: ${path.slice(1)}`
    assert.match(JSON.stringify(await edge.feed.ask({ kind: 'trace', traceId })), new RegExp(`"compression":"${why}"`))
  }
  // Who does not take it compressed is not counted; nor is a hit.
  await edge.get('/type')
  await edge.get('/br', { headers: BOTH })
  const answer = await edge.feed.ask({ kind: 'counters' })
  assert.ok(answer.kind === 'counters')
  const counted = Object.entries(answer.counters).filter(([name, value]) => /ompressed/.test(name) && value > 0)
  assert.deepEqual(Object.fromEntries(counted), {
    compressedBr: 1,
    uncompressedCoded: 1,
    uncompressedNoLength: 1,
    uncompressedSmall: 1,
    uncompressedLarge: 1,
    uncompressedType: 1,
    uncompressedNoTransform: 1,
  })
})

test('what there was no room to compress is compressed in the cache later, and confirmed as such', async (t) => {
  const held: ServerResponse[] = []
  const full = Promise.withResolvers<void>()
  // As many bodies as are compressed at a time, all of them begun and none ended.
  const atATime = 64
  const { origin, edge } = await site(t, ({ url, headers }, response) => {
    if (url === '/busy') {
      response.setHeader('etag', '"1"').setHeader('cache-control', 'max-age=60')
      if (headers['if-none-match'] !== undefined) return response.writeHead(304).end()
      return send(response)
    }
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': String(PAGE.length) })
    response.write(PAGE.slice(0, 1_000))
    held.push(response)
    return held.length === atATime && full.resolve()
  })
  const others = Array.from({ length: atATime }, (_, at) => edge.get(`/${at}`, { headers: BOTH }))
  await full.promise
  // The edge has the heads too, once one more has come and gone.
  await edge.get('/', { host: 'nobody.example' })
  let first = await edge.get('/busy', { headers: BOTH })
  // A head may still have been on its way.
  for (let at = 0; first.headers['content-encoding'] !== undefined && at < 20; at++) {
    await edge.feed.invalidate(DISTRIBUTION_ID, '/busy')
    first = await edge.get('/busy', { headers: BOTH })
  }
  assert.deepEqual([first.headers['content-encoding'], first.body, first.headers.etag], [undefined, PAGE, '"1"'])
  assert.equal((await edge.get('/busy', { headers: BOTH })).headers['content-encoding'], undefined)
  const asked = origin.count('/busy')
  for (const response of held) response.end(PAGE.slice(1_000))
  for (const answer of await Promise.all(others)) assert.equal(plain(answer), PAGE)
  let later = await edge.get('/busy', { headers: BOTH })
  while (later.headers['content-encoding'] === undefined) later = await edge.get('/busy', { headers: BOTH })
  assert.deepEqual(
    [later.xCache, later.headers['content-encoding'], later.headers.etag, later.headers.vary, plain(later)],
    ['Hit', 'br', 'W/"1"', 'Accept-Encoding', PAGE],
  )
  assert.equal(later.headers['content-length'], String(later.body.length))
  assert.equal(origin.count('/busy'), asked, 'the origin was not asked for it')
  await edge.feed.moveClock(61_000)
  const confirmed = await edge.get('/busy', { headers: BOTH })
  assert.deepEqual(
    [confirmed.xCache, confirmed.headers['content-encoding'], plain(confirmed)],
    ['RefreshHit', 'br', PAGE],
  )
})
