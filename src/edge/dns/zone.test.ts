import assert from 'node:assert/strict'
import { test } from 'node:test'
import { centreOf } from '../../domain/country-centres.ts'
import { distanceKm } from '../../domain/distance.ts'
import type { DistributionDoc } from '../../domain/distribution.ts'
import type { Topology } from '../../domain/topology.ts'
import { compileSnapshot } from '../snapshot/assemble.ts'
import { answerOf, nearestFirst, type Zone } from './zone.ts'

const FRANKFURT = { name: 'FRA50-C1', region: 'eu-central-1', regional: null, latitude: 50.04, longitude: 8.56 }
const VIRGINIA = { name: 'IAD50-C1', region: 'us-east-1', regional: null, latitude: 38.94, longitude: -77.46 }
const SYDNEY = { name: 'SYD50-C1', region: 'ap-southeast-2', regional: null, latitude: -33.94, longitude: 151.17 }
const topology: Topology = { pops: [VIRGINIA, FRANKFURT, SYDNEY], regionals: [] }

test('distances, and where the viewers of a country are', () => {
  assert.ok(Math.abs(distanceKm(FRANKFURT, VIRGINIA) - 6_550) < 100)
  assert.equal(Math.round(distanceKm(SYDNEY, SYDNEY)), 0)
  // Over the date line.
  const [fiji, samoa] = [
    { latitude: -18, longitude: 178 },
    { latitude: -14, longitude: -171 },
  ]
  assert.ok(distanceKm(fiji, samoa) < 1_300)
  const nearest = (country: string) => nearestFirst(topology.pops, centreOf(country))[0]?.name
  assert.deepEqual(['DE', 'US', 'NZ', 'GB', 'BR'].map(nearest), [
    'FRA50-C1',
    'IAD50-C1',
    'SYD50-C1',
    'FRA50-C1',
    'IAD50-C1',
  ])
  assert.equal(centreOf('XX'), null)
  assert.equal(nearestFirst(topology.pops, null)[0], VIRGINIA)
  const nowhere = { name: 'LOC50-C1', region: 'x', regional: null }
  assert.equal(nearestFirst([nowhere, SYDNEY], FRANKFURT)[0], SYDNEY)
})

const document = (changes: Partial<DistributionDoc>): DistributionDoc => ({
  id: 'E1',
  domainName: 'd1.cloudfront.localhost',
  enabled: true,
  aliases: [],
  defaultRootObject: '',
  httpVersion: 'http2',
  origins: [],
  behaviors: [],
  ...changes,
})
const snapshot = compileSnapshot(
  1,
  [
    document({ aliases: ['www.example.com', '*.example.net'] }),
    document({ id: 'E2', domainName: 'd2.cloudfront.localhost', ipv6: true }),
    document({ id: 'E3', domainName: 'd3.cloudfront.localhost', priceClass: 'PriceClass_100' }),
    document({ id: 'E4', domainName: 'd4.cloudfront.localhost', enabled: false }),
    document({
      id: 'E5',
      domainName: 'd5.cloudfront.localhost',
      aliases: ['own.test'],
      dedicatedAddress: '192.0.2.80',
    }),
  ],
  null,
  (_id, error) => assert.fail(error),
)
const zone: Zone = {
  edgeDomain: 'cloudfront.localhost',
  topology,
  addresses: new Map([
    ['IAD50-C1', { v4: ['192.0.2.1'], v6: ['2001:db8::1'] }],
    ['FRA50-C1', { v4: ['192.0.2.2'], v6: ['2001:db8::2'] }],
    ['SYD50-C1', { v4: ['192.0.2.3'], v6: [] }],
  ]),
  server: { v4: ['192.0.2.53'], v6: [] },
}

