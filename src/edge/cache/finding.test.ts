import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Finding, findingOf, isSameAnswer, mayStandIn } from './finding.ts'
import type { Standing } from './invalidation.ts'

/** Fresh up to 100, served behind up to 200, in place of errors up to 300. */
const BOTH = { freshUntil: 100, swrUntil: 200, staleUntil: 300 }
/** must-revalidate, or neither directive and MaxTTL reached. */
const NEITHER = { freshUntil: 100, swrUntil: 100, staleUntil: 100 }
/** stale-if-error=0 with stale-while-revalidate=100. */
const BEHIND_ONLY = { freshUntil: 100, swrUntil: 200, staleUntil: 100 }

const ROWS: readonly [object: typeof BOTH, now: number, standing: Standing, finding: Finding][] = [
  [BOTH, 99, 'valid', 'fresh'],
  [BOTH, 100, 'valid', 'refresh-behind'],
  [BOTH, 199, 'valid', 'refresh-behind'],
  [BOTH, 200, 'valid', 'expired'],
  [NEITHER, 100, 'valid', 'expired'],
  [BOTH, 1, 'dead', 'invalidated'],
  [BOTH, 150, 'dead', 'invalidated'],
  [BOTH, 1, 'soft', 'refresh-behind'],
  [BOTH, 299, 'soft', 'refresh-behind'],
  [BOTH, 300, 'soft', 'expired'],
  [NEITHER, 99, 'soft', 'refresh-behind'],
  [NEITHER, 100, 'soft', 'expired'],
  [BEHIND_ONLY, 199, 'soft', 'refresh-behind'],
]

test('what a lookup finds, by time and invalidations', () => {
  for (const [object, now, standing, finding] of ROWS) {
    assert.equal(findingOf(object, now, standing), finding, `${JSON.stringify(object)} at ${now}, ${standing}`)
  }
})

test('whatever the times: dead is never served, stale never as fresh, and nothing after its last hour', () => {
  const times = fc.record({ freshUntil: fc.nat(50), swrUntil: fc.nat(50), staleUntil: fc.nat(50) })
  fc.assert(
    fc.property(times, fc.nat(60), fc.constantFrom<Standing>('valid', 'soft', 'dead'), (object, now, standing) => {
      const finding = findingOf(object, now, standing)
      assert.equal(finding === 'invalidated', standing === 'dead')
      if (finding === 'fresh') assert.ok(standing === 'valid' && now < object.freshUntil)
      if (finding === 'refresh-behind') assert.ok(now < Math.max(object.freshUntil, object.swrUntil, object.staleUntil))
      if (finding === 'expired') assert.ok(now >= object.freshUntil)
    }),
    { numRuns: 1_000 },
  )
})

test('an object stands in for a failing origin as long as either directive lets it', () => {
  assert.equal(mayStandIn(BOTH, 299), true)
  assert.equal(mayStandIn(BOTH, 300), false)
  assert.equal(mayStandIn(BEHIND_ONLY, 199), true)
  assert.equal(mayStandIn(NEITHER, 100), false)
})

test('an answer is known again by its birth and the revision of its fetch', () => {
  assert.equal(isSameAnswer({ bornAt: 1, asOf: 2 }, { bornAt: 1, asOf: 2 }), true)
  assert.equal(isSameAnswer({ bornAt: 1, asOf: 2 }, { bornAt: 1, asOf: 3 }), false)
  assert.equal(isSameAnswer({ bornAt: 1, asOf: 2 }, { bornAt: 2, asOf: 2 }), false)
})
