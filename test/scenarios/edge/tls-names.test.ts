//! Certificates and security policies of distributions: who answers which name, under which terms, over which connections a
//! Host may be asked for (421), and what a change does to those that run.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { Duplex } from 'node:stream'
import { after, before, test } from 'node:test'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { DistributionDoc, ServerCertificateDoc, ViewerCertificateDoc } from '../../../src/domain/distribution.ts'
import { Endpoints } from '../../../src/edge/listen/tls/endpoints.ts'
import { compileDistribution } from '../../../src/edge/snapshot/compile.ts'
import { SharedParts } from '../../../src/edge/snapshot/shared-parts.ts'
import { type ServerCertificate, TestAuthority } from '../../support/certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { ask, handshake, secured, statusOf } from '../../support/tls-viewer.ts'

const LOOPBACK = 0
/** Not a loopback address, though reached by one. */
const EVERYWHERE = 1

let edge: EdgeScenario
let authority: TestAuthority
/** What the edge's own authority vouches for, and ours. */
let ca: string[] = []
let originPort = 0
const cleanups: (() => unknown)[] = []
after(async () => {
  for (const clean of cleanups.reverse()) await clean()
})

const docOf = (name: string, { key, cert }: ServerCertificate): ServerCertificateDoc => ({
  arn: `arn:aws:acm:us-east-1:123456789012:certificate/${name}`,
  chain: cert,
  privateKey: key,
})
const viewer = (securityPolicy: string, ...certificates: ServerCertificateDoc[]): ViewerCertificateDoc => ({
  certificates,
  sslSupportMethod: 'sni-only',
  securityPolicy,
})
/** Its id and domain name are made of the digit. */
const site = (digit: number, alias: string, viewerCertificate?: ViewerCertificateDoc): DistributionDoc =>
  distributionDoc(originPort, {
    id: `E${digit}TESTDISTRIB0`,
    domainName: `d${digit}00000abcdef8.cloudfront.localhost`,
    aliases: [alias],
    ...(viewerCertificate === undefined ? {} : { viewerCertificate }),
  })
const ofA = async (name: string, policy = 'TLSv1.2_2021'): Promise<DistributionDoc> =>
  site(2, 'www.a.test', viewer(policy, docOf(name, await authority.issue({ names: ['www.a.test'], subject: name }))))

before(async () => {
  authority = await TestAuthority.make()
  const origin = await startOrigin((asked, response) => response.end(asked.headers.host))
  cleanups.push(() => origin.close())
  originPort = origin.port
  const issue = async (subject: string, names: string[], rsa = false) =>
    docOf(subject, await authority.issue({ subject, names, rsa }))
  const [wild, wildRsa, exact, shared] = await Promise.all([
    issue('wild', ['*.b.test']),
    issue('wild-rsa', ['*.b.test'], true),
    issue('exact', ['exact.b.test']),
    issue('shared', ['*.c.test']),
  ])
  edge = await EdgeScenario.start(
    { after: (clean) => void cleanups.push(clean as () => unknown) },
    [
      distributionDoc(originPort),
      await ofA('a'),
      site(3, '*.b.test', viewer('TLSv1.2_2018', wild, wildRsa)),
      site(4, 'exact.b.test', viewer('TLSv1.3_2025', exact)),
      site(5, 'one.c.test', viewer('TLSv1.2_2021', shared)),
      site(6, 'two.c.test', viewer('TLSv1.2_2021', shared)),
      site(7, 'strict.c.test', viewer('TLSv1.2_2025', shared)),
      site(8, 'old.test'),
      { ...site(9, 'http1.test', viewer('TLSv1.2_2021', shared)), httpVersion: 'http1.1' },
    ],
    {
      pops: ['127.0.0.1', '0.0.0.0'].map((host, at) => ({
        ...{ name: `FRA5${at}-C1`, region: 'eu-central-1', regional: null },
        ...{ http: { host, port: 0 }, https: { host, port: 0 } },
      })),
    },
  )
  ca = [await edge.trust(), authority.pem]
})

const open = (servername: string | undefined, options: ConnectionOptions = {}, pop = LOOPBACK) =>
  secured(edge.httpsPort(0, pop), { ca, ...(servername === undefined ? {} : { servername }), ...options })

test('each name gets its own certificate: exact before wildcard, the default one for names of the edge', async () => {
  const edgeName = '*.cloudfront.localhost'
  const rows: readonly (readonly [servername: string, subject: string])[] = [
    ['www.a.test', 'a'],
    ['WWW.A.TEST', 'a'],
    ['any.b.test', 'wild'],
    ['exact.b.test', 'exact'],
    ['one.c.test', 'shared'],
    ['old.test', 'old.test'],
    [HOST, edgeName],
    // Its own name is the edge's to vouch for, whatever its aliases have.
    ['d200000abcdef8.cloudfront.localhost', edgeName],
    ['localhost', edgeName],
  ]
  for (const pop of [LOOPBACK, EVERYWHERE]) {
    for (const [servername, subject] of rows) {
      const socket = await open(servername, {}, pop)
      assert.equal(socket.getPeerCertificate().subject.CN, subject, servername)
      socket.destroy()
    }
  }
})

