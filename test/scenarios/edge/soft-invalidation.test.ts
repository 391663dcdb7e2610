//! Soft invalidations: what matches is served on while the edge asks for its successor, once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import { DISTRIBUTION_ID, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

for (const count of [1, 3]) {
  test(`stale is served while one fetch refreshes it, ${count} workers`, async (t) => {
    let version = 1
    let held: PromiseWithResolvers<void> | null = null
    let asked = Promise.withResolvers<void>()
    const origin = await startOrigin(async (request, response) => {
      const mine = version
      asked.resolve()
      await held?.promise
      response.setHeader('cache-control', 'max-age=1000')
      response.setHeader('etag', `"${mine}"`)
      response.setHeader('x-tags', 'sale')
      if (request.headers['if-none-match'] === `"${mine}"`) response.writeHead(304).end()
      else response.end(`version ${mine}`)
    })
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { cacheTagHeader: 'x-tags' })], { count })
    const see = async (path: string, worker: number) => {
      const { body, xCache } = await edge.get(path, { worker })
      return `${body} ${xCache}`
    }
    /** Asks until the worker has the successor: the refresh ends when nobody looks. */
    const becomes = async (path: string, worker: number, wanted: string) => {
      for (let tries = 0; tries < 500; tries++) {
        if ((await see(path, worker)) === wanted) return
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      assert.fail(`worker ${worker} never answered ${wanted}: ${await see(path, worker)}`)
    }
    for (const path of ['/a', '/b']) for (let worker = 0; worker < count; worker++) await edge.get(path, { worker })
    assert.equal(origin.asked.length, 2)

    held = Promise.withResolvers()
    asked = Promise.withResolvers()
    version = 2
    await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/a*')
    for (let round = 0; round < 3; round++) {
      for (let worker = 0; worker < count; worker++) assert.equal(await see('/a', worker), 'version 1 Hit')
    }
    await asked.promise
    assert.equal(origin.count('/a'), 2, 'one refresh')
    held.resolve()
    held = null
    for (let worker = 0; worker < count; worker++) await becomes('/a', worker, 'version 2 Hit')
    assert.equal(origin.count('/a'), 2, 'for all workers')
    assert.equal(await see('/b', 0), 'version 1 Hit')
    assert.equal(origin.count('/b'), 1)

    // By tag; the origin confirms what it is.
    await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '#sale')
    assert.equal(await see('/a', count - 1), 'version 2 Hit')
    for (let tries = 0; origin.count('/a') < 3 && tries < 500; tries++) await new Promise((r) => setTimeout(r, 5))
    assert.equal(origin.count('/a'), 3)

    // Another one that kills.
    version = 3
    await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/b')
    await edge.feed.invalidate(DISTRIBUTION_ID, '/b')
    assert.equal(await see('/b', count - 1), 'version 3 Miss')
  })
}

test('a soft invalidation of something that the origin no longer has', async (t) => {
  let gone = false
  const origin = await startOrigin((_request, response) => {
    if (gone) response.writeHead(404).end('gone')
    else response.end('here')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  gone = true
  await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/a')
  assert.equal((await edge.get('/a')).body, 'here')
  for (let tries = 0; (await edge.get('/a')).status === 200 && tries < 500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal((await edge.get('/a')).status, 404)
})

test('while the origin fails, what was softly invalidated is served on', async (t) => {
  let broken = false
  const origin = await startOrigin((_request, response) => {
    if (broken) response.writeHead(500).end('broken')
    else response.setHeader('cache-control', 'max-age=1000').end('here')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  broken = true
  await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/a')
  for (let round = 0; round < 5; round++) assert.equal((await edge.get('/a')).body, 'here')
  assert.ok(origin.count('/a') <= 2, 'the origin is left alone for ErrorCachingMinTTL')
  broken = false
  await edge.feed.moveClock(11_000)
  for (let tries = 0; origin.count('/a') < 3 && tries < 500; tries++) {
    assert.equal((await edge.get('/a')).body, 'here')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(origin.count('/a'), 3)
})

test('must-revalidate: served while it is fresh, and not a moment longer', async (t) => {
  let held: PromiseWithResolvers<void> | null = null
  const origin = await startOrigin(async (request, response) => {
    await held?.promise
    response.setHeader('cache-control', 'max-age=100, must-revalidate')
    response.setHeader('etag', '"1"')
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
    else response.end('here')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/fresh')
  await edge.get('/expired')
  held = Promise.withResolvers()
  await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/fresh')
  assert.equal((await edge.get('/fresh')).xCache, 'Hit', 'its time is not over')
  await edge.feed.moveClock(101_000)
  await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/expired')
  const waits = edge.get('/expired')
  held.resolve()
  assert.equal((await waits).xCache, 'RefreshHit', 'the origin was asked first')
})
