//! gRPC through the edge: a real client and a real server of grpc-js (spec/cloudfront.md 13.5).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, constants } from 'node:http2'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'
import { frame, startFrameOrigin } from '../../support/frame-origin.ts'
import { EchoCaller, type GrpcOrigin, startGrpcOrigin } from '../../support/grpc-origin.ts'

const authority = await TestAuthority.make()
const NAME = 'grpc.test'
const certificate = await authority.issue({ names: [NAME] })
const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
const grpcBehavior = behaviorDoc({ allowedMethods: ALL, grpc: true, cachePolicy: cachePolicy({ maxTtl: 0 }) })

const FRAMES = 'd333333abcdef8.cloudfront.localhost'

/** Distributions of one origin on that port. */
function document(port: number, changes: Partial<DistributionDoc> = {}): DistributionDoc {
  return distributionDoc(1, {
    origins: [originDoc(1, { domainName: NAME, protocolPolicy: 'https-only', httpsPort: port, connectionAttempts: 1 })],
    behaviors: [grpcBehavior],
    ...changes,
  })
}

interface Site {
  readonly edge: EdgeScenario
  readonly origin: GrpcOrigin
  readonly trust: string
  caller(options?: ConstructorParameters<typeof EchoCaller>[3]): EchoCaller
}

async function startSite(t: Pick<TestContext, 'after'>, changes: Partial<DistributionDoc> = {}): Promise<Site> {
  const origin = await startGrpcOrigin(certificate)
  t.after(() => origin.kill())
  const edge = await startEdge(t, [document(origin.port, changes)])
  const trust = await edge.trust()
  return {
    edge,
    origin,
    trust,
    caller(options) {
      const caller = new EchoCaller(`127.0.0.1:${edge.httpsPort()}`, HOST, trust, options)
      t.after(() => caller.close())
      return caller
    },
  }
}

async function startEdge(
  t: Pick<TestContext, 'after'>,
  documents: readonly DistributionDoc[],
  options: Parameters<typeof EdgeScenario.start>[2] = {},
): Promise<EdgeScenario> {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-grpc-ca-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = join(directory, 'ca.pem')
  await writeFile(file, authority.pem)
  return EdgeScenario.start(t, documents, { originAuthorities: [file], lookup: async () => ['127.0.0.1'], ...options })
}

/** What most of the tests share. */
let site: Site
const endings: (() => unknown)[] = []
before(async () => {
  site = await startSite({ after: (end) => void endings.unshift(end as () => unknown) })
})
after(async () => {
  for (const end of endings) await end()
})

test('unary: the message, status and metadata of both ends; the policy says which metadata goes on', async () => {
  const metadata = new Metadata()
  metadata.set('x-sent', 'not forwarded')
  metadata.set('grpc-trace-bin', Buffer.from([1, 2, 3]))
  const { code, messages, trailing } = await site.caller().unary('unary', 'hello', metadata)
  assert.equal(code, status.OK)
  assert.deepEqual(messages.map(String), ['hello'])
  assert.equal(trailing?.get('x-trailing').length, 0)
  const seen = site.origin.calls.at(-1)?.metadata
  assert.deepEqual(seen?.get('x-sent'), [])
  assert.deepEqual(seen?.get('grpc-trace-bin'), [Buffer.from([1, 2, 3])])
  assert.match(String(seen?.get('via')), /^2\.0 /)
  assert.match(String(seen?.get('user-agent')), /Amazon CloudFront/)
})

test('server, client and bidirectional streams; each side speaks when it likes', async () => {
  const caller = site.caller()
  const download = await caller.download('download', '{"count":200,"bytes":10000}').end
  assert.deepEqual([download.code, download.messages.length], [status.OK, 200])

  const upload = caller.upload()
  for (let at = 0; at < 50; at++) upload.call.write(Buffer.alloc(20_000))
  upload.call.end()
  assert.equal(String(await upload.answer), '1000000')

  const chat = caller.chat()
  for (const word of ['a', 'bb', 'ccc']) {
    const answer = once(chat.call, 'data')
    chat.call.write(Buffer.from(word))
    assert.equal(String((await answer)[0]), word, 'before the request has ended')
  }
  chat.call.end()
  assert.equal((await chat.end).code, status.OK)
})

test('a conversation of many small messages is no flood', async () => {
  const { call, messages, end } = site.caller().chat()
  for (let at = 0; at < 800; at++) call.write(Buffer.from([at % 256]))
  call.end()
  const { code, details } = await end
  assert.deepEqual([code, details, messages.length], [status.OK, 'OK', 800])
})

