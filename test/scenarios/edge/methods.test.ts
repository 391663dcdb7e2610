//! Methods and the cache, row by row (spec/cloudfront.md 3.1 step 9, 3.4, 6.1): which are let through, which are kept, and
//! under which key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

const TWO = ['GET', 'HEAD']
const THREE = [...TWO, 'OPTIONS']
const ALL = [...THREE, 'PUT', 'POST', 'PATCH', 'DELETE']

interface Row {
  readonly allowed: readonly string[]
  readonly cached: readonly string[]
  /** X-Cache of the second of two equal requests by method; 403 for a method that is refused. */
  readonly second: Readonly<Record<string, 'Hit' | 'Miss' | 403>>
}

const ROWS: readonly Row[] = [
  {
    allowed: TWO,
    cached: TWO,
    second: { GET: 'Hit', HEAD: 'Hit', OPTIONS: 403, PUT: 403, POST: 403, PATCH: 403, DELETE: 403 },
  },
  { allowed: THREE, cached: TWO, second: { GET: 'Hit', OPTIONS: 'Miss', POST: 403 } },
  { allowed: THREE, cached: THREE, second: { GET: 'Hit', OPTIONS: 'Hit', DELETE: 403 } },
  {
    allowed: ALL,
    cached: TWO,
    second: { GET: 'Hit', HEAD: 'Hit', OPTIONS: 'Miss', PUT: 'Miss', POST: 'Miss', PATCH: 'Miss', DELETE: 'Miss' },
  },
  { allowed: ALL, cached: THREE, second: { OPTIONS: 'Hit', POST: 'Miss' } },
]

for (const workers of [1, 3]) {
  for (const { allowed, cached, second } of ROWS) {
    test(`${workers} workers, allowed ${allowed.length}, cached ${cached.length}`, async (t) => {
      const origin = await startOrigin((asked, response) => response.end(asked.method))
      t.after(() => origin.close())
      const behaviors = [behaviorDoc({ allowedMethods: allowed, cachedMethods: cached })]
      const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], { count: workers })
      for (const [method, expected] of Object.entries(second)) {
        const path = `/${method}`
        // What a HEAD is answered with out of the cache is the object of a GET.
        const before = await edge.get(path, { method: method === 'HEAD' ? 'GET' : method })
        const after = await edge.get(path, { method, worker: workers - 1 })
        if (expected === 403) assert.deepEqual([before.status, after.status, after.xCache], [403, 403, 'Error'], method)
        else assert.equal(after.xCache, expected, method)
        assert.equal(origin.count(path), expected === 403 ? 0 : expected === 'Hit' ? 1 : 2, method)
      }
    })
  }
}

test('OPTIONS has a key of its own beside that of GET, and both lose their objects with one invalidation', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.method))
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ allowedMethods: THREE, cachedMethods: THREE })]
  const document = distributionDoc(origin.port, { behaviors })
  const edge = await EdgeScenario.start(t, [document])
  for (const method of ['GET', 'OPTIONS', 'GET', 'OPTIONS']) {
    assert.equal((await edge.get('/a', { method })).body, method)
  }
  assert.equal(origin.count('/a'), 2)
  await edge.feed.invalidate(document.id, '/a')
  for (const method of ['GET', 'OPTIONS']) assert.equal((await edge.get('/a', { method })).xCache, 'Miss')
})

test('what a viewer says of caching forces nothing', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  for (const [name, value] of [
    ['cache-control', 'no-cache'],
    ['pragma', 'no-cache'],
    ['cache-control', 'max-age=0'],
  ] as const) {
    assert.equal((await edge.get('/a', { headers: { [name]: value } })).xCache, 'Hit')
  }
})

test('credentials go with methods that change something, and with OPTIONS unless it is cached', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const headers = { authorization: 'Basic eA==' }
  for (const [cached, passed] of [
    [TWO, ['OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']],
    [THREE, ['PUT', 'POST', 'PATCH', 'DELETE']],
  ] as const) {
    const behaviors = [behaviorDoc({ allowedMethods: ALL, cachedMethods: cached })]
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })])
    origin.asked.length = 0
    for (const method of ALL) await edge.get(`/${method}-${cached.length}`, { method, headers })
    const seen = origin.asked.filter((asked) => asked.headers.authorization !== undefined).map(({ method }) => method)
    assert.deepEqual(seen, passed)
  }
})

test('the default root object stands for / alone, for every method', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.url))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      defaultRootObject: 'index.html',
      behaviors: [behaviorDoc({ allowedMethods: ALL })],
    }),
  ])
  for (const [path, method, asked] of [
    ['/', 'GET', '/index.html'],
    ['/?a=1', 'GET', '/index.html'],
    ['/', 'POST', '/index.html'],
    ['/sub/', 'GET', '/sub/'],
    ['//', 'GET', '//'],
  ] as const) {
    assert.equal((await edge.get(path, { method })).body, asked, `${method} ${path}`)
  }
})
