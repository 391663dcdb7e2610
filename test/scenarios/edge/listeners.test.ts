//! Where viewers come in, at a real worker: addresses that one distribution has for itself, IPv6 beside IPv4, proxies in
//! front that name the viewer.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { ACCESS_LOG_FIELDS } from '../../../src/observe/access-log.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  NONE,
  ONE_POP,
} from '../../support/edge-scenario.ts'

const run = promisify(execFile)
const OWN_ADDRESS = '127.9.8.7'
const ANY_PORT = { host: '127.0.0.1', port: 0 }

/** Subject of the certificate that is shown, or why there is none. */
function shown(host: string, port: number, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN as string)
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

test('an address of its own shows the certificate of its distribution to whoever names nobody, as long as it has it', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.headers.host))
  t.after(() => origin.close())
  const authority = await TestAuthority.make()
  const { key, cert } = await authority.issue({ names: ['vip.test'], subject: 'vip' })
  const vip = (dedicatedAddress: string | null): DistributionDoc =>
    distributionDoc(origin.port, {
      ...{ id: 'E2TESTDISTRIB0', domainName: 'd200000abcdef8.cloudfront.localhost', aliases: ['vip.test'] },
      viewerCertificate: {
        certificates: [{ arn: 'arn:aws:acm:us-east-1:123456789012:certificate/vip', chain: cert, privateKey: key }],
        ...{ sslSupportMethod: 'vip', securityPolicy: 'TLSv1.2_2021' },
      },
      ...(dedicatedAddress === null ? {} : { dedicatedAddress }),
    })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port), vip(OWN_ADDRESS)])
  const [http, https] = [edge.port(), edge.httpsPort()]
  assert.equal(await shown(OWN_ADDRESS, https, ''), 'vip')
  assert.equal(await shown(OWN_ADDRESS, https, 'nobody.test'), 'vip')
  assert.equal(await shown(OWN_ADDRESS, https, 'vip.test'), 'vip')
  assert.notEqual(await shown(OWN_ADDRESS, https, HOST), 'vip')
  assert.notEqual(await shown('127.0.0.1', https, ''), 'vip')

  const get = async (url: string) =>
    (await run('curl', ['-sSk', '-m', '10', '--connect-to', `vip.test::${OWN_ADDRESS}:`, url])).stdout
  assert.equal(await get(`https://vip.test:${https}/`), '127.0.0.1')
  assert.equal(await get(`http://vip.test:${http}/`), '127.0.0.1')

  // A POP that is down has none of its addresses; a change of the distribution moves or ends its own.
  await edge.feed.change(() => ({ kind: 'place', name: 'FRA50-C1', down: true }))
  assert.equal(await shown(OWN_ADDRESS, https, ''), 'ECONNREFUSED')
  await edge.feed.change(() => ({ kind: 'place', name: 'FRA50-C1', down: false }))
  assert.equal(await shown(OWN_ADDRESS, https, ''), 'vip')
  await edge.feed.change(() => ({ kind: 'distribution', id: 'E2TESTDISTRIB0', distribution: vip('127.9.8.6') }))
  assert.equal(await shown('127.9.8.6', https, ''), 'vip')
  assert.equal(await shown(OWN_ADDRESS, https, ''), 'ECONNREFUSED')
  await edge.feed.change(() => ({ kind: 'distribution', id: 'E2TESTDISTRIB0', distribution: vip(null) }))
  assert.equal(await shown('127.9.8.6', https, ''), 'ECONNREFUSED')
  assert.deepEqual(edge.problems, [])

  // Another program has one of the two ports: the worker says so with the acknowledgement, and tries on by itself.
  const squatter = createServer().listen(https, OWN_ADDRESS)
  await once(squatter, 'listening')
  await edge.feed.change(() => ({ kind: 'distribution', id: 'E2TESTDISTRIB0', distribution: vip(OWN_ADDRESS) }))
  const silent = [{ distributionId: 'E2TESTDISTRIB0', address: OWN_ADDRESS, code: 'EADDRINUSE' }]
  assert.deepEqual(edge.feed.silent(), silent)
  await edge.feed.invalidate('E2TESTDISTRIB0', '/*')
  assert.deepEqual(edge.feed.silent(), silent)
  assert.equal(await shown(OWN_ADDRESS, http, ''), 'ECONNREFUSED')
  squatter.close()
  await edge.feed.until(() => edge.feed.silent().length === 0)
  assert.equal(await shown(OWN_ADDRESS, https, ''), 'vip')
  assert.equal(edge.problems.length, 1, edge.problems.join('\n'))
})

