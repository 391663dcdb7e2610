//! stale-while-revalidate (RFC 5861 3, spec/cloudfront.md 5.2): the stale object at once, its successor behind the
//! viewer's back, one fetch at a time, and the origin left alone when that comes to nothing.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type Asked, startOrigin } from '../../support/edge-origin.ts'
import { DISTRIBUTION_ID, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

type Reply = (response: ServerResponse, asked: Asked) => void

/** An origin that answers each request when, and as, it is told to. */
class Told {
  readonly #asked: { readonly asked: Asked; readonly response: ServerResponse }[] = []
  readonly #waiting: (() => void)[] = []
  count = 0

  handler = (asked: Asked, response: ServerResponse): void => {
    this.count++
    this.#asked.push({ asked, response })
    this.#waiting.shift()?.()
  }

  /** Waits for the next request and answers it. */
  async answer(reply: Reply): Promise<Asked> {
    if (this.#asked.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const next = this.#asked.shift()
    assert.ok(next)
    reply(next.response, next.asked)
    return next.asked
  }
}

const version =
  (body: string, cacheControl = 'max-age=10, stale-while-revalidate=30'): Reply =>
  (response) =>
    response.setHeader('cache-control', cacheControl).setHeader('etag', `"${body}"`).end(body)

const confirmed: Reply = (response) => {
  response.setHeader('cache-control', 'max-age=10, stale-while-revalidate=30')
  response.writeHead(304).end()
}

const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(code, headers).end(`error ${code}`)

async function begin(t: TestContext, count = 1, first: Reply = version('v1')) {
  const told = new Told()
  const origin = await startOrigin(told.handler)
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count })
  const [answer] = await Promise.all([edge.get('/p'), told.answer(first)])
  assert.equal(answer.xCache, 'Miss')
  return { edge, told }
}

/** What the edge holds, once whatever runs behind is over: a Hit that is not stale. */
async function untilServed(edge: EdgeScenario, body: string, worker = 0): Promise<void> {
  for (;;) {
    const answer = await edge.get('/p', { worker })
    if (answer.body === body) return
    assert.equal(answer.xCache, 'Hit', 'served stale meanwhile')
  }
}

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition()));
}

async function counter(edge: EdgeScenario, name: string, worker = 'worker-0'): Promise<number> {
  const answer = await edge.feed.ask({ kind: 'counters' }, worker)
  assert.ok(answer.kind === 'counters')
  return (answer.counters as Record<string, number>)[name] ?? 0
}

for (const count of [1, 3]) {
  const workers = Array.from({ length: count }, (_, at) => at)

  test(`${count} workers: stale is served at once while one fetch refreshes it`, async (t) => {
    const { edge, told } = await begin(t, count)
    for (const worker of workers) assert.equal((await edge.get('/p', { worker })).xCache, 'Hit')
    await edge.feed.moveClock(11_000)
    const stale = await Promise.all(workers.flatMap((worker) => [1, 2, 3].map(() => edge.get('/p', { worker }))))
    for (const answer of stale) assert.deepEqual([answer.body, answer.xCache], ['v1', 'Hit'])
    assert.ok(Number(stale[0]?.headers.age) >= 11)
    const asked = await told.answer(version('v2'))
    assert.equal(asked.headers['if-none-match'], '"v1"')
    for (const worker of workers) await untilServed(edge, 'v2', worker)
    assert.equal(told.count, 2, 'the first fetch and one refresh, whichever workers were asked')
  })

  test(`${count} workers: a 304 renews the object, after the window the viewer waits`, async (t) => {
    const { edge, told } = await begin(t, count)
    for (const worker of workers) await edge.get('/p', { worker })
    await edge.feed.moveClock(11_000)
    for (const worker of workers) assert.equal((await edge.get('/p', { worker })).body, 'v1')
    await told.answer(confirmed)
    for (const worker of workers) {
      await until(async () => Number((await edge.get('/p', { worker })).headers.age) < 11)
    }
    assert.equal(told.count, 2)
    await edge.feed.moveClock(11_000 + 41_000)
    const [late] = await Promise.all([edge.get('/p'), told.answer(version('v2'))])
    assert.deepEqual([late.body, late.xCache], ['v2', 'Miss'])
  })

  test(`${count} workers: a refresh that fails leaves the object, and the origin alone for a while`, async (t) => {
    const { edge, told } = await begin(t, count)
    for (const worker of workers) await edge.get('/p', { worker })
    await edge.feed.moveClock(11_000)
    assert.equal((await edge.get('/p')).body, 'v1')
    await told.answer(status(503))
    for (const worker of workers) {
      for (let at = 0; at < 5; at++) assert.deepEqual((await edge.get('/p', { worker })).body, 'v1')
    }
    assert.equal(told.count, 2, 'no request within ErrorCachingMinTTL')
    await edge.feed.moveClock(11_000 + 10_500)
    assert.equal((await edge.get('/p')).body, 'v1')
    await told.answer(version('v2'))
    for (const worker of workers) await untilServed(edge, 'v2', worker)
    assert.equal(told.count, 3)
  })
}

