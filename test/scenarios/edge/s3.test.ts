//! S3 origins before an S3-compatible server that has every signature checked: what reaches the bucket, as which key, and
//! by whose signature.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { DistributionDoc, OriginDoc } from '../../../src/domain/distribution.ts'
import type { WorkerOptions } from '../../../src/edge/worker.ts'
import { MovableClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'
import { S3_KEYS, type S3Server, startS3 } from '../../support/s3-server.ts'

const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

function bucketDoc(access: NonNullable<OriginDoc['s3']>['access'], changes: Partial<OriginDoc> = {}): OriginDoc {
  return originDoc(80, { domainName: 'shop.s3.eu-central-1.amazonaws.com', s3: { access }, ...changes })
}

async function scenario(
  t: TestContext,
  document: Partial<DistributionDoc>,
  options: Partial<WorkerOptions> & { count?: number } = {},
  buckets: Parameters<typeof startS3>[0] = [],
): Promise<{ edge: EdgeScenario; s3: S3Server }> {
  const s3 = await startS3([{ name: 'shop' }, { name: 'public-shop' }, ...buckets])
  t.after(() => s3.close())
  const edge = await EdgeScenario.start(
    t,
    [distributionDoc(1, { behaviors: [behaviorDoc({ allowedMethods: ALL })], ...document })],
    {
      s3: { endpoint: { scheme: 'http', host: '127.0.0.1', port: s3.port, path: '' }, region: 'us-east-1' },
      s3Keys: S3_KEYS,
      ...options,
    },
  )
  return { edge, s3 }
}

const ALWAYS = { kind: 'control', id: 'E2OAC', signing: 'always' } as const

const EVERY = { behavior: 'all', names: [] } as const

const trace = async (edge: EdgeScenario, path: string, asks: Parameters<EdgeScenario['get']>[1] = {}) => {
  const { headers } = await edge.get(path, { ...asks, headers: { ...asks.headers, 'x-cachefront-explain': '1' } })
  const answer = await edge.feed.ask({ kind: 'trace', traceId: String(headers['x-cachefront-trace']) })
  return JSON.stringify(answer)
}

for (const count of [1, 3]) {
  test(`an object is put, read, cached and deleted by signed requests (${count} workers)`, async (t) => {
    const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)] }, { count })
    const put = await edge.get('/a.txt', { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } })
    assert.equal(put.status, 200)
    const first = await edge.get('/a.txt')
    assert.deepEqual([first.body, first.headers['content-type'], first.xCache], ['hello', 'text/plain', 'Miss'])
    assert.equal((await edge.get('/a.txt')).xCache, 'Hit')
    assert.equal((await edge.get('/a.txt', { method: 'HEAD' })).headers['content-length'], '5')
    const part = await edge.get('/a.txt', { headers: { range: 'bytes=1-2' } })
    assert.deepEqual([part.status, part.body], [206, 'el'])
    await edge.feed.moveClock(2 * 86_400_000)
    assert.equal((await edge.get('/a.txt')).xCache, 'RefreshHit')
    assert.equal((await edge.get('/a.txt', { method: 'DELETE' })).status, 204)
    assert.equal((await edge.get('/b.txt')).status, 404)
    assert.equal((await edge.get('/c.txt', { method: 'HEAD' })).status, 404)
    await edge.get('/', { method: 'OPTIONS' })
    assert.deepEqual(
      new Set(s3.asked.map(({ method }) => method)),
      new Set(['PUT', 'GET', 'HEAD', 'DELETE', 'OPTIONS']),
    )
    assert.deepEqual(new Set(s3.asked.map(({ signature }) => signature)), new Set(['valid']))
    const [asked] = s3.asked
    assert.match(asked?.headers.authorization ?? '', /Credential=S3RVER\/\d{8}\/eu-central-1\/s3\/aws4_request/)
    assert.equal(asked?.headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD')
    assert.equal(asked?.headers.host, `127.0.0.1:${s3.port}`)
    assert.equal(asked?.url, '/shop/a.txt')
  })
}

const NAMES = [
  ['/with%20space', 'with space'],
  ['/plus+plus', 'plus+plus'],
  ['/encoded%2Bplus', 'encoded+plus'],
  ['/caf%C3%A9', 'café'],
  ['/%E6%97%A5%E6%9C%AC', '日本'],
  ['/a/b/c.txt', 'a/b/c.txt'],
  ['/100%25', '100%'],
  ["/it's(1)!*~", "it's(1)!*~"],
  ['/q=1&x:y@z,$;', 'q=1&x:y@z,$;'],
  ['/..hidden..', '..hidden..'],
] as const

