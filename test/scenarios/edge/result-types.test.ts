//! Every word of the access log for what became of a request (domain/result-types.ts) is brought about through the front
//! door and read in the log: each row is one request with the final type, the type of its first byte, and the detailed one.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { DETAILED_TYPES, RESULT_TYPES } from '../../../src/domain/result-types.ts'
import { accessLogRecords, type LogRecord } from '../../support/edge-access-log.ts'
import { startOrigin, startRawOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'
import { ACL_ARN, byteMatch, PATH, rule, webAclDoc } from '../../support/web-acl.ts'

const OLD_HOST = 'd222222abcdef8.cloudfront.localhost'
const BROKEN_HOST = 'd333333abcdef8.cloudfront.localhost'
const BROKEN_ARN = ACL_ARN.replace('/acl/', '/broken/')
const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
const POPS = ['FRA50-C1', 'LHR61-C2'].map((name) => {
  const at = { host: '127.0.0.1', port: 0 }
  return { name, region: 'eu-central-1', regional: null, http: at, https: at }
})
/** Larger than what is kept of a body that nobody reads, on the way from the origin to the viewer. */
const MUCH = 32 * 1024 * 1024

type Raw = (socket: Socket) => void
const length = (bytes: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`

/** What an origin of bytes does by the path that it is asked for. */
const RAW: Readonly<Record<string, Raw>> = {
  '/raw/cut': (socket) => socket.end(`${length(10)}abc`),
  '/raw/stall': (socket) => void socket.write(`${length(10)}abc`),
  '/raw/reset': (socket) => socket.destroy(),
  '/raw/silent': () => {},
  '/raw/garbage': (socket) => socket.end('this is no HTTP\r\n\r\n'),
  '/raw/big-header': (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
  '/raw/unasked': (socket) =>
    socket.end('HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-2/9\r\nContent-Length: 3\r\n\r\nabc'),
  '/raw/two-lengths': (socket) =>
    socket.end('HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 3\r\n\r\nabc'),
  '/raw/write': (socket) => socket.resetAndDestroy(),
  '/raw/much': (socket) => {
    socket.write(length(MUCH * 4))
    socket.write(Buffer.alloc(MUCH))
    slowReaders++
  },
}
let slowReaders = 0

interface Row {
  /** What the log is to say: final type, type of the first byte, detailed type. */
  readonly says: readonly [result: string, response: string, detailed: string]
  readonly path: string
  readonly ask: (edge: EdgeScenario, path: string) => Promise<unknown>
  /** What its line has in place of the path. */
  readonly stem?: string
}

const get = (edge: EdgeScenario, path: string) => edge.get(path)
const getWith =
  (asks: Parameters<EdgeScenario['get']>[1]) =>
  (edge: EdgeScenario, path: string): Promise<unknown> =>
    edge.get(path, asks)
const broken = (edge: EdgeScenario, path: string) => assert.rejects(edge.get(path))
const error = (detailed: string) => ['Error', 'Error', detailed] as const
const brokeOff = (detailed: string) => ['Error', 'Miss', detailed] as const
const plain = (word: string) => [word, word, word] as const

const waiting: ServerResponse[] = []
let answersSlowly = true

/** Writes, waits for something, and leaves. */
async function leave(edge: EdgeScenario, text: string, until: () => boolean): Promise<void> {
  const socket = connect(edge.port(), '127.0.0.1').on('error', () => {})
  socket.write(text)
  await turning(until)
  socket.resetAndDestroy()
  await noFetch(edge)
  waiting.length = 0
}

/** Until nothing is asked of origins any more. */
async function noFetch(edge: EdgeScenario): Promise<void> {
  for (;;) {
    const answer = await edge.feed.ask({ kind: 'counters' })
    if (answer.kind === 'counters' && answer.counters.originRequestsOpen === 0) return
  }
}

async function turning(until: () => boolean): Promise<void> {
  while (!until()) await new Promise((resolve) => setTimeout(resolve, 2))
}

const rows = (origin: { count(path: string): number }): readonly Row[] => [
  { says: ['Hit', 'Hit', 'OriginShieldHit'], path: '/shielded', ask: (edge, path) => edge.get(path, { pop: 1 }) },
  { says: plain('Miss'), path: '/page', ask: get },
  { says: plain('Hit'), path: '/page', ask: get },
  {
    says: plain('RefreshHit'),
    path: '/page?revalidated',
    ask: async (edge) => {
      await edge.feed.moveClock(1_000_000)
      return edge.get('/page')
    },
    stem: '/page',
  },
  { says: error('Error'), path: '/missing', ask: get },
  { says: plain('Redirect'), path: '/https/page', ask: get },
  { says: error('InvalidRequest'), path: '/nobodys', ask: getWith({ host: 'nobody.test' }) },
  {
    says: error('InvalidRequestHeader'),
    path: '/bad-header',
    ask: (edge, path) => edge.raw(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nBad Name: x\r\n\r\n`),
  },
  { says: error('InvalidRequestMethod'), path: '/page-of-method', ask: getWith({ method: 'DELETE' }) },
  {
    says: error('InvalidRequestCertificate'),
    path: '/misdirected',
    ask: async (edge, path) => {
      const session = connectHttp2(`https://${HOST}`, {
        createConnection: () =>
          connectTls({
            ...{ port: edge.httpsPort(), host: '127.0.0.1', servername: HOST },
            ...{ ALPNProtocols: ['h2'], rejectUnauthorized: false },
          }),
      })
      const stream = session.request({ ':path': path, ':authority': OLD_HOST })
      const [fields] = (await once(stream, 'response')) as [{ ':status'?: number }]
      assert.equal(fields[':status'], 421)
      session.destroy()
    },
  },
  { says: error('InvalidRequestBlocked'), path: '/evil', ask: get },
  { says: error('InternalError'), path: '/unguarded', ask: getWith({ host: BROKEN_HOST }) },
  {
    says: error('ClientGeoBlocked'),
    path: '/german',
    ask: getWith({ headers: { 'x-cachefront-viewer-address': '8.8.8.8' } }),
  },
  { says: error('OriginConnectError'), path: '/dead/page', ask: get },
  { says: error('OriginDnsError'), path: '/dns/page', ask: get },
  { says: error('OriginCommError'), path: '/raw/reset', ask: get },
  { says: brokeOff('OriginCommError'), path: '/raw/stall', ask: broken },
  { says: brokeOff('AbortedOrigin'), path: '/raw/cut', ask: broken },
  { says: error('OriginReadError'), path: '/raw/silent', ask: get },
  { says: error('OriginInvalidResponseError'), path: '/raw/garbage', ask: get },
  { says: error('OriginHeaderTooBigError'), path: '/raw/big-header', ask: get },
  { says: error('OriginError'), path: '/raw/unasked', ask: get },
  {
    says: error('OriginContentRangeLengthError'),
    path: '/raw/two-lengths',
    ask: getWith({ headers: { range: 'bytes=0-4' } }),
  },
  { says: error('OriginZeroSizeObjectError'), path: '/empty', ask: getWith({ headers: { range: 'bytes=0-4' } }) },
  {
    says: error('OriginWriteError'),
    path: '/raw/write',
    ask: (edge, path) =>
      edge.raw(`POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nContent-Length: 99\r\n\r\nabc`),
  },
  {
    says: brokeOff('SlowReaderOriginError'),
    path: '/raw/much',
    ask: async (edge, path) => {
      const viewer = connect(edge.port(), '127.0.0.1').on('error', () => {})
      viewer.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      // It reads nothing; the edge has stopped reading too when the origin's time is over.
      await turning(() => slowReaders > 0)
      await noFetch(edge)
      viewer.resume()
      await once(viewer, 'close')
    },
  },
  {
    says: error('ClientCommError'),
    path: '/slow/left',
    ask: (edge, path) => leave(edge, `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, () => origin.count(path) > 0),
  },
  {
    says: error('ClientHungUpRequest'),
    path: '/raw/hung-up',
    ask: (edge, path) =>
      leave(edge, `POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 99\r\n\r\nabc`, () =>
        hungUp.some((head) => head.startsWith('POST /raw/hung-up')),
      ),
  },
  {
    says: plain('CapacityExceeded'),
    path: '/slow/shed',
    ask: async (edge, path) => {
      const first = [edge.get('/slow/1'), edge.get('/slow/2')]
      await turning(() => waiting.length >= 2)
      assert.equal((await edge.get(path)).status, 503)
      answersSlowly = false
      for (const response of waiting) response.end('late')
      await Promise.all(first)
    },
  },
  {
    says: plain('LimitExceeded'),
    path: '/limited',
    ask: async (edge, path) => {
      const socket = connect({ port: edge.port(), host: '127.0.0.1', localAddress: '127.0.0.7' })
      socket.write(`GET /hurried HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`.repeat(BURST))
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      let got = ''
      socket.setEncoding('latin1').on('data', (text: string) => {
        got += text
      })
      await turning(() => got.includes('HTTP/1.1 429 '))
      socket.destroy()
    },
  },
]

/** Heads that the origin of bytes has got. */
let hungUp: readonly string[] = []
/** More than all other rows ask for from one address. */
const BURST = 120

async function scenario(t: TestContext) {
  const origin = await startOrigin((asked, response) => {
    if (asked.url.startsWith('/slow') && answersSlowly) {
      waiting.push(response)
      return
    }
    if (asked.headers['if-none-match'] !== undefined) response.writeHead(304).end()
    else if (asked.url === '/empty') response.setHeader('content-length', 0).end()
    else if (asked.url === '/missing') response.writeHead(404).end('none')
    else response.setHeader('etag', '"e"').setHeader('cache-control', 'max-age=500').end('page')
  })
  t.after(() => origin.close())
  const raw = await startRawOrigin((socket, head) => {
    const path = (head.split(' ')[1] ?? '').split('?')[0] ?? ''
    RAW[path]?.(socket)
  })
  t.after(() => raw.close())
  hungUp = raw.requests
  const dead = await startRawOrigin(() => {})
  await dead.close()
  const own = { id: 'raw', readTimeoutMs: 400, connectionAttempts: 1 }
  const document = distributionDoc(origin.port, {
    origins: [
      originDoc(origin.port),
      originDoc(raw.port, own),
      originDoc(raw.port, { id: 'limited', responseCompletionTimeoutMs: 2_000 }),
      originDoc(dead.port, { id: 'dead', connectionAttempts: 1 }),
      originDoc(origin.port, { id: 'dns', domainName: 'no.such.test', connectionAttempts: 1 }),
      originDoc(origin.port, { id: 'shielded', shieldRegion: 'us-east-1' }),
    ],
    behaviors: [
      behaviorDoc({
        pathPattern: '/raw/much',
        originId: 'limited',
        cachePolicy: cachePolicy({ maxTtl: 0, defaultTtl: 0 }),
      }),
      behaviorDoc({ pathPattern: '/raw/*', originId: 'raw', allowedMethods: ALL }),
      behaviorDoc({ pathPattern: '/dead/*', originId: 'dead' }),
      behaviorDoc({ pathPattern: '/dns/*', originId: 'dns' }),
      behaviorDoc({ pathPattern: '/https/*', viewerProtocolPolicy: 'redirect-to-https' }),
      behaviorDoc({ pathPattern: '/shielded', originId: 'shielded' }),
      behaviorDoc(),
    ],
    geoRestriction: { type: 'whitelist', countries: ['DE'] },
    webAclArn: ACL_ARN,
  })
  const old = distributionDoc(origin.port, { id: 'E2', domainName: OLD_HOST, httpVersion: 'http1.1' })
  const unguarded = distributionDoc(origin.port, { id: 'E3', domainName: BROKEN_HOST, webAclArn: BROKEN_ARN })
  const edge = await EdgeScenario.start(t, [document, old, unguarded], {
    pops: POPS,
    lookup: () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' })),
    shield: { addressRequests: 0.001, addressBurst: BURST, limitLoopback: true, originRequests: 4 },
  })
  await edge.feed.change(() => ({
    kind: 'web-acl',
    arn: ACL_ARN,
    webAcl: webAclDoc([rule('evil', byteMatch('evil', PATH))]),
  }))
  await edge.get('/shielded')
  return { edge, origin }
}

test('each word is brought about, and the log has it', async (t) => {
  const { edge, origin } = await scenario(t)
  const table = rows(origin)
  for (const { path, ask } of table) {
    await ask(edge, path).catch((error: Error) => assert.fail(`${path}: ${error.message}`))
  }
  // All lines are written when the workers have ended.
  await edge.pause()
  const records = await accessLogRecords(edge)
  const typesOf = (record: LogRecord): string =>
    ['x-edge-result-type', 'x-edge-response-result-type', 'x-edge-detailed-result-type']
      .map((name) => record[name])
      .join(' ')
  for (const { says, path, stem = path } of table) {
    const found = records.filter((record) => record['cs-uri-stem'] === stem).map(typesOf)
    assert.ok(found.includes(says.join(' ')), `${path}: expected ${says.join(' ')}, seen ${found.join(' | ')}`)
  }
  const written = new Set(table.flatMap(({ says: [result, , detailed] }) => [result, detailed]))
  const unwritten = [...Object.keys(RESULT_TYPES), ...Object.keys(DETAILED_TYPES)].filter((word) => !written.has(word))
  assert.deepEqual(unwritten, [], 'words without a row')
})
