import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rdbOf } from '../../../test/support/rdb.ts'
import { Crc64 } from './crc64.ts'
import { RdbError, RdbReader, rdbVersion, rdbVersionMax } from './rdb.ts'

const rdb = (checksum: 'right' | 'none' | 'wrong' = 'right'): Buffer => rdbOf('k', Buffer.from('value'), checksum)

function read(bytes: Buffer, piece = bytes.length) {
  const reader = new RdbReader()
  for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece))
  return reader.end()
}

test('CRC-64 as redis computes it, in steps of any length', () => {
  const crc = new Crc64()
  crc.update(Buffer.from('123456789'))
  // The check value in redis's crc64.c.
  assert.equal(crc.value, 0xe9c6d914c4b8d9can)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
      const [whole, parts] = [new Crc64(), new Crc64()]
      whole.update(bytes)
      parts.update(bytes.subarray(0, at))
      parts.update(bytes.subarray(at))
      assert.equal(whole.value, parts.value)
    }),
  )
})

test('what an RDB says of itself, in pieces of any size', () => {
  for (let piece = 1; piece < 30; piece++) {
    assert.deepEqual(read(rdb(), piece), {
      bytes: rdb().length,
      version: 10,
      engineVersion: '7.0.15',
      usedMemoryBytes: 1048576,
    })
  }
  assert.equal(read(rdb('none')).version, 10)
})

test('a damaged or cut RDB, or something else, is refused', () => {
  assert.throws(() => read(rdb('wrong')), RdbError)
  for (let length = 0; length < rdb().length; length++)
    assert.throws(() => read(rdb().subarray(0, length), 7), RdbError)
  const changed = rdb()
  for (let at = 9; at < changed.length; at++) {
    changed[at]! ^= 0x10
    assert.throws(() => read(changed), RdbError, `byte ${at}`)
    changed[at]! ^= 0x10
  }
  assert.throws(() => read(Buffer.from('GIF89a, and quite a lot more')), /does not begin as an RDB/)
})

test('versions of formats and engines', () => {
  assert.equal(rdbVersion(Buffer.from('VALKEY080')), 80)
  assert.equal(rdbVersionMax('redis', '7.0.15'), 10)
  assert.equal(rdbVersionMax('valkey', '8.1.3'), 11)
  assert.equal(rdbVersionMax('redis', '99.0.0'), null)
})
