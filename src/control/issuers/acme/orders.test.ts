//! Orders at a real pebble, without an edge: a server of the test answers what the desk says.
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Pebble } from '../../../../test/support/pebble.ts'
import { type ChallengeDoc, challengeId, httpChallengeId } from '../../../domain/challenge.ts'
import { Issuing } from '../../../lib/ca/issuing.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { CertificateOrder, IssueStep } from '../issuer.ts'
import { Account } from './account.ts'
import type { ChallengeDesk } from './desk.ts'
import { DnsHook } from './dns-hook.ts'
import { Orders, type OrdersParts } from './orders.ts'
import { AcmeServer } from './server.ts'

const CUSTOMER = { kid: 'kid-1', key: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' }

describe('orders at an ACME server', () => {
  let pebble: Pebble
  let home = ''
  let hookFile = ''
  const challenges = new Map<string, ChallengeDoc>()
  /** What is answered in place of the key authorization, by host. */
  const wrong = new Map<string, string>()
  const asked: string[] = []
  const web = createServer((request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    asked.push(host)
    const found = challenges.get(httpChallengeId(host, (request.url ?? '').split('/').at(-1) ?? ''))
    response.writeHead(found === undefined ? 404 : 200).end(wrong.get(host) ?? found?.content ?? '')
  })
  const desk: ChallengeDesk = {
    async set(_arn, wanted) {
      for (const [id] of challenges) if (!wanted.some((one) => challengeId(one) === id)) challenges.delete(id)
      for (const one of wanted) challenges.set(challengeId(one), one)
      return 1
    },
    isEverywhere: () => true,
  }
  const issuing = new Issuing()
  const problems: string[] = []
  const ends: (() => unknown)[] = []

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cachefront-orders-'))
    pebble = await Pebble.start({
      nonceReject: 20,
      blocked: ['blocked.example'],
      externalKeys: { [CUSTOMER.kid]: CUSTOMER.key },
    })
    const [host, port] = pebble.httpListen.split(':')
    await once(web.listen(Number(port), host), 'listening')
    hookFile = join(home, 'hook')
    await writeFile(
      hookFile,
      `#!/bin/sh
echo "$1 $2 $3" >> ${home}/hook.log
case $2 in *.slow.example) sleep 60;; *.broken.example) echo first >&2; echo "the zone is not ours" >&2; exit 3;; esac
case $1 in present) path=set-txt;; *) path=clear-txt;; esac
curl -sf -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ${pebble.mock}/$path
`,
    )
    await chmod(hookFile, 0o755)
  })
  after(async () => {
    for (const end of ends) await end()
    issuing.close()
    web.close()
    web.closeAllConnections()
    await pebble.close()
    await rm(home, { recursive: true, force: true })
  })

  /** As after a start of control: nothing is remembered but what is on disk and in the order's memory. */
  const start = (changes: Partial<OrdersParts> = {}, at = home, contacts = ['ops@example.com']): Orders => {
    const server = new AcmeServer({
      directory: pebble.directory,
      authorities: [pebble.authority],
      clock: systemClock,
      userAgent: 'cachefront/test',
    })
    ends.push(() => server.close())
    const account = new Account(server, {
      home: join(at, 'acme'),
      directory: pebble.directory,
      contacts,
      external: CUSTOMER,
    })
    const hook = new DnsHook({ program: hookFile, environment: process.env, timeoutMs: 1_000 })
    ends.push(() => hook.close())
    return new Orders({
      ...{ directory: pebble.directory, server, account, desk, hook, nameServer: null, clock: systemClock },
      random: () => 0,
      makeRequest: async (names, key) => {
        const made = await issuing.make({ kind: 'request', names, key }, Date.now())
        return { key: made.key, request: made.certificate }
      },
      problem: (message) => problems.push(message),
      ...changes,
    })
  }
  const order = (names: readonly string[], changes: Partial<CertificateOrder> = {}): CertificateOrder => ({
    ...{ arn: `arn:${names[0]}`, names, keyAlgorithm: 'EC_prime256v1', validationMethod: 'HTTP' },
    ...{ purpose: 'first', memory: undefined },
    ...changes,
  })
  /** Steps until it is over, or waits for longer than `longest` ms. The memory travels as it does through the state. */
  const run = async (
    wanted: CertificateOrder,
    orders: () => Orders,
    longest = 5_000,
  ): Promise<{ last: IssueStep; steps: IssueStep[] }> => {
    const steps: IssueStep[] = []
    let memory = wanted.memory
    for (;;) {
      const last = await orders().step({ ...wanted, memory })
      steps.push(last)
      if (last.kind !== 'waiting') return { last, steps }
      const ms = last.retryAt - Date.now()
      if (ms > longest) return { last, steps }
      memory = JSON.parse(JSON.stringify(last.memory))
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
  }
  const issued = (step: IssueStep): Extract<IssueStep, { kind: 'issued' }> => {
    assert.ok(step.kind === 'issued', JSON.stringify({ ...step, memory: undefined }))
    return step
  }

  it('issues over HTTP-01 for several names, with nonces that are refused and a customer account', async () => {
    const orders = start()
    const { last, steps } = await run(order(['one.example', 'two.example']), () => orders)
    const { certificate, chain, privateKey } = issued(last)
    const x509 = new X509Certificate(certificate)
    assert.equal(x509.subjectAltName, 'DNS:one.example, DNS:two.example')
    assert.ok(x509.checkPrivateKey(createPrivateKey(privateKey)))
    assert.ok(x509.checkIssued(new X509Certificate(chain)))
    assert.ok(new X509Certificate(chain).checkIssued(new X509Certificate(await pebble.root())))
    assert.ok(asked.includes('one.example') && asked.includes('two.example'))
    assert.equal(challenges.size, 0)
    const seen = steps.flatMap((step) => (step.kind === 'waiting' ? (step.validations ?? []) : []))
    assert.ok(seen.some(({ name, status }) => name === 'two.example' && status === 'PENDING_VALIDATION'))
    const [file = '', ...others] = await readdir(join(home, 'acme'))
    assert.deepEqual(others, [])
    assert.equal((await stat(join(home, 'acme', file))).mode & 0o777, 0o600)
    assert.match(pebble.log, /badNonce|invalid nonce|nonce/i)
  })

  it('goes on wherever control was killed, with one order, one key and one account', async () => {
    const { last, steps } = await run(order(['killed.example']), start)
    const { certificate } = issued(last)
    assert.equal(new X509Certificate(certificate).subjectAltName, 'DNS:killed.example')
    const urls = new Set(steps.flatMap((step) => (step.kind === 'waiting' ? (step.memory as { url: string }).url : [])))
    assert.equal(urls.size, 1)
    // The last step is lost as well: the same certificate comes again.
    const again = await start().step(
      order(['killed.example'], { memory: (steps.at(-2) as { memory: unknown }).memory }),
    )
    assert.equal(issued(again).certificate.trim(), certificate.trim())
  })

  it('issues wildcards by the DNS hook, and takes the records down', async () => {
    const orders = start()
    const names = ['*.wild.example', 'plain.example']
    const { last } = await run(order(names, { validationMethod: 'DNS', keyAlgorithm: 'RSA_2048' }), () => orders)
    const x509 = new X509Certificate(issued(last).certificate)
    assert.equal(x509.subjectAltName, 'DNS:*.wild.example, DNS:plain.example')
    assert.equal(x509.publicKey.asymmetricKeyType, 'rsa')
    const calls = async () =>
      (await readFile(join(home, 'hook.log'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
    for (let waited = 0; waited < 5_000 && (await calls()).length < 4; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const shape = (await calls()).map(([what, name]) => `${what} ${name}`).sort()
    assert.deepEqual(shape, [
      'cleanup _acme-challenge.plain.example',
      'cleanup _acme-challenge.wild.example',
      'present _acme-challenge.plain.example',
      'present _acme-challenge.wild.example',
    ])
  })

  it('what is final is FAILED, with the reason', async () => {
    const orders = start()
    wrong.set('imposter.example', 'somebody else')
    const rows: [names: string[], changes: Partial<CertificateOrder>, reason: string, why: RegExp][] = [
      [['blocked.example'], {}, 'DOMAIN_NOT_ALLOWED', /rejectedIdentifier/],
      [
        ['imposter.example'],
        {},
        'DOMAIN_VALIDATION_DENIED',
        /^imposter\.example was refused: (?:unauthorized|incorrectResponse)/,
      ],
      [['*.wild.example'], {}, 'DOMAIN_NOT_ALLOWED', /ValidationMethod DNS/],
    ]
    for (const [names, changes, reason, why] of rows) {
      const { last } = await run(order(names, changes), () => orders)
      assert.ok(last.kind === 'failed', String(names))
      assert.equal(last.reason, reason)
      assert.match(last.why, why)
    }
    assert.equal(challenges.size, 0)
  })

  it('a name that does not lead here yet stays pending, and is asked for again later', async () => {
    const orders = start()
    await pebble.failNames('later.example')
    const { last } = await run(order(['later.example']), () => orders)
    assert.ok(last.kind === 'waiting')
    assert.match(last.why, /^later\.example was refused: connection: /)
    assert.ok(last.retryAt - Date.now() > 10 * 60_000)
    await pebble.healNames('later.example')
    const { last: later } = await run(order(['later.example'], { memory: last.memory }), () => orders)
    issued(later)
  })

  it('says what the hook said, and ends one that does not end', async () => {
    const orders = start()
    const by = (name: string) => order([name], { validationMethod: 'DNS' })
    await assert.rejects(
      run(by('a.broken.example'), () => orders),
      /^Error: the DNS hook \S+ could not present _acme-challenge\.a\.broken\.example: exit code 3: the zone is not ours$/,
    )
    await assert.rejects(
      run(by('a.slow.example'), () => orders),
      /it took longer than 1 s/,
    )
    await assert.rejects(
      run(by('a.example'), () => start({ hook: null })),
      /--acme-dns-hook/,
    )
  })

  it('a server that is down may come back; one that has forgotten everything is asked anew', async () => {
    const orders = start()
    const first = await orders.step(order(['phoenix.example']))
    assert.ok(first.kind === 'waiting')
    await pebble.stopServer()
    const wanted = order(['phoenix.example'], { memory: first.memory })
    await assert.rejects(orders.step(wanted), /^Error: 127\.\d+\.\d+\.\d+:14000 cannot be reached: /)
    await pebble.startServer()
    issued((await run(wanted, () => orders)).last)
  })

  it('asks nothing more of a server that counts too much before the time that it names', async () => {
    const { busy, asks } = await busyServer()
    const server = new AcmeServer({
      ...{ directory: `${busy}/dir`, authorities: [pebble.authority], clock: systemClock, userAgent: 'x' },
    })
    ends.push(() => server.close())
    const settings = { home: join(home, 'busy'), directory: `${busy}/dir`, contacts: [], external: null }
    const orders = start({ directory: `${busy}/dir`, server, account: new Account(server, settings) })
    const first = await orders.step(order(['busy.example']))
    assert.ok(first.kind === 'waiting' && first.isFailure === true)
    assert.match(first.why, /answered 429: rateLimited: too many certificates for the exact set of names$/)
    assert.ok(first.retryAt - Date.now() > 7_100_000)
    const before = asks()
    const second = await orders.step(order(['other.example']))
    assert.ok(second.kind === 'waiting' && second.retryAt - Date.now() > 7_100_000)
    assert.equal(asks(), before)
  })

  /** Pebble knows no rate limits: this one knows nothing else. */
  async function busyServer() {
    const own = await pebble.certificate()
    let count = 0
    const server = createSecureServer({ key: own.key, cert: own.cert }, (request, response) => {
      count++
      request.resume()
      const at = `https://${request.headers.host}`
      const problem = {
        type: 'urn:ietf:params:acme:error:rateLimited',
        detail: 'too many certificates for the exact set of names',
      }
      const [status, body, more] = (
        {
          '/dir': [200, { newNonce: `${at}/nonce`, newAccount: `${at}/account`, newOrder: `${at}/order` }, {}],
          '/account': [201, {}, { location: `${at}/account/1` }],
          '/order': [429, problem, { 'retry-after': '7200' }],
        } as const
      )[request.url ?? ''] ?? [200, {}, {}]
      const headers = { 'content-type': 'application/json', 'replay-nonce': `nonce-${count}`, ...more }
      response.writeHead(status, headers).end(JSON.stringify(body))
    })
    await once(server.listen(0, pebble.address), 'listening')
    ends.push(() => server.close())
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    return { busy: `https://${pebble.address}:${port}`, asks: () => count }
  }

  it('tells the server of other contacts, once', async () => {
    const at = join(home, 'contacts')
    for (const contacts of [['ops@example.com'], ['new@example.com'], ['new@example.com']])
      await start({}, at, contacts).step(order(['contacts.example']))
    const [file = ''] = await readdir(join(at, 'acme'))
    const kept = JSON.parse(await readFile(join(at, 'acme', file), 'utf8'))
    assert.deepEqual(kept.contacts, ['new@example.com'])
    assert.match(kept.url, /^https:/)
  })

  it('names the file of a damaged account key, and nothing that is in it', async () => {
    const at = join(home, 'damaged')
    const orders = start({}, at)
    await orders.step(order(['damaged.example']))
    const [file = ''] = await readdir(join(at, 'acme'))
    await writeFile(join(at, 'acme', file), '{"key":"-----BEGIN PRIVATE KEY-----\\nsecret"}')
    await assert.rejects(start({}, at).step(order(['damaged.example'])), (error: Error) => {
      assert.ok(error.message.includes(file) && !error.message.includes('secret'))
      return true
    })
  })
})
