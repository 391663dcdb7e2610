//! Legacy ForwardedValues at the edge (spec/cloudfront.md 2.3, 4.4, 4.5, 6.1): what is keyed, what goes to the origin, and
//! for how long answers are kept.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DefaultCacheBehavior } from '@aws-sdk/client-cloudfront'
import { legacyPolicies } from '../../../src/control/plan/legacy-policies.ts'
import type { BehaviorDoc } from '../../../src/domain/distribution.ts'
import { MovableClock } from '../../../src/lib/clock.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, type ViewerAsks } from '../../support/edge-scenario.ts'
import { listed } from '../../support/fault-site.ts'

type Values = NonNullable<DefaultCacheBehavior['ForwardedValues']>

const PLAIN: Values = { QueryString: false, Cookies: { Forward: 'none' } }
const ALL_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

async function start(
  t: TestContext,
  values: Partial<Values>,
  { ttls = {}, count = 1, behavior = {}, answer }: Setting = {},
) {
  const origin = await startOrigin((asked, response) =>
    answer === undefined ? response.end('hello') : answer(asked, response),
  )
  t.after(() => origin.close())
  const legacy = legacyPolicies({
    TargetOriginId: undefined,
    ViewerProtocolPolicy: undefined,
    ForwardedValues: { ...PLAIN, ...values },
    ...ttls,
  })
  const clock = new MovableClock()
  const document = distributionDoc(origin.port, {
    behaviors: [behaviorDoc({ allowedMethods: ALL_METHODS, ...legacy, ...behavior })],
  })
  const edge = await EdgeScenario.start(t, [document], { count, clock })
  return { edge, origin, clock }
}

interface Setting {
  readonly ttls?: { readonly MinTTL?: number; readonly DefaultTTL?: number; readonly MaxTTL?: number }
  readonly count?: number
  readonly behavior?: Partial<BehaviorDoc>
  readonly answer?: OriginHandler
}

const cookie = (value: string): ViewerAsks => ({ headers: { cookie: value } })

/** Requests one after the other: what the origin is asked for last, and whether it was asked. */
const ROWS: readonly {
  readonly name: string
  readonly values: Partial<Values>
  /** Two requests of one key, and one of another. */
  readonly same: readonly [path: string, asks: ViewerAsks][]
  readonly other: readonly [path: string, asks: ViewerAsks]
  readonly url: string
  readonly cookie?: string
}[] = [
  {
    name: 'QueryString false: neither keyed nor forwarded',
    values: {},
    same: [
      ['/a?x=1', {}],
      ['/a?x=2', {}],
      ['/a', {}],
    ],
    other: ['/b?x=1', {}],
    url: '/a',
  },
  {
    name: 'QueryString true: all keyed and forwarded',
    values: { QueryString: true },
    same: [
      ['/a?x=1&y=2', {}],
      ['/a?x=1&y=2', {}],
    ],
    other: ['/a?y=2&x=1', {}],
    url: '/a?x=1&y=2',
  },
  {
    name: 'QueryString true with keys: all forwarded, the listed ones keyed',
    values: { QueryString: true, QueryStringCacheKeys: listed('x') },
    same: [
      ['/a?x=1&y=1', {}],
      ['/a?x=1&y=2', {}],
      ['/a?y=3&x=1', {}],
    ],
    other: ['/a?x=2&y=1', {}],
    url: '/a?x=1&y=1',
  },
  {
    name: 'cookies none: removed',
    values: {},
    same: [
      ['/a', cookie('s=1')],
      ['/a', cookie('s=2')],
      ['/a', {}],
    ],
    other: ['/b', {}],
    url: '/a',
  },
  {
    name: 'cookies whitelist: the listed ones keyed and forwarded',
    values: { Cookies: { Forward: 'whitelist', WhitelistedNames: listed('s') } },
    same: [
      ['/a', cookie('s=1; t=1')],
      ['/a', cookie('t=2; s=1')],
    ],
    other: ['/a', cookie('s=2')],
    url: '/a',
    cookie: 's=1',
  },
  {
    name: 'cookies whitelist with wildcards',
    values: { Cookies: { Forward: 'whitelist', WhitelistedNames: listed('user*', 'id-?') } },
    same: [
      ['/a', cookie('id-1=x; user=a; username=b; id-22=c; other=d')],
      ['/a', cookie('username=b; user=a; id-1=x; id-=y')],
    ],
    other: ['/a', cookie('id-2=x; user=a; username=b')],
    url: '/a',
    cookie: 'id-1=x; user=a; username=b',
  },
  {
    name: 'cookies all: all keyed and forwarded, in the order of their names',
    values: { Cookies: { Forward: 'all' } },
    same: [
      ['/a', cookie('b=2; a=1')],
      ['/a', cookie('a=1; b=2')],
    ],
    other: ['/a', cookie('a=1')],
    url: '/a',
    cookie: 'a=1; b=2',
  },
  {
    name: 'headers: the listed ones keyed',
    values: { Headers: listed('X-Lang') },
    same: [
      ['/a', { headers: { 'x-lang': 'de', 'x-other': '1' } }],
      ['/a', { headers: { 'x-lang': 'de', 'x-other': '2' } }],
    ],
    other: ['/a', { headers: { 'x-lang': 'fr' } }],
    url: '/a',
  },
]

