//! OCSP stapling, with OpenSSL's responder and OpenSSL's client at the ends: what control fetches and believes, what edges
//! staple, and that nobody waits for a responder.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as x509 from '@peculiar/x509'
import type { Task } from '../../../src/control/reconciler.ts'
import { ocspTask } from '../../../src/control/tasks/ocsp.ts'
import { type CertificateRecord, certificateArn } from '../../../src/domain/certificates.ts'
import type { DistributionRecord } from '../../../src/domain/records.ts'
import { addressGuard } from '../../../src/edge/origin/guard.ts'
import { checkMaterial } from '../../../src/lib/ca/certificate-material.ts'
import { stapleDirectory } from '../../../src/lib/ca/staple-file.ts'
import { materialOf } from '../../../src/services/acm/import-certificate.ts'
import { certificateProblem, certificateStatuses } from '../../../src/services/cachefront/certificates.ts'
import { openSqliteState } from '../../../src/state/sqlite.ts'
import type { State } from '../../../src/state/state.ts'
import { type ServerCertificate, TestAuthority, type Wanted } from '../../support/certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

const run = promisify(execFile)
const MINUTE_MS = 60_000
const HOST = 'www.stapled.test'
/** Responses of these tests are good for so long. */
const GOOD_MINUTES = '60'
/** 30 03 02 01 05: status_request (RFC 7633). */
const MUST_STAPLE = new x509.Extension('1.3.6.1.5.5.7.1.24', false, new Uint8Array([0x30, 3, 2, 1, 5]))
const SIGNER = new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.9'])

let home = ''
let authority: TestAuthority
let state: State
/** How far the wall clock of control and edges is ahead. Milliseconds. */
let aheadMs = 0
const clock = {
  now: () => Date.now(),
  wall: () => Date.now() + aheadMs,
  monotonic: () => performance.now(),
}
const told: string[] = []
const cleanups: (() => unknown)[] = []
after(async () => {
  for (const clean of cleanups.reverse()) await clean()
})

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'cachefront-ocsp-'))
  cleanups.push(() => rm(home, { recursive: true }))
  state = await openSqliteState(join(home, 'state.db'), clock)
  cleanups.push(() => state.close())
  authority = await TestAuthority.make()
  await writeFile(file('ca.pem'), authority.pem)
  await writeFile(file('ca.key'), await authority.key())
})

const file = (name: string): string => join(home, name)
const serialOf = ({ cert }: Pick<ServerCertificate, 'cert'>): string =>
  new x509.X509Certificate(cert).serialNumber.toUpperCase()

/** OpenSSL's list of what an authority has issued: `V` is valid, `R` revoked. */
const indexLine = (serial: string, status: 'V' | 'R' = 'V'): string =>
  `${status}\t350101000000Z\t${status === 'R' ? '260101000000Z' : ''}\t${serial}\tunknown\t/CN=${serial}\n`

const arnOf = (digit: number): string => certificateArn('123456789012', `00000000-0000-4000-8000-00000000000${digit}`)

/** As ImportCertificate leaves it. */
function recordOf(digit: number, { cert, key }: ServerCertificate): CertificateRecord {
  const checked = checkMaterial(
    { certificate: cert, privateKey: key, chain: authority.pem },
    { now: clock.now(), wall: clock.wall() },
  )
  const { names, keyAlgorithm } = checked.facts
  return {
    ...{ arn: arnOf(digit), type: 'IMPORTED', status: 'ISSUED', domainName: names[0] ?? '', names, keyAlgorithm },
    ...{ createdAt: new Date().toISOString(), material: materialOf(checked) },
  }
}

/** These certificates are in the state, and the first distribution shows the first ones of them. */
async function putCertificates(records: readonly CertificateRecord[], shown: readonly string[]): Promise<void> {
  await state.transact(async (tx) => {
    for (const { id } of await tx.list('certificate')) await tx.delete('certificate', id)
    for (const record of records) await tx.put('certificate', record.arn, record)
    const arn = 'arn:aws:cloudfront::123456789012:distribution/E1'
    const config = { ViewerCertificate: { ACMCertificateArn: shown[0] } }
    await tx.put('distribution', 'E1', { id: 'E1', arn, config } as unknown as DistributionRecord)
    await tx.put('tags', arn, { tags: shown[1] ? { 'cachefront:second-certificate-arn': shown[1] } : {} } as never)
  })
}

const stapling = async (digit: number) => (await state.get('certificate', arnOf(digit)))?.doc.stapling

function taskIn(directory: string, own: readonly string[] = []): Task {
  const ending = new AbortController()
  cleanups.push(() => ending.abort())
  return ocspTask({
    ...{ state, clock, directory: stapleDirectory(directory), guard: addressGuard(own, []) },
    ...{ signal: ending.signal, problem: (message: string) => told.push(message) },
  }).task
}

