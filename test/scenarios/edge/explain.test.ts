//! `x-cachefront-explain: 1`: what the trace tells, what it hides, and who may ask.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { requestToken } from '../../../src/lib/request-token.ts'
import type { Trace } from '../../../src/observe/trace.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
  type ViewerAsks,
} from '../../support/edge-scenario.ts'
import { traceOf } from '../../support/edge-trace.ts'

const EXPLAIN = { 'x-cachefront-explain': '1' }

/** `step: field = value` for each. */
async function decisionsOf(edge: EdgeScenario, path: string, asks: ViewerAsks = {}): Promise<string[]> {
  const answer = await edge.get(path, { ...asks, headers: { ...EXPLAIN, ...asks.headers } })
  const told = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
  assert.ok(told.kind === 'trace' && told.trace !== null)
  return (told.trace as Trace).steps.flatMap(({ name, decisions }) =>
    decisions.map(({ field, value }) => `${name}: ${field} = ${value}`),
  )
}

test('a trace tells the way of a request: steps, key, lifetime, reason, and what the origin was asked', async (t) => {
  const origin = await startOrigin((_asked, response) => response.setHeader('cache-control', 'max-age=60').end('ok'))
  t.after(() => origin.close())
  const policy = cachePolicy({ queryStrings: { behavior: 'all', names: [] }, cookies: { behavior: 'all', names: [] } })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      origins: [originDoc(origin.port, { customHeaders: [['X-Origin-Key', 'hush-hush']] })],
      behaviors: [behaviorDoc({ pathPattern: '/shop/*', cachePolicy: policy }), behaviorDoc()],
    }),
  ])
  const miss = await traceOf(edge, '/shop/1?a=1', { cookie: 'session=top-secret' })
  assert.deepEqual(
    miss.steps.map((step) => step.name),
    [
      'receive',
      'match-distribution',
      'root-object',
      'match-behavior',
      'viewer-protocol',
      'method',
      'cache-key',
      'cache-lookup',
      'disk-lookup',
      'cache-wait',
      'admit-miss',
      'origin-request',
      'origin-fetch',
      'origin-response',
      'cache-store',
      'deliver',
      'record',
    ],
  )
  assert.deepEqual([miss.distribution, miss.behavior], [DISTRIBUTION_ID, '/shop/*'])
  assert.match(miss.cacheKey ?? '', new RegExp(`^${DISTRIBUTION_ID} /shop/1\\?a=1\n`))
  assert.deepEqual(miss.ttl, { seconds: 60, setBy: 'max-age' })
  assert.deepEqual(miss.outcome, { result: 'Miss', reason: 'absent' })
  assert.equal(miss.originRequests[0]?.target, '/shop/1?a=1')
  assert.equal(miss.originRequests[0]?.status, 200)
  assert.equal(JSON.stringify(miss).includes('top-secret'), false)
  assert.equal(JSON.stringify(miss).includes('hush-hush'), false)
  assert.equal(origin.asked[0]?.headers['x-origin-key'], 'hush-hush')
  assert.equal(origin.asked[0]?.headers['x-cachefront-explain'], undefined, 'never forwarded')

  const hit = await traceOf(edge, '/shop/1?a=1', { cookie: 'session=top-secret' })
  assert.deepEqual(hit.outcome, { result: 'Hit', reason: 'memory' })
  assert.deepEqual(hit.originRequests, [])
  const told = (trace: Trace, name: string) => trace.answer?.headers[trace.answer.headers.indexOf(name) + 1]
  assert.deepEqual([told(miss, 'X-Cache'), told(hit, 'X-Cache')], ['Miss from cloudfront', 'Hit from cloudfront'])
  assert.match(told(hit, 'Age') ?? '', /^\d+$/)
  assert.deepEqual([told(miss, 'Content-Length'), told(hit, 'Content-Length')], ['2', '2'])
  const plain = await edge.get('/shop/1?a=1', { headers: { cookie: 'session=top-secret' } })
  assert.equal(plain.xCache, 'Hit', 'never keyed')
  assert.equal(plain.headers['x-cachefront-trace'], undefined)

  const wait = miss.steps.find((step) => step.name === 'cache-wait')
  assert.equal(wait?.facts.alone, 'cookies-forwarded', 'why its misses are not collapsed')
  await edge.feed.invalidate(DISTRIBUTION_ID, '/shop/*')
  const dead = await traceOf(edge, '/shop/1?a=1', { cookie: 'session=top-secret' })
  assert.deepEqual(dead.outcome, { result: 'Miss', reason: 'invalidated' })
})

