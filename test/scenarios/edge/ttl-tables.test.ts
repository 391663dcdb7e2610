//! The tables of spec/cloudfront.md 5.1, 5.2, 5.4 and 5.5 row by row, by requests through the edge: how long an answer is
//! served from the cache, when a stale one is, which errors are kept, which cookies and which Vary a viewer gets.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { BehaviorDoc } from '../../../src/domain/distribution.ts'
import type { CachePolicyDoc, NameList, OriginRequestPolicyDoc } from '../../../src/domain/policy.ts'
import { MovableClock } from '../../../src/lib/clock.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, NONE } from '../../support/edge-scenario.ts'

/** Seconds between a moment of a test and a limit: more than a slow machine loses. */
const SLACK = 20

interface Setting {
  readonly policy?: Partial<CachePolicyDoc>
  readonly request?: Partial<OriginRequestPolicyDoc>
  readonly behavior?: Partial<BehaviorDoc>
  readonly answer: OriginHandler
}

async function start(t: TestContext, { policy = {}, request, behavior = {}, answer }: Setting) {
  const origin = await startOrigin(answer)
  t.after(() => origin.close())
  const clock = new MovableClock()
  const originRequestPolicy = request && { id: 'r', headers: NONE, cookies: NONE, queryStrings: NONE, ...request }
  const document = distributionDoc(origin.port, {
    behaviors: [
      behaviorDoc({
        cachePolicy: cachePolicy(policy),
        ...(originRequestPolicy && { originRequestPolicy }),
        ...behavior,
      }),
    ],
  })
  const edge = await EdgeScenario.start(t, [document], { clock })
  const later = (seconds: number): void => clock.moveTo(clock.offsetMs + seconds * 1_000)
  return { edge, origin, later }
}

type Headers = Readonly<Record<string, string>>

const sending =
  (headers: Headers, status = 200): OriginHandler =>
  (_asked, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.statusCode = status
    response.end('x')
  }

/** Is served from the cache until `seconds` have passed, and no longer; 0: every request goes to the origin. */
async function lives(t: TestContext, seconds: number, setting: Setting): Promise<void> {
  const { edge, origin, later } = await start(t, setting)
  await edge.get('/')
  if (seconds > 0) {
    later(seconds - SLACK)
    await edge.get('/')
    assert.equal(origin.asked.length, 1, `fresh for ${seconds} s`)
    later(2 * SLACK)
  }
  await edge.get('/')
  assert.equal(origin.asked.length, 2, `not after ${seconds} s`)
}

const expires = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString()

/** Spec 5.1; seconds with MinTTL 0, and with MinTTL 100; DefaultTTL is 500, MaxTTL 1,000. */
const TTLS: readonly (readonly [name: string, headers: () => Headers, without: number, least: number])[] = [
  ['s-maxage', () => ({ 'cache-control': 's-maxage=200' }), 200, 200],
  ['s-maxage with max-age', () => ({ 'cache-control': 'max-age=300, s-maxage=200' }), 200, 200],
  ['s-maxage over MaxTTL', () => ({ 'cache-control': 's-maxage=5000' }), 1_000, 1_000],
  ['s-maxage under MinTTL', () => ({ 'cache-control': 's-maxage=50' }), 50, 100],
  ['max-age', () => ({ 'cache-control': 'max-age=200' }), 200, 200],
  ['max-age over MaxTTL', () => ({ 'cache-control': 'max-age=5000' }), 1_000, 1_000],
  ['max-age under MinTTL', () => ({ 'cache-control': 'max-age=50' }), 50, 100],
  ['Expires', () => ({ expires: expires(200) }), 200, 200],
  ['Expires over MaxTTL', () => ({ expires: expires(5_000) }), 1_000, 1_000],
  ['Expires under MinTTL', () => ({ expires: expires(50) }), 50, 100],
  ['Expires in the past', () => ({ expires: expires(-50) }), 0, 100],
  ['max-age and Expires: max-age wins', () => ({ 'cache-control': 'max-age=200', expires: expires(700) }), 200, 200],
  ['none of them', () => ({}), 500, 500],
  ['no-cache', () => ({ 'cache-control': 'no-cache' }), 0, 100],
  ['no-store', () => ({ 'cache-control': 'no-store' }), 0, 100],
  ['private', () => ({ 'cache-control': 'private' }), 0, 100],
  ['no-cache beside max-age', () => ({ 'cache-control': 'no-cache, max-age=200' }), 0, 100],
  ['max-age=0', () => ({ 'cache-control': 'max-age=0' }), 0, 100],
  ['s-maxage=0', () => ({ 'cache-control': 's-maxage=0' }), 0, 100],
  ['Age counts', () => ({ 'cache-control': 'max-age=200', age: '60' }), 140, 140],
  ['max-age of a hundred years', () => ({ 'cache-control': 'max-age=3153600000' }), 1_000, 1_000],
  ['Vary: *', () => ({ 'cache-control': 'max-age=200', vary: '*' }), 0, 200],
]

