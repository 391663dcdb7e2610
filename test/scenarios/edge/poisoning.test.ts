//! Cache poisoning: what one viewer sends must not decide what others get, unless the distribution's own policy says so.
//! Each case says in its name what is served and why. The origin tells in its body whatever it got from the viewer, so
//! that a poisoned answer shows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OriginRequestPolicyDoc } from '../../../src/domain/policy.ts'
import { startOrigin, startRawOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  NONE,
  originDoc,
} from '../../support/edge-scenario.ts'

const ALL_VIEWER: OriginRequestPolicyDoc = {
  id: 'all-viewer',
  headers: { behavior: 'allViewer', names: [] },
  cookies: NONE,
  queryStrings: NONE,
}

/** Header fields that every request to an origin has, whatever the viewer sent. */
const USUAL = new Set(['host', 'connection', 'user-agent', 'x-forwarded-for', 'via', 'x-amz-cf-id', 'cdn-loop'])

/** Answers with its request line and the fields that are not usual. */
async function tellingOrigin() {
  return startOrigin(({ method, url, headers, body }, response) => {
    const fields = Object.entries(headers).filter(([name]) => !USUAL.has(name))
    response.end(JSON.stringify({ line: `${method} ${url}`, fields: Object.fromEntries(fields), body }))
  })
}

/** Fields with which origins and frameworks have been led to another host, scheme, path, method, user or variant. */
const UNKEYED: readonly (readonly [name: string, value: string])[] = [
  ['X-Forwarded-Host', 'evil.example'], ['X-Forwarded-Server', 'evil.example'], ['X-Forwarded-Scheme', 'http'],
  ['X-Forwarded-Proto', 'ftp'], ['X-Forwarded-Protocol', 'http'], ['X-Forwarded-Port', '1337'], ['X-Forwarded-Ssl', 'off'],
  ['X-Forwarded-Prefix', '/evil'], ['X-Forwarded-Path', '/evil'], ['Forwarded', 'host=evil.example;proto=http'],
  ['X-Host', 'evil.example'], ['X-Original-Host', 'evil.example'], ['X-HTTP-Host-Override', 'evil.example'],
  ['X-Original-URL', '/admin'], ['X-Rewrite-URL', '/admin'], ['X-Override-URL', '/admin'], ['Base-Url', 'http://evil.example'],
  ['X-HTTP-Method-Override', 'POST'], ['X-HTTP-Method', 'DELETE'], ['X-Method-Override', 'PUT'],
  ['X-Real-IP', '127.0.0.1'], ['True-Client-IP', '127.0.0.1'], ['X-Client-IP', '127.0.0.1'], ['Client-IP', '127.0.0.1'],
  ['X_Forwarded_Host', 'evil.example'], ['X_Forwarded_For', '127.0.0.1'], ['X-Wap-Profile', 'http://evil.example/x.xml'],
  ['Authorization', 'Bearer evil'], ['Proxy-Authorization', 'Basic evil'], ['Proxy', 'http://evil.example'],
  ['Cookie', 'session=evil; fbclid=1'], ['Origin', 'https://evil.example'], ['Referer', 'https://evil.example/'],
  ['User-Agent', 'evil'], ['Accept', 'application/evil'], ['Accept-Language', 'xx'], ['Accept-Charset', 'utf-7'],
  ['Accept-Encoding', 'evil'], ['Content-Type', 'application/evil'], ['Range', 'bytes=0-0'], ['If-Range', '"evil"'],
  ['If-Match', '"evil"'], ['If-None-Match', '"evil"'], ['If-Modified-Since', 'Thu, 01 Jan 2099 00:00:00 GMT'],
  ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'], ['TE', 'trailers'], ['Upgrade', 'h2c'],
  ['Front-End-Https', 'on'], ['X-Edge-Location', 'evil'], ['X-Amz-Cf-Id', 'evil'], ['X-Amz-Server-Side-Encryption', 'evil'],
  ['CloudFront-Viewer-Country', 'XX'], ['CloudFront-Forwarded-Proto', 'ftp'], ['CloudFront-Viewer-Address', '1.1.1.1:1'],
  ['x-middleware-subrequest', 'middleware'], ['x-middleware-prefetch', '1'], ['Rsc', '1'], ['Next-Router-State-Tree', 'x'],
  ['Purpose', 'prefetch'], ['Save-Data', 'on'], ['Sec-Fetch-Mode', 'cors'], ['X-Cachefront-Explain', '0'],
] // biome-ignore format: a table

