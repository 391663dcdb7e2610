//! Every row of spec/cloudfront.md 6.1 at a real edge: what an origin gets of a viewer's request header when no policy
//! mentions it, when the cache policy lists it, and with AllViewer; with one worker and with three, where another worker
//! than the viewer's asks the origin.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { managedOriginRequestPolicy } from '../../../src/domain/managed-policies.ts'
import type { OriginRequestPolicyDoc } from '../../../src/domain/policy.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST, NONE } from '../../support/edge-scenario.ts'

const managed = (id: string): OriginRequestPolicyDoc => {
  const settings = managedOriginRequestPolicy(id)?.settings
  assert.ok(settings)
  return { id, ...settings }
}
const ALL_VIEWER = managed('216adef6-5c7f-47e4-b989-5492eafa07d3')
const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

/** What an origin gets: as the viewer sent it, not at all, or that. */
type Gets = 'as sent' | 'nothing' | RegExp

interface Row {
  readonly header: string
  readonly sent: string
  readonly none: Gets
  /** Null: a cache policy cannot list it. */
  readonly keyed: Gets | null
  readonly allViewer: Gets
  /** GET when absent. */
  readonly method?: string
}

const removed = (header: string, sent: string): Row => ({
  ...{ header, sent, none: 'nothing', keyed: 'as sent', allViewer: 'as sent' },
})
const always = (header: string, sent: string): Row => ({
  ...{ header, sent, none: 'as sent', keyed: null, allViewer: 'as sent' },
})
const never = (header: string, sent: string): Row => ({
  ...{ header, sent, none: 'nothing', keyed: null, allViewer: 'nothing' },
})

const EDGE_VIA = String.raw`1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)`
const DAY = 'Thu, 01 Jan 2026 00:00:00 GMT'

const ROWS: readonly Row[] = [
  removed('Accept', 'text/html'),
  removed('Accept-Charset', 'utf-8'),
  removed('Accept-Language', 'de'),
  removed('Referer', 'https://a.example/'),
  removed('X-HTTP-Method-Override', 'PATCH'),
  removed('Accept-Encoding', 'zstd'),
  removed('Authorization', 'Bearer t'),
  { ...removed('Authorization', 'Bearer t'), method: 'HEAD' },
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => ({ ...removed('Authorization', 'Bearer t'), none: 'as sent' as const, method })),
  always('Cache-Control', 'max-age=5'),
  always('Pragma', 'x-y'),
  always('Max-Forwards', '7'),
  always('Request-Range', 'bytes=0-1'),
  removed('Content-MD5', 'Q2hlY2sgSW50ZWdyaXR5IQ=='),
  removed('Date', DAY),
  removed('From', 'me@a.example'),
  removed('Origin', 'https://a.example'),
  removed('Warning', '199 - "w"'),
  { ...removed('Content-Type', 'text/x'), none: 'as sent', method: 'POST' },
  { header: 'Via', sent: '1.1 proxy', none: RegExp(`^${EDGE_VIA}$`), keyed: RegExp(`^1\\.1 proxy, ${EDGE_VIA}$`), allViewer: RegExp(`^1\\.1 proxy, ${EDGE_VIA}$`) },
  // Where the answer may be kept, conditions and ranges are the edge's own; a POST takes them along as they come.
  ...['If-Match', 'If-None-Match'].flatMap((name): Row[] => [
    { header: name, sent: '"a"', none: 'nothing', keyed: 'nothing', allViewer: 'nothing' },
    { ...removed(name, '"a"'), method: 'POST' },
  ]),
  ...['If-Modified-Since', 'If-Unmodified-Since'].flatMap((name): Row[] => [
    { header: name, sent: DAY, none: 'nothing', keyed: 'nothing', allViewer: 'nothing' },
    { ...removed(name, DAY), method: 'POST' },
  ]),
  { header: 'If-Range', sent: '"a"', none: 'nothing', keyed: 'nothing', allViewer: 'nothing' },
  { header: 'Range', sent: 'bytes=0-1', none: 'nothing', keyed: null, allViewer: 'nothing' },
  { ...always('Range', 'bytes=0-1'), method: 'POST' },
  { header: 'Connection', sent: 'close, x-nothing', none: /^keep-alive$/i, keyed: null, allViewer: /^keep-alive$/i },
  { header: 'Cookie', sent: 'b=2; a=1', none: 'nothing', keyed: null, allViewer: /^a=1; b=2$/ },
  { header: 'Host', sent: HOST, none: /^127\.0\.0\.1(:\d+)?$/, keyed: 'as sent', allViewer: 'as sent' },
  { header: 'User-Agent', sent: 'mine/1', none: /^Amazon CloudFront$/, keyed: 'as sent', allViewer: 'as sent' },
  { header: 'X-Forwarded-For', sent: '192.0.2.1, 192.0.2.2', none: /^192\.0\.2\.1, 192\.0\.2\.2, 127\.0\.0\.1$/, keyed: /, 127\.0\.0\.1$/, allViewer: /^192\.0\.2\.1, 192\.0\.2\.2, 127\.0\.0\.1$/ },
  { header: 'CDN-Loop', sent: 'other', none: /^other, CloudFront$/, keyed: null, allViewer: /^other, CloudFront$/ },
  never('X-Forwarded-Proto', 'https'),
  never('X-Real-IP', '192.0.2.1'),
  never('Proxy-Authenticate', 'Basic'),
  never('Proxy-Authorization', 'Basic eDp5'),
  never('Proxy-Connection', 'keep-alive'),
  never('TE', 'trailers'),
  never('Trailer', 'X-T'),
  never('X-Edge-Location', 'FRA50'),
  never('Upgrade', 'h2c'),
  // undici cannot send it (docs/headers.md): the edge answers 100 itself.
  { ...never('Expect', '100-continue'), method: 'POST' },
  { header: 'X-Amz-Cf-Id', sent: 'forged', none: /^[\w-]{54}==$/, keyed: null, allViewer: /^[\w-]{54}==$/ },
  removed('X-Custom', 'v'),
] // biome-ignore format: a table

