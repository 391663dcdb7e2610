//! The tables of spec/cloudfront.md 4.2, 4.4 and 4.6-4.8 row by row, by requests through the edge: what reaches the origin
//! of two policies, Accept-Encoding, and every managed policy by its id with what it really does.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  cachePolicyDoc,
  originRequestPolicyDoc,
  type Policies,
  responseHeadersPolicyDoc,
} from '../../../src/control/plan/policy-docs.ts'
import type { BehaviorDoc } from '../../../src/domain/distribution.ts'
import { MANAGED_HEADERS_POLICIES } from '../../../src/domain/managed-headers-policies.ts'
import { MANAGED_CACHE_POLICIES, MANAGED_ORIGIN_REQUEST_POLICIES } from '../../../src/domain/managed-policies.ts'
import type { NameList } from '../../../src/domain/policy.ts'
import { type Clock, MovableClock } from '../../../src/lib/clock.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST, NONE } from '../../support/edge-scenario.ts'
import { handClock } from '../../support/hand-clock.ts'

async function start(
  t: TestContext,
  behavior: Partial<BehaviorDoc>,
  answer?: OriginHandler,
  clock: Clock = new MovableClock(),
) {
  const origin = await startOrigin((asked, response) =>
    answer === undefined ? response.end('hello') : answer(asked, response),
  )
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, { aliases: ['a.test'], behaviors: [behaviorDoc(behavior)] })
  return { origin, edge: await EdgeScenario.start(t, [document], { clock }) }
}

const ALL: NameList = { behavior: 'all', names: [] }
const only = (...names: string[]): NameList => ({ behavior: 'whitelist', names })
const except = (...names: string[]): NameList => ({ behavior: 'allExcept', names })

/** Spec 4.2: of a, b and c, what reaches the origin. The last rows have lists that overlap. */
const UNION: readonly (readonly [cache: NameList, request: NameList, reaches: string])[] = [
  [NONE, NONE, ''],
  [NONE, ALL, 'abc'],
  [NONE, only('b'), 'b'],
  [NONE, except('b'), 'ac'],
  [ALL, NONE, 'abc'],
  [ALL, ALL, 'abc'],
  [ALL, only('b'), 'abc'],
  [ALL, except('b'), 'abc'],
  [only('a'), NONE, 'a'],
  [only('a'), ALL, 'abc'],
  [only('a'), only('b'), 'ab'],
  [only('a'), except('b'), 'ac'],
  [except('a'), NONE, 'bc'],
  [except('a'), ALL, 'abc'],
  [except('a'), only('b'), 'bc'],
  [except('a'), except('b'), 'c'],
  [only('a'), except('a', 'b'), 'ac'],
  [except('a', 'b'), only('a'), 'ac'],
]
const named = ({ behavior, names }: NameList) => `${behavior}(${names.join()})`

for (const [cache, request, reaches] of UNION) {
  test(`4.2 query strings and cookies: cache policy ${named(cache)}, origin request policy ${named(request)}: "${reaches}"`, async (t) => {
    const { edge, origin } = await start(t, {
      cachePolicy: cachePolicy({ queryStrings: cache, cookies: cache }),
      originRequestPolicy: { id: 'r', headers: NONE, cookies: request, queryStrings: request },
    })
    await edge.get('/?a=1&b=1&c=1', { headers: { cookie: 'a=1; b=1; c=1' } })
    const [asked] = origin.asked
    assert.equal(asked?.url, reaches === '' ? '/' : `/?${[...reaches].map((name) => `${name}=1`).join('&')}`)
    assert.equal(asked?.headers.cookie ?? '', [...reaches].map((name) => `${name}=1`).join('; '))
  })
}

