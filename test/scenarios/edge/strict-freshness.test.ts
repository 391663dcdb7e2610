//! Strict mode: the RFCs decide what is kept and for how long, not the cache policy's TTLs nor ErrorCachingMinTTL.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { formatHttpDate } from '../../../src/http/http-date.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'
import { StillClock } from '../../support/still-clock.ts'

async function scenario(t: TestContext, handler: OriginHandler, { strict = true, maxTtl = 31_536_000 } = {}) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const clock = new StillClock()
  const all = { behavior: 'all', names: [] } as const
  const forwarding = {
    id: 'all',
    headers: { behavior: 'allViewer', names: [] },
    cookies: all,
    queryStrings: all,
  } as const
  const policy = cachePolicy({ minTtl: 5, defaultTtl: 500, maxTtl })
  const behaviors = [behaviorDoc({ cachePolicy: policy, originRequestPolicy: forwarding })]
  const document = distributionDoc(origin.port, { rfcStrict: strict, behaviors })
  const edge = await EdgeScenario.start(t, [document], { clock })
  return { origin, edge, clock, later: (seconds: number) => clock.moveTo(clock.offsetMs + seconds * 1_000) }
}

/** Answers every request the same. */
const answer =
  (headers: Record<string, string>, status = 200): OriginHandler =>
  (_asked, response) =>
    void response.writeHead(status, headers).end('body')

const TWICE: readonly (readonly [what: string, headers: Record<string, string>, status: number, second: string])[] = [
  ['nothing says how long', {}, 200, 'Miss'],
  ['an ETag alone', { etag: '"a"' }, 200, 'Miss'],
  ['a Last-Modified', { 'last-modified': formatHttpDate(Date.now() - 1e7) }, 200, 'Hit'],
  ['a 404 with a Last-Modified', { 'last-modified': formatHttpDate(Date.now() - 1e7) }, 404, 'Error'],
  ['no-store', { 'cache-control': 'no-store' }, 200, 'Miss'],
  ['CDN-Cache-Control', { 'cdn-cache-control': 'max-age=60', 'cache-control': 'no-store' }, 200, 'Hit'],
  ['Set-Cookie', { 'set-cookie': 'a=b', 'cache-control': 'max-age=60' }, 200, 'Hit'],
  ['an unknown status with a lifetime', { 'cache-control': 'max-age=60' }, 299, 'Hit'],
]

for (const [what, headers, status, second] of TWICE) {
  test(`${what}: the second request is a ${second}`, async (t) => {
    const { edge, origin } = await scenario(t, answer(headers, status))
    const first = await edge.get('/a')
    const again = await edge.get('/a')
    assert.deepEqual([first.status, again.status, again.xCache], [status, status, second])
    assert.deepEqual(again.headers['set-cookie'], headers['set-cookie'] === undefined ? undefined : ['a=b'])
    assert.equal(origin.count('/a'), second === 'Miss' ? 2 : 1)
  })
}

test('Max TTL limits', async (t) => {
  const { edge, later } = await scenario(t, answer({ 'cache-control': 'max-age=600', etag: '"a"' }), { maxTtl: 60 })
  await edge.get('/a')
  later(59)
  assert.equal((await edge.get('/a')).xCache, 'Hit')
  later(2)
  assert.equal((await edge.get('/a')).xCache, 'Miss')
})

test("an error is fresh as long as it says, and one that says nothing is nobody else's", async (t) => {
  const { edge, origin } = await scenario(t, ({ url }, response) => {
    response.writeHead(503, url === '/fresh' ? { 'cache-control': 'max-age=60' } : {}).end()
  })
  for (const path of ['/fresh', '/fresh', '/silent', '/silent']) assert.equal((await edge.get(path)).status, 503)
  assert.deepEqual([origin.count('/fresh'), origin.count('/silent')], [1, 2])
})

test('an origin that is not there is asked by every request', async (t) => {
  let asked = 0
  const { edge } = await scenario(t, (_asked, response) => {
    asked++
    response.destroy()
  })
  // Three attempts each (ConnectionAttempts).
  for (let i = 0; i < 2; i++) assert.equal((await edge.get('/a')).status, 502)
  assert.equal(asked, 6)
})

for (const [control, status] of [
  ['max-age=60', 'not stored'],
  ['max-age=60, public', 'stored'],
  ['max-age=60, must-revalidate', 'stored'],
  ['s-maxage=60', 'stored'],
] as const) {
  test(`an answer to Authorization with ${control} is ${status}`, async (t) => {
    const { edge, origin } = await scenario(t, answer({ 'cache-control': control }))
    await edge.get('/a', { headers: { authorization: 'Basic eDp5' } })
    await edge.get('/a')
    assert.equal(origin.count('/a'), status === 'stored' ? 1 : 2)
    // What anybody may have, somebody with credentials may have too.
    await edge.get('/a', { headers: { authorization: 'Basic eDp5' } })
    assert.equal(origin.count('/a'), status === 'stored' ? 1 : 2)
  })
}

/** What an expired copy is good for: when the origin says 503, and when it says nothing. */
const STALE = [
  ['max-age=60', 503, 200],
  ['max-age=60, stale-if-error=30', 200, 200],
  ['max-age=60, stale-if-error=5', 503, 502],
  ['max-age=60, must-revalidate', 503, 502],
  ['max-age=60, proxy-revalidate', 503, 502],
  ['s-maxage=60', 503, 502],
] as const

