//! Server-Timing by a response headers policy (spec/cloudfront.md 4.9): when it is there, and what it says.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import type { OriginDoc } from '../../../src/domain/distribution.ts'
import type { ResponseHeadersPolicyDoc } from '../../../src/domain/policy.ts'
import { MovableClock } from '../../../src/lib/clock.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  distributionDoc,
  EdgeScenario,
  headersPolicy,
  originDoc,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'
import { listening, network } from '../../support/edge-topology.ts'

interface Setting {
  readonly rate: number | null
  readonly policy?: Partial<ResponseHeadersPolicyDoc>
  readonly answer?: OriginHandler
  readonly origin?: Partial<OriginDoc>
  readonly options?: Parameters<typeof EdgeScenario.start>[2]
}

async function start(t: TestContext, { rate, policy = {}, answer, origin = {}, options = {} }: Setting) {
  const server = await startOrigin((asked, response) => {
    response.setHeader('cache-control', 'max-age=60')
    return answer === undefined ? response.end('hello') : answer(asked, response)
  })
  t.after(() => server.close())
  const document = distributionDoc(server.port, {
    origins: [originDoc(server.port, origin)],
    behaviors: [behaviorDoc({ responseHeadersPolicy: headersPolicy({ serverTimingRate: rate, ...policy }) })],
  })
  return { edge: await EdgeScenario.start(t, [document], options), origin: server }
}

/** Metrics by name, with what follows the semicolon; undefined without the header. */
function metricsOf({ headers }: ViewerAnswer): Record<string, string> | undefined {
  const value = headers['server-timing']
  if (value === undefined) return undefined
  assert.equal(typeof value, 'string')
  return Object.fromEntries(
    String(value)
      .split(',')
      .map((metric) => {
        const [name = '', ...rest] = metric.split(';')
        return [name, rest.join(';')]
      }),
  )
}

const duration = (text: string | undefined): number => {
  const [, digits] = /^dur=(\d+)$/.exec(text ?? '') ?? []
  assert(digits !== undefined, `no whole milliseconds: ${text}`)
  return Number(digits)
}

test('a miss: layer, DNS, connect, first byte, POP, request id; one header together with that of the origin', async (t) => {
  const { edge } = await start(t, {
    rate: 100,
    origin: { domainName: 'localhost' },
    answer: async (_asked, response) => {
      await after(60)
      response.setHeader('server-timing', 'db;dur=53, app;desc="x"')
      response.end('hello')
    },
  })
  const miss = await edge.get('/')
  assert.equal(miss.xCache, 'Miss')
  const metrics = metricsOf(miss) ?? {}
  assert.deepEqual(Object.keys(metrics), [
    'cdn-upstream-layer',
    'cdn-upstream-dns',
    'cdn-upstream-connect',
    'cdn-upstream-fbl',
    'db',
    ' app',
    'cdn-cache-miss',
    'cdn-pop',
    'cdn-rid',
    'cdn-downstream-fbl',
  ])
  assert.equal(metrics['cdn-upstream-layer'], 'desc="EDGE"')
  assert.equal(metrics['cdn-pop'], 'desc="FRA50-C1"')
  assert.equal(metrics['cdn-rid'], `desc="${miss.headers['x-amz-cf-id']}"`)
  assert.equal(metrics.db, 'dur=53')
  duration(metrics['cdn-upstream-dns'])
  duration(metrics['cdn-upstream-connect'])
  assert.ok(duration(metrics['cdn-upstream-fbl']) >= 55)
  assert.ok(duration(metrics['cdn-downstream-fbl']) >= duration(metrics['cdn-upstream-fbl']))
  const second = metricsOf(await edge.get('/second')) ?? {}
  assert.equal(second['cdn-upstream-dns'], 'dur=0', 'the connection was there')
  assert.equal(second['cdn-upstream-connect'], 'dur=0')
})

test('a hit: nothing of the origin, the layer that had it', async (t) => {
  const { edge } = await start(t, {
    rate: 100,
    answer: (_asked, response) => {
      response.setHeader('server-timing', 'db;dur=53')
      response.end('hello')
    },
  })
  await edge.get('/')
  const ids = new Set<unknown>()
  for (const _ of [1, 2, 3]) {
    const hit = await edge.get('/')
    assert.equal(hit.xCache, 'Hit')
    const metrics = metricsOf(hit) ?? {}
    assert.deepEqual(Object.keys(metrics), [
      'cdn-cache-hit',
      'cdn-pop',
      'cdn-rid',
      'cdn-hit-layer',
      'cdn-downstream-fbl',
    ])
    assert.equal(metrics['cdn-hit-layer'], 'desc="EDGE"')
    assert.equal(metrics['cdn-rid'], `desc="${hit.headers['x-amz-cf-id']}"`)
    ids.add(metrics['cdn-rid'])
  }
  assert.equal(ids.size, 3, 'each names its own request')
})

