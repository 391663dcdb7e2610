//! The HTTP/2 listener of a real worker, with node:http2, curl, nghttp and h2load as its viewers.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

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

test('node:http2, curl and h2load get hits, misses, uploads and large bodies', async (t) => {
  const large = Buffer.alloc(1_000_000, 'abcdefghij')
  const origin = await startOrigin((asked, response) => {
    if (asked.method === 'POST') response.end(`${asked.headers['x-asked'] ?? ''}${asked.body.length}`)
    else if (asked.url === '/large') response.end(large)
    else response.end(asked.url)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [behaviorDoc({ allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] })],
    }),
  ])
  const ca = await edge.trust()
  const port = edge.httpsPort()
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: HOST })
  t.after(() => session.destroy())
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
    assert.ok(got.body.equals(large))
  }
  const many = await Promise.all(
    Array.from({ length: 30 }, (_, n) => ask(session, { ':path': n % 2 ? '/large' : `/${n}` })),
  )
  assert.deepEqual(
    many.map(({ body }) => body.length),
    many.map((_, n) => (n % 2 ? large.length : `/${n}`.length)),
  )
  const up = await ask(session, { ':path': '/up', ':method': 'POST' }, Buffer.alloc(1_500_000))
  assert.equal(up.body.toString(), '1500000')

  const resolve = ['--cacert', `${edge.tlsDirectory}/ca/ca.pem`, '--resolve', `${HOST}:${port}:127.0.0.1`]
  const url = `https://${HOST}:${port}`
  const { stdout } = await run('curl', ['-s', '--http2', '-w', ' %{http_version} %{http_code}', ...resolve, `${url}/a`])
  assert.equal(stdout, '/a 2 200')
  const posted = await run('curl', ['-s', '--http2', '--data-binary', 'x'.repeat(100_000), ...resolve, `${url}/up`])
  assert.equal(posted.stdout, '100000')
  const load = await run('h2load', ['-n', '2000', '-c', '4', '-m', '10', `--connect-to=127.0.0.1:${port}`, `${url}/a`])
  assert.match(load.stdout, /2000 succeeded, 0 failed, 0 errored/)
})
