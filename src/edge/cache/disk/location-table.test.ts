import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FLAG, LocationTable, NONE } from './location-table.ts'

test('does what a map does, whatever is set and removed', () => {
  // Few and crowded hashes, so that look-ups meet each other.
  const hash = fc.integer({ min: 0, max: 40 }).map((n) => (n % 2 === 0 ? n : 1020 + n))
  const step = fc.tuple(fc.constantFrom('set', 'remove', 'empty', 'flag'), hash, fc.nat(3), fc.nat(1000))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new LocationTable()
      const model = new Map<number, { segment: number; unit: number; flags: number }>()
      for (const [what, a, segment, unit] of steps) {
        const slot = table.find(a, 5)
        if (what === 'set') {
          table.set(a, 5, segment, unit, 1)
          model.set(a, { segment, unit, flags: 0 })
        } else if (what === 'empty') {
          const gone = [...model].filter(([, one]) => one.segment === segment)
          for (const [key] of gone) model.delete(key)
          assert.equal(table.removeSegment(segment), gone.length)
        } else if (slot !== NONE && what === 'remove') {
          table.remove(slot)
          model.delete(a)
        } else if (slot !== NONE) {
          table.flag(slot, FLAG.used)
          ;(model.get(a) as { flags: number }).flags = FLAG.used
        }
        assert.equal(table.count, model.size)
        for (const [key, { segment: inSegment, unit: at, flags }] of model) {
          const found = table.find(key, 5)
          assert.deepEqual([table.segment(found), table.unit(found), table.flags(found)], [inSegment, at, flags])
        }
      }
      for (let a = 0; a < 1100; a++) assert.equal(table.find(a, 5) !== NONE, model.has(a))
    }),
  )
})

test('grows, and lists the places of a segment in their order', () => {
  const table = new LocationTable()
  for (let n = 0; n < 10_000; n++) table.set(n * 7919, n, n % 3, 10_000 - n, 2)
  assert.equal(table.count, 10_000)
  const units = table.slotsOf(1).map((slot) => table.unit(slot))
  assert.equal(units.length, 3_333)
  assert.deepEqual(
    units,
    units.toSorted((x, y) => x - y),
  )
  assert.equal(table.removeSegment(0), 3_334)
  for (let n = 0; n < 10_000; n++) assert.equal(table.find(n * 7919, n) === NONE, n % 3 === 0)
})
