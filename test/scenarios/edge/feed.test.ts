//! The control plane comes and goes; the edge serves on, and never answers with what was invalidated meanwhile.
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { LEASE_MS } from '../../../src/edge/feed-protocol.ts'
import { loadSnapshot } from '../../../src/edge/snapshot/disk-lines.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { DISTRIBUTION_ID, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

test('with no control plane the edge serves, from memory and after a restart from its snapshot on disk', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  await edge.feed.stop()
  assert.equal((await edge.get('/a')).xCache, 'Hit')
  assert.equal((await edge.get('/b')).xCache, 'Miss')
  await edge.workers[0]?.close()

  const file = join(edge.directory, 'worker-0.snapshot.json')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await loadSnapshot(file))?.distributions.length, 1)
  const again = await edge.addWorker('worker-0')
  await again.whenConfigured
  assert.equal((await edge.get('/a', { worker: 1 })).body, 'ok')
  assert.equal((await edge.get('/a', { worker: 1 })).xCache, 'Hit')
})

test('back on the feed, invalidations that were missed count at once', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal((await edge.get('/a')).body, 'v1')
  assert.equal((await edge.get('/b')).body, 'v1')
  await edge.feed.stop()
  version = 2
  edge.feed.commit((revision) => ({
    kind: 'invalidation',
    revision,
    invalidation: { id: 'I', distributionId: DISTRIBUTION_ID, paths: ['/a'] },
  }))
  await edge.feed.start()
  await edge.feed.workersReady(1)
  assert.equal(edge.feed.hellos.at(-1), 1)
  assert.equal((await edge.get('/a')).body, 'v2')
  assert.equal((await edge.get('/b')).xCache, 'Hit')
})

test('when the log of changes no longer reaches back, every cached object counts as invalidated', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  await edge.feed.stop()
  edge.feed.commit(() => ({ kind: 'distribution', id: DISTRIBUTION_ID, distribution: distributionDoc(origin.port) }))
  edge.feed.forgetLog()
  await edge.feed.start()
  await edge.feed.workersReady(1)
  assert.equal((await edge.get('/a')).xCache, 'Miss')
  assert.equal((await edge.get('/a')).xCache, 'Hit')
})

test('a worker that was frozen for longer than its lease catches up before it answers from the cache', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  let frozenMs = 0
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + frozenMs }
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { clock })
  assert.equal((await edge.get('/a')).body, 'v1')
  version = 2
  edge.feed.commit((revision) => ({
    kind: 'invalidation',
    revision,
    invalidation: { id: 'I', distributionId: DISTRIBUTION_ID, paths: ['/a'] },
  }))
  assert.equal((await edge.get('/a')).body, 'v1', 'within its lease it is still waited for')
  frozenMs = LEASE_MS + 1
  assert.equal((await edge.get('/a')).body, 'v2')
  assert.deepEqual(edge.feed.hellos, [-1, 1])
})

test('a worker that control has given up catches up before it answers, also when it hears of that first', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  let frozenMs = 0
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + frozenMs }
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { clock })
  assert.equal((await edge.get('/a')).body, 'v1')
  version = 2
  edge.feed.commit((revision) => ({
    kind: 'invalidation',
    revision,
    invalidation: { id: 'I', distributionId: DISTRIBUTION_ID, paths: ['/a'] },
  }))
  frozenMs = LEASE_MS + 1
  // The worker finds a closed feed before a viewer's request.
  await edge.feed.cut()
  assert.equal((await edge.get('/a')).body, 'v2')
})

test('a control plane with another history starts the cache anew', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (let round = 0; round < 3; round++) await edge.feed.put(distributionDoc(origin.port))
  await edge.get('/a')
  await edge.feed.stop()
  edge.feed.revision = 2
  edge.feed.forgetLog()
  edge.feed.greetsWithSnapshot = true
  await edge.feed.start()
  await edge.feed.workersReady(1)
  assert.equal((await edge.get('/a')).xCache, 'Miss')
  await edge.feed.invalidate(DISTRIBUTION_ID, '/a')
  assert.equal((await edge.get('/a')).xCache, 'Miss')
})

