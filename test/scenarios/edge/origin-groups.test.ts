//! Origin groups: when the secondary is asked, what it is asked, and that cache, collapsing and errors know one origin only.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc, OriginDoc } from '../../../src/domain/distribution.ts'
import type { Trace } from '../../../src/observe/trace.ts'
import { LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { type OriginHandler, startOrigin, startRawOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

interface Site {
  /** Port of the primary. */
  readonly port: number
  readonly primary?: Partial<OriginDoc>
  readonly secondaryPort: number
  readonly secondary?: Partial<OriginDoc>
  readonly statusCodes?: readonly number[]
  readonly changes?: Partial<DistributionDoc>
}

const grouped = ({ port, primary, secondaryPort, secondary, statusCodes, changes }: Site): DistributionDoc =>
  distributionDoc(port, {
    origins: [
      originDoc(port, { id: 'first', connectionAttempts: 1, ...primary }),
      originDoc(secondaryPort, { id: 'second', connectionAttempts: 1, ...secondary }),
    ],
    originGroups: [
      { id: 'group', primary: 'first', secondary: 'second', statusCodes: statusCodes ?? [403, 404, 500, 503] },
    ],
    behaviors: [behaviorDoc({ originId: 'group', allowedMethods: METHODS })],
    ...changes,
  })

async function pair(
  t: TestContext,
  first: OriginHandler,
  second: OriginHandler,
  changes: Partial<Site> = {},
  count = 1,
) {
  const [primary, secondary] = [await startOrigin(first), await startOrigin(second)]
  t.after(() => Promise.all([primary.close(), secondary.close()]))
  const document = grouped({ port: primary.port, secondaryPort: secondary.port, ...changes })
  const edge = await EdgeScenario.start(t, [document], { count })
  return { primary, secondary, edge }
}

const says =
  (status: number, body: string, headers: Record<string, string> = {}): OriginHandler =>
  (_asked, response) =>
    response.writeHead(status, headers).end(body)

/** A port of this host on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

for (const [status, expected] of [
  [200, 'first'],
  [301, 'first'],
  [400, 'first'],
  [403, 'second'],
  [404, 'second'],
  [410, 'first'],
  [500, 'second'],
  [502, 'first'],
  [503, 'second'],
] as const) {
  test(`a primary that answers ${status}: the viewer gets the answer of the ${expected}`, async (t) => {
    const { primary, secondary, edge } = await pair(t, says(status, 'first'), says(200, 'second'))
    const answer = await edge.get('/a')
    assert.deepEqual([answer.body, answer.status], [expected, expected === 'first' ? status : 200])
    assert.equal(answer.xCache, answer.status >= 400 ? 'Error' : 'Miss')
    assert.deepEqual([primary.count('/a'), secondary.count('/a')], [1, expected === 'first' ? 0 : 1])
  })
}

for (const method of METHODS) {
  test(`${method}: ${['GET', 'HEAD', 'OPTIONS'].includes(method) ? 'fails over' : 'never fails over'}`, async (t) => {
    const { primary, secondary, edge } = await pair(t, says(503, 'first'), says(200, 'second'))
    const body = ['PUT', 'POST', 'PATCH'].includes(method) ? 'body' : undefined
    const answer = await edge.get('/a', { method, ...(body === undefined ? {} : { body }) })
    const fails = ['GET', 'HEAD', 'OPTIONS'].includes(method)
    assert.equal(answer.status, fails ? 200 : 503)
    assert.deepEqual([primary.count('/a'), secondary.count('/a')], [1, fails ? 1 : 0])
    if (fails) assert.equal(secondary.asked[0]?.method, method)
  })
}

test('a primary that refuses, cannot be resolved, may not be asked, is silent or resets is passed over', async (t) => {
  const silent = await startRawOrigin(() => {})
  const resets = await startRawOrigin((socket) => socket.resetAndDestroy())
  const garbage = await startRawOrigin((socket) => socket.end('\x16\x03\x01 nonsense\r\n\r\n'))
  const secondary = await startOrigin(says(200, 'second'))
  t.after(() => Promise.all([silent.close(), resets.close(), garbage.close(), secondary.close()]))
  const dead = await deadPort()
  const rows: readonly (readonly [kind: string, port: number, primary: Partial<OriginDoc>, statusCodes?: number[]])[] =
    [
      ['refused', dead, {}],
      ['dns', dead, { domainName: 'nowhere.invalid' }],
      ['forbidden-address', 80, { domainName: '169.254.169.254' }],
      ['read-timeout', silent.port, { readTimeoutMs: 100 }],
      ['completion-timeout', silent.port, { responseCompletionTimeoutMs: 100 }],
      ['reset', resets.port, {}],
      ['invalid-response', garbage.port, {}, [502]],
    ]
  for (const [kind, port, primary, statusCodes = [503]] of rows) {
    const site = { port, primary, secondaryPort: secondary.port, statusCodes }
    const edge = await EdgeScenario.start(t, [grouped(site)])
    const answer = await edge.get('/a')
    assert.deepEqual([answer.status, answer.body, answer.xCache], [200, 'second', 'Miss'], kind)
    const line = new RegExp(`origin first \\(.*\\): ${kind}: .*; second of the origin group group is asked instead`)
    assert.match(edge.problems.join('\n'), line)
    await edge.close()
  }
})

test('garbage of the primary is an answer like a 502: final where the group does not list that', async (t) => {
  const garbage = await startRawOrigin((socket) => socket.end('\x16\x03\x01 nonsense\r\n\r\n'))
  const secondary = await startOrigin(says(200, 'second'))
  t.after(() => Promise.all([garbage.close(), secondary.close()]))
  const site = { port: garbage.port, secondaryPort: secondary.port, statusCodes: [500, 503, 504] }
  const edge = await EdgeScenario.start(t, [grouped(site)])
  assert.equal((await edge.get('/a')).status, 502)
  assert.equal(secondary.asked.length, 0)
})

test('the primary is first for every request; each attempt of it comes before the secondary', async (t) => {
  let left = 0
  const primary = await startRawOrigin((socket) => {
    left++
    socket.destroy()
  })
  const secondary = await startOrigin(says(200, 'second', { 'cache-control': 'no-store' }))
  t.after(() => Promise.all([primary.close(), secondary.close()]))
  const site = { port: primary.port, secondaryPort: secondary.port, primary: { connectionAttempts: 3 } }
  const edge = await EdgeScenario.start(t, [grouped(site)])
  for (let at = 1; at <= 3; at++) {
    assert.equal((await edge.get('/a')).body, 'second')
    assert.deepEqual([left, secondary.asked.length], [3 * at, at])
  }
})

test('the answer of the secondary is final, whatever the group lists, and kept as errors are', async (t) => {
  const { primary, secondary, edge } = await pair(t, says(503, 'first'), says(500, 'second'))
  for (let at = 0; at < 2; at++) {
    const answer = await edge.get('/a')
    assert.deepEqual([answer.status, answer.body, answer.xCache], [500, 'second', 'Error'])
  }
  assert.deepEqual([primary.asked.length, secondary.asked.length], [1, 1], 'for ErrorCachingMinTTL')
  await edge.feed.moveClock(10_500)
  assert.equal((await edge.get('/a')).status, 500)
  assert.deepEqual([primary.asked.length, secondary.asked.length], [2, 2])
})

test('both dead: the error of the secondary, remembered; then the custom error page from where it is', async (t) => {
  const dead = await deadPort()
  const pages = await startOrigin(says(200, 'sorry'))
  t.after(() => pages.close())
  const document = grouped({ port: dead, secondaryPort: dead, secondary: { domainName: 'nowhere.invalid' } })
  const edge = await EdgeScenario.start(t, [
    {
      ...document,
      origins: [...document.origins, originDoc(pages.port, { id: 'pages' })],
      behaviors: [behaviorDoc({ pathPattern: '/pages/*', originId: 'pages' }), ...document.behaviors],
      errorResponses: [{ errorCode: 502, cachingMinTtlSeconds: 10, page: { path: '/pages/502', responseCode: 200 } }],
    },
  ])
  const answer = await edge.get('/a')
  assert.deepEqual([answer.status, answer.body, answer.xCache], [200, 'sorry', 'Error'])
  assert.match(edge.problems.join('\n'), /origin first .*: refused/)
  assert.match(edge.problems.join('\n'), /origin second .*: dns/)
})

test('each member is asked in its own way: name, path, custom headers, port', async (t) => {
  const { primary, secondary, edge } = await pair(t, says(404, 'first'), says(200, 'second'), {
    primary: {
      path: '/live',
      customHeaders: [
        ['X-Key', 'one'],
        ['X-First', 'yes'],
      ],
    },
    secondary: { path: '/backup/v2', domainName: 'localhost', customHeaders: [['X-Key', 'two']] },
  })
  await edge.get('/a?x=1', { headers: { 'x-key': 'of the viewer' } })
  const [first, second] = [primary.asked[0], secondary.asked[0]]
  assert.deepEqual([first?.url, first?.headers.host, first?.headers['x-key']], ['/live/a', '127.0.0.1', 'one'])
  assert.deepEqual([second?.url, second?.headers.host, second?.headers['x-key']], ['/backup/v2/a', 'localhost', 'two'])
  assert.equal(second?.headers['x-first'], undefined)
  assert.equal(second?.headers['x-amz-cf-id'], first?.headers['x-amz-cf-id'], 'it is one request')
})

for (const count of [1, 3]) {
  test(`${count} worker(s): one fetch for all who ask; they get what the secondary says, and it is kept`, async (t) => {
    const came = Promise.withResolvers<ServerResponse>()
    const hold: OriginHandler = (_asked, response) => came.resolve(response)
    const { primary, secondary, edge } = await pair(t, hold, says(200, 'second'), {}, count)
    const viewers = Array.from({ length: 6 }, (_, at) => edge.get('/a', { worker: at % count }))
    const response = await came.promise
    // All have been read by their workers when these are answered.
    for (let worker = 0; worker < count; worker++) await edge.get('/', { worker, host: 'nobody.example' })
    response.writeHead(503).end('first')
    const answers = await Promise.all(viewers)
    assert.deepEqual(new Set(answers.map(({ status, body }) => `${status} ${body}`)), new Set(['200 second']))
    assert.equal(answers.filter(({ xCache }) => xCache === 'Miss').length, 1)
    for (let worker = 0; worker < count; worker++) assert.equal((await edge.get('/a', { worker })).xCache, 'Hit')
    assert.deepEqual([primary.count('/a'), secondary.count('/a')], [1, 1])
  })
}

test('a stale object stands in when both fail, and not when the secondary has an answer', async (t) => {
  let [first, second] = [200, 503]
  const { primary, secondary, edge } = await pair(
    t,
    (_asked, response) => response.writeHead(first, { 'cache-control': 'max-age=10' }).end('first'),
    (_asked, response) => response.writeHead(second).end('second'),
  )
  await edge.get('/a')
  first = 503
  await edge.feed.moveClock(11_000)
  const stale = await edge.get('/a')
  assert.deepEqual([stale.status, stale.body, stale.xCache], [200, 'first', 'Hit'])
  assert.deepEqual([primary.asked.length, secondary.asked.length], [2, 1], 'both were asked')
  second = 200
  await edge.feed.moveClock(22_000)
  const fresh = await edge.get('/a')
  assert.deepEqual([fresh.body, fresh.xCache], ['second', 'Miss'])
})

test('the secondary may confirm what the primary gave', async (t) => {
  let up = true
  const { secondary, edge } = await pair(
    t,
    (_asked, response) => response.writeHead(up ? 200 : 500, { etag: '"v1"', 'cache-control': 'max-age=10' }).end('v1'),
    (asked, response) => response.writeHead(asked.headers['if-none-match'] === '"v1"' ? 304 : 200).end(),
  )
  await edge.get('/a')
  up = false
  await edge.feed.moveClock(11_000)
  const confirmed = await edge.get('/a')
  assert.deepEqual([confirmed.status, confirmed.body, confirmed.xCache], [200, 'v1', 'RefreshHit'])
  assert.equal(secondary.asked.length, 1)
})

test('a primary that dies in the middle of a body cuts the viewer: bytes of two origins make no object', async (t) => {
  const primary = await startRawOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234', () => setImmediate(() => socket.destroy()))
  })
  const secondary = await startOrigin(says(200, 'other text'))
  t.after(() => Promise.all([primary.close(), secondary.close()]))
  const edge = await EdgeScenario.start(t, [grouped({ port: primary.port, secondaryPort: secondary.port })])
  const cut = await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  assert.doesNotMatch(cut, /other text/)
  assert.equal(secondary.asked.length, 0)
})

test('an error with a long body is broken off, one with a short body leaves the connection for others', async (t) => {
  let bytes = 100
  const primary = await startOrigin((_asked, response) => response.writeHead(503).end('x'.repeat(bytes)))
  const secondary = await startOrigin(says(200, 'second', { 'cache-control': 'no-store' }))
  t.after(() => Promise.all([primary.close(), secondary.close()]))
  const edge = await EdgeScenario.start(t, [grouped({ port: primary.port, secondaryPort: secondary.port })])
  for (let at = 0; at < 3; at++) assert.equal((await edge.get(`/${at}`)).body, 'second')
  assert.equal(primary.connections, 1)
  bytes = 50_000_000
  assert.equal((await edge.get('/long')).body, 'second')
})

test('a viewer that leaves while the primary is asked costs the secondary nothing', async (t) => {
  const came = Promise.withResolvers<ServerResponse>()
  const { secondary, edge } = await pair(t, (_asked, response) => came.resolve(response), says(200, 'second'))
  const { connect } = await import('node:net')
  const viewer = connect(edge.port(), '127.0.0.1')
  viewer.write(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  const response = await came.promise
  const gone = new Promise((resolve) => response.once('close', resolve))
  viewer.resetAndDestroy()
  await gone
  assert.equal((await edge.get('/', { host: 'nobody.example' })).status, 403)
  assert.equal(secondary.asked.length, 0)
})

test('a large object of the secondary gives way to that of a primary that is back: no viewer gets an error for it', async (t) => {
  const length = 6 * 1024 * 1024 + 5
  const [primary, secondary] = [await LargeOrigin.start({ length }), await LargeOrigin.start({ length })]
  t.after(() => Promise.all([primary.close(), secondary.close()]))
  primary.version = 2
  // It is overloaded once, and well when the first slice is asked for.
  primary.instead = (_asked, response) => primary.asked.length === 1 && response.writeHead(503).end()
  const edge = await EdgeScenario.start(t, [grouped({ port: primary.port, secondaryPort: secondary.port })])
  for (const at of [0, 1]) {
    const { status, body } = await edge.get('/film')
    assert.deepEqual([status, body.length], [200, length], `${at}`)
    assert.ok(Buffer.from(body, 'latin1').equals(largeBytes(0, length, 2)))
  }
  assert.deepEqual(secondary.ranges.slice(0, 1), [null])
})

test('the trace has both requests, and the field that sent the second', async (t) => {
  const { edge } = await pair(t, says(403, 'first'), says(200, 'second'), {
    primary: { customHeaders: [['X-Key', 'secret']] },
  })
  const answer = await edge.get('/a', { headers: { 'x-cachefront-explain': '1' } })
  const id = String(answer.headers['x-cachefront-trace'])
  const asked = await edge.feed.ask({ kind: 'trace', traceId: id })
  assert(asked.kind === 'trace')
  const trace = asked.trace as Trace
  assert.deepEqual(
    trace.originRequests.map(({ origin, status }) => [origin, status]),
    [
      ['first', 403],
      ['second', 200],
    ],
  )
  assert.doesNotMatch(JSON.stringify(trace), /secret/)
  const step = trace.steps.find(({ name, facts }) => name === 'origin-fetch' && 'failover' in facts)
  assert.equal(step?.facts.failover, 403)
  assert.deepEqual(step?.decisions, [
    { field: 'OriginGroups.Items[0].FailoverCriteria.StatusCodes', value: '403 404 500 503' },
  ])
})

test('what became of each origin is known: requests, failures by kind, failovers, the last failure', async (t) => {
  let status = 503
  const { edge } = await pair(t, (_asked, response) => response.writeHead(status).end(), says(200, 'second'), {
    statusCodes: [404, 503],
  })
  await edge.get('/a')
  status = 404
  await edge.get('/b')
  status = 200
  await edge.get('/c')
  const seen = await edge.feed.ask({ kind: 'origins' })
  assert(seen.kind === 'origins')
  const [second, first] = [...seen.origins].sort((one, other) => one.requests - other.requests)
  assert.deepEqual(
    [first?.originId, first?.requests, first?.failovers, first?.failures, first?.failing],
    ['first', 3, 2, { '5xx': 1 }, false],
  )
  assert.equal(first?.last?.kind, '5xx')
  assert.deepEqual([second?.originId, second?.requests, second?.failovers, second?.last], ['second', 2, 0, null])
})

test('an origin that fails is told with the lease, until it answers again', async (t) => {
  let up = false
  const origin = await startRawOrigin((socket) => {
    if (up) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    else socket.destroy()
  })
  t.after(() => origin.close())
  const origins = [originDoc(origin.port, { connectionAttempts: 1 })]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins })])
  await edge.get('/a')
  const failing = await edge.feed.lease()
  assert.deepEqual(
    failing.map(({ originId, kind }) => [originId, kind]),
    [['origin', 'reset']],
  )
  up = true
  await edge.get('/b')
  assert.deepEqual(await edge.feed.lease(), [])
})

for (const count of [1, 3]) {
  test(`a primary that fails in the middle of a large object: the rest comes from the secondary, if it has the same version (workers: ${count})`, async (t) => {
    const length = 12 * 1024 * 1024 + 5
    const [primary, secondary] = [await LargeOrigin.start({ length }), await LargeOrigin.start({ length })]
    t.after(() => Promise.all([primary.close(), secondary.close()]))
    const edge = await EdgeScenario.start(t, [grouped({ port: primary.port, secondaryPort: secondary.port })], {
      count,
    })
    // A range first, so that the object is known to be large: its slices are asked for one by one.
    const first = await edge.get('/film', { headers: { range: 'bytes=0-9' } })
    assert.equal(first.status, 206)
    const before = primary.asked.length
    primary.instead = (_asked, response) => (primary.asked.length > before + 3 ? response.writeHead(503).end() : false)
    const whole = await edge.get('/film')
    assert.equal(whole.status, 200)
    assert.ok(Buffer.from(whole.body, 'latin1').equals(largeBytes(0, length)), 'every byte of it')
    assert.ok(secondary.asked.length > 0 && secondary.asked.every(({ range }) => range !== null), 'slices only')
    assert.ok(primary.asked.length > before + 3, 'the primary is asked first for each')

    // Another version at the secondary is not put behind the bytes of the primary's.
    await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
    primary.instead = () => false
    await edge.get('/film', { headers: { range: 'bytes=0-9' } })
    secondary.version = 2
    primary.instead = (asked, response) => (asked.range === null ? false : response.writeHead(503).end())
    await assert.rejects(edge.get('/film'), 'the answer breaks off')
  })
}
