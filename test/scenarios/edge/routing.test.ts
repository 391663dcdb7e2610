//! Which distribution, behavior and key a request has, and what the origin sees of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  NONE,
  originDoc,
} from '../../support/edge-scenario.ts'

test('hosts: own names, aliases, wildcards, any port; others are refused', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('one'))
  const other = await startOrigin((_asked, response) => response.end('two'))
  t.after(() => Promise.all([origin.close(), other.close()]))
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { aliases: ['shop.example', '*.shop.example'] }),
    distributionDoc(other.port, {
      id: 'E2TESTDISTRIB2',
      domainName: 'd222222abcdef8.cloudfront.localhost',
      aliases: ['img.shop.example'],
    }),
    distributionDoc(other.port, {
      id: 'E3TESTDISTRIB3',
      domainName: 'd333333abcdef8.cloudfront.localhost',
      aliases: ['off.shop.example'],
      enabled: false,
    }),
  ])
  const rows: readonly (readonly [host: string, body: string | null])[] = [
    [HOST, 'one'],
    ['d111111abcdef8.cloudfront.net', 'one'],
    ['SHOP.example:8080', 'one'],
    ['www.shop.example', 'one'],
    ['a.b.shop.example', 'one'],
    ['img.shop.example', 'two'],
    ['d333333abcdef8.cloudfront.localhost', null],
    // Disabled, it holds its name against the wildcard of another (spec 1.8 point 5).
    ['off.shop.example', null],
    ['elsewhere.example', null],
  ]
  for (const [host, body] of rows) {
    const answer = await edge.get('/', { host })
    if (body !== null) assert.equal(answer.body, body, host)
    else assert.deepEqual([answer.status, answer.xCache], [403, 'Error'], host)
  }
})

