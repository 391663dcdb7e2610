//! What a revalidation changes, what may not stand in for an origin that fails, and fields that are not kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'
import { StillClock } from '../../support/still-clock.ts'

const behaviors = (minTtl = 0) => [
  behaviorDoc({
    cachePolicy: cachePolicy({ minTtl, defaultTtl: minTtl, cookies: { behavior: 'whitelist', names: ['unused'] } }),
  }),
]

test('a 304 corrects the media type, keeps what is said of the bytes, and its Age counts', async (t) => {
  const origin = await startOrigin((asked, response) => {
    const again = asked.headers['if-none-match'] === '"a"'
    response.setHeader('cache-control', 'max-age=60')
    response.setHeader('content-type', again ? 'text/css' : 'text/plain')
    response.setHeader('content-md5', again ? 'b==' : 'a==')
    response.setHeader('etag', again ? '"b"' : '"a"')
    if (again) response.setHeader('age', '50')
    response.writeHead(again ? 304 : 200).end(again ? undefined : 'body')
  })
  t.after(() => origin.close())
  const clock = new StillClock()
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: behaviors() })], { clock })
  assert.equal((await edge.get('/a')).headers['content-type'], 'text/plain')
  clock.moveTo(clock.offsetMs + 61_000)
  const refreshed = await edge.get('/a')
  assert.equal(refreshed.xCache, 'RefreshHit')
  const { headers } = await edge.get('/a')
  assert.deepEqual([headers['content-type'], headers['content-md5'], headers.etag], ['text/css', 'a==', '"a"'])
  assert.equal(headers.age, '50')
  clock.moveTo(clock.offsetMs + 11_000)
  assert.equal((await edge.get('/a')).xCache, 'RefreshHit')
})

const STALE = [
  { control: 'max-age=60', minTtl: 0, status: 200 },
  { control: 'max-age=60, must-revalidate', minTtl: 0, status: 503 },
  { control: 'max-age=60, proxy-revalidate', minTtl: 0, status: 503 },
  { control: 'max-age=60, stale-if-error=0', minTtl: 0, status: 503 },
  { control: 'max-age=60, no-cache', minTtl: 0, status: 503 },
  { control: 'no-cache', minTtl: 60, status: 200 },
] as const

for (const { control, minTtl, status } of STALE) {
  test(`the origin fails and there is an old copy with ${control}, Min TTL ${minTtl}: ${status}`, async (t) => {
    let fails = false
    const origin = await startOrigin((asked, response) => {
      // A 304 need not repeat the directives: those that are stored go on to hold.
      const again = asked.headers['if-none-match'] !== undefined
      if (!again) response.setHeader('cache-control', control)
      response.setHeader('etag', '"a"')
      response.writeHead(fails ? 503 : again ? 304 : 200).end(again && !fails ? undefined : 'body')
    })
    t.after(() => origin.close())
    const clock = new StillClock()
    const documents = [distributionDoc(origin.port, { behaviors: behaviors(minTtl) })]
    const edge = await EdgeScenario.start(t, documents, { clock })
    assert.equal((await edge.get('/a')).status, 200)
    clock.moveTo(clock.offsetMs + 61_000)
    assert.equal((await edge.get('/a')).xCache, 'RefreshHit')
    fails = true
    clock.moveTo(clock.offsetMs + 61_000)
    assert.equal((await edge.get('/a')).status, status)
  })
}

for (const count of [1, 3]) {
  test(`no-cache="Set-Cookie": the first viewer has the cookie, nobody else (${count} workers)`, async (t) => {
    const origin = await startOrigin((_asked, response) => {
      response.setHeader('cache-control', 'max-age=60, no-cache="Set-Cookie"')
      response.setHeader('set-cookie', 'session=mine')
      response.end('body')
    })
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: behaviors() })], { count })
    const seen = []
    for (let worker = 0; worker < count; worker++) {
      for (let at = 0; at < 2; at++) seen.push((await edge.get('/a', { worker })).headers['set-cookie'])
    }
    assert.deepEqual(seen[0], ['session=mine'])
    assert.deepEqual(new Set(seen.slice(1)), new Set([undefined]))
    assert.equal(origin.count('/a'), 1)
  })
}
