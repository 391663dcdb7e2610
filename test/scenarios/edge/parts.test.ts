//! Parts of objects: what an origin's 206 brought serves what lies within it, joins others, and is completed.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { parseRange, resolveRange } from '../../../src/http/range.ts'
import { type Asked, startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, type ViewerAnswer } from '../../support/edge-scenario.ts'
import { ALL_VIEWER } from '../../support/edge-strict.ts'
import { StillClock } from '../../support/still-clock.ts'

const bytes = (version: number): Buffer => Buffer.from(Array.from({ length: 1_000 }, (_, at) => (at * version) % 251))

interface Origin extends TestOrigin {
  version: number
  /** Ranges that it was asked for. */
  ranges(): (string | undefined)[]
}

async function scenario(
  t: TestContext,
  { strict = true, etag = (v: number): string | null => `"v${v}"`, count = 1, ranges = true } = {},
): Promise<{ edge: EdgeScenario; origin: Origin }> {
  const state = { version: 1 }
  const answer = ({ headers }: Asked, response: ServerResponse) => {
    const body = bytes(state.version)
    const tag = etag(state.version)
    response.setHeader('cache-control', 'max-age=100').setHeader('content-type', 'text/plain')
    if (tag !== null) response.setHeader('etag', tag)
    if (headers['if-none-match'] === tag && tag !== null) return response.writeHead(304).end()
    const asked = ranges && headers.range !== undefined && (headers['if-range'] ?? tag) === tag
    const resolved = asked ? resolveRange(parseRange([headers.range as string]) ?? [], body.length) : null
    if (resolved?.kind === 'unsatisfiable') return response.writeHead(416, { 'content-range': 'bytes */1000' }).end()
    if (resolved?.kind !== 'parts') return response.setHeader('content-length', body.length).end(body)
    const [{ first, last }] = resolved.ranges
    const range = { 'content-range': `bytes ${first}-${last}/1000`, 'content-length': last - first + 1 }
    return response.writeHead(206, range).end(body.subarray(first, last + 1))
  }
  const origin = await startOrigin(answer)
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: strict })], {
    count,
    clock: new StillClock(),
  })
  const watched = Object.assign(origin, state, { ranges: () => origin.asked.map(({ headers }) => headers.range) })
  Object.defineProperty(watched, 'version', { set: (version: number) => Object.assign(state, { version }) })
  return { origin: watched, edge }
}

const range = (edge: EdgeScenario, value: string, headers: Record<string, string> = {}, worker = 0) =>
  edge.get('/a', { worker, headers: { range: value, ...headers } })

const brief = ({ status, headers, xCache }: ViewerAnswer) => `${status} ${xCache} ${headers['content-range'] ?? '-'}`

function assertBytes(got: ViewerAnswer, from: number, to: number, version = 1): void {
  assert.equal(got.body, bytes(version).toString('latin1', from, to))
}

test('strict mode: the first range goes to the origin as it is, and serves what lies within it', async (t) => {
  const { edge, origin } = await scenario(t)
  assert.equal(brief(await range(edge, 'bytes=-500')), '206 Miss bytes 500-999/1000')
  assert.deepEqual(origin.ranges(), ['bytes=-500'])
  const rows = [
    ['bytes=-500', 500, 1_000],
    ['bytes=600-699', 600, 700],
    ['bytes=990-', 990, 1_000],
    ['bytes=-1', 999, 1_000],
  ] as const
  for (const [value, from, to] of rows) {
    const got = await range(edge, value)
    assert.equal(brief(got), `206 Hit bytes ${from}-${to - 1}/1000`)
    assertBytes(got, from, to)
    assert.equal(got.headers.age, '0')
    assert.equal(got.headers.etag, '"v1"')
  }
  const several = await range(edge, 'bytes=500-501,998-999')
  assert.deepEqual([several.status, several.xCache], [206, 'Hit'])
  assert.equal((await edge.get('/a', { headers: { 'if-none-match': '"v1"' } })).status, 304)
  assert.equal(brief(await range(edge, 'bytes=1000-')).slice(0, 9), '416 Error')
  assert.equal(origin.asked.length, 1)
})

test('strict mode: what is missing behind a beginning is fetched and joined', async (t) => {
  const { edge, origin } = await scenario(t)
  await range(edge, 'bytes=0-299')
  const whole = await edge.get('/a')
  assert.equal(brief(whole), '200 Miss -')
  assert.equal(whole.headers['content-length'], '1000')
  assertBytes(whole, 0, 1_000)
  assert.deepEqual(origin.ranges(), ['bytes=0-299', 'bytes=300-'])
  assert.equal(origin.asked[1]?.headers['if-range'], '"v1"')
  assert.equal(brief(await edge.get('/a')), '200 Hit -')
  assert.equal(brief(await range(edge, 'bytes=500-599')), '206 Hit bytes 500-599/1000')
  assert.equal(origin.asked.length, 2)
})

test('strict mode: the second range that no part holds has the whole fetched', async (t) => {
  const { edge, origin } = await scenario(t)
  await range(edge, 'bytes=500-599')
  const other = await range(edge, 'bytes=100-199')
  assert.equal(brief(other), '206 Miss bytes 100-199/1000')
  assertBytes(other, 100, 200)
  assert.deepEqual(origin.ranges(), ['bytes=500-599', undefined])
  assert.equal(brief(await edge.get('/a')), '200 Hit -')
})