test('a trace names the fields of the configuration that decided each step', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.statusCode = asked.url === '/gone' ? 404 : 200
    response.setHeader('content-type', 'text/html').end('x'.repeat(2_000))
  })
  t.after(() => origin.close())
  const policy = cachePolicy({ id: 'policy-1', gzip: true })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      aliases: ['www.shop.test', '*.shop.test'],
      defaultRootObject: 'index.html',
      behaviors: [behaviorDoc({ pathPattern: '/api/*' }), behaviorDoc({ cachePolicy: policy, compress: true })],
      errorResponses: [{ errorCode: 404, cachingMinTtlSeconds: 10, page: { path: '/404.html', responseCode: 404 } }],
    }),
  ])
  const decisions = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    decisionsOf(edge, path, { method, headers: { 'accept-encoding': 'gzip', ...headers } })
  assert.deepEqual(await decisions('/', { host: 'a.shop.test:8080' }), [
    'match-distribution: Aliases.Items[1] = a.shop.test',
    'root-object: DefaultRootObject = index.html',
    'match-behavior: DefaultCacheBehavior = *',
    'viewer-protocol: DefaultCacheBehavior.ViewerProtocolPolicy = allow-all',
    'cache-key: DefaultCacheBehavior.CachePolicyId = policy-1',
    'origin-request: DefaultCacheBehavior.TargetOriginId = origin',
    'origin-request: Origins.Items[0].CustomOriginConfig.OriginProtocolPolicy = http-only',
    'origin-fetch: DefaultCacheBehavior.Compress = true',
    'origin-response: CachePolicy policy-1 DefaultTTL = 86400',
  ])
  assert.deepEqual(await decisions('/api/1', { host: 'www.shop.test' }, 'DELETE'), [
    'match-distribution: Aliases.Items[0] = www.shop.test',
    'match-behavior: CacheBehaviors.Items[0].PathPattern = /api/*',
    'viewer-protocol: CacheBehaviors.Items[0].ViewerProtocolPolicy = allow-all',
    'method: CacheBehaviors.Items[0].AllowedMethods = GET HEAD',
  ])
  const page = await decisions('/gone')
  assert.equal(page[0], `match-distribution: DomainName = ${HOST}`)
  assert.ok(page.includes('custom-error: CustomErrorResponses.Items[0].ResponsePagePath = /404.html'), page.join('\n'))
})

test('the fields of an origin are named, also the one that ended the wait for it or keeps it from being asked again', async (t) => {
  const origin = await startOrigin((asked, response) => {
    // /v2/late never gets its answer.
    if (asked.url !== '/v2/late') response.setHeader('cache-control', 'max-age=60').end('ok')
  })
  t.after(() => origin.close())
  const origins = [originDoc(origin.port, { path: '/v2', readTimeoutMs: 100, connectionAttempts: 1 })]
  const errorResponses = [{ errorCode: 504, cachingMinTtlSeconds: 30, page: null }]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins, errorResponses })])
  const last = async (path: string, count: number) => (await decisionsOf(edge, path)).slice(-count)
  assert.deepEqual(await last('/a', 2), [
    'origin-request: Origins.Items[0].CustomOriginConfig.OriginProtocolPolicy = http-only',
    'origin-request: Origins.Items[0].OriginPath = /v2',
  ])
  assert.deepEqual(await last('/late', 2), [
    'origin-request: Origins.Items[0].OriginPath = /v2',
    'origin-fetch: Origins.Items[0].CustomOriginConfig.OriginReadTimeout = 0.1',
  ])
  assert.deepEqual(await last('/late', 1), ['cache-lookup: CustomErrorResponses.Items[0].ErrorCachingMinTTL = 30'])
})

test('the fields are named by which a stale copy stands in, OPTIONS is cached, and cookies keep a fetch to itself', async (t) => {
  let status = 200
  const origin = await startOrigin((_asked, response) =>
    response.writeHead(status, { 'cache-control': 'max-age=1' }).end('ok'),
  )
  t.after(() => origin.close())
  const cookies = { behavior: 'whitelist', names: ['sid'] } as const
  const methods = ['GET', 'HEAD', 'OPTIONS']
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [
        behaviorDoc({ pathPattern: '/mine/*', cachePolicy: cachePolicy({ name: 'by-session', cookies }) }),
        behaviorDoc({ allowedMethods: methods, cachedMethods: methods }),
      ],
      errorResponses: [{ errorCode: 503, cachingMinTtlSeconds: 7, page: null }],
    }),
  ])
  const alone = await decisionsOf(edge, '/mine/1')
  assert.ok(alone.includes('cache-wait: CachePolicy by-session CookiesConfig = whitelist: sid'), alone.join('\n'))
  const preflight = await decisionsOf(edge, '/a', { method: 'OPTIONS' })
  const cached = 'method: DefaultCacheBehavior.AllowedMethods.CachedMethods = GET HEAD OPTIONS'
  assert.ok(preflight.includes(cached), preflight.join('\n'))
  await edge.get('/a')
  await edge.feed.moveClock(2_000)
  status = 503
  const stale = await decisionsOf(edge, '/a')
  assert.equal(stale.at(-1), 'serve-stale: CustomErrorResponses.Items[0].ErrorCachingMinTTL = 7')
})

