//! Invalidations as viewers see them: which paths match (spec/cloudfront.md 8), and cache tags, on one worker and three.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
} from '../../support/edge-scenario.ts'

const TAGGED: Partial<DistributionDoc> = { cacheTagHeader: 'x-tags' }

/** What an invalidation does to an object that was fetched with a request. */
const PATHS: readonly {
  readonly why: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly items: readonly string[]
  readonly dies: boolean
}[] = [
  { why: 'the path', path: '/a.jpg', items: ['/a.jpg'], dies: true },
  { why: 'one of several', path: '/a.jpg', items: ['/b', '/a.jpg'], dies: true },
  { why: 'another case', path: '/a.jpg', items: ['/A.jpg'], dies: false },
  { why: 'everything', path: '/a.jpg', items: ['/*'], dies: true },
  { why: 'a wildcard crosses slashes', path: '/img/a/b.jpg', items: ['/img/*'], dies: true },
  { why: 'a wildcard matches no characters too', path: '/img/', items: ['/img/*'], dies: true },
  { why: 'a wildcard within a name', path: '/image.jpg', items: ['/im*'], dies: true },
  { why: 'a wildcard of another directory', path: '/images/a', items: ['/img*'], dies: false },
  { why: 'a directory is not its name without the slash', path: '/dir/', items: ['/dir'], dies: false },
  { why: 'nor the other way round', path: '/dir', items: ['/dir/'], dies: false },
  { why: 'the query must be there when it is keyed', path: '/q?x=1', items: ['/q'], dies: false },
  { why: 'the exact query', path: '/q?x=1', items: ['/q?x=1'], dies: true },
  { why: 'another query', path: '/q?x=1', items: ['/q?x=12'], dies: false },
  { why: 'a wildcard crosses the query', path: '/q?x=1', items: ['/q*'], dies: true },
  { why: 'a query that is not keyed does not count', path: '/q?other=1', items: ['/q'], dies: true },
  { why: 'a variant of a header', path: '/v', headers: { 'x-tenant': 'one' }, items: ['/v'], dies: true },
  { why: 'a variant of a cookie', path: '/v', headers: { cookie: 'theme=dark' }, items: ['/v'], dies: true },
  { why: 'a compressed variant', path: '/v', headers: { 'accept-encoding': 'br' }, items: ['/v'], dies: true },
  { why: 'encoded as it was asked for', path: '/caf%C3%A9', items: ['/caf%C3%A9'], dies: true },
  { why: 'the root by its object', path: '/', items: ['/index.html'], dies: true },
  { why: 'the root by itself', path: '/', items: ['/'], dies: true },
  { why: 'the object of the root by the root', path: '/index.html', items: ['/'], dies: true },
  { why: 'a tag that looks like the path', path: '/a.jpg', items: ['#/a.jpg'], dies: false },
]

const policy = cachePolicy({
  headers: { behavior: 'whitelist', names: ['x-tenant'] },
  cookies: { behavior: 'whitelist', names: ['theme'] },
  queryStrings: { behavior: 'whitelist', names: ['x'] },
  gzip: true,
  brotli: true,
})

