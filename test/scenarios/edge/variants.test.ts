//! Strict mode: answers with Vary are variants of their key (RFC 9111 4.1). In CloudFront's mode Vary makes none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LISTS_MAX, VARIANTS_MAX } from '../../../src/edge/cache/variants.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
} from '../../support/edge-scenario.ts'
import { byFoo, foo, strictEdge } from '../../support/edge-strict.ts'

for (const workers of [1, 3]) {
  test(`each value of a selecting field has its variant (${workers} workers)`, async (t) => {
    const { origin, edge } = await strictEdge(t, byFoo, { workers })
    for (const value of ['1', '2', '1, 3', '']) {
      const first = await edge.get('/a', foo(value))
      assert.deepEqual([first.body, first.xCache], [`foo ${value}`, 'Miss'])
      for (let worker = 0; worker < workers; worker++) {
        const again = await edge.get('/a', foo(value, worker))
        assert.deepEqual([again.body, again.xCache], [`foo ${value}`, 'Hit'], `${value} from worker ${worker}`)
      }
    }
    assert.equal((await edge.get('/a')).body, 'foo absent', 'absent is not empty')
    assert.equal((await edge.get('/a', { worker: workers - 1 })).xCache, 'Hit')
    assert.equal((await edge.get('/a', foo('1,3', workers - 1))).xCache, 'Hit', 'whitespace is not meant')
    assert.equal(origin.count('/a'), 5)
  })

  test(`waiters of another variant fetch for themselves, once for each (${workers} workers)`, async (t) => {
    const waiting: (() => void)[] = []
    const arrived = Promise.withResolvers<void>()
    const { origin, edge } = await strictEdge(
      t,
      (asked, response) => {
        if (waiting.length === 0) arrived.resolve()
        waiting.push(() => byFoo(asked, response))
        if (waiting.length > 1) waiting.at(-1)?.()
      },
      { workers },
    )
    const values = ['1', '2', '3', '4']
    const viewers = values.flatMap((value) => [0, 1, 2].map((at) => edge.get('/cold', foo(value, at % workers))))
    await arrived.promise
    for (let worker = 0; worker < workers; worker++) await edge.get('/', { worker, host: 'nobody.example' })
    waiting[0]?.()
    const answers = await Promise.all(viewers)
    assert.deepEqual(
      answers.map(({ body }) => body),
      values.flatMap((value) => Array(3).fill(`foo ${value}`)),
    )
    assert.equal(origin.count('/cold'), values.length)
  })

  test(`an invalidation of the path kills all variants (${workers} workers)`, async (t) => {
    let version = 1
    const { edge } = await strictEdge(
      t,
      ({ headers }, response) =>
        response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'Foo').end(`v${version} ${headers.foo}`),
      { workers },
    )
    for (const value of ['1', '2']) await edge.get('/p', foo(value))
    version = 2
    await edge.feed.invalidate(DISTRIBUTION_ID, '/p')
    for (const value of ['1', '2']) {
      for (let worker = 0; worker < workers; worker++) {
        assert.equal((await edge.get('/p', foo(value, worker))).body, `v2 ${value}`)
      }
    }
  })
}

test('in the mode of CloudFront Vary makes no variants', async (t) => {
  const { origin, edge } = await strictEdge(t, byFoo, { strict: false })
  assert.equal((await edge.get('/a', foo('1'))).body, 'foo 1')
  assert.equal((await edge.get('/a', foo('2'))).body, 'foo 1')
  assert.equal(origin.count('/a'), 1)
})

