//! Private behaviors through the front door: URLs and cookies signed by AWS's own SDK are let in, everything else gets
//! CloudFront's 403 (spec/cloudfront.md 9).
import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer'
import fc from 'fast-check'
import type { DistributionDoc, SignersDoc } from '../../../src/domain/distribution.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  type ViewerAsks,
} from '../../support/edge-scenario.ts'
import { traceOf } from '../../support/edge-trace.ts'
import { ecKey, rsaKey, type SigningKey } from '../../support/signing-keys.ts'

const signers = (keys: Readonly<Record<string, SigningKey>>): SignersDoc => ({
  keyGroups: [{ id: 'group', keys: Object.entries(keys).map(([id, { publicKey: pem }]) => ({ id, pem })) }],
  accounts: [],
})
const ONE = { keyPairId: 'KONE', privateKey: rsaKey('one').privateKey }
const TWO = { keyPairId: 'KTWO', privateKey: rsaKey('two').privateKey }
const EC = { keyPairId: 'KEC', privateKey: ecKey().privateKey }
const FIRST = signers({ KONE: rsaKey('one'), KEC: ecKey() })
const SECOND = signers({ KTWO: rsaKey('two') })

const ALL = { behavior: 'all', names: [] } as const
const ERROR_ARGS = { behavior: 'whitelist', names: ['cloudfront-error-args'] } as const
const EVERY = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
const SITE = `http://${HOST}`
const soon = () => new Date(Date.now() + 600_000).toISOString()

/** The request target of a URL of the site. */
const target = (url: string): string => url.slice(SITE.length)
const signedPath = (path: string, signer = ONE, more: object = {}): string =>
  target(getSignedUrl({ url: SITE + path, dateLessThan: soon(), ...signer, ...more }))

const policyFor = (Resource: string, condition: object = {}): string =>
  JSON.stringify({
    Statement: [
      {
        Resource,
        Condition: { DateLessThan: { 'AWS:EpochTime': Math.floor(Date.now() / 1_000) + 600 }, ...condition },
      },
    ],
  })
const cookieHeader = (cookies: object): string =>
  Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
const cookiesFor = (resource: string, signer = ONE, condition: object = {}): string =>
  cookieHeader(getSignedCookies({ policy: policyFor(resource, condition), ...signer }))
const withCookies = (cookie: string, headers: Record<string, string> = {}): ViewerAsks => ({
  headers: { cookie, ...headers },
})

const documentOf = (port: number, first: SignersDoc = FIRST): DistributionDoc =>
  distributionDoc(port, {
    behaviors: [
      behaviorDoc({ pathPattern: '/private/*', signers: first }),
      behaviorDoc({ pathPattern: '/second/*', signers: SECOND }),
      behaviorDoc({
        ...{ pathPattern: '/all/*', signers: first, allowedMethods: EVERY },
        cachePolicy: cachePolicy({ cookies: ALL, queryStrings: ALL }),
        originRequestPolicy: { id: 'args', headers: ERROR_ARGS, cookies: ALL, queryStrings: ALL },
      }),
      behaviorDoc({ pathPattern: '/nobody/*', signers: { keyGroups: [], accounts: [] } }),
      behaviorDoc(),
    ],
  })

const CODE = /^<\?xml version="1.0" encoding="UTF-8"\?><Error><Code>(\w+)<\/Code><Message>[^<]+<\/Message><\/Error>$/

