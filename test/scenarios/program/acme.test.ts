//! Certificates by ACME through the front door: the real program at a real pebble. Asked for with AWS's SDK, proven by the
//! edge itself and by a DNS hook, served to a client that trusts pebble alone, renewed and swapped under load.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { ACM, type CertificateDetail } from '@aws-sdk/client-acm'
import { CloudFront, waitUntilDistributionDeployed } from '@aws-sdk/client-cloudfront'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { Pebble } from '../../support/pebble.ts'
import { cachefront, endAll, healthOf, type Installation, newHome, up } from '../../support/program-installation.ts'

const WWW = 'www.shop.example'
/** Of a condition that is looked at again and again. Milliseconds. */
const WAIT_MS = 60_000
const DAY_MS = 86_400_000

describe('certificates by ACME', { timeout: 240_000 }, () => {
  let pebble: Pebble
  let home = ''
  let running: Installation
  let origin: TestOrigin
  let acm: ACM
  let cloudfront: CloudFront
  let certificate = ''
  /** Roots of pebble that viewers trust; each start of it has another. */
  const roots: string[] = []

  before(async () => {
    pebble = await Pebble.start({ nonceReject: 10 })
    roots.push(await pebble.root())
    home = await newHome()
    const hook = join(home, 'dns-hook')
    await writeFile(
      hook,
      `#!/bin/sh
echo "$2" >> ${home}/hook.calls
while [ -e ${home}/hold ]; do sleep 0.05; done
echo "$1 $2 $CACHEFRONT_HOME" >> ${home}/hook.log
case $1 in present) path=set-txt;; *) path=clear-txt;; esac
curl -sf -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ${pebble.mock}/$path
`,
    )
    await chmod(hook, 0o755)
    origin = await startOrigin((asked, response) => response.end(asked.url))
    await start()
  })
  after(async () => {
    acm?.destroy()
    cloudfront?.destroy()
    await origin?.close()
    const left = await endAll(home)
    await pebble?.close()
    assert.deepEqual(left, [])
  })

  async function start(): Promise<void> {
    running = await up(
      home,
      ...['--movable-clock', '--workers', '2', '--http-listen', pebble.httpListen],
      ...['--certificate-issuer', 'acme', '--acme-directory', pebble.directory, '--acme-ca', pebble.authorityFile],
      ...['--acme-contact', 'ops@example.com', '--acme-dns-hook', join(home, 'dns-hook')],
    )
    acm?.destroy()
    cloudfront?.destroy()
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' }
    acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
    cloudfront = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials })
  }

  const describeCertificate = async (arn: string): Promise<CertificateDetail> => {
    const { Certificate } = await acm.describeCertificate({ CertificateArn: arn })
    return Certificate ?? assert.fail('no certificate')
  }

  async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    for (let waited = 0; waited < WAIT_MS; waited += 50) {
      const found = await look()
      if (found !== undefined && found !== false) return found
      await sleep(50)
    }
    const log = await readFile(join(home, 'logs', 'control.log'), 'utf8')
    throw new Error(`not in time: ${what}; ${log.replace(/^.*"api-call".*\n/gm, '')}`)
  }

  const over = (arn: string): Promise<CertificateDetail> =>
    until(`${arn} is decided`, async () => {
      const found = await describeCertificate(arn)
      return found.Status !== 'PENDING_VALIDATION' && found
    })

  async function ask(DomainName: string, ValidationMethod: 'HTTP' | 'DNS'): Promise<string> {
    const { CertificateArn } = await acm.requestCertificate({
      DomainName,
      ValidationMethod,
      KeyAlgorithm: 'EC_prime256v1',
    })
    return CertificateArn ?? assert.fail('no ARN')
  }

  async function distribute(alias: string, ACMCertificateArn: string): Promise<void> {
    const { Distribution } = await cloudfront.createDistribution({
      DistributionConfig: {
        ...oneOrigin(alias, origin.port),
        Aliases: { Quantity: 1, Items: [alias] },
        ViewerCertificate: { ACMCertificateArn, SSLSupportMethod: 'sni-only', MinimumProtocolVersion: 'TLSv1.2_2021' },
      },
    })
    const waits = { client: cloudfront, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }
    await waitUntilDistributionDeployed(waits, { Id: Distribution?.Id ?? '' })
  }

  /** Moves the movable clock on. Milliseconds. */
  async function advance(advanceMs: number): Promise<void> {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ advanceMs })
    const moved = await fetch(`${running.api}/_cachefront/clock`, { method: 'POST', headers, body })
    assert.equal(moved.status, 200)
  }

  const port = (): number => Number(running.edgeHttps.split(':')[1])

  /** Serial number that a new connection gets, in ACM's spelling. */
  async function served(servername = WWW): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: port(), servername, ca: roots })
    await once(socket, 'secureConnect')
    const { serialNumber } = socket.getPeerCertificate()
    socket.destroy()
    return serialNumber.toLowerCase()
  }

  const serialOf = async (arn: string): Promise<string> =>
    ((await describeCertificate(arn)).Serial ?? '').replaceAll(':', '').toLowerCase()

  /** Requests over kept and over new connections until it is told to stop; every failure is one. */
  function load() {
    const failures: string[] = []
    let done = 0
    let stopped = false
    const kept = new Agent({ keepAlive: true, maxSockets: 1 })
    const keptSockets = new Set<unknown>()
    const get = (agent: Agent | false): Promise<void> =>
      new Promise((resolve) => {
        const asked = request(
          { host: '127.0.0.1', port: port(), servername: WWW, ca: roots, path: '/load', headers: { host: WWW }, agent },
          (answer) => {
            if (answer.statusCode !== 200) failures.push(`status ${answer.statusCode}`)
            if (agent === kept) keptSockets.add(answer.socket as TLSSocket)
            answer.resume().on('end', () => {
              done++
              resolve()
            })
          },
        )
        asked.on('error', (error) => {
          failures.push(error.message)
          resolve()
        })
        asked.end()
      })
    const viewer = async (agent: Agent | false): Promise<void> => {
      while (!stopped) {
        await get(agent)
        await sleep(10)
      }
    }
    const running = Promise.all([viewer(kept), viewer(false), viewer(false)])
    return {
      requests: () => done,
      async stop() {
        stopped = true
        await running
        kept.destroy()
        return { failures, requests: done, keptConnections: keptSockets.size }
      },
    }
  }

  /** Has the certificate served anew, whatever makes it so, while viewers come and stay. */
  async function swapped(by: () => Promise<unknown>): Promise<void> {
    const before = await served()
    const viewers = load()
    await until('the load runs', async () => viewers.requests() > 20)
    await by()
    const now = await until('a new certificate is served', async () => {
      const serial = await served()
      return serial !== before && serial
    })
    const enough = viewers.requests() + 20
    await until('the load goes on', async () => viewers.requests() > enough)
    const { failures, keptConnections } = await viewers.stop()
    assert.deepEqual(failures, [])
    assert.equal(keptConnections, 1, 'the kept connection was kept')
    assert.equal(await serialOf(certificate), now)
  }

  test('issued over HTTP-01 by the edge, before any distribution has the name, and served', async () => {
    certificate = await ask(WWW, 'HTTP')
    const { Status, FailureReason, Issuer } = await over(certificate)
    assert.deepEqual([Status, FailureReason], ['ISSUED', undefined])
    assert.match(Issuer ?? '', /Pebble/)
    await distribute(WWW, certificate)
    assert.equal(await served(), await serialOf(certificate))
    await assert.rejects(served('other.shop.example'))
  })

  test('a wildcard by the DNS hook, which is told nothing of ours', async () => {
    const arn = await ask('*.shop.example', 'DNS')
    assert.equal((await over(arn)).Status, 'ISSUED')
    await distribute('api.shop.example', arn)
    assert.equal(await served('api.shop.example'), await serialOf(arn))
    const told = await readFile(join(home, 'hook.log'), 'utf8')
    assert.match(told, /^present _acme-challenge\.shop\.example $/m)
    await until('the record is taken down', async () =>
      /^cleanup _acme-challenge\.shop\.example $/m.test(await readFile(join(home, 'hook.log'), 'utf8')),
    )
  })

  test('RenewCertificate under load: no request fails, new connections have the new certificate', () =>
    swapped(() => acm.renewCertificate({ CertificateArn: certificate })))

  test('two thirds of its life later it is renewed by itself, under load', async () => {
    await swapped(() => advance(61 * DAY_MS))
    const { RenewalSummary } = await describeCertificate(certificate)
    assert.equal(RenewalSummary?.RenewalStatus, 'SUCCESS')
  })

  test('a name that somebody else answers for is FAILED, with the reason', async (t) => {
    const other = pebble.address.replace(/\d+$/, (last) => String(Number(last) + 1))
    const stranger = createServer((_request, response) => response.end('somebody else'))
    await once(stranger.listen(Number(pebble.httpListen.split(':')[1]), other), 'listening')
    t.after(() => stranger.close())
    await pebble.lead('moved.example', other)
    const failed = await over(await ask('moved.example', 'HTTP'))
    assert.deepEqual([failed.Status, failed.FailureReason], ['FAILED', 'DOMAIN_VALIDATION_DENIED'])
  })

  test('pebble is down: the old certificate serves on and the status says why; it comes back: renewed', async () => {
    const before = await served()
    await pebble.stopServer()
    await advance(2 * DAY_MS)
    await until('the renewal is tried', async () => {
      const { RenewalSummary } = await describeCertificate(certificate)
      return RenewalSummary?.RenewalStatus === 'PENDING_AUTO_RENEWAL'
    })
    await until('the failure is told', async () => {
      const told = await fetch(`${running.api}/_cachefront/certificates`)
      return /cannot be reached/.test(await told.text())
    })
    const { out } = await cachefront(home, 'certificates')
    assert.match(out, /^www\.shop\.example +ISSUED +2\d +PENDING_AUTO_RENEWAL .*cannot be reached: .*\(next at /m)
    const { parts, status } = await healthOf(running.api)
    const part = parts.find(({ name }) => name === `certificate ${WWW}`)
    assert.match(part?.detail ?? '', /^is not renewed, 2\d days are left: .* cannot be reached: /)
    assert.deepEqual([part?.ok, status], [false, 'ok'], 'one certificate makes no installation unwell')
    const metrics = await (await fetch(`${running.api}/_cachefront/metrics`)).text()
    assert.match(
      metrics,
      /^cachefront_certificate_days_left\{arn="[^"]+",domain="www\.shop\.example",in_use="true"\} 2\d$/m,
    )
    assert.match(metrics, /^cachefront_certificates_in_trouble [12]$/m)
    assert.match(metrics, /^cachefront_certificate_failed_attempts_total [1-9]/m)
    assert.equal(await served(), before)
    await pebble.startServer()
    roots.push(await pebble.root())
    await advance(DAY_MS / 24)
    await until('a new certificate is served', async () => (await served()) !== before)
    await until('all is well', async () => (await healthOf(running.api)).parts.every(({ ok }) => ok))
    const events = (await readFile(join(home, 'logs', 'control.log'), 'utf8')).matchAll(/^\{.*"source":"aws\.acm".*$/gm)
    const types = new Set([...events].map(([line]) => JSON.parse(line)['detail-type']))
    for (const type of ['ACM Certificate Available', 'ACM Certificate Renewal Action Required'])
      assert.ok(types.has(type), type)
  })

  test('control is killed in the middle of an order: the next one goes on with it', async () => {
    await writeFile(join(home, 'hold'), '')
    const arn = await ask('killed.example', 'DNS')
    await until('the order is made', async () =>
      /killed\.example/.test(await readFile(join(home, 'hook.calls'), 'utf8')),
    )
    const ended = once(running.control, 'close')
    running.control.kill('SIGKILL')
    await ended
    await rm(join(home, 'hold'))
    await start()
    assert.equal((await over(arn)).Status, 'ISSUED')
  })

  test('no private key is anywhere but where it must be', async () => {
    const log = await readFile(join(home, 'logs', 'control.log'), 'utf8')
    assert.doesNotMatch(log, /PRIVATE KEY/)
    assert.equal((await stat(join(home, 'acme'))).mode & 0o777, 0o700)
  })
})