test('a peer that lacks the object gets the stale one from its owner, and both have the successor later', async (t) => {
  const { edge, told } = await begin(t, 3)
  await edge.feed.moveClock(11_000)
  for (const worker of [0, 1, 2]) {
    const answer = await edge.get('/p', { worker })
    assert.deepEqual([answer.body, answer.xCache], ['v1', 'Hit'], `worker ${worker}`)
  }
  await told.answer(version('v2'))
  for (const worker of [0, 1, 2]) await untilServed(edge, 'v2', worker)
  assert.equal(told.count, 2)
})

test('a refresh is no request of a viewer: it is not counted as one, its fetch is', async (t) => {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  await edge.get('/p')
  await told.answer(version('v2'))
  await until(async () => (await counter(edge, 'refreshes')) === 1)
  assert.equal(await counter(edge, 'requests'), 2)
  assert.equal(await counter(edge, 'originRequests'), 2)
  assert.equal(await counter(edge, 'originRevalidations'), 1)
  assert.equal(await counter(edge, 'staleHits'), 1)
})

test('a trace says why a stale object was served and what was done about it', async (t) => {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  const answer = await edge.get('/p', { headers: { 'x-cachefront-explain': '1' } })
  const traced = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
  const text = JSON.stringify(traced)
  assert.match(text, /stale-while-revalidate/)
  assert.match(text, /"refresh","value":"begun"|"refresh":"begun"/)
  await told.answer(version('v2'))
})

test('HEAD, ranges and conditions are answered from the stale object, and the whole object is refreshed', async (t) => {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  const part = await edge.get('/p', { headers: { range: 'bytes=0-0', 'if-range': '"v1"' } })
  assert.deepEqual([part.status, part.body], [206, 'v'])
  const asked = await told.answer(version('v2'))
  assert.deepEqual([asked.method, asked.headers.range, asked.headers['if-range']], ['GET', undefined, undefined])
  await untilServed(edge, 'v2')
  await edge.feed.moveClock(22_000)
  assert.equal((await edge.get('/p', { method: 'HEAD' })).status, 200)
  assert.equal((await told.answer(version('v3'))).method, 'GET')
  await untilServed(edge, 'v3')
})

/** A refresh of `/p` waits for its answer, which is `begun`, when `/p` is invalidated. */
async function overtaken(t: TestContext) {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  await edge.get('/p')
  const asked = Promise.withResolvers<ServerResponse>()
  await told.answer((response) => asked.resolve(response))
  await edge.feed.invalidate(DISTRIBUTION_ID, '/p')
  return { edge, told, begun: await asked.promise }
}

test('a refresh that an invalidation overtakes stores nothing', async (t) => {
  const { edge, told, begun } = await overtaken(t)
  version('before the invalidation')(begun, {} as Asked)
  const [after] = await Promise.all([edge.get('/p'), told.answer(version('v3'))])
  assert.deepEqual([after.body, after.xCache], ['v3', 'Miss'])
  assert.deepEqual((await edge.get('/p')).body, 'v3')
  assert.equal(told.count, 3)
})

test('a 304 that an invalidation overtakes stores nothing', async (t) => {
  const { edge, told, begun } = await overtaken(t)
  confirmed(begun, {} as Asked)
  const [after] = await Promise.all([edge.get('/p'), told.answer(version('v3'))])
  assert.deepEqual([after.body, after.xCache], ['v3', 'Miss'])
})

