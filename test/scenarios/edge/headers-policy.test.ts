//! Response headers policies at the edge (spec/cloudfront.md 4.9): what each block does to misses, hits, errors and pages.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc, ErrorResponseDoc } from '../../../src/domain/distribution.ts'
import type { CorsDoc, ResponseHeadersPolicyDoc } from '../../../src/domain/policy.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  headersPolicy,
  type ViewerAnswer,
  type ViewerAsks,
} from '../../support/edge-scenario.ts'

const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const

interface Setting {
  readonly policy: ResponseHeadersPolicyDoc
  readonly origin?: OriginHandler
  readonly errorResponses?: readonly ErrorResponseDoc[]
  readonly count?: number
  readonly changes?: Partial<DistributionDoc>
}

async function start(t: TestContext, setting: Setting) {
  const handler: OriginHandler = (asked, response) => {
    response.setHeader('cache-control', 'max-age=60')
    return setting.origin === undefined ? response.end('hello') : setting.origin(asked, response)
  }
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const documentWith = (policy: ResponseHeadersPolicyDoc | null) =>
    distributionDoc(origin.port, {
      behaviors: [
        behaviorDoc({ allowedMethods: ALL, cachedMethods: ['GET', 'HEAD', 'OPTIONS'], responseHeadersPolicy: policy }),
      ],
      errorResponses: setting.errorResponses ?? [],
      ...setting.changes,
    })
  const edge = await EdgeScenario.start(t, [documentWith(setting.policy)], { count: setting.count ?? 1 })
  return { edge, origin, documentWith }
}

/** The same request twice: an answer from the origin and one from the cache. */
async function missAndHit(edge: EdgeScenario, path = '/', asks: ViewerAsks = {}): Promise<ViewerAnswer[]> {
  const answers = [await edge.get(path, asks), await edge.get(path, asks), await edge.get(path, asks)]
  assert.deepEqual(
    answers.map(({ xCache }) => xCache),
    ['Miss', 'Hit', 'Hit'],
  )
  return answers
}

const SECURITY: ResponseHeadersPolicyDoc['security'] = {
  contentSecurityPolicy: { value: "default-src 'self'", override: true },
  contentTypeOptions: { override: true },
  frameOptions: { value: 'DENY', override: false },
  referrerPolicy: { value: 'same-origin', override: false },
  strictTransportSecurity: { maxAgeSec: 63_072_000, includeSubdomains: true, preload: true, override: true },
  xssProtection: { protection: true, modeBlock: true, reportUri: '', override: true },
}

test('security headers: added on misses and hits, each by its own override', async (t) => {
  const { edge } = await start(t, {
    policy: headersPolicy({ security: SECURITY }),
    origin: (_asked, response) => {
      response.setHeader('x-frame-options', 'SAMEORIGIN')
      response.setHeader('x-xss-protection', '0')
      response.end('x')
    },
  })
  for (const { headers } of await missAndHit(edge)) {
    assert.equal(headers['content-security-policy'], "default-src 'self'")
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN', 'no override: the value of the origin')
    assert.equal(headers['referrer-policy'], 'same-origin')
    assert.equal(headers['strict-transport-security'], 'max-age=63072000; includeSubDomains; preload')
    assert.equal(headers['x-xss-protection'], '1; mode=block', 'override: the value of the policy')
  }
})

const XSS = [
  [{ protection: false, modeBlock: false, reportUri: '' }, '0'],
  [{ protection: true, modeBlock: false, reportUri: '' }, '1'],
  [{ protection: true, modeBlock: true, reportUri: '' }, '1; mode=block'],
  [{ protection: true, modeBlock: false, reportUri: 'https://r.test/x' }, '1; report=https://r.test/x'],
] as const

for (const [settings, value] of XSS) {
  test(`X-XSS-Protection: ${value}`, async (t) => {
    const { edge } = await start(t, {
      policy: headersPolicy({ security: { xssProtection: { ...settings, override: false } } }),
    })
    assert.equal((await edge.get('/')).headers['x-xss-protection'], value)
  })
}