test('fields that no policy names reach neither the origin nor the next viewer', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const clean = (path: string) => JSON.stringify({ line: `GET ${path}`, fields: {}, body: '' })
  for (const [at, [name, value]] of UNKEYED.entries()) {
    await t.test(`${name}: ${value}`, async () => {
      const path = `/${at}`
      await edge.get(path, { headers: { [name]: value } })
      const victim = await edge.get(path)
      assert.equal(victim.body, clean(path))
      const asked = origin.asked.findLast((entry) => entry.url === path)
      assert.ok(!JSON.stringify(asked?.rawHeaders).includes('evil'))
      assert.equal(asked?.headers['user-agent'], 'Amazon CloudFront')
      assert.match(String(asked?.headers['x-forwarded-for']), /^127\.0\.0\.1$/)
    })
  }
})

test('a keyed field has objects of its own: another value is a Miss, and the origin sees what the key has', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const keyed = cachePolicy({ headers: { behavior: 'whitelist', names: ['x-forwarded-host'] } })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ cachePolicy: keyed, originRequestPolicy: ALL_VIEWER })] }),
  ])
  const fieldOf = (body: string): unknown => JSON.parse(body).fields['x-forwarded-host']
  const raw = async (fields: string) => {
    const answer = await edge.raw(
      `GET /a HTTP/1.1\r\nHost: ${HOST}\r\n${fields}Connection: close, X-Forwarded-Host\r\n\r\n`,
    )
    return answer.slice(answer.indexOf('\r\n\r\n') + 4)
  }
  const evil = await edge.get('/a', { headers: { 'x-forwarded-host': 'evil.example' } })
  assert.equal(fieldOf(evil.body), 'evil.example')
  const without = await edge.get('/a')
  assert.deepEqual([without.xCache, fieldOf(without.body)], ['Miss', undefined])
  // Several lines are one value to the key and to the origin, not the first or the last of them to one of both.
  const both = await raw('X-Forwarded-Host: good.example\r\nX-Forwarded-Host: evil.example\r\n')
  assert.equal(fieldOf(both), 'good.example, evil.example')
  assert.equal(fieldOf(await raw('X-Forwarded-Host: good.example, evil.example\r\n')), 'good.example, evil.example')
  // Named in Connection it would be of one hop; then the origin would answer for its absence under a key with it.
  assert.equal(fieldOf(await raw('X-Forwarded-Host: third.example\r\n')), 'third.example')
  assert.equal(fieldOf((await edge.get('/a')).body), undefined)
})

test('a field that is forwarded and not keyed is shared by all, as in CloudFront: who forwards it must key it', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ originRequestPolicy: ALL_VIEWER })] }),
  ])
  await edge.get('/a', { headers: { 'x-forwarded-host': 'first.example' } })
  const second = await edge.get('/a', { headers: { 'x-forwarded-host': 'second.example' } })
  assert.equal(second.xCache, 'Hit')
  assert.equal(JSON.parse(second.body).fields['x-forwarded-host'], 'first.example')
  // What is the edge's own to say stays the edge's own, also when everything is forwarded.
  const asked = origin.asked[0]?.headers ?? {}
  for (const name of ['x-real-ip', 'x-forwarded-proto', 'te']) assert.equal(asked[name], undefined)
  await edge.get('/b', {
    headers: {
      'CloudFront-Viewer-Country': 'XX', X_Real_IP: '1.1.1.1', X_Forwarded_For: '1.1.1.1', Transfer_Encoding: 'chunked',
      'X-Edge-Location': 'x', 'X-Custom': 'kept', X_Custom: 'kept', Connection: 'X-Hop', 'X-Hop': 'of one hop',
    },
  }) // biome-ignore format: one line of names is enough
  const names = origin.asked[1]?.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  assert.ok(names?.includes('x-custom') && names.includes('x_custom'))
  for (const name of [
    'cloudfront-viewer-country',
    'x_real_ip',
    'x_forwarded_for',
    'transfer_encoding',
    'x-edge-location',
    'x-hop',
  ]) {
    assert.ok(!names?.includes(name), name)
  }
})

