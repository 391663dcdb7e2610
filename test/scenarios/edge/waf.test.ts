//! Web ACLs at the edge (spec/cloudfront.md 12.2), through real requests: what is refused, with which answer, and what goes
//! on to the origin.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { brotliCompressSync, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import type { WebAclDoc } from '../../../src/domain/waf/web-acl.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { traceOf } from '../../support/edge-trace.ts'
import {
  ACCOUNT,
  ACL_ARN,
  BODY,
  byteMatch,
  groupRule,
  header,
  ipSetArn,
  PATH,
  QUERY,
  rule,
  ruleGroupArn,
  ruleGroupDoc,
  transformations,
  webAclDoc,
} from '../../support/web-acl.ts'

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

async function protectedBy(
  t: TestContext,
  webAcl: WebAclDoc | null,
  changes: Partial<DistributionDoc> = {},
  count = 1,
) {
  const origin = await startOrigin((asked, response) => response.end(`got ${asked.body.length}`))
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ allowedMethods: METHODS })]
  const edge = await EdgeScenario.start(t, [], { count })
  const use = (doc: WebAclDoc | null) => edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl: doc }))
  if (webAcl !== null) await use(webAcl)
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN, ...changes }))
  return { edge, origin, use }
}

test('rules in order of priority decide; a set that changes, and an ACL that cannot be evaluated, hold at once', async (t) => {
  const sets = (...members: string[]) => ({ ipSets: { [ipSetArn('bad')]: members } })
  const rules = [
    rule('admin', byteMatch('/admin', PATH, 'STARTS_WITH')),
    rule('key', byteMatch('let-me-in', header('X-Key'), 'EXACTLY'), { Allow: {} }, { Priority: -1 }),
    rule('bad', { IPSetReferenceStatement: { ARN: ipSetArn('bad') } }),
  ]
  const { edge, origin, use } = await protectedBy(t, webAclDoc(rules, sets('192.0.2.0/24', '2001:db8::/32')))
  const status = async (path: string, headers: Record<string, string | string[]> = {}) =>
    (await edge.get(path, { headers })).status
  assert.equal(await status('/'), 200)
  const blocked = await edge.get('/admin/x')
  assert.equal(blocked.status, 403)
  assert.equal(blocked.xCache, 'Error')
  assert.match(blocked.body, /Request blocked\./)
  assert.equal(await status('/admin', { 'x-key': 'let-me-in' }), 200)
  assert.equal(await status('/admin', { 'x-key': ['no', 'let-me-in'] }), 200)
  const from = (address: string) => status('/', { 'x-cachefront-viewer-address': address })
  assert.deepEqual([await from('192.0.2.77'), await from('192.0.3.1'), await from('2001:db8::5')], [403, 200, 403])
  assert.equal(origin.count('/admin/x'), 0)

  // However the path is written, with whatever method, and as a WebSocket.
  const asked = async (line: string, more = '') => {
    const answer = await edge.raw(`${line} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${more}\r\n`)
    return Number(answer.slice(9, 12))
  }
  assert.equal(await asked(`GET http://${HOST}/admin`), 403)
  assert.equal(await asked('OPTIONS /admin'), 403)
  assert.equal(await asked('GET /admin', 'Range: bytes=0-1\r\n'), 403)
  const upgrade = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const webSocket = await edge.raw(
    `GET /admin HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade, close\r\n${upgrade}\r\n`,
  )
  assert.match(webSocket, /^HTTP\/1\.1 403 /)

  await use(webAclDoc(rules, sets('198.51.100.7')))
  assert.deepEqual([await from('192.0.2.77'), await from('198.51.100.7')], [200, 403])
  await use(webAclDoc(rules))
  assert.equal(await status('/'), 503)
  assert.ok(
    edge.problems.some((line) => line.includes(ipSetArn('bad'))),
    edge.problems.join('\n'),
  )
  await use(null)
  assert.equal(await status('/'), 503)

  const told = await edge.feed.ask({ kind: 'counters' })
  assert.ok(told.kind === 'counters')
  const counted = JSON.stringify(told.counters)
  for (const name of ['wafAllowed', 'wafBlocked', 'wafRefusals']) assert.match(counted, new RegExp(`"${name}":[1-9]`))
})