test('who names nobody, or somebody unknown: the default certificate on loopback, elsewhere an alert', async () => {
  const unchecked = { rejectUnauthorized: false }
  for (const servername of [undefined, 'nobody.test', 'a.test', 'deep.any.b.nobody']) {
    const socket = await open(servername, unchecked)
    assert.equal(socket.getPeerCertificate().subject.CN, '*.cloudfront.localhost')
    socket.destroy()
    const named = servername === undefined ? {} : { servername }
    const outcome = await handshake(edge.httpsPort(0, EVERYWHERE), { ...unchecked, ...named })
    assert.equal(outcome, 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
  }
})

test('RSA and ECDSA side by side: each viewer gets what it can use', async () => {
  const ofKind = async (options: ConnectionOptions) => {
    const socket = await open('any.b.test', options)
    const subject = socket.getPeerCertificate().subject.CN
    socket.destroy()
    return subject
  }
  assert.equal(await ofKind({}), 'wild')
  assert.equal(await ofKind({ maxVersion: 'TLSv1.2' }), 'wild')
  assert.equal(await ofKind({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }), 'wild-rsa')
  assert.equal(await ofKind({ sigalgs: 'rsa_pss_rsae_sha256' }), 'wild-rsa')
})

test('a name is under its own policy, beside names under others', async () => {
  const tls12 = { maxVersion: 'TLSv1.2' } as const
  const cbc = { ...tls12, ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const
  const oldest = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const rows: readonly (readonly [string, ConnectionOptions, boolean])[] = [
    ['www.a.test', tls12, true],
    ['www.a.test', cbc, false],
    ['www.a.test', oldest, false],
    ['any.b.test', cbc, true],
    ['exact.b.test', tls12, false],
    ['exact.b.test', {}, true],
    [HOST, oldest, true],
    ['old.test', oldest, true],
  ]
  for (const [servername, options, isAccepted] of rows) {
    const outcome = await handshake(edge.httpsPort(), { ca, servername, ...options })
    assert.equal(typeof outcome !== 'string', isAccepted, `${servername} ${JSON.stringify(options)} ${outcome}`)
    if (typeof outcome !== 'string') outcome.destroy()
  }
})

test('ALPN offers what the HttpVersion of the distribution allows', async () => {
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const
  const refused = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'
  const rows: readonly (readonly [
    servername: string,
    offered: string[],
    agreed: string | false,
    ConnectionOptions?,
  ])[] = [
    ['www.a.test', ['h2', 'http/1.1'], 'h2'],
    ['www.a.test', ['http/1.1', 'h2'], 'h2'],
    ['www.a.test', ['http/1.1'], 'http/1.1'],
    ['www.a.test', [], false],
    ['www.a.test', ['spdy/3'], refused],
    ['http1.test', ['h2', 'http/1.1'], 'http/1.1'],
    ['http1.test', ['h2'], refused],
    [HOST, ['h2'], 'h2'],
    ['localhost', ['h2', 'http/1.1'], 'http/1.1'],
    // RFC 9113 9.2: TLS 1.2 or newer, and a cipher that is not on its list of those to avoid.
    [HOST, ['h2', 'http/1.1'], 'http/1.1', old],
    ['any.b.test', ['h2', 'http/1.1'], 'http/1.1', cbc],
  ]
  for (const [servername, ALPNProtocols, agreed, options] of rows) {
    const certificates = { rejectUnauthorized: false }
    const outcome = await handshake(edge.httpsPort(), { ...certificates, servername, ALPNProtocols, ...options })
    const got = typeof outcome === 'string' ? outcome : outcome.alpnProtocol
    assert.equal(got, agreed, `${servername} ${ALPNProtocols}`)
    if (typeof outcome !== 'string') outcome.destroy()
  }
})

test('a Host that its connection was not made for gets 421', async () => {
  const own = 'd200000abcdef8.cloudfront.localhost'
  const rows: readonly (readonly [servername: string | undefined, host: string, status: string])[] = [
    ['www.a.test', 'www.a.test', '200'],
    ['www.a.test', 'WWW.A.TEST:8443', '200'],
    ['www.a.test', 'one.c.test', '421'],
    // The same certificate and the same policy: one connection for both (RFC 9113 9.1.1).
    ['one.c.test', 'two.c.test', '200'],
    ['one.c.test', 'strict.c.test', '421'],
    ['any.b.test', 'other.b.test', '200'],
    // The wildcard certificate would cover it; it has one of its own, and a stricter policy.
    ['any.b.test', 'exact.b.test', '421'],
    // An alias and a name of the edge, both ways, the same distribution or not.
    ['www.a.test', own, '421'],
    [own, 'www.a.test', '421'],
    ['www.a.test', HOST, '421'],
    [HOST, own, '200'],
    // Documents of earlier versions: the edge's authority vouches for all of their names.
    ['old.test', HOST, '200'],
    [HOST, 'old.test', '200'],
    // By address: nobody is asked for, and the policy alone is compared.
    [undefined, HOST, '200'],
    [undefined, 'www.a.test', '421'],
    // Nobody's name is nobody's name.
    ['www.a.test', 'nobody.test', '403'],
  ]
  for (const [servername, host, status] of rows) {
    const socket = await open(servername, { rejectUnauthorized: false })
    const answer = await ask(socket, host)
    assert.equal(statusOf(answer), status, `${servername} asks for ${host}`)
    if (status === '421') {
      assert.match(answer, /^HTTP\/1\.1 421 Misdirected Request\r\n/)
      assert.match(answer, /\r\nX-Cache: Error from cloudfront\r\n/i)
      assert.match(answer, /The connection was made for another name.*Generated by cloudfront/s)
      // The connection goes on with its own name.
      if (servername !== undefined) assert.equal(statusOf(await ask(socket, servername)), '200')
    }
    socket.destroy()
  }
  assert.equal((await edge.get('/', { host: 'www.a.test' })).status, 200, 'plain HTTP')
})

test('HTTP/2 goes to Hosts whose HttpVersion has it, over whichever connection', async () => {
  const session = connectHttp2(`https://one.c.test:${edge.httpsPort()}`, {
    ca,
    createConnection: () =>
      connectTls({ port: edge.httpsPort(), host: '127.0.0.1', servername: 'one.c.test', ca, ALPNProtocols: ['h2'] }),
  })
  const statusFor = async (host: string): Promise<number> => {
    const stream = session.request({ ':authority': host, ':path': '/' })
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
    stream.close()
    return headers[':status']
  }
  assert.equal(await statusFor('two.c.test'), 200)
  // The same certificate and policy, and HTTP/1.1 alone.
  assert.equal(await statusFor('http1.test'), 421)
  assert.equal(await statusFor('one.c.test'), 200)
  session.destroy()
  const socket = await open('one.c.test')
  assert.equal(statusOf(await ask(socket, 'http1.test')), '200', 'over HTTP/1.1')
  socket.destroy()
})

test('a renewed certificate and another policy are for new connections; those that run go on', async () => {
  const running = await open('www.a.test', { maxVersion: 'TLSv1.2' })
  const before = running.getPeerCertificate().fingerprint256
  await edge.feed.put(await ofA('a'))
  const renewed = await open('www.a.test')
  assert.notEqual(renewed.getPeerCertificate().fingerprint256, before)
  assert.equal(statusOf(await ask(running, 'www.a.test')), '200')
  await edge.feed.put(await ofA('another', 'TLSv1.3_2025'))
  assert.equal(
    await handshake(edge.httpsPort(), { ca, servername: 'www.a.test', maxVersion: 'TLSv1.2' }),
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  )
  const newest = await open('www.a.test')
  assert.equal(newest.getPeerCertificate().subject.CN, 'another')
  for (const socket of [running, renewed, newest]) {
    assert.equal(statusOf(await ask(socket, 'www.a.test')), '200')
    socket.destroy()
  }
  await edge.feed.put(await ofA('a'))
})

test('a thousand changes leave no server and no key behind', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const keys = { current: Buffer.alloc(48, 1), previous: null }
  const endpoints = new Endpoints(
    () => keys,
    () => {},
  )
  const shared = new SharedParts()
  const { key, cert } = await authority.issue({ names: ['www.a.test'] })
  const served: WeakRef<object>[] = []
  for (let at = 0; at < 1_000; at++) {
    const document = shared.one(site(2, 'www.a.test', viewer('TLSv1.2_2021', docOf(`a${at}`, { key, cert }))))
    const { certificate, tls: terms } = compileDistribution(document)
    assert.ok(certificate !== null)
    served.push(new WeakRef(certificate))
    const viewerSocket = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() })
    viewerSocket.on('error', () => {})
    endpoints.handOver(viewerSocket, { certificate, terms, protocols: ['http/1.1'] }, null)
    viewerSocket.destroy()
    if (at % 50 === 0) await new Promise(setImmediate)
  }
  let alive = served.length
  for (let turn = 0; turn < 50 && alive > 1; turn++) {
    await new Promise(setImmediate)
    collect()
    alive = served.filter((one) => one.deref() !== undefined).length
  }
  assert.ok(alive <= 1, `${alive} are left`)
})