test('an answer that may not be kept takes the stale object away: the origin no longer says so', async (t) => {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  assert.equal((await edge.get('/p')).body, 'v1')
  await told.answer(version('yours', 'private'))
  await until(async () => (await counter(edge, 'refreshes')) === 1)
  const [next] = await Promise.all([edge.get('/p'), told.answer(version('mine', 'private'))])
  assert.deepEqual([next.body, next.xCache], ['mine', 'Miss'])
})

test('a 404 takes the place of the stale object', async (t) => {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  assert.equal((await edge.get('/p')).status, 200)
  await told.answer(status(404))
  await until(async () => (await edge.get('/p')).status === 404)
  assert.equal(told.count, 2)
})

test('after the window and stale-if-error=0 a failing origin is an error, and is not asked by everybody', async (t) => {
  const first = version('v1', 'max-age=10, stale-while-revalidate=30, stale-if-error=0')
  const { edge, told } = await begin(t, 1, first)
  await edge.feed.moveClock(41_000)
  const cut: Reply = (response) => response.socket?.destroy()
  const [failed] = await Promise.all([edge.get('/p'), told.answer(cut), told.answer(cut), told.answer(cut)])
  assert.equal(failed.status, 502)
  for (let at = 0; at < 3; at++) assert.equal((await edge.get('/p')).status, 502)
  assert.equal(told.count, 4, 'three attempts, then ErrorCachingMinTTL')
})

test('a body that breaks off refreshes nothing', async (t) => {
  const { edge, told } = await begin(t)
  await edge.feed.moveClock(11_000)
  assert.equal((await edge.get('/p')).body, 'v1')
  await told.answer((response) => {
    response.writeHead(200, { 'cache-control': 'max-age=100', 'content-length': '1000' })
    response.write('v2', () => response.socket?.destroy())
  })
  await until(async () => (await counter(edge, 'refreshes')) === 1)
  for (let at = 0; at < 3; at++) assert.equal((await edge.get('/p')).body, 'v1')
  assert.equal(told.count, 2)
})

test('no-cache and must-revalidate forbid it', async (t) => {
  const { edge, told } = await begin(t, 1, version('v1', 'max-age=10, must-revalidate, stale-while-revalidate=30'))
  await edge.feed.moveClock(11_000)
  const [answer] = await Promise.all([edge.get('/p'), told.answer(version('v2'))])
  assert.deepEqual([answer.body, answer.xCache], ['v2', 'Miss'])
})

test('the window ends with MaxTTL', async (t) => {
  const { edge, told } = await begin(t, 1, version('v1', 'max-age=10, stale-while-revalidate=99999999'))
  await edge.feed.moveClock(31_536_000_000 + 1_000)
  const [answer] = await Promise.all([edge.get('/p'), told.answer(version('v2'))])
  assert.deepEqual([answer.body, answer.xCache], ['v2', 'Miss'])
})

test('max-age=0 with stale-while-revalidate or stale-if-error is kept without validators, for it is to be served stale', async (t) => {
  const bare =
    (body: string, cacheControl: string): Reply =>
    (response) =>
      response.setHeader('cache-control', cacheControl).end(body)
  const control = 'max-age=0, stale-while-revalidate=30'
  const { edge, told } = await begin(t, 1, bare('v1', control))
  const second = await edge.get('/p')
  assert.deepEqual([second.xCache, second.body], ['Hit', 'v1'])
  await told.answer(bare('v2', control))
  for (let body = ''; body !== 'v2'; ) {
    const next = await edge.get('/p')
    assert.equal(next.xCache, 'Hit')
    body = next.body
    if (body === 'v2') await told.answer(bare('v3', control))
  }

  const [miss] = await Promise.all([edge.get('/e'), told.answer(bare('kept', 'max-age=0, stale-if-error=30'))])
  assert.equal(miss.xCache, 'Miss')
  const [down] = await Promise.all([edge.get('/e'), told.answer(status(503))])
  assert.deepEqual([down.status, down.xCache, down.body], [200, 'Hit', 'kept'])

  const [never] = await Promise.all([edge.get('/n'), told.answer(bare('n1', 'max-age=0, stale-while-revalidate=0'))])
  assert.equal(never.xCache, 'Miss')
  const [again] = await Promise.all([edge.get('/n'), told.answer(bare('n2', 'max-age=0'))])
  assert.deepEqual([again.xCache, again.body], ['Miss', 'n2'])
})