test('languages: order, case and spaces do not matter, and the language of choice is enough', async (t) => {
  const { origin, edge } = await strictEdge(t, ({ headers }, response) => {
    const german = /de/i.test(String(headers['accept-language']))
    response
      .setHeader('cache-control', 'max-age=60')
      .setHeader('vary', 'Accept-Language')
      .setHeader('content-language', german ? 'de' : 'fr')
      .end(german ? 'Hallo' : 'Bonjour')
  })
  const ask = (languages: string) => edge.get('/l', { headers: { 'accept-language': languages } })
  assert.deepEqual((await ask('en, de')).xCache, 'Miss')
  for (const same of ['de, en', 'eN,De', ' en ,   de', 'fr;q=0.5, de;q=1.0']) {
    const answer = await ask(same)
    assert.deepEqual([answer.body, answer.xCache], ['Hallo', 'Hit'], same)
  }
  assert.deepEqual((await ask('fr, es')).body, 'Bonjour')
  assert.deepEqual((await ask('fr')).xCache, 'Hit')
  assert.deepEqual((await ask('de-AT')).xCache, 'Miss', 'another language range')
  assert.equal(origin.count('/l'), 3)
})

const EVERYTHING = 'Foo, User-Agent, Accept-Encoding, Cookie'

test('what the origin cannot see selects nothing', async (t) => {
  const origin = await startOrigin((_asked, response) =>
    response.setHeader('cache-control', 'max-age=60').setHeader('vary', EVERYTHING).end('same'),
  )
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, {
    behaviors: [behaviorDoc({ cachePolicy: cachePolicy({ gzip: true }) })],
    rfcStrict: true,
  })
  const edge = await EdgeScenario.start(t, [document])
  for (let n = 0; n < 5; n++) {
    const headers = { foo: `${n}`, 'user-agent': `browser ${n}`, cookie: `id=${n}`, 'accept-encoding': `gzip, x${n}` }
    const answer = await edge.get('/a', { headers })
    assert.equal(answer.xCache, n === 0 ? 'Miss' : 'Hit')
    assert.equal(answer.headers.vary, EVERYTHING, 'viewers see it whole')
  }
})

test('no Accept-Encoding at all is not one without the codings of the policy', async (t) => {
  const { edge } = await strictEdge(
    t,
    ({ headers }, response) =>
      response
        .setHeader('cache-control', 'max-age=60')
        .setHeader('vary', 'Accept-Encoding, Host')
        .end(`for ${headers['accept-encoding'] ?? 'anything'}`),
    { policy: { gzip: true, brotli: true } },
  )
  const rows = [
    [null, 'anything'],
    ['zstd', 'identity'],
    ['identity, deflate', 'identity'],
    ['gzip, zstd', 'gzip'],
    ['deflate, gzip', 'gzip'],
  ] as const
  for (let round = 0; round < 2; round++) {
    for (const [sent, seen] of rows) {
      const answer = await edge.get('/a', sent === null ? {} : { headers: { 'accept-encoding': sent } })
      assert.equal(answer.body, `for ${seen}`, `${sent}`)
      assert.equal(round === 0 || answer.xCache === 'Hit', true)
    }
  }
})

for (const vary of ['*', ', *', 'Foo, *', '*, *', 'no token', '"Foo"', 'X-Amz-Cf-Id']) {
  test(`Vary: ${vary} never matches`, async (t) => {
    const { origin, edge } = await strictEdge(t, (_asked, response) =>
      response.setHeader('cache-control', 'max-age=60').setHeader('vary', vary).end('x'),
    )
    for (let n = 0; n < 3; n++) assert.equal((await edge.get('/a', foo('1'))).xCache, 'Miss')
    assert.equal(origin.count('/a'), 3)
  })
}

