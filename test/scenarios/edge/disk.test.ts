//! The disk tier seen from the viewer: what survives the end of a worker, and what must not.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { MovableClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
} from '../../support/edge-scenario.ts'

const MIB = 1024 * 1024
const disk = { diskBytes: 32 * MIB }

interface Traced {
  readonly steps: readonly { readonly name: string; readonly facts: Readonly<Record<string, unknown>> }[]
}

/** The tier that the trace of a request names. */
async function tierOf(edge: EdgeScenario, path: string): Promise<unknown> {
  const { headers } = await edge.get(path, { headers: { 'x-cachefront-explain': '1' } })
  const answer = await edge.feed.ask({ kind: 'trace', traceId: String(headers['x-cachefront-trace']) })
  assert.ok(answer.kind === 'trace')
  return (answer.trace as Traced).steps.find((step) => 'tier' in step.facts)?.facts.tier
}

async function counters(edge: EdgeScenario, worker = 'worker-0'): Promise<Readonly<Record<string, number>>> {
  const answer = await edge.feed.ask({ kind: 'counters' }, worker)
  assert.ok(answer.kind === 'counters')
  return answer.counters
}

test('a worker that ended and came back answers from its disk, small objects and large ones', async (t) => {
  const large = 'x'.repeat(MIB)
  const origin = await startOrigin((asked, response) => {
    response.setHeader('Cache-Control', 'max-age=1000')
    response.setHeader('ETag', '"1"')
    if (asked.url === '/missing') response.statusCode = 404
    response.end(asked.url === '/large' ? large : `page ${asked.url}`)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  const paths = ['/small', '/large', '/missing']
  const before = await Promise.all(paths.map((path) => edge.get(path)))
  await edge.pause()
  await edge.resume()
  assert.equal(await tierOf(edge, '/small'), 'disk')
  assert.equal(await tierOf(edge, '/small'), 'memory')
  const together = await Promise.all([1, 2, 3, 4].map(() => edge.get('/large')))
  for (const answer of together) assert.deepEqual([answer.xCache, answer.body === large], ['Hit', true])
  const after = await Promise.all(paths.map((path) => edge.get(path)))
  for (const [at, answer] of after.entries()) {
    assert.ok(answer.body === before[at]?.body)
    assert.equal(answer.status, before[at]?.status)
    assert.equal(answer.headers.etag, '"1"')
  }
  for (const path of paths) assert.equal(origin.count(path), 1, path)
  const counted = await counters(edge)
  assert.equal(counted.diskObjects, 3)
  assert.equal(counted.diskHits, 3, 'four viewers of the large object are one read')
  assert.equal(counted.diskLimit, disk.diskBytes)
  const part = await edge.get('/large', { headers: { range: 'bytes=10-19' } })
  assert.deepEqual([part.status, part.body], [206, 'x'.repeat(10)])
  assert.equal((await edge.get('/small', { method: 'HEAD' })).xCache, 'Hit')
})

test('three workers come back, each with what it owns', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`page ${asked.url}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { ...disk, count: 3 })
  const paths = [...Array(24).keys()].map((at) => `/p/${at}`)
  for (const [at, path] of paths.entries()) await edge.get(path, { worker: at % 3 })
  await edge.pause()
  await edge.resume(3)
  for (const [at, path] of paths.entries()) {
    const answer = await edge.get(path, { worker: (at + 1) % 3 })
    assert.deepEqual([answer.xCache, answer.body], ['Hit', `page ${path}`], path)
    assert.equal(origin.count(path), 1)
  }
  const each = await Promise.all(['worker-0', 'worker-1', 'worker-2'].map((name) => counters(edge, name)))
  assert.equal(
    each.reduce((sum, one) => sum + (one.diskObjects ?? 0), 0),
    paths.length,
    'one copy of each object is on disk',
  )
})

test('what was invalidated while the worker was away is not served', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  for (const path of ['/gone', '/kept']) await edge.get(path)
  await edge.pause()
  version = 2
  edge.feed.commit((revision) => ({
    kind: 'invalidation',
    revision,
    invalidation: { id: 'I', distributionId: DISTRIBUTION_ID, paths: ['/gone'] },
  }))
  await edge.resume()
  assert.equal((await edge.get('/gone')).body, 'v2')
  assert.deepEqual((await edge.get('/kept')).body, 'v1')
})

test('what was invalidated before the worker ended stays so, although nobody tells it again', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  for (const path of ['/one', '/dir/a', '/kept']) await edge.get(path)
  version = 2
  await edge.feed.invalidate(DISTRIBUTION_ID, '/one', '/dir/*')
  for (let again = 0; again < 2; again++) {
    await edge.pause()
    await edge.resume()
  }
  assert.equal(edge.feed.hellos.at(-1), edge.feed.revision, 'the feed has nothing new for it')
  for (const path of ['/one', '/dir/a']) assert.equal((await edge.get(path)).body, 'v2', path)
  assert.equal((await edge.get('/kept')).body, 'v1')
  await edge.pause()
  await edge.resume()
  version = 3
  for (const path of ['/one', '/dir/a']) assert.equal((await edge.get(path)).body, 'v2', `${path} was fetched after`)
})

test('an invalidation is on disk when it is acknowledged', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('body'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  for (let at = 0; at < 20; at++) {
    await edge.feed.invalidate(DISTRIBUTION_ID, `/p/${at}`)
    const journal = await readFile(join(edge.diskDirectory(), 'journal'), 'utf8')
    assert.ok(journal.includes(`"/p/${at}"`), `${at}`)
    assert.ok(journal.includes(`"reached","revision":${edge.feed.revision}}`))
  }
})

test('a feed that no longer reaches back makes all objects on disk count as invalidated, for good', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  await edge.get('/p')
  await edge.get('/q')
  await edge.pause()
  version = 2
  edge.feed.commit((revision) => ({
    kind: 'invalidation',
    revision,
    invalidation: { id: 'I', distributionId: DISTRIBUTION_ID, paths: ['/other'] },
  }))
  edge.feed.forgetLog()
  edge.feed.greetsWithSnapshot = true
  await edge.resume()
  assert.equal((await edge.get('/p')).body, 'v2')
  edge.feed.greetsWithSnapshot = false
  await edge.pause()
  await edge.resume()
  assert.equal((await edge.get('/q')).body, 'v2', 'not asked for in the life that was told')
  assert.equal((await edge.get('/p')).xCache, 'Hit')
})

test('a state that was reset has another history: nothing on disk is served', async (t) => {
  let version = 1
  const origin = await startOrigin((_asked, response) => response.end(`v${version}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  for (let at = 0; at < 5; at++) await edge.feed.invalidate(DISTRIBUTION_ID, `/none/${at}`)
  await edge.get('/p')
  await edge.pause()
  version = 2
  edge.feed.revision = 2
  edge.feed.forgetLog()
  edge.feed.greetsWithSnapshot = true
  await edge.resume()
  assert.equal((await edge.get('/p')).body, 'v2')
  await edge.pause()
  await edge.resume()
  assert.deepEqual((await edge.get('/p')).body, 'v2')
})

