//! HTTPS through the front door: what `up` prints is enough for curl, a redirect leads from one listener to the other, an
//! alias has its certificate, and a restart keeps what viewers trust.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { ACM } from '@aws-sdk/client-acm'
import {
  CloudFront,
  CloudFrontClient,
  CreateDistributionCommand,
  type DistributionConfig,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import type { CertificateRecord } from '../../../src/domain/certificates.ts'
import { selfSigned } from '../../support/certificates.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, healthOf, type Installation, newHome, up } from '../../support/program-installation.ts'
import { withRequested } from '../../support/viewer-certificate.ts'

const run = promisify(execFile)
const credentials = { accessKeyId: 'x', secretAccessKey: 'x' }

describe('HTTPS of the running program', { timeout: 120_000 }, () => {
  let home = ''
  let running: Installation
  let origin: TestOrigin
  let name = ''
  let arn = ''

  before(async () => {
    home = await newHome()
    origin = await startOrigin((asked, response) => response.end(`${asked.method} ${asked.url}`))
    running = await up(home, '--workers', '2', '--movable-clock')
    const acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
    const named = await withRequested(acm, ['www.shop.test'])
    arn = named.ViewerCertificate?.ACMCertificateArn ?? ''
    acm.destroy()
    name = await deployed((config) => ({
      ...config,
      ...named,
      DefaultCacheBehavior: { ...config.DefaultCacheBehavior!, ViewerProtocolPolicy: 'redirect-to-https' },
    }))
  })
  after(async () => {
    await origin.close()
    assert.deepEqual(await endAll(home), [])
  })

  async function deployed(change: (config: DistributionConfig) => DistributionConfig): Promise<string> {
    const client = new CloudFrontClient({
      endpoint: running.api,
      region: 'us-east-1',
      credentials,
    })
    const DistributionConfig = change(oneOrigin(`https-${origin.port}`, origin.port))
    const { Distribution } = await client.send(new CreateDistributionCommand({ DistributionConfig }))
    await waitUntilDistributionDeployed(
      { client, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.2 },
      { Id: Distribution?.Id ?? '' },
    )
    client.destroy()
    return Distribution?.DomainName ?? ''
  }

  /** The name need not resolve: curl is told where the edge is. */
  async function curl(host: string, ...args: string[]): Promise<string> {
    const [http, https] = [running.edge, running.edgeHttps].map((address) => address.split(':')[1])
    const resolve = [http, https].flatMap((port) => ['--resolve', `${host}:${port}:127.0.0.1`])
    const { stdout } = await run('curl', ['-sS', '--cacert', running.authority, ...resolve, ...args])
    return stdout
  }

  test('up prints where it is and what to trust', async () => {
    assert.ok(running.printed.includes(`https://${running.edgeHttps}   (curl --cacert ${running.authority} ...)`))
    assert.equal((await stat(running.authority)).mode & 0o777, 0o600)
    const { pops } = await healthOf(running.api)
    assert.deepEqual(
      pops.map(({ http, https }) => [http, https]),
      [[running.edge, running.edgeHttps]],
    )
  })

  test('curl follows the redirect from one listener to the other, and posts with 307', async () => {
    const port = running.edge.split(':')[1]
    const written = await curl(
      name,
      '-L',
      '-w',
      '|%{num_redirects}|%{scheme}|%{url_effective}',
      `http://${name}:${port}/a?b=c`,
    )
    const securePort = running.edgeHttps.split(':')[1]
    assert.match(written, new RegExp(`^GET /a\\|1\\|https\\|https://${name}:${securePort}/a\\?b=c$`, 'i'))
  })

  test('aliases have certificates of their own', async () => {
    const port = running.edgeHttps.split(':')[1]
    assert.equal(await curl('www.shop.test', `https://www.shop.test:${port}/alias`), 'GET /alias')
    await assert.rejects(curl('other.test', `https://other.test:${port}/`))
  })

  /** A connection of its own, that offers only these signature schemes. */
  async function handshake(sigalgs?: string): Promise<{ readonly serial: string; readonly kind: string }> {
    const port = Number(running.edgeHttps.split(':')[1])
    const socket = connect({
      ...{ host: '127.0.0.1', port, servername: 'www.shop.test', rejectUnauthorized: false },
      ...(sigalgs === undefined ? {} : { sigalgs }),
    })
    await once(socket, 'secureConnect')
    const x509 = socket.getPeerX509Certificate()
    socket.destroy()
    return { serial: x509?.serialNumber ?? '', kind: x509?.publicKey.asymmetricKeyType ?? '' }
  }

  async function until<T>(look: () => Promise<T>, isIt: (seen: T) => boolean): Promise<T> {
    for (const end = Date.now() + 30_000; ; await sleep(50)) {
      const seen = await look()
      if (isIt(seen)) return seen
      assert.ok(Date.now() < end, `still ${JSON.stringify(seen)}`)
    }
  }

  test('a certificate is renewed, joined by one of the other kind of key, and replaced, and no request fails', async (t) => {
    const acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
    const cloudfront = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials })
    const { Certificate: first } = await acm.describeCertificate({ CertificateArn: arn })
    const Resource = first?.InUseBy?.[0] ?? ''
    assert.match(Resource, /distribution\/E/)
    assert.equal(first?.RenewalEligibility, 'ELIGIBLE')
    let going = true
    t.after(() => {
      going = false
    })
    const outcomes = new Set<string>()
    const viewer = (async () => {
      const port = running.edgeHttps.split(':')[1]
      while (going) {
        outcomes.add(await curl('www.shop.test', `https://www.shop.test:${port}/load`).catch((error) => String(error)))
        // Each is a handshake of its own; one after the other without a pause would only take the machine.
        await sleep(100)
      }
    })()

    const before = await handshake()
    assert.equal(before.kind, 'ec')
    assert.equal((await cachefront(home, 'clock', 'advance', '345d')).code, 0)
    const renewed = await until(handshake, ({ serial }) => serial !== before.serial)
    const { Certificate: after } = await acm.describeCertificate({ CertificateArn: arn })
    assert.equal(after?.RenewalSummary?.RenewalStatus, 'SUCCESS')
    assert.equal(after?.Serial?.replaceAll(':', ''), renewed.serial.toLowerCase())
    const shown = await cachefront(home, 'certificates')
    assert.match(shown.out, /www\.shop\.test +ISSUED +39[67] +SUCCESS +- +E[A-Z0-9]{13} /)

    const { cert, key } = await selfSigned({ names: ['www.shop.test'], rsa: true, from: -1, to: 400 })
    const { CertificateArn: second = '' } = await acm.importCertificate({
      Certificate: Buffer.from(cert),
      PrivateKey: Buffer.from(key),
    })
    await cloudfront.tagResource({
      Resource,
      Tags: { Items: [{ Key: 'cachefront:second-certificate-arn', Value: second }] },
    })
    const rsa = () => handshake('rsa_pss_rsae_sha256').catch(() => ({ serial: '', kind: 'none' }))
    const old = await until(rsa, ({ kind }) => kind === 'rsa')
    assert.equal((await handshake()).serial, renewed.serial)
    const next = await selfSigned({ names: ['www.shop.test'], rsa: true, from: -1, to: 400 })
    await acm.importCertificate({
      ...{ CertificateArn: second, Certificate: Buffer.from(next.cert), PrivateKey: Buffer.from(next.key) },
    })
    await until(rsa, ({ kind, serial }) => kind === 'rsa' && serial !== old.serial)
    await assert.rejects(acm.deleteCertificate({ CertificateArn: second }), { name: 'ResourceInUseException' })
    going = false
    await viewer
    assert.deepEqual([...outcomes], ['GET /load'])
    acm.destroy()
    cloudfront.destroy()
  })

  /** An answer of the API to the letter: an SDK would leave out what it does not know. */
  async function askedAs(
    service: string,
    { path = '/', target, body }: { path?: string; target?: string; body?: object },
  ): Promise<string> {
    const scope = `x/20261130/us-east-1/${service}/aws4_request`
    const answer = await fetch(`${running.api}${path}`, {
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
        'x-amz-date': '20261130T000000Z',
        ...(target === undefined ? {} : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }),
      },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return text
  }

  test('days left are a metric, and a private key is in no output and in no file that others can read', async () => {
    const state = new DatabaseSync(join(home, 'state.db'), { readOnly: true })
    const rows = state.prepare("SELECT body FROM document WHERE kind = 'certificate'").all()
    state.close()
    const keys = rows.map(({ body }) => {
      const lines = (JSON.parse(String(body)) as CertificateRecord).material?.privateKey.split('\n') ?? []
      return lines[2] ?? assert.fail('there is no key')
    })
    assert.equal(keys.length, 2)
    const metrics = await (await fetch(`${running.api}/_cachefront/metrics`)).text()
    assert.match(
      metrics,
      /^cachefront_certificate_days_left\{arn="arn:aws:acm:[^"]+",domain="www\.shop\.test",in_use="true"\} 39[67]$/m,
    )
    const shown = await Promise.all([
      ...[
        ['status', '--json'],
        ['certificates', '--json'],
        ['trust', '--json'],
      ].map((args) => cachefront(home, ...args)),
      cachefront(home, 'explain', '--json', `https://${name}:${running.edgeHttps.split(':')[1]}/keys`),
      askedAs('acm', { target: 'CertificateManager.DescribeCertificate', body: { CertificateArn: arn } }),
      askedAs('acm', { target: 'CertificateManager.GetCertificate', body: { CertificateArn: arn } }),
      askedAs('cloudfront', { path: '/2020-05-31/distribution' }),
    ])
    for (const key of keys) assert.ok(![metrics, JSON.stringify(shown)].some((text) => text.includes(key)))
    const holders: string[] = []
    for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = join(entry.parentPath, entry.name)
      const content = await readFile(file, 'latin1').catch(() => '')
      if (!keys.some((key) => content.includes(key))) continue
      holders.push(entry.name.replace(/-wal$|\.new$/, ''))
      assert.equal((await stat(file)).mode & 0o077, 0, file)
    }
    assert.deepEqual(
      [...new Set(holders)].filter((file) => !/^state\.db$|snapshot/.test(file)),
      [],
      'only the state and what the edges serve from',
    )
  })

  test('explain goes over HTTPS, and names the field that redirects', async () => {
    const secure = await cachefront(home, 'explain', `https://${name}:${running.edgeHttps.split(':')[1]}/explained`)
    assert.equal(secure.code, 0, secure.err)
    assert.match(secure.out, /GET \/explained|\/explained/)
    const plain = await cachefront(home, 'explain', '--json', `http://${name}/explained`)
    const trace = JSON.parse(plain.out)
    assert.equal(trace.outcome.result, 'Redirect')
    assert.match(plain.out, /"field": "DefaultCacheBehavior.ViewerProtocolPolicy",\s+"value": "redirect-to-https"/)
  })

  test('a restart keeps the authority, and --https-listen none closes the listener', async () => {
    const trusted = await readFile(running.authority, 'utf8')
    const ended = once(running.control, 'close')
    running.control.kill('SIGTERM')
    await ended
    running = await up(home, '--https-listen', 'none')
    assert.equal(running.edgeHttps, '')
    assert.doesNotMatch(running.printed, /https:/)
    assert.deepEqual(
      (await healthOf(running.api)).pops.map((pop) => pop.https),
      [null],
    )
    const again = once(running.control, 'close')
    running.control.kill('SIGTERM')
    await again
    running = await up(home)
    assert.equal(await readFile(running.authority, 'utf8'), trusted)
    const port = running.edgeHttps.split(':')[1]
    assert.equal(await curl(name, `https://${name}:${port}/after`), 'GET /after')
  })
})
