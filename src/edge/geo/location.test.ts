import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asnOf, locationOf } from './location.ts'

test("MaxMind's shape: names in English, the largest subdivision, a metro code in the United States only", () => {
  const record = (country: string) => ({
    city: { names: { de: 'Mailand', en: 'Seattle' } },
    country: { iso_code: country, names: { en: 'Somewhere' } },
    location: { latitude: 47.54, longitude: -122.3032, metro_code: 819, time_zone: 'America/Los_Angeles' },
    postal: { code: '98108' },
    subdivisions: [
      { iso_code: 'WA', names: { en: 'Washington' } },
      { iso_code: 'KNG', names: { en: 'King' } },
    ],
  })
  assert.deepEqual(locationOf(record('US')), {
    country: 'US',
    countryName: 'Somewhere',
    region: 'WA',
    regionName: 'Washington',
    city: 'Seattle',
    latitude: '47.54000',
    longitude: '-122.30320',
    metroCode: '819',
    postalCode: '98108',
    timeZone: 'America/Los_Angeles',
  })
  assert.equal(locationOf(record('CA')).metroCode, '')
})

test('what a database lacks is derived, or empty', () => {
  const rows: [
    record: Parameters<typeof locationOf>[0],
    country: string,
    name: string,
    region: string,
    zone: string,
  ][] = [
    [{ country_code: 'DE', state1: 'Hesse', latitude: 50.11, longitude: 8.66 }, 'DE', 'Germany', 'HE', 'Europe/Berlin'],
    [{ country_code: 'US', state1: 'District of Columbia' }, 'US', 'United States', 'DC', ''],
    [{ country_code: 'NL', state1: 'Nowhere' }, 'NL', 'Netherlands', '', ''],
    [{ country: { iso_code: 'FR' } }, 'FR', 'France', '', ''],
    [{ country: { iso_code: 'France' }, location: { latitude: 'x' } }, '', '', '', ''],
    [{}, '', '', '', ''],
    [null, '', '', '', ''],
    ['text', '', '', '', ''],
    [[], '', '', '', ''],
  ]
  for (const [record, country, name, region, zone] of rows) {
    const found = locationOf(record)
    assert.deepEqual([found.country, found.countryName, found.region, found.timeZone], [country, name, region, zone])
  }
})

test('autonomous systems in the shapes that are known', () => {
  assert.equal(asnOf({ autonomous_system_number: 15_169 }), '15169')
  assert.equal(asnOf({ asn: 'AS13335' }), '13335')
  assert.equal(asnOf({ asn: '' }), '')
  assert.equal(asnOf({ autonomous_system_number: 0 }), '')
  assert.equal(asnOf(null), '')
})