test('an expired object comes back from disk for the origin to confirm', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.setHeader('ETag', '"same"')
    response.setHeader('Cache-Control', 'max-age=10')
    if (asked.headers['if-none-match'] === '"same"') response.statusCode = 304
    response.end(response.statusCode === 304 ? '' : 'body')
  })
  t.after(() => origin.close())
  const clock = new MovableClock()
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { ...disk, clock })
  await edge.get('/p')
  await edge.pause()
  clock.moveTo(20_000)
  await edge.resume()
  const answer = await edge.get('/p')
  assert.deepEqual([answer.xCache, answer.body], ['RefreshHit', 'body'])
  // The confirmation is on disk as well.
  await edge.pause()
  await edge.resume()
  assert.equal((await edge.get('/p')).xCache, 'Hit')
  assert.equal(origin.count('/p'), 2)
})

test('when the clock went back, what seems to come from the future is not called fresh', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('body'))
  t.after(() => origin.close())
  const clock = new MovableClock()
  clock.moveTo(3_600_000)
  const later = await EdgeScenario.start(t, [distributionDoc(origin.port)], { ...disk, clock })
  await later.get('/p')
  await later.pause()
  const behind = Object.create(clock, { now: { value: () => Date.now() } }) as MovableClock
  await later.resume(1, { clock: behind })
  assert.notEqual((await later.get('/p')).xCache, 'Hit')
  assert.equal(origin.count('/p'), 2)
})

