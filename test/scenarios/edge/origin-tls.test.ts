//! Origins over TLS: what is offered, what is trusted, which name counts, and what a viewer sees of a bad one.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { OriginDoc, OriginSslProtocol } from '../../../src/domain/distribution.ts'
import { type ServerCertificate, selfSigned, TestAuthority } from '../../support/certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'
import { startTlsOrigin } from '../../support/tls-origin.ts'

const authority = await TestAuthority.make()
const NAME = 'origin.test'
const good = await authority.issue({ names: [NAME] })
const intermediate = await authority.below()
/** TLS 1.0 and 1.1 by OpenSSL 3. */
const OLD_TOO = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const

interface Changes {
  readonly origin?: Partial<OriginDoc>
  readonly server?: ServerOptions
  readonly trusts?: readonly string[]
  readonly domainName?: string
  readonly forwardHost?: boolean
  /** The server ends the connection after each answer. */
  readonly closes?: boolean
}

async function site(t: TestContext, certificate: ServerCertificate, changes: Changes = {}) {
  const { origin: settings = {}, server = {}, trusts = [authority.pem], domainName = NAME } = changes
  const origin = await startTlsOrigin(certificate, server, changes.closes ? { connection: 'close' } : {})
  t.after(() => origin.close())
  const document = distributionDoc(1, {
    aliases: ['www.example.com'],
    origins: [
      originDoc(1, {
        domainName,
        protocolPolicy: 'https-only',
        httpsPort: origin.port,
        connectionAttempts: 1,
        ...settings,
      }),
    ],
    behaviors: [
      behaviorDoc({
        cachePolicy: cachePolicy(
          changes.forwardHost ? { headers: { behavior: 'whitelist', names: ['host'] } } : { defaultTtl: 0, maxTtl: 0 },
        ),
      }),
    ],
  })
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-origin-ca-'))
  t.after(() => rm(directory, { recursive: true }))
  const originAuthorities = trusts.map((_, at) => join(directory, `${at}.pem`))
  await Promise.all(originAuthorities.map((file, at) => writeFile(file, trusts[at] as string)))
  const edge = await EdgeScenario.start(t, [document], {
    originAuthorities,
    lookup: async () => ['127.0.0.1'],
  })
  return { origin, edge }
}

test('an origin with a certificate of a trusted authority for its name is asked over TLS, by its name', async (t) => {
  const { origin, edge } = await site(t, good)
  const answer = await edge.get('/a')
  assert.deepEqual([answer.status, answer.body, answer.xCache], [200, 'over TLS', 'Miss'])
  const [handshake] = origin.handshakes
  assert.deepEqual([handshake?.servername, handshake?.protocol, handshake?.resumed], [NAME, 'TLSv1.3', false])
  assert.deepEqual(origin.hosts, [NAME])
})

const refusals: readonly (readonly [
  what: string,
  certificate: Promise<ServerCertificate>,
  reason: RegExp,
  changes?: Changes,
])[] = [
  ['self-signed', selfSigned({ names: [NAME] }), /DEPTH_ZERO_SELF_SIGNED_CERT/],
  ['expired', authority.issue({ names: [NAME], from: -30, to: -1 }), /CERT_HAS_EXPIRED/],
  ['not valid yet', authority.issue({ names: [NAME], from: 2 }), /CERT_NOT_YET_VALID/],
  [
    'of an authority that nobody trusts',
    authority.issue({ names: [NAME] }),
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
    { trusts: [] },
  ],
  ['for another name', authority.issue({ names: ['other.test'] }), /ERR_TLS_CERT_ALTNAME_INVALID/],
  ['for a name below a wildcard', authority.issue({ names: ['*.origin.test'] }), /ERR_TLS_CERT_ALTNAME_INVALID/],
  [
    'whose chain lacks the intermediate authority',
    intermediate.issue({ names: [NAME] }),
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
  ],
  [
    'for a name where an address is asked',
    authority.issue({ names: ['127.0.0.1.test'] }),
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    { domainName: '127.0.0.1' },
  ],
]
for (const [what, certificate, reason, changes] of refusals) {
  test(`a certificate ${what} is a 502 that tells the operator why, and nothing is sent`, async (t) => {
    const { origin, edge } = await site(t, await certificate, changes)
    const answer = await edge.get('/a')
    assert.deepEqual([answer.status, answer.xCache, answer.headers.server], [502, 'Error', 'CloudFront'])
    assert.doesNotMatch(answer.body, reason, 'not for the viewer')
    assert.match(edge.problems.join('\n'), new RegExp(`: tls: .*${reason.source}`))
    assert.equal(origin.asked.length, 0)
  })
}

test('a chain with its intermediate authority is good, in whatever order', async (t) => {
  const { key, cert } = await intermediate.issue({ names: [NAME] })
  for (const chain of [
    [cert, intermediate.pem],
    [cert, authority.pem, intermediate.pem],
  ]) {
    const { edge } = await site(t, { key, cert: chain.join('\n') })
    assert.equal((await edge.get('/a')).status, 200)
  }
})

