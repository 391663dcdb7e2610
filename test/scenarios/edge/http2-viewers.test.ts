//! Real viewers over HTTP/2, through a real edge: curl, nghttp, Node's client with many streams at once and a browser. What
//! they get is what HTTP/1.1 viewers get, out of the same cache.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
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

const run = promisify(execFile)
const TEXT = 'body { color: black }\n'.repeat(500)
const ASSETS = 50
const PAGE = `<!doctype html><title>Page</title><link rel="icon" href="data:,">${Array.from(
  { length: ASSETS },
  (_, at) =>
    at % 2 === 0 ? `<script src="/asset/${at}.js"></script>` : `<link rel="stylesheet" href="/asset/${at}.css">`,
).join('')}`

const ends: (() => Promise<unknown> | unknown)[] = []
let edge: EdgeScenario
let origin: TestOrigin
let trust: string
/** Answers to `/held...` that the origin has been asked for and not given. */
const held: (() => void)[] = []

before(async () => {
  const remember = { after: (end: () => unknown) => void ends.unshift(end) }
  origin = await startOrigin(({ url, headers }, response) => {
    const path = url.split('?')[0]!
    if (path === '/missing') return response.writeHead(404).end('the origin has none')
    if (path === '/error.html') return response.writeHead(200, { 'content-type': 'text/html' }).end('a page of our own')
    if (path === '/text.css')
      return response
        .writeHead(200, { 'content-type': 'text/css', 'content-length': TEXT.length, etag: '"text"' })
        .end(TEXT)
    if (path === '/cookies') return response.end(String(headers.cookie))
    if (path === '/page') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    if (path.startsWith('/asset/')) {
      const type = path.endsWith('.js') ? 'text/javascript' : 'text/css'
      const text = path.endsWith('.js') ? 'window.loaded = (window.loaded ?? 0) + 1' : 'p { color: red }'
      return response.writeHead(200, { 'content-type': type }).end(text)
    }
    if (path.startsWith('/held')) return void held.push(() => response.end('released'))
    return response
      .writeHead(200, { etag: '"e"', 'last-modified': 'Sat, 21 Nov 2020 00:00:00 GMT' })
      .end(path.repeat(100))
  })
  ends.push(() => origin.close())
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`heard ${data}`)))
  await once(sockets, 'listening')
  ends.push(() => sockets.close())
  const cookies = cachePolicy({ id: 'cookies', cookies: { behavior: 'whitelist', names: ['a', 'b'] } })
  edge = await EdgeScenario.start(remember as never, [
    distributionDoc(origin.port, {
      origins: [originDoc(origin.port), originDoc((sockets.address() as AddressInfo).port, { id: 'sockets' })],
      behaviors: [
        behaviorDoc({ pathPattern: '/socket', originId: 'sockets' }),
        behaviorDoc({ pathPattern: '/cookies', cachePolicy: cookies }),
        behaviorDoc({ pathPattern: '/secure/*', viewerProtocolPolicy: 'redirect-to-https' }),
        behaviorDoc({ compress: true, cachePolicy: cachePolicy({ gzip: true, brotli: true, queryStrings: NONE }) }),
      ],
      errorResponses: [{ errorCode: 404, cachingMinTtlSeconds: 10, page: { path: '/error.html', responseCode: 200 } }],
    }),
  ])
  trust = await edge.trust()
})
after(async () => {
  for (const end of ends) await end()
})

const session = (): ClientHttp2Session => {
  const opened = connect(`https://127.0.0.1:${edge.httpsPort()}`, { ca: trust, servername: HOST })
  opened.on('error', () => {})
  return opened
}