test('what a block answers: the page, a custom error page in its place, or a response of the rule’s own', async (t) => {
  const bodies = {
    teapot: { ContentType: 'APPLICATION_JSON', Content: '{"tea":"für dich"}' },
    page: { ContentType: 'TEXT_HTML', Content: '<p>no</p>' },
  } as const
  const own = (ResponseCode: number, CustomResponseBodyKey?: keyof typeof bodies) => ({
    Block: {
      CustomResponse: {
        ResponseCode,
        ResponseHeaders: [{ Name: 'X-Why', Value: 'tea' }],
        ...(CustomResponseBodyKey === undefined ? {} : { CustomResponseBodyKey }),
      },
    },
  })
  const at = (path: string) => byteMatch(path, PATH, 'EXACTLY')
  const doc = webAclDoc(
    [
      rule('plain', at('/plain')),
      rule('teapot', at('/teapot'), own(418, 'teapot')),
      rule('forbidden', at('/forbidden'), own(403, 'page')),
      rule('empty', at('/empty'), own(204, 'page')),
    ],
    { acl: { CustomResponseBodies: bodies, DefaultAction: { Allow: {} } } as never },
  )
  const errorResponses = [{ errorCode: 403, cachingMinTtlSeconds: 10, page: { path: '/sorry', responseCode: 200 } }]
  const { edge, origin } = await protectedBy(t, doc, { errorResponses })
  const plain = await edge.get('/plain')
  assert.deepEqual([plain.status, plain.body, plain.xCache], [200, 'got 0', 'Error'])
  assert.deepEqual(
    origin.asked.map(({ url }) => url),
    ['/sorry'],
  )
  const teapot = await edge.get('/teapot')
  assert.deepEqual(
    [
      teapot.status,
      teapot.headers['content-type'],
      teapot.headers['x-why'],
      Buffer.from(teapot.body, 'latin1').toString(),
    ],
    [418, 'application/json', 'tea', '{"tea":"für dich"}'],
  )
  const forbidden = await edge.get('/forbidden')
  assert.deepEqual([forbidden.status, forbidden.body], [403, '<p>no</p>'])
  assert.equal((await edge.get('/forbidden', { method: 'HEAD' })).status, 403)
  // The next answer on the connection is where it belongs.
  const two = await edge.raw(
    `GET /empty HTTP/1.1\r\nHost: ${HOST}\r\n\r\nGET /teapot HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
  )
  assert.match(two, /^HTTP\/1\.1 204 .*?X-Why: tea.*?\r\n\r\nHTTP\/1\.1 418 /s)
  assert.equal(origin.asked.length, 1)
})

const EVIL = 'so evil'

test('bodies are inspected as they come and packed, and reach the origin whole', async (t) => {
  const doc = webAclDoc([
    rule('early', byteMatch('early', QUERY)),
    rule('large', byteMatch('never', { Body: { OversizeHandling: 'MATCH' } }), { Count: {} }),
    rule('strict', {
      AndStatement: {
        Statements: [byteMatch('strict', QUERY), byteMatch('never', { Body: { OversizeHandling: 'MATCH' } })],
      },
    }),
    rule('evil', byteMatch(EVIL, BODY, 'CONTAINS', 'LOWERCASE')),
  ])
  const { edge, origin } = await protectedBy(t, doc)
  /** Sends the pieces, each when the one before is on its way; resolves with the status. */
  const post = async (head: string, pieces: readonly (string | Buffer)[], target = '/'): Promise<number> => {
    const socket = connect(edge.port(), '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      got += text
    })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.write(`POST ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${head}\r\n`)
    for (const piece of pieces) {
      await new Promise((resolve) => setImmediate(resolve))
      socket.write(piece)
    }
    await closed
    return Number(got.slice(9, 12))
  }
  const whole = (body: string | Buffer, more = '', target = '/') =>
    post(`Content-Length: ${Buffer.byteLength(body)}\r\n${more}`, [body], target)
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
  const chunked = (...texts: string[]) =>
    post('Transfer-Encoding: chunked\r\n', [...texts.map(chunk), '0\r\nX-T: 1\r\n\r\n'])

  assert.equal(await whole('fine'), 200)
  assert.equal(origin.asked.at(-1)?.body, 'fine')
  assert.equal(await whole(`This is ${EVIL.toUpperCase()}.`), 403)
  assert.equal(await chunked('s', 'o e', 'vi', 'l'), 403)
  assert.equal(await chunked('so', 'ok'), 200)
  assert.equal(origin.asked.at(-1)?.body, 'sook')

  const packed = {
    br: brotliCompressSync(EVIL),
    deflate: deflateRawSync(EVIL),
    gzip: gzipSync(EVIL),
    zstd: zstdCompressSync(EVIL),
  }
  for (const [coding, body] of Object.entries(packed)) {
    assert.equal(await whole(body, `Content-Encoding: ${coding}\r\n`), 403, coding)
  }
  assert.equal(await whole(gzipSync(brotliCompressSync(EVIL)), 'Content-Encoding: br, GZIP\r\n'), 403)
  assert.equal(await whole(gzipSync(EVIL).subarray(0, -6), 'Content-Encoding: gzip\r\n'), 403)
  assert.equal(await whole(gzipSync('fine'), 'Content-Encoding: gzip\r\n'), 200)
  // A bomb costs no more than what is looked at, and counts as too large; so does what nobody can unpack.
  const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024))
  assert.equal(await whole(bomb, 'Content-Encoding: gzip\r\n', '/?strict'), 403)
  assert.equal(await whole('x', 'Content-Encoding: rot13\r\n', '/?strict'), 403)
  assert.equal(await whole('x', 'Content-Encoding: gzip\r\n', '/?strict'), 403)
  assert.equal(await whole('x', '', '/?strict'), 200)

  const large = Buffer.alloc(300_000, 'a quite long text, ')
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  assert.equal(await whole(large), 200)
  assert.equal(digest(Buffer.from(origin.asked.at(-1)?.body ?? '', 'latin1')), digest(large))
  assert.equal(await whole(large, '', '/?strict'), 403)
  assert.equal(await whole(`${EVIL}${'x'.repeat(300_000)}`), 403)
  // 16 KB, as with CloudFront.
  assert.equal(await whole(`${'x'.repeat(16_384 - EVIL.length)}${EVIL}${'x'.repeat(99)}`), 403)
  assert.equal(await whole(`${'x'.repeat(16_384)}${EVIL}`), 200)

  // Whoever is refused by an earlier rule is not asked for its body; the others are, once.
  const expecting = (target: string, answer: RegExp, body: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(edge.port(), '127.0.0.1')
      let got = ''
      let sent = false
      socket.setEncoding('latin1').on('error', reject)
      socket.on('close', () => resolve(got))
      socket.on('data', (text: string) => {
        got += text
        if (sent || !answer.test(got)) return
        sent = true
        socket.write(body)
      })
      const length = `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`
      socket.write(`POST ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${length}\r\n`)
    })
  const continued = await expecting('/', /^HTTP\/1\.1 100 /, 'waited')
  assert.match(continued, /^HTTP\/1\.1 100 .*?\r\n\r\nHTTP\/1\.1 200 /s)
  assert.equal(origin.asked.at(-1)?.body, 'waited')
  assert.match(await expecting('/', /^HTTP\/1\.1 100 /, EVIL), /^HTTP\/1\.1 100 .*?\r\n\r\nHTTP\/1\.1 403 /s)
  assert.match(await expecting('/?early', /\n\r\n/, ''), /^HTTP\/1\.1 403 /)

  // Broken off, and malformed.
  const before = origin.asked.length
  assert.equal(await post('Transfer-Encoding: chunked\r\n', [chunk('x'), 'zz\r\n']), 400)
  const leaver = connect(edge.port(), '127.0.0.1')
  leaver.end(`POST /left HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 100\r\n\r\nx`)
  leaver.resume()
  await new Promise((resolve) => leaver.once('close', resolve))
  assert.equal(origin.asked.length, before)

  const session = connectHttp2(`https://127.0.0.1:${edge.httpsPort()}`, { ca: await edge.trust(), servername: HOST })
  t.after(() => session.close())
  const stream = (pieces: readonly (string | Buffer)[], type = 'text/plain') =>
    new Promise<number>((resolve, reject) => {
      const request = session.request({ ':method': 'POST', ':authority': HOST, ':path': '/h2', 'content-type': type })
      request.on('error', reject)
      request.on('response', (headers) => resolve(Number(headers[':status'])))
      request.resume()
      for (const piece of pieces) request.write(piece)
      request.end()
    })
  assert.equal(await stream(['so ', 'evil']), 403)
  // No behavior passes gRPC on: it is no way around the rules.
  assert.equal(await stream([EVIL], 'application/grpc'), 403)
  assert.equal(await stream([large, large]), 200)
  assert.equal(origin.asked.at(-1)?.body.length, 600_000)
})

test('labels, counts, groups with overrides, and fields that go to the origin', async (t) => {
  const insert = (Name: string, Value: string) => ({ CustomRequestHandling: { InsertHeaders: [{ Name, Value }] } })
  const label = (Scope: 'LABEL' | 'NAMESPACE', Key: string) => ({ LabelMatchStatement: { Scope, Key } })
  const at = (path: string) => byteMatch(path, PATH, 'STARTS_WITH')
  const groups = {
    ...ruleGroupDoc('own', [
      rule('counts', at('/labelled'), { Count: insert('seen', 'yes') }, { RuleLabels: [{ Name: 'paths:labelled' }] }),
      rule('local', { AndStatement: { Statements: [label('LABEL', 'labelled'), at('/labelled/local')] } }),
      rule('blocks', at('/group')),
      rule('excluded', at('/excluded')),
      rule('overridden', at('/overridden')),
    ]),
    ...ruleGroupDoc('counting', [
      rule('blocks', at('/counted'), { Block: {} }, { RuleLabels: [{ Name: 'would-block' }] }),
      rule('never', at('/counted'), { Block: {} }, { RuleLabels: [{ Name: 'too-late' }] }),
    ]),
  }
  const prefix = `awswaf:${ACCOUNT}:rulegroup:`
  const doc = webAclDoc(
    [
      groupRule('group', {
        RuleGroupReferenceStatement: {
          ARN: ruleGroupArn('own'),
          ExcludedRules: [{ Name: 'excluded' }],
          RuleActionOverrides: [{ Name: 'overridden', ActionToUse: { Count: insert('overridden', 'yes') } }],
        },
      }),
      groupRule(
        'counting',
        { RuleGroupReferenceStatement: { ARN: ruleGroupArn('counting') } },
        { OverrideAction: { Count: {} } },
      ),
      rule('by-label', {
        AndStatement: { Statements: [label('NAMESPACE', `${prefix}own:paths:`), byteMatch('block', QUERY)] },
      }),
      rule('not-local', { AndStatement: { Statements: [label('LABEL', 'labelled'), byteMatch('local', QUERY)] } }),
      rule('allow', at('/allowed'), { Allow: insert('Allowed', 'by rule') }),
      rule('nobody', at('/allowed')),
    ],
    { ruleGroups: groups, acl: { DefaultAction: { Allow: insert('Default', 'für alle') } } as never },
  )
  const { edge, origin } = await protectedBy(t, doc, {}, 2)
  const status = async (path: string, headers = {}) => (await edge.get(path, { headers })).status
  assert.deepEqual(
    await Promise.all(
      ['/group', '/excluded', '/overridden', '/counted', '/labelled/local'].map((path) => status(path)),
    ),
    [403, 200, 200, 200, 403],
  )
  assert.deepEqual(
    [await status('/labelled?block'), await status('/labelled?local'), await status('/x?block')],
    [403, 200, 200],
  )

  const inserted = async (path: string, headers = {}, worker = 0) => {
    await edge.get(path, { headers, worker })
    const { rawHeaders } = origin.asked.at(-1)!
    const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []))
    return pairs.filter((pair) => /^x.amzn.waf.|^x-other/i.test(pair))
  }
  const standard = `x-amzn-waf-Default: ${Buffer.from('für alle').toString('latin1')}`
  // No policy lists them, and no viewer can say them.
  const forged = { 'X-Amzn-Waf-Seen': 'forged', x_amzn_waf_allowed: 'forged', 'x-amzn-waf-more': 'forged' }
  for (const worker of [0, 1]) {
    assert.deepEqual(await inserted(`/plain/${worker}`, forged, worker), [standard])
    assert.deepEqual(await inserted(`/labelled/${worker}`, forged, worker), ['x-amzn-waf-seen: yes', standard])
    assert.deepEqual(await inserted(`/allowed/${worker}`, {}, worker), ['x-amzn-waf-Allowed: by rule'])
  }
  assert.deepEqual(await inserted('/overridden/x'), ['x-amzn-waf-overridden: yes', standard])

  const steps = async (path: string, headers = {}) => {
    const trace = await traceOf(edge, path, headers)
    return trace.steps.find(({ name }) => name === 'access-waf')!
  }
  const counted = await steps('/counted/x')
  assert.deepEqual(counted.decisions, [{ field: 'WebACL.DefaultAction', value: 'ALLOW' }])
  assert.equal(counted.facts.counted, 'counting/blocks')
  assert.equal(counted.facts.labels, `${prefix}counting:would-block`)
  assert.equal(counted.facts.inserted, 'x-amzn-waf-Default')
  assert.deepEqual((await steps('/group')).decisions, [{ field: 'WebACL.Rules[group/blocks]', value: 'BLOCK' }])
})

