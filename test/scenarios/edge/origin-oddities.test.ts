//! Origins that do what they should not, in well-formed HTTP: what is served, what is kept, and why. What they do in bad
//! HTTP is in responses.test.ts.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type Asked, type OriginHandler, startOrigin, startRawOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'
import { StillClock } from '../../support/still-clock.ts'

async function site(t: TestContext, handler: OriginHandler, count = 1) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count, clock: new StillClock() })
  return { origin, edge }
}

/** Answers one after the other; the last one again and again. */
function inTurn(...answers: ((response: ServerResponse, asked: Asked) => unknown)[]): OriginHandler {
  let at = 0
  return (asked, response) => answers[Math.min(at++, answers.length - 1)]?.(response, asked)
}

const tagged =
  (body: string, etag: string, more: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(200, { etag, 'cache-control': 'max-age=10', ...more }).end(body)
const notModified =
  (headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(304, headers).end()

test('304 to a request without conditions answers nothing: an error, and kept like one', async (t) => {
  const { origin, edge } = await site(t, inTurn(notModified({ etag: '"x"' }), tagged('body', '"x"')))
  const answer = await edge.get('/a', { headers: { 'if-none-match': '"x"' } })
  assert.deepEqual([answer.status, answer.xCache], [502, 'Error'], 'the condition was not the origin’s to judge')
  assert.equal((await edge.get('/a')).status, 502)
  assert.equal(origin.count('/a'), 1)
  await edge.feed.moveClock(10_500)
  assert.deepEqual([(await edge.get('/a')).body, origin.count('/a')], ['body', 2])
})

test('where the cache has no say, conditions and 304 pass', async (t) => {
  const origin = await startOrigin(inTurn(notModified({ etag: '"x"' })))
  t.after(() => origin.close())
  const behavior = behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }), originRequestPolicy: ALL })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })])
  assert.equal((await edge.get('/a', { headers: { 'if-none-match': '"x"' } })).status, 304)
  assert.equal((await edge.get('/a')).status, 502, 'nobody had asked whether anything was modified')
})

/** Everything of the viewer's. */
const ALL = {
  id: 'all',
  headers: { behavior: 'allViewer', names: [] },
  cookies: { behavior: 'none', names: [] },
  queryStrings: { behavior: 'none', names: [] },
} as const

test('304 without validators confirms what was asked about', async (t) => {
  const { origin, edge } = await site(t, inTurn(tagged('body', '"x"', { 'x-version': '1' }), notModified()))
  await edge.get('/a')
  await edge.feed.moveClock(11_000)
  const confirmed = await edge.get('/a')
  assert.deepEqual(
    [confirmed.status, confirmed.body, confirmed.xCache, confirmed.headers.etag, confirmed.headers['x-version']],
    [200, 'body', 'RefreshHit', '"x"', '1'],
  )
  assert.equal((await edge.get('/a')).xCache, 'Hit')
  assert.equal(origin.count('/a'), 2)
})

test('304 that names another tag confirms what was asked about: one tag was, and the origin says it is still good', async (t) => {
  const { origin, edge } = await site(t, inTurn(tagged('body', '"old"'), notModified({ etag: '"new"' })))
  await edge.get('/a')
  await edge.feed.moveClock(11_000)
  const answer = await edge.get('/a')
  assert.deepEqual([answer.body, answer.xCache, answer.headers.etag], ['body', 'RefreshHit', '"old"'])
  assert.equal(origin.asked[1]?.headers['if-none-match'], '"old"')
})

test('304 with the weak form of the tag is about the same version', async (t) => {
  const { origin, edge } = await site(t, inTurn(tagged('body', '"x"'), notModified({ etag: 'W/"x"' })))
  await edge.get('/a')
  await edge.feed.moveClock(11_000)
  assert.equal((await edge.get('/a')).xCache, 'RefreshHit')
  assert.equal(origin.count('/a'), 2)
})

test('206 that nobody asked for is a part of something unknown: an error', async (t) => {
  const partial = (response: ServerResponse) =>
    response.writeHead(206, { 'content-range': 'bytes 0-3/8', 'cache-control': 'max-age=60' }).end('half')
  const { edge } = await site(t, inTurn(partial))
  for (let at = 0; at < 2; at++) {
    const answer = await edge.get('/a')
    assert.deepEqual([answer.status, answer.xCache], [502, 'Error'])
  }
})

test('HEAD: an answer with a body has none, and is no object', async (t) => {
  const { origin, edge } = await site(t, inTurn(tagged('body', '"x"')))
  const head = await edge.get('/a', { method: 'HEAD' })
  assert.deepEqual([head.status, head.body, head.xCache], [200, '', 'Miss'])
  const whole = await edge.get('/a')
  assert.deepEqual([whole.body, whole.xCache], ['body', 'Miss'])
  assert.deepEqual([(await edge.get('/a', { method: 'HEAD' })).xCache, origin.count('/a')], ['Hit', 2])
})

