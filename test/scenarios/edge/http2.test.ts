//! The HTTP/2 listener of a real worker, with node:http2, curl and h2load as its viewers.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { ALL_VIEWER } from '../../support/edge-strict.ts'

const run = promisify(execFile)

interface Answer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number }
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders
}

async function ask(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body?: Buffer,
): Promise<Answer> {
  const stream = session.request({ ':authority': HOST, ...headers }, { endStream: body === undefined })
  let answered: Answer['headers'] = {}
  let trailers: IncomingHttpHeaders = {}
  stream.on('response', (got) => {
    answered = got
  })
  stream.on('trailers', (got) => {
    trailers = got
  })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (body !== undefined) stream.end(body)
  await once(stream, 'close')
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`)
  return { headers: answered, body: Buffer.concat(chunks), trailers }
}

const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
const LARGE = Buffer.alloc(1_000_000, 'abcdefghij')
const STRICT = { id: 'E2STRICT', domainName: 'd222222abcdef8.cloudfront.localhost' }

async function setUp() {
  const asked = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const origin = await startOrigin(async (request, response) => {
    if (request.method === 'POST') response.end(`${request.body.length}`)
    else if (request.url === '/large') response.end(LARGE)
    else if (request.url === '/endless') {
      response.on('close', () => ended.resolve())
      response.write('some')
    } else if (request.url === '/trailers') {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.writeHead(200, { trailer: 'x-checksum' })
      response.addTrailers({ 'x-checksum': '1' })
      response.end('body')
    } else {
      if (request.url === '/slow') {
        asked.resolve()
        await released.promise
      }
      response.end(request.url)
    }
  })
  const ends: (() => unknown)[] = [() => origin.close()]
  const behaviors = [
    behaviorDoc({ pathPattern: '/fixed/*' }),
    behaviorDoc({
      pathPattern: '/all',
      originRequestPolicy: { ...ALL_VIEWER, cookies: { behavior: 'all', names: [] } },
      cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
    }),
    behaviorDoc({ allowedMethods: SEVEN }),
  ]
  const edge = await EdgeScenario.start({ after: (end) => ends.push(end as () => unknown) }, [
    distributionDoc(origin.port, { behaviors }),
    distributionDoc(origin.port, { ...STRICT, rfcStrict: true }),
  ])
  const port = edge.httpsPort()
  const ca = await edge.trust()
  const resolve = ['--cacert', `${edge.tlsDirectory}/ca/ca.pem`, '--resolve', `${HOST}:${port}:127.0.0.1`]
  const answering = { asked: asked.promise, release: released.resolve, ended: ended.promise }
  return { edge, origin, ca, port, resolve, url: `https://${HOST}:${port}`, ends, ...answering }
}

let shared: Awaited<ReturnType<typeof setUp>>
before(async () => {
  shared = await setUp()
})
after(async () => {
  for (const end of shared.ends.reverse()) await end()
})

