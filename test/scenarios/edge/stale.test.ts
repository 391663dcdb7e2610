//! Stale copies in a POP of several workers: an asker's copy stands in for an origin that fails when the owner of the key
//! has none, by the same rules and for no longer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownersOf } from '../../../src/edge/cache/owner.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { DISTRIBUTION_ID, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

for (const fails of ['with 503', 'without an answer'] as const) {
  test(`the owner came back empty and the origin fails ${fails}: the asker's copy is served while it may be`, async (t) => {
    let down = false
    const origin = await startOrigin((_asked, response) => {
      if (!down) return response.setHeader('cache-control', 'max-age=10, stale-if-error=60').end('object')
      if (fails === 'with 503') return response.writeHead(503).end('no')
      return response.socket?.destroy()
    })
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 3 })
    const identities = edge.workers.map(({ identity }) => identity)
    const keyOf = (path: string) => `${DISTRIBUTION_ID} ${path}`
    const path = ['/a', '/b', '/c', '/d', '/e', '/f'].find(
      (name) => ownersOf(keyOf(name), identities)[0]?.worker === 'worker-2',
    )
    assert.ok(path, 'one of six keys belongs to the third worker')
    assert.equal((await edge.get(path, { worker: 0 })).body, 'object')
    assert.equal(origin.count(path), 1)

    await edge.workers[2]?.close()
    await edge.addWorker('worker-2')
    await edge.feed.workersReady(3)
    edge.feed.tellWorkers([...identities.slice(0, 2), (edge.workers[3] as (typeof edge.workers)[0]).identity])
    down = true
    const clock = { offset: 20_000 }
    await edge.feed.moveClock(clock.offset)
    const stale = await edge.get(path, { worker: 0 })
    assert.deepEqual([stale.status, stale.body, stale.xCache], [200, 'object', 'Hit'])
    const asked = origin.count(path)
    for (let at = 0; at < 3; at++) assert.equal((await edge.get(path, { worker: 0 })).body, 'object')
    assert.equal(origin.count(path), asked, 'not asked again within ErrorCachingMinTTL')

    // Beyond stale-if-error it is as dead as at its owner.
    await edge.feed.moveClock(75_000)
    assert.equal((await edge.get(path, { worker: 0 })).status, fails === 'with 503' ? 503 : 502)
    down = false
    await edge.feed.moveClock(90_000)
    assert.equal((await edge.get(path, { worker: 0 })).body, 'object')
  })
}