describe('a private behavior', () => {
  const ended: (() => unknown)[] = []
  let origin: TestOrigin
  let edge: EdgeScenario
  before(async () => {
    origin = await startOrigin((asked, response) => {
      response.setHeader('Cache-Control', 'max-age=3600')
      response.end(`${asked.method} ${asked.url}`)
    })
    edge = await EdgeScenario.start({ after: (end) => void ended.push(end as () => unknown) }, [
      documentOf(origin.port),
    ])
  })
  after(async () => {
    for (const end of ended) await end()
    await origin.close()
  })

  const refused = async (path: string, asks: ViewerAsks = {}): Promise<string> => {
    const answer = await edge.get(path, asks)
    assert.equal(answer.status, 403, `${path} is refused`)
    assert.deepEqual(
      [answer.headers['content-type'], answer.headers.server, answer.xCache],
      ['text/xml', 'CloudFront', 'Error'],
    )
    return asks.method === 'HEAD' ? '' : (CODE.exec(answer.body)?.[1] ?? answer.body)
  }
  const served = async (path: string, asks: ViewerAsks = {}) => {
    const answer = await edge.get(path, asks)
    assert.equal(answer.status, 200, answer.body)
    return answer
  }

  test('serves URLs of the AWS SDK: canned and custom, RSA and ECDSA, SHA1 and SHA256, once fetched for all', async () => {
    const urls = [
      signedPath('/private/a'),
      signedPath('/private/a', ONE, { algorithm: 'SHA256' }),
      signedPath('/private/a', EC),
      signedPath('/private/a', EC, { algorithm: 'SHA256' }),
      signedPath('/private/a', ONE, { dateGreaterThan: new Date(Date.now() - 60_000).toISOString() }),
      signedPath('/private/a', ONE, { ipAddress: '127.0.0.0/8' }),
      signedPath('/private/a', ONE, { dateLessThan: undefined, policy: policyFor(`${SITE}/private/*`) }),
    ]
    for (const url of urls) assert.equal((await served(url)).body, 'GET /private/a')
    assert.equal(origin.count('/private/a'), 1)
  })

  test('refuses what is not signed, by a code for each cause', async () => {
    const url = signedPath('/private/b')
    assert.equal(await refused('/private/b'), 'MissingKey')
    assert.equal(await refused(signedPath('/private/b', TWO)), 'InvalidKey', 'the key of another behavior')
    assert.equal(await refused(signedPath('/second/b', ONE)), 'InvalidKey')
    assert.equal(await refused(url.replace('/b?', '/c?')), 'AccessDenied')
    assert.equal(await refused(`${url}&x=1`), 'AccessDenied')
    assert.equal(await refused(url.replace(/Signature=[^&]*/, 'Signature=!')), 'MalformedSignature')
    assert.equal(await refused(`/private/b?Policy=e30_&Signature=AAAA&Key-Pair-Id=KONE`), 'MalformedPolicy')
    assert.equal(
      await refused('/nobody/b', withCookies(cookiesFor('*'))),
      'InvalidKey',
      'nobody signs, and nobody comes in',
    )
    assert.equal(
      await refused(signedPath('/private/b', ONE, { dateLessThan: new Date(Date.now() - 1_000) })),
      'AccessDenied',
    )
    assert.equal(await refused(signedPath('/private/b', ONE, { ipAddress: '192.0.2.1' })), 'AccessDenied')
    assert.deepEqual(
      origin.asked.filter(({ url: path }) => path.includes('/b')),
      [],
      'no origin was asked',
    )
  })

  test('serves cookies, which the URL beats, and the signer of each behavior is its own', async () => {
    const cookie = cookiesFor(`${SITE}/private/*`)
    assert.equal((await served('/private/d', withCookies(cookie))).body, 'GET /private/d')
    assert.equal((await served('/private/d?x=1', withCookies(cookie))).status, 200)
    assert.equal((await served('/private/d', withCookies(cookiesFor('*')))).xCache, 'Hit')
    assert.equal(await refused('/private/d?Expires=1', withCookies(cookie)), 'MissingKey', 'the cookies are ignored')
    assert.equal(await refused('/second/d', withCookies(cookie)), 'InvalidKey')
    assert.equal(await refused('/all/d', withCookies(cookie)), 'AccessDenied', 'another path')
    const canned = cookieHeader(getSignedCookies({ url: `${SITE}/private/d`, dateLessThan: soon(), ...ONE }))
    assert.equal((await served('/private/d', withCookies(canned))).xCache, 'Hit')
    assert.equal(await refused('/private/e', withCookies(canned)), 'AccessDenied')
  })

  test('the text of a signed URL is no custom policy for others, once it was verified', async () => {
    const url = signedPath('/private/mine')
    await served(url)
    const [expires, signature] = ['Expires', 'Signature'].map((name) => new RegExp(`${name}=([^&]*)`).exec(url)?.[1])
    const text = `{"Statement":[{"Resource":"${SITE}/private/mine","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`
    const query = `Policy=${encodeURIComponent(text)}&Signature=${signature}&Key-Pair-Id=KONE`
    assert.equal(await refused(`/private/others?${query}`), 'MalformedPolicy')
    const cookie = `CloudFront-Policy=${text}; CloudFront-Signature=${signature}; CloudFront-Key-Pair-Id=KONE`
    assert.equal(await refused('/private/others', withCookies(cookie)), 'MalformedPolicy')
  })

  test('of every method, of ranges, of WebSockets', async () => {
    const cookie = cookiesFor('*')
    for (const method of EVERY) {
      assert.match(await refused('/all/m', { method }), /MissingKey|^$/)
      assert.equal((await edge.get('/all/m', { method, ...withCookies(cookie) })).status, 200, method)
    }
    assert.equal(await refused('/private/r', { headers: { range: 'bytes=0-1' } }), 'MissingKey')
    await served('/private/r', withCookies(cookie))
    const part = await edge.get('/private/r', withCookies(cookie, { range: 'bytes=0-2' }))
    assert.deepEqual([part.status, part.body], [206, 'GET'])
    const upgrade = `GET /private/w HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`
    assert.match(await edge.raw(upgrade), /^HTTP\/1.1 403 .*MissingKey/s)
    assert.equal(origin.count('/private/w'), 0)
  })

  test('takes what signs off the request: no key and no origin has it, other cookies and parameters stay', async () => {
    const [one, two] = [cookiesFor('*', ONE), cookiesFor('*', EC)]
    await served('/all/k?a=1', withCookies(`theme=dark; ${one}`))
    assert.equal((await served('/all/k?a=1', withCookies(`${two}; theme=dark`))).xCache, 'Hit')
    assert.equal((await served('/all/k?a=1', withCookies(`theme=light; ${one}`))).xCache, 'Miss')
    await served(signedPath('/all/k?a=1&b=2'), withCookies('theme=dark'))
    const asked = origin.asked.filter(({ url }) => url.startsWith('/all/k'))
    assert.deepEqual(
      asked.map(({ url, headers }) => [url, headers.cookie]),
      [
        ['/all/k?a=1', 'theme=dark'],
        ['/all/k?a=1', 'theme=light'],
        ['/all/k?a=1&b=2', 'theme=dark'],
      ],
    )
  })

  test('a public behavior passes parameters and cookies of these names on', async () => {
    await served('/public?Signature=x&Expires=1')
    assert.equal((await served('/public?Signature=x&Expires=1')).xCache, 'Hit')
  })

  test('the address is that of the viewer, and IPv6 is in no network', async () => {
    const from = (address: string) => ({ 'x-cachefront-viewer-address': address })
    const cookie = cookiesFor('*', ONE, { IpAddress: { 'AWS:SourceIp': '203.0.113.0/24' } })
    assert.equal(await refused('/private/ip', withCookies(cookie)), 'AccessDenied')
    await served('/private/ip', withCookies(cookie, from('203.0.113.9')))
    assert.equal(await refused('/private/ip', withCookies(cookie, from('203.0.114.9'))), 'AccessDenied')
    const anywhere = cookiesFor('*', ONE, { IpAddress: { 'AWS:SourceIp': '0.0.0.0/0' } })
    await served('/private/ip', withCookies(anywhere))
    assert.equal(await refused('/private/ip', withCookies(anywhere, from('2001:db8::1'))), 'AccessDenied')
  })

  test('the trace says which check decided, and holds neither signatures nor policies', async () => {
    const url = signedPath('/all/t?a=1')
    const good = await traceOf(edge, url)
    const step = (trace: typeof good) => trace.steps.find(({ name }) => name === 'access-signed')
    assert.deepEqual(step(good)?.facts, { 'signed by': 'url, canned policy', signature: 'verified now' })
    assert.deepEqual(step(good)?.decisions, [{ field: 'CacheBehaviors.Items[2].TrustedKeyGroups', value: 'group' }])
    const cookie = cookiesFor(`${SITE}/nothing/*`)
    const bad = await traceOf(edge, '/all/t', { cookie })
    assert.equal(step(bad)?.facts.refused, 'AccessDenied: Resource is not the URL that is asked for')
    const [signature = ''] = /[?&]Signature=([^&]*)/.exec(url)?.slice(1) ?? []
    const policy = /CloudFront-Policy=([^;]*)/.exec(cookie)?.[1] ?? ''
    for (const secret of [signature, policy]) {
      assert.ok(secret.length > 40)
      assert.ok(!JSON.stringify([good, bad]).includes(secret))
    }
  })

  test('what was signed and then changed is refused (property)', async () => {
    const base = signedPath('/private/p?q=1', ONE, { dateGreaterThan: new Date(0).toISOString() })
    const canned = signedPath('/private/p?q=1')
    assert.equal((await served(base)).status, 200)
    const changed = fc
      .tuple(fc.constantFrom(base, canned), fc.nat(), fc.integer({ min: 1, max: 127 }))
      .map(([url, at, by]) => {
        const from = '/private/'.length
        const place = from + (at % (url.length - from))
        const code = (url.charCodeAt(place) ^ by) & 127
        return code < 33 || code > 126 || code === 35
          ? null
          : url.slice(0, place) + String.fromCharCode(code) + url.slice(place + 1)
      })
    await fc.assert(
      fc.asyncProperty(changed, async (url) => {
        if (url === null) return
        const { status } = await edge.get(url)
        assert.notEqual(status, 200, url)
      }),
      { numRuns: 150 },
    )
  })

  test('the access log has the query as it was sent, as that of AWS has, and no cookies', async () => {
    const url = signedPath('/private/log')
    const cookie = cookiesFor('*')
    await served(url)
    await served('/private/log2', withCookies(cookie))
    await edge.pause()
    const directory = `${edge.directory}/logs`
    const texts = await Promise.all(
      (await readdir(directory, { recursive: true })).map((name) =>
        readFile(`${directory}/${name}`, 'latin1').catch(() => ''),
      ),
    )
    // A tilde is escaped there (spec 12.4).
    const log = texts.join('').replaceAll('%7E', '~')
    assert.ok(log.includes('/private/log2'))
    const [, signature = assert.fail()] = /Signature=([^&]*)/.exec(url) ?? []
    assert.ok(log.includes(signature), 'the query is there')
    assert.ok(!log.includes(/CloudFront-Signature=([^;]*)/.exec(cookie)?.[1] ?? assert.fail()), 'no cookie is')
    await edge.resume()
  })
})