test('what goes to every origin unkeyed (X-Forwarded-For, Cache-Control, Pragma, Max-Forwards) does not bypass the cache', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a')
  const headers = {
    'cache-control': 'no-cache, no-store',
    pragma: 'no-cache',
    'max-forwards': '0',
    'x-forwarded-for': 'x',
  }
  const again = await edge.get('/a', { headers })
  assert.equal(again.xCache, 'Hit')
  assert.equal(origin.count('/a'), 1)
})

test('Request-Range, which old servers obey, cannot make a part the whole: a 206 to it is not kept', async (t) => {
  const origin = await startOrigin(({ headers }, response) => {
    if (headers['request-range'] === undefined) return response.end('all of it')
    response.writeHead(206, { 'content-range': 'bytes 0-2/9' })
    return response.end('all')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  await edge.get('/a', { headers: { 'request-range': 'bytes=0-2' } })
  const victim = await edge.get('/a')
  assert.deepEqual([victim.status, victim.body], [200, 'all of it'])
})

test('a range that was asked for first leaves the whole object for everybody', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('0123456789'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const ranges = ['bytes=0-0', 'bytes=5-', 'bytes=-1', 'bytes=0-0,2-2', 'bytes=99-', 'bytes=9-0', 'bites=0-1', 'bytes=']
  for (const [at, range] of ranges.entries()) {
    await edge.get(`/${at}`, { headers: { range, 'if-range': '"x"' } })
    await edge.get(`/${at}`, { headers: { range } })
    const victim = await edge.get(`/${at}`)
    assert.deepEqual(
      [victim.status, victim.body, victim.headers['content-range']],
      [200, '0123456789', undefined],
      range,
    )
  }
})

test("Host: only names of the distribution; unkeyed it reaches the origin without a port of the viewer's choice", async (t) => {
  const origin = await startOrigin(({ headers }, response) => response.end(`http://${headers.host}/`))
  t.after(() => origin.close())
  const forwards: OriginRequestPolicyDoc = { ...ALL_VIEWER, headers: { behavior: 'whitelist', names: ['host'] } }
  const keyed = cachePolicy({ headers: { behavior: 'whitelist', names: ['host'] } })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      aliases: ['shop.example', 'www.example'],
      behaviors: [
        behaviorDoc({ pathPattern: '/keyed/*', cachePolicy: keyed }),
        behaviorDoc({ originRequestPolicy: forwards }),
      ],
    }),
  ])
  const get = (path: string, host: string) => edge.get(path, { host })
  assert.equal((await get('/a', 'shop.example:1337')).body, 'http://shop.example/')
  assert.equal((await get('/b', 'SHOP.example')).body, 'http://shop.example/')
  assert.equal((await get('/c', `shop.example:${edge.port()}`)).body, `http://shop.example:${edge.port()}/`)
  assert.equal((await get('/d', 'shop.example:')).body, 'http://shop.example/')
  // The names of a distribution share its objects unless Host is keyed (spec 4.3).
  const other = await get('/a', 'www.example')
  assert.deepEqual([other.xCache, other.body], ['Hit', 'http://shop.example/'])
  assert.equal((await get('/keyed/a', 'shop.example')).body, 'http://shop.example/')
  assert.equal((await get('/keyed/a', 'www.example')).body, 'http://www.example/')
  assert.equal((await get('/keyed/a', 'www.example:1337')).body, 'http://www.example:1337/')
  assert.equal((await get('/keyed/a', 'www.example')).body, 'http://www.example/')
  // A trailing dot, another label, a longer name: not ours.
  for (const host of [
    'shop.example.',
    'evil.shop.example',
    'shop.example.evil.example',
    'evilshop.example',
    '[::1]',
    '127.0.0.1',
  ]) {
    assert.equal((await get('/a', host)).status, 403, host)
  }
})

