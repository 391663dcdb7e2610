//! What a worker says it has cached: a walk in pages over both tiers, one URL, the fill; and tags that outlive the worker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InvalidationDoc } from '../../../src/domain/distribution.ts'
import type { Cursor, ObjectRequest, SeenObject } from '../../../src/edge/feed-protocol.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
} from '../../support/edge-scenario.ts'

const DISK = { diskBytes: 32 * 1024 * 1024 }
let walks = 0

async function walk(edge: EdgeScenario, invalidation: InvalidationDoc | null = null, prefix = '', worker = 'worker-0') {
  const id = `walk-${walks++}`
  const objects: SeenObject[] = []
  let pages = 0
  for (let cursor: Cursor | null = { tier: 'memory', at: 0 }; cursor !== null; pages++) {
    const wanted = pages === 0 ? { distributionId: DISTRIBUTION_ID, prefix, invalidation } : null
    const answer = await edge.feed.ask({ kind: 'objects', walk: id, wanted, cursor }, worker)
    assert.ok(answer.kind === 'objects', JSON.stringify(answer))
    objects.push(...answer.objects)
    cursor = answer.next
  }
  return { objects, pages }
}

async function find(edge: EdgeScenario, path: string, changes: Partial<ObjectRequest> = {}) {
  const request = { scheme: 'http' as const, host: HOST, path, query: null, headers: [], ...changes }
  const answer = await edge.feed.ask({ kind: 'object', request })
  assert.ok(answer.kind === 'object')
  return answer.found
}

const tagged = { cacheTagHeader: 'x-tags' }

async function startTagged() {
  return startOrigin((asked, response) => {
    response.setHeader('cache-control', 'max-age=1000')
    response.setHeader('x-tags', asked.url.startsWith('/img') ? 'Image' : 'page')
    response.end(`this is ${asked.url}`)
  })
}

test('a walk finds every object once, in pages; a dry run those that would go', async (t) => {
  const origin = await startTagged()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, tagged)])
  const paths = Array.from({ length: 600 }, (_, at) => (at % 2 === 0 ? `/img/${at}` : `/page/${at}`))
  for (const path of paths) await edge.get(path)
  const all = await walk(edge)
  assert.deepEqual(all.objects.map(({ uri }) => uri).sort(), [...paths].sort())
  assert.ok(all.pages >= 3, 'at most 256 a page')
  const { key, what, tiers, owned, status, standing, tags, ttlSource } = all.objects[0] as SeenObject
  assert.deepEqual([key, what, tiers, owned], [`${DISTRIBUTION_ID} /img/0`, 'object', ['memory'], true])
  assert.deepEqual([status, standing, tags, ttlSource], [200, 'fresh', ['image'], 'max-age'])
  assert.equal(
    (await walk(edge, null, '/img/1')).objects.length,
    paths.filter((path) => path.startsWith('/img/1')).length,
  )

  const items = ['#IMAGE', '/page/1', '/img/1*', '/none']
  const invalidation = { id: 'dry', distributionId: DISTRIBUTION_ID, paths: items, tagHeader: 'x-tags' }
  const dry = await walk(edge, invalidation)
  assert.equal(dry.objects.length, 301)
  assert.deepEqual(dry.objects.find(({ uri }) => uri === '/img/10')?.items, ['#IMAGE', '/img/1*'])
  assert.deepEqual(dry.objects.find(({ uri }) => uri === '/page/1')?.items, ['/page/1'])
  assert.equal((await edge.get('/img/10')).xCache, 'Hit', 'a dry run drops nothing')

  await edge.feed.invalidate(DISTRIBUTION_ID, ...items)
  const left = await walk(edge)
  assert.equal(left.objects.length, 299, 'exactly what the dry run told is gone')
  assert.ok(left.objects.every(({ uri }) => uri.startsWith('/page')))
  await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/page/3')
  assert.deepEqual(
    (await walk(edge)).objects
      .filter(({ standing }) => standing !== 'fresh')
      .map(({ uri, standing }) => [uri, standing]),
    [['/page/3', 'softly-invalidated']],
  )
  const lost = await edge.feed.ask({
    kind: 'objects',
    walk: 'never begun',
    wanted: null,
    cursor: { tier: 'memory', at: 0 },
  })
  assert.equal(lost.kind, 'error')
})

test('after a restart objects are found on disk, with tags that still count', async (t) => {
  const origin = await startTagged()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, tagged)], DISK)
  for (const path of ['/img/a', '/img/b', '/page']) await edge.get(path)
  await edge.pause()
  await edge.resume()
  assert.equal((await edge.get('/page')).xCache, 'Hit')
  const { objects } = await walk(edge)
  assert.deepEqual(objects.map(({ uri, tiers }) => `${uri} ${tiers.join('+')}`).sort(), [
    '/img/a disk',
    '/img/b disk',
    '/page memory+disk',
  ])
  const found = await find(edge, '/img/a')
  assert.deepEqual([found.object, found.onDisk], [null, true])
  await edge.feed.invalidate(DISTRIBUTION_ID, '#image')
  assert.equal((await edge.get('/img/a')).xCache, 'Miss')
  assert.equal((await edge.get('/page')).xCache, 'Hit')
})

test('what a URL finds: the key, by headers and root object; nothing of it counts as a request', async (t) => {
  const origin = await startTagged()
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    cachePolicy: cachePolicy({ gzip: true, brotli: true, queryStrings: { behavior: 'whitelist', names: ['x'] } }),
  })
  const uncached = behaviorDoc({ pathPattern: '/api/*', cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }) })
  const document = distributionDoc(origin.port, {
    ...tagged,
    defaultRootObject: 'index.html',
    behaviors: [uncached, behavior],
  })
  const edge = await EdgeScenario.start(t, [document])
  await edge.get('/?x=1&other=2', { headers: { 'accept-encoding': 'br' } })
  const headers = ['Accept-Encoding', 'br, gzip;q=0']
  const found = await find(edge, '/', { query: 'x=1', headers })
  assert.deepEqual([found.distributionId, found.behavior, found.owner], [DISTRIBUTION_ID, '*', 'worker-0'])
  assert.equal(found.key, `${DISTRIBUTION_ID} /index.html?x=1\naccept-encoding: br`)
  assert.equal(found.object?.uri, '/index.html?x=1')
  assert.equal((await find(edge, '/', { query: 'x=1' })).object, null, 'another encoding is another key')
  assert.equal((await find(edge, '/api/a')).key, '')
  assert.equal((await find(edge, '/', { host: 'unknown.example' })).distributionId, null)
  assert.equal(origin.asked.length, 1)
  const answer = await edge.feed.ask({ kind: 'storage' })
  assert.ok(answer.kind === 'storage')
  const [memory, disk] = answer.storage.tiers
  assert.deepEqual([memory?.tier, memory?.objects, memory?.evicted, disk?.state], ['memory', 1, 0, 'off'])
  assert.ok((memory?.bytes ?? 0) <= (memory?.bytesMax ?? 0))
  assert.deepEqual(answer.storage.requests, { hits: 0, refreshHits: 0, misses: 1, errors: 0 })
})
