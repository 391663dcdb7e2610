//! Origins through the front door: a group of two, the first over TLS by an authority of the installation's own, the second
//! on IPv6; one dies, and health, status, metrics and explain say so.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFront, type DistributionConfig, waitUntilDistributionDeployed } from '@aws-sdk/client-cloudfront'
import type { Status } from '../../../src/services/cachefront/status.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, healthOf, type Installation, newHome, up } from '../../support/program-installation.ts'
import { startTlsOrigin, type TlsOrigin } from '../../support/tls-origin.ts'

const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'

describe('origins of the real program', { timeout: 120_000 }, () => {
  let running: Installation
  let client: CloudFront
  let directory: string
  let secure: TlsOrigin
  let id: string
  let host: string
  const spare = createServer((_request, response) => response.end('the spare one'))

  const config = (): DistributionConfig => {
    const base = oneOrigin('origins', 80)
    const custom = { HTTPPort: 80, HTTPSPort: 443 }
    return {
      ...base,
      Origins: {
        Quantity: 2,
        Items: [
          {
            Id: 'secure',
            DomainName: 'localhost',
            ConnectionAttempts: 1,
            CustomOriginConfig: {
              ...custom,
              HTTPSPort: secure.port,
              OriginProtocolPolicy: 'https-only',
              OriginSslProtocols: { Quantity: 1, Items: ['TLSv1.2'] },
            },
          },
          {
            Id: 'spare',
            DomainName: '::1',
            CustomOriginConfig: {
              ...custom,
              HTTPPort: (spare.address() as AddressInfo).port,
              OriginProtocolPolicy: 'http-only',
              IpAddressType: 'ipv6',
            },
          },
        ],
      },
      OriginGroups: {
        Quantity: 1,
        Items: [
          {
            Id: 'both',
            FailoverCriteria: { StatusCodes: { Quantity: 2, Items: [500, 503] } },
            Members: { Quantity: 2, Items: [{ OriginId: 'secure' }, { OriginId: 'spare' }] },
          },
        ],
      },
      DefaultCacheBehavior: {
        TargetOriginId: 'both',
        ViewerProtocolPolicy: 'allow-all',
        CachePolicyId: CACHING_DISABLED,
      },
    }
  }

  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const [address, port] = running.edge.split(':')
      request({ host: address, port, path, headers: { host }, agent: false }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve(`${response.statusCode} ${body}`))
      })
        .on('error', reject)
        .end()
    })

  before(async () => {
    const authority = await TestAuthority.make()
    directory = await mkdtemp(join(tmpdir(), 'cachefront-origin-ca-'))
    const file = join(directory, 'ca.pem')
    await writeFile(file, authority.pem)
    secure = await startTlsOrigin(await authority.issue({ names: ['localhost'] }))
    await new Promise<void>((resolve) => spare.listen(0, '::1', resolve))
    running = await up(await newHome(), '--origin-ca', file)
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    client = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials, maxAttempts: 1 })
    const { Distribution: made } = await client.createDistribution({ DistributionConfig: config() })
    id = made?.Id ?? ''
    host = made?.DomainName ?? ''
    await waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id: id })
  })

  after(async () => {
    await endAll(running.home)
    await secure.close()
    spare.close()
    spare.closeAllConnections()
    client.destroy()
    await rm(directory, { recursive: true })
  })

  it('asks the first over TLS while it is there', async () => {
    assert.equal(await get('/a'), '200 over TLS')
    assert.equal(secure.handshakes[0]?.servername, 'localhost')
    assert.deepEqual((await healthOf(running.api)).origins, [])
  })

  it('asks the second when the first is gone; health, status, metrics and explain say so', async () => {
    await secure.close()
    assert.equal(await get('/b'), '200 the spare one')
    let health = await healthOf(running.api)
    // With the next lease, which comes each second.
    for (let at = 0; at < 100 && health.origins.length === 0; at++) {
      await sleep(100)
      health = await healthOf(running.api)
    }
    assert.equal(health.status, 'ok', 'an origin that fails makes no installation unwell')
    assert.deepEqual(
      health.origins.map(({ distributionId, originId, kind }) => [distributionId, originId, kind]),
      [[id, 'secure', 'refused']],
    )
    const told = await cachefront(running.home, 'status', '--json')
    const { origins } = JSON.parse(told.out) as Status
    assert.deepEqual([origins[0]?.originId, origins[0]?.failovers, origins[0]?.failing], ['secure', 1, true])
    assert.match(String(origins[0]?.last?.message), /ECONNREFUSED/)
    assert.match((await cachefront(running.home, 'status')).out, /secure +E\w+ +FAILING +2 +1 +1 /)
    const metrics = await (await fetch(`${running.api}/_cachefront/metrics`)).text()
    assert.ok(metrics.includes(`cachefront_origin_failovers_total{distribution="${id}",origin="secure"} 1`))
    assert.ok(
      metrics.includes(`cachefront_origin_failures_total{distribution="${id}",origin="secure",kind="refused"} 1`),
    )
    const explained = await cachefront(running.home, 'explain', `http://${host}/c`)
    assert.match(explained.out, /OriginGroups\.Items\[0\]/)
    assert.match(explained.out, /secure/)
    assert.match(explained.out, /spare/)
  })

  it('refuses what is wrong or not built in a group, and leaves what is stored alone', async () => {
    const { DistributionConfig: stored, ETag } = await client.getDistributionConfig({ Id: id })
    assert.equal(stored?.OriginGroups?.Items?.[0]?.SelectionCriteria, 'default')
    const update = (changes: object) => {
      const group = { ...stored?.OriginGroups?.Items?.[0], ...changes }
      const OriginGroups = { Quantity: 1, Items: [group] }
      const DistributionConfig = { ...stored, OriginGroups } as DistributionConfig
      return client.updateDistribution({ Id: id, IfMatch: ETag, DistributionConfig })
    }
    const one = { Quantity: 1, Items: [{ OriginId: 'secure' }] }
    const two = { Quantity: 3, Items: [{ OriginId: 'secure' }, { OriginId: 'spare' }] }
    for (const [changes, name, text] of [
      [{ SelectionCriteria: 'media-quality-based' }, 'NotImplemented', /OriginGroups\.Items\[0\]\.SelectionCriteria/],
      [{ Members: one }, 'InvalidOrigin', /exactly 2/],
      [{ Members: two }, 'InconsistentQuantities', /Quantity is 3/],
      [{ FailoverCriteria: { StatusCodes: { Quantity: 1, Items: [200] } } }, 'InvalidArgument', /StatusCodes/],
    ] as const) {
      await assert.rejects(update(changes), (error: Error) => error.name === name && text.test(error.message))
    }
    assert.deepEqual((await client.getDistributionConfig({ Id: id })).DistributionConfig, stored)
  })
})
