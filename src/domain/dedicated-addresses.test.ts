import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressesIn, firstFree } from './dedicated-addresses.ts'

test('the addresses of a network that distributions may have', () => {
  const rows: readonly (readonly [cidr: string, count: number | null, first?: string, last?: string])[] = [
    ['192.0.2.0/29', 6, '192.0.2.1', '192.0.2.6'],
    ['192.0.2.13/29', 6, '192.0.2.9', '192.0.2.14'],
    ['192.0.2.8/31', 2, '192.0.2.8', '192.0.2.9'],
    ['192.0.2.8/32', 1, '192.0.2.8', '192.0.2.8'],
    ['10.1.16.0/20', 4_094, '10.1.16.1', '10.1.31.254'],
    ['10.0.0.0/19', null],
    ['2001:db8::/126', 4, '2001:db8::', '2001:db8::3'],
    ['2001:db8::/64', null],
  ]
  for (const [cidr, count, first, last] of rows) {
    const all = addressesIn(cidr)
    assert.deepEqual([all?.length ?? null, all?.[0], all?.at(-1)], [count, first, last], cidr)
  }
  assert.equal(firstFree(['a', 'b'], new Set(['a'])), 'b')
  assert.equal(firstFree(['a'], new Set(['a'])), undefined)
})
