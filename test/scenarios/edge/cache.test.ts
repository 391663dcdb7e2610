//! A product page through one POP: what comes from the origin, what from the cache, and until when.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
} from '../../support/edge-scenario.ts'
import { StillClock } from '../../support/still-clock.ts'

test('Miss, then Hit, then an invalidation, then Miss', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => {
    response.setHeader('content-type', 'text/plain')
    response.end(`version ${version}`)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { clock: new StillClock() })

  const first = await edge.get('/page')
  assert.equal(first.status, 200)
  assert.equal(first.body, 'version 1')
  assert.equal(first.xCache, 'Miss')
  assert.match(String(first.headers.via), /^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/)
  assert.match(String(first.headers['x-amz-cf-id']), /^[A-Za-z0-9_-]{54}==$/)
  assert.equal(first.headers['x-amz-cf-pop'], 'FRA50-C1')

  version = 2
  const second = await edge.get('/page')
  assert.equal(second.xCache, 'Hit')
  assert.equal(second.body, 'version 1')
  assert.equal(second.headers.age, '0')
  assert.equal(second.headers['content-type'], 'text/plain')
  assert.notEqual(second.headers['x-amz-cf-id'], first.headers['x-amz-cf-id'])

  await edge.feed.invalidate(DISTRIBUTION_ID, '/page')
  const third = await edge.get('/page')
  assert.equal(third.xCache, 'Miss')
  assert.equal(third.body, 'version 2')
  assert.equal((await edge.get('/page')).xCache, 'Hit')
  assert.equal(origin.count('/page'), 2)
})

test('an object is fresh for as long as the policy and the origin say', async (t) => {
  const origin = await startOrigin((asked, response) => {
    const control = decodeURIComponent(asked.url.slice(1))
    if (control !== 'none') response.setHeader('cache-control', control)
    response.end('x')
  })
  t.after(() => origin.close())
  const policy = cachePolicy({ minTtl: 0, defaultTtl: 100, maxTtl: 1_000 })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ cachePolicy: policy })] }),
  ])
  const rows = [
    { control: 'none', seconds: 100 },
    { control: 'max-age=50', seconds: 50 },
    { control: 's-maxage=70, max-age=50', seconds: 70 },
    { control: 'max-age=5000', seconds: 1_000 },
  ]
  for (const { control } of rows) assert.equal((await edge.get(`/${encodeURIComponent(control)}`)).xCache, 'Miss')
  let offset = 0
  for (const { control, seconds } of rows.toSorted((x, y) => x.seconds - y.seconds)) {
    const path = `/${encodeURIComponent(control)}`
    offset = seconds * 1000 - 1500
    await edge.feed.moveClock(offset)
    const fresh = await edge.get(path)
    assert.equal(fresh.xCache, 'Hit', control)
    assert.ok(Number(fresh.headers.age) >= seconds - 2, control)
    offset = seconds * 1000 + 1
    await edge.feed.moveClock(offset)
    assert.equal((await edge.get(path)).xCache, 'Miss', control)
  }
  for (const control of ['no-store', 'private', 'no-cache', 'max-age=0']) {
    const path = `/${encodeURIComponent(control)}`
    assert.equal((await edge.get(path)).xCache, 'Miss')
    assert.equal((await edge.get(path)).xCache, 'Miss', control)
  }
})

test('a 204 has no Content-Length, from the origin and from the cache (RFC 9110 8.6)', async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.writeHead(204, { 'cache-control': 'max-age=60' }).end()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const xCache of ['Miss', 'Hit']) {
    const answer = await edge.get('/nothing')
    assert.deepEqual([answer.status, answer.xCache, answer.headers['content-length']], [204, xCache, undefined])
    assert.equal(answer.headers['transfer-encoding'], undefined)
  }
  assert.equal(origin.count('/nothing'), 1)
})
