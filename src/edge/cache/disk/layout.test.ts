import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DISK_BYTES_MIN, sharesOf } from './layout.ts'

const MIB = 1024 * 1024

test('whatever the limit, files and journals together stay within it, and there are at least three segments', () => {
  for (let limit = DISK_BYTES_MIN; limit < 2 ** 46; limit = Math.floor(limit * 1.37)) {
    for (const before of [null, MIB, 8 * MIB, 64 * MIB]) {
      const { segmentBytes, segments, journalBytes, pendingBytes } = sharesOf(limit, before)
      assert.ok(segments >= 3 && segments <= 65_534, `${limit}: ${segments}`)
      assert.ok(segments * segmentBytes + 3 * journalBytes <= limit, `${limit}`)
      assert.ok(pendingBytes >= MIB)
    }
  }
})

test('a store keeps the size of its segments while the limit allows it', () => {
  assert.equal(sharesOf(1024 * MIB).segmentBytes, 64 * MIB)
  assert.equal(sharesOf(256 * MIB, 64 * MIB).segmentBytes, 64 * MIB)
  assert.notEqual(sharesOf(100 * MIB, 64 * MIB).segmentBytes, 64 * MIB)
})