test('the query: what is keyed is what the origin gets, `&` alone divides, nothing is decoded', async (t) => {
  const origin = await startOrigin(({ url }, response) => response.end(url))
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    cachePolicy: cachePolicy({ queryStrings: { behavior: 'whitelist', names: ['id'] } }),
  })
  const all = behaviorDoc({
    pathPattern: '/all/*',
    cachePolicy: cachePolicy({ queryStrings: { behavior: 'all', names: [] } }),
  })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [all, behavior] })])
  const rows: readonly (readonly [asked: string, origin: string])[] = [
    ['/p?id=1', '/p?id=1'],
    ['/p?utm=1&id=1', '/p?id=1'],
    ['/p?id=1&utm;id=2', '/p?id=1'],
    ['/p?utm=x;id=2&id=1', '/p?id=1'],
    ['/p?id=1;id=2', '/p?id=1;id=2'],
    ['/p?id=1&id=2', '/p?id=1&id=2'],
    ['/p?id=2&id=1', '/p?id=2&id=1'],
    ['/p?%69d=2&id=1', '/p?id=1'],
    ['/p?id%3d2&id=1', '/p?id=1'],
    ['/p?ID=2&id=1', '/p?id=1'],
    ['/p?id=1%26id=2', '/p?id=1%26id=2'],
    ['/p?id=1&amp;id=2', '/p?id=1'],
    ['/p?a?id=2&id=1', '/p?id=1'],
    ['/p?id[]=2&id=1', '/p?id=1'],
    ['/p?&&id=1&', '/p?id=1'],
    ['/p?', '/p'],
    ['/p?utm', '/p'],
    ['/p%3fid=2?id=1', '/p%3fid=2?id=1'],
    ['/all/p?b=1&a=2', '/all/p?b=1&a=2'],
    ['/all/p?a=2&b=1', '/all/p?a=2&b=1'],
    ['/all/p?a=2;b=1', '/all/p?a=2;b=1'],
    ['/all/p?', '/all/p'],
  ]
  for (const round of [1, 2]) {
    for (const [asked, expected] of rows) assert.equal((await edge.get(asked)).body, expected, `${asked} (${round})`)
  }
  const targets = new Set(rows.map(([, target]) => target))
  assert.equal(origin.asked.length, targets.size, 'one fetch for each thing that the origin can tell apart')
})

test('a body in GET and HEAD is refused: no answer to it is kept for those without one', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const method of ['GET', 'HEAD']) {
    const fat = await edge.get('/a', { method, body: 'id=evil', headers: { 'content-length': '7' } })
    assert.equal(fat.status, 403)
  }
  const victim = await edge.get('/a')
  assert.deepEqual([victim.xCache, JSON.parse(victim.body).body], ['Miss', ''])
})

test('methods: the answer to HEAD, OPTIONS or POST never answers GET', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachedMethods: ['GET', 'HEAD', 'OPTIONS'],
  })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })])
  for (const method of ['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const path = `/${method}`
    await edge.get(path, { method })
    assert.equal(JSON.parse((await edge.get(path)).body).line, `GET ${path}`)
    if (method !== 'HEAD') assert.equal(JSON.parse((await edge.get(path, { method })).body).line, `${method} ${path}`)
  }
})

test('Accept-Encoding: nobody gets a coding that it did not ask for, whoever asked first and however', async (t) => {
  const origin = await startOrigin(({ headers }, response) => {
    const accepted = String(headers['accept-encoding'] ?? '')
    const coding = accepted.includes('br') ? 'br' : accepted.includes('gzip') ? 'gzip' : 'identity'
    if (coding !== 'identity') response.setHeader('content-encoding', coding)
    response.setHeader('vary', 'Accept-Encoding')
    response.end(coding)
  })
  t.after(() => origin.close())
  const behavior = behaviorDoc({ cachePolicy: cachePolicy({ gzip: true, brotli: true }) })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ pathPattern: '/off/*' }), behavior] }),
  ])
  const rows: readonly (readonly [accepts: string | string[], gets: string])[] = [
    ['gzip', 'gzip'], ['br', 'br'], ['gzip, br', 'br'], ['GZIP', 'gzip'], ['gzip;q=0', 'identity'], ['gzip;q=0.0, br;q=0.000', 'identity'],
    ['identity', 'identity'], ['identity;q=0', 'identity'], ['*', 'identity'], ['gzipx', 'identity'], ['xgzip', 'identity'],
    ['gzip;q=0, *', 'identity'], [',', 'identity'], ['"gzip"', 'identity'], ['br;q=0, gzip', 'gzip'],
  ] // biome-ignore format: a table
  for (const order of [rows, rows.toReversed()]) {
    for (const [accepts, gets] of order) {
      const path = order === rows ? '/a' : '/b'
      const answer = await edge.get(path, { headers: { 'accept-encoding': accepts } })
      assert.equal(answer.body, gets, String(accepts))
      assert.equal((await edge.get(`/off${path}`, { headers: { 'accept-encoding': accepts } })).body, 'identity')
    }
    assert.equal((await edge.get(order === rows ? '/a' : '/b')).body, 'identity')
  }
})