test('a certificate for an address is good for an origin with that address, which is no SNI', async (t) => {
  const certificate = await authority.issue({ names: ['127.0.0.1'] })
  const { origin, edge } = await site(t, certificate, { domainName: '127.0.0.1' })
  assert.equal((await edge.get('/a')).status, 200)
  assert.equal(origin.handshakes[0]?.servername, '')
})

for (const [names, status] of [
  [['www.example.com'], 200],
  [[NAME], 200],
  [['other.test'], 502],
] as const) {
  test(`where Host is forwarded the certificate may be for it or for the origin: ${names} is ${status}`, async (t) => {
    const { origin, edge } = await site(t, await authority.issue({ names }), { forwardHost: true })
    const answer = await edge.get('/a', { host: 'www.example.com' })
    assert.equal(answer.status, status)
    if (status === 200) {
      assert.equal(origin.handshakes[0]?.servername, 'www.example.com', 'the SNI is the Host')
      assert.deepEqual(origin.hosts, ['www.example.com'])
    }
  })
}

/** Protocol that a server has, what the origin lists, what is spoken; null for a 502. */
const PROTOCOLS: readonly (readonly [server: string, listed: OriginSslProtocol[], spoken: string | null])[] = [
  ['TLSv1', ['TLSv1'], 'TLSv1'],
  ['TLSv1', ['TLSv1', 'TLSv1.1', 'TLSv1.2'], 'TLSv1'],
  ['TLSv1', ['TLSv1.2'], null],
  ['TLSv1', ['TLSv1.1', 'TLSv1.2'], null],
  ['TLSv1', ['TLSv1', 'TLSv1.2'], 'TLSv1'],
  ['TLSv1.1', ['TLSv1.1'], 'TLSv1.1'],
  ['TLSv1.1', ['TLSv1'], null],
  ['TLSv1.1', ['TLSv1', 'TLSv1.2'], null],
  ['TLSv1.2', ['TLSv1', 'TLSv1.2'], 'TLSv1.2'],
  ['TLSv1.2', ['TLSv1.2'], 'TLSv1.2'],
  ['TLSv1.2', ['TLSv1', 'TLSv1.1'], null],
  ['TLSv1.2', ['SSLv3', 'TLSv1.2'], 'TLSv1.2'],
  ['TLSv1.2', ['SSLv3'], null],
  ['TLSv1.3', ['TLSv1.2'], 'TLSv1.3'],
  ['TLSv1.3', ['TLSv1', 'TLSv1.1'], null],
]
const rsa = await authority.issue({ names: [NAME], rsa: true })
for (const [version, listed, spoken] of PROTOCOLS) {
  test(`a server with ${version}, OriginSslProtocols ${listed}: ${spoken ?? '502'}`, async (t) => {
    const server = { ...OLD_TOO, minVersion: version as 'TLSv1', maxVersion: version as 'TLSv1' }
    const { origin, edge } = await site(t, rsa, { server, origin: { sslProtocols: listed } })
    const answer = await edge.get('/a')
    assert.equal(answer.status, spoken === null ? 502 : 200)
    if (spoken === null) {
      assert.equal(origin.asked.length, 0)
      assert.match(edge.problems.join('\n'), /: tls: /)
    } else assert.equal(origin.handshakes[0]?.protocol, spoken)
  })
}

for (const [cipher, fits] of [
  ['ECDHE-ECDSA-AES128-GCM-SHA256', true],
  ['ECDHE-RSA-AES256-SHA384', true],
  ['AES128-SHA', true],
  ['AES256-GCM-SHA384', false],
  ['ECDHE-RSA-CHACHA20-POLY1305', false],
  ['DHE-RSA-AES128-GCM-SHA256', false],
] as const) {
  test(`a server with the cipher ${cipher} only ${fits ? 'is asked' : 'is not CloudFront’s'}`, async (t) => {
    const server: ServerOptions = { maxVersion: 'TLSv1.2', ciphers: `${cipher}:@SECLEVEL=0`, dhparam: 'auto' }
    const { origin, edge } = await site(t, cipher.includes('ECDSA') ? good : rsa, { server })
    assert.equal((await edge.get('/a')).status, fits ? 200 : 502)
    if (fits) assert.equal(origin.handshakes[0]?.cipher, cipher)
  })
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const rejectUnauthorized of [true, false]) {
    const asks = rejectUnauthorized ? 'needs' : 'would take'
    test(`${version}: an origin that ${asks} a client certificate gets no request`, async (t) => {
      const server = { requestCert: true, rejectUnauthorized, minVersion: version, maxVersion: version }
      const { origin, edge } = await site(t, good, { server })
      assert.equal((await edge.get('/a')).status, 502)
      assert.match(edge.problems.join('\n'), /: tls: .*(client certificate|alert handshake failure)/)
      assert.equal(origin.asked.length, 0)
    })
  }

  test(`${version}: an origin that asks for it is shown the client certificate, and its connection goes on`, async (t) => {
    const server = { requestCert: true, ca: authority.pem, minVersion: version, maxVersion: version }
    const { origin, edge } = await site(t, good, { server, origin: { clientCertificate: await clientNamed('edge') } })
    for (const path of ['/a', '/b']) assert.equal((await edge.get(path)).status, 200)
    assert.deepEqual(
      origin.handshakes.map(({ client }) => client),
      ['edge'],
    )
  })

  test(`${version}: a client certificate that the origin does not trust is a 502 and a line for the operator`, async (t) => {
    const server = { requestCert: true, ca: (await TestAuthority.make('Another')).pem }
    const options = { minVersion: version, maxVersion: version, rejectUnauthorized: true, ...server }
    const { origin, edge } = await site(t, good, {
      server: options,
      origin: { clientCertificate: await clientNamed('edge') },
    })
    assert.equal((await edge.get('/a')).status, 502)
    assert.match(edge.problems.join('\n'), /: (tls|reset): /)
    assert.doesNotMatch(edge.problems.join('\n'), /PRIVATE KEY/)
    assert.equal(origin.asked.length, 0)
  })

  test(`${version}: sessions are resumed by later connections`, async (t) => {
    const server = { minVersion: version, maxVersion: version }
    const { origin, edge } = await site(t, good, { server, closes: true })
    for (let at = 0; at < 3; at++) {
      assert.equal((await edge.get(`/${at}`)).status, 200)
    }
    assert.deepEqual(
      origin.handshakes.map(({ resumed }) => resumed),
      [false, true, true],
    )
  })
}