const VIEWER: NameList = { behavior: 'allViewer', names: [] }
const HEADERS: readonly (readonly [cache: NameList, request: NameList, reaches: string])[] = [
  [NONE, NONE, ''],
  [NONE, VIEWER, 'abc'],
  [NONE, only('x-b'), 'b'],
  [NONE, except('x-b'), 'ac'],
  [only('x-a'), NONE, 'a'],
  [only('x-a'), VIEWER, 'abc'],
  [only('x-a'), only('x-b'), 'ab'],
  [only('x-a'), except('x-b'), 'ac'],
  [only('x-a'), except('x-a', 'x-b'), 'ac'],
]

for (const [cache, request, reaches] of HEADERS) {
  test(`4.2 headers: cache policy ${named(cache)}, origin request policy ${named(request)}: "${reaches}"`, async (t) => {
    const { edge, origin } = await start(t, {
      cachePolicy: cachePolicy({ headers: cache }),
      originRequestPolicy: { id: 'r', headers: request, cookies: NONE, queryStrings: NONE },
    })
    await edge.get('/', { headers: { 'x-a': '1', 'x-b': '1', 'x-c': '1' } })
    const sent = ['a', 'b', 'c'].filter((name) => origin.asked[0]?.headers[`x-${name}`] === '1')
    assert.equal(sent.join(''), reaches)
  })
}

/** Spec 4.4: flags, what the viewer sends, what the origin gets, and another value with the same key. */
const ENCODINGS: readonly (readonly [
  flags: string,
  viewer: string | null,
  origin: string | null,
  same: string | null,
])[] = [
  ['gzip+br', 'gzip, br', 'br,gzip', 'br;q=0.5, deflate, gzip'],
  ['gzip+br', 'gzip', 'gzip', 'deflate, gzip'],
  ['gzip+br', 'br', 'br', 'br, zstd'],
  ['gzip', 'gzip, br', 'gzip', 'gzip'],
  ['gzip', 'br', 'identity', null],
  ['br', 'gzip, br', 'br', 'br'],
  ['br', 'gzip', 'identity', null],
  ['gzip+br', 'deflate', 'identity', 'zstd'],
  ['gzip+br', null, null, 'deflate'],
  ['none', 'gzip, br', null, 'deflate'],
  ['none', null, null, 'gzip'],
  ['none, listed', 'gzip, br', 'gzip, br', 'gzip, br'],
]
const encoded = (value: string | null) => (value === null ? {} : { headers: { 'accept-encoding': value } })

for (const [flags, viewer, reached, same] of ENCODINGS) {
  test(`4.4 ${flags}: "${viewer}" reaches the origin as "${reached}", with the key of "${same}"`, async (t) => {
    const { edge, origin } = await start(t, {
      cachePolicy: cachePolicy({
        gzip: flags.startsWith('gzip'),
        brotli: flags.endsWith('br'),
        ...(flags.endsWith('listed') ? { headers: only('accept-encoding') } : {}),
      }),
    })
    await edge.get('/', encoded(viewer))
    assert.equal(origin.asked[0]?.headers['accept-encoding'] ?? null, reached)
    assert.equal((await edge.get('/', encoded(same))).xCache, 'Hit')
  })
}

for (const [flags, one, other] of [
  ['gzip+br', 'gzip, br', 'gzip'],
  ['gzip+br', 'gzip', 'br'],
  ['gzip+br', 'br', 'deflate'],
  ['gzip', 'gzip', 'br'],
  ['none, listed', 'gzip, br', 'br, gzip'],
] as const) {
  test(`4.4 ${flags}: "${one}" and "${other}" have keys of their own`, async (t) => {
    const { edge } = await start(t, {
      cachePolicy: cachePolicy({
        gzip: flags.startsWith('gzip'),
        brotli: flags.endsWith('br'),
        ...(flags.endsWith('listed') ? { headers: only('accept-encoding') } : {}),
      }),
    })
    await edge.get('/', encoded(one))
    assert.equal((await edge.get('/', encoded(other))).xCache, 'Miss')
  })
}

