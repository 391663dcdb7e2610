//! Mutual TLS of viewers at a real edge (spec/cloudfront.md 6.3, 15): who gets in with which certificate, what origins and
//! cache keys are told of it, and that no way leads around it: resumed sessions, other Hosts on a connection, staging
//! distributions, other distributions as viewers, changes while a connection lasts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import type { DistributionDoc, ViewerMtlsDoc } from '../../../src/domain/distribution.ts'
import { ClientAuthority, type ClientCertificate, selfSignedClient } from '../../support/client-certificates.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  NONE,
  originDoc,
} from '../../support/edge-scenario.ts'

const TOLD = [
  ...['Present', 'Serial-Number', 'Issuer', 'Subject', 'Sha256', 'Validity', 'Pem'].map(
    (part) => `cloudfront-viewer-cert-${part.toLowerCase()}`,
  ),
  'client-cert',
  'client-cert-chain',
]
const hostOf = (name: string): string => `${name}.cloudfront.localhost`

interface Answered {
  readonly status: number
  readonly body: string
  readonly xCache: string
}
type Visit = Answered | 'refused'

describe('mutual TLS of viewers', () => {
  let origin: TestOrigin
  let edge: EdgeScenario
  let trust: string
  let root: ClientAuthority
  let other: ClientAuthority
  let good: ClientCertificate
  let foreign: ClientCertificate
  let expired: ClientCertificate
  const cleanups: (() => Promise<unknown>)[] = []

  /** A distribution by the name of its host; its origin gets all that there is to tell, its key has the subject. */
  function distribution(
    name: string,
    mtls: ViewerMtlsDoc | null,
    changes: Partial<DistributionDoc> = {},
  ): DistributionDoc {
    return distributionDoc(origin.port, {
      id: `E${name.toUpperCase().padEnd(13, '0')}`,
      domainName: hostOf(name),
      origins: [originDoc(origin.port, { path: `/${name}` })],
      behaviors: [
        behaviorDoc({
          viewerProtocolPolicy: 'https-only',
          cachePolicy: cachePolicy({ headers: { behavior: 'whitelist', names: ['cloudfront-viewer-cert-subject'] } }),
          originRequestPolicy: {
            ...{ id: 'orp', cookies: NONE, queryStrings: NONE },
            headers: { behavior: 'whitelist', names: TOLD },
          },
        }),
      ],
      ...(mtls === null ? {} : { viewerMtls: mtls }),
      ...changes,
    })
  }
  const trusting = (changes: Partial<NonNullable<ViewerMtlsDoc['trust']>> = {}) => ({
    trustStoreId: 'ts_1',
    authorities: [root.pem],
    advertiseNames: false,
    ignoreExpiry: false,
    ...changes,
  })

  before(async () => {
    origin = await startOrigin((asked, response) => response.end(asked.url))
    root = await ClientAuthority.root()
    other = await ClientAuthority.root({ name: 'CN=Other root' })
    const between = await root.intermediate()
    good = await between.issue({ name: 'CN=Jürgen\\, viewer,OU=Deep+OU=Wide,O=Test', serialNumber: '4a3f5c92d1e87b6c' })
    foreign = await other.issue()
    expired = await root.issue({ from: -9, to: -1 })
    const t = { after: (fn: () => Promise<unknown>) => void cleanups.push(fn) }
    edge = await EdgeScenario.start(t as never, [
      distribution('required', { mode: 'required', trust: trusting() }),
      distribution('advertised', { mode: 'required', trust: trusting({ advertiseNames: true }) }),
      distribution('optional', { mode: 'optional', trust: trusting() }),
      distribution('lenient', { mode: 'required', trust: trusting({ ignoreExpiry: true }) }),
      distribution('passthrough', { mode: 'passthrough', trust: null }),
      distribution('plain', null),
    ])
    trust = await edge.trust()
  })
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
    await origin.close()
  })

  const open = async (name: string, certificate: ClientCertificate | null, options: ConnectionOptions = {}) => {
    const identity = certificate === null ? {} : { key: certificate.key, cert: certificate.cert }
    const socket = connect({
      ...{ host: '127.0.0.1', port: edge.httpsPort(), servername: hostOf(name), ca: trust, ...identity },
      ...options,
    })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    return socket
  }
  /** One request on a connection; `refused` when it ends without an answer. */
  const ask = (socket: TLSSocket, name: string, path: string, extra = ''): Promise<Visit> =>
    new Promise((resolve) => {
      let got = ''
      const done = (): void => {
        const [head = '', body = ''] = got.split('\r\n\r\n')
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0)
        resolve(status === 0 ? 'refused' : { status, body, xCache: /X-Cache: (\w+)/.exec(head)?.[1] ?? '' })
      }
      socket.on('data', (bytes: Buffer) => {
        got += bytes.toString('latin1')
        const length = /content-length: (\d+)/i.exec(got)?.[1]
        if (length !== undefined && (got.split('\r\n\r\n')[1]?.length ?? 0) >= Number(length)) {
          socket.removeAllListeners('data')
          socket.off('close', done)
          done()
        }
      })
      socket.once('close', done)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostOf(name)}\r\n${extra}\r\n`)
    })
  const visit = async (
    name: string,
    certificate: ClientCertificate | null,
    path = '/x',
    options: ConnectionOptions = {},
  ) => {
    try {
      const socket = await open(name, certificate, options)
      const answer = await ask(socket, name, path)
      socket.destroy()
      return answer
    } catch {
      return 'refused' as const
    }
  }
  const statusOf = (answer: Visit): number | 'refused' => (answer === 'refused' ? answer : answer.status)
  const told = (url: string) => {
    const headers =
      origin.asked.findLast((asked) => asked.url === url)?.headers ?? assert.fail(`${url} was not asked for`)
    return Object.fromEntries(TOLD.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])))
  }

  test('who gets in, over TLS 1.2 and 1.3', async () => {
    const own = await selfSignedClient()
    const server = await root.issue({ usages: ['1.3.6.1.5.5.7.3.1'] })
    const rows: readonly (readonly [string, ClientCertificate | null, 200 | 'refused'])[] = [
      ['required', good, 200], ['required', null, 'refused'], ['required', foreign, 'refused'], ['required', expired, 'refused'],
      ['required', own, 'refused'], ['required', server, 'refused'],
      ['advertised', good, 200], ['advertised', null, 'refused'], ['advertised', foreign, 'refused'],
      ['optional', good, 200], ['optional', null, 200], ['optional', foreign, 'refused'], ['optional', expired, 'refused'],
      ['lenient', good, 200], ['lenient', expired, 200], ['lenient', null, 'refused'], ['lenient', await other.issue({ from: -9, to: -1 }), 'refused'],
      ['passthrough', good, 200], ['passthrough', null, 200], ['passthrough', foreign, 200], ['passthrough', expired, 200],
      ['plain', good, 200], ['plain', null, 200],
    ] // biome-ignore format: a table
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const [at, [name, certificate, outcome]] of rows.entries()) {
        assert.equal(
          statusOf(await visit(name, certificate, '/x', { maxVersion })),
          outcome,
          `${name}, row ${at}, ${maxVersion}`,
        )
      }
    }
    const answer = await edge.feed.ask({ kind: 'counters' })
    const counted = answer.kind === 'counters' ? Object.entries(answer.counters) : []
    const refused = counted.find(([name]) => name === 'droppedClientCertificate')?.[1] ?? 0
    const expected = 2 * rows.filter(([, , outcome]) => outcome === 'refused').length
    assert.ok(refused >= expected, `${refused} were counted, of at least ${expected}`)
  })

  test('the names of the authorities are told where that is wished, and not elsewhere', async () => {
    const namesFor = async (name: string) => {
      const at = `127.0.0.1:${edge.httpsPort()}`
      const run = promisify(execFile)('openssl', ['s_client', '-connect', at, '-servername', hostOf(name)], {})
      run.child.stdin?.end()
      const { stdout } = await run.catch((error) => error as { stdout: string })
      return /Acceptable client certificate CA names\n(.*)\n/.exec(stdout)?.[1] ?? 'none'
    }
    assert.match(await namesFor('advertised'), /CN ?= ?Viewers root/)
    assert.equal(await namesFor('required'), 'none')
    assert.equal(await namesFor('plain'), 'none')
  })

  test('curl and HTTP/2 get in with a certificate, and not without', async () => {
    const file = async (name: string, text: string): Promise<string> => {
      const path = join(edge.directory, name)
      await writeFile(path, text)
      return path
    }
    const [cert, key, ca] = await Promise.all([
      file('c.pem', good.cert),
      file('c.key', good.key),
      file('ca.pem', trust),
    ])
    const curl = (...more: string[]) =>
      promisify(execFile)('curl', [
        ...['-s', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', '--cacert', ca, ...more],
        ...['--resolve', `${hostOf('required')}:${edge.httpsPort()}:127.0.0.1`],
        `https://${hostOf('required')}:${edge.httpsPort()}/curl`,
      ]).then(
        ({ stdout }) => stdout,
        (error: { code: number }) => `exit ${error.code}`,
      )
    assert.equal(await curl('--http1.1', '--cert', cert, '--key', key), '200 1.1')
    assert.match(await curl('--http1.1'), /^exit (35|52|56)$/)
    const session = connectHttp2(`https://${hostOf('required')}:${edge.httpsPort()}`, {
      ...{ host: '127.0.0.1', ca: trust, key: good.key, cert: good.cert, servername: hostOf('required') },
      ALPNProtocols: ['h2'],
      lookup: undefined,
    } as never)
    const [headers] = await once(session.request({ ':path': '/h2' }), 'response').catch((error: Error) => [error])
    session.destroy()
    assert.equal((headers as { ':status'?: number })[':status'], 200)
    const without = connectHttp2(`https://${hostOf('required')}:${edge.httpsPort()}`, {
      ...{ host: '127.0.0.1', ca: trust, servername: hostOf('required') },
    } as never)
    without.on('error', () => {})
    await once(without, 'close')
  })

  test('what the origin is told of a verified certificate, and of none', async () => {
    const forged =
      'Client-Cert: :eA==:\r\nCloudFront-Viewer-Cert-Subject: CN=forged\r\nCloudFront-Viewer-Cert-Present: 1\r\n'
    const socket = await open('optional', good)
    await ask(socket, 'optional', '/told', forged)
    socket.destroy()
    const leaf = new X509Certificate(good.leaf)
    const date = (text: Date) => text.toISOString().replace('.000Z', 'Z')
    assert.deepEqual(told('/optional/told'), {
      'cloudfront-viewer-cert-present': '1',
      'cloudfront-viewer-cert-serial-number': '4a:3f:5c:92:d1:e8:7b:6c',
      'cloudfront-viewer-cert-issuer': 'CN=Viewers intermediate',
      'cloudfront-viewer-cert-subject': subjectByOpenssl(await opensslSubject(good.leaf)),
      'cloudfront-viewer-cert-sha256': createHash('sha256').update(leaf.raw).digest('hex'),
      'cloudfront-viewer-cert-validity': `NotBefore=${date(leaf.validFromDate)};NotAfter=${date(leaf.validToDate)}`,
      'cloudfront-viewer-cert-pem': encodeURIComponent(leaf.toString()),
    })
    const bare = await open('optional', null)
    await ask(bare, 'optional', '/bare', forged)
    bare.destroy()
    assert.deepEqual(told('/optional/bare'), { 'cloudfront-viewer-cert-present': '0' })
    const plain = await open('plain', good)
    await ask(plain, 'plain', '/forged', forged)
    plain.destroy()
    assert.deepEqual(told('/plain/forged'), {})
  })

  test('in passthrough mode the origin has the certificate and what came behind it, and nothing is cached', async () => {
    const binary = (pem: string) => `:${new X509Certificate(pem).raw.toString('base64')}:`
    const chain = good.cert.slice(good.leaf.length)
    for (const at of [1, 2]) {
      const answer = await visit('passthrough', good, '/each')
      assert.equal(answer === 'refused' ? answer : answer.xCache, 'Miss')
      assert.equal(origin.count('/passthrough/each'), at)
    }
    const { 'client-cert': cert, 'client-cert-chain': behind, ...rest } = told('/passthrough/each')
    assert.equal(cert, binary(good.leaf))
    assert.equal(behind, binary(chain))
    assert.equal(rest['cloudfront-viewer-cert-pem'], undefined)
    assert.equal(rest['cloudfront-viewer-cert-present'], '1')
    await visit('passthrough', foreign, '/each')
    assert.equal(told('/passthrough/each')['client-cert'], binary(foreign.leaf))
    assert.equal(told('/passthrough/each')['client-cert-chain'], undefined)
  })

  test('a hit is for whoever has a certificate, and one for each subject', async () => {
    const second = await root.issue({ name: 'CN=second' })
    const xCacheOf = (answer: Visit) => (answer === 'refused' ? answer : answer.xCache)
    assert.equal(xCacheOf(await visit('required', good, '/kept')), 'Miss')
    const socket = await open('required', good)
    for (let at = 0; at < 3; at++) assert.equal(xCacheOf(await ask(socket, 'required', '/kept')), 'Hit')
    socket.destroy()
    assert.equal(xCacheOf(await visit('required', null, '/kept')), 'refused')
    assert.equal(xCacheOf(await visit('required', second, '/kept')), 'Miss')
    assert.equal(xCacheOf(await visit('required', second, '/kept')), 'Hit')
    // Plain HTTP never has it.
    assert.equal((await edge.get('/kept', { host: hostOf('required') })).status, 403)
  })

  test('a resumed session is that of the viewer who began it; of one who was refused there is none', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const sessions: Buffer[] = []
      const first = await open('passthrough', good, { maxVersion })
      first.on('session', (session: Buffer) => sessions.push(session))
      await ask(first, 'passthrough', '/first')
      sessions.push(first.getSession() ?? assert.fail('no session'))
      first.destroy()
      const session = sessions[0] as Buffer
      // Without the certificate at hand: the session has it.
      const again = await open('passthrough', null, { maxVersion, session })
      assert.equal(again.isSessionReused(), true)
      await ask(again, 'passthrough', `/again-${maxVersion}`)
      again.destroy()
      const { 'cloudfront-viewer-cert-present': _, ...identity } = told('/passthrough/first')
      assert.deepEqual(told(`/passthrough/again-${maxVersion}`), { ...identity, 'cloudfront-viewer-cert-present': '1' })
      // A session with one distribution is none with another.
      const elsewhere = await visit('required', null, '/x', { maxVersion, session })
      assert.equal(elsewhere, 'refused')
      const stolen: Buffer[] = []
      const bad = connect({
        host: '127.0.0.1',
        port: edge.httpsPort(),
        servername: hostOf('required'),
        ca: trust,
        key: foreign.key,
        cert: foreign.cert,
        maxVersion,
      })
      bad.on('error', () => {})
      bad.on('session', (one: Buffer) => stolen.push(one))
      await new Promise((resolve) => bad.once('close', resolve))
      for (const one of stolen)
        assert.equal(await visit('required', null, '/kept', { maxVersion, session: one }), 'refused')
    }
  })

  test('a connection serves no other distribution’s Host without its certificate', async () => {
    const rows: readonly (readonly [string, ClientCertificate | null, string, number])[] = [
      ['plain', null, 'required', 421],
      ['plain', good, 'required', 421],
      ['optional', null, 'required', 421],
      ['optional', good, 'required', 421],
      ['passthrough', foreign, 'required', 421],
      ['required', good, 'plain', 421],
    ]
    for (const [name, certificate, host, status] of rows) {
      const socket = await open(name, certificate)
      assert.equal(statusOf(await ask(socket, host, '/kept')), status, `${name} for ${host}`)
      socket.destroy()
    }
    // By address, without a name: the default certificate, and nobody is asked for one.
    const nameless = connect({ host: '127.0.0.1', port: edge.httpsPort(), ca: trust })
    nameless.on('error', () => {})
    await once(nameless, 'secureConnect')
    assert.equal(statusOf(await ask(nameless, 'required', '/kept')), 421)
    nameless.destroy()
  })

  test('a changed trust store holds for sessions and connections of before', async () => {
    const mtls = (authorities: readonly string[]): ViewerMtlsDoc => ({
      mode: 'required',
      trust: trusting({ authorities }),
    })
    await edge.feed.put(distribution('changing', mtls([root.pem])))
    const sessions: Buffer[] = []
    const socket = await open('changing', good)
    socket.on('session', (session: Buffer) => sessions.push(session))
    assert.equal(statusOf(await ask(socket, 'changing', '/x')), 200)
    await edge.feed.put(distribution('changing', mtls([root.pem, other.pem])))
    assert.equal(statusOf(await ask(socket, 'changing', '/x')), 200, 'its certificate is still trusted')
    assert.equal(statusOf(await visit('changing', foreign)), 200)
    await edge.feed.put(distribution('changing', mtls([other.pem])))
    assert.equal(statusOf(await ask(socket, 'changing', '/x')), 421)
    assert.ok(sessions.length > 0)
    for (const session of sessions) assert.equal(await visit('changing', null, '/x', { session }), 'refused')
    assert.equal(await visit('changing', good), 'refused')
    assert.equal(statusOf(await visit('changing', foreign)), 200)
    // From no certificates to some, and back.
    await edge.feed.put(distribution('changing', null))
    const open2 = await open('changing', null)
    assert.equal(statusOf(await ask(open2, 'changing', '/x')), 200)
    await edge.feed.put(distribution('changing', mtls([root.pem])))
    assert.equal(statusOf(await ask(open2, 'changing', '/x')), 421)
    socket.destroy()
    open2.destroy()
  })

  test('a staging distribution has only viewers whose certificates it would take', async () => {
    const traffic = { kind: 'header', header: 'aws-cf-cd-test', value: 'yes' } as const
    const primary = (name: string, mtls: ViewerMtlsDoc | null) =>
      distribution(name, mtls, { continuousDeployment: { policyId: 'p', stagingId: 'ESTAGED0000000', traffic } })
    await edge.feed.put(distribution('staged', { mode: 'required', trust: trusting() }, { staging: true }))
    await edge.feed.put(primary('open', null))
    await edge.feed.put(primary('closed', { mode: 'required', trust: trusting() }))
    await edge.feed.put(primary('elsewhere', { mode: 'required', trust: trusting({ authorities: [other.pem] }) }))
    const served = async (name: string, certificate: ClientCertificate | null) => {
      const socket = await open(name, certificate)
      const answer = await ask(socket, name, `/${name}`, 'aws-cf-cd-test: yes\r\n')
      socket.destroy()
      return answer === 'refused' ? answer : answer.body
    }
    assert.equal(await served('open', null), '/open/open')
    assert.equal(await served('open', good), '/open/open')
    assert.equal(await served('closed', good), '/staged/closed')
    assert.equal(await served('elsewhere', foreign), '/elsewhere/elsewhere')
  })

  test('a distribution that has it as an origin gets nothing: it has no certificate', async () => {
    const named = originDoc(443, { domainName: hostOf('required'), protocolPolicy: 'https-only' })
    await edge.feed.put(distribution('before', null, { origins: [named] }))
    assert.equal(statusOf(await visit('before', null, '/kept')), 403)
  })
})

/** As `openssl x509 -nameopt RFC2253` writes it. */
async function opensslSubject(pem: string): Promise<string> {
  const run = promisify(execFile)('openssl', ['x509', '-noout', '-subject', '-nameopt', 'RFC2253'])
  run.child.stdin?.end(pem)
  return (await run).stdout
}

const subjectByOpenssl = (line: string): string => line.trim().replace(/^subject=/, '')
