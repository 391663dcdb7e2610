//! Who gets in: web pages and rebound names do not; unsigned and presigned calls do not; the rest does, on loopback.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../../src/lib/clock.ts'
import { KeyRing } from '../../../src/services/cachefront/key-ring.ts'
import { anyAuthorization, FORM, type Sent, send, statusOfRaw } from '../../support/api-http.ts'
import { startApi, type TestApi } from '../../support/api-server.ts'

const NO_KEYS = new KeyRing({ fixed: [], clock: systemClock, problem: () => {} })
const WHO_AM_I = { method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15' }
/** Well-formed, of a key that nobody knows. */
const PRESIGNED = [
  'X-Amz-Algorithm=AWS4-HMAC-SHA256',
  'X-Amz-Credential=AKIDNOBODY%2F20260131%2Fus-east-1%2Fsts%2Faws4_request',
  'X-Amz-Date=20260131T123456Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host',
  `X-Amz-Signature=${'0'.repeat(64)}`,
].join('&')
const SIGNED: Readonly<Record<string, string>> = { ...FORM, ...anyAuthorization('sts') }

describe('access', () => {
  let server: TestApi
  const changes: unknown[] = []
  const call = (sent: Sent) => send(server.port, { ...WHO_AM_I, ...sent, headers: { ...SIGNED, ...sent.headers } })

  before(async () => {
    server = await startApi({
      allowedHosts: ['Caches.Example.com'],
      localRoutes: [
        {
          method: 'GET',
          path: '/_cachefront/health',
          run: async () => ({ status: 200, contentType: 'application/json', body: '{"status":"ok"}' }),
        },
        {
          method: 'POST',
          path: '/_cachefront/clock/*',
          async run({ rest, body, query }) {
            changes.push({ unit: rest, body, n: query.get('n') })
            return { status: 200, contentType: 'application/json', body: '{}' }
          },
        },
        { method: 'GET', path: '/_cachefront/broken', run: () => Promise.reject(new Error('the detail')) },
        {
          method: 'GET',
          path: '/_cachefront/traces/*',
          run: async ({ rest }) => ({ status: 200, contentType: 'text/plain', body: rest }),
        },
      ],
    })
  })
  after(() => server.api.close())

  const HOSTS = [
    ['127.0.0.1', 200],
    ['127.0.0.1:4566', 200],
    ['[::1]:4566', 200],
    ['192.168.7.7:4566', 200],
    ['localhost', 200],
    ['LOCALHOST:4566', 200],
    ['api.localhost:4566', 200],
    ['localhost.localstack.cloud:4566', 200],
    ['caches.example.com', 200],
    ['rebound.example.com', 403],
    ['localhost.example.com', 403],
    ['evil-localhost', 403],
    ['xlocalhost.localstack.cloud', 403],
    ['127.0.0.1.example.com', 403],
    ['localhost@evil.example', 403],
    ['[::1]evil', 403],
    ['0x7f.1', 403],
  ] as const
  for (const [host, status] of HOSTS) {
    test(`Host "${host}" gets ${status}`, async () => {
      const answer = await call({ headers: { Host: host } })
      assert.equal(answer.status, status, answer.body)
      if (status === 403) assert.equal(answer.code, 'AccessDenied')
    })
  }

  const RAW: readonly [string, readonly string[]][] = [
    ['HTTP/1.0 without Host', ['GET /_cachefront/health HTTP/1.0']],
    ['two Hosts', ['GET /_cachefront/health HTTP/1.1', 'Host: localhost', 'Host: localhost']],
    ['an empty Host', ['GET /_cachefront/health HTTP/1.1', 'Host:']],
    ['a target with another authority', ['GET http://evil.example/_cachefront/health HTTP/1.1', 'Host: evil.example']],
  ]
  for (const [what, head] of RAW) {
    test(`${what} gets 4xx`, async () => {
      const status = await statusOfRaw(server.port, [...head, 'Connection: close', '', ''].join('\r\n'))
      assert.ok(status === 400 || status === 403, String(status))
    })
  }

  const BROWSERS: readonly [string, Record<string, string>, number][] = [
    ['a page of another site', { Origin: 'https://evil.example' }, 403],
    ['a page on another port of this machine', { Origin: 'http://127.0.0.1:9' }, 403],
    ['a sandboxed page', { Origin: 'null' }, 403],
    ['a form of another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a page of a sibling name', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['a typed address cannot post', { 'Sec-Fetch-Site': 'none' }, 403],
    ['the console', { Host: 'localhost:4566', Origin: 'http://localhost:4566', 'Sec-Fetch-Site': 'same-origin' }, 200],
  ]
  for (const [who, headers, status] of BROWSERS) {
    test(`${who} gets ${status}`, async () => assert.equal((await call({ headers })).status, status))
  }

  test('a form that a web page posts is turned away whatever it claims', async () => {
    const body = 'Action=DeleteCacheCluster&Version=2015-02-02&CacheClusterId=a'
    const headers = { ...FORM, Host: 'localhost', Origin: 'http://evil.example' }
    const answer = await send(server.port, { method: 'POST', headers, body })
    assert.equal(answer.status, 403)
    assert.equal(answer.code, 'AccessDenied')
    assert.equal(server.log.at(-1)?.operation, null)
  })

  test('a typed address may read', async () => {
    const headers = { 'Sec-Fetch-Site': 'none' }
    assert.equal((await send(server.port, { path: '/_cachefront/health', headers })).status, 200)
  })

  const UNSIGNED: readonly [string, Sent, number, string][] = [
    ['without Authorization', { ...WHO_AM_I, headers: FORM }, 403, 'MissingAuthenticationToken'],
    [
      'presigned',
      { path: `/?Action=GetCallerIdentity&Version=2011-06-15&${PRESIGNED}` },
      403,
      'MissingAuthenticationToken',
    ],
    [
      'presigned without its parts',
      { path: '/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0' },
      400,
      'IncompleteSignature',
    ],
    [
      'a path of CloudFront without Authorization',
      { path: '/2020-05-31/distribution' },
      403,
      'MissingAuthenticationToken',
    ],
    ['Basic', { ...WHO_AM_I, headers: { ...FORM, Authorization: 'Basic eDp5' } }, 400, 'IncompleteSignature'],
    [
      'a signature that is cut short',
      { ...WHO_AM_I, headers: { ...SIGNED, Authorization: SIGNED.Authorization!.slice(0, -1) } },
      400,
      'IncompleteSignature',
    ],
    [
      'no X-Amz-Date',
      { ...WHO_AM_I, headers: { ...FORM, Authorization: SIGNED.Authorization! } },
      400,
      'IncompleteSignature',
    ],
    ['a service that is not here', { path: '/', headers: anyAuthorization('s3') }, 501, 'NotImplemented'],
  ]
  for (const [what, sent, status, code] of UNSIGNED) {
    test(`${what}: ${status} ${code}`, async () => {
      const answer = await send(server.port, sent)
      assert.equal(answer.code, code, answer.body)
      assert.equal(answer.status, status)
      const requestId = answer.headers['x-amzn-requestid']
      assert.ok(answer.body.includes(`<RequestId>${requestId}</RequestId>`))
    })
  }

  test('a local change needs JSON, and gets its parts', async () => {
    const path = '/_cachefront/clock/h%20ours?n=1'
    const json = { 'Content-Type': 'application/json' }
    for (const headers of [FORM, { 'Content-Type': 'text/plain' }, {}]) {
      const refused = await send(server.port, { method: 'POST', path, headers, body: '{"a":1}' })
      assert.deepEqual([refused.status, refused.code], [415, 'UnsupportedMediaType'])
    }
    const broken = await send(server.port, { method: 'POST', path, headers: json, body: '{"a":' })
    assert.deepEqual([broken.status, broken.code], [400, 'InvalidRequest'])
    assert.deepEqual(changes, [])
    assert.equal((await send(server.port, { method: 'POST', path, headers: json, body: '{"a":1}' })).status, 200)
    assert.deepEqual(changes, [{ unit: 'h ours', body: { a: 1 }, n: '1' }])
    assert.equal(server.log.at(-1)?.change, true)
  })

  test('a local path that is not there, or takes another method, says so in JSON', async () => {
    const nothing = await send(server.port, { path: '/console/nothing' })
    assert.deepEqual([nothing.status, nothing.code], [404, 'NotFound'])
    const method = await send(server.port, { method: 'DELETE', path: '/_cachefront/health' })
    assert.deepEqual([method.status, method.code], [405, 'MethodNotAllowed'])
    assert.deepEqual((await send(server.port, { path: '/_cachefront/traces/a%2Fb' })).body, 'a/b')
    assert.equal((await send(server.port, { path: '/_cachefront/traces/' })).status, 404)
    assert.equal((await send(server.port, { method: 'HEAD', path: '/_cachefront/health' })).status, 200)
  })

  test('a defect tells the caller nothing and the log everything', async () => {
    const answer = await send(server.port, { path: '/_cachefront/broken' })
    assert.deepEqual([answer.status, answer.code], [500, 'InternalFailure'])
    assert.ok(!answer.body.includes('the detail'))
    const defect = server.log.find((line) => line.event === 'api-defect')
    assert.match(defect?.detail ?? '', /the detail/)
    assert.ok(answer.body.includes(defect?.requestId ?? 'no id'))
  })

  test('without a key pair it does not listen beyond loopback', async () => {
    await assert.rejects(startApi({ listen: { host: '0.0.0.0', port: 0 }, keys: NO_KEYS }), (error: Error) => {
      assert.match(error.message, /CACHEFRONT_ACCESS_KEY_ID/)
      return !error.message.includes('\n')
    })
  })

  test('a port in use is named, with how to choose another', async () => {
    const listen = { host: '127.0.0.1', port: server.port }
    await assert.rejects(
      startApi({ listen }),
      new RegExp(`port ${server.port}: another program has it.*CACHEFRONT_API_LISTEN`),
    )
  })
})