for (const [control, onError, onSilence] of STALE) {
  test(`an expired copy of ${control}: ${onError} when the origin says 503, ${onSilence} when it says nothing`, async (t) => {
    let fails = false
    const { edge, later } = await scenario(t, ({ url }, response) => {
      if (fails && url === '/silent') response.destroy()
      else response.writeHead(fails ? 503 : 200, fails ? {} : { 'cache-control': control }).end()
    })
    for (const path of ['/error', '/silent']) await edge.get(path)
    fails = true
    later(70)
    assert.deepEqual([(await edge.get('/error')).status, (await edge.get('/silent')).status], [onError, onSilence])
  })
}

test('stale-if-error is about 500, 502, 503 and 504', async (t) => {
  let status = 200
  const { edge, later } = await scenario(t, (_asked, response) => {
    response.writeHead(status, { 'cache-control': 'max-age=10, stale-if-error=600' }).end()
  })
  for (const path of ['/500', '/501', '/504']) await edge.get(path)
  later(20)
  for (const [path, failing, seen] of [
    ['/500', 500, 200],
    ['/501', 501, 501],
    ['/504', 504, 200],
  ] as const) {
    status = failing
    assert.equal((await edge.get(path)).status, seen)
  }
})

test('a viewer may say that it would rather have a stale copy than an error', async (t) => {
  let fails = false
  const { edge, later } = await scenario(t, (_asked, response) => {
    response.writeHead(fails ? 503 : 200, fails ? {} : { 'cache-control': 'max-age=60' }).end()
  })
  await edge.get('/a')
  fails = true
  later(70)
  const asks = (control: string) => edge.get('/a', { headers: { 'cache-control': control } })
  assert.deepEqual([(await asks('stale-if-error=5')).status, (await asks('stale-if-error=15')).status], [503, 200])
})

test('an origin that did not answer is asked again a second later, not ten', async (t) => {
  let fails = false
  const { edge, origin, later } = await scenario(t, (_asked, response) => {
    if (fails) response.destroy()
    else response.writeHead(200, { 'cache-control': 'max-age=60' }).end()
  })
  await edge.get('/a')
  fails = true
  later(61)
  await edge.get('/a')
  const asked = origin.count('/a')
  await edge.get('/a')
  assert.equal(origin.count('/a'), asked)
  later(1.1)
  await edge.get('/a')
  assert.ok(origin.count('/a') > asked)
})

test('a distribution goes over to strict mode and back with its document', async (t) => {
  const { edge, origin } = await scenario(t, answer({}), { strict: false })
  const counts = []
  for (const strict of [false, true, false]) {
    const behaviors = [behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 500 }) })]
    await edge.feed.put(distributionDoc(origin.port, { rfcStrict: strict, behaviors }))
    await edge.get(`/${strict}/${counts.length}`)
    await edge.get(`/${strict}/${counts.length}`)
    counts.push(origin.count(`/${strict}/${counts.length}`))
  }
  assert.deepEqual(counts, [1, 2, 1])
})

test('Cache-Status tells in strict mode what the cache did, after what others said; in default mode it does not', async (t) => {
  const handler: OriginHandler = (asked, response) => {
    const again = asked.headers['if-none-match'] === '"a"'
    response.setHeader('cache-status', 'ExampleOrigin; hit')
    response
      .writeHead(again ? 304 : 200, { 'cache-control': 'max-age=60', etag: '"a"' })
      .end(again ? undefined : 'body')
  }
  const { edge, later } = await scenario(t, handler)
  const told = async (asks: Record<string, string> = {}, method = 'GET') =>
    String((await edge.get('/a', { headers: asks, method })).headers['cache-status']).replace(/ttl=(?:59|60)/, 'ttl=60')
  const before = 'ExampleOrigin; hit, FRA50-C1'
  assert.equal(await told(), `${before}; fwd=uri-miss; fwd-status=200; stored; ttl=60`)
  assert.equal(await told(), `${before}; hit; ttl=60`)
  assert.equal(await told({ range: 'bytes=0-0' }), `${before}; hit; ttl=60`)
  assert.equal(await told({ 'cache-control': 'no-cache' }), `${before}; fwd=request; fwd-status=304; stored; ttl=60`)
  later(61)
  assert.equal(await told(), `${before}; fwd=stale; fwd-status=304; stored; ttl=60`)
  assert.equal(await told({ 'if-none-match': '"a"' }), 'FRA50-C1; hit; ttl=60')
  const plain = await scenario(t, handler, { strict: false })
  assert.equal((await plain.edge.get('/a')).headers['cache-status'], 'ExampleOrigin; hit')
})

test('a 304 without Date is of now, however old the Date of what it confirms', async (t) => {
  const made = formatHttpDate(Date.now() - 3_600_000)
  const { edge, origin, later } = await scenario(t, ({ headers }, response) => {
    response.sendDate = false
    const again = headers['if-none-match'] !== undefined
    const lines = again ? { 'cache-control': 'max-age=60' } : { 'cache-control': 'max-age=7200', date: made }
    response.writeHead(again ? 304 : 200, { ...lines, etag: '"a"' }).end(again ? undefined : 'body')
  })
  assert.equal((await edge.get('/a')).headers.date, made)
  later(3_700)
  assert.equal((await edge.get('/a')).xCache, 'RefreshHit')
  const { xCache, headers } = await edge.get('/a')
  assert.equal(xCache, 'Hit')
  assert.notEqual(headers.date, made)
  assert.equal(origin.count('/a'), 2)
})

test('a part of an answer that came aged is as old', async (t) => {
  const { edge } = await scenario(t, answer({ 'cache-control': 'max-age=600', age: '100', 'content-length': '4' }))
  const { status, headers, xCache } = await edge.get('/a', { headers: { range: 'bytes=1-2' } })
  assert.deepEqual([status, xCache, headers.age], [206, 'Miss', '100'])
})
