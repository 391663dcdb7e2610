import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressVersion, normalCidr } from './cidr.ts'

const ROWS: readonly (readonly [text: string, version: AddressVersion, normal: string | null])[] = [
  ['192.0.2.44/32', 'IPV4', '192.0.2.44/32'],
  ['192.0.2.44/24', 'IPV4', '192.0.2.0/24'],
  ['255.255.255.255/1', 'IPV4', '128.0.0.0/1'],
  ['10.20.30.40/13', 'IPV4', '10.16.0.0/13'],
  ['0.0.0.0/0', 'IPV4', null],
  ['192.0.2.44', 'IPV4', null],
  ['192.0.2.44/33', 'IPV4', null],
  ['192.0.2.44/024', 'IPV4', null],
  ['192.0.2.44/24/8', 'IPV4', null],
  ['192.0.2.044/32', 'IPV4', null],
  ['192.0.2/24', 'IPV4', null],
  [' 192.0.2.0/24', 'IPV4', null],
  ['::1/128', 'IPV4', null],
  ['::1/128', 'IPV6', '0000:0000:0000:0000:0000:0000:0000:0001/128'],
  ['2001:DB8:1:2:3:4:5:6/33', 'IPV6', '2001:0db8:0000:0000:0000:0000:0000:0000/33'],
  ['::ffff:192.0.2.1/128', 'IPV6', '0000:0000:0000:0000:0000:ffff:c000:0201/128'],
  ['ffff::/1', 'IPV6', '8000:0000:0000:0000:0000:0000:0000:0000/1'],
  ['::/0', 'IPV6', null],
  ['::1/129', 'IPV6', null],
  ['fe80::1%eth0/64', 'IPV6', null],
  ['192.0.2.1/32', 'IPV6', null],
]

test('ranges in their normal form; what is none is null', () => {
  for (const [text, version, normal] of ROWS) assert.equal(normalCidr(text, version), normal, text)
})