test('cookies: unkeyed they reach no origin and Set-Cookie reaches no viewer; keyed, each set has its own answer', async (t) => {
  const origin = await startOrigin(({ headers }, response) => {
    response.setHeader('set-cookie', `for=${headers.cookie ?? 'nobody'}`.replaceAll(';', '+'))
    response.end(headers.cookie ?? 'nobody')
  })
  t.after(() => origin.close())
  const keyed = cachePolicy({ cookies: { behavior: 'whitelist', names: ['user'] } })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [behaviorDoc({ pathPattern: '/my/*', cachePolicy: keyed }), behaviorDoc()],
    }),
  ])
  const get = (path: string, cookie?: string) => edge.get(path, cookie === undefined ? {} : { headers: { cookie } })
  const own = await get('/a', 'user=evil')
  assert.deepEqual([own.body, own.headers['set-cookie']], ['nobody', undefined])
  assert.equal((await get('/my/a', 'user=alice; x=1')).body, 'user=alice')
  assert.equal((await get('/my/a', 'x=2; user=alice')).xCache, 'Hit')
  for (const [cookie, seen] of [
    ['user=bob', 'user=bob'], ['User=alice', 'nobody'], ['user=', 'user='], ['user', 'nobody'], ['=user=alice', 'nobody'],
    [' user = alice', 'nobody'], ['user=bob; user=alice', 'user=bob; user=alice'], ['x="; user=alice; "', 'user=alice'],
    ['user="alice"', 'user="alice"'], ['$Version=1; user=alice', 'user=alice'], ['user=alice,user=bob', 'user=alice,user=bob'],
  ] as const) assert.equal((await get('/my/a', cookie)).body, seen, cookie) // biome-ignore format: a table
})

test('Authorization: what GET is answered without it is what all get; a policy that keys it keeps users apart', async (t) => {
  const origin = await startOrigin(({ headers }, response) => response.end(headers.authorization ?? 'anonymous'))
  t.after(() => origin.close())
  const keyed = cachePolicy({ headers: { behavior: 'whitelist', names: ['authorization'] } })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [behaviorDoc({ pathPattern: '/my/*', cachePolicy: keyed }), behaviorDoc()],
    }),
  ])
  const get = (path: string, authorization: string) => edge.get(path, { headers: { authorization } })
  assert.equal((await get('/a', 'Bearer alice')).body, 'anonymous')
  assert.equal((await get('/a', 'Bearer bob')).xCache, 'Hit')
  assert.equal((await get('/my/a', 'Bearer alice')).body, 'Bearer alice')
  assert.equal((await get('/my/a', 'Bearer bob')).body, 'Bearer bob')
  assert.equal((await edge.get('/my/a')).body, 'anonymous')
})

/** By status: whether one viewer's error is served to the next (spec 5.4), when the origin gives no lifetime. */
const ERRORS: readonly (readonly [status: number, kept: boolean])[] = [
  [400, false], [401, false], [402, false], [403, false], [404, true], [405, false], [406, false], [408, false], [409, false], [410, false],
  [411, false], [412, false], [413, false], [414, true], [415, false], [416, false], [421, false], [429, false], [431, false], [451, false],
  [500, true], [501, true], [502, true], [503, true], [504, true],
] // biome-ignore format: a table