test('custom headers: an empty value, override and no override', async (t) => {
  const { edge } = await start(t, {
    policy: headersPolicy({
      custom: [
        { name: 'X-Empty', value: '', override: false },
        { name: 'X-Mine', value: 'policy', override: true },
        { name: 'X-Theirs', value: 'policy', override: false },
        { name: 'Cache-Control', value: 'no-store', override: true },
      ],
    }),
    origin: (_asked, response) => {
      response.setHeader('x-mine', 'origin')
      response.setHeader('x-theirs', 'origin')
      response.end('x')
    },
  })
  for (const { headers } of await missAndHit(edge)) {
    assert.equal(headers['x-empty'], '')
    assert.equal(headers['x-mine'], 'policy')
    assert.equal(headers['x-theirs'], 'origin')
    // Said to viewers; the cache goes by the origin's own.
    assert.equal(headers['cache-control'], 'no-store')
  }
})

test('removal: before additions, and Server and Date become those of CloudFront', async (t) => {
  const { edge } = await start(t, {
    policy: headersPolicy({
      remove: ['X-Powered-By', 'server', 'Date', 'ETag', 'Age', 'Accept-Ranges', 'X-Both'],
      custom: [{ name: 'X-Both', value: 'added', override: false }],
    }),
    origin: (_asked, response) => {
      response.setHeader('server', 'nginx')
      response.setHeader('x-powered-by', 'PHP')
      response.setHeader('etag', '"a"')
      response.setHeader('x-both', 'origin')
      response.setHeader('date', 'Sun, 06 Nov 1994 08:49:37 GMT')
      response.end('x')
    },
  })
  for (const { headers } of await missAndHit(edge)) {
    assert.equal(headers['x-powered-by'], undefined)
    assert.equal(headers.server, 'CloudFront')
    assert.notEqual(headers.date, 'Sun, 06 Nov 1994 08:49:37 GMT')
    assert.match(String(headers.date), /GMT$/)
    assert.equal(headers.etag, undefined)
    assert.equal(headers.age, undefined)
    assert.equal(headers['accept-ranges'], undefined)
    assert.equal(headers['x-both'], 'added')
    assert.equal(headers['content-length'], '1')
  }
})

const CORS: CorsDoc = {
  allowOrigins: ['https://a.test', 'https://*.b.test'],
  allowHeaders: ['X-A', 'X-B'],
  allowMethods: ['GET', 'PUT'],
  exposeHeaders: ['X-C', 'X-D'],
  allowCredentials: true,
  maxAgeSec: 600,
  override: true,
}

const cors = (changes: Partial<CorsDoc> = {}) => headersPolicy({ cors: { ...CORS, ...changes } })
const from = (origin: string, method = 'GET'): ViewerAsks => ({ method, headers: { origin } })
const PREFLIGHT = ['access-control-allow-headers', 'access-control-allow-methods', 'access-control-max-age'] as const

test('CORS: an origin on the list is echoed, also from the cache, and no one gets what another got', async (t) => {
  const { edge, origin } = await start(t, { policy: cors() })
  assert.equal((await edge.get('/')).xCache, 'Miss')
  for (const round of [1, 2, 3]) {
    for (const who of ['https://a.test', 'https://x.b.test', 'https://y.b.test']) {
      const { headers, xCache } = await edge.get('/', from(who))
      assert.equal(xCache, 'Hit', `round ${round}`)
      assert.equal(headers['access-control-allow-origin'], who)
      assert.equal(headers['access-control-allow-credentials'], 'true')
      assert.equal(headers['access-control-expose-headers'], 'X-C, X-D')
      assert.equal(headers.vary, 'Origin')
      for (const name of PREFLIGHT) assert.equal(headers[name], undefined)
    }
    for (const asks of [from('https://evil.test'), from('http://a.test'), {}]) {
      const { headers } = await edge.get('/', asks)
      assert.equal(headers['access-control-allow-origin'], undefined)
      assert.equal(headers['access-control-expose-headers'], undefined)
      assert.equal(headers.vary, 'Origin', 'a cache must not keep this for those who need more')
    }
  }
  assert.equal(origin.count('/'), 1)
})

test('CORS: many origins, more than heads are kept for', async (t) => {
  const { edge } = await start(t, { policy: cors() })
  await edge.get('/')
  for (const round of [1, 2]) {
    for (let n = 0; n < 12; n++) {
      const who = `https://n${n}.b.test`
      assert.equal((await edge.get('/', from(who))).headers['access-control-allow-origin'], who, `round ${round}`)
    }
  }
})