for (const [name, headers, without, least] of TTLS) {
  for (const [minTtl, seconds] of [
    [0, without],
    [100, least],
  ] as const) {
    test(`5.1 ${name}, MinTTL ${minTtl}: ${seconds} s`, (t) =>
      lives(t, seconds, { policy: { minTtl, defaultTtl: 500, maxTtl: 1_000 }, answer: sending(headers()) }))
  }
}

test('5.1 none of them, MinTTL above DefaultTTL: MinTTL', (t) =>
  lives(t, 600, { policy: { minTtl: 600, defaultTtl: 500, maxTtl: 1_000 }, answer: sending({}) }))

test('5.1 a redirect is kept by the same rules', (t) =>
  lives(t, 200, { answer: sending({ location: '/b', 'cache-control': 'max-age=200' }, 302) }))

test('5.1 what the origin says of caching goes to the viewer as it is', async (t) => {
  const { edge } = await start(t, {
    answer: sending({ 'cache-control': 'max-age=5, s-maxage=200', expires: expires(9) }),
  })
  for (const _ of [1, 2]) assert.equal((await edge.get('/')).headers['cache-control'], 'max-age=5, s-maxage=200')
})

test('5.1 TTLs of zero: nothing is kept or compressed, no error either', async (t) => {
  const policy = { minTtl: 0, defaultTtl: 0, maxTtl: 0 }
  const { edge, origin } = await start(t, {
    policy: { ...policy, gzip: true },
    behavior: { compress: true },
    answer: (asked, response) => {
      const body = 'hello '.repeat(500)
      response.writeHead(asked.url === '/ok' ? 200 : 404, {
        'content-type': 'text/plain',
        'content-length': body.length,
      })
      response.end(body)
    },
  })
  for (const path of ['/ok', '/ok', '/no', '/no']) {
    const { headers } = await edge.get(path, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(headers['content-encoding'], undefined)
  }
  assert.deepEqual([origin.count('/ok'), origin.count('/no')], [2, 2])
})

for (const [name, control, status] of [
  ['is served when the origin is away later', 'no-store', 200],
  ['is not, where the origin says stale-if-error=0', 'no-store, stale-if-error=0', 502],
] as const) {
  test(`5.1 MinTTL above 0 and no-store: the copy ${name}`, async (t) => {
    let away = false
    const { edge, later } = await start(t, {
      policy: { minTtl: 100, defaultTtl: 500, maxTtl: 100_000 },
      answer: (asked, response) =>
        away ? response.socket?.destroy() : sending({ 'cache-control': control })(asked, response),
    })
    await edge.get('/')
    away = true
    later(200)
    assert.equal((await edge.get('/')).status, status)
  })
}

const COOKIES: NameList = { behavior: 'all', names: [] }

test('5.1 no-cache="Set-Cookie" keeps the object without its cookies', async (t) => {
  const { edge, origin } = await start(t, {
    request: { cookies: COOKIES },
    answer: sending({ 'cache-control': 'max-age=200, no-cache="Set-Cookie"', 'set-cookie': 's=1' }),
  })
  assert.deepEqual((await edge.get('/')).headers['set-cookie'], ['s=1'])
  assert.equal((await edge.get('/')).headers['set-cookie'], undefined)
  assert.equal(origin.asked.length, 1)
})

/** Spec 5.2: what is answered `after` so many seconds, when the origin then sends `then`. MaxTTL is 10,000. */
const STALE: readonly (readonly [
  name: string,
  control: string,
  after: number,
  then: number | 'away',
  answer: string,
  policy?: Partial<CachePolicyDoc>,
])[] = [
  ['within stale-while-revalidate', 'max-age=100, stale-while-revalidate=500', 300, 200, 'old'],
  ['after stale-while-revalidate', 'max-age=100, stale-while-revalidate=500', 700, 200, 'new'],
  ['within stale-if-error, away', 'max-age=100, stale-if-error=500', 300, 'away', 'old'],
  ['within stale-if-error, 500', 'max-age=100, stale-if-error=500', 300, 500, 'old'],
  ['within stale-if-error, 599', 'max-age=100, stale-if-error=500', 300, 599, 'old'],
  ['within stale-if-error, 200', 'max-age=100, stale-if-error=500', 300, 200, 'new'],
  ['after stale-if-error, away', 'max-age=100, stale-if-error=500', 700, 'away', '502'],
  ['after stale-if-error, 500', 'max-age=100, stale-if-error=500', 700, 500, '500'],
  ['both, in the first window', 'max-age=100, stale-while-revalidate=300, stale-if-error=900', 300, 500, 'old'],
  ['both, in the second window', 'max-age=100, stale-while-revalidate=300, stale-if-error=900', 600, 500, 'old'],
  ['both, after the second', 'max-age=100, stale-while-revalidate=300, stale-if-error=900', 1_200, 500, '500'],
  ['after MaxTTL, away', 'max-age=100, stale-if-error=5000', 1_200, 'away', '502', { maxTtl: 1_000, defaultTtl: 500 }],
  [
    'after MaxTTL, 200',
    'max-age=100, stale-while-revalidate=5000',
    1_200,
    200,
    'new',
    { maxTtl: 1_000, defaultTtl: 500 },
  ],
  ['neither directive, 503', 'max-age=100', 300, 503, 'old'],
  ['neither directive, away', 'max-age=100', 300, 'away', 'old'],
  ['neither directive, 404', 'max-age=100', 300, 404, '404'],
]

for (const [name, control, after, then, answer, policy = {}] of STALE) {
  test(`5.2 ${name}: ${answer}`, async (t) => {
    let second = false
    const { edge, origin, later } = await start(t, {
      policy: { minTtl: 0, defaultTtl: 500, maxTtl: 10_000, ...policy },
      answer: (_asked, response) => {
        if (second && then === 'away') return response.socket?.destroy()
        response.writeHead(second ? (then as number) : 200, { 'cache-control': control })
        return response.end(second && then === 200 ? 'new' : 'old')
      },
    })
    await edge.get('/')
    second = true
    later(after)
    const got = await edge.get('/')
    assert.equal(got.status >= 400 ? `${got.status}` : got.body, answer)
    if (answer !== 'old' || then === 200) return
    // The origin is asked again after ErrorCachingMinTTL, not by the next viewer.
    await edge.get('/')
    const asked = origin.asked.length
    for (const _ of [1, 2]) await edge.get('/')
    assert.equal(origin.asked.length, asked)
  })
}

/** Spec 5.4: seconds by status, without an age and with max-age=200; ErrorCachingMinTTL is its default of 10 s. */
const ALWAYS = [404, 414, 500, 501, 502, 503, 504]
const WITH_AGE = [400, 403, 405, 412, 415]
const NEVER = [401, 402, 406, 409, 410, 416, 418, 429, 451]

for (const [statuses, without, withAge] of [
  [ALWAYS, 10, 200],
  [WITH_AGE, 0, 200],
  [NEVER, 0, 0],
] as const) {
  for (const status of statuses) {
    for (const [control, seconds] of [
      [undefined, without],
      ['max-age=200', withAge],
      ['s-maxage=200', withAge],
      ['no-store', without],
    ] as const) {
      test(`5.4 ${status} with ${control ?? 'no Cache-Control'}: ${seconds} s`, async (t) => {
        const { edge, origin, later } = await start(t, {
          answer: sending(control === undefined ? {} : { 'cache-control': control }, status),
        })
        for (const _ of [1, 2]) assert.equal((await edge.get('/')).status, status)
        assert.equal(origin.asked.length, seconds > 0 ? 1 : 2)
        if (seconds === 0) return
        later(seconds + SLACK)
        await edge.get('/')
        assert.equal(origin.asked.length, 2)
      })
    }
  }
}

test('5.4 an error lives at most for MaxTTL', (t) =>
  lives(t, 100, {
    policy: { minTtl: 0, defaultTtl: 50, maxTtl: 100 },
    answer: sending({ 'cache-control': 'max-age=5000' }, 404),
  }))

test('5.4 an invalidation of the path takes the error away', async (t) => {
  const { edge, origin } = await start(t, { answer: sending({ 'cache-control': 'max-age=200' }, 404) })
  await edge.get('/')
  await edge.feed.invalidate('E1TESTDISTRIB1', '/')
  await edge.get('/')
  assert.equal(origin.asked.length, 2)
})

/** Spec 5.5. */
const CROSS: readonly (readonly [
  name: string,
  policy: Partial<CachePolicyDoc>,
  request: Partial<OriginRequestPolicyDoc> | undefined,
  passes: boolean,
])[] = [
  ['no policy forwards cookies', {}, undefined, false],
  ['the cache policy forwards them', { cookies: COOKIES }, undefined, true],
  ['the origin request policy forwards them', {}, { cookies: COOKIES }, true],
  ['one cookie is forwarded', { cookies: { behavior: 'whitelist', names: ['a'] } }, undefined, true],
]

for (const [name, policy, request, passes] of CROSS) {
  test(`5.5 ${name}: Cookie and Set-Cookie ${passes ? 'pass, also from the cache' : 'are removed'}`, async (t) => {
    const { edge, origin } = await start(t, {
      policy,
      ...(request && { request }),
      answer: sending({ 'cache-control': 'max-age=200', 'set-cookie': 's=1' }),
    })
    for (const xCache of ['Miss', 'Hit']) {
      const got = await edge.get('/', { headers: { cookie: 'a=1' } })
      assert.equal(got.xCache, xCache)
      assert.deepEqual(got.headers['set-cookie'], passes ? ['s=1'] : undefined)
    }
    assert.equal(origin.asked[0]?.headers.cookie, passes ? 'a=1' : undefined)
  })
}

const lists = (...names: string[]): NameList => ({ behavior: 'whitelist', names })

const VARIES: readonly (readonly [vary: string, headers: NameList, seen: string | undefined])[] = [
  ['Accept-Encoding', NONE, 'Accept-Encoding'],
  ['Cookie', NONE, 'Cookie'],
  ['X-Lang', NONE, undefined],
  ['X-Lang', lists('x-lang'), 'X-Lang'],
  ['Accept-Encoding, X-Lang, X-Other', lists('x-lang'), 'Accept-Encoding, X-Lang'],
  ['User-Agent', NONE, undefined],
  ['User-Agent', lists('cloudfront-is-mobile-viewer'), 'User-Agent'],
  ['Origin', lists('origin'), 'Origin'],
]

for (const [vary, headers, seen] of VARIES) {
  test(`5.5 Vary: ${vary} where ${headers.names.join() || 'nothing'} is forwarded: ${seen}`, async (t) => {
    const { edge, origin } = await start(t, { policy: { headers }, answer: sending({ vary }) })
    for (const _ of [1, 2]) assert.equal((await edge.get('/')).headers.vary, seen)
    await edge.get('/', { headers: { 'x-other': '1' } })
    assert.equal(origin.asked.length, 1, 'Vary makes no variants')
  })
}
