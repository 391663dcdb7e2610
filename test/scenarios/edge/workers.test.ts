//! One POP is one cache, whatever the number of workers.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
} from '../../support/edge-scenario.ts'

const WORKERS = [0, 1, 2]

test('three workers: one fetch a key, and the second request is a Hit whichever worker answers', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`page ${asked.url}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 3 })
  for (let page = 0; page < 12; page++) {
    const path = `/page/${page}`
    assert.equal((await edge.get(path, { worker: page % 3 })).xCache, 'Miss')
    for (const worker of WORKERS) {
      const answer = await edge.get(path, { worker })
      assert.equal(answer.xCache, 'Hit', `${path} from worker ${worker}`)
      assert.equal(answer.body, `page ${path}`)
    }
    assert.equal(origin.count(path), 1, path)
  }
})

test('three workers share one fetch of a cold object', async (t) => {
  const waiting: ServerResponse[] = []
  const arrived = Promise.withResolvers<void>()
  const origin = await startOrigin((_asked, response) => {
    waiting.push(response)
    arrived.resolve()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 3 })
  const viewers = WORKERS.flatMap((worker) => [edge.get('/cold', { worker }), edge.get('/cold', { worker })])
  await arrived.promise
  for (const worker of WORKERS) await edge.get('/', { worker, host: 'nobody.example' })
  waiting[0]?.end('x'.repeat(200_000))
  const answers = await Promise.all(viewers)
  for (const answer of answers) assert.equal(answer.body.length, 200_000)
  assert.equal(origin.count('/cold'), 1)
})

test('an invalidation reaches every copy, also while only one worker knows it', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 3 })
  for (const worker of WORKERS) assert.equal((await edge.get('/p', { worker })).body, 'v1')
  version = 2
  await edge.feed.invalidate(DISTRIBUTION_ID, '/p')
  for (const worker of WORKERS) assert.equal((await edge.get('/p', { worker })).body, 'v2')
  assert.equal(origin.count('/p'), 2)
})

test('an owner that has not heard of an invalidation yet does not answer whoever has', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 2 })
  const paths = ['/a', '/b', '/c', '/d']
  for (const path of paths) for (const worker of [0, 1]) assert.equal((await edge.get(path, { worker })).body, 'v1')
  version = 2
  await edge.feed.send(
    (revision) => ({
      kind: 'invalidation',
      revision,
      invalidation: { id: 'I', distributionId: DISTRIBUTION_ID, paths: ['/*'] },
    }),
    'worker-0',
  )
  const answers = await Promise.all(paths.map((path) => edge.get(path, { worker: 0 })))
  assert.deepEqual(
    answers.map((answer) => answer.body),
    ['v2', 'v2', 'v2', 'v2'],
  )
})

test('HEAD and ranges through a worker that lacks the object leave no empty object behind', async (t) => {
  const origin = await startOrigin((_asked, response) => response.setHeader('content-length', 4).end('body'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 3 })
  for (const path of ['/a', '/b', '/c', '/d']) {
    assert.equal((await edge.get(path, { worker: 0 })).body, 'body')
    for (const worker of [1, 2]) {
      const head = await edge.get(path, { worker, method: 'HEAD' })
      assert.deepEqual([head.status, head.headers['content-length'], head.xCache], [200, '4', 'Hit'])
      const part = await edge.get(path, { worker, headers: { range: 'bytes=0-1' } })
      assert.deepEqual([part.status, part.body, part.headers['content-range']], [206, 'bo', 'bytes 0-1/4'])
      const whole = await edge.get(path, { worker })
      assert.deepEqual([whole.body, whole.xCache], ['body', 'Hit'])
    }
    assert.equal(origin.count(path), 1)
  }
})

test('without control the workers of a POP go on as one cache, also after a restart', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 2 })
  // The list of workers comes after the configuration; a question is answered after both.
  for (const name of ['worker-0', 'worker-1']) await edge.feed.ask({ kind: 'counters' }, name)
  await edge.feed.stop()
  await Promise.all(edge.workers.map((worker) => worker.close()))
  for (const name of ['worker-0', 'worker-1']) await edge.addWorker(name)
  for (const path of ['/a', '/b', '/c']) {
    assert.equal((await edge.get(path, { worker: 2 })).xCache, 'Miss')
    assert.equal((await edge.get(path, { worker: 3 })).xCache, 'Hit')
    assert.equal(origin.count(path), 1)
  }
})

test('an owner that is gone is passed over', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count: 3 })
  const [, second, third] = edge.workers
  await second?.close()
  await third?.close()
  // The feed has not said yet that they are gone.
  for (let page = 0; page < 6; page++) {
    assert.equal((await edge.get(`/${page}`, { worker: 0 })).body, 'ok')
    assert.equal((await edge.get(`/${page}`, { worker: 0 })).xCache, 'Hit')
    assert.equal(origin.count(`/${page}`), 1)
  }
})

test('an expired copy of a worker is refreshed by its owner', async (t) => {
  let revalidated = 0
  const origin = await startOrigin((asked, response) => {
    response.setHeader('etag', '"1"')
    if (asked.headers['if-none-match'] === '"1"') {
      revalidated++
      response.statusCode = 304
      response.end()
      return
    }
    response.end('body')
  })
  t.after(() => origin.close())
  const behavior = behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 60 }) })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })], { count: 3 })
  for (const worker of WORKERS) await edge.get('/p', { worker })
  await edge.feed.moveClock(61_000)
  for (const worker of WORKERS) {
    const answer = await edge.get('/p', { worker })
    assert.equal(answer.body, 'body')
    assert.match(answer.xCache, /^(RefreshHit|Hit)$/)
  }
  assert.equal(revalidated, 1)
  assert.equal(origin.count('/p'), 2)
})
