import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AddressRanges, addressWords } from './address-ranges.ts'

const v4 = fc.integer({ min: 0, max: 0xffffffff })
const textOf = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
const textOfV6 = (address: bigint): string =>
  Array.from({ length: 8 }, (_, at) => ((address >> BigInt(112 - at * 16)) & 0xffffn).toString(16)).join(':')
const has = (ranges: AddressRanges, address: string): boolean => ranges.has(addressWords(address) as Uint32Array)

test('an address is in a set when one of its ranges has the same first bits', () => {
  const cidr = fc.record({ address: v4, bits: fc.integer({ min: 0, max: 32 }) })
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 30 }), v4, fc.nat(40), (cidrs, other, pick) => {
      const ranges = new AddressRanges(cidrs.map(({ address, bits }) => `${textOf(address)}/${bits}`))
      const near = cidrs[pick]
      for (const address of near === undefined
        ? [other]
        : [other, near.address, (near.address ^ (2 ** Math.max(0, 32 - near.bits) % 0x80000000)) >>> 0]) {
        const expected = cidrs.some(
          ({ address: of, bits }) => bits === 0 || of >>> (32 - bits) === address >>> (32 - bits),
        )
        assert.equal(has(ranges, textOf(address)), expected, textOf(address))
      }
    }),
    { numRuns: 500 },
  )
})

test('the same of IPv6', () => {
  const v6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })
  const cidr = fc.record({ address: v6, bits: fc.integer({ min: 0, max: 128 }) })
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 30 }), v6, fc.nat(40), fc.nat(127), (cidrs, other, pick, bit) => {
      const ranges = new AddressRanges(cidrs.map(({ address, bits }) => `${textOfV6(address)}/${bits}`))
      const near = cidrs[pick]?.address
      for (const address of near === undefined ? [other] : [other, near, near ^ (1n << BigInt(bit))]) {
        const expected = cidrs.some(
          ({ address: of, bits }) => of >> BigInt(128 - bits) === address >> BigInt(128 - bits),
        )
        if (address >> 32n !== 0xffffn) assert.equal(has(ranges, textOfV6(address)), expected, textOfV6(address))
      }
    }),
    { numRuns: 500 },
  )
})

test('what is no range is refused', () => {
  for (const text of ['', '1.2.3/8', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/x', '::/129', '::g/8', '1.2.3.4/1.5']) {
    assert.throws(() => new AddressRanges([text]), RangeError, text)
  }
  assert.equal(addressWords('not an address'), null)
})
