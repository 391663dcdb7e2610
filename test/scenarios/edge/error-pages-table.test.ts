//! The table of errors that CloudFront answers by itself (spec/cloudfront.md 14), row by row: what the edge does today,
//! and which rows wait for a feature that it does not have yet.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import type { WebAclDoc } from '../../../src/domain/waf/web-acl.ts'
import { BEHAVIOR_ROWS, DISTRIBUTION_ROWS } from '../../../src/services/cloudfront/not-built.ts'
import { startRawOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, HOST, originDoc } from '../../support/edge-scenario.ts'
import { ACL_ARN, byteMatch, PATH, rule, webAclDoc } from '../../support/web-acl.ts'

interface Built {
  readonly status: number
  /** First paragraph of the page. */
  readonly reason: RegExp
  /** The whole request, byte by byte. */
  readonly request: string
  /** What the origin says to it; without one it must not be asked. */
  readonly origin?: string | 'silence' | 'nobody' | 'no TLS'
  readonly document?: (document: DistributionDoc) => DistributionDoc
  /** That of the document. */
  readonly webAcl?: WebAclDoc
  /** The origin is at fault, without a word of its. */
  readonly ofOrigin?: true
  /** The request comes over TLS, from a viewer that names no server. */
  readonly overTls?: true
  /** It is XML, of this form, and no page. */
  readonly xml?: RegExp
  /** No custom error response takes its place; most are answered before a distribution is known. */
  readonly noPage?: true
}

const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${headers}\r\n`

const oneOrigin = (changes: Parameters<typeof originDoc>[1]) => (document: DistributionDoc) => ({
  ...document,
  origins: [originDoc(document.origins[0]?.httpPort ?? 0, changes)],
})

/** Each row that the edge has: how it is brought about. */
const TABLE: Readonly<Record<string, Built>> = {
  'Unknown host': {
    status: 403,
    reason: /^Bad request\./,
    request: get('/').replace(HOST, 'nobody.example'),
    noPage: true,
  },
  'Signed URL failures': {
    status: 403,
    reason: /^$/,
    request: get('/'),
    document: (document) => ({
      ...document,
      behaviors: document.behaviors.map((one) => ({ ...one, signers: { keyGroups: [], accounts: [] } })),
    }),
    xml: /^<\?xml version="1.0" encoding="UTF-8"\?><Error><Code>MissingKey<\/Code><Message>.+<\/Message><\/Error>$/,
  },
  'Disabled distribution': {
    status: 403,
    reason: /^Bad request\./,
    request: get('/'),
    document: (document) => ({ ...document, enabled: false }),
    noPage: true,
  },
  'Domain fronting': {
    status: 421,
    reason: /^The connection was made for another name/,
    request: get('/'),
    // Asked over a connection that was made for no name, and under which nobody was asked for a certificate.
    overTls: true,
    document: (document) => ({ ...document, viewerMtls: { mode: 'passthrough', trust: null } }),
    noPage: true,
  },
  'Malformed HTTP': {
    status: 400,
    reason: /not well-formed HTTP/,
    request: `GET / HTTP/1.1\r\nHost: ${HOST}\r\nBad Name: x\r\n\r\n`,
    noPage: true,
  },
  'URL too long': {
    status: 414,
    reason: /longer than 8,192 bytes/,
    request: get(`/${'x'.repeat(8_192)}`),
    noPage: true,
  },
  // 'redirect-to-https' is no error: viewer-protocol.test.ts.
  'https-only behavior over HTTP': {
    status: 403,
    reason: /^Bad request\./,
    request: get('/'),
    document: (document) => ({
      ...document,
      behaviors: document.behaviors.map((behavior) => ({ ...behavior, viewerProtocolPolicy: 'https-only' })),
    }),
  },
  'Headers too big': {
    status: 494,
    reason: /larger than 32,768 bytes/,
    request: get('/', `X: ${'x'.repeat(33_000)}\r\n`),
    noPage: true,
  },
  'WAF block': {
    status: 403,
    reason: /^Request blocked\./,
    request: get('/'),
    document: (document) => ({ ...document, webAclArn: ACL_ARN }),
    webAcl: webAclDoc([rule('everybody', byteMatch('/', PATH))]),
  },
  'Geo block': {
    status: 403,
    reason: /block access from your country/,
    request: get('/', 'X-Cachefront-Viewer-Address: 8.8.8.8\r\n'),
    document: (document) => ({ ...document, geoRestriction: { type: 'blacklist', countries: ['US'] } }),
  },
  'Method not allowed by behavior': {
    status: 403,
    reason: /not configured to allow the HTTP request method/,
    request: get('/').replace('GET', 'DELETE'),
  },
  'GET with body': { status: 403, reason: /must not have a body/, request: `${get('/', 'Content-Length: 1\r\n')}x` },
  'CloudFront chain >2': {
    status: 403,
    reason: /too many distributions/,
    request: get('/', 'CDN-Loop: CloudFront, CloudFront\r\n'),
    // It would go in the same circle.
    noPage: true,
  },
  'Origin DNS failure': {
    status: 502,
    reason: /resolve the origin domain name/,
    request: get('/'),
    document: oneOrigin({ domainName: 'no-such-host.invalid' }),
    ofOrigin: true,
  },
  'Origin connect failure': { status: 502, reason: /can't connect to the server/, request: get('/'), origin: 'nobody' },
  'Origin TLS failure': {
    status: 502,
    reason: /can't connect to the server/,
    request: get('/'),
    origin: 'no TLS',
    document: (document) =>
      oneOrigin({ protocolPolicy: 'https-only', httpsPort: document.origins[0]?.httpPort ?? 0 })(document),
  },
  'Origin invalid response': {
    status: 502,
    reason: /use the response of the origin/,
    request: get('/'),
    origin: 'this is not HTTP\r\n\r\n',
  },
  'Origin header too big': {
    status: 502,
    reason: /use the response of the origin/,
    request: get('/'),
    origin: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\nContent-Length: 0\r\n\r\n`,
  },
  'Origin timeout': {
    status: 504,
    reason: /didn't answer in time/,
    request: get('/'),
    origin: 'silence',
    document: oneOrigin({ readTimeoutMs: 100, connectionAttempts: 1 }),
  },
}