const PATHS = ['none', 'keyed', 'all-viewer'] as const

/** One distribution for a row: its three policies by path. */
function documentFor(row: Row, port: number) {
  const name = row.header.toLowerCase()
  const methods = { allowedMethods: SEVEN }
  const keyed = cachePolicy({ id: 'keyed', headers: { behavior: 'whitelist', names: [name] } })
  return distributionDoc(port, {
    behaviors: [
      behaviorDoc({ ...methods, pathPattern: '/keyed/*', cachePolicy: row.keyed === null ? cachePolicy() : keyed }),
      behaviorDoc({ ...methods, pathPattern: '/all-viewer/*', originRequestPolicy: ALL_VIEWER }),
      behaviorDoc(methods),
    ],
  })
}

/** By the letter: clients have opinions on several of these fields. */
function requestText({ header, sent }: Row, method: string, path: string): string {
  const own = header === 'Host' ? '' : `Host: ${HOST}\r\n`
  const end = header === 'Connection' ? '' : 'Connection: close\r\n'
  const body = method === 'POST' ? ['Content-Length: 1\r\n', 'b'] : ['', '']
  return `${method} ${path} HTTP/1.1\r\n${own}${header}: ${sent}\r\n${end}${body[0]}\r\n${body[1]}`
}

for (const count of [1, 3]) {
  test(`what an origin gets of each header, ${count === 1 ? 'one worker' : 'three workers'}`, async (t: TestContext) => {
    const origin = await startOrigin((_asked, response) =>
      response.setHeader('ETag', '"a"').setHeader('Last-Modified', DAY).end('x'),
    )
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count })
    for (const row of ROWS) {
      const method = row.method ?? 'GET'
      await t.test(`${row.header} with ${method}`, async () => {
        await edge.feed.put(documentFor(row, origin.port))
        for (const [at, policy] of PATHS.entries()) {
          const gets = [row.none, row.keyed, row.allViewer][at]
          if (gets === null || gets === undefined) continue
          const path = `/${policy}/${row.header}-${method}`
          const answer = await edge.raw(requestText(row, method, path), at % count)
          assert.match(answer, /^HTTP\/1\.1 (?:100|200|206|304) /, answer)
          const asked = origin.asked.findLast(({ url }) => url === path)
          assert.ok(asked)
          const got = asked.headers[row.header.toLowerCase()]
          const seen = `${policy}: ${got}`
          if (gets === 'nothing') assert.equal(got, undefined, seen)
          else if (gets === 'as sent') assert.equal(got, row.sent, seen)
          else assert.match(String(got), gets, seen)
          if (row.header === 'X-Amz-Cf-Id') assert.ok(answer.includes(`\r\nX-Amz-Cf-Id: ${got}\r\n`))
        }
      })
    }
  })
}

test('a list of exceptions sends everything else, and the headers that CloudFront makes', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const originRequestPolicy = managed('b689b0a8-53d0-40ab-baf2-68738e2966ac')
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ originRequestPolicy })] }),
  ])
  await edge.get('/a', { headers: { 'x-custom': 'v', 'cloudfront-is-mobile-viewer': 'forged', cookie: 'a=1' } })
  const { headers } = origin.asked[0] ?? assert.fail()
  assert.match(headers.host ?? '', /^127\.0\.0\.1/)
  assert.deepEqual([headers['x-custom'], headers.cookie], ['v', 'a=1'])
  assert.deepEqual([headers['cloudfront-is-mobile-viewer'], headers['cloudfront-forwarded-proto']], ['false', 'http'])
})

test('a header that an origin has as its custom header is that one alone', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, { behaviors: [behaviorDoc({ originRequestPolicy: ALL_VIEWER })] })
  const [first] = document.origins
  assert.ok(first)
  const customHeaders = [['X-Custom', 'ours'], ['Authorization', 'Basic b3Vycw==']] as const // biome-ignore format: pairs
  const edge = await EdgeScenario.start(t, [{ ...document, origins: [{ ...first, customHeaders }] }])
  await edge.get('/a', { headers: { 'x-custom': 'theirs', authorization: 'Bearer theirs', 'x-other': NONE.behavior } })
  const { headers } = origin.asked[0] ?? assert.fail()
  assert.deepEqual([headers['x-custom'], headers.authorization, headers['x-other']], ['ours', 'Basic b3Vycw==', 'none'])
})
