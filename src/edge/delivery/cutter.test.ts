import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Cutter } from './cutter.ts'

test('however an object arrives, its pieces come out whole, in order, and as early as they can', () => {
  const cuts = fc.uniqueArray(fc.nat(99), { minLength: 2, maxLength: 12 })
  fc.assert(
    fc.property(cuts, fc.array(fc.nat(30)), (points, sizes) => {
      const object = Buffer.from(Array.from({ length: 100 }, (_, at) => at))
      const sorted = points.toSorted((a, b) => a - b)
      const ranges = sorted.flatMap((first, at) => {
        const last = sorted[at + 1]
        return at % 2 === 0 && last !== undefined ? [{ first, last }] : []
      })
      const pieces = ranges.flatMap((range) => ['<', range, '>'])
      const cutter = new Cutter(pieces)
      const out: Uint8Array[] = []
      let at = 0
      for (const size of [...sizes, 100]) {
        if (cutter.done) break
        out.push(...cutter.take(object.subarray(at, at + size)))
        at = Math.min(100, at + size)
        assert.equal(cutter.done, at > (ranges.at(-1)?.last ?? 0))
      }
      const expected = pieces.map((piece) =>
        typeof piece === 'string' ? Buffer.from(piece) : object.subarray(piece.first, piece.last + 1),
      )
      assert.deepEqual(Buffer.concat(out), Buffer.concat(expected))
    }),
    { numRuns: 500 },
  )
})