/** Status line, headers and body as curl got them over HTTP/2. */
async function curl(path: string, ...options: readonly string[]): Promise<{ head: string; body: string }> {
  const { stdout } = await run(
    'curl',
    [
      '-sS',
      '-i',
      '--http2',
      '--cacert',
      `${edge.tlsDirectory}/ca/ca.pem`,
      '--resolve',
      `${HOST}:${edge.httpsPort()}:127.0.0.1`,
      ...options,
      `https://${HOST}:${edge.httpsPort()}${path}`,
    ],
    { encoding: 'latin1' },
  )
  const end = stdout.indexOf('\r\n\r\n')
  return { head: stdout.slice(0, end + 2), body: stdout.slice(end + 4) }
}

/** Of one request on a connection of its own. */
async function ask(path: string, headers: Record<string, string | string[]> = {}) {
  const on = session()
  const stream = on.request({ ':authority': HOST, ':path': path, ...headers })
  const [got] = await once(stream, 'response')
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  on.close()
  return { headers: got as Record<string, string | undefined>, body: Buffer.concat(pieces) }
}

test('curl over HTTP/2: whole, head, range, 304, a custom error page, compressed', async () => {
  const whole = await curl('/plain')
  assert.match(whole.head, /^HTTP\/2 200 \r\n/)
  assert.match(whole.head, /\r\nx-cache: Miss from cloudfront\r\n/)
  assert.equal(whole.body, '/plain'.repeat(100))
  const head = await curl('/plain', '-I')
  assert.match(head.head, /^HTTP\/2 200 \r\n.*content-length: 600\r\n/s)
  assert.match(head.head, /\r\nx-cache: Hit from cloudfront\r\n/)
  const range = await curl('/plain', '-r', '0-5')
  assert.match(range.head, /^HTTP\/2 206 \r\n.*content-range: bytes 0-5\/600\r\n/s)
  assert.equal(range.body, '/plain')
  const fresh = await curl('/plain', '-H', 'If-None-Match: "e"')
  assert.match(fresh.head, /^HTTP\/2 304 \r\n/)
  assert.equal(fresh.body, '')
  const missing = await curl('/missing')
  assert.match(missing.head, /^HTTP\/2 200 \r\n/)
  assert.equal(missing.body, 'a page of our own')
  const packed = await curl('/text.css', '-H', 'Accept-Encoding: gzip')
  assert.match(packed.head, /\r\ncontent-encoding: gzip\r\n/)
  assert.equal(gunzipSync(Buffer.from(packed.body, 'latin1')).toString(), TEXT)
})

test('the redirect to HTTPS leads curl to HTTP/2', async () => {
  const { stdout } = await run('curl', ['-sS', '-L', '-o', '/dev/null', '-w', '%{num_redirects} %{http_version} %{http_code}', '--cacert', `${edge.tlsDirectory}/ca/ca.pem`, '--resolve', `${HOST}:${edge.httpsPort()}:127.0.0.1`, '--resolve', `${HOST}:${edge.port()}:127.0.0.1`, `http://${HOST}:${edge.port()}/secure/x`]) // biome-ignore format: one line
  assert.equal(stdout, '1 2 200')
})

test('nghttp gets a page over several streams of one connection', async () => {
  const url = `https://127.0.0.1:${edge.httpsPort()}`
  const { stdout } = await run('nghttp', [
    '-nv',
    '--no-verify-peer',
    '-H',
    `:authority: ${HOST}`,
    `${url}/n1`,
    `${url}/n2`,
    `${url}/n3`,
  ])
  assert.equal(stdout.match(/:status: 200/g)?.length, 3, stdout)
  assert.ok((stdout.match(/; END_STREAM/g)?.length ?? 0) >= 3, stdout)
  assert.match(stdout, /SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):128/)
})