const ALL = ['IAD50-C1', 'FRA50-C1', 'SYD50-C1']
/** What comes, in short: addresses, types of records, or why nothing. */
function ask(name: string, type: string, country: string, down: readonly string[] = []): string {
  const { rcode, answers, negative, ttl } = answerOf(
    { name, type },
    centreOf(country),
    { ...snapshot, down: new Set(down) },
    zone,
  )
  assert.equal(ttl, down.length > 0 ? 10 : 60)
  if (rcode !== 'NOERROR') return rcode
  assert.equal(negative, answers.length === 0)
  return answers.map((record) => ('data' in record ? record.data : record.type)).join(' ') || 'NODATA'
}

test('each name, type and viewer', () => {
  const rows: [name: string, type: string, country: string, down: string[], gets: string][] = [
    ['d1.cloudfront.localhost', 'A', 'DE', [], '192.0.2.2'],
    ['D1.CloudFront.localhost', 'A', 'US', [], '192.0.2.1'],
    ['d1.cloudfront.localhost', 'A', 'NZ', [], '192.0.2.3'],
    ['d1.cloudfront.localhost', 'A', 'XX', [], '192.0.2.1'],
    ['d1.cloudfront.net', 'A', 'DE', [], '192.0.2.2'],
    ['www.example.com', 'A', 'DE', [], '192.0.2.2'],
    ['a.b.example.net', 'A', 'DE', [], '192.0.2.2'],
    // An address of its own, wherever the asker is.
    ['d5.cloudfront.localhost', 'A', 'NZ', [], '192.0.2.80'],
    ['own.test', 'A', 'DE', [], '192.0.2.80'],
    ['own.test', 'AAAA', 'DE', [], 'NODATA'],
    // IPv6 is off, on, and on where the POP has none.
    ['d1.cloudfront.localhost', 'AAAA', 'DE', [], 'NODATA'],
    ['d2.cloudfront.localhost', 'AAAA', 'DE', [], '2001:db8::2'],
    ['d2.cloudfront.localhost', 'AAAA', 'NZ', [], 'NODATA'],
    // Sydney is in no POP of PriceClass_100; a New Zealander goes to the next one.
    ['d3.cloudfront.localhost', 'A', 'NZ', [], '192.0.2.1'],
    ['d4.cloudfront.localhost', 'A', 'DE', [], '192.0.2.2'],
    // The nearest one that is up.
    ['d1.cloudfront.localhost', 'A', 'DE', ['FRA50-C1'], '192.0.2.1'],
    ['d1.cloudfront.localhost', 'A', 'NZ', ['SYD50-C1', 'IAD50-C1'], '192.0.2.2'],
    ['d3.cloudfront.localhost', 'A', 'DE', ['FRA50-C1', 'IAD50-C1'], '192.0.2.3'],
    ['d1.cloudfront.localhost', 'A', 'DE', ALL, 'SERVFAIL'],
    ['d1.cloudfront.localhost', 'TXT', 'DE', [], 'NODATA'],
    ['d1.cloudfront.localhost', 'ANY', 'DE', [], 'HINFO'],
    ['d9.cloudfront.localhost', 'A', 'DE', [], 'NXDOMAIN'],
    ['x.d1.cloudfront.localhost', 'A', 'DE', [], 'NXDOMAIN'],
    ['cloudfront.localhost', 'SOA', 'DE', [], 'SOA'],
    ['cloudfront.localhost', 'NS', 'DE', [], 'NS'],
    ['cloudfront.localhost', 'A', 'DE', [], 'NODATA'],
    ['ns.cloudfront.localhost', 'A', 'DE', [], '192.0.2.53'],
    ['example.org', 'A', 'DE', [], 'REFUSED'],
    ['notcloudfront.localhost', 'A', 'DE', [], 'REFUSED'],
    ['.', 'NS', 'DE', [], 'REFUSED'],
  ]
  for (const [name, type, country, down, gets] of rows) {
    assert.equal(ask(name, type, country, down), gets, `${name} ${type} ${country} ${down}`)
  }
})
