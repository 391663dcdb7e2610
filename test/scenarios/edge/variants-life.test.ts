//! Strict mode: what becomes of variants once they are there: confirmed, stale, invalidated, asked for in part, left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behaviorDoc, cachePolicy, DISTRIBUTION_ID, distributionDoc, HOST } from '../../support/edge-scenario.ts'
import { ALL_VIEWER, byFoo, foo, strictEdge } from '../../support/edge-strict.ts'

test('a 304 confirms the selected variant alone', async (t) => {
  const { origin, edge } = await strictEdge(t, ({ headers }, response) => {
    response.setHeader('cache-control', 'max-age=0').setHeader('vary', 'Foo').setHeader('etag', `"${headers.foo}"`)
    if (headers['if-none-match'] === `"${headers.foo}"`) response.writeHead(304).end()
    else response.end(`foo ${headers.foo}`)
  })
  for (const value of ['1', '2']) assert.equal((await edge.get('/a', foo(value))).xCache, 'Miss')
  for (const value of ['2', '1', '2']) {
    const answer = await edge.get('/a', foo(value))
    assert.deepEqual([answer.body, answer.xCache], [`foo ${value}`, 'RefreshHit'])
  }
  assert.deepEqual(
    origin.asked.map(({ headers }) => headers['if-none-match'] ?? ''),
    // The second request is told of the first one's variant, which is not its own.
    ['', '"1"', '"2"', '"1"', '"2"'],
  )
})

test('a variant has HEAD, ranges and conditions as any object', async (t) => {
  const { origin, edge } = await strictEdge(t, ({ headers }, response) => {
    const body = `foo ${headers.foo}`
    response.setHeader('vary', 'Foo').setHeader('etag', `"${headers.foo}"`).setHeader('content-length', body.length)
    response.setHeader('cache-control', 'max-age=60').end(body)
  })
  for (const value of ['1', '2']) await edge.get('/a', foo(value))
  const head = await edge.get('/a', { method: 'HEAD', headers: { foo: '2' } })
  assert.deepEqual([head.xCache, head.headers.etag], ['Hit', '"2"'])
  const part = await edge.get('/a', { headers: { foo: '1', range: 'bytes=4-' } })
  assert.deepEqual([part.status, part.body], [206, '1'])
  const other = await edge.get('/a', { headers: { foo: '2', range: 'bytes=4-', 'if-range': '"1"' } })
  assert.deepEqual([other.status, other.body], [200, 'foo 2'], 'the condition is about another variant')
  assert.equal((await edge.get('/a', { headers: { foo: '1', 'if-none-match': '"1"' } })).status, 304)
  assert.equal(origin.count('/a'), 2)
})

for (const workers of [1, 3]) {
  test(`a stale variant is refreshed behind the viewer, each for itself (${workers} workers)`, async (t) => {
    let version = 1
    const { origin, edge } = await strictEdge(
      t,
      ({ headers }, response) => {
        response.setHeader('cache-control', 'max-age=10, stale-while-revalidate=60').setHeader('vary', 'Foo')
        response.end(`v${version} ${headers.foo}`)
      },
      { workers },
    )
    for (const value of ['1', '2']) await edge.get('/a', foo(value))
    version = 2
    await edge.feed.moveClock(20_000)
    assert.equal((await edge.get('/a', foo('1'))).body, 'v1 1')
    await eventually(async () => (await edge.get('/a', foo('1'))).body === 'v2 1')
    assert.equal(origin.count('/a'), 3)
    assert.equal((await edge.get('/a', foo('2'))).body, 'v1 2')
    await eventually(async () => (await edge.get('/a', foo('2'))).body === 'v2 2')
    assert.equal(origin.count('/a'), 4)
  })

  test(`a stale variant stands in for an origin that fails, for nobody else (${workers} workers)`, async (t) => {
    let fails = false
    const { edge } = await strictEdge(
      t,
      ({ headers }, response) => {
        if (fails) return response.writeHead(503).end('down')
        response.setHeader('cache-control', 'max-age=10, stale-if-error=60').setHeader('vary', 'Foo')
        return response.end(`foo ${headers.foo}`)
      },
      { workers },
    )
    for (let worker = 0; worker < workers; worker++) await edge.get('/a', foo('1', worker))
    fails = true
    await edge.feed.moveClock(20_000)
    for (let worker = 0; worker < workers; worker++) {
      assert.equal((await edge.get('/a', foo('1', worker))).body, 'foo 1')
      assert.equal((await edge.get('/a', foo('2', worker))).status, 503)
    }
  })

  test(`after a soft invalidation stale variants are served and refreshed (${workers} workers)`, async (t) => {
    let version = 1
    const { edge } = await strictEdge(
      t,
      ({ headers }, response) =>
        response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'Foo').end(`v${version} ${headers.foo}`),
      { workers },
    )
    for (const value of ['1', '2']) await edge.get('/a', foo(value))
    version = 2
    await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/a')
    for (const value of ['1', '2']) {
      assert.equal((await edge.get('/a', foo(value))).body, `v1 ${value}`)
      await eventually(async () => (await edge.get('/a', foo(value))).body === `v2 ${value}`)
    }
  })
}