test('4.4 HTTP/1.0: the header is removed', async (t) => {
  const { edge, origin } = await start(t, { cachePolicy: cachePolicy({ gzip: true, brotli: true }), compress: true })
  await edge.raw(`GET / HTTP/1.0\r\nHost: ${HOST}\r\nAccept-Encoding: gzip\r\n\r\n`)
  assert.equal(origin.asked[0]?.headers['accept-encoding'], undefined)
})

const NO_POLICIES: Policies = {
  cache: new Map(),
  originRequest: new Map(),
  responseHeaders: new Map(),
  deployment: new Map(),
}
const idOf = (table: readonly { readonly name: string; readonly id: string }[], name: string): string => {
  const found = table.find((policy) => policy.name === name)
  assert(found, name)
  return found.id
}

const CONTROL = 'host origin x-http-method-override x-http-method x-method-override'
const QUERIES = 'aws.manifestfilter start end m other'.split(' ')
const KEYABLE = 'host origin authorization x-http-method-override x-http-method x-method-override x-other'.split(' ')

/** Spec 4.6: TTLs, headers, cookies and query strings of the key, encodings. */
const CACHES: readonly (readonly [
  name: string,
  ttls: readonly [number, number, number],
  headers: string,
  cookies: boolean,
  queries: string,
  encodings: string,
])[] = [
  ['CachingOptimized', [1, 86_400, 31_536_000], '', false, '', 'gzip br'],
  ['CachingOptimizedForUncompressedObjects', [1, 86_400, 31_536_000], '', false, '', ''],
  ['UseOriginCacheControlHeaders', [0, 0, 31_536_000], CONTROL, true, '', 'gzip br'],
  ['UseOriginCacheControlHeaders-QueryStrings', [0, 0, 31_536_000], CONTROL, true, QUERIES.join(' '), 'gzip br'],
  ['Elemental-MediaPackage', [0, 86_400, 31_536_000], 'origin', false, 'aws.manifestfilter start end m', 'gzip'],
  // CloudFront-Viewer-Country is a matter of the viewer's address: headers-generated.test.ts.
  ['Amplify', [2, 2, 600], 'authorization host', true, QUERIES.join(' '), 'gzip br'],
]

for (const [name, [, standard, most], headers, cookies, queries, encodings] of CACHES) {
  test(`4.6 ${name}: key and lifetimes`, async (t) => {
    const policy = cachePolicyDoc(idOf(MANAGED_CACHE_POLICIES, name), NO_POLICIES)
    assert(policy)
    let control = 'max-age=100'
    const clock = new MovableClock()
    const answer: OriginHandler = (_asked, response) => {
      if (control !== '') response.setHeader('cache-control', control)
      response.end('hello')
    }
    const { edge, origin } = await start(t, { cachePolicy: policy }, answer, clock)
    /** Does a request with this differ from one without in its key? */
    const isKeyed = async (path: string, asks: object, plain: object = {}): Promise<boolean> => {
      const [bare] = path.split('?')
      await edge.get(bare as string, plain)
      return (await edge.get(path, asks)).xCache !== 'Hit'
    }
    for (const header of KEYABLE) {
      const asks = header === 'host' ? { host: 'a.test' } : { headers: { [header]: 'x' } }
      assert.equal(await isKeyed(`/${header}`, asks), headers.split(' ').includes(header), header)
    }
    assert.equal(await isKeyed('/cookie', { headers: { cookie: 'a=1' } }), cookies, 'cookies')
    for (const query of QUERIES) {
      assert.equal(await isKeyed(`/query-${query}?${query}=1`, {}), queries.split(' ').includes(query), query)
    }
    for (const coding of ['gzip', 'br']) {
      const asks = { headers: { 'accept-encoding': coding } }
      assert.equal(await isKeyed(`/${coding}`, asks), encodings.split(' ').includes(coding), coding)
    }
    // MaxTTL.
    control = 'max-age=3153600000'
    await edge.get('/max')
    control = ''
    await edge.get('/default')
    const asked = origin.asked.length
    const later = (seconds: number) => clock.moveTo(seconds * 1_000)
    if (standard > 100) {
      later(standard - 60)
      assert.equal((await edge.get('/default')).xCache, 'Hit', 'DefaultTTL')
      assert.equal(origin.asked.length, asked)
    }
    later(standard + 60)
    await edge.get('/default')
    assert.equal(origin.asked.length, asked + 1, 'DefaultTTL is over')
    later(most - 60)
    assert.equal((await edge.get('/max')).xCache, 'Hit', 'MaxTTL')
    later(most + 60)
    assert.notEqual((await edge.get('/max')).xCache, 'Hit', 'MaxTTL is over')
  })
}