test('objects that memory had to give up come back from disk', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.url.padEnd(40_000, 'x')))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { ...disk, cacheBytes: 4 * MIB })
  const paths = [...Array(200).keys()].map((at) => `/p/${at}`)
  for (const path of paths) await edge.get(path)
  for (const path of paths) assert.ok((await edge.get(path)).body === path.padEnd(40_000, 'x'), path)
  const counted = await counters(edge)
  assert.ok((counted.diskHits ?? 0) > 50, `${counted.diskHits}`)
  for (const path of paths) assert.equal(origin.count(path), 1)
})

test('damaged while it was away: nothing wrong is served, one line says so, and the cache works on', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`page ${asked.url} `.repeat(400)))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  const paths = [...Array(60).keys()].map((at) => `/p/${at}`)
  const body = (path: string) => `page ${path} `.repeat(400)
  for (const harm of ['journal cut', 'journal gone wrong', 'segment cut', 'segment overwritten'] as const) {
    for (const path of paths) assert.ok((await edge.get(path)).body === body(path), harm)
    await edge.pause()
    edge.problems.length = 0
    const journal = join(edge.diskDirectory(), 'journal')
    const segment = join(edge.diskDirectory(), 'segment-0000')
    if (harm === 'journal cut') await truncate(journal, 200)
    else if (harm === 'journal gone wrong') {
      const text = await readFile(journal, 'utf8')
      await writeFile(journal, text.replace('"storeId":', '"storeid":'))
    } else if (harm === 'segment cut') await truncate(segment, 50_000)
    else await writeFile(segment, Buffer.alloc(40_000, 'Z'), { flag: 'r+' })
    await edge.resume()
    for (const path of paths) assert.ok((await edge.get(path)).body === body(path), harm)
    if (harm.startsWith('journal')) assert.match(edge.problems.join('\n'), /set aside and begun anew: its journal/)
  }
  assert.ok(
    (await readdir(edge.diskDirectory())).filter((name) => name.startsWith('set-aside-')).length <= 1,
    'only the last one that was set aside is kept',
  )
})

test('without a directory to write to the worker goes on with its memory and says so', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('body'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], disk)
  await edge.pause()
  const directory = edge.diskDirectory('worker-9')
  await mkdir(dirname(directory), { recursive: true })
  await writeFile(directory, 'a file in its place')
  await edge.addWorker('worker-9')
  await edge.feed.workersReady(1)
  assert.equal((await edge.get('/p')).xCache, 'Miss')
  assert.equal((await edge.get('/p')).xCache, 'Hit')
  assert.match(edge.problems.join('\n'), /the disk cache cannot be used, the memory goes on alone: .*not a directory/)
})

test('a storm of objects through a worker keeps the limit at every look', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.url.padEnd(60_000, 'y')))
  t.after(() => origin.close())
  const diskBytes = 8 * MIB
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { diskBytes, cacheBytes: 4 * MIB })
  for (let round = 0; round < 12; round++) {
    await Promise.all([...Array(40).keys()].map((at) => edge.get(`/s/${round}/${at}`)))
    let bytes = 0
    for (const name of await readdir(edge.diskDirectory())) {
      bytes += (await stat(join(edge.diskDirectory(), name)).catch(() => ({ size: 0 }))).size
    }
    assert.ok(bytes > 0 && bytes <= diskBytes, `${bytes}`)
  }
  const counted = await counters(edge)
  assert.ok((counted.diskEvicted ?? 0) > 0)
  assert.ok((counted.diskBytes ?? 0) <= diskBytes)
})

test("what is not the owner's to keep is not written: cookies, private answers, copies", async (t) => {
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/private') response.setHeader('Cache-Control', 'no-store')
    response.end('body')
  })
  t.after(() => origin.close())
  const policy = cachePolicy({ defaultTtl: 100 })
  const edge = await EdgeScenario.start(
    t,
    [distributionDoc(origin.port, { behaviors: [behaviorDoc({ cachePolicy: policy })] })],
    disk,
  )
  await edge.get('/private')
  await edge.get('/public')
  await edge.pause()
  await edge.resume()
  assert.equal((await edge.get('/private')).xCache, 'Miss')
  assert.equal((await edge.get('/public')).xCache, 'Hit')
  assert.equal((await counters(edge)).diskObjects, 1)
})
