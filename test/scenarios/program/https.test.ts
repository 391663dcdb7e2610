//! HTTPS through the front door: what `up` prints is enough for curl, a redirect leads from one listener to the other, an
//! alias has its certificate, and a restart keeps what viewers trust.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ACM } from '@aws-sdk/client-acm'
import {
  CloudFrontClient,
  CreateDistributionCommand,
  type DistributionConfig,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
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

  before(async () => {
    home = await newHome()
    origin = await startOrigin((asked, response) => response.end(`${asked.method} ${asked.url}`))
    running = await up(home, '--workers', '2')
    const acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
    const named = await withRequested(acm, ['www.shop.test'])
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
    await waitUntilDistributionDeployed({ client, maxWaitTime: 20, minDelay: 1 }, { Id: Distribution?.Id ?? '' })
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