function sessionOf(t: TestContext, servername = HOST): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${shared.port}`, { ca: shared.ca, servername })
  session.on('error', () => {})
  t.after(() => session.destroy())
  return session
}

test('node:http2, curl and h2load get hits, misses, uploads and large bodies', async (t) => {
  const { port, resolve, url } = shared
  const session = sessionOf(t)
  const miss = await ask(session, { ':path': '/a' })
  assert.equal(miss.headers[':status'], 200)
  assert.equal(miss.headers['x-cache'], 'Miss from cloudfront')
  assert.equal(miss.headers.connection, undefined)
  assert.equal(miss.body.toString(), '/a')
  for (let n = 0; n < 3; n++) {
    const hit = await ask(session, { ':path': '/a' })
    assert.equal(hit.headers['x-cache'], 'Hit from cloudfront')
    assert.equal(hit.headers['content-length'], '2')
    assert.match(String(hit.headers['x-amz-cf-id']), /^[\w-]+={0,2}$/)
    assert.match(String(hit.headers.age), /^\d+$/)
    assert.equal(hit.body.toString(), '/a')
  }
  const head = await ask(session, { ':path': '/a', ':method': 'HEAD' })
  assert.deepEqual([head.headers[':status'], head.headers['content-length'], head.body.length], [200, '2', 0])
  for (const hit of ['Miss', 'Hit']) {
    const got = await ask(session, { ':path': '/large' })
    assert.equal(got.headers['x-cache'], `${hit} from cloudfront`)
    assert.ok(got.body.equals(LARGE))
  }
  const many = await Promise.all(
    Array.from({ length: 30 }, (_, n) => ask(session, { ':path': n % 2 ? '/large' : `/${n}` })),
  )
  assert.deepEqual(
    many.map(({ body }) => body.length),
    many.map((_, n) => (n % 2 ? LARGE.length : `/${n}`.length)),
  )
  const up = await ask(session, { ':path': '/up', ':method': 'POST' }, Buffer.alloc(1_500_000))
  assert.equal(up.body.toString(), '1500000')

  const { stdout } = await run('curl', ['-s', '--http2', '-w', ' %{http_version} %{http_code}', ...resolve, `${url}/a`])
  assert.equal(stdout, '/a 2 200')
  const posted = await run('curl', ['-s', '--http2', '--data-binary', 'x'.repeat(100_000), ...resolve, `${url}/up`])
  assert.equal(posted.stdout, '100000')
  const load = await run('h2load', ['-n', '2000', '-c', '4', '-m', '10', `--connect-to=127.0.0.1:${port}`, `${url}/a`])
  assert.match(load.stdout, /2000 succeeded, 0 failed, 0 errored/)
})

test('what a request is to the origin', async (t) => {
  const { origin } = shared
  const session = sessionOf(t)
  const crumbs = ['a=1', 'b=2; c=3', 'd=4']
  for (let n = 0; n < 3; n++) {
    const cookie = crumbs.map((crumb) => crumb)
    await ask(session, { ':path': '/all?x=%20', cookie, te: 'trailers', priority: 'u=1, i', 'x-own': `${n >> 1}` })
  }
  const asked = origin.asked.filter(({ url }) => url === '/all?x=%20')
  assert.equal(asked.length, 3)
  for (const { headers } of asked) {
    assert.equal(headers.cookie, 'a=1; b=2; c=3; d=4')
    assert.equal(headers.host, HOST)
    assert.equal(headers.te, undefined)
    assert.match(String(headers.via), /^2\.0 .*\.cloudfront\.net \(CloudFront\)$/)
  }
  assert.deepEqual(
    asked.map(({ headers }) => headers['x-own']),
    ['0', '0', '1'],
  )
})

test('what the listener of HTTP/1.1 answers by itself is answered here, and the connection goes on', async (t) => {
  const session = sessionOf(t)
  const rows: readonly (readonly [what: string, headers: Record<string, string>, status: number])[] = [
    ['a long URL', { ':path': `/${'x'.repeat(9_000)}` }, 414],
    ['a large header', { ':path': '/', 'x-large': 'y'.repeat(32_700) }, 494],
    ['a method that nobody knows', { ':path': '/', ':method': 'FOO' }, 400],
    ['a path that is none', { ':path': 'http://a.test/' }, 400],
    ['a raw byte in the path', { ':path': '/\u00e4' }, 400],
    ['OPTIONS *', { ':path': '*', ':method': 'OPTIONS' }, 400],
    ['two hosts', { ':path': '/', host: 'other.test' }, 400],
    ['a host that is none', { ':path': '/', ':authority': 'a b' }, 400],
    ['an expectation', { ':path': '/', expect: 'gold' }, 417],
    ['nothing wrong', { ':path': '/ok' }, 200],
  ]
  for (const [what, headers, status] of rows) {
    const { headers: got, body } = await ask(session, headers)
    assert.equal(got[':status'], status, what)
    if (status !== 200) assert.match(body.toString(), new RegExp(`${status} ERROR`), what)
  }
})

test('an answer before the end of a request: all of it arrives, and the upload may stop', async (t) => {
  const { edge, resolve, url } = shared
  const session = sessionOf(t)
  const answer = await ask(session, { ':path': '/fixed/x', ':method': 'POST' }, Buffer.alloc(2_000_000))
  assert.equal(answer.headers[':status'], 403)
  assert.match(answer.body.toString(), /not configured to allow the HTTP request method/)
  const upload = join(edge.directory, 'upload')
  await writeFile(upload, Buffer.alloc(2_000_000))
  const write = ['-s', '-o', join(edge.directory, 'got'), '-w', '%{http_version} %{http_code}']
  const curl = await run('curl', [...write, '--http2', '--data-binary', `@${upload}`, ...resolve, `${url}/fixed/x`])
  assert.equal(curl.stdout, '2 403')
})

test('a viewer that resets its stream ends the request to the origin', async (t) => {
  const { ended } = shared
  const session = sessionOf(t)
  const stream = session.request({ ':authority': HOST, ':path': '/endless' })
  await once(stream, 'data')
  stream.close(constants.NGHTTP2_CANCEL)
  await ended
  assert.equal((await ask(session, { ':path': '/ok' })).body.toString(), '/ok')
})

test('strict mode: 103 before the answer, trailers behind it', async (t) => {
  const session = sessionOf(t, STRICT.domainName)
  const stream = session.request({ ':authority': STRICT.domainName, ':path': '/trailers', te: 'trailers' })
  const told: unknown[] = []
  stream.on('headers', (headers) => told.push(headers[':status'], headers.link))
  stream.on('response', (headers) => told.push(headers[':status'], headers['transfer-encoding']))
  stream.on('data', (bytes: Buffer) => told.push(bytes.toString()))
  stream.on('trailers', (headers) => told.push(headers['x-checksum']))
  await once(stream, 'close')
  assert.deepEqual(told, [103, '</a.css>; rel=preload', 200, undefined, 'body', '1'])
})

test('a drain says GOAWAY twice and lets the answer under way finish; the log names the version', async (t) => {
  const { edge, asked, release } = shared
  const session = sessionOf(t)
  const said: unknown[] = []
  session.on('goaway', (code, last) => said.push([code, last]))
  const slow = ask(session, { ':path': '/slow' })
  await asked
  const drained = edge.pause()
  while (said.length < 2) await once(session, 'goaway')
  release()
  assert.equal((await slow).body.toString(), '/slow')
  await drained
  assert.deepEqual(said, [
    [0, 2 ** 31 - 1],
    [0, 1],
  ])
  const log = await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')
  const lines = log.split('\n').filter((line) => line.includes('\t/all\t'))
  assert.equal(lines.length, 3)
  for (const line of lines) assert.equal(line.split('\t')[23], 'HTTP/2.0')
})