test('CORS: `*` is said as it is, and the answer depends on nobody', async (t) => {
  const { edge } = await start(t, { policy: cors({ allowOrigins: ['*'], allowCredentials: false }) })
  for (const { headers } of await missAndHit(edge, '/', from('https://who.test'))) {
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(headers['access-control-allow-credentials'], undefined)
    assert.equal(headers.vary, undefined)
  }
  assert.equal((await edge.get('/')).headers['access-control-allow-origin'], undefined, 'not a CORS request')
})

test('CORS: what is for a preflight is said to OPTIONS alone; ALL means every method', async (t) => {
  const { edge } = await start(t, { policy: cors({ allowMethods: ['ALL'] }) })
  for (const { headers } of await missAndHit(edge, '/', from('https://a.test', 'OPTIONS'))) {
    assert.equal(headers['access-control-allow-origin'], 'https://a.test')
    assert.equal(headers['access-control-allow-headers'], 'X-A, X-B')
    assert.equal(headers['access-control-allow-methods'], 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT')
    assert.equal(headers['access-control-max-age'], '600')
  }
  const { headers } = await edge.get('/', { method: 'OPTIONS' })
  assert.equal(headers['access-control-allow-methods'], undefined)
  const refused = await edge.get('/', from('https://evil.test', 'OPTIONS'))
  assert.equal(refused.headers['access-control-allow-methods'], undefined)
})

for (const override of [true, false]) {
  test(`CORS: origin override ${override}`, async (t) => {
    const { edge } = await start(t, {
      policy: cors({ override }),
      origin: (_asked, response) => {
        response.setHeader('access-control-allow-origin', 'https://origin-says.test')
        response.end('x')
      },
    })
    for (const { headers } of await missAndHit(edge, '/', from('https://a.test'))) {
      assert.equal(headers['access-control-allow-origin'], override ? 'https://a.test' : 'https://origin-says.test')
      // The origin did not say this one: the policy does, whatever its override.
      assert.equal(headers['access-control-expose-headers'], 'X-C, X-D')
    }
  })
}

const BRAND = headersPolicy({
  custom: [{ name: 'X-Brand', value: 'mine', override: true }],
  cors: { ...CORS, allowOrigins: ['*'] },
})

test('errors of the origin, errors from the cache, errors of the edge', async (t) => {
  const { edge } = await start(t, {
    policy: BRAND,
    origin: (asked, response) => {
      response.statusCode = 404
      return asked.url === '/gone' ? response.socket?.destroy() : response.end('no')
    },
  })
  const asks = from('https://a.test')
  for (const path of ['/missing', '/missing', '/gone', '/gone']) {
    const { headers, xCache, status } = await edge.get(path, asks)
    assert.equal(xCache, 'Error')
    assert.equal(status, path === '/missing' ? 404 : 502)
    assert.equal(headers['x-brand'], 'mine', path)
    assert.equal(headers['access-control-allow-origin'], '*')
  }
  const body = await edge.get('/', { headers: { origin: 'https://a.test', 'content-length': '1' }, body: 'x' })
  assert.equal(body.status, 403)
  assert.equal(body.headers['x-brand'], 'mine')
  assert.match(body.body, /403 ERROR/)
  const unknown = await edge.get('/', { host: 'nobody.test' })
  assert.equal(unknown.status, 403)
  assert.equal(unknown.headers['x-brand'], undefined, 'of no distribution')
})

test('a custom error page has the policy of the path that was asked for', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.statusCode = asked.url.startsWith('/pages/') ? 200 : 404
    response.end(asked.url)
  })
  t.after(() => origin.close())
  const other = headersPolicy({ id: 'other', custom: [{ name: 'X-Brand', value: 'page', override: true }] })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [
        behaviorDoc({ pathPattern: '/pages/*', responseHeadersPolicy: other }),
        behaviorDoc({ responseHeadersPolicy: BRAND }),
      ],
      errorResponses: [{ errorCode: 404, cachingMinTtlSeconds: 10, page: { path: '/pages/404', responseCode: 404 } }],
    }),
  ])
  for (const _ of [1, 2]) {
    const answer = await edge.get('/x', from('https://a.test'))
    assert.equal(answer.status, 404)
    assert.equal(answer.body, '/pages/404')
    assert.equal(answer.headers['x-brand'], 'mine')
    assert.equal(answer.headers['access-control-allow-origin'], '*')
  }
  assert.equal((await edge.get('/pages/404')).headers['x-brand'], 'page')
})

