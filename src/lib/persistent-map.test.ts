import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PersistentMap } from './persistent-map.ts'

const key = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 3 })
const edits = fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })), { maxLength: 20 })

test('after any edits it holds what a Map holds, and every earlier one still what it held', () => {
  fc.assert(
    fc.property(fc.array(edits, { maxLength: 8 }), (rounds) => {
      const made: [PersistentMap<number>, Map<string, number>][] = [[PersistentMap.empty(), new Map()]]
      for (const round of rounds) {
        const [persistent, plain] = made.at(-1) as [PersistentMap<number>, Map<string, number>]
        const next = new Map(plain)
        for (const [name, value] of round) value === undefined ? next.delete(name) : next.set(name, value)
        made.push([persistent.with(round), next])
      }
      for (const [persistent, plain] of made) {
        assert.equal(persistent.size, plain.size)
        assert.deepEqual([...persistent.values()].sort(), [...plain.values()].sort())
        for (const [name, value] of plain) assert.equal(persistent.get(name), value)
        assert.equal(persistent.get('absent'), undefined)
      }
    }),
  )
})
