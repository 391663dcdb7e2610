//! Custom error responses: which answer gets a page, what the viewer and the log see, and for how long errors stay.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BehaviorDoc, ErrorResponseDoc } from '../../../src/domain/distribution.ts'
import { type OriginHandler, startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  originDoc,
} from '../../support/edge-scenario.ts'

interface Site {
  readonly origin: TestOrigin
  readonly edge: EdgeScenario
}

const row = (errorCode: number, path: string, responseCode: number, cachingMinTtlSeconds = 10): ErrorResponseDoc => ({
  errorCode,
  cachingMinTtlSeconds,
  page: { path, responseCode },
})

async function site(
  t: TestContext,
  errorResponses: readonly ErrorResponseDoc[],
  handler: OriginHandler,
  parts: { readonly count?: number; readonly behaviors?: readonly BehaviorDoc[] } = {},
): Promise<Site> {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const { count = 1, behaviors = [behaviorDoc()] } = parts
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { errorResponses, behaviors })], { count })
  return { origin, edge }
}

/** `/errors/...` are pages; everything else does not exist. */
const nothingThere: OriginHandler = ({ url }, response) => {
  response.statusCode = url.startsWith('/errors/') ? 200 : 404
  response.setHeader('Content-Type', 'text/html')
  response.end(url.startsWith('/errors/') ? `page ${url}` : 'origin says no')
}

for (const count of [1, 3]) {
  test(`${count} worker(s): an error of the origin gets its page, its code and one fetch each`, async (t) => {
    const { origin, edge } = await site(t, [row(404, '/errors/404.html', 200)], nothingThere, { count })
    for (const worker of [0, 1, 2, 0].slice(0, count + 1).map((at) => at % count)) {
      const answer = await edge.get('/gone', { worker, headers: { range: 'bytes=0-2', 'if-none-match': '*' } })
      assert.equal(answer.status, 200)
      assert.equal(answer.body, 'page /errors/404.html')
      assert.equal(answer.xCache, 'Error')
      assert.equal(answer.headers['content-type'], 'text/html')
    }
    assert.equal(origin.count('/errors/404.html'), 1, 'the page is an object of the cache')
    const head = await edge.get('/gone', { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.body, '')
    assert.equal(head.headers['content-length'], String('page /errors/404.html'.length))
    const page = await edge.get('/errors/404.html')
    assert.equal(page.xCache, 'Hit', 'asked for by its own name it is no error')
    const other = await edge.get('/gone-too')
    assert.equal(other.body, 'page /errors/404.html')
    assert.equal(origin.count('/errors/404.html'), 1)
  })
}

test('a page at the root is the same at every worker, the default root object or not', async (t) => {
  const origin = await startOrigin(({ url }, response) => {
    response.writeHead(url.startsWith('/gone') ? 404 : 200).end(url)
  })
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, {
    defaultRootObject: 'index.html',
    errorResponses: [row(404, '/', 404)],
  })
  const edge = await EdgeScenario.start(t, [document], { count: 3 })
  for (const worker of [0, 1, 2]) assert.equal((await edge.get(`/gone/${worker}`, { worker })).body, '/')
  assert.equal(origin.count('/'), 1)
})

test('the error is kept for its ErrorCachingMinTTL and goes with an invalidation of its path', async (t) => {
  const { origin, edge } = await site(t, [row(404, '/errors/404.html', 404, 60)], nothingThere)
  assert.equal((await edge.get('/gone')).status, 404)
  await edge.feed.moveClock(59_000)
  assert.equal((await edge.get('/gone')).body, 'page /errors/404.html')
  assert.equal(origin.count('/gone'), 1)
  await edge.feed.moveClock(61_000)
  await edge.get('/gone')
  assert.equal(origin.count('/gone'), 2)
  await edge.feed.invalidate(DISTRIBUTION_ID, '/gone')
  await edge.get('/gone')
  assert.equal(origin.count('/gone'), 3)
  assert.equal(origin.count('/errors/404.html'), 1)
  await edge.feed.invalidate(DISTRIBUTION_ID, '/errors/*')
  await edge.get('/gone')
  assert.equal(origin.count('/gone'), 3)
  assert.equal(origin.count('/errors/404.html'), 2)
})