test('behaviors by path pattern, the default root object, and methods', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`${asked.method} ${asked.url}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      defaultRootObject: 'index.html',
      origins: [originDoc(origin.port), originDoc(origin.port, { id: 'images', path: '/static' })],
      behaviors: [
        behaviorDoc({ pathPattern: 'img/*.png', originId: 'images' }),
        behaviorDoc({
          pathPattern: '/api/*',
          allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
          cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
        }),
        behaviorDoc(),
      ],
    }),
  ])
  assert.equal((await edge.get('/')).body, 'GET /index.html')
  assert.equal((await edge.get('/index.html')).xCache, 'Hit')
  assert.equal((await edge.get('/img/a/b.png')).body, 'GET /static/img/a/b.png')
  assert.equal((await edge.get('/img/a.PNG')).body, 'GET /img/a.PNG')
  assert.equal((await edge.get('/api/cart')).xCache, 'Miss')
  assert.equal((await edge.get('/api/cart')).xCache, 'Miss')
  const posted = await edge.get('/api/cart', { method: 'POST', body: 'sku=1' })
  assert.equal(posted.body, 'POST /api/cart')
  assert.equal(origin.asked.at(-1)?.body, 'sku=1')
  assert.equal((await edge.get('/page', { method: 'POST', body: 'x' })).status, 403)
  const withBody = await edge.get('/page', { body: 'x', headers: { 'content-length': '1' } })
  assert.deepEqual([withBody.status, withBody.xCache], [403, 'Error'])
})

test('HEAD is answered from a cached GET and never fills the cache itself', async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.setHeader('content-length', 4)
    response.end('body')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const first = await edge.get('/a', { method: 'HEAD' })
  assert.deepEqual([first.status, first.body, first.headers['content-length'], first.xCache], [200, '', '4', 'Miss'])
  assert.equal(origin.asked[0]?.method, 'HEAD')
  assert.equal((await edge.get('/a')).xCache, 'Miss')
  const second = await edge.get('/a', { method: 'HEAD' })
  assert.deepEqual([second.xCache, second.headers['content-length'], second.body], ['Hit', '4', ''])
})

test('OPTIONS has a key of its own; with a body nothing is kept; an empty POST reaches the origin', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`${asked.method} ${asked.body}`))
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachedMethods: ['GET', 'HEAD', 'OPTIONS'],
  })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })])
  assert.equal((await edge.get('/a')).body, 'GET ')
  assert.equal((await edge.get('/a', { method: 'OPTIONS' })).xCache, 'Miss')
  assert.equal((await edge.get('/a', { method: 'OPTIONS' })).xCache, 'Hit')
  const headers = { 'content-length': '3' }
  const withBody = await edge.get('/a', { method: 'OPTIONS', body: 'abc', headers })
  assert.deepEqual([withBody.body, withBody.xCache], ['OPTIONS abc', 'Miss'])
  assert.equal((await edge.get('/a', { method: 'POST' })).body, 'POST ')
  assert.equal((await edge.get('/a', { method: 'DELETE' })).body, 'DELETE ')
})

test('query strings, cookies and headers are in the key as far as the policy lists them', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.setHeader('set-cookie', 'session=1')
    response.end(JSON.stringify([asked.url, asked.headers.cookie ?? null, asked.headers['x-a'] ?? null]))
  })
  t.after(() => origin.close())
  const keyed = cachePolicy({
    queryStrings: { behavior: 'whitelist', names: ['size'] },
    cookies: { behavior: 'whitelist', names: ['lang'] },
    headers: { behavior: 'whitelist', names: ['x-a'] },
  })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [behaviorDoc({ pathPattern: '/k*', cachePolicy: keyed }), behaviorDoc()],
    }),
  ])
  const plain = await edge.get('/p?x=1', { headers: { cookie: 'a=1', 'x-a': '1' } })
  assert.deepEqual(JSON.parse(plain.body), ['/p', null, null])
  assert.equal(plain.headers['set-cookie'], undefined, 'cookies are not forwarded, so none comes back')
  assert.equal((await edge.get('/p?y=2', { headers: { cookie: 'b=1', 'x-a': '2' } })).xCache, 'Hit')

  const first = await edge.get('/k?utm=1&size=2', { headers: { cookie: 'z=1; lang=de', 'X-A': 'one' } })
  assert.deepEqual(JSON.parse(first.body), ['/k?size=2', 'lang=de', 'one'])
  assert.deepEqual(first.headers['set-cookie'], ['session=1'])
  const same = await edge.get('/k?size=2&utm=7', { headers: { cookie: 'lang=de; q=9', 'x-a': 'one' } })
  assert.equal(same.xCache, 'Hit')
  assert.deepEqual(same.headers['set-cookie'], ['session=1'], 'replayed from the cache')
  for (const other of [
    edge.get('/k?size=3', { headers: { cookie: 'lang=de', 'x-a': 'one' } }),
    edge.get('/k?size=2', { headers: { cookie: 'lang=en', 'x-a': 'one' } }),
    edge.get('/k?size=2', { headers: { cookie: 'lang=de', 'x-a': 'One' } }),
    edge.get('/k?size=2', { headers: { 'x-a': 'one' } }),
  ]) {
    assert.equal((await other).xCache, 'Miss')
  }
})

test('Accept-Encoding is keyed in its normalized form', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(String(asked.headers['accept-encoding'])))
  t.after(() => origin.close())
  const behavior = behaviorDoc({ cachePolicy: cachePolicy({ gzip: true, brotli: true }) })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })])
  const rows: readonly (readonly [sent: string | null, body: string, xCache: string])[] = [
    ['gzip, deflate, br', 'br,gzip', 'Miss'],
    ['br;q=1.0, gzip;q=0.1', 'br,gzip', 'Hit'],
    ['gzip', 'gzip', 'Miss'],
    ['gzip, br;q=0', 'gzip', 'Hit'],
    ['deflate', 'identity', 'Miss'],
    [null, 'identity', 'Hit'],
  ]
  for (const [sent, body, xCache] of rows) {
    const answer = await edge.get('/a', sent === null ? {} : { headers: { 'accept-encoding': sent } })
    assert.deepEqual([answer.body, answer.xCache], [body, xCache], String(sent))
  }
})

test('what the origin is sent', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const allViewer = {
    id: 'all',
    headers: { behavior: 'allViewer', names: [] },
    cookies: NONE,
    queryStrings: NONE,
  } as const
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      origins: [originDoc(origin.port, { customHeaders: [['X-Secret', 'mine']] })],
      behaviors: [behaviorDoc({ pathPattern: '/all', originRequestPolicy: allViewer }), behaviorDoc()],
    }),
  ])
  const headers = {
    'user-agent': 'Test/1',
    referer: 'http://a.example/',
    'x-forwarded-for': '10.0.0.1',
    authorization: 'Basic abc',
    'x-secret': 'theirs',
    'x-custom': 'c',
    cookie: 'a=1',
    'if-none-match': '"x"',
  }
  await edge.get('/default', { headers })
  const sent = origin.asked[0]?.headers ?? {}
  assert.equal(sent.host, `127.0.0.1`)
  assert.equal(sent['user-agent'], 'Amazon CloudFront')
  assert.equal(sent['x-forwarded-for'], '10.0.0.1, 127.0.0.1')
  assert.match(String(sent.via), /^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/)
  assert.match(String(sent['x-amz-cf-id']), /^[A-Za-z0-9_-]{54}==$/)
  assert.equal(sent['x-secret'], 'mine')
  for (const name of ['referer', 'authorization', 'x-custom', 'cookie', 'if-none-match'])
    assert.equal(sent[name], undefined, name)

  await edge.get('/all', { headers })
  const all = origin.asked[1]?.headers ?? {}
  assert.equal(all.host, HOST)
  assert.equal(all['user-agent'], 'Test/1')
  assert.equal(all.referer, 'http://a.example/')
  assert.equal(all['x-custom'], 'c')
  assert.equal(all['x-secret'], 'mine')
  assert.equal(all.cookie, undefined)
})