test('a request for the name of a staging distribution is told why nobody is there', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { staging: true })])
  assert.deepEqual(await decisionsOf(edge, '/a'), ['match-distribution: Staging = true'])
  assert.deepEqual(await decisionsOf(edge, '/a', { headers: { host: 'd999.cloudfront.localhost' } }), [])
})

test('errors are explained too', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end())
  const { port } = origin
  await origin.close()
  const edge = await EdgeScenario.start(t, [distributionDoc(port)])
  const trace = await traceOf(edge, '/a')
  assert.deepEqual(trace.outcome, { result: 'Error', reason: 'OriginConnectError: refused' })
  assert.match(trace.originRequests[0]?.error ?? '', /ECONNREFUSED/)
})

test('a request that passed a proxy is not explained, nor when it is switched off', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(String(asked.headers['x-forwarded-for'])))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const address = { 'x-cachefront-viewer-address': '203.0.113.9' }
  for (const [name, value] of [
    ['via', '1.1 x'],
    ['forwarded', 'for=1.2.3.4'],
    ['x-forwarded-for', '1.2.3.4'],
  ] as const) {
    const answer = await edge.get(`/${name}`, { headers: { ...EXPLAIN, ...address, [name]: value } })
    assert.equal(answer.headers['x-cachefront-trace'], undefined, name)
    assert.equal(answer.body.includes('203.0.113.9'), false)
  }
  assert.equal((await edge.get('/direct', { headers: address })).body, '203.0.113.9')

  const off = await EdgeScenario.start(t, [distributionDoc(origin.port)], { explain: 'off' })
  const silent = await off.get('/a', { headers: { ...EXPLAIN, ...address } })
  assert.equal(silent.headers['x-cachefront-trace'], undefined)
  assert.equal(silent.body, '127.0.0.1')
})

test('an admin has a token for one request, which is explained wherever it comes from, and nowhere told', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(String(asked.headers['x-forwarded-for'])))
  t.after(() => origin.close())
  const key = randomBytes(32)
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { explain: 'off', explainKey: key })
  const host = 'd111111abcdef8.cloudfront.net'
  const token = (target: string, ms = 60_000) => requestToken(key, { method: 'GET', host, target }, Date.now() + ms)
  const ask = (target: string, value: string, more = {}) =>
    edge.get(target, {
      host,
      headers: { 'x-cachefront-explain': value, 'x-cachefront-viewer-address': '203.0.113.9', ...more },
    })
  const right = token('/a?b=c')
  const answer = await ask('/a?b=c', right, { via: '1.1 x' })
  assert.equal(answer.body, '203.0.113.9')
  const told = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
  assert.ok(JSON.stringify(told).includes('/a?b=c'))
  assert.ok(!JSON.stringify(told).includes(right), 'masked')
  assert.equal(origin.asked[0]?.headers['x-cachefront-explain'], undefined)
  for (const [target, value] of [
    ['/b?b=c', right],
    ['/old', token('/old', -1)],
    ['/made-up', 'true'],
    ['/other-key', requestToken(randomBytes(32), { method: 'GET', host, target: '/other-key' }, Date.now() + 60_000)],
    ['/plain', '1'],
  ] as const) {
    const silent = await ask(target, value)
    assert.deepEqual([silent.headers['x-cachefront-trace'], silent.body], [undefined, '127.0.0.1'], target)
  }
})

test('the headers of the answer in a trace are those that the viewer got', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.setHeader('cache-control', 'max-age=60').setHeader('etag', '"1"')
    if (asked.url === '/streamed') response.write('0123')
    response.end('456789')
  })
  t.after(() => origin.close())
  for (const strict of [false, true]) {
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: strict })])
    for (const [path, headers, status] of [
      ['/a', {}, 200],
      ['/a', { range: 'bytes=0-1' }, 206],
      ['/a', { range: 'bytes=0-1,3-4' }, 206],
      ['/a', { 'if-none-match': '"1"' }, 304],
      ['/a', { range: 'bytes=99-' }, 416],
      ['/a', { 'if-match': '"2"' }, 412],
      ['/streamed', {}, 200],
    ] as const) {
      const answer = await edge.get(path, { headers: { ...EXPLAIN, ...headers } })
      assert.equal(answer.status, status)
      const reply = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
      assert.ok(reply.kind === 'trace' && reply.trace !== null)
      const shown = (reply.trace as Trace).answer?.headers ?? []
      const pairs = shown.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), shown[i + 1]]] : []))
      assert.deepEqual(Object.fromEntries(pairs), answer.headers, `${path} ${JSON.stringify(headers)}`)
    }
  }
})