test('strict mode: bytes of two versions are never joined', async (t) => {
  const { edge, origin } = await scenario(t)
  await range(edge, 'bytes=0-299')
  origin.version = 2
  const whole = await edge.get('/a')
  assert.equal(whole.headers.etag, '"v2"')
  assertBytes(whole, 0, 1_000, 2)
  assert.deepEqual(origin.ranges(), ['bytes=0-299', 'bytes=300-'])
  assertBytes(await range(edge, 'bytes=0-9'), 0, 10, 2)
})

test('strict mode: without a strong validator the rest is asked for and, when it comes as a part, the whole', async (t) => {
  const { edge, origin } = await scenario(t, { etag: () => null })
  await range(edge, 'bytes=0-299')
  const whole = await edge.get('/a')
  assert.equal(brief(whole), '200 Miss -')
  assertBytes(whole, 0, 1_000)
  assert.deepEqual(origin.ranges(), ['bytes=0-299', 'bytes=300-', undefined])
  assert.equal(brief(await edge.get('/a')), '200 Hit -')
})

test('strict mode: a stale part is confirmed, and serves again', async (t) => {
  const { edge, origin } = await scenario(t)
  await range(edge, 'bytes=0-299')
  await edge.feed.moveClock(200_000)
  const again = await range(edge, 'bytes=100-199')
  assert.equal(brief(again), '206 RefreshHit bytes 100-199/1000')
  assertBytes(again, 100, 200)
  assert.equal(origin.asked[1]?.headers['if-none-match'], '"v1"')
  assert.equal(brief(await range(edge, 'bytes=100-199')), '206 Hit bytes 100-199/1000')
})

test('strict mode: an origin without ranges sends the whole, which is kept', async (t) => {
  const { edge, origin } = await scenario(t, { ranges: false })
  assert.equal(brief(await range(edge, 'bytes=0-9')), '206 Miss bytes 0-9/1000')
  assert.equal(brief(await range(edge, 'bytes=900-')), '206 Hit bytes 900-999/1000')
  assert.equal(origin.asked.length, 1)
})

test('strict mode: many who ask for the same part share one request', async (t) => {
  const { edge, origin } = await scenario(t)
  const all = await Promise.all(Array.from({ length: 20 }, () => range(edge, 'bytes=10-19')))
  for (const got of all) assertBytes(got, 10, 20)
  assert.equal(origin.asked.length, 1)
})

test('strict mode: an answer that is not the part that was asked for is for nobody else', async (t) => {
  const held = Promise.withResolvers<void>()
  const origin = await startOrigin(async ({ headers }, response) => {
    const odd = headers['x-odd'] !== undefined
    if (odd) await held.promise
    response.writeHead(206, { 'content-range': odd ? 'bytes 5-9/10' : 'bytes 0-4/10', 'content-length': 5 })
    response.end(odd ? '56789' : '01234')
  })
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, { rfcStrict: true })
  const behaviors = document.behaviors.map((behavior) => ({ ...behavior, originRequestPolicy: ALL_VIEWER }))
  const edge = await EdgeScenario.start(t, [{ ...document, behaviors }])
  const odd = range(edge, 'bytes=0-4', { 'x-odd': '1' })
  while (origin.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const other = range(edge, 'bytes=0-4')
  setImmediate(held.resolve)
  assert.equal((await odd).body, '56789')
  assert.equal((await other).body, '01234')
})

for (const count of [1, 3]) {
  test(`strict mode: any sequence of ranges gives the bytes of the original (workers: ${count})`, async (t) => {
    const { edge } = await scenario(t, { count })
    const specs = ['0-99', '50-149', '150-199', '-1', '-200', '0-', '800-899', '200-', '0-0', '999-', '100-799']
    // Every order of three, each on an object of its own.
    let path = 0
    for (const one of specs) {
      for (const two of specs) {
        path++
        for (const [at, spec] of [one, two, one].entries()) {
          const asks = { worker: (path + at) % count, headers: { range: `bytes=${spec}` } }
          const got = await edge.get(`/${path}`, asks)
          const resolved = resolveRange(parseRange([`bytes=${spec}`]) ?? [], 1_000)
          assert.ok(resolved.kind === 'parts')
          const [{ first, last }] = resolved.ranges
          assert.equal(got.status, 206)
          assert.equal(got.headers['content-range'], `bytes ${first}-${last}/1000`)
          assertBytes(got, first, last + 1)
        }
        if (path % 5 === 0) assertBytes(await edge.get(`/${path}`, { worker: path % count }), 0, 1_000)
      }
    }
    assert.deepEqual(edge.problems, [])
  })
}

test('an invalidation removes a part', async (t) => {
  const { edge, origin } = await scenario(t)
  await range(edge, 'bytes=0-99')
  await edge.feed.invalidate('E1TESTDISTRIB1', '/a')
  assert.equal(brief(await range(edge, 'bytes=0-99')), '206 Miss bytes 0-99/1000')
  assert.equal(origin.asked.length, 2)
})

test('default mode: the whole is asked for; a 206 that comes all the same is kept as the part that it is', async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.writeHead(206, { 'cache-control': 'max-age=100', 'content-range': 'bytes 4-8/9', 'content-length': 5 })
    response.end('45678')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal(brief(await range(edge, 'bytes=-5')), '206 Miss bytes 4-8/9')
  assert.equal(origin.asked[0]?.headers.range, undefined)
  const within = await range(edge, 'bytes=6-7')
  assert.deepEqual([brief(within), within.body], ['206 Hit bytes 6-7/9', '67'])
  assert.equal(origin.asked.length, 1)
})