test('whatever a key is made of, what is put by a path is read by it, and is the key that the path means', async (t) => {
  const { edge, s3 } = await scenario(t, {
    origins: [bucketDoc(ALWAYS)],
    behaviors: [behaviorDoc({ allowedMethods: ALL, cachePolicy: cachePolicy({ queryStrings: EVERY }) })],
  })
  for (const [path, key] of NAMES) {
    assert.equal((await edge.get(path, { method: 'PUT', body: key })).status, 200, path)
    const { status, body } = await edge.get(path)
    assert.deepEqual([status, Buffer.from(body, 'latin1').toString()], [200, key], path)
  }
  const list = await edge.get('/?list-type=2&max-keys=1000&prefix=&encoding-type=')
  const listed = [
    ...Buffer.from(list.body, 'latin1')
      .toString()
      .matchAll(/<Key>(.*?)<\/Key>/g),
  ].map(([, name = '']) =>
    name.replaceAll('&apos;', "'").replaceAll('&#x27;', "'").replaceAll('&#39;', "'").replaceAll('&amp;', '&'),
  )
  assert.deepEqual(listed.sort(), NAMES.map(([, key]) => key).sort())
  const found = await edge.get('/?list-type=2&prefix=with+sp')
  assert.match(found.body, /<Key>with space<\/Key>/)
  assert.ok(s3.asked.every(({ signature }) => signature === 'valid'))
})

test('no path leads out of the bucket: 400, and S3 is not asked', async (t) => {
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS), bucketDoc(null, { id: 'open' })] })
  for (const path of ['/../public-shop/x', '/%2e%2e/public-shop/x', '/a/..%2f..%2fpublic-shop', '//../x', '/..%5cx']) {
    const { status, body } = await edge.get(path)
    assert.equal(status, 400, path)
    assert.match(body, /leads out of the bucket/)
  }
  assert.deepEqual(s3.asked, [])
})

test('a large object is read in slices, each of them signed', async (t) => {
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)] }, { cacheBytes: 16 * 1024 * 1024 })
  const bytes = randomBytes(6 * 1024 * 1024)
  await put(edge, '/film.mp4', bytes)
  for (const result of ['Miss', 'Hit']) {
    const { body } = await edge.get('/film.mp4')
    assert.ok(Buffer.from(body, 'latin1').equals(bytes), result)
  }
  assert.ok(s3.asked.every(({ signature }) => signature === 'valid'))
  assert.ok(s3.asked.some(({ headers }) => headers.range !== undefined))
})

/** Sends a body as it comes, with its length or in chunks. */
function put(edge: EdgeScenario, path: string, body: Buffer, chunked = false): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length }
    const sent = request(
      { host: '127.0.0.1', port: edge.port(), method: 'PUT', path, headers: { host: HOST, ...length }, agent: false },
      (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    )
    sent.on('error', reject)
    for (let at = 0; at < body.length; at += 100_000) sent.write(body.subarray(at, at + 100_000))
    sent.end()
  })
}

test('the Host of the viewer does not reach a bucket, whatever else of it does', async (t) => {
  const every = { behavior: 'all', names: [] } as const
  const all = { id: 'all', headers: { behavior: 'allViewer', names: [] }, cookies: every, queryStrings: every } as const
  const behaviors = [behaviorDoc({ originRequestPolicy: all, allowedMethods: ALL })]
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)], behaviors })
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  const headers = { 'x-amz-content-sha256': sha256, 'x-amz-date': '20200101T000000Z', 'x-amz-meta-of': 'the viewer' }
  assert.equal((await edge.get('/a', { method: 'PUT', body: 'hello', headers })).status, 200)
  const [asked] = s3.asked
  assert.deepEqual([asked?.signature, asked?.headers.host], ['valid', `127.0.0.1:${s3.port}`])
  assert.equal(asked?.headers['x-amz-content-sha256'], sha256)
  assert.match(String(asked?.headers['x-amz-date']), /^20(?!20)/)
  assert.equal((await edge.get('/a')).headers['x-amz-meta-of'], 'the viewer')
})