for (const [name, minTtl] of [
  ['CachingOptimized', 1],
  ['CachingOptimizedForUncompressedObjects', 1],
  ['Amplify', 2],
  ['UseOriginCacheControlHeaders', 0],
  ['UseOriginCacheControlHeaders-QueryStrings', 0],
  ['Elemental-MediaPackage', 0],
] as const) {
  test(`4.6 ${name}: what says no-store is kept for ${minTtl} s`, async (t) => {
    const policy = cachePolicyDoc(idOf(MANAGED_CACHE_POLICIES, name), NO_POLICIES)
    assert(policy)
    const clock = handClock()
    const { edge } = await start(
      t,
      { cachePolicy: policy },
      (_asked, response) => response.setHeader('cache-control', 'no-store').end('x'),
      clock,
    )
    await edge.get('/')
    clock.forward(Math.max(0, minTtl * 1_000 - 1))
    assert.equal((await edge.get('/')).xCache, minTtl > 0 ? 'Hit' : 'Miss')
    clock.forward(1)
    assert.equal((await edge.get('/')).xCache, 'Miss')
  })
}

test('4.6 CachingDisabled: nothing is kept, no query, cookie or encoding goes to the origin', async (t) => {
  const policy = cachePolicyDoc(idOf(MANAGED_CACHE_POLICIES, 'CachingDisabled'), NO_POLICIES)
  assert(policy)
  const { edge, origin } = await start(t, { cachePolicy: policy }, (_asked, response) =>
    response.setHeader('cache-control', 'max-age=600').end('x'),
  )
  for (const _ of [1, 2]) {
    const got = await edge.get('/?a=1', { headers: { cookie: 'a=1', 'accept-encoding': 'gzip, br' } })
    assert.equal(got.xCache, 'Miss')
  }
  const [asked] = origin.asked
  assert.deepEqual([asked?.url, asked?.headers.cookie, asked?.headers['accept-encoding']], ['/', undefined, undefined])
})

/** What a viewer sends; of each row of spec 4.7 some of it reaches the origin. */
const SENT: Readonly<Record<string, string>> = {
  origin: 'https://o.test',
  'access-control-request-headers': 'x-a',
  'access-control-request-method': 'PUT',
  'user-agent': 'mine/1',
  referer: 'https://r.test/',
  'x-other': '1',
}
const PREFLIGHT = 'origin access-control-request-headers access-control-request-method'

const REQUESTS: readonly (readonly [
  name: string,
  headers: string,
  host: boolean,
  cookies: boolean,
  queries: boolean,
])[] = [
  ['AllViewer', Object.keys(SENT).join(' '), true, true, true],
  ['AllViewerAndCloudFrontHeaders-2022-06', Object.keys(SENT).join(' '), true, true, true],
  ['AllViewerExceptHostHeader', Object.keys(SENT).join(' '), false, true, true],
  ['CORS-CustomOrigin', 'origin', false, false, false],
  ['CORS-S3Origin', PREFLIGHT, false, false, false],
  ['Elemental-MediaTailor-PersonalizedManifests', `${PREFLIGHT} user-agent`, false, false, true],
  ['HostHeaderOnly', '', true, false, false],
  ['UserAgentRefererHeaders', 'user-agent referer', false, false, false],
]