for (const { name, values, same, other, url, cookie: sent } of ROWS) {
  for (const count of [1, 3]) {
    test(`ForwardedValues, ${name}, ${count} worker(s)`, async (t) => {
      const { edge, origin } = await start(t, values, { count })
      for (const [at, [path, asks]] of same.entries()) {
        const { xCache } = await edge.get(path, { ...asks, worker: at % count })
        assert.equal(xCache, at === 0 ? 'Miss' : 'Hit', `${path} ${JSON.stringify(asks)}`)
      }
      assert.equal(origin.asked.length, 1)
      assert.equal(origin.asked[0]?.url, url)
      assert.equal(origin.asked[0]?.headers.cookie, sent)
      assert.equal((await edge.get(...other)).xCache, 'Miss')
    })
  }
}

test('headers `*`: all go to the origin, Host among them, and nothing is kept', async (t) => {
  const { edge, origin } = await start(t, { Headers: listed('*') }, { ttls: { MinTTL: 0 } })
  const headers = {
    accept: 'text/x',
    referer: 'https://r.test/',
    'user-agent': 'mine/1',
    'x-own': '1',
    authorization: 'a b',
  }
  for (const _ of [1, 2]) assert.equal((await edge.get('/a', { headers })).xCache, 'Miss')
  assert.equal(origin.asked.length, 2)
  const asked = origin.asked[0]?.headers ?? {}
  for (const [name, value] of Object.entries(headers)) assert.equal(asked[name], value, name)
  assert.match(asked.host ?? '', /^d111111abcdef8\./)
})

/** The rows of spec 6.1 in legacy mode: true passes although nothing lists it. */
const HEADERS: readonly (readonly [name: string, value: string, passes: boolean])[] = [
  ['accept', 'text/x', false],
  ['accept-charset', 'utf-8', false],
  ['accept-language', 'de', false],
  ['referer', 'https://r.test/', false],
  ['x-http-method-override', 'PUT', false],
  ['authorization', 'Basic eA==', false],
  ['user-agent', 'mine/1', false],
  ['x-real-ip', '192.0.2.1', false],
  ['x-forwarded-proto', 'https', false],
  ['proxy-authorization', 'Basic eA==', false],
  ['x-edge-anything', '1', false],
  ['cloudfront-viewer-country', 'DE', false],
  ['cache-control', 'no-cache', true],
  ['pragma', 'no-cache', true],
  ['max-forwards', '3', true],
  ['date', 'Sun, 06 Nov 1994 08:49:37 GMT', true],
  ['from', 'a@b.test', true],
  ['origin', 'https://o.test', true],
  ['warning', '199 - "x"', true],
  ['content-md5', 'x', true],
  ['x-custom', '1', true],
]

for (const [name, value, passes] of HEADERS) {
  test(`legacy pass: ${name} ${passes ? 'goes to the origin' : 'is not passed'}`, async (t) => {
    const { edge, origin } = await start(t, {})
    await edge.get('/a', { headers: { [name]: value } })
    const sent = origin.asked[0]?.headers[name]
    if (name === 'user-agent') assert.equal(sent, 'Amazon CloudFront')
    else assert.equal(sent, passes ? value : undefined)
  })
}