test('a revalidated object: cdn-cache-refresh', async (t) => {
  const clock = new MovableClock()
  const { edge } = await start(t, {
    rate: 100,
    options: { clock },
    answer: ({ headers }, response) => {
      response.setHeader('etag', '"a"')
      response.statusCode = headers['if-none-match'] === '"a"' ? 304 : 200
      response.end(response.statusCode === 304 ? '' : 'hello')
    },
  })
  await edge.get('/')
  clock.moveTo(120_000)
  const refreshed = await edge.get('/')
  assert.equal(refreshed.xCache, 'RefreshHit')
  const metrics = metricsOf(refreshed) ?? {}
  assert.ok('cdn-cache-refresh' in metrics)
  assert.equal(metrics['cdn-upstream-layer'], 'desc="EDGE"')
  assert.equal(metrics['cdn-hit-layer'], undefined)
})

test('errors: of the origin, from the cache, and of the edge itself', async (t) => {
  const { edge } = await start(t, {
    rate: 100,
    answer: (_asked, response) => {
      response.statusCode = 404
      response.end('no')
    },
  })
  assert.ok('cdn-cache-miss' in (metricsOf(await edge.get('/')) ?? {}))
  assert.ok('cdn-cache-hit' in (metricsOf(await edge.get('/')) ?? {}))
  const refused = metricsOf(await edge.get('/', { method: 'POST', body: 'x' })) ?? {}
  assert.deepEqual(Object.keys(refused), ['cdn-pop', 'cdn-rid', 'cdn-downstream-fbl'])
})

for (const [rate, pragma, expected] of [
  [100, undefined, true],
  [0, undefined, false],
  [0, 'server-timing', true],
  [0, 'no-cache, Server-Timing', true],
  [0, 'no-cache', false],
  [null, 'server-timing', false],
] as const) {
  test(`rate ${rate}, Pragma ${pragma}: ${expected ? 'there' : 'not there'}, on miss and hit`, async (t) => {
    const { edge } = await start(t, { rate })
    for (const _ of [1, 2, 3]) {
      const answer = await edge.get('/', pragma === undefined ? {} : { headers: { pragma } })
      assert.equal(metricsOf(answer) !== undefined, expected)
    }
  })
}

test('a rate between: some answers have it, others not, and the object is one', async (t) => {
  const { edge, origin } = await start(t, { rate: 50 })
  const seen = new Set<boolean>()
  // Of 200 answers none, or all, have it once in 2^199.
  for (let n = 0; n < 200 && seen.size < 2; n++) seen.add(metricsOf(await edge.get('/')) !== undefined)
  assert.equal(seen.size, 2)
  assert.equal(origin.asked.length, 1)
})

test('without being sampled what the origin said passes as it is', async (t) => {
  const { edge } = await start(t, {
    rate: 0,
    answer: (_asked, response) => {
      response.setHeader('server-timing', 'db;dur=53')
      response.end('hello')
    },
  })
  for (const _ of [1, 2]) assert.equal((await edge.get('/')).headers['server-timing'], 'db;dur=53')
})

test('a removed Server-Timing is that of the origin; CloudFront adds its own', async (t) => {
  const { edge } = await start(t, {
    rate: 100,
    policy: { remove: ['Server-Timing'] },
    answer: (_asked, response) => {
      response.setHeader('server-timing', 'db;dur=53')
      response.end('hello')
    },
  })
  const metrics = metricsOf(await edge.get('/')) ?? {}
  assert.equal(metrics.db, undefined)
  assert.ok('cdn-cache-miss' in metrics)
})

test('three workers: what the owner measured is told by the one that has the viewer', async (t) => {
  const { edge } = await start(t, {
    rate: 100,
    options: { count: 3 },
    answer: async (_asked, response) => {
      await after(60)
      response.end('hello')
    },
  })
  for (let n = 0; n < 6; n++) {
    const metrics = metricsOf(await edge.get(`/${n}`, { worker: 0 })) ?? {}
    assert.ok('cdn-cache-miss' in metrics)
    assert.ok(duration(metrics['cdn-upstream-fbl']) >= 55)
    for (const worker of [1, 2]) {
      const hit = metricsOf(await edge.get(`/${n}`, { worker })) ?? {}
      assert.equal(hit['cdn-hit-layer'], 'desc="EDGE"')
      assert.equal(hit['cdn-upstream-fbl'], undefined)
    }
  }
})

for (const [name, origin, layer] of [
  ['a regional edge cache', {}, 'REC'],
  ['an origin shield', { shieldRegion: 'us-west-2' }, 'Origin Shield'],
] as const) {
  for (const count of [1, 3]) {
    test(`tiers, ${count} worker(s): ${name} asks the origin, and is the layer that has it for the next POP`, async (t) => {
      const topology = network(2, layer === 'REC' ? 1 : 2)
      const { edge } = await start(t, { rate: 100, origin, options: { count, ...listening(topology) } })
      const from = async (pop: number) => metricsOf(await edge.get('/', { pop, worker: pop % count })) ?? {}
      const miss = await from(0)
      assert.ok('cdn-cache-miss' in miss)
      assert.equal(miss['cdn-upstream-layer'], `desc="${layer}"`)
      assert.equal(miss['cdn-pop'], 'desc="POP0"')
      assert.equal((await from(0))['cdn-hit-layer'], 'desc="EDGE"')
      const next = await from(1)
      assert.equal(next['cdn-hit-layer'], `desc="${layer}"`)
      assert.equal(next['cdn-pop'], 'desc="POP1"')
      assert.equal((await from(1))['cdn-hit-layer'], 'desc="EDGE"')
    })
  }
}