test('every status code, its message and its trailing metadata', async () => {
  const caller = site.caller()
  const codes = Object.values(status).filter((code): code is status => typeof code === 'number' && code > 0)
  const ends = await Promise.all(codes.map((code) => caller.unary('fail', `${code}`)))
  assert.deepEqual(
    ends.map(({ code, details, trailing }) => [code, details, trailing?.get('x-why')]),
    codes.map((code) => [code, `failed: ${status[code]} – ä`, ['asked for']]),
  )
})

test('messages of 10 MB pass both ways', async () => {
  const large = Buffer.alloc(10 * 1024 * 1024, 'x')
  const { code, messages } = await site.caller().unary('unary', large)
  assert.equal(code, status.OK)
  assert.ok(messages[0]?.equals(large))
})

test('100 calls at a time over one connection of the viewer', async () => {
  const caller = site.caller()
  const chats = Array.from({ length: 100 }, () => caller.chat())
  for (const [at, { call }] of chats.entries()) call.write(Buffer.from(`${at}`))
  await Promise.all(chats.map(({ call, messages }) => (messages.length > 0 ? null : once(call, 'data'))))
  for (const { call } of chats) call.end()
  const ends = await Promise.all(chats.map(({ end }) => end))
  assert.deepEqual(
    ends.map(({ code, messages }) => [code, messages.map(String)]),
    chats.map((_, at) => [status.OK, [`${at}`]]),
  )
})

