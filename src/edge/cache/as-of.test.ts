import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asOfNow, nextAfter } from './as-of.ts'

test('points after a revision grow, and stay before the next revision', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 30), (revision) => {
      let point = revision
      for (let i = 0; i < 1_000; i++) {
        const next = nextAfter(point)
        assert.ok(next > point && next < revision + 1)
        point = next
      }
      assert.equal(JSON.parse(JSON.stringify(point)), point)
    }),
  )
  assert.ok(nextAfter(-1) > -1)
})

test('what begins now is as of the newest that is known, of the feed or of the POP', () => {
  const edge = (revision: number, invalidated: number) => ({
    snapshot: { revision },
    invalidations: { revision: invalidated },
  })
  assert.equal(asOfNow(edge(5, 3)), 5)
  assert.equal(asOfNow(edge(5, nextAfter(5))), nextAfter(5))
})