test('a hundred streams at once, half of them cancelled: the others are whole, and the connection goes on', async () => {
  const on = session()
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      const stream = on.request({ ':authority': HOST, ':path': `/many/${at}` })
      stream.on('error', () => {})
      if (at % 2 === 1) {
        stream.close(constants.NGHTTP2_CANCEL)
        return 'cancelled'
      }
      const pieces: Buffer[] = []
      for await (const piece of stream) pieces.push(piece as Buffer)
      return Buffer.concat(pieces).toString()
    }),
  )
  assert.deepEqual(
    outcomes,
    outcomes.map((_, at) => (at % 2 === 1 ? 'cancelled' : `/many/${at}`.repeat(100))),
  )
  const again = on.request({ ':authority': HOST, ':path': '/many/1' })
  const [headers] = await once(again.resume(), 'response')
  assert.equal((headers as Record<string, unknown>)[':status'], 200)
  on.close()
})

test('one cache for both protocols: a miss of one is a hit of the other, with the same headers', async () => {
  const first = await edge.get('/both', { trust })
  assert.equal(first.xCache, 'Miss')
  const one = await edge.get('/both', { trust })
  const two = await ask('/both')
  assert.deepEqual([one.xCache, two.headers['x-cache']], ['Hit', 'Hit from cloudfront'])
  assert.equal(two.body.toString(), one.body)
  const names = (of: object) =>
    Object.keys(of)
      .filter((name) => !name.startsWith(':') && name !== 'connection' && name !== 'keep-alive')
      .sort()
  assert.deepEqual(names(two.headers), names(one.headers))
  assert.equal(origin.count('/both'), 1)
})

test('crumbs of cookies are keyed as the one header of HTTP/1.1 is', async () => {
  const one = await edge.get('/cookies', { trust, headers: { cookie: 'a=1; x=9; b=2' } })
  assert.deepEqual([one.xCache, one.body], ['Miss', 'a=1; b=2'])
  const two = await ask('/cookies', { cookie: ['a=1', 'x=7', 'b=2'] })
  assert.deepEqual([two.headers['x-cache'], two.body.toString()], ['Hit from cloudfront', 'a=1; b=2'])
})

test('viewers of both protocols wait for one fetch', async () => {
  const all = [edge.get('/held', { trust }), ask('/held'), ask('/held'), edge.get('/held')]
  while (held.length === 0) await new Promise(setImmediate)
  held.splice(0).forEach((release) => {
    release()
  })
  const bodies = (await Promise.all(all)).map(({ body }) => body.toString())
  assert.deepEqual(bodies, ['released', 'released', 'released', 'released'])
  assert.equal(origin.count('/held'), 1)
})

test(`a browser loads a page with ${ASSETS} assets over HTTP/2, and opens a WebSocket beside it`, {
  skip: browserIsMissing,
}, async () => {
  const browser = await startBrowser()
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const statuses: number[] = []
    page.on('response', (response) => statuses.push(response.status()))
    await page.goto(`https://${HOST}:${edge.httpsPort()}/page`, { waitUntil: 'load' })
    const seen = await page.evaluate(() => ({
      loaded: (globalThis as unknown as { loaded: number }).loaded,
      protocols: [
        ...new Set(
          performance
            .getEntries()
            .filter(({ entryType }) => ['navigation', 'resource'].includes(entryType))
            .map((entry) => (entry as unknown as { nextHopProtocol: string }).nextHopProtocol)
            .filter((name) => name !== ''),
        ),
      ],
      resources: performance.getEntries().filter(({ name }) => name.includes('/asset/')).length,
    }))
    assert.deepEqual(seen, { loaded: ASSETS / 2, protocols: ['h2'], resources: ASSETS })
    assert.ok(statuses.filter((status) => status === 200).length >= ASSETS + 1)
    // No extended CONNECT is offered (RFC 8441): it goes over a connection of HTTP/1.1.
    const answer = await page.evaluate(
      (url) =>
        new Promise<string>((resolve, reject) => {
          const socket = new WebSocket(url)
          socket.onopen = () => socket.send('hello')
          socket.onmessage = ({ data }) => resolve(String(data))
          socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`))
        }),
      `wss://${HOST}:${edge.httpsPort()}/socket`,
    )
    assert.equal(answer, 'heard hello')
  } finally {
    await browser.close()
  }
})
