//! Strict mode: a change is confirmed while one of the workers is away. What it has from before is never served again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Worker } from '../../../src/edge/worker.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']
const PATHS = Array.from({ length: 12 }, (_, at) => `/${at}`)
const KEPT = Array.from({ length: 12 }, (_, at) => `/kept/${at}`)

for (const told of ['told', 'not told'] as const) {
  test(`a worker that comes back has not what was changed while it was away (the others are ${told} of its end)`, async (t) => {
    const versions = new Map<string, number>()
    const origin = await startOrigin(({ method, url }, response) => {
      if (method === 'POST') versions.set(url, (versions.get(url) ?? 0) + 1)
      response.writeHead(200, { 'cache-control': 'max-age=3600' }).end(`${url} ${versions.get(url) ?? 0}`)
    })
    t.after(() => origin.close())
    const document = distributionDoc(origin.port, {
      rfcStrict: true,
      behaviors: [behaviorDoc({ allowedMethods: SEVEN })],
    })
    const edge = await EdgeScenario.start(t, [document], { count: 2, diskBytes: 32 * 1024 * 1024 })
    for (const path of [...PATHS, ...KEPT]) for (const worker of [0, 1]) await edge.get(path, { worker })
    const [stays, leaves] = edge.workers.splice(0) as [Worker, Worker]
    edge.workers.push(stays)
    await leaves.drain()
    if (told === 'told') edge.feed.tellWorkers([stays.identity])
    await edge.feed.ask({ kind: 'counters' })
    for (const path of PATHS) assert.equal((await edge.get(path, { method: 'POST' })).body, `${path} 1`)
    const asked = origin.asked.length
    await edge.addWorker('worker-1')
    await edge.feed.workersReady(2)
    edge.feed.tellWorkers(edge.workers.map((worker) => worker.identity))
    for (const worker of [1, 0]) {
      for (const path of PATHS) assert.equal((await edge.get(path, { worker })).body, `${path} 1`, `worker ${worker}`)
      for (const path of KEPT) assert.equal((await edge.get(path, { worker })).body, `${path} 0`)
    }
    assert.equal(origin.asked.length - asked, PATHS.length, 'what nobody changed is still on its disk')
  })
}

test('a worker that is not listed as live, and serves on, hears of a change too', async (t) => {
  const origin = await startOrigin(({ method }, response) => {
    if (method === 'POST') version++
    response.writeHead(200, { 'cache-control': 'max-age=3600' }).end(`${version}`)
  })
  let version = 0
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, {
    rfcStrict: true,
    behaviors: [behaviorDoc({ allowedMethods: SEVEN })],
  })
  const edge = await EdgeScenario.start(t, [document], { count: 2 })
  for (const worker of [0, 1]) await edge.get('/', { worker })
  // Control has started again, and worker-1 has not come back to it yet.
  edge.feed.tellWorkers([(edge.workers[0] as Worker).identity], 'worker-0')
  await edge.feed.ask({ kind: 'counters' }, 'worker-0')
  assert.equal((await edge.get('/', { method: 'POST', worker: 0 })).body, '1')
  assert.equal((await edge.get('/', { worker: 1 })).body, '1')
})
