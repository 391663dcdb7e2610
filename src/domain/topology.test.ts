import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REGIONS } from './regions.ts'
import { POPS_MAX, popsFor, topologyOf } from './topology.ts'

test('a network by its size: POPs of different names and regions behind one regional edge cache at home', () => {
  const { pops, regionals } = topologyOf(POPS_MAX, 'eu-north-1')
  assert.equal(new Set(pops.map(({ name }) => name)).size, POPS_MAX)
  assert.equal(new Set(pops.map(({ region }) => region)).size, POPS_MAX)
  assert.deepEqual(regionals, [{ name: 'REC-eu-north-1', region: 'eu-north-1', everywhere: true }])
  assert.ok(pops.every(({ regional }) => regional === 'REC-eu-north-1'))
  assert.equal(pops[0]?.name, 'ARN50-C1')
})

test('one POP has no regional edge cache, and a region that no map has is a place of its own', () => {
  assert.deepEqual(topologyOf(1, 'xx-test-1'), {
    pops: [{ name: 'LOC50-C1', region: 'xx-test-1', regional: null }],
    regionals: [],
  })
})

test('the airports are different', () => {
  const airports = Object.values(REGIONS).map(({ airport }) => airport)
  assert.equal(new Set(airports).size, airports.length)
})

const CASES = [
  ['PriceClass_100', ['us-east-1', 'ca-central-1', 'mx-central-1', 'eu-central-1', 'il-central-1']],
  ['PriceClass_200', ['us-east-1', 'ca-central-1', 'mx-central-1', 'eu-central-1', 'il-central-1', 'ap-northeast-1', 'me-south-1', 'af-south-1', 'xx-new-1', 'ap-new-9']],
  ['PriceClass_All', null],
  [undefined, null],
] as const // biome-ignore format: a table

const EVERY = ['us-east-1', 'ca-central-1', 'mx-central-1', 'eu-central-1', 'il-central-1', 'ap-northeast-1', 'me-south-1',
  'af-south-1', 'xx-new-1', 'ap-new-9', 'sa-east-1', 'ap-southeast-2'] // biome-ignore format: a table

for (const [priceClass, expected] of CASES) {
  test(`${priceClass} leaves out the POPs of other regions`, () => {
    const pops = EVERY.map((region) => ({ name: region, region, regional: null }))
    const found = popsFor(priceClass === undefined ? {} : { priceClass }, { pops, regionals: [] })
    const regions = (expected ?? EVERY) as readonly string[]
    const more = priceClass === 'PriceClass_100' ? [...regions, 'xx-new-1'] : regions
    assert.deepEqual(new Set(found.pops.map(({ region }) => region)), new Set(more))
    assert.equal(found.ipv6, false)
  })
}

test('a distribution whose price class has no POP here is reached at all of them', () => {
  const topology = topologyOf(1, 'sa-east-1')
  assert.deepEqual(popsFor({ priceClass: 'PriceClass_100', ipv6: true }, topology), { pops: topology.pops, ipv6: true })
})