for (const count of [1, 3]) {
  test(`which paths match, ${count} workers`, async (t) => {
    const origin = await startOrigin((_asked, response) => void response.end('x'))
    t.after(() => origin.close())
    const document = distributionDoc(origin.port, {
      ...TAGGED,
      defaultRootObject: 'index.html',
      behaviors: [behaviorDoc({ cachePolicy: policy })],
    })
    const edge = await EdgeScenario.start(t, [document], { count })
    for (const { why, path, headers = {}, items, dies } of PATHS) {
      await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
      assert.equal((await edge.get(path, { headers })).xCache, 'Miss', why)
      for (let worker = 0; worker < count; worker++) await edge.get(path, { headers, worker })
      await edge.feed.invalidate(DISTRIBUTION_ID, ...items)
      const after = await edge.get(path, { headers, worker: count - 1 })
      assert.equal(after.xCache, dies ? 'Miss' : 'Hit', `${why}: ${path} by ${items}`)
    }
  })

  test(`by tag, ${count} workers`, async (t) => {
    let tags = 'product:tv, Brand:ACME'
    const origin = await startOrigin((asked, response) => {
      response.setHeader('etag', '"1"')
      response.setHeader('cache-control', asked.url.startsWith('/short') ? 'max-age=10' : 'max-age=1000')
      if (tags !== '') response.setHeader('X-Tags', tags)
      if (asked.headers['if-none-match'] !== undefined) response.writeHead(304).end()
      else response.end(asked.url)
    })
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, TAGGED)], { count })
    const worker = count - 1
    const state = async (path: string): Promise<string> => (await edge.get(path, { worker })).xCache
    const cached = async (...paths: string[]) => {
      for (const path of paths) for (let at = 0; at < count; at++) await edge.get(path, { worker: at })
      for (const path of paths) assert.equal(await state(path), 'Hit', path)
    }

    await cached('/a', '/b')
    assert.equal((await edge.get('/a')).headers['x-tags'], 'product:tv, Brand:ACME', 'the viewer sees the header')
    await edge.feed.invalidate(DISTRIBUTION_ID, '#brand:acme')
    assert.deepEqual([await state('/a'), await state('/b')], ['Miss', 'Miss'])

    await cached('/a', '/b')
    await edge.feed.invalidate(DISTRIBUTION_ID, '#brand:other', '#brand:ac*', '#brand')
    assert.deepEqual([await state('/a'), await state('/b')], ['Hit', 'Hit'], 'no wildcards')
    tags = ''
    await cached('/plain')
    await edge.feed.invalidate(DISTRIBUTION_ID, '#none', '/a')
    assert.deepEqual([await state('/a'), await state('/b'), await state('/plain')], ['Miss', 'Hit', 'Hit'], 'any item')

    tags = 'first'
    await cached('/short')
    tags = 'second'
    await edge.feed.moveClock(11_000)
    assert.equal(await state('/short'), 'RefreshHit')
    await edge.feed.invalidate(DISTRIBUTION_ID, '#first')
    assert.notEqual(await state('/short'), 'Miss', 'the 304 has changed the tags')
    await edge.feed.invalidate(DISTRIBUTION_ID, '#second')
    assert.equal(await state('/short'), 'Miss')
  })
}

test('a tag invalidation during a fetch keeps its answer out of the cache, and nobody joins it any more', async (t) => {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>()
  const { promise: mayAnswer, resolve: answerNow } = Promise.withResolvers<void>()
  let version = 'old'
  const origin = await startOrigin(async (_asked, response) => {
    const mine = version
    if (mine === 'old') {
      isAsked()
      await mayAnswer
    }
    response.setHeader('x-tags', 'sale')
    response.end(mine)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, TAGGED)])
  const before = edge.get('/p')
  await asked
  version = 'new'
  await edge.feed.invalidate(DISTRIBUTION_ID, '#sale')
  assert.equal((await edge.get('/p')).body, 'new', 'asked after the invalidation')
  answerNow()
  assert.equal((await before).body, 'old', 'asked before it')
  assert.deepEqual(await edge.get('/p').then(({ body, xCache }) => [body, xCache]), ['new', 'Hit'])
})

test('changing the header orphans the tags it gave; removing it ends their reading', async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.setHeader('x-tags', 'one')
    response.setHeader('other-tags', 'one')
    response.end('x')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, TAGGED)])
  const state = async (path: string): Promise<string> => (await edge.get(path)).xCache
  await edge.get('/a')
  await edge.feed.put(distributionDoc(origin.port, { cacheTagHeader: 'other-tags' }))
  await edge.get('/b')
  await edge.feed.invalidate(DISTRIBUTION_ID, '#one')
  assert.deepEqual([await state('/a'), await state('/b')], ['Hit', 'Miss'])
  await edge.feed.put(distributionDoc(origin.port))
  await edge.get('/c')
  await edge.feed.put(distributionDoc(origin.port, { cacheTagHeader: 'other-tags' }))
  await edge.feed.invalidate(DISTRIBUTION_ID, '#one')
  assert.deepEqual([await state('/b'), await state('/c')], ['Miss', 'Hit'])
})