test('an error caching minimum without a page changes the time alone; 0 keeps nothing', async (t) => {
  const responses = [
    { errorCode: 404, cachingMinTtlSeconds: 0, page: null },
    { errorCode: 503, cachingMinTtlSeconds: 30, page: null },
  ]
  const { origin, edge } = await site(t, responses, ({ url }, response) => {
    response.statusCode = Number(url.slice(1))
    response.end('no')
  })
  for (const path of ['/404', '/404', '/503', '/503']) assert.equal((await edge.get(path)).body, 'no')
  assert.equal(origin.count('/404'), 2)
  assert.equal(origin.count('/503'), 1)
  await edge.feed.moveClock(29_000)
  await edge.get('/503')
  assert.equal(origin.count('/503'), 1)
})

for (const count of [1, 3]) {
  test(`${count} worker(s): errors of the edge's own get pages, from the page's behavior and origin`, async (t) => {
    const dead = await startOrigin(() => {})
    await dead.close()
    const pages = await startOrigin(nothingThere)
    t.after(() => pages.close())
    const document = distributionDoc(dead.port, {
      origins: [originDoc(dead.port), originDoc(pages.port, { id: 'pages' })],
      behaviors: [behaviorDoc({ pathPattern: '/errors/*', originId: 'pages' }), behaviorDoc()],
      errorResponses: [row(502, '/errors/down.html', 503), row(403, '/errors/no.html', 403)],
    })
    const edge = await EdgeScenario.start(t, [document], { count })
    const worker = count - 1
    const down = await edge.get('/a', { worker })
    assert.deepEqual([down.status, down.body, down.xCache], [503, 'page /errors/down.html', 'Error'])
    assert.equal((await edge.get('/a', { worker })).status, 503, 'while the failure is remembered')
    const refused = await edge.get('/a', { worker, method: 'POST', body: 'not read' })
    assert.deepEqual([refused.status, refused.body], [403, 'page /errors/no.html'])
    assert.equal(pages.count('/errors/no.html'), 1)
    assert.equal(pages.asked.find(({ url }) => url === '/errors/no.html')?.method, 'GET')
    assert.match(edge.problems.join('\n'), /ECONNREFUSED/, 'the operator hears of the origin in spite of the page')
  })
}

test('an error whose body comes late is kept although the viewer has its page already', async (t) => {
  const late: (() => void)[] = []
  const { origin, edge } = await site(t, [row(404, '/errors/404.html', 404)], (asked, response) => {
    if (asked.url.startsWith('/errors/')) {
      nothingThere(asked, response)
      return
    }
    response.writeHead(404, { 'Content-Length': '8' })
    response.write('half')
    late.push(() => response.end('half'))
  })
  assert.equal((await edge.get('/gone')).body, 'page /errors/404.html')
  assert.equal((await edge.get('/gone')).body, 'page /errors/404.html', 'joins the fetch that still runs')
  late[0]?.()
  const cached = () => edge.feed.cached(DISTRIBUTION_ID)
  while (!JSON.stringify(await cached()).includes('/gone')) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await edge.get('/gone')).status, 404)
  assert.equal(origin.count('/gone'), 1)
})

test('a page that cannot be had: the viewer gets what its origin said, and no other page', async (t) => {
  const { origin, edge } = await site(
    t,
    [row(404, '/errors/404.html', 200), row(403, '/errors/403.html', 200)],
    ({ url }, response) => {
      response.statusCode = url === '/errors/404.html' ? 403 : 404
      response.end(`no ${url}`)
    },
  )
  const answer = await edge.get('/gone')
  assert.deepEqual([answer.status, answer.body, answer.xCache], [403, 'no /errors/404.html', 'Error'])
  assert.equal(origin.count('/errors/403.html'), 0)
  const itself = await edge.get('/errors/404.html')
  assert.equal(itself.status, 404, 'asked for by itself its 403 has a page, and that one is not there')
})