test('a POP speaks HTTPS at its IPv6 address, and a redirect names the port of the viewer’s family', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('page'))
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ viewerProtocolPolicy: 'redirect-to-https' })]
  const six = { host: '::1', port: 0 }
  const pops = ONE_POP.pops.map((pop) => ({ ...pop, http: ANY_PORT, https: ANY_PORT, ipv6: six, ipv6Https: six }))
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], { pops })
  const at = edge.workers[0]?.addresses[0]
  assert.equal(edge.workers[0]?.identity.pops[0]?.ipv6Https, `[::1]:${at?.ipv6Https?.port}`)
  assert.notEqual(at?.ipv6Https?.port, at?.https?.port)
  const follow = (address: string) => [
    '--connect-to',
    `${HOST}::${address}:`,
    '-w',
    '%{url_effective}',
    '-o',
    '/dev/null',
  ]
  for (const [address, http, https] of [
    ['127.0.0.1', at?.http.port, at?.https?.port],
    ['[::1]', at?.ipv6?.port, at?.ipv6Https?.port],
  ]) {
    const { stdout } = await run('curl', ['-sSLk', '-m', '10', ...follow(`${address}`), `http://${HOST}:${http}/a?b=1`])
    assert.equal(stdout, `https://${HOST}:${https}/a?b=1`)
  }
})

test('the viewer that a PROXY header names is the viewer everywhere', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const LONDON = '81.2.69.142'
  const behaviors = [
    behaviorDoc({
      cachePolicy: cachePolicy({ headers: { behavior: 'whitelist', names: ['cloudfront-viewer-country'] } }),
      originRequestPolicy: {
        ...{ id: 'orp', cookies: NONE, queryStrings: NONE },
        headers: { behavior: 'whitelist', names: ['cloudfront-viewer-address'] },
      },
    }),
  ]
  const options = { proxyProtocol: ['127.0.0.9/32'], count: 2 }
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], options)
  for (let at = 0; at < 4; at++) {
    const port = edge.port(at % 2)
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' })
    socket.write(`PROXY TCP4 ${LONDON} 192.0.2.1 4711 443\r\n`)
    const headers = { host: HOST, 'x-cachefront-explain': '1' }
    const answer = await new Promise<{ headers: Record<string, unknown> }>((resolve, reject) => {
      const asked = httpRequest({ path: `/${at}`, headers, createConnection: () => socket }, (response) => {
        response.resume().on('end', () => resolve({ headers: response.headers }))
      })
      asked.on('error', reject).end()
    })
    assert.equal(answer.headers['x-cachefront-trace'], undefined)
  }
  assert.equal(origin.asked.length, 4)
  for (const { headers } of origin.asked) {
    assert.equal(headers['x-forwarded-for'], LONDON)
    assert.equal(headers['cloudfront-viewer-address'], `${LONDON}:4711`)
    assert.equal(headers['cloudfront-viewer-country'], 'GB')
  }
  await edge.pause()
  const lines = (await readFile(join(edge.directory, 'logs', 'access-worker-0.log'), 'utf8')).split('\n')
  const fields = lines.find((line) => line.includes(LONDON))?.split('\t') ?? []
  const names: readonly string[] = ACCESS_LOG_FIELDS.map((field) => (typeof field === 'string' ? field : field.name))
  assert.deepEqual([fields[names.indexOf('c-ip')], fields[names.indexOf('c-port')]], [LONDON, '4711'])
})
