//! Goal: what is popular stays when a scan passes, and the queues never lose or invent an entry.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hitPercent, POLICIES } from '../../../test/support/policies.ts'
import { makeTrace } from '../../../test/support/traces.ts'
import { S3Fifo } from './eviction.ts'

/** A cache of `capacity` objects of one byte, driven by numbers as keys. */
function unitCache(capacity: number) {
  const eviction = new S3Fifo(capacity, capacity)
  const entries = new Map<number, number>()
  const keys: number[] = []
  const free: number[] = []
  return {
    entries,
    get(key: number): boolean {
      const entry = entries.get(key)
      if (entry !== undefined) {
        eviction.use(entry)
        return true
      }
      if (entries.size === capacity) {
        const victim = eviction.evict()
        entries.delete(keys[victim] as number)
        free.push(victim)
      }
      const fresh = free.pop() ?? keys.length
      keys[fresh] = key
      entries.set(key, fresh)
      eviction.admit(fresh, 1, Math.imul(key, 2654435761) >>> 0)
      return false
    },
  }
}

test('a scan of never-repeated keys does not push out what is used', () => {
  const cache = unitCache(100)
  for (let round = 0; round < 5; round++) for (let key = 0; key < 80; key++) cache.get(key)
  for (let key = 1_000; key < 11_000; key++) cache.get(key)
  let kept = 0
  for (let key = 0; key < 80; key++) if (cache.entries.has(key)) kept++
  assert.ok(kept >= 75, `${kept} of 80 popular objects survived a scan a hundred times the cache`)
})

test('a key that comes back soon after it left goes to the main queue', () => {
  const cache = unitCache(100)
  for (let key = 0; key < 101; key++) cache.get(key)
  assert.equal(cache.entries.has(0), false)
  cache.get(0)
  for (let key = 200; key < 280; key++) cache.get(key)
  assert.equal(cache.entries.has(0), true)
})

test('every admitted entry is evicted or removed exactly once', () => {
  const step = fc.record({ do: fc.constantFrom('admit', 'use', 'remove', 'evict'), at: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const eviction = new S3Fifo(1_000, 64)
      const present = new Set<number>()
      for (const { do: action, at } of steps) {
        if (action === 'admit' && !present.has(at)) {
          eviction.admit(at, 1 + at * 7, at)
          present.add(at)
        } else if (action === 'use' && present.has(at)) eviction.use(at)
        else if (action === 'remove' && present.delete(at)) eviction.remove(at)
        else if (action === 'evict') {
          const victim = eviction.evict()
          assert.equal(victim === -1, present.size === 0)
          if (victim !== -1) assert.ok(present.delete(victim))
        }
      }
      for (let left = present.size; left > 0; left--) assert.ok(present.delete(eviction.evict()))
      assert.equal(eviction.evict(), -1)
    }),
  )
})

test('on a trace of Zipf 0.9 with scans it has at least 5 points more hits than LRU, and without them no fewer', () => {
  const base = { objects: 20_000, requests: 400_000, zipf: 0.9, scanObjects: 10_000, shiftEvery: 0, seed: 3 }
  const gain = (scanEvery: number) => {
    const trace = makeTrace({ ...base, scanEvery })
    const [ours, lru] = ['s3-fifo', 'lru'].map((name) => {
      const policy = POLICIES.find((row) => row.name === name) ?? assert.fail()
      return hitPercent(policy, trace, 1_000, 400_000, 100_000)
    })
    return ours! - lru!
  }
  assert.ok(gain(40_000) >= 5, `${gain(40_000)} points`)
  assert.ok(gain(0) >= 5, `${gain(0)} points`)
})