test('legacy pass: Host is the origin, Authorization of a POST passes, Via of the viewer stays in front', async (t) => {
  const { edge, origin } = await start(t, {})
  await edge.get('/a', { headers: { via: '1.1 before' } })
  assert.match(origin.asked[0]?.headers.host ?? '', /^127\.0\.0\.1/)
  assert.match(origin.asked[0]?.headers.via ?? '', /^1\.1 before, 1\.1 \S+\.cloudfront\.net/)
  await edge.get('/a', {
    method: 'POST',
    headers: { authorization: 'Basic eA==', 'content-type': 'text/x' },
    body: 'x',
  })
  assert.equal(origin.asked[1]?.headers.authorization, 'Basic eA==')
  assert.equal(origin.asked[1]?.headers['content-type'], 'text/x')
})

test('Accept-Encoding: gzip in its normalized form, anything else removed', async (t) => {
  const { edge, origin } = await start(t, {})
  for (const [at, [sent, reached]] of (
    [
      ['br;q=1, gzip', 'gzip'],
      ['deflate', undefined],
      ['br', undefined],
    ] as const
  ).entries()) {
    await edge.get(`/${at}`, { headers: { 'accept-encoding': sent } })
    assert.equal(origin.asked[at]?.headers['accept-encoding'], reached, sent)
  }
})

test('Compress with ForwardedValues compresses with gzip', async (t) => {
  const { edge } = await start(
    t,
    {},
    {
      behavior: { compress: true },
      answer: (_asked, response) => {
        const body = 'hello '.repeat(500)
        response.setHeader('content-type', 'text/plain')
        response.setHeader('content-length', body.length)
        response.end(body)
      },
    },
  )
  const { headers } = await edge.get('/a', { headers: { 'accept-encoding': 'br, gzip' } })
  assert.equal(headers['content-encoding'], 'gzip')
})

/** Seconds of a lifetime by TTLs and the origin's Cache-Control. */
const LIFETIMES = [
  [{ MinTTL: 0, DefaultTTL: 60, MaxTTL: 600 }, '', 60],
  [{ MinTTL: 0, DefaultTTL: 60, MaxTTL: 600 }, 'max-age=30', 30],
  [{ MinTTL: 0, DefaultTTL: 60, MaxTTL: 600 }, 'max-age=6000', 600],
  [{ MinTTL: 40, DefaultTTL: 60, MaxTTL: 600 }, 'max-age=30', 40],
  [{ MinTTL: 40, DefaultTTL: 60, MaxTTL: 600 }, 'no-store', 40],
  [{ MinTTL: 0 }, '', 86_400],
] as const

for (const [ttls, control, seconds] of LIFETIMES) {
  test(`TTLs ${JSON.stringify(ttls)} and "${control}": ${seconds} s`, async (t) => {
    const { edge, origin, clock } = await start(
      t,
      {},
      {
        ttls,
        answer: (_asked, response) => {
          if (control !== '') response.setHeader('cache-control', control)
          response.end('x')
        },
      },
    )
    await edge.get('/a')
    clock.moveTo((seconds - 5) * 1_000)
    assert.equal((await edge.get('/a')).xCache, 'Hit')
    assert.equal(origin.asked.length, 1)
    clock.moveTo((seconds + 5) * 1_000)
    await edge.get('/a')
    assert.equal(origin.asked.length, 2)
  })
}

test('TTLs of zero keep nothing', async (t) => {
  const { edge, origin } = await start(t, {}, { ttls: { MinTTL: 0, DefaultTTL: 0, MaxTTL: 0 } })
  for (const _ of [1, 2]) assert.equal((await edge.get('/a')).xCache, 'Miss')
  assert.equal(origin.asked.length, 2)
})

test('Set-Cookie passes where cookies are forwarded, and is removed where not', async (t) => {
  const answer: OriginHandler = (_asked, response) => {
    response.setHeader('set-cookie', 's=1')
    response.end('x')
  }
  const kept = await start(t, { Cookies: { Forward: 'all' } }, { answer })
  for (const _ of [1, 2]) assert.deepEqual((await kept.edge.get('/a')).headers['set-cookie'], ['s=1'])
  const removed = await start(t, {}, { answer })
  assert.equal((await removed.edge.get('/a')).headers['set-cookie'], undefined)
})