for (const [name, headers, host, cookies, queries] of REQUESTS) {
  test(`4.7 ${name}: what reaches the origin`, async (t) => {
    const { edge, origin } = await start(t, {
      cachePolicy: cachePolicy(),
      originRequestPolicy: originRequestPolicyDoc(idOf(MANAGED_ORIGIN_REQUEST_POLICIES, name), NO_POLICIES),
    })
    await edge.get('/?q=1', { headers: { ...SENT, cookie: 'c=1' } })
    const [asked] = origin.asked
    for (const [header, value] of Object.entries(SENT)) {
      const unforwarded = header === 'user-agent' ? 'Amazon CloudFront' : undefined
      assert.equal(asked?.headers[header], headers.split(' ').includes(header) ? value : unforwarded, header)
    }
    assert.equal(asked?.headers.host?.startsWith('127.0.0.1'), !host)
    assert.equal(asked?.headers.cookie, cookies ? 'c=1' : undefined)
    assert.equal(asked?.url, queries ? '/?q=1' : '/')
    const made = asked?.headers['cloudfront-viewer-http-version']
    // AllViewerExceptHostHeader has them since 2026 (spec 4.7).
    assert.equal(made, name.includes('CloudFrontHeaders') || name.includes('ExceptHost') ? '1.1' : undefined)
  })
}

const SECURITY = {
  'referrer-policy': 'strict-origin-when-cross-origin',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'x-xss-protection': '1; mode=block',
}
const METHODS = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT'

/** Spec 4.8. */
const RESPONSES: readonly (readonly [name: string, cors: 'none' | 'simple' | 'preflight', security: boolean])[] = [
  ['SimpleCORS', 'simple', false],
  ['CORS-With-Preflight', 'preflight', false],
  ['SecurityHeadersPolicy', 'none', true],
  ['CORS-and-SecurityHeadersPolicy', 'simple', true],
  ['CORS-with-preflight-and-SecurityHeadersPolicy', 'preflight', true],
]

for (const [name, cors, security] of RESPONSES) {
  test(`4.8 ${name}: what a viewer gets, and what of it the origin may have its own way`, async (t) => {
    const { edge } = await start(
      t,
      {
        allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
        responseHeadersPolicy: responseHeadersPolicyDoc(idOf(MANAGED_HEADERS_POLICIES, name), NO_POLICIES),
      },
      (asked, response) => {
        if (asked.url === '/own') {
          for (const header of [...Object.keys(SECURITY), 'access-control-allow-origin'])
            response.setHeader(header, 'own')
        }
        response.end('x')
      },
    )
    const asks = { headers: { origin: 'https://o.test' } }
    for (const _ of [1, 2]) {
      const { headers } = await edge.get('/', asks)
      assert.equal(headers['access-control-allow-origin'], cors === 'none' ? undefined : '*')
      assert.equal(headers['access-control-expose-headers'], cors === 'preflight' ? '*' : undefined)
      assert.equal(headers['access-control-allow-methods'], undefined)
      for (const [header, value] of Object.entries(SECURITY)) {
        assert.equal(headers[header], security ? value : undefined, header)
      }
      const own = (await edge.get('/own', asks)).headers
      for (const header of Object.keys(SECURITY)) {
        const overrides = security && header === 'x-content-type-options'
        assert.equal(own[header], overrides ? 'nosniff' : 'own', header)
      }
      assert.equal(own['access-control-allow-origin'], 'own')
    }
    const preflight = (await edge.get('/', { ...asks, method: 'OPTIONS' })).headers
    if (cors === 'preflight') assert.equal(preflight['access-control-allow-methods'], METHODS)
    if (cors === 'none') assert.equal(preflight['access-control-allow-methods'], undefined)
    const plain = (await edge.get('/')).headers
    assert.equal(plain['access-control-allow-origin'], undefined, 'no CORS request')
  })
}