test('three workers: rotation without a gap, the clock ends signatures, and a page stands in for the 403', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`${asked.url} ${JSON.stringify(asked.headers)}`))
  t.after(() => origin.close())
  const errorResponses = [{ errorCode: 403, cachingMinTtlSeconds: 0, page: { path: '/all/login', responseCode: 403 } }]
  const document = (first: SignersDoc, more: Partial<DistributionDoc> = {}) => ({
    ...documentOf(origin.port, first),
    ...more,
  })
  const edge = await EdgeScenario.start(t, [document(FIRST)], { count: 3 })
  const statuses = (cookie: string, path = '/private/a') =>
    Promise.all([0, 1, 2].map(async (worker) => (await edge.get(path, { worker, ...withCookies(cookie) })).status))
  const [old, young] = [cookiesFor('*', ONE), cookiesFor('*', TWO)]
  assert.deepEqual(
    [await statuses(old), await statuses(young)],
    [
      [200, 200, 200],
      [403, 403, 403],
    ],
  )
  assert.equal(origin.count('/private/a'), 1, 'one fetch for the three')
  await edge.feed.put(document(signers({ KONE: rsaKey('one'), KTWO: rsaKey('two') })))
  assert.deepEqual(
    [await statuses(old), await statuses(young)],
    [
      [200, 200, 200],
      [200, 200, 200],
    ],
  )
  await edge.feed.put(document(SECOND))
  assert.deepEqual(
    [await statuses(old), await statuses(young)],
    [
      [403, 403, 403],
      [200, 200, 200],
    ],
  )
  await edge.feed.put(document(SECOND, { errorResponses }))
  // Refused for their signature, and before anybody looks at it.
  for (const method of ['GET', 'DELETE']) {
    const cookie = `theme=dark; ${young}`
    const { body, status } = await edge.get(signedPath('/private/x?a=b', ONE), { method, ...withCookies(cookie) })
    assert.equal(status, 403)
    assert.match(body, /^\/all\/login .*theme=dark.*"cloudfront-error-args":"a=b"/, 'the page needs no signature')
    assert.ok(!body.includes('Signature'), 'and is told of none')
  }
  await edge.feed.moveClock(3_600_000)
  assert.deepEqual(await statuses(young), [403, 403, 403])
})

test('an ECDSA signature that another library would take (IEEE P1363) is none', async (t) => {
  const origin = await startOrigin((_, response) => response.end())
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [documentOf(origin.port)])
  const policy = policyFor('*')
  const signature = sign('sha256', Buffer.from(policy), { key: EC.privateKey, dsaEncoding: 'ieee-p1363' })
  const text = (bytes: Buffer) =>
    bytes.toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')
  const query = `Policy=${text(Buffer.from(policy))}&Signature=${text(signature)}&Key-Pair-Id=KEC&Hash-Algorithm=SHA256`
  assert.equal((await edge.get(`/private/a?${query}`)).status, 403)
})
