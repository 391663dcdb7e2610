import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PopHealth } from './installation.ts'
import { IpRangesFile } from './ip-ranges.ts'

const pop = (name: string, region: string, http: string | null): PopHealth => ({ name, region, http, https: null })
const info = (address: string) => ({ address }) as never
const INTERFACES = {
  lo: [info('127.0.0.1'), info('::1')],
  eth0: [info('10.1.2.3'), info('2001:db8::5'), info('fe80::1%eth0'), info('169.254.3.4')],
}

test('listening addresses with their regions, and all that connections to origins may come from', () => {
  const file = new IpRangesFile({ wall: () => Date.UTC(2026, 10, 30, 1, 2, 3, 400) }, () => INTERFACES)
  const ranges = file.of([
    pop('FRA50-C1', 'eu-central-1', '127.0.0.5:80'),
    pop('IAD50-C1', 'us-east-1', '[2001:db8::5]:80'),
    pop('X', 'x', null),
  ])
  const facing = { region: 'GLOBAL', service: 'CLOUDFRONT_ORIGIN_FACING', network_border_group: 'GLOBAL' }
  assert.deepEqual(ranges, {
    syncToken: String(Date.UTC(2026, 10, 30, 1, 2, 3) / 1_000),
    createDate: '2026-11-30-01-02-03',
    prefixes: [
      {
        ip_prefix: '127.0.0.5/32',
        region: 'eu-central-1',
        service: 'CLOUDFRONT',
        network_border_group: 'eu-central-1',
      },
      { ip_prefix: '10.1.2.3/32', ...facing },
      { ip_prefix: '127.0.0.1/32', ...facing },
    ],
    ipv6_prefixes: [
      { ipv6_prefix: '2001:db8::5/128', region: 'us-east-1', service: 'CLOUDFRONT', network_border_group: 'us-east-1' },
      { ipv6_prefix: '2001:db8::5/128', ...facing },
      { ipv6_prefix: '::1/128', ...facing },
    ],
  })
})

test('an edge on every address is reached at each; the date is that of the last change', () => {
  let now = 1_000_000
  const file = new IpRangesFile({ wall: () => now }, () => INTERFACES)
  const addresses = (listens: string) => {
    const { prefixes, ipv6_prefixes } = file.of([pop('A', 'eu-west-1', listens)])
    const viewers = [
      ...prefixes.map((row) => [row.service, row.ip_prefix]),
      ...ipv6_prefixes.map((row) => [row.service, row.ipv6_prefix]),
    ]
    return viewers.filter(([service]) => service === 'CLOUDFRONT').map(([, prefix]) => prefix)
  }
  assert.deepEqual(addresses('0.0.0.0:80'), ['10.1.2.3/32', '127.0.0.1/32'])
  assert.deepEqual(addresses('[::]:80'), ['10.1.2.3/32', '127.0.0.1/32', '2001:db8::5/128', '::1/128'])
  now = 2_000_000
  assert.equal(file.of([pop('A', 'eu-west-1', '[::]:80')]).syncToken, '1000')
  assert.equal(file.of([]).syncToken, '2000')
})