test('304 and 206 have what the policy adds', async (t) => {
  const { edge } = await start(t, {
    policy: headersPolicy({
      custom: [
        { name: 'X-Brand', value: 'mine', override: true },
        { name: 'Vary', value: 'X-Mine', override: true },
      ],
      security: SECURITY,
      cors: CORS,
    }),
    origin: (_asked, response) => {
      response.setHeader('etag', '"one"')
      response.setHeader('x-frame-options', 'SAMEORIGIN')
      response.setHeader('content-length', 5)
      response.end('hello')
    },
  })
  await missAndHit(edge)
  for (const who of ['https://a.test', 'https://x.b.test', 'https://a.test']) {
    const confirmed = await edge.get('/', { headers: { 'if-none-match': '"one"', origin: who } })
    assert.equal(confirmed.status, 304)
    assert.equal(confirmed.headers['x-brand'], 'mine')
    assert.equal(confirmed.headers['access-control-allow-origin'], who)
    assert.equal(confirmed.headers['x-frame-options'], 'SAMEORIGIN', 'what the whole answer has')
    assert.equal(confirmed.headers.vary, 'X-Mine, Origin')
    const part = await edge.get('/', { headers: { range: 'bytes=1-2', origin: who } })
    assert.equal(part.status, 206)
    assert.equal(part.body, 'el')
    assert.equal(part.headers['access-control-allow-origin'], who)
    assert.equal(part.headers['x-content-type-options'], 'nosniff')
  }
})

test('a changed policy changes the heads of what is cached already; one that is taken away leaves nothing', async (t) => {
  const { edge, origin, documentWith } = await start(t, { policy: BRAND })
  for (const { headers } of await missAndHit(edge)) assert.equal(headers['x-brand'], 'mine')
  const second = headersPolicy({ custom: [{ name: 'X-Brand', value: 'second', override: true }] })
  for (const [policy, brand] of [
    [second, 'second'],
    [null, undefined],
    [BRAND, 'mine'],
  ] as const) {
    await edge.feed.put(documentWith(policy))
    for (const _ of [1, 2]) {
      const { headers, xCache } = await edge.get('/')
      assert.equal(xCache, 'Hit')
      assert.equal(headers['x-brand'], brand)
    }
  }
  assert.equal(origin.count('/'), 1)
})

test('three workers: the policy is applied once, by the worker that has the viewer', async (t) => {
  const { edge, origin } = await start(t, { policy: BRAND, count: 3 })
  for (let n = 0; n < 12; n++) {
    for (const worker of [0, 1, 2]) {
      const { rawBrand } = await edge.get(`/${n}`, { worker, ...from('https://a.test') }).then(({ headers }) => ({
        rawBrand: headers['x-brand'],
      }))
      assert.equal(rawBrand, 'mine', 'not twice')
    }
    assert.equal(origin.count(`/${n}`), 1)
  }
})

test('HEAD, a body without a length, and what is not kept', async (t) => {
  const { edge } = await start(t, {
    policy: BRAND,
    origin: (asked, response) => {
      if (asked.url === '/private') response.setHeader('cache-control', 'private')
      response.write('a')
      response.end('b')
    },
  })
  for (const path of ['/chunked', '/chunked', '/private', '/private']) {
    for (const method of ['HEAD', 'GET', 'POST']) {
      const { headers } = await edge.get(path, { method })
      assert.equal(headers['x-brand'], 'mine', `${method} ${path}`)
    }
  }
})

test('a policy under caching disabled', async (t) => {
  const { edge } = await start(t, {
    policy: BRAND,
    changes: {
      behaviors: [
        behaviorDoc({
          cachePolicy: cachePolicy({ minTtl: 0, defaultTtl: 0, maxTtl: 0 }),
          responseHeadersPolicy: BRAND,
        }),
      ],
    },
  })
  for (const _ of [1, 2]) {
    const { headers, xCache } = await edge.get('/')
    assert.equal(xCache, 'Miss')
    assert.equal(headers['x-brand'], 'mine')
  }
})