test('a hit is looked at as a miss is, in the same way when the headers are the same', async (t) => {
  const doc = webAclDoc([
    rule('agent', byteMatch('bad', header('user-agent'), 'CONTAINS', 'LOWERCASE')),
    rule('odd', {
      SizeConstraintStatement: {
        FieldToMatch: { SingleQueryArgument: { Name: 'q' } },
        ComparisonOperator: 'GT',
        Size: 3,
        TextTransformations: transformations('URL_DECODE'),
      },
    }),
  ])
  const policy = cachePolicy({ queryStrings: { behavior: 'all', names: [] } })
  const { edge, use } = await protectedBy(t, doc, { behaviors: [behaviorDoc({ cachePolicy: policy })] })
  const request = (target: string, agent: string) =>
    `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: ${agent}\r\n\r\n`
  const asks = ['good', 'good', 'BAD', 'good', 'BAD'].map((agent) => request('/?q=%41bc', agent)).join('')
  const last = `GET /?q=abcd HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`
  await edge.get('/?q=%41bc')
  const answers = async () =>
    [...(await edge.raw(asks + last)).matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)
  assert.deepEqual(await answers(), ['200', '200', '403', '200', '403', '403'])
  await use(webAclDoc([rule('agent', byteMatch('good', header('user-agent')))]))
  assert.deepEqual(await answers(), ['403', '403', '200', '403', '200', '200'])
})