/** OpenSSL's own responder. */
async function opensslResponder(index: string): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const args = ['ocsp', '-port', '0', '-index', index, '-CA', file('ca.pem'), '-rsigner', file('ca.pem')]
  const child: ChildProcess = spawn('openssl', [...args, '-rkey', file('ca.key'), '-nmin', GOOD_MINUTES])
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  cleanups.push(stop)
  child.stderr?.resume()
  for await (const line of createInterface(child.stdout!)) {
    const port = /^ACCEPT .*:(\d+)/.exec(line)?.[1]
    if (port !== undefined) return { port: Number(port), stop }
  }
  throw new Error('openssl ocsp does not listen')
}

/** What `openssl s_client -status` has to say of the response, and the number of the certificate in it. */
async function visit(port: number, more: readonly string[] = []) {
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', HOST, '-status', '-CAfile', file('ca.pem')]
  const asked = run('openssl', [...args, '-verify_return_error', ...more])
  asked.child.stdin?.end()
  const { stdout } = await asked
  return {
    none: stdout.includes('OCSP response: no response sent'),
    isSuccessful: stdout.includes('OCSP Response Status: successful (0x0)'),
    status: /Cert Status: (\w+)/.exec(stdout)?.[1],
    serial: /Serial Number: ([0-9A-F]+)\n/.exec(stdout)?.[1],
  }
}
const NONE = { none: true, isSuccessful: false, status: undefined, serial: undefined }
const goodOf = (certificate: ServerCertificate) => ({
  ...{ none: false, isSuccessful: true, status: 'good', serial: serialOf(certificate) },
})

test('fetched, stapled with the certificate that it belongs to, kept while the responder is down, over at its end', async (t) => {
  // Chosen before, for OpenSSL reads its list once, and the certificates name its port.
  const [serial, rsaSerial] = ['1A0C5B', '1A0C5C'] as const
  await writeFile(file('index'), indexLine(serial) + indexLine(rsaSerial))
  const responder = await opensslResponder(file('index'))
  const wanted = { names: [HOST], ocsp: `http://127.0.0.1:${responder.port}/` }
  const [ec, rsa] = await Promise.all([
    authority.issue({ ...wanted, serial }),
    authority.issue({ ...wanted, rsa: true, serial: rsaSerial }),
  ])
  const records = [recordOf(1, ec), recordOf(2, rsa)]
  await putCertificates(records, [arnOf(1), arnOf(2)])
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const viewerCertificate = {
    certificates: records.map(({ arn, material }) => ({
      ...{ arn, chain: material?.served ?? '', privateKey: material?.privateKey ?? '' },
    })),
    ...({ sslSupportMethod: 'sni-only', securityPolicy: 'TLSv1.2_2021' } as const),
  }
  const site = distributionDoc(origin.port, { aliases: [HOST], viewerCertificate })
  const edge = await EdgeScenario.start(t, [site], { clock })
  const task = taskIn(edge.tlsDirectory)
  const look = (more: readonly string[] = []) => visit(edge.httpsPort(), more)
  const later = (ms: number): void => {
    aheadMs += ms
  }
  assert.deepEqual(await look(), NONE)

  await task.run()
  later(2_000)
  const RSA_ONLY = ['-sigalgs', 'rsa_pss_rsae_sha256']
  const TLS_1_2 = ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256']
  assert.deepEqual(await look(), goodOf(ec))
  assert.deepEqual(await look(RSA_ONLY), goodOf(rsa))
  assert.deepEqual(await look(TLS_1_2), goodOf(rsa))
  // With TLS 1.2 and ciphers for both only OpenSSL knows which it will be: nothing rather than the wrong one.
  assert.deepEqual(await look(['-tls1_2']), NONE)
  const directory = stapleDirectory(edge.tlsDirectory)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  const files = await readdir(directory)
  assert.equal(files.length, 2)
  for (const name of files) assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600)
  assert.deepEqual([(await stapling(1))?.status, (await stapling(1))?.problem], ['good', undefined])
  assert.equal((await task.run()).length, 0)

  // Asked again at half its life, and not before.
  const fetched = () =>
    Promise.all(
      files.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')).fetchedAt as string),
    )
  const first = await fetched()
  later(28 * MINUTE_MS)
  await task.run()
  assert.deepEqual(await fetched(), first)
  later(3 * MINUTE_MS)
  await task.run()
  const second = await fetched()
  assert.ok(second.every((at, n) => Date.parse(at) - Date.parse(first[n] ?? '') >= 31 * MINUTE_MS))

  await responder.stop()
  later(20 * MINUTE_MS)
  await task.run()
  const down = await stapling(1)
  assert.equal(down?.status, 'good')
  assert.match(down?.problem ?? '', /ECONNREFUSED/)
  assert.match(told.at(-1) ?? '', /stapled until it ends/)
  assert.deepEqual(await look(), goodOf(ec))
  // A worker that starts has it for its first viewer.
  await edge.pause()
  await edge.resume(1)
  assert.deepEqual(await look(), goodOf(ec))
  later(20 * MINUTE_MS)
  assert.deepEqual(await look(), NONE)
  await task.run()
  assert.equal((await stapling(1))?.status, 'none')

  // What no distribution shows any more is forgotten.
  await putCertificates(records, [])
  await task.run()
  assert.deepEqual([await readdir(directory), await stapling(1)], [[], undefined])
  assert.deepEqual(edge.problems, [])
})