async function clientNamed(subject: string, arn = `arn:aws:acm:us-east-1:123456789012:certificate/${subject}`) {
  const { key, cert } = await authority.issue({ names: ['client.test'], subject })
  return { arn, chain: cert, privateKey: key }
}

test('an origin that does not ask is shown nothing; a client certificate that is none is a 502 without a connection', async (t) => {
  const clientCertificate = await clientNamed('edge')
  const { origin, edge } = await site(t, good, { origin: { clientCertificate } })
  assert.equal((await edge.get('/a')).status, 200)
  assert.equal(origin.handshakes[0]?.client, '')
  const { privateKey } = await clientNamed('other')
  const broken = await site(t, good, { origin: { clientCertificate: { ...clientCertificate, privateKey } } })
  assert.equal((await broken.edge.get('/a')).status, 502)
  assert.match(broken.edge.problems.join('\n'), /: tls: .*key values mismatch.*certificate\/edge/)
  assert.equal(broken.origin.handshakes.length, 0)
})

test('two origins at one address with an identity each share no connection; another certificate takes over at once', async (t) => {
  const server = { requestCert: true, ca: authority.pem }
  const origin = await startTlsOrigin(good, server)
  t.after(() => origin.close())
  const toOrigin = { domainName: NAME, protocolPolicy: 'https-only' as const, httpsPort: origin.port }
  const [first, second, renewed] = await Promise.all(['first', 'second', 'renewed'].map((name) => clientNamed(name)))
  const document = (certificates: readonly (typeof first)[]) =>
    distributionDoc(1, {
      origins: certificates.map((clientCertificate, at) =>
        originDoc(1, { ...toOrigin, id: `${at}`, ...(clientCertificate === undefined ? {} : { clientCertificate }) }),
      ),
      behaviors: ['/a/*', '/b/*', '*'].map((pathPattern, at) => behaviorDoc({ pathPattern, originId: `${at}` })),
    })
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-origin-ca-'))
  t.after(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'ca.pem'), authority.pem)
  const edge = await EdgeScenario.start(t, [document([first, second, undefined])], {
    originAuthorities: [join(directory, 'ca.pem')],
    lookup: async () => ['127.0.0.1'],
  })
  for (const path of ['/a/1', '/b/1', '/a/2', '/b/2']) assert.equal((await edge.get(path)).status, 200, path)
  assert.equal((await edge.get('/none')).status, 502, 'the identity of others is not its own')
  const clients = () => origin.handshakes.map(({ client }) => client)
  assert.deepEqual(clients().slice(0, 2), ['first', 'second'])
  await edge.feed.put(document([renewed, second, undefined]))
  for (const path of ['/a/3', '/b/3']) assert.equal((await edge.get(path)).status, 200, path)
  assert.deepEqual(
    clients().filter((name) => name !== ''),
    ['first', 'second', 'renewed'],
  )
})

test('a server that speaks no TLS, and one that closes within the handshake, are 502', async (t) => {
  const plain = await startOrigin((_asked, response) => response.end('plain'))
  t.after(() => plain.close())
  const { edge } = await site(t, good, { origin: { httpsPort: plain.port } })
  assert.equal((await edge.get('/a')).status, 502)
  assert.match(edge.problems.join('\n'), /: tls: /)
})

test('a handshake that takes too long is a timeout of the connection', async (t) => {
  const { createServer } = await import('node:net')
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  const { edge } = await site(t, good, { origin: { httpsPort: port, connectionTimeoutMs: 100 } })
  assert.equal((await edge.get('/a')).status, 504)
  assert.match(edge.problems.join('\n'), /: connect-timeout: /)
})