/**
 * Rows that no request can bring about yet, with the field of the configuration that would: the API refuses it (501).
 * 'Edge capacity' is not among them: a connection over the limit is closed without a page (listen/http1.test.ts). Nor is
 * 'FLE rejection', which field-level-encryption.test.ts has.
 */
const NOT_BUILT: Readonly<Record<string, string>> = {
  'CFF execution / throttle': 'FunctionAssociations',
  'CFF validation': 'FunctionAssociations',
  'L@E validation / execution / limit': 'LambdaFunctionAssociations',
}

/** Answers TLS as a server does that speaks none. */
async function startPlainOrigin(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function ask(t: TestContext, row: Built, changes: Partial<DistributionDoc> = {}): Promise<string> {
  const origin =
    row.origin === 'no TLS'
      ? await startPlainOrigin()
      : await startRawOrigin((socket) => {
          if (row.origin === undefined) assert.fail('the origin was asked')
          if (row.origin !== 'silence') socket.end(row.origin, 'latin1')
        })
  if (row.origin === 'nobody') await origin.close()
  else t.after(() => origin.close())
  const document = { ...distributionDoc(origin.port), ...changes }
  const { webAcl } = row
  const edge = await EdgeScenario.start(t, [row.document?.(document) ?? document])
  if (webAcl !== undefined) await edge.feed.change(() => ({ kind: 'web-acl', arn: webAcl.arn, webAcl }))
  return row.overTls === true ? overTls(edge, row.request) : edge.raw(row.request)
}

/** As EdgeScenario.raw. */
async function overTls(edge: EdgeScenario, text: string): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port: edge.httpsPort(), ca: await edge.trust() })
  let got = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    got += chunk
  })
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return got
}

test('a row without a page belongs to a field that the API refuses', () => {
  const refused = new Set([...DISTRIBUTION_ROWS, ...BEHAVIOR_ROWS].map(({ field }) => field))
  // A field that is built leaves the list of those that are not: then its page must be in the table above.
  for (const [row, field] of Object.entries(NOT_BUILT)) assert.ok(refused.has(field), `${row}: ${field} is built`)
})

for (const [name, row] of Object.entries(TABLE)) {
  test(`${name}: a page of CloudFront's own with ${row.status}`, async (t) => {
    const answer = await ask(t, row)
    const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${row.status} `))
    assert.match(head, /\r\nX-Cache: Error from cloudfront(\r\n|$)/)
    assert.match(head, /\r\nServer: CloudFront\r\n/)
    assert.match(head, row.xml === undefined ? /\r\nContent-Type: text\/html\r\n/ : /\r\nContent-Type: text\/xml\r\n/)
    assert.match(head, /\r\nVia: 1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)\r\n/)
    assert.match(head, /\r\nX-Amz-Cf-Pop: FRA50-C1\r\n/)
    assert.match(head, /\r\nDate: /)
    if (row.xml !== undefined) return assert.match(body, row.xml)
    const id = /\r\nX-Amz-Cf-Id: (\S+)/.exec(head)?.[1] ?? 'none'
    assert.match(body, /<TITLE>ERROR: The request could not be satisfied<\/TITLE>/)
    assert.match(body, new RegExp(`<H1>${row.status} ERROR</H1>`))
    assert.match(body, /Generated by cloudfront \(CloudFront\)/)
    assert.ok(body.includes(`Request ID: ${id}`), 'the name of the request stands in head and page')
    const reason = body.slice(body.indexOf('size="1px">\n') + 12)
    assert.match(reason, row.reason)
    if ([400, 414, 494].includes(row.status)) assert.match(head, /\r\nConnection: close\r\n/)
  })

  test(`${name}: ${row.noPage ? 'no custom error response' : 'a custom error response takes its place'}`, async (t) => {
    const dead = { errorCode: row.status, cachingMinTtlSeconds: 10, page: { path: '/page', responseCode: 200 } }
    // The page comes from the same origin, which fails as well: what is seen then is that it was asked for.
    const answer = await ask(
      t,
      { ...row, origin: row.origin ?? 'HTTP/1.1 418 Page\r\nContent-Length: 0\r\n\r\n' },
      {
        errorResponses: [dead],
      },
    )
    const fromPage = row.origin === undefined && row.ofOrigin !== true && !row.noPage
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${fromPage ? 418 : row.status} `))
  })
}
