//! The name server of the running program: three POPs, a distribution made by the AWS CLI, names asked by `dig`; a POP
//! that is taken down, and control killed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { awsJson } from '../../support/api-programs.ts'
import {
  cachefront,
  distributionIsDeployed,
  endAll,
  healthOf,
  type Installation,
  killed,
  newHome,
  up,
} from '../../support/program-installation.ts'

const run = promisify(execFile)

const config = {
  CallerReference: 'names',
  Comment: '',
  Enabled: true,
  IsIPV6Enabled: true,
  PriceClass: 'PriceClass_100',
  Origins: {
    Quantity: 1,
    Items: [
      {
        Id: 'shop',
        DomainName: '127.0.0.1',
        CustomOriginConfig: { HTTPPort: 8000, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
      },
    ],
  },
  DefaultCacheBehavior: {
    TargetOriginId: 'shop',
    ViewerProtocolPolicy: 'allow-all',
    CachePolicyId: '658327ea-f89d-4fab-a63d-7e88639e58f6',
  },
}

describe('names of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  before(async () => {
    home = await newHome()
    running = await up(home, '--region', 'eu-central-1', '--pops', '3', '--workers', '2', '--dns-listen', '127.0.0.1:0')
  })
  after(() => endAll(home))

  test('lead to the nearest POP that is up, also when control is gone', async () => {
    const made = await awsJson(
      running.api,
      'cloudfront',
      'create-distribution',
      '--distribution-config',
      JSON.stringify(config),
    )
    const { Id, DomainName } = made.Distribution
    await distributionIsDeployed(running.api, Id)
    const health = await healthOf(running.api)
    const [, port = ''] =
      /^answers at 127\.0\.0\.1:(\d+)$/.exec(health.parts.find(({ name }) => name === 'dns')?.detail ?? '') ?? []
    assert.ok(running.printed.includes(`127.0.0.1:${port}`), running.printed)
    const addressOf = (region: string) =>
      health.pops.find((pop) => pop.region === region)?.http?.replace(/:\d+$/, '') ?? assert.fail(`no POP in ${region}`)
    const dig = async (subnet: string, type = 'A') => {
      const args = ['@127.0.0.1', '-p', port, '+short', '+tries=1', '+time=5', `+subnet=${subnet}`, DomainName, type]
      return (await run('dig', args)).stdout.trim()
    }
    const regions = health.pops.map(({ region }) => region)
    assert.ok(regions.includes('eu-central-1') && regions.includes('us-east-1'), regions.join())
    assert.equal(await dig('81.2.69.142/32'), addressOf('eu-central-1'))
    assert.equal(await dig('8.8.8.8/24'), addressOf(regions.includes('us-west-1') ? 'us-west-1' : 'us-east-1'))
    // No POP of this network has an address of IPv6.
    assert.equal(await dig('81.2.69.142/32', 'AAAA'), '')
    const name = health.pops.find((pop) => pop.region === 'eu-central-1')?.name ?? ''
    assert.equal((await cachefront(home, 'pops', 'down', name)).code, 0)
    assert.notEqual(await dig('81.2.69.142/32'), addressOf('eu-central-1'))
    assert.equal((await cachefront(home, 'pops', 'up', name)).code, 0)
    assert.equal(await dig('81.2.69.142/32'), addressOf('eu-central-1'))
    await killed(running.control)
    for (let at = 0; at < 10; at++) assert.equal(await dig('81.2.69.142/32'), addressOf('eu-central-1'))
  })
})
