//! HTTPS for viewers, and what a behavior does with those that come without it (spec/cloudfront.md 3.1 step 8, 14).
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BehaviorDoc } from '../../../src/domain/distribution.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  NONE,
  originDoc,
} from '../../support/edge-scenario.ts'
import { traceOf } from '../../support/edge-trace.ts'

const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

async function scenario(
  t: TestContext,
  behavior: Partial<BehaviorDoc>,
  workers = 1,
): Promise<{ edge: EdgeScenario; origin: TestOrigin }> {
  const origin = await startOrigin((asked, response) => response.end(`${asked.method} ${asked.url}`))
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ allowedMethods: ALL, ...behavior })]
  const edge = await EdgeScenario.start(
    t,
    [distributionDoc(origin.port, { behaviors, defaultRootObject: 'index.html' })],
    {
      count: workers,
    },
  )
  return { edge, origin }
}

const logLines = async (edge: EdgeScenario): Promise<string[][]> => {
  await edge.pause()
  const text = await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))
}

/** What each method meets over plain HTTP, by the version of HTTP (spec 3.1 step 8). */
const REDIRECTS: readonly (readonly [method: string, version: '1.0' | '1.1', status: number])[] = [
  ['GET', '1.1', 301],
  ['HEAD', '1.1', 301],
  ['POST', '1.1', 307],
  ['PUT', '1.1', 307],
  ['PATCH', '1.1', 307],
  ['DELETE', '1.1', 307],
  ['OPTIONS', '1.1', 307],
  ['GET', '1.0', 301],
  ['HEAD', '1.0', 301],
  ['POST', '1.0', 403],
  ['DELETE', '1.0', 403],
]

test('redirect-to-https: 301 for GET and HEAD, 307 for the others, 403 for those of HTTP/1.0', async (t) => {
  const { edge, origin } = await scenario(t, { viewerProtocolPolicy: 'redirect-to-https' })
  for (const [method, version, status] of REDIRECTS) {
    const what = `${method} HTTP/${version}`
    const answer = await edge.raw(
      `${method} /a%20b/?x=1&y=%2F&z HTTP/${version}\r\nHost: ${HOST}:8080\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    )
    const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), what)
    assert.match(head, /\r\nServer: CloudFront\r\n/, what)
    assert.match(head, new RegExp(`\r\nX-Cache: ${status === 403 ? 'Error' : 'Redirect'} from cloudfront\r\n`), what)
    if (status === 403) continue
    const location = `https://${HOST}:${edge.httpsPort()}/a%20b/?x=1&y=%2F&z`
    assert.ok(head.includes(`\r\nLocation: ${location}\r\n`), head)
    assert.match(
      head,
      /\r\nVia: 1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)\r\nX-Amz-Cf-Pop: FRA50-C1\r\nX-Amz-Cf-Id: \S+/,
    )
    // CloudFront's page has 167 bytes for a 301.
    if (status === 301) assert.match(head, /\r\nContent-Length: 167\r\n/)
    if (method === 'HEAD') assert.equal(body, '')
    else assert.equal(body.length, Number(/Content-Length: (\d+)/.exec(head)?.[1]))
  }
  assert.equal(origin.asked.length, 0)
})

test('a redirect goes to the path that was asked for, is what the log calls it, and its target is served', async (t) => {
  const { edge } = await scenario(t, { viewerProtocolPolicy: 'redirect-to-https' })
  const redirected = await edge.get('/')
  // Not the default root object: viewers keep the URL that they know.
  assert.equal(redirected.headers.location, `https://${HOST}:${edge.httpsPort()}/`)
  const trust = await edge.trust()
  const followed = await edge.get('/', { trust })
  assert.deepEqual([followed.status, followed.body, followed.xCache], [200, 'GET /index.html', 'Miss'])
  const trace = await traceOf(edge, '/x')
  const step = trace.steps.find(({ name }) => name === 'viewer-protocol')
  assert.deepEqual(step?.decisions, [
    { field: 'DefaultCacheBehavior.ViewerProtocolPolicy', value: 'redirect-to-https' },
  ])
  assert.equal(trace.outcome?.result, 'Redirect')
  const [plain, secure] = await logLines(edge)
  const of = (line: string[] | undefined) => [8, 13, 22, 28, 16, 20, 21].map((at) => line?.[at])
  assert.deepEqual(of(plain), ['301', 'Redirect', 'Redirect', 'Redirect', 'http', '-', '-'])
  assert.deepEqual(of(secure), ['200', 'Miss', 'Miss', 'Miss', 'https', 'TLSv1.3', 'TLS_AES_128_GCM_SHA256'])
})

