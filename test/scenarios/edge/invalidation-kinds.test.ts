//! Invalidations of what is more than one object: a large object in slices, the variants of strict mode, errors.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { type Asked, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, DISTRIBUTION_ID, distributionDoc, EdgeScenario, NONE } from '../../support/edge-scenario.ts'

const SIZE = 6 * 1024 * 1024
/** Over the limit of what memory keeps whole, so that it is kept in slices. */
const RANGE = 'bytes=3000000-3000009'

function answerLarge(version: number, { headers }: Asked, response: ServerResponse): void {
  const etag = `"v${version}"`
  response.setHeader('etag', etag)
  response.setHeader('cache-control', 'max-age=1000')
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('x-tags', 'big')
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
  if (headers['if-none-match'] === etag) response.writeHead(304).end()
  else if (
    first !== undefined &&
    [undefined, etag].includes(headers['if-match'] ?? String(headers['if-range'] ?? etag))
  ) {
    const [from, to] = [Number(first), Math.min(SIZE - 1, Number(last))]
    response.setHeader('content-range', `bytes ${from}-${to}/${SIZE}`)
    response.setHeader('content-length', to - from + 1)
    response.writeHead(206).end(Buffer.alloc(to - from + 1, `${version}`))
  } else response.setHeader('content-length', SIZE).end(Buffer.alloc(SIZE, `${version}`))
}

for (const count of [1, 3]) {
  test(`a large object in slices: by tag, by path, softly, ${count} workers`, async (t) => {
    let version = 1
    const origin = await startOrigin((asked, response) => answerLarge(version, asked, response))
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { cacheTagHeader: 'x-tags' })], { count })
    const see = async (worker: number) => {
      const { body, xCache } = await edge.get('/big', { headers: { range: RANGE }, worker })
      return `${body} ${xCache}`
    }
    const of = (digit: number, xCache: string) => `${String(digit).repeat(10)} ${xCache}`
    const everywhere = async () => {
      assert.equal(await see(0), of(version, 'Miss'))
      for (let worker = 0; worker < count; worker++) assert.equal(await see(worker), of(version, 'Hit'))
    }
    await everywhere()
    const kinds = (
      await Promise.all(edge.workers.map(({ identity }) => edge.feed.cached(DISTRIBUTION_ID, identity.worker)))
    ).flat()
    assert.ok(kinds.some(({ what, tags }) => what === 'slices' && tags.join() === 'big'))
    version = 2
    await edge.feed.invalidate(DISTRIBUTION_ID, '#big')
    await everywhere()
    version = 3
    await edge.feed.invalidate(DISTRIBUTION_ID, '/b*')
    await everywhere()
    version = 4
    await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/big')
    assert.equal(await see(0), of(3, 'Hit'))
    for (let tries = 0; (await see(0)) === of(3, 'Hit') && tries < 500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 5))
    assert.match(await see(0), /^4{10} /)
  })

  test(`strict mode: all variants of a path or tag go at once, ${count} workers`, async (t) => {
    const origin = await startOrigin(({ headers }, response) => {
      response.setHeader('cache-control', 'max-age=1000')
      response.setHeader('vary', 'X-Color')
      response.setHeader('x-tags', `all, ${headers['x-color']}`)
      response.end(`${headers['x-color']}`)
    })
    t.after(() => origin.close())
    const originRequestPolicy = {
      id: 'all',
      headers: { behavior: 'allViewer', names: [] },
      cookies: NONE,
      queryStrings: NONE,
    } as const
    const behaviors = [behaviorDoc({ originRequestPolicy })]
    const document = distributionDoc(origin.port, { cacheTagHeader: 'x-tags', rfcStrict: true, behaviors })
    const edge = await EdgeScenario.start(t, [document], { count })
    const see = async (color: string) => {
      const { body, xCache } = await edge.get('/v', { headers: { 'x-color': color }, worker: count - 1 })
      assert.equal(body, color)
      return xCache
    }
    const fill = async () => {
      for (const color of ['red', 'blue']) {
        await see(color)
        assert.equal(await see(color), 'Hit')
      }
    }
    for (const item of ['/v', '/v*', '#all']) {
      await fill()
      await edge.feed.invalidate(DISTRIBUTION_ID, item)
      assert.deepEqual([await see('red'), await see('blue')], ['Miss', 'Miss'], item)
    }
    await fill()
    await edge.feed.invalidate(DISTRIBUTION_ID, '#blue')
    assert.deepEqual([await see('red'), await see('blue')], ['Hit', 'Miss'], 'only the variants that have the tag')
  })
}

test('a cached error goes by its path and by its tag', async (t) => {
  let status = 404
  const origin = await startOrigin((_asked, response) => {
    response.setHeader('x-tags', 'shop')
    response.writeHead(status).end(`${status}`)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { cacheTagHeader: 'x-tags' })])
  for (const item of ['/e', '#shop']) {
    status = 404
    await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
    assert.equal((await edge.get('/e')).status, 404)
    status = 200
    assert.equal((await edge.get('/e')).status, 404, 'the error is cached')
    await edge.feed.invalidate(DISTRIBUTION_ID, item)
    assert.equal((await edge.get('/e')).status, 200, item)
  }
})
