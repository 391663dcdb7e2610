//! Sessions over TLS: resumed by any worker and after a restart, under the same certificate and terms only, for one more
//! period after their key was replaced; no 0-RTT.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { ViewerCertificateDoc } from '../../../src/domain/distribution.ts'
import { listenViewers } from '../../../src/edge/listen/listener.ts'
import type { TicketKeys } from '../../../src/edge/listen/tls/ticket-keys.ts'
import type { ViewerTls } from '../../../src/edge/listen/viewer.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST, NONE } from '../../support/edge-scenario.ts'
import { acceptorOf } from '../../support/tls-acceptor.ts'
import { ask, secured, sessionOf } from '../../support/tls-viewer.ts'

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
const speaking = (version: (typeof VERSIONS)[number]) => ({ minVersion: version, maxVersion: version })

/** The session that a viewer leaves with: of TLS 1.3 the last ticket that came with the answer. */
async function leave(socket: TLSSocket, host: string): Promise<Buffer> {
  await ask(socket, host)
  socket.destroy()
  return sessionOf(socket)
}

test('a session is resumed by another worker and after a restart, by OpenSSL and by Node', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.headers['cloudfront-viewer-tls']))
  t.after(() => origin.close())
  const behaviors = [
    behaviorDoc({
      cachePolicy: cachePolicy({ maxTtl: 0, defaultTtl: 0 }),
      originRequestPolicy: {
        ...{ id: 'orp', cookies: NONE, queryStrings: NONE },
        headers: { behavior: 'whitelist', names: ['cloudfront-viewer-tls'] },
      },
    }),
  ]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], { count: 2 })
  const ca = await edge.trust()
  const visit = async (worker: number, version: (typeof VERSIONS)[number], session?: Buffer) => {
    const options: ConnectionOptions = { ca, servername: HOST, ...speaking(version), ...(session ? { session } : {}) }
    const socket = await secured(edge.httpsPort(worker), options)
    const answer = await ask(socket, HOST, `/${Math.random()}`)
    socket.destroy()
    return { told: answer.split(':').at(-1), session: sessionOf(socket) }
  }
  const sessions = new Map<string, Buffer>()
  for (const version of VERSIONS) {
    const first = await visit(0, version)
    const second = await visit(1, version, first.session)
    const third = await visit(0, version, second.session)
    assert.deepEqual([first.told, second.told, third.told], ['fullHandshake', 'sessionResumed', 'sessionResumed'])
    sessions.set(version, third.session)
    const file = join(edge.directory, version)
    const [made, resumed] = [
      await openssl(edge.httpsPort(0), version, ['-sess_out', file]),
      await openssl(edge.httpsPort(1), version, ['-sess_in', file]),
    ]
    assert.match(made, /^New, /m)
    assert.match(made, /:fullHandshake/)
    assert.match(resumed, /^Reused, /m)
    assert.match(resumed, /:sessionResumed/)
    // No 0-RTT (RFC 8446 8): what arrives with it could be sent again by whoever saw it.
    if (version === 'TLSv1.3') assert.doesNotMatch(made + resumed, /Max Early Data: [1-9]/)
  }
  await edge.pause()
  await edge.resume(2)
  for (const version of VERSIONS) {
    assert.equal((await visit(1, version, sessions.get(version)!)).told, 'sessionResumed', version)
  }
  const directory = join(edge.tlsDirectory, 'tickets')
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  const files = await readdir(directory)
  assert.ok(files.length >= 1 && files.length <= 2, files.join())
  for (const file of files) assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600)
})