test('a viewer that lies about the body of a GET gets what all get', async (t) => {
  const every = { behavior: 'all', names: [] } as const
  const all = { id: 'all', headers: { behavior: 'allViewer', names: [] }, cookies: every, queryStrings: every } as const
  const behaviors = [behaviorDoc({ originRequestPolicy: all })]
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)], behaviors })
  await edge.get('/a', { headers: { 'x-amz-content-sha256': 'a lie' } })
  assert.deepEqual(
    s3.asked.map(({ signature, headers }) => [signature, headers['x-amz-content-sha256']]),
    [['valid', createHash('sha256').digest('hex')]],
  )
})

test('an upload without a length is 411, and the connection goes on', async (t) => {
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)] })
  assert.equal(await put(edge, '/a', Buffer.from('hello'), true), 411)
  assert.deepEqual(s3.asked, [])
  const answers = await edge.raw(
    `PUT /a HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n` +
      `GET /none HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
  )
  assert.match(answers, /^HTTP\/1\.1 411 [\s\S]*Content-Length\.[\s\S]*HTTP\/1\.1 404 /)
})

test('without keys an access that needs them is 502, and says what to set', async (t) => {
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)] }, { s3Keys: null })
  const { status, body, headers } = await edge.get('/a')
  assert.deepEqual([status, headers.server], [502, 'CloudFront'])
  assert.match(body, /CACHEFRONT_S3_ACCESS_KEY_ID and CACHEFRONT_S3_SECRET_ACCESS_KEY/)
  assert.match(edge.problems.join(), /s3-keys: its origin access needs a signature, and there are no keys/)
  assert.match(await trace(edge, '/b'), /there are no keys/)
  assert.deepEqual(s3.asked, [])
})

test('never signs nothing, and a bucket without any access is asked as anybody would', async (t) => {
  const never = bucketDoc({ kind: 'control', id: 'E2OAC', signing: 'never' })
  const open = bucketDoc(null, { id: 'open', domainName: 'public-shop.s3.amazonaws.com' })
  const behaviors = [behaviorDoc({ pathPattern: '/open/*', originId: 'open', allowedMethods: ALL }), behaviorDoc()]
  const { edge, s3 } = await scenario(t, { origins: [never, open], behaviors }, { s3Keys: null })
  assert.equal((await edge.get('/a')).status, 403)
  assert.equal((await edge.get('/open/a+b', { method: 'PUT', body: 'x' })).status, 200)
  assert.equal((await edge.get('/open/a%2Bb')).body, 'x')
  assert.deepEqual(new Set(s3.asked.map(({ signature }) => signature)), new Set(['anonymous']))
})

test("always takes the place of the viewer's Authorization, no-override leaves such a request alone", async (t) => {
  const overrides = bucketDoc(ALWAYS)
  const leaves = bucketDoc({ kind: 'control', id: 'E3OAC', signing: 'no-override' }, { id: 'leaves' })
  const behaviors = [
    behaviorDoc({ pathPattern: '/mine/*', originId: 'leaves', allowedMethods: ALL }),
    behaviorDoc({ allowedMethods: ALL }),
  ]
  const { edge, s3 } = await scenario(t, { origins: [overrides, leaves], behaviors })
  const authorization =
    'AWS4-HMAC-SHA256 Credential=VIEWER/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00'
  const headers = { authorization }
  assert.equal((await edge.get('/a', { method: 'PUT', body: 'x', headers })).status, 200)
  assert.equal(s3.asked.at(-1)?.signature, 'valid')
  assert.doesNotMatch(JSON.stringify(s3.asked.at(-1)), /VIEWER/)
  // A PUT carries the viewer's Authorization: nobody signs over it.
  assert.equal((await edge.get('/mine/a', { method: 'PUT', body: 'x', headers })).status, 403)
  assert.equal(s3.asked.at(-1)?.headers.authorization, authorization)
  assert.equal((await edge.get('/mine/a', { method: 'PUT', body: 'x' })).status, 200)
  // A GET leaves it behind unless the cache policy lists it: the bucket is asked as anybody would.
  assert.equal((await edge.get('/mine/a', { headers })).status, 403)
  assert.equal(s3.asked.at(-1)?.headers.authorization, undefined)
  const [one, other] = await Promise.all([edge.get('/mine/a', { headers }), edge.get('/mine/a')])
  assert.deepEqual([one?.status, other?.status], [403, 200], 'what the one is refused is not shared with the other')
  assert.equal((await edge.get('/mine/a')).xCache, 'Hit')
})

test('an origin access identity reads, and does not write', async (t) => {
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc({ kind: 'identity', id: 'E4OAI' })] })
  assert.equal((await edge.get('/a')).status, 404)
  assert.equal(s3.asked.at(-1)?.signature, 'valid')
  for (const method of ['PUT', 'POST', 'DELETE']) {
    assert.equal((await edge.get('/a', { method, body: 'x' })).status, 403)
    assert.equal(s3.asked.at(-1)?.signature, 'anonymous')
  }
})

test('a wrong key and a clock that is off are answers of S3, relayed', async (t) => {
  const wrong = await scenario(
    t,
    { origins: [bucketDoc(ALWAYS)] },
    { s3Keys: { ...S3_KEYS, secretAccessKey: 'other' } },
  )
  const answer = await wrong.edge.get('/a')
  assert.deepEqual([answer.status, /SignatureDoesNotMatch/.test(answer.body)], [403, true])
  const clock = new MovableClock()
  const late = { now: () => clock.now(), wall: () => clock.wall() - 16 * 60_000, monotonic: () => clock.monotonic() }
  const skewed = await scenario(t, { origins: [bucketDoc(ALWAYS)] }, { clock: late })
  const tooOld = await skewed.edge.get('/a')
  assert.deepEqual([tooOld.status, /RequestTimeTooSkewed/.test(tooOld.body)], [403, true])
})

test('a clock that was moved does not move signatures', async (t) => {
  const { edge } = await scenario(t, { origins: [bucketDoc(ALWAYS)] })
  await edge.feed.moveClock(30 * 86_400_000)
  assert.equal((await edge.get('/a', { method: 'PUT', body: 'x' })).status, 200)
})

test('signed requests go to the endpoint and nowhere else', async (t) => {
  const other = await startOrigin((_asked, response) => {
    response.writeHead(307, { location: 'http://127.0.0.1:1/' })
    response.end()
  })
  t.after(() => other.close())
  // A custom origin with the name of a bucket is no S3 origin; here it is reached elsewhere.
  const named = originDoc(other.port, { id: 'named', domainName: 'localhost' })
  const behaviors = [behaviorDoc({ pathPattern: '/named/*', originId: 'named' }), behaviorDoc()]
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS), named], behaviors })
  const relayed = await edge.get('/named/a')
  assert.deepEqual([relayed.status, relayed.headers.location], [307, 'http://127.0.0.1:1/'])
  assert.equal(other.asked[0]?.headers.authorization, undefined)
  assert.equal(other.asked[0]?.headers['x-amz-date'], undefined)
  assert.deepEqual(s3.asked, [])
})

for (const [what, name] of [
  ['the endpoint', 'localhost'],
  ['the bucket', 'shop.s3.eu-central-1.amazonaws.com'],
] as const)
  test(`a distribution that calls itself what ${what} is called gets nothing of what is signed`, async (t) => {
    const s3 = await startS3([{ name: 'shop' }])
    const other = await startOrigin((_asked, response) => void response.end('caught'))
    t.after(() => Promise.all([s3.close(), other.close()]))
    const impostor = distributionDoc(other.port, {
      ...{ id: 'E2IMPOSTOR', domainName: 'dimpostor.cloudfront.localhost', aliases: [name] },
    })
    const shop = distributionDoc(1, { origins: [bucketDoc(ALWAYS)] })
    const endpoint = { scheme: 'http', host: 'localhost', port: s3.port, path: '' } as const
    const edge = await EdgeScenario.start(t, [shop, impostor], {
      ...{ s3: { endpoint, region: 'us-east-1' }, s3Keys: S3_KEYS },
    })
    assert.equal((await edge.get('/a')).status, 404)
    assert.equal(s3.asked[0]?.signature, 'valid')
    assert.deepEqual(other.asked, [])
  })

test('an endpoint that redirects is relayed, and its target not asked', async (t) => {
  const target = await startOrigin((_asked, response) => void response.end('not for you'))
  const redirecting = await startOrigin((_asked, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${target.port}/a` })
    response.end()
  })
  t.after(() => Promise.all([target.close(), redirecting.close()]))
  const endpoint = { scheme: 'http', host: '127.0.0.1', port: redirecting.port, path: '' } as const
  const { edge } = await scenario(t, { origins: [bucketDoc(ALWAYS)] }, { s3: { endpoint, region: 'us-east-1' } })
  assert.equal((await edge.get('/a')).status, 307)
  assert.deepEqual(target.asked, [])
})