test('without an HTTPS listener a redirect names the usual port, which something before the edge may serve', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end())
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ viewerProtocolPolicy: 'redirect-to-https' })]
  const pops = [
    { name: 'FRA50-C1', region: 'eu-central-1', regional: null, http: { host: '127.0.0.1', port: 0 }, https: null },
  ]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], { pops })
  assert.equal((await edge.get('/a')).headers.location, `https://${HOST}/a`)
})

test('https-only refuses what comes without TLS, and allow-all nothing', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('page'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [
        behaviorDoc({ pathPattern: '/secret/*', viewerProtocolPolicy: 'https-only' }),
        behaviorDoc({ viewerProtocolPolicy: 'allow-all' }),
      ],
    }),
  ])
  const trust = await edge.trust()
  const refused = await edge.get('/secret/a')
  assert.deepEqual([refused.status, refused.xCache], [403, 'Error'])
  assert.equal((await edge.get('/secret/a', { trust })).status, 200)
  assert.equal((await edge.get('/open')).status, 200)
  assert.equal((await edge.get('/open', { trust })).xCache, 'Hit')
})

test('an error page is fetched for a viewer without TLS from a behavior that wants it', async (t) => {
  const origin = await startOrigin((asked, response) => {
    response.statusCode = asked.url === '/errors/404.html' ? 200 : 404
    response.end(asked.url)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [
        behaviorDoc({ pathPattern: '/errors/*', viewerProtocolPolicy: 'redirect-to-https' }),
        behaviorDoc({}),
      ],
      errorResponses: [
        { errorCode: 404, cachingMinTtlSeconds: 10, page: { path: '/errors/404.html', responseCode: 404 } },
      ],
    }),
  ])
  const answer = await edge.get('/nothing')
  assert.deepEqual([answer.status, answer.body], [404, '/errors/404.html'])
})

for (const workers of [1, 3]) {
  test(`${workers} workers: one object serves both protocols unless CloudFront-Forwarded-Proto is keyed`, async (t) => {
    const shared = await scenario(t, {}, workers)
    const trust = await shared.edge.trust()
    assert.equal((await shared.edge.get('/a')).xCache, 'Miss')
    assert.equal((await shared.edge.get('/a', { trust, worker: workers - 1 })).xCache, 'Hit')
    const headers = { behavior: 'whitelist', names: ['cloudfront-forwarded-proto'] } as const
    const apart = await scenario(t, { cachePolicy: cachePolicy({ headers }) }, workers)
    const trusted = await apart.edge.trust()
    assert.equal((await apart.edge.get('/a')).xCache, 'Miss')
    assert.equal((await apart.edge.get('/a', { trust: trusted, worker: workers - 1 })).xCache, 'Miss')
    assert.equal((await apart.edge.get('/a', { trust: trusted })).xCache, 'Hit')
    assert.equal((await apart.edge.get('/a', { worker: workers - 1 })).xCache, 'Hit')
    assert.deepEqual(
      apart.origin.asked.map((asked) => asked.headers['cloudfront-forwarded-proto']),
      ['http', 'https'],
    )
  })
}

test('match-viewer: the origin is asked over the protocol of the viewer', async (t) => {
  const plain = await startOrigin((_asked, response) => response.end('plain'))
  // Speaks no TLS: whoever tries it there gets no answer.
  const secure = await startOrigin((_asked, response) => response.end('not TLS'))
  t.after(() => Promise.all([plain.close(), secure.close()]))
  const edge = await EdgeScenario.start(t, [
    distributionDoc(plain.port, {
      origins: [
        originDoc(plain.port, { protocolPolicy: 'match-viewer', httpsPort: secure.port, connectionAttempts: 1 }),
      ],
      behaviors: [behaviorDoc({ cachePolicy: cachePolicy({ maxTtl: 0, defaultTtl: 0, headers: NONE }) })],
    }),
  ])
  assert.equal((await edge.get('/a')).body, 'plain')
  const answer = await edge.get('/a', { trust: await edge.trust() })
  assert.equal(answer.status, 502)
  assert.ok(
    edge.problems.some((problem) => /: tls: /.test(problem)),
    edge.problems.join(),
  )
})
