import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressBytes, addressNumber } from './ip.ts'

test('addresses in every spelling', () => {
  const rows: [text: string, hex: string | null][] = [
    ['192.0.2.1', 'c0000201'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['::ffff:192.0.2.1', 'c0000201'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1::', `0001${'0'.repeat(28)}`],
    ['300.1.1.1', null],
    ['', null],
    ['example.com', null],
  ]
  for (const [text, hex] of rows) {
    const bytes = addressBytes(text)
    assert.equal(bytes === null ? null : Buffer.from(bytes).toString('hex'), hex, text)
  }
  assert.equal(addressNumber(Uint8Array.from([1, 0, 0, 1])), 16_777_217n)
})