test('a stale copy is tried before the page', async (t) => {
  let broken = false
  const { edge } = await site(
    t,
    [row(503, '/errors/503.html', 503)],
    ({ url }, response) => {
      response.statusCode = broken && !url.startsWith('/errors/') ? 503 : 200
      response.end(`${response.statusCode} ${url}`)
    },
    { behaviors: [behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 10 }) })] },
  )
  assert.equal((await edge.get('/a')).body, '200 /a')
  broken = true
  await edge.feed.moveClock(11_000)
  const stale = await edge.get('/a')
  assert.deepEqual([stale.status, stale.body, stale.xCache], [200, '200 /a', 'Hit'])
  const fresh = await edge.get('/b')
  assert.deepEqual([fresh.status, fresh.body, fresh.xCache], [503, '200 /errors/503.html', 'Error'])
})

test('the log has the substituted status and the viewer’s own path, the trace the row that decided', async (t) => {
  const { edge } = await site(t, [row(404, '/errors/404.html', 200)], nothingThere)
  const answer = await edge.get('/gone?a=1', { headers: { 'x-cachefront-explain': '1' } })
  const id = String(answer.headers['x-cachefront-trace'])
  const told = JSON.stringify(await edge.feed.ask({ kind: 'trace', traceId: id }))
  assert.match(told, /"name":"custom-error"[^}]*"error":404,"instead":"200 \/errors\/404.html"/)
  await edge.workers[0]?.drain()
  const log = await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')
  const line = log.split('\n').find((text) => text.includes('/gone')) ?? ''
  const fields = line.split('\t')
  assert.equal(fields[7], '/gone')
  assert.equal(fields[8], '200')
  assert.equal(fields[11], 'a=1')
  assert.equal(fields[13], 'Error')
})

/** An origin request policy that lists the two headers, or a cache policy that does. */
const listing = { behavior: 'whitelist', names: ['cloudfront-error-uri', 'cloudfront-error-args'] } as const

for (const count of [1, 3]) {
  test(`${count} worker(s): the origin of the page hears what has failed, when a policy says so`, async (t) => {
    const forwarding = behaviorDoc({
      originRequestPolicy: {
        id: 'errors',
        headers: listing,
        cookies: { behavior: 'none', names: [] },
        queryStrings: { behavior: 'none', names: [] },
      },
    })
    const errorResponses = [row(404, '/errors/404.html', 404)]
    const { origin, edge } = await site(t, errorResponses, nothingThere, { count, behaviors: [forwarding] })
    const worker = count - 1
    const forged = { 'CloudFront-Error-Uri': '/forged', 'CloudFront-Error-Args': 'forged' }
    await edge.get('/go%6ee?a=1&b=2', { worker, headers: forged })
    const page = origin.asked.find(({ url }) => url === '/errors/404.html')
    assert.equal(page?.headers['cloudfront-error-uri'], '/go%6ee')
    assert.equal(page?.headers['cloudfront-error-args'], 'a=1&b=2')
    const failed = origin.asked.find(({ url }) => url !== '/errors/404.html')
    assert.equal(failed?.headers['cloudfront-error-uri'], undefined, "a viewer's own word is not passed on")
    assert.equal(failed?.headers['cloudfront-error-args'], undefined)
  })

  test(`${count} worker(s): in a cache policy they make a page for each path that has failed`, async (t) => {
    const keyed = behaviorDoc({ cachePolicy: cachePolicy({ headers: listing }) })
    const { origin, edge } = await site(t, [row(404, '/errors/404.html', 404)], nothingThere, {
      count,
      behaviors: [keyed],
    })
    for (const path of ['/a', '/b', '/a', '/b']) {
      for (let worker = 0; worker < count; worker++) assert.equal((await edge.get(path, { worker })).status, 404)
    }
    assert.equal(origin.count('/errors/404.html'), 2)
    assert.deepEqual(
      origin.asked
        .filter(({ url }) => url === '/errors/404.html')
        .map(({ headers }) => headers['cloudfront-error-uri']),
      ['/a', '/b'],
    )
  })
}