/** A responder that answers what a row says; OpenSSL signs for it. */
class ScriptedResponder {
  readonly #server: Server
  asked = 0
  answer: (question: Buffer) => Promise<Answer> = () => Promise.reject(new Error('no row'))

  private constructor() {
    this.#server = createServer(async (request, response) => {
      this.asked++
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece as Buffer)
      const { status = 200, headers = {}, body } = await this.answer(Buffer.concat(pieces))
      response.writeHead(status, headers).end(body)
    })
  }

  static async start(): Promise<ScriptedResponder> {
    const responder = new ScriptedResponder()
    responder.#server.listen(0, '127.0.0.1')
    await once(responder.#server, 'listening')
    cleanups.push(() => responder.#server.close())
    return responder
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
}

interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer | string
}

interface Signing {
  /** Lines of the index. */
  readonly index: string
  /** Names of files, without their ends. */
  readonly signer?: string
  readonly more?: readonly string[]
}

async function signed(
  question: Buffer,
  { index, signer = 'ca', more = ['-nmin', GOOD_MINUTES] }: Signing,
): Promise<Buffer> {
  await Promise.all([writeFile(file('question'), question), writeFile(file('rows'), index)])
  const by = ['-rsigner', file(`${signer}.pem`), '-rkey', file(`${signer}.key`), '-CA', file('ca.pem')]
  await run('openssl', [
    'ocsp',
    '-index',
    file('rows'),
    ...by,
    '-reqin',
    file('question'),
    '-respout',
    file('out'),
    ...more,
  ])
  return readFile(file('out'))
}

test('what cannot be believed is not stapled, and the operator hears why', async () => {
  const responder = await ScriptedResponder.start()
  const wanted: Wanted = { names: [HOST], ocsp: `http://127.0.0.1:${responder.port}/ocsp`, more: [MUST_STAPLE] }
  const stranger = await TestAuthority.make()
  const [leaf, other, delegate, plain, foreign] = await Promise.all([
    authority.issue(wanted),
    authority.issue({ names: ['other.test'] }),
    authority.issue({ names: [], subject: 'Responder', more: [SIGNER] }),
    authority.issue({ names: [], subject: 'Anybody' }),
    stranger.issue({ names: [], subject: 'Responder', more: [SIGNER] }),
  ])
  const old = await authority.issue({ names: [], subject: 'Old responder', more: [SIGNER], from: -9, to: -1 })
  for (const [name, { cert, key }] of Object.entries({ delegate, plain, foreign, old })) {
    await Promise.all([writeFile(file(`${name}.pem`), cert), writeFile(file(`${name}.key`), key)])
  }
  // The same name as the issuer's, another key.
  await Promise.all([
    writeFile(file('stranger.pem'), stranger.pem),
    writeFile(file('stranger.key'), await stranger.key()),
  ])
  const valid = indexLine(serialOf(leaf))
  const sign =
    (signing: Partial<Signing> = {}) =>
    async (question: Buffer) => ({
      body: await signed(question, { index: valid, ...signing }),
    })
  const flipped = async (question: Buffer): Promise<Answer> => {
    const body = await signed(question, { index: valid, more: ['-nmin', GOOD_MINUTES, '-resp_no_certs'] })
    body[body.length - 5]! ^= 1
    return { body }
  }
  /** The answer to a question about another certificate. */
  const aboutAnother = async (question: Buffer): Promise<Answer> => {
    const turned = Buffer.from(
      question.toString('latin1').replace(latin1(serialOf(leaf)), latin1(serialOf(other))),
      'latin1',
    )
    return { body: await signed(turned, { index: valid + indexLine(serialOf(other)) }) }
  }
  const answering = (answer: Answer) => () => Promise.resolve(answer)
  const good = await sign()
  const rows: readonly (readonly [string, (question: Buffer) => Promise<Answer>, RegExp | 'good', number?])[] = [
    ['garbage', answering({ body: 'no response at all' }), /no OCSP response/],
    ['nothing', answering({ body: '' }), /no OCSP response/],
    ['nested without end', answering({ body: Buffer.alloc(60_000, 0x30) }), /no OCSP response/],
    ['too long', answering({ body: Buffer.alloc(65_537) }), /more than 65536 bytes/],
    [
      'a redirect',
      answering({ status: 302, headers: { location: `http://127.0.0.1:${responder.port}/` }, body: '' }),
      /answers 302/,
    ],
    ['an error', answering({ status: 500, body: '' }), /answers 500/],
    ['try later', answering({ body: Buffer.from([0x30, 3, 0x0a, 1, 3]) }), /tryLater/],
    ['signature wrong', flipped, /signature is wrong/],
    ['another certificate', aboutAnother, /another certificate/],
    [
      'the name of the issuer, another key',
      sign({ signer: 'stranger' }),
      /signature is wrong|may not speak|not the issuer/,
    ],
    ['a certificate of the issuer that is no responder', sign({ signer: 'plain' }), /may not speak/],
    ['a responder of somebody else', sign({ signer: 'foreign' }), /may not speak/],
    ['a responder that is over', sign({ signer: 'old' }), /expired/],
    ['over', sign({ more: ['-nmin', '1'] }), /it was good until/, 2 * MINUTE_MS],
    ['from the future', sign(), /it is good from/, -10 * MINUTE_MS],
    ['no end', sign({ more: [] }), /until when/],
    ['unknown', sign({ index: indexLine(serialOf(other)) }), /does not know/],
    ['revoked', sign({ index: indexLine(serialOf(leaf), 'R') }), /REVOKED/],
    ['good, by a delegated responder', sign({ signer: 'delegate' }), 'good'],
    ['good, by the hash of its key', sign({ more: ['-nmin', GOOD_MINUTES, '-resp_key_id'] }), 'good'],
    ['good', good, 'good'],
  ]
  const record = recordOf(3, leaf)
  for (const [title, answer, expected, ahead = 0] of rows) {
    aheadMs = ahead
    told.length = 0
    responder.answer = answer
    const before = responder.asked
    const tls = file(title.replaceAll(/\W/g, '-'))
    await putCertificates([record], [record.arn])
    await taskIn(tls).run()
    assert.equal(responder.asked, before + 1, title)
    const seen = await stapling(3)
    const kept = await readdir(stapleDirectory(tls)).catch(() => [])
    const [status] = await certificateStatuses(state, clock.now())
    const trouble = certificateProblem(status!)
    if (expected === 'good') {
      assert.deepEqual(
        [seen?.status, seen?.problem, kept.length, told, trouble],
        ['good', undefined, 1, [], null],
        title,
      )
    } else {
      assert.match(seen?.problem ?? '', expected, title)
      assert.equal(seen?.status, title === 'revoked' ? 'revoked' : 'none', title)
      assert.deepEqual(kept, [], title)
      assert.equal(told.length, 1, title)
      assert.match(told[0] ?? '', /www\.stapled\.test.*viewers refuse it$/, title)
      assert.match(trouble ?? '', /viewers refuse it$/, title)
    }
  }
  aheadMs = 0

  // What is good goes on when the next answer is nonsense, and not when it says that the certificate is revoked.
  const tls = file('good')
  const turn = async (answer: (question: Buffer) => Promise<Answer>) => {
    responder.answer = answer
    await taskIn(tls).run()
    return [(await stapling(3))?.status, (await readdir(stapleDirectory(tls))).length]
  }
  aheadMs = 31 * MINUTE_MS
  assert.deepEqual(await turn(answering({ body: 'nonsense' })), ['good', 1])
  assert.deepEqual(await turn(sign({ index: indexLine(serialOf(leaf), 'R') })), ['revoked', 0])
  aheadMs = 0

  // Its own listeners are nobody's responder, nor is the metadata service of a cloud.
  const asked = responder.asked
  await putCertificates([record], [record.arn])
  await taskIn(file('own'), [`127.0.0.1:${responder.port}`]).run()
  assert.match((await stapling(3))?.problem ?? '', /belongs to this installation/)
  assert.equal(responder.asked, asked)
  const metadata = recordOf(3, await authority.issue({ names: [HOST], ocsp: 'http://169.254.169.254/ocsp' }))
  await putCertificates([metadata], [metadata.arn])
  await taskIn(file('metadata')).run()
  assert.match((await stapling(3))?.problem ?? '', /metadata address/)
  // Without the feature in the certificate viewers go on, and health has nothing to say.
  const [status] = await certificateStatuses(state, clock.now())
  assert.equal(certificateProblem(status!), null)
})

const latin1 = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')
