//! Certificates by ACME through the front door: the real program at a real pebble. Asked for with AWS's SDK, proven by the
//! edge itself and by a DNS hook.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACM, type CertificateDetail } from '@aws-sdk/client-acm'
import { Pebble } from '../../support/pebble.ts'
import { endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

const WWW = 'www.shop.example'
/** Of a condition that is looked at again and again. Milliseconds. */
const WAIT_MS = 60_000

describe('certificates by ACME', { timeout: 240_000 }, () => {
  let pebble: Pebble
  let home = ''
  let running: Installation
  let acm: ACM
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
    await start()
  })
  after(async () => {
    acm?.destroy()
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
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' }
    acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
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

  test('issued over HTTP-01 by the edge, before any distribution has the name', async () => {
    certificate = await ask(WWW, 'HTTP')
    const { Status, FailureReason, Issuer } = await over(certificate)
    assert.deepEqual([Status, FailureReason], ['ISSUED', undefined])
    assert.match(Issuer ?? '', /Pebble/)
    const { Certificate = '', CertificateChain = '' } = await acm.getCertificate({ CertificateArn: certificate })
    assert.ok(new X509Certificate(Certificate).checkIssued(new X509Certificate(CertificateChain)))
    assert.ok(new X509Certificate(CertificateChain).checkIssued(new X509Certificate(roots[0] ?? '')))
  })

  test('a wildcard by the DNS hook, which is told nothing of ours', async () => {
    const arn = await ask('*.shop.example', 'DNS')
    assert.equal((await over(arn)).Status, 'ISSUED')
    const told = await readFile(join(home, 'hook.log'), 'utf8')
    assert.match(told, /^present _acme-challenge\.shop\.example $/m)
    await until('the record is taken down', async () =>
      /^cleanup _acme-challenge\.shop\.example $/m.test(await readFile(join(home, 'hook.log'), 'utf8')),
    )
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
