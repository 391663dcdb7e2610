//! Runs in a network namespace (standard-ports.test.ts), where ports 80 and 443 are free.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ACM } from '@aws-sdk/client-acm'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { oneOrigin } from './one-origin.ts'
import { cachefront, endAll, healthOf, newHome, pidOf, processesOf, up } from './program-installation.ts'
import { withRequested } from './viewer-certificate.ts'

const run = promisify(execFile)
const VIP = '127.9.8.7'
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const NOBODY = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }))
/** As that user, without any right. */
const AS_NOBODY = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']

const mayBecome = (): boolean => {
  try {
    execFileSync('setpriv', [...AS_NOBODY, 'test', '-r', MAIN, '-a', '-x', process.execPath], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const LIMIT = {
  timeout: 60_000,
  skip: mayBecome() ? false : 'NOT SHOWN HERE: needs root, setpriv, and a program that the user nobody may read',
}

const homes: string[] = []
after(() => Promise.all(homes.map((home) => endAll(home))))

const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-sik', '-m', '10', ...args])).stdout

test('as root with --user: no process keeps more than the right to low ports', LIMIT, async () => {
  const home = await newHome()
  homes.push(home)
  // What root made there earlier is the user's from now on.
  writeFileSync(join(home, 'of-root'), '')
  const flags = [
    '--standard-ports',
    '--user',
    'nobody',
    '--proxy-protocol',
    '127.0.0.9/32',
    '--dedicated-ips',
    `${VIP}/32`,
  ]
  const installation = await up(home, '--http-listen', '[::]', '--https-listen', '[::]', ...flags)
  const processes = processesOf(home).filter(({ command }) => command.includes(MAIN))
  assert.ok(processes.length >= 3, JSON.stringify(processes))
  for (const { pid, command } of processes) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const of = (field: string) => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split('\t').join(' ')
    assert.equal(of('Uid'), `${NOBODY} ${NOBODY} ${NOBODY} ${NOBODY}`, command)
    // 0x400 is CAP_NET_BIND_SERVICE.
    for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.equal(of(set), '0000000000000400', command)
    assert.equal(of('NoNewPrivs'), '1', command)
  }
  for (const name of ['.', ...readdirSync(home)]) assert.equal(statSync(join(home, name)).uid, NOBODY, name)
  const { pops } = await healthOf(installation.api)
  assert.deepEqual([pops[0]?.http, pops[0]?.https], ['[::]:80', '[::]:443'])
  // By a name of the installation: beyond loopback who names nobody is refused.
  const at = (address: string) => ['--connect-to', `localhost::${address}:`]
  const answered = async () => {
    for (const address of ['127.0.0.1', '[::1]'])
      for (const scheme of ['http', 'https'])
        assert.match(await curl(...at(address), `${scheme}://localhost/`), /^HTTP\/[12](?:\.1)? 403/, scheme + address)
  }
  await answered()

  // A proxy in front: curl speaks version 1 of the protocol.
  const proxied = ['--interface', '127.0.0.9', '--haproxy-protocol', ...at('127.0.0.1'), 'https://localhost/']
  assert.match(await curl(...proxied), /^HTTP\/[12](?:\.1)? 403/)
  await assert.rejects(curl('--interface', '127.0.0.9', 'http://127.0.0.1/'))
  assert.match(await curl('--haproxy-protocol', 'http://127.0.0.1/'), /^HTTP\/1\.1 400/)

  // A distribution with an address of its own, which the worker binds when it comes.
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' }
  const client = { endpoint: installation.api, region: 'us-east-1', credentials }
  const [acm, cloudfront] = [new ACM(client), new CloudFront(client)]
  const covered = await withRequested(acm, ['vip.test'])
  const ViewerCertificate = { ...covered.ViewerCertificate, SSLSupportMethod: 'vip' as const }
  const DistributionConfig = { ...oneOrigin('vip', 8081), ...covered, ViewerCertificate }
  const { Distribution } = await cloudfront.createDistribution({ DistributionConfig })
  const Id = Distribution?.Id as string
  while ((await cloudfront.getDistribution({ Id })).Distribution?.Status !== 'Deployed')
    await new Promise((resolve) => setTimeout(resolve, 20))
  const shown = async () => (await run('curl', ['-skv', '-m', '10', `https://${VIP}/`])).stderr
  assert.match(await shown(), /subject: CN=vip\.test/)
  const { out } = await cachefront(home, 'status')
  assert.match(out, new RegExp(`${Id} .*${VIP} .*vip\\.test`))

  // Low ports are bound anew by a worker that the keeper starts, and by a POP that is up again.
  const before = await pidOf(installation, 'worker-0')
  process.kill(before, 'SIGKILL')
  for (;;) {
    const now = await pidOf(installation, 'worker-0')
    if (now > 0 && now !== before) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await answered()
  assert.match(await shown(), /subject: CN=vip\.test/)
  const name = pops[0]?.name as string
  assert.equal((await cachefront(home, 'pops', 'down', name)).code, 0)
  await assert.rejects(curl('http://127.0.0.1/'))
  assert.equal((await cachefront(home, 'pops', 'up', name)).code, 0)
  await answered()
})

test('as a user without rights: it says what is missing', LIMIT, async () => {
  const home = await newHome()
  homes.push(home)
  execFileSync('chown', ['nobody', home])
  const args = [...AS_NOBODY, process.execPath, MAIN, 'up', '--bare', '--home', home]
  const up = async (...flags: string[]) => {
    const { stderr, code } = await run('setpriv', [...args, ...flags]).catch((error) => error)
    return `${code} ${stderr}`
  }
  const said = await up('--standard-ports')
  assert.match(said, /^1 .*The edge cannot listen on 127\.0\.0\.1:80: this user may not use it .*--user/)
  assert.match(await up('--user', 'daemon'), /^1 .*only root can become another user/)
})
