import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REMEMBERED_KEYS_MAX, RememberedKeys } from './remembered-keys.ts'

test('keys are remembered with their values, and forgotten', () => {
  const keys = new RememberedKeys<string>()
  assert.equal(keys.get('a'), undefined)
  keys.set('a', 'one')
  keys.set('b', 'two')
  assert.deepEqual([keys.get('a'), keys.get('b'), keys.has('c')], ['one', 'two', false])
  keys.delete('a')
  assert.deepEqual([keys.has('a'), keys.size], [false, 1])
})

test('over the limit the oldest go, one for one; what was remembered again is not old', () => {
  const keys = new RememberedKeys(3)
  for (const key of ['a', 'b', 'c']) keys.set(key, true)
  keys.set('a', true)
  keys.set('d', true)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => keys.has(key)),
    [true, false, true, true],
  )
})

test('a flood of long keys takes a few bytes for each and makes the others forgotten only one by one', () => {
  const keys = new RememberedKeys()
  const long = 'x'.repeat(8_000)
  for (let at = 0; at < REMEMBERED_KEYS_MAX - 1; at++) keys.set(`E1 /${at}`, true)
  keys.set('E1 /popular', true)
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < 2_000; at++) keys.set(`E1 /${long}${at}`, true)
  assert.equal(keys.size, REMEMBERED_KEYS_MAX)
  assert.equal(keys.has('E1 /popular'), true)
  // 2,000 keys of 8,000 characters would be 16 MB at least.
  assert.ok(process.memoryUsage().heapUsed - before < 12_000_000)
})