/** spec 5.4: status, for how long with `max-age=60` and ErrorCachingMinTTL 10, and without max-age. Seconds. */
const KEPT: readonly [status: number, aged: number, plain: number][] = [
  [400, 60, 0],
  [401, 0, 0],
  [403, 60, 0],
  [404, 60, 10],
  [405, 60, 0],
  [409, 0, 0],
  [410, 0, 0],
  [412, 60, 0],
  [414, 60, 10],
  [415, 60, 0],
  [416, 0, 0],
  [429, 0, 0],
  [500, 60, 10],
  [501, 60, 10],
  [502, 60, 10],
  [503, 60, 10],
  [504, 60, 10],
]

test('which errors are kept, and for how long', async (t) => {
  const { origin, edge } = await site(t, [], ({ url }, response) => {
    const [, status = '', aged] = url.split('/')
    response.statusCode = Number(status)
    if (aged === 'aged') response.setHeader('cache-control', 'max-age=60')
    if (aged === 'private') response.setHeader('cache-control', 'private')
    response.end('no')
  })
  const paths = KEPT.flatMap(([status, aged, plain]) => [
    { path: `/${status}/aged`, seconds: aged },
    { path: `/${status}/plain`, seconds: plain },
    // Other directives say nothing of an error.
    { path: `/${status}/private`, seconds: plain },
  ])
  // Far from every limit: the clock goes on by itself while the test runs.
  for (const at of [0, 5, 15, 40, 70]) {
    await edge.feed.moveClock(at * 1_000)
    for (const { path } of paths) assert.equal((await edge.get(path)).xCache, 'Error', path)
    for (const { path, seconds } of paths) {
      const times = [0, 5, 15, 40, 70].filter((time) => time <= at)
      let expected = 0
      let until = -1
      for (const time of times) {
        if (time < until) continue
        expected++
        until = time + seconds
      }
      assert.equal(origin.count(path), expected, `${path} at ${at} s`)
    }
  }
})

test('MaxTTL bounds how long an error is kept', async (t) => {
  const short = behaviorDoc({ cachePolicy: cachePolicy({ maxTtl: 20, defaultTtl: 20 }) })
  const { origin, edge } = await site(
    t,
    [row(404, '/errors/404.html', 404, 60)],
    (asked, response) => {
      response.setHeader('cache-control', 'max-age=600')
      return nothingThere(asked, response)
    },
    { behaviors: [short] },
  )
  await edge.get('/a')
  await edge.feed.moveClock(19_000)
  await edge.get('/a')
  assert.equal(origin.count('/a'), 1)
  await edge.feed.moveClock(21_000)
  await edge.get('/a')
  assert.equal(origin.count('/a'), 2)
})

for (const count of [1, 3]) {
  test(`${count} worker(s): the page is shown once the stale copy may not be, and the origin is left alone`, async (t) => {
    let down = false
    const { origin, edge } = await site(
      t,
      [row(503, '/errors/503.html', 503)],
      ({ url }, response) => {
        const page = url.startsWith('/errors/')
        response.statusCode = down && !page ? 503 : 200
        response.setHeader('cache-control', page ? 'max-age=3600' : 'max-age=10, stale-if-error=30')
        response.end(page ? 'page' : down ? 'origin says no' : 'object')
      },
      { count },
    )
    const worker = count - 1
    assert.equal((await edge.get('/a', { worker })).body, 'object')
    down = true
    await edge.feed.moveClock(20_000)
    const stale = await edge.get('/a', { worker })
    assert.deepEqual([stale.status, stale.body, stale.xCache], [200, 'object', 'Hit'])
    await edge.feed.moveClock(41_000)
    for (let at = 0; at < 3; at++) {
      const page = await edge.get('/a', { worker })
      assert.deepEqual([page.status, page.body, page.xCache], [503, 'page', 'Error'])
    }
    assert.equal(origin.count('/a'), 3, 'the object, the error it was spared, the error')
    assert.equal(origin.count('/errors/503.html'), 1)
  })
}