test('the most recent answer that matches is served, also when Vary changes', async (t) => {
  let vary: string | null = 'Foo'
  const { edge } = await strictEdge(t, ({ headers }, response) => {
    if (vary !== null) response.setHeader('vary', vary)
    response.setHeader('cache-control', 'max-age=60').end(`${vary} ${headers.foo} ${headers.bar}`)
  })
  const ask = (value: string, bar: string) => edge.get('/a', { headers: { foo: value, bar } })
  assert.equal((await ask('1', 'x')).body, 'Foo 1 x')
  vary = 'Bar'
  assert.equal((await ask('2', 'y')).body, 'Bar 2 y')
  assert.equal((await ask('9', 'y')).body, 'Bar 2 y', 'by the newer list')
  assert.equal((await ask('1', 'z')).body, 'Foo 1 x', 'by the older one')
  vary = null
  assert.equal((await ask('3', 'z')).body, 'null 3 z')
  for (const value of ['1', '2', '3', '4']) assert.equal((await ask(value, 'y')).body, 'null 3 z', 'matches all')
})

for (const workers of [1, 3]) {
  test(`hundreds of variants: the limit holds, and the newest stay (${workers} workers)`, async (t) => {
    const { origin, edge } = await strictEdge(t, byFoo, { workers })
    const last = VARIANTS_MAX * 4
    // Long values, so that their hash stands in the key.
    const value = (n: number) => `${n}-${'x'.repeat(300)}`
    for (let n = 1; n <= last; n++) assert.equal((await edge.get('/a', foo(value(n), n % workers))).xCache, 'Miss')
    for (let n = last; n > last - VARIANTS_MAX; n--) {
      const answer = await edge.get('/a', foo(value(n), n % workers))
      assert.deepEqual([answer.body, answer.xCache], [`foo ${value(n)}`, 'Hit'])
    }
    assert.equal((await edge.get('/a', foo(value(1)))).xCache, 'Miss')
    assert.equal(origin.count('/a'), last + 1)
    for (let worker = 0; worker < workers; worker++) {
      const { counters } = (await edge.feed.ask({ kind: 'counters' }, `worker-${worker}`)) as {
        counters: Record<string, number>
      }
      assert.ok((counters.objects ?? 0) <= VARIANTS_MAX + 1, `${counters.objects} objects`)
      if (workers === 1) assert.equal(counters.variantsDropped, last - VARIANTS_MAX + 1)
    }
  })
}

test('an origin with another Vary in each answer fills nothing', async (t) => {
  let n = 0
  const { edge } = await strictEdge(t, (_asked, response) =>
    response.setHeader('cache-control', 'max-age=0').setHeader('etag', `"${n}"`).setHeader('vary', `X-${n++}`).end('x'),
  )
  for (let round = 0; round < 100; round++) assert.equal((await edge.get('/a')).status, 200)
  const { counters } = (await edge.feed.ask({ kind: 'counters' }, 'worker-0')) as { counters: Record<string, number> }
  assert.ok((counters.objects ?? 0) <= LISTS_MAX + 1, `${counters.objects} objects`)
})

test('the key has the whole URI that the origin is asked for, and listed headers by their meaning', async (t) => {
  const { origin, edge } = await strictEdge(
    t,
    ({ url, headers }, response) =>
      response.setHeader('cache-control', 'max-age=60').end(`${headers.host} ${url} ${headers['accept-language']}`),
    { policy: { headers: { behavior: 'whitelist', names: ['accept-language'] } } },
  )
  const ask = (path: string, languages: string) => edge.get(path, { headers: { 'accept-language': languages } })
  assert.equal((await ask('/a?x=1', 'en, de')).xCache, 'Miss')
  assert.equal((await ask('/a?x=1', 'DE,en')).xCache, 'Hit')
  assert.equal((await ask('/a?x=2', 'en, de')).xCache, 'Miss', 'the origin sees the query')
  assert.equal((await ask('/a?x=1', 'en')).xCache, 'Miss')
  const { label } = { label: (await ask('/a?x=1', 'en')).body.split('.')[0] }
  const other = await edge.get('/a?x=1', { host: `${label}.cloudfront.net`, headers: { 'accept-language': 'en' } })
  assert.deepEqual(
    [other.xCache, other.body],
    ['Miss', `${label}.cloudfront.net /a?x=1 en`],
    'the origin sees the host',
  )
  assert.equal(origin.asked.length, 4)
})