test('an acknowledged change is what every later request sees', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [])
  assert.equal((await edge.get('/')).status, 403)
  for (let round = 0; round < 5; round++) {
    await edge.feed.put(distributionDoc(origin.port))
    assert.equal((await edge.get('/')).status, 200)
    await edge.feed.put(distributionDoc(origin.port, { enabled: false }))
    assert.equal((await edge.get('/')).status, 403)
  }
  await edge.feed.put(distributionDoc(origin.port))
  await edge.feed.remove(DISTRIBUTION_ID)
  assert.equal((await edge.get('/')).status, 403)
})

test('a distribution that cannot be compiled leaves the others alone, and is named', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.feed.put(
    distributionDoc(origin.port, { id: 'EBROKENDISTRIB', domainName: 'dbroken.cloudfront.localhost', origins: [] }),
  )
  assert.equal((await edge.get('/')).status, 200)
  assert.match(edge.problems.join('\n'), /EBROKENDISTRIB cannot be served/)
})

test('questions: counters and the objects of a distribution, dead ones left out', async (t) => {
  const origin = await startOrigin((_asked, response) => response.setHeader('cache-control', 'max-age=60').end('12345'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const path of ['/a', '/a', '/b']) await edge.get(path)
  const counted = await edge.feed.ask({ kind: 'counters' })
  assert.ok(counted.kind === 'counters')
  const { requests, hits, misses, originRequests, objects } = counted.counters
  assert.deepEqual(
    { requests, hits, misses, originRequests, objects },
    { requests: 3, hits: 1, misses: 2, originRequests: 2, objects: 2 },
  )
  await edge.feed.invalidate(DISTRIBUTION_ID, '/b')
  const cached = await edge.feed.cached(DISTRIBUTION_ID)
  assert.deepEqual(
    cached.map((object) => object.key),
    [`${DISTRIBUTION_ID} /a`],
  )
  assert.ok((cached[0]?.ttlSeconds ?? 0) > 50)
})

test('a drained worker finishes what runs, then ends', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const origin = await startOrigin(async (_asked, response) => {
    arrived.resolve()
    await go.promise
    response.end('late')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const viewer = edge.get('/slow')
  await arrived.promise
  edge.feed.drain()
  // Until the port is closed: then nobody new is let in, and the viewer inside is still waiting.
  const refused = async (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(edge.port(), '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(false)
      })
      socket.once('error', () => resolve(true))
    })
  while (!(await refused()));
  go.resolve()
  assert.equal((await viewer).body, 'late')
  await edge.workers[0]?.whenDrained
})

test('the access log has a line for each answer', async (t) => {
  const origin = await startOrigin((_asked, response) => response.setHeader('content-type', 'text/css').end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a?x=1')
  const hit = await edge.get('/a?x=1')
  await edge.get('/', { host: 'nobody.example' })
  await edge.workers[0]?.drain()
  const text = await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')
  const lines = text
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.split('\t'))
  assert.deepEqual(
    lines.map((line) => line.length),
    [33, 33, 33],
  )
  assert.deepEqual(
    lines.map((line) => [line[8], line[13], line[28]]),
    [
      ['200', 'Miss', 'Miss'],
      ['200', 'Hit', 'Hit'],
      ['403', 'Error', 'InvalidRequest'],
    ],
  )
  assert.equal(lines[1]?.[6], HOST)
  assert.equal(lines[1]?.[7], '/a')
  assert.equal(lines[1]?.[11], 'x=1')
  assert.equal(lines[1]?.[14], hit.headers['x-amz-cf-id'])
  assert.deepEqual(lines[1]?.slice(29, 31), ['text/css', '2'])
})