test('a header without end is broken off', async (t) => {
  const origin = await startRawOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nX: ')
    const more = (): void => {
      if (!socket.destroyed) socket.write('x'.repeat(16_384), more)
    }
    more()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal((await edge.get('/a')).status, 502)
  assert.match(edge.problems.join('\n'), /header-too-big/)
  assert.equal(origin.requests.length, 1, 'another try would bring no other header')
})

test('a header that never ends, a byte at a time, is a timeout', async (t) => {
  const origin = await startRawOrigin((socket) => {
    const timer = setInterval(() => socket.write('X'), 20)
    socket.write('HTTP/1.1 200 OK\r\n')
    socket.once('close', () => clearInterval(timer))
  })
  t.after(() => origin.close())
  const slow = [originDoc(origin.port, { readTimeoutMs: 300, connectionAttempts: 1 })]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins: slow })])
  assert.equal((await edge.get('/a')).status, 504)
})

for (const [name, date] of [
  ['without Date', null],
  ['with a Date that is none', 'yesterday'],
  ['with a Date in the past', 'Tue, 15 Nov 1994 08:12:31 GMT'],
  ['with a Date in the future', 'Tue, 15 Nov 2094 08:12:31 GMT'],
] as const) {
  test(`an answer ${name}: fresh for its max-age from when it came, Age from then`, async (t) => {
    const { origin, edge } = await site(t, (_asked, response) => {
      response.sendDate = false
      response.setHeader('cache-control', 'max-age=60')
      if (date !== null) response.setHeader('date', date)
      response.end('body')
    })
    const miss = await edge.get('/a')
    assert.equal(miss.headers.age, undefined)
    await edge.feed.moveClock(59_000)
    const hit = await edge.get('/a')
    assert.deepEqual([hit.xCache, origin.count('/a')], ['Hit', 1])
    assert.equal(hit.headers.age, '59')
    assert.equal(hit.headers.date, miss.headers.date, 'the Date of the answer, not of the delivery')
    if (date === null) assert.ok(Math.abs(Date.parse(String(hit.headers.date)) - Date.now()) < 10_000)
    else assert.equal(hit.headers.date, date)
    await edge.feed.moveClock(61_000)
    assert.equal((await edge.get('/a')).xCache, 'Miss')
  })
}

for (const count of [1, 3]) {
  test(`${count} worker(s): Age that came with the answer counts, for who fetched, who waited and who comes later`, async (t) => {
    const came = Promise.withResolvers<ServerResponse>()
    const { origin, edge } = await site(t, (_asked, response) => came.resolve(response), count)
    const viewers = [0, 1, 2].map((at) => edge.get('/a', { worker: at % count }))
    const response = await came.promise
    for (let worker = 0; worker < count; worker++) await edge.get('/', { worker, host: 'nobody.example' })
    response.writeHead(200, { age: '40', 'cache-control': 'max-age=100' }).end('body')
    for (const answer of await Promise.all(viewers)) {
      const age = Number(answer.headers.age)
      assert.ok(age >= 40 && age < 45, `${answer.xCache}: ${age}`)
    }
    await edge.feed.moveClock(59_000)
    for (let worker = 0; worker < count; worker++) {
      const hit = await edge.get('/a', { worker })
      assert.equal(hit.xCache, 'Hit')
      assert.ok(Number(hit.headers.age) >= 99)
    }
    assert.equal(origin.count('/a'), 1)
  })

  test(`${count} worker(s): who has an object confirmed sees RefreshHit, who waited for that and who comes later Hit`, async (t) => {
    const held: ServerResponse[] = []
    const came = Promise.withResolvers<void>()
    const { origin, edge } = await site(
      t,
      inTurn(tagged('body', '"x"'), (response) => {
        held.push(response)
        came.resolve()
      }),
      count,
    )
    for (let worker = 0; worker < count; worker++) await edge.get('/a', { worker })
    await edge.feed.moveClock(11_000)
    const viewers = [0, 0, 0].map(() => edge.get('/a'))
    const conditional = edge.get('/a', { headers: { 'if-none-match': '"x"' } })
    await came.promise
    for (let worker = 0; worker < count; worker++) await edge.get('/', { worker, host: 'nobody.example' })
    notModified()(held[0] as ServerResponse)
    const answers = await Promise.all(viewers)
    assert.deepEqual(answers.map(({ xCache }) => xCache).sort(), ['Hit', 'Hit', 'RefreshHit'])
    assert.equal((await conditional).status, 304)
    for (let worker = 0; worker < count; worker++) {
      const later = await edge.get('/a', { worker })
      assert.deepEqual([later.xCache, later.body], ['Hit', 'body'])
    }
    assert.equal(origin.count('/a'), 2)
  })
}
