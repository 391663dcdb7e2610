//! Strict mode: what a viewer's Cache-Control makes of what is stored.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MovableClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

async function scenario(t: TestContext, { count = 1, strict = true, control = 'max-age=100' } = {}) {
  const origin = await startOrigin((asked, response) => {
    const again = asked.headers['if-none-match'] === '"a"'
    response.writeHead(again ? 304 : 200, { 'cache-control': control, etag: '"a"' }).end(again ? undefined : 'body')
  })
  t.after(() => origin.close())
  const clock = new MovableClock()
  const behaviors = [behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 0 }) })]
  const document = distributionDoc(origin.port, { rfcStrict: strict, behaviors })
  const edge = await EdgeScenario.start(t, [document], { clock, count })
  const asks = (control: string, worker = 0) => edge.get('/a', { worker, headers: { 'cache-control': control } })
  return { edge, origin, asks, later: (seconds: number) => clock.moveTo(clock.offsetMs + seconds * 1_000) }
}

/** After 50 of 100 fresh seconds. */
const FRESH = [
  ['max-age=60', 'Hit'],
  ['max-age=40', 'RefreshHit'],
  ['max-age=0', 'RefreshHit'],
  ['no-cache', 'RefreshHit'],
  ['min-fresh=40', 'Hit'],
  ['min-fresh=60', 'RefreshHit'],
  ['no-store', 'Miss'],
  ['only-if-cached', 'Hit'],
] as const

for (const count of [1, 3]) {
  for (const [control, result] of FRESH) {
    test(`a fresh object and ${control}: ${result} (${count} workers)`, async (t) => {
      const { edge, asks, later } = await scenario(t, { count })
      for (let worker = 0; worker < count; worker++) await edge.get('/a', { worker })
      later(50)
      for (let worker = 0; worker < count; worker++) {
        const { xCache, status } = await asks(control, worker)
        // What one worker has had confirmed is younger for the next.
        if (worker === 0 || result === 'Miss') assert.deepEqual([xCache, status], [result, 200])
        else assert.equal(status, 200)
      }
    })
  }
}

/** Ten seconds after its freshness. */
const STALE = [
  ['max-stale', 'max-age=100', 'Hit'],
  ['max-stale=20', 'max-age=100', 'Hit'],
  ['max-stale=5', 'max-age=100', 'RefreshHit'],
  ['max-stale=20, max-age=50', 'max-age=100', 'RefreshHit'],
  ['max-stale', 'max-age=100, must-revalidate', 'RefreshHit'],
  ['max-stale', 's-maxage=100', 'RefreshHit'],
] as const

for (const [asked, control, result] of STALE) {
  test(`a stale object of ${control} and ${asked}: ${result}`, async (t) => {
    const { edge, asks, later } = await scenario(t, { control })
    await edge.get('/a')
    later(110)
    assert.equal((await asks(asked)).xCache, result)
  })
}

test('only-if-cached is a 504 where the origin would be asked, and the origin is not asked', async (t) => {
  const { origin, asks, edge, later } = await scenario(t, { count: 3 })
  for (const worker of [0, 1, 2]) assert.equal((await asks('only-if-cached', worker)).status, 504)
  assert.equal(origin.count('/a'), 0)
  await edge.get('/a')
  for (const worker of [0, 1, 2]) assert.equal((await asks('only-if-cached', worker)).status, 200)
  later(110)
  assert.equal((await asks('only-if-cached')).status, 504)
})

test('what no-store fetched is not there for others', async (t) => {
  const { origin, asks, edge } = await scenario(t)
  await asks('no-store')
  assert.equal((await edge.get('/a')).xCache, 'Miss')
  assert.equal(origin.count('/a'), 2)
})

test('in default mode no viewer can make the origin work', async (t) => {
  const { origin, asks, edge } = await scenario(t, { strict: false })
  await edge.get('/a')
  for (const [control] of FRESH) assert.equal((await asks(control)).xCache, 'Hit', control)
  assert.equal(origin.count('/a'), 1)
})