test('a client that cancels, or whose deadline passes, ends the call at the origin', async () => {
  const caller = site.caller()
  const { cancelled, calls } = site.origin
  const before = cancelled.length
  const hanging = caller.download('hang', 'x')
  await once(hanging.call, 'data')
  hanging.call.cancel()
  assert.equal((await hanging.end).code, status.CANCELLED)
  const late = caller.download('hang', 'x', { deadline: Date.now() + 500 })
  assert.equal((await late.end).code, status.DEADLINE_EXCEEDED)
  assert.ok(Number(calls.at(-1)?.deadline) <= Date.now() + 500, 'it went on to the origin')
  while (cancelled.length < before + 2) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('an origin that dies in mid-stream is an error at once; the next call finds its successor', async (t) => {
  const { caller, origin, edge } = await startSite(t)
  const client = caller()
  const chat = client.chat()
  chat.call.write(Buffer.from('a'))
  await once(chat.call, 'data')
  origin.kill()
  const { code } = await chat.end
  assert.notEqual(code, status.OK)
  assert.equal((await client.unary('unary', 'b')).code, status.UNAVAILABLE)
  const next = await startGrpcOrigin(certificate, { port: origin.port })
  t.after(() => next.kill())
  assert.equal((await client.unary('unary', 'c')).code, status.OK)
  assert.match(edge.problems.join('\n'), /origin origin \(grpc\.test\): refused: /)
})

test('an origin that cancels a call, or breaks it off, does so to the viewer', async (t) => {
  // 200 in the static table (RFC 7541 appendix A), Content-Type as a literal.
  const type = [0x5f, 16, ...Buffer.from('application/grpc')]
  for (const [reset, code] of [
    [8, status.CANCELLED],
    [2, status.INTERNAL],
  ] as const) {
    const { port } = await startFrameOrigin(t, certificate, [
      frame(1, 0x4, 1, [0x88, ...type]),
      frame(0, 0, 1, [0, 0, 0, 0, 1, 120]),
      frame(3, 0, 1, [0, 0, 0, reset]),
    ])
    await site.edge.feed.put(document(port, { id: 'E2FRAMES', domainName: FRAMES }))
    const caller = new EchoCaller(`127.0.0.1:${site.edge.httpsPort()}`, FRAMES, site.trust)
    t.after(() => caller.close())
    assert.equal((await caller.download('hang', 'x').end).code, code)
  }
})

test('an origin that goes in order (GOAWAY) loses no call', async (t) => {
  const { caller, origin } = await startSite(t)
  const client = caller()
  const chat = client.chat()
  chat.call.write(Buffer.from('a'))
  await once(chat.call, 'data')
  const gone = new Promise((resolve) => origin.server.tryShutdown(resolve))
  chat.call.write(Buffer.from('b'))
  await once(chat.call, 'data')
  chat.call.end()
  assert.equal((await chat.end).code, status.OK)
  await gone
})

test('a worker that drains lets a call end in order', async (t) => {
  const { caller, edge } = await startSite(t)
  const chat = caller().chat()
  chat.call.write(Buffer.from('a'))
  await once(chat.call, 'data')
  const paused = edge.pause()
  for (const word of ['b', 'c']) {
    chat.call.write(Buffer.from(word))
    await once(chat.call, 'data')
  }
  chat.call.end()
  assert.equal((await chat.end).code, status.OK)
  await paused
  const text = await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')
  const line =
    text
      .split('\n')
      .find((one) => one.includes('/test.Echo/Chat'))
      ?.split('\t') ?? []
  // cs-method, sc-status, x-edge-result-type, cs-protocol, cs-protocol-version, detailed result, content type.
  assert.deepEqual(
    [5, 8, 13, 16, 23, 28, 29].map((at) => line[at]),
    ['POST', '200', 'Miss', 'grpcs', 'HTTP/2.0', 'Miss', 'application/grpc+proto'],
  )
})

test('what the edge itself refuses is an HTTP error, which clients take for a status; no custom error page', async (t) => {
  const page = await startOrigin((_asked, response) => response.end('a page'))
  t.after(() => page.close())
  const pages = {
    errorResponses: [502, 504].map((errorCode) => ({
      errorCode,
      cachingMinTtlSeconds: 0,
      page: { path: '/error', responseCode: 200 },
    })),
  }
  const { caller, edge } = await startSite(t, pages)
  const end = await caller().unary('unary', 'x')
  assert.equal(end.code, status.OK)
  await edge.feed.put(document(1, pages))
  const refused = await caller().unary('unary', 'x')
  assert.deepEqual([refused.code, /502/.test(refused.details)], [status.UNAVAILABLE, true])
  await edge.feed.put(document(1, { ...pages, behaviors: [{ ...grpcBehavior, allowedMethods: ['GET', 'HEAD'] }] }))
  assert.equal((await caller().unary('unary', 'x')).code, status.PERMISSION_DENIED)
})

test('without GrpcConfig, over HTTP/1.1, or as gRPC-Web it is a POST like any other', async (t) => {
  const web = await startOrigin((asked, response) =>
    response.end(`${asked.headers.te} ${asked.headers['content-type']}`),
  )
  t.after(() => web.close())
  const toWeb = { origins: [originDoc(web.port)], behaviors: [grpcBehavior] }
  const edge = await EdgeScenario.start(t, [
    distributionDoc(web.port, toWeb),
    distributionDoc(web.port, {
      ...toWeb,
      id: 'E2',
      domainName: `x${HOST}`,
      behaviors: [{ ...grpcBehavior, grpc: undefined as never }],
    }),
  ])
  const trust = await edge.trust()
  const type = 'application/grpc'
  const first = await edge.get('/a', { method: 'POST', body: 'x', trust, headers: { 'content-type': type } })
  assert.deepEqual([first.status, first.body], [200, `undefined ${type}`])
  for (const [authority, contentType, answer] of [
    [`x${HOST}`, type, [200, `undefined ${type}`]],
    [HOST, `${type}-web+proto`, [200, `undefined ${type}-web+proto`]],
    // To an http-only origin there is no way for gRPC.
    [HOST, `${type}+proto`, [502, null]],
  ] as const) {
    const session = connect(`https://127.0.0.1:${edge.httpsPort()}`, { ca: trust, servername: authority })
    const stream = session.request({
      [constants.HTTP2_HEADER_AUTHORITY]: authority,
      ':method': 'POST',
      ':path': '/b',
      'content-type': contentType,
      te: 'trailers',
    })
    stream.end('x')
    const [head] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream) body += chunk
    session.close()
    assert.deepEqual([head[':status'], answer[1] === null ? null : body], answer, contentType)
  }
})

test('through a distribution behind a distribution, and to an origin that asks for a certificate', async (t) => {
  const client = await authority.issue({ names: ['client.test'], subject: 'edge' })
  const origin = await startGrpcOrigin(certificate, { clientAuthority: authority.pem })
  t.after(() => origin.kill())
  const outer = 'd222222abcdef8.cloudfront.localhost'
  const inner = document(origin.port)
  const shown = {
    arn: 'arn:aws:acm:us-east-1:123456789012:certificate/edge',
    chain: client.cert,
    privateKey: client.key,
  }
  const edge = await startEdge(t, [
    { ...inner, origins: inner.origins.map((one) => ({ ...one, clientCertificate: shown })) },
    document(443, {
      id: 'E2OUTER',
      domainName: outer,
      origins: [originDoc(1, { domainName: HOST, protocolPolicy: 'https-only' })],
    }),
  ])
  const caller = new EchoCaller(`127.0.0.1:${edge.httpsPort()}`, outer, await edge.trust())
  t.after(() => caller.close())
  const chat = caller.chat()
  chat.call.write(Buffer.from('a'))
  await once(chat.call, 'data')
  chat.call.end()
  assert.equal((await chat.end).code, status.OK)
  const failed = await caller.unary('fail', '5')
  assert.deepEqual([failed.code, failed.trailing?.get('x-why')], [status.NOT_FOUND, ['asked for']])
})
