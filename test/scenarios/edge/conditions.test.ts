//! Conditions of viewers, against what the cache has and against what the origin has just sent.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

const ETAG = '"v1"'
const MODIFIED = 'Wed, 21 Oct 2015 07:28:00 GMT'
const EARLIER = 'Wed, 21 Oct 2015 07:27:00 GMT'

/** An origin that would obey conditions itself, if it were sent any. */
async function scenario(t: TestContext, etag = ETAG, count = 1): Promise<{ edge: EdgeScenario; origin: TestOrigin }> {
  const origin = await startOrigin((asked, response) => {
    response.setHeader('etag', etag).setHeader('last-modified', MODIFIED).setHeader('content-length', 4)
    if (asked.headers['if-none-match'] === etag) {
      response.removeHeader('content-length')
      response.writeHead(304).end()
    } else response.end('body')
  })
  t.after(() => origin.close())
  return { origin, edge: await EdgeScenario.start(t, [distributionDoc(origin.port)], { count }) }
}

const ROWS: readonly (readonly [headers: Record<string, string>, status: number])[] = [
  [{ 'if-none-match': ETAG }, 304],
  [{ 'if-none-match': 'W/"v1"' }, 304],
  [{ 'if-none-match': '"v0", "v1"' }, 304],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-none-match': '"v0"' }, 200],
  [{ 'if-modified-since': MODIFIED }, 304],
  [{ 'if-modified-since': EARLIER }, 200],
  [{ 'if-modified-since': MODIFIED, 'if-none-match': '"v0"' }, 200],
  [{ 'if-match': ETAG }, 200],
  [{ 'if-match': '*' }, 200],
  [{ 'if-match': '"v0"' }, 412],
  [{ 'if-match': 'W/"v1"' }, 412],
  [{ 'if-match': '"v0"', 'if-none-match': ETAG }, 412],
  [{ 'if-match': ETAG, 'if-none-match': ETAG }, 304],
  [{ 'if-unmodified-since': MODIFIED }, 200],
  [{ 'if-unmodified-since': EARLIER }, 412],
  [{ 'if-unmodified-since': EARLIER, 'if-match': ETAG }, 200],
  // Conditions come before the range.
  [{ 'if-match': ETAG, range: 'bytes=0-1' }, 206],
  [{ 'if-match': '"v0"', range: 'bytes=0-1' }, 412],
  [{ 'if-none-match': ETAG, range: 'bytes=0-1' }, 304],
]

for (const method of ['GET', 'HEAD']) {
  test(`${method}: every condition means the same on a miss and on a hit`, async (t) => {
    const { edge, origin } = await scenario(t)
    for (const [at, [headers, wanted]] of ROWS.entries()) {
      const status = method === 'HEAD' && wanted === 206 ? 200 : wanted
      const path = `/${at}`
      const label = JSON.stringify(headers)
      const miss = await edge.get(path, { method, headers })
      assert.equal(miss.status, status, `miss ${label}`)
      assert.equal(miss.xCache, status === 412 ? 'Error' : 'Miss', label)
      if (method === 'HEAD') await edge.get(path)
      const hit = await edge.get(path, { method, headers })
      assert.equal(hit.status, status, `hit ${label}`)
      assert.equal(hit.xCache, status === 412 ? 'Error' : 'Hit', label)
      const whole = await edge.get(path)
      assert.deepEqual([whole.status, whole.xCache, whole.body], [200, 'Hit', 'body'], label)
      for (const answer of [miss, hit]) {
        if (answer.status === 304) assert.deepEqual([answer.headers.etag, answer.body], [ETAG, ''])
      }
    }
    const names = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'range'] as const
    for (const asked of origin.asked) for (const name of names) assert.equal(asked.headers[name], undefined)
  })
}

test('the condition of the viewer is looked at after the revalidation, not by the origin', async (t) => {
  const { edge, origin } = await scenario(t)
  await edge.get('/a')
  await edge.feed.moveClock(86_400_000 + 1_000)
  const changed = await edge.get('/a', { headers: { 'if-none-match': '"v0"' } })
  assert.deepEqual([changed.status, changed.xCache, changed.body], [200, 'RefreshHit', 'body'])
  assert.equal(origin.asked.at(-1)?.headers['if-none-match'], ETAG)
  await edge.feed.moveClock(2 * 86_400_000 + 2_000)
  const same = await edge.get('/a', { headers: { 'if-none-match': ETAG } })
  assert.deepEqual([same.status, same.xCache, same.body], [304, 'RefreshHit', ''])
  await edge.feed.moveClock(3 * 86_400_000 + 3_000)
  const failed = await edge.get('/a', { headers: { 'if-match': '"v0"' } })
  assert.equal(failed.status, 412)
  await edge.feed.moveClock(4 * 86_400_000 + 4_000)
  const part = await edge.get('/a', { headers: { range: 'bytes=1-2' } })
  assert.deepEqual([part.status, part.xCache, part.body], [206, 'RefreshHit', 'od'])
})

test('a weak tag matches If-None-Match and neither If-Match nor If-Range', async (t) => {
  const weak = 'W/"v1"'
  const { edge } = await scenario(t, weak)
  for (const round of [1, 2]) {
    const path = round === 1 ? '/a' : '/b'
    assert.equal((await edge.get(path, { headers: { 'if-none-match': ETAG } })).status, 304)
    assert.equal((await edge.get(path, { headers: { 'if-match': weak } })).status, 412)
    assert.equal((await edge.get(path, { headers: { 'if-range': weak, range: 'bytes=0-1' } })).status, 200)
  }
})

test('a 412 of the edge is its own page and is not kept; errors of the origin have no conditions', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.statusCode = asked.url === '/gone' ? 404 : 200
    response.setHeader('etag', ETAG).end('body')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const failed = await edge.get('/a', { headers: { 'if-match': '"v0"' } })
  assert.equal(failed.status, 412)
  assert.match(failed.body, /412/)
  assert.equal((await edge.get('/a')).xCache, 'Hit')
  for (let round = 1; round <= 2; round++) {
    const gone = await edge.get('/gone', { headers: { 'if-match': '"v0"', range: 'bytes=0-1' } })
    assert.deepEqual([gone.status, gone.body], [404, 'body'])
  }
})

test('three workers: whoever answers looks at the conditions itself, against the whole object', async (t) => {
  const { edge, origin } = await scenario(t, ETAG, 3)
  for (const path of ['/a', '/b', '/c', '/d']) {
    for (const worker of [0, 1, 2]) {
      for (const [headers, status] of ROWS) {
        assert.equal((await edge.get(path, { worker, headers })).status, status, JSON.stringify(headers))
      }
    }
    assert.equal(origin.count(path), 1)
  }
})