test("errors that one viewer's field caused: kept as the table of errors says, and never when the field is oversized", async (t) => {
  const origin = await startOrigin(({ url, headers }, response) => {
    response.statusCode = String(headers['x-forwarded-for']).includes('boom') ? Number(url.slice(1, 4)) : 200
    response.end('x')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const [status, kept] of ERRORS) {
    await t.test(`${status}: ${kept ? 'kept for ErrorCachingMinTTL, as CloudFront does' : 'not kept'}`, async () => {
      assert.equal((await edge.get(`/${status}`, { headers: { 'x-forwarded-for': 'boom' } })).status, status)
      assert.equal((await edge.get(`/${status}`)).status, kept ? status : 200)
      // CPDoS by oversized headers: a limit of the origin's that others do not come near.
      const oversized = { 'x-forwarded-for': `boom${', 10.0.0.1'.repeat(600)}` }
      assert.equal((await edge.get(`/${status}/o`, { headers: oversized })).status, status)
      assert.equal((await edge.get(`/${status}/o`)).status, 200)
    })
  }
})

for (const count of [1, 3]) {
  test(`an origin that hangs up on oversized fields fails nobody else: not who waits, not who comes later, ${count} workers`, async (t) => {
    const origin = await startRawOrigin((socket, head) => {
      // Late enough for the others to wait for the same fetch.
      if (head.length > 8_192) setTimeout(() => socket.destroy(), 30)
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    t.after(() => origin.close())
    const origins = [originDoc(origin.port, { connectionAttempts: 1 })]
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins })], { count })
    for (let at = 0; at < 6; at++) {
      const worker = at % count
      const oversized = edge.get(`/${at}`, { headers: { pragma: 'x'.repeat(9_000) }, worker })
      await new Promise((resolve) => setTimeout(resolve, 5))
      const waits = await edge.get(`/${at}`, { worker })
      assert.deepEqual([waits.status, waits.body], [200, 'ok'])
      assert.equal((await oversized).status, 502)
      for (let each = 0; each < count; each++) assert.equal((await edge.get(`/${at}`, { worker: each })).body, 'ok')
    }
  })
}

for (const count of [1, 3]) {
  test(`a request that claims to have gone in a circle is refused alone, ${count} workers`, async (t) => {
    const origin = await tellingOrigin()
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count })
    const headers = { 'cdn-loop': 'CloudFront, CloudFront' }
    for (let at = 0; at < 10; at++) {
      const [attacker, victim] = await Promise.all([
        edge.get(`/${at}`, { headers, worker: at % count }),
        edge.get(`/${at}`, { worker: at % count }),
      ])
      assert.deepEqual([attacker.status, victim.status], [403, 200])
      assert.equal((await edge.get(`/${at}`)).status, 200)
    }
  })
}

test('a request to be explained leaves nothing of it in the object', async (t) => {
  const origin = await tellingOrigin()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const explained = await edge.get('/a', { headers: { 'x-cachefront-explain': '1' } })
  assert.ok(explained.headers['x-cachefront-trace'])
  const next = await edge.get('/a')
  assert.equal(next.xCache, 'Hit')
  assert.equal(next.headers['x-cachefront-trace'], undefined)
  assert.deepEqual(JSON.parse(next.body).fields, {})
})

test("an origin cannot speak in the edge's name: X-Cache, Via, Age and the rest are ours", async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.setHeader('x-cache', 'Hit from evil')
    response.setHeader('x-amz-cf-id', 'evil')
    response.setHeader('x-amz-cf-pop', 'evil')
    response.setHeader('via', '1.1 evil')
    response.setHeader('x-edge-location', 'evil')
    response.setHeader('connection', 'keep-alive, cache-control, x-hop')
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-hop', 'evil')
    response.end('ok')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const at of [1, 2]) {
    const answer = await edge.get('/a')
    assert.equal(answer.xCache, 'Miss', `${at}: Cache-Control counts although Connection names it`)
    assert.ok(!JSON.stringify(answer.headers).includes('evil'), JSON.stringify(answer.headers))
  }
})

test('an invalidation removes what was poisoned, by the path that was asked', async (t) => {
  let bad = true
  const origin = await startOrigin((_asked, response) => response.end(bad ? 'bad' : 'good'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const spellings = ['/a/b', '/a%2fb', '/a%2Fb', '//a/b', '/a/./b', '/a/b/', '/A/b', '/a/b;x', '/a/b%00', '/%61/b']
  for (const path of spellings) assert.equal((await edge.get(path)).body, 'bad')
  bad = false
  await edge.feed.invalidate(DISTRIBUTION_ID, '/a/b')
  for (const path of spellings) assert.equal((await edge.get(path)).body, path === '/a/b' ? 'good' : 'bad', path)
  await edge.feed.invalidate(DISTRIBUTION_ID, '/a*')
  for (const path of spellings) assert.equal((await edge.get(path)).body, path.startsWith('/a') ? 'good' : 'bad', path)
  await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
  for (const path of spellings) assert.equal((await edge.get(path)).body, 'good', path)
})