function openssl(port: number, version: string, more: readonly string[]): Promise<string> {
  const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', HOST, flag, '-ign_eof', ...more]
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, (error, out) => (error === null ? resolve(out) : reject(error)))
    child.stdin?.end(`GET /${port} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  })
}

test('a session is resumed under its own name, policy and certificate alone; a renewed certificate is the same one', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const authority = await TestAuthority.make()
  const names = ['*.one.test']
  const [one, renewed] = await Promise.all([authority.issue({ names }), authority.issue({ names })])
  const viewer = (arn: string, { key, cert }: typeof one, securityPolicy = 'TLSv1.2_2021'): ViewerCertificateDoc => ({
    certificates: [{ arn, chain: cert, privateKey: key }],
    ...{ sslSupportMethod: 'sni-only', securityPolicy },
  })
  const site = (viewerCertificate: ViewerCertificateDoc) =>
    distributionDoc(origin.port, { aliases: ['a.one.test', 'b.one.test'], viewerCertificate })
  const edge = await EdgeScenario.start(t, [site(viewer('arn:one', one))])
  const dial = (version: (typeof VERSIONS)[number], servername: string, session?: Buffer) =>
    secured(edge.httpsPort(), {
      ...{ rejectUnauthorized: false, servername, ...speaking(version) },
      ...(session ? { session } : {}),
    })
  const rows = [
    // OpenSSL keeps sessions of names apart, whatever is shared otherwise (RFC 6066 3).
    ['another name', 'b.one.test', viewer('arn:one', one), false],
    ['the certificate renewed', 'a.one.test', viewer('arn:one', renewed), true],
    ['another policy', 'a.one.test', viewer('arn:one', one, 'TLSv1.2_2019'), false],
    ['another certificate', 'a.one.test', viewer('arn:other', one), false],
    ['as before', 'a.one.test', viewer('arn:one', one), true],
  ] as const
  const sessions = new Map<string, Buffer>()
  for (const version of VERSIONS) sessions.set(version, await leave(await dial(version, 'a.one.test'), 'a.one.test'))
  for (const [what, servername, viewerCertificate, isResumed] of rows) {
    await edge.feed.put(site(viewerCertificate))
    for (const version of VERSIONS) {
      const again = await dial(version, servername, sessions.get(version)!)
      assert.equal(again.isSessionReused(), isResumed, `${version}, ${what}`)
      again.destroy()
    }
  }
})

async function listening(t: TestContext, ticketKeys: () => TicketKeys) {
  const { key, cert } = await (await TestAuthority.make()).issue({ names: ['localhost'] })
  const seen: ViewerTls[] = []
  const listener = await listenViewers({
    addresses: [
      {
        host: '127.0.0.1',
        port: 0,
        pop: 0,
        tls: acceptorOf({ key, certificate: cert }, { ticketKeys, policy: 'TLSv1' }),
      },
    ],
    reusePort: false,
    clock: systemClock,
    handler: ({ connection }, reply) => {
      seen.push(connection.tls!)
      reply.whole('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', null, null)
    },
    refuse: () => assert.fail(),
  })
  t.after(() => listener.close())
  const dial = (options: ConnectionOptions) =>
    secured(listener.addresses[0]!.port, { servername: 'localhost', rejectUnauthorized: false, ...options })
  return { dial, seen }
}

test('a key that was replaced opens its tickets for one more period', async (t) => {
  const [first, second, third] = [randomBytes(48), randomBytes(48), randomBytes(48)]
  let keys: TicketKeys = { current: first, previous: null }
  const { dial, seen } = await listening(t, () => keys)
  const begin = async (version: (typeof VERSIONS)[number]) => leave(await dial(speaking(version)), 'localhost')
  const resumes = async (version: (typeof VERSIONS)[number], session: Buffer) => {
    const socket = await dial({ ...speaking(version), session })
    const isReused = socket.isSessionReused()
    await ask(socket, 'localhost')
    socket.destroy()
    return isReused
  }
  for (const version of VERSIONS) {
    keys = { current: first, previous: null }
    const old = await begin(version)
    keys = { current: second, previous: first }
    // Viewers of both periods at the same time.
    const outcomes = await Promise.all([resumes(version, old), begin(version), resumes(version, old), begin(version)])
    const [newer, newest] = [outcomes[1], outcomes[3]]
    assert.deepEqual([outcomes[0], outcomes[2], await resumes(version, newer)], [true, true, true], version)
    keys = { current: third, previous: second }
    assert.deepEqual([await resumes(version, old), await resumes(version, newest)], [false, true], version)
  }
  assert.ok(seen.every(({ serverName }) => serverName === 'localhost'))
  assert.deepEqual(
    seen
      .slice(0, 5)
      .map(({ resumed }) => resumed)
      .sort(),
    [false, false, false, true, true],
  )
})

test('a session has forward secrecy where the first handshake had: TLS 1.3 always exchanges keys anew', async (t) => {
  const keys = { current: randomBytes(48), previous: null }
  const { dial } = await listening(t, () => keys)
  const session = await leave(await dial(speaking('TLSv1.3')), 'localhost')
  const again = await dial({ ...speaking('TLSv1.3'), session })
  assert.equal(again.isSessionReused(), true)
  // psk_dhe_ke (RFC 8446 4.2.9): without a key exchange there would be none.
  assert.match(JSON.stringify(again.getEphemeralKeyInfo()), /X25519|ECDH|P-256/)
  again.destroy()
})

test('a directory that cannot hold keys is said, and viewers are served', async (t) => {
  const edge = await EdgeScenario.start(t, [distributionDoc(1)], { count: 0 })
  await mkdir(join(edge.tlsDirectory), { mode: 0o700 })
  // Where the directory should be is a file: of the snapshot, say.
  await writeFile(join(edge.tlsDirectory, 'tickets'), '')
  await edge.addWorker('worker-0')
  assert.match(edge.problems.join(), /sessions of HTTPS are not resumed by other workers: .*tickets is not a directory/)
  const socket = await secured(edge.httpsPort(), { ca: await edge.trust(), servername: HOST })
  socket.destroy()
})
