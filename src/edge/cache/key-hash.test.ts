import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyHash } from './key-hash.ts'

function hashOf(text: string, hash = new KeyHash(1, 2)): readonly [number, number] {
  hash.of(text)
  return [hash.a, hash.b]
}

test('with the same seeds the numbers are the same for ever: they lie in the records of disk caches', () => {
  assert.deepEqual(hashOf(''), [9_344_513, 2_411_613_423])
  assert.deepEqual(hashOf('E1ABC /a.jpg'), [1_312_428_946, 3_462_396_322])
  assert.deepEqual(hashOf('E1ABC /a.jpg\naccept: \u00ff'), [2_297_373_182, 195_247_110])
})

test('without seeds no two hashes agree on a key', () => {
  const made = Array.from({ length: 100 }, () => hashOf('E1ABC /a.jpg', new KeyHash()).join())
  assert.equal(new Set(made).size, made.length)
})