test('the website of a bucket is reached at the endpoint by its own Host, unsigned', async (t) => {
  const config =
    '<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>'
  const site = originDoc(80, { id: 'site', domainName: 'web.s3-website-us-east-1.amazonaws.com' })
  const bucket = bucketDoc(ALWAYS, { domainName: 'web.s3.amazonaws.com' })
  const behaviors = [behaviorDoc({ pathPattern: '/*.html', allowedMethods: ALL }), behaviorDoc({ originId: 'site' })]
  const buckets = [{ name: 'web', configs: [config] }]
  const { edge, s3 } = await scenario(t, { origins: [bucket, site], behaviors }, {}, buckets)
  const html = { method: 'PUT', body: 'home', headers: { 'content-type': 'text/html' } }
  assert.equal((await edge.get('/index.html', html)).status, 200)
  const home = await edge.get('/')
  assert.deepEqual([home.status, home.body], [200, 'home'])
  assert.equal((await edge.get('/other/')).status, 404)
  assert.equal(s3.asked.at(-1)?.headers.host, 'web.s3-website-us-east-1.amazonaws.com')
  assert.equal(s3.asked.at(-1)?.signature, 'anonymous')
})

test('the SDK uploads an object in parts through the distribution over HTTPS, and reads it over HTTPS and HTTP', async (t) => {
  const behaviors = [behaviorDoc({ allowedMethods: ALL, cachePolicy: cachePolicy({ queryStrings: EVERY }) })]
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)], behaviors })
  const lookup: LookupFunction = (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }])
  const httpAgent = new Agent({ keepAlive: true, lookup })
  // The installation's authority alone: a certificate of anybody else would end the handshake.
  const httpsAgent = new SecureAgent({ keepAlive: true, lookup, ca: await edge.trust() })
  const viewer = {
    ...{ region: 'us-east-1', credentials: { accessKeyId: 'viewer', secretAccessKey: 'viewer' } },
    ...{ bucketEndpoint: true, maxAttempts: 1 },
  }
  const client = new S3Client({ ...viewer, requestHandler: { httpAgent, httpsAgent } })
  t.after(() => client.destroy())
  const object = { Bucket: `https://${HOST}:${edge.httpsPort()}`, Key: 'parts/large file.bin' }
  const parts = [randomBytes(5 * 1024 * 1024), randomBytes(100_000)]
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object))
  const done = []
  for (const [at, Body] of parts.entries()) {
    const { ETag } = await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber: at + 1, Body }))
    done.push({ ETag, PartNumber: at + 1 })
  }
  await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: done } }))
  for (const Bucket of [object.Bucket, `http://${HOST}:${edge.port()}`]) {
    const { Body } = await client.send(new GetObjectCommand({ ...object, Bucket }))
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(Buffer.concat(parts)), Bucket)
  }
  const stranger = new S3Client({ ...viewer, requestHandler: { httpsAgent: new SecureAgent({ lookup }) } })
  await assert.rejects(stranger.send(new GetObjectCommand(object)), /certificate/)
  await client.send(new DeleteObjectCommand(object))
  assert.ok(s3.asked.every(({ signature }) => signature === 'valid'))
  assert.doesNotMatch(JSON.stringify(s3.asked), /Credential=viewer/)
})

test('explain names the access and how it signs, and shows neither key nor signature', async (t) => {
  const { edge } = await scenario(
    t,
    { origins: [bucketDoc(ALWAYS)] },
    { s3Keys: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER-secret' } },
  )
  const text = await trace(edge, '/a')
  assert.match(text, /"field":"Origins\.Items\[0\]\.OriginAccessControlId","value":"E2OAC"/)
  assert.match(text, /"field":"OriginAccessControlConfig\.SigningBehavior","value":"always"/)
  assert.match(text, /\/shop\/a/)
  assert.doesNotMatch(text, /S3RVER-secret|Signature=[0-9a-f]/)
  await Promise.all(edge.workers.map((worker) => worker.close()))
  const saved = await readFile(join(edge.directory, 'worker-0.snapshot.json'), 'utf8')
  assert.doesNotMatch(saved + edge.problems.join(), /S3RVER/)
})