/** What happens behind a viewer shows in what the next one gets. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) if (await holds()) return
  assert.fail('it never came to be so')
}

test('an index outlives the invalidation of its variants', async (t) => {
  const { edge } = await strictEdge(t, byFoo)
  const seen = async () => {
    const request = { host: HOST, scheme: 'http', path: '/a', query: null, headers: ['Foo', '1'] } as const
    const answer = await edge.feed.ask({ kind: 'object', request }, 'worker-0')
    assert.equal(answer.kind, 'object')
    if (answer.kind !== 'object') return null
    return [answer.found.object?.what ?? null, answer.found.leadsTo.length]
  }
  for (const value of ['1', '2']) await edge.get('/a', foo(value))
  assert.deepEqual(await seen(), ['variants', 2])
  await edge.feed.invalidate(DISTRIBUTION_ID, '/a')
  assert.deepEqual(await seen(), [null, 0])
  assert.equal((await edge.get('/a', foo('1'))).xCache, 'Miss')
  assert.deepEqual(await seen(), ['variants', 1], 'the other one is dead')
})

test('what one mode has stored the other never finds', async (t) => {
  const { origin, edge } = await strictEdge(t, byFoo)
  const mode = (rfcStrict: boolean) => {
    const behaviors = [behaviorDoc({ cachePolicy: cachePolicy(), originRequestPolicy: ALL_VIEWER })]
    return edge.feed.put(distributionDoc(origin.port, { behaviors, rfcStrict }))
  }
  const seen = async () => [(await edge.get('/a', foo('1'))).body, (await edge.get('/a', foo('2'))).body]
  assert.deepEqual(await seen(), ['foo 1', 'foo 2'])
  await mode(false)
  assert.deepEqual(await seen(), ['foo 1', 'foo 1'])
  await mode(true)
  assert.deepEqual(await seen(), ['foo 1', 'foo 2'])
})

for (const workers of [1, 3]) {
  test(`an origin may confirm another variant as right for this request too (${workers} workers)`, async (t) => {
    const { origin, edge } = await strictEdge(
      t,
      ({ headers }, response) => {
        // Odd and even.
        const etag = `"${Number(headers.foo) % 2}"`
        response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'Foo').setHeader('etag', etag)
        if (String(headers['if-none-match']).split(', ').includes(etag)) return response.writeHead(304).end()
        return response.end(`body ${etag}`)
      },
      { workers },
    )
    for (let n = 1; n <= 10; n++) {
      const answer = await edge.get('/a', foo(`${n}`))
      assert.deepEqual([answer.body, answer.xCache], [`body "${n % 2}"`, n < 3 ? 'Miss' : 'RefreshHit'])
      for (let worker = 0; worker < workers; worker++) {
        const again = await edge.get('/a', foo(`${n}`, worker))
        assert.deepEqual([again.body, again.xCache], [`body "${n % 2}"`, 'Hit'])
      }
    }
    assert.deepEqual(
      origin.asked.map(({ headers }) => headers['if-none-match']),
      [undefined, '"1"', ...Array(8).fill('"0", "1"')].map((tags, n) => (n > 2 && n % 2 === 1 ? '"1", "0"' : tags)),
    )
  })
}

test('a 304 that confirms nothing that was offered is asked for anew, and weak tags are never offered', async (t) => {
  const { origin, edge } = await strictEdge(t, ({ headers }, response) => {
    response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'Foo')
    if (headers['if-none-match'] !== undefined) return response.writeHead(304, { etag: '"other"' }).end()
    return response.setHeader('etag', headers.foo === '1' ? '"1"' : 'W/"x"').end(`foo ${headers.foo}`)
  })
  for (const value of ['1', '2', '3']) assert.equal((await edge.get('/a', foo(value))).body, `foo ${value}`)
  assert.deepEqual(
    origin.asked.map(({ headers }) => headers['if-none-match']),
    [undefined, '"1"', undefined, '"1"', undefined],
  )
})

test('an invalidated variant is not offered', async (t) => {
  const { origin, edge } = await strictEdge(t, ({ headers }, response) =>
    response
      .setHeader('cache-control', 'max-age=60')
      .setHeader('vary', 'Foo')
      .setHeader('etag', '"1"')
      .end(`${headers.foo}`),
  )
  await edge.get('/a', foo('1'))
  await edge.feed.invalidate(DISTRIBUTION_ID, '/a')
  assert.equal((await edge.get('/a', foo('2'))).body, '2')
  assert.equal(origin.asked[1]?.headers['if-none-match'], undefined)
})

for (const workers of [1, 3]) {
  test(`variants that are too large to be kept whole are kept in slices (${workers} workers)`, async (t) => {
    const BYTES = 6 * 1024 * 1024
    const { origin, edge } = await strictEdge(
      t,
      ({ headers }, response) => {
        const body = Buffer.alloc(BYTES, `variant ${headers.foo} `)
        response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'Foo').setHeader('etag', `"${headers.foo}"`)
        response.setHeader('accept-ranges', 'bytes')
        const part = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
        if (part === null) return response.setHeader('content-length', BYTES).end(body)
        const [first, last] = [Number(part[1]), Number(part[2])]
        response
          .setHeader('content-range', `bytes ${first}-${last}/${BYTES}`)
          .setHeader('content-length', last - first + 1)
        return response.writeHead(206).end(body.subarray(first, last + 1))
      },
      { workers },
    )
    const range = 'bytes=5000000-5000019'
    for (let round = 0; round < 2; round++) {
      for (const value of ['1', '2']) {
        const expected = Buffer.alloc(BYTES, `variant ${value} `).toString('latin1', 5_000_000, 5_000_020)
        for (let worker = 0; worker < workers; worker++) {
          const part = await edge.get('/big', { headers: { foo: value, range }, worker })
          assert.deepEqual([part.status, part.body], [206, expected], `variant ${value} from worker ${worker}`)
        }
      }
    }
    const asked = origin.asked.length
    const again = await edge.get('/big', { headers: { foo: '2', range } })
    assert.deepEqual([again.xCache, origin.asked.length], ['Hit', asked])
  })
}

for (const workers of [1, 3]) {
  test(`a stored part of one variant answers no other (${workers} workers)`, async (t) => {
    const { origin, edge } = await strictEdge(
      t,
      ({ headers }, response) => {
        const body = Buffer.alloc(1_000, `variant ${headers.foo} `)
        response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'Foo').setHeader('etag', `"${headers.foo}"`)
        const part = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
        if (part === null) return response.setHeader('content-length', 1_000).end(body)
        const [first, last] = [Number(part[1]), Math.min(Number(part[2]), 999)]
        response.setHeader('content-range', `bytes ${first}-${last}/1000`).setHeader('content-length', last - first + 1)
        return response.writeHead(206).end(body.subarray(first, last + 1))
      },
      { workers },
    )
    const ask = (value: string, range: string, worker: number) =>
      edge.get('/a', { headers: { foo: value, range: `bytes=${range}` }, worker })
    const whole = (value: string) => Buffer.alloc(1_000, `variant ${value} `).toString('latin1')
    for (const range of ['0-99', '50-149', '10-20', '0-999', '900-999']) {
      const [first, last] = range.split('-').map(Number) as [number, number]
      for (const value of ['1', '2', '3']) {
        for (let worker = 0; worker < workers; worker++) {
          const answer = await ask(value, range, worker)
          assert.deepEqual(
            [answer.status, answer.body],
            [206, whole(value).slice(first, last + 1)],
            `${value} ${range}`,
          )
        }
      }
    }
    for (const value of ['1', '2', '3']) {
      assert.equal((await edge.get('/a', foo(value))).body, whole(value))
      assert.equal((await ask(value, '5-15', workers - 1)).xCache, 'Hit')
    }
    assert.ok(origin.asked.length <= 15, `${origin.asked.length} requests`)
  })
}
