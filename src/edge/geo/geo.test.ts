import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reader, type Response } from 'mmdb-lib'
import { addressBytes } from '../../lib/ip.ts'
import { databaseFiles } from './databases.ts'
import { Geo } from './geo.ts'
import { Mmdb } from './mmdb.ts'

const fails = (message: string): void => assert.fail(message)

test('addresses that everybody knows, by the packages that npm installs', () => {
  const geo = new Geo([], fails)
  const rows: [
    address: string,
    country: string,
    name: string,
    region: string,
    city: string,
    zone: string,
    asn: string,
  ][] = [
    ['8.8.8.8', 'US', 'United States', 'CA', 'Mountain View', 'America/Los_Angeles', '15169'],
    ['81.2.69.142', 'GB', 'United Kingdom', 'ENG', 'London', 'Europe/London', '20712'],
    ['1.1.1.1', 'AU', 'Australia', 'NSW', 'Sydney', 'Australia/Sydney', '13335'],
    ['::ffff:8.8.8.8', 'US', 'United States', 'CA', 'Mountain View', 'America/Los_Angeles', '15169'],
  ]
  for (const [address, country, name, region, city, zone, asn] of rows) {
    const found = geo.find(address)
    assert.deepEqual(
      [found.country, found.countryName, found.region, found.city, found.timeZone, found.asn],
      [country, name, region, city, zone, asn],
      address,
    )
    assert.match(found.latitude, /^-?\d+\.\d{5}$/)
  }
  const german = geo.find('2a02:2e0::1')
  assert.deepEqual([german.country, german.region, german.timeZone, german.asn], ['DE', 'HE', 'Europe/Berlin', '12306'])
})

test('an address that nobody has is nowhere', () => {
  const geo = new Geo([], fails)
  for (const address of ['127.0.0.1', '10.0.0.1', '::1', '203.0.113.9', 'fe80::1', 'nonsense', '']) {
    const found = geo.find(address)
    assert.deepEqual([found.country, found.city, found.latitude, found.asn], ['', '', '', ''], address)
  }
})

test('reads what the public reader reads', () => {
  const [path = ''] = databaseFiles([]).places
  const ours = new Mmdb(path)
  const theirs = new Reader<Response>(readFileSync(path))
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.deepEqual(ours.find(addressBytes(address) as Uint8Array), theirs.get(address))
    }),
    { numRuns: 3_000 },
  )
})

test('a file that is none, or is cut off, is named and answers nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-geo-'))
  t.after(() => rm(directory, { recursive: true }))
  const whole = readFileSync(databaseFiles([]).places[0] as string)
  const files = {
    'none.mmdb': Buffer.from('hello'),
    'empty.mmdb': Buffer.alloc(0),
    // The metadata is at the end: here it speaks of a tree that is not there.
    'cut.mmdb': whole.subarray(whole.length - 4_000),
  }
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(directory, name)
    await writeFile(path, bytes)
    const said: string[] = []
    const geo = new Geo([path, join(directory, 'absent.mmdb')], (message) => said.push(message))
    assert.equal(geo.find('8.8.8.8').country, '')
    assert.equal(geo.find('8.8.4.4').country, '')
    assert.equal(said.filter((line) => line.includes(path)).length, 1, said.join('\n'))
    assert.equal(said.filter((line) => line.includes('absent.mmdb')).length, 1)
    assert.equal(geo.placesAddresses, false)
  }
})

test('a file that is replaced answers from the next look on; one that is damaged does not take its place', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-geo-'))
  t.after(() => rm(directory, { recursive: true }))
  const [ipv4 = '', ipv6 = ''] = databaseFiles([]).places
  const path = join(directory, 'places.mmdb')
  const replaceBy = async (bytes: Uint8Array) => {
    await writeFile(`${path}.new`, bytes)
    await rename(`${path}.new`, path)
  }
  await replaceBy(readFileSync(ipv6))
  const said: string[] = []
  const geo = new Geo([path], (message) => said.push(message))
  assert.deepEqual([geo.find('8.8.8.8').country, geo.find('2a02:2e0::1').country], ['', 'DE'])
  geo.takeReplaced()
  assert.equal(geo.find('2a02:2e0::1').country, 'DE')
  const whole = readFileSync(ipv4)
  await replaceBy(whole)
  geo.takeReplaced()
  assert.deepEqual([geo.find('8.8.8.8').country, geo.find('2a02:2e0::1').country], ['US', ''])
  for (const damaged of [Buffer.from('hello'), whole.subarray(whole.length - 4_000)]) {
    await replaceBy(damaged)
    said.length = 0
    geo.takeReplaced()
    geo.takeReplaced()
    assert.equal(said.length, 1, said.join('\n'))
    assert.match(said[0]!, /places\.mmdb cannot be read/)
    assert.equal(geo.find('8.8.4.4').country, 'US')
    assert.equal(geo.placesAddresses, true)
  }
})
