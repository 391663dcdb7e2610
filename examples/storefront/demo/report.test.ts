//! What the demo prints is arithmetic over samples; this is that arithmetic.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawTable, drawTiers, quantile, tierRows } from './report.ts'
import type { AnsweredBy, Sample } from './visitors.ts'

const sample = (answeredBy: AnsweredBy, ms: number): Sample => ({ at: 0, ms, answeredBy, products: 1 })

test('a quantile is a value that was measured, by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
  assert.equal(quantile(hundred, 0.5), 50)
  assert.equal(quantile(hundred, 0.99), 99)
  assert.equal(quantile(hundred, 1), 100)
  assert.equal(quantile([3], 0.01), 3)
  assert.ok(Number.isNaN(quantile([], 0.5)))
})

test('each tier that answered has one row, with its share of all', () => {
  const rows = tierRows([sample('database', 9), sample('edge hit', 1), sample('edge hit', 2), sample('edge hit', 3)])
  assert.deepEqual(rows, [
    { answeredBy: 'edge hit', requests: 3, share: 0.75, p50Ms: 2, p99Ms: 3 },
    { answeredBy: 'database', requests: 1, share: 0.25, p50Ms: 9, p99Ms: 9 },
  ])
  assert.match(drawTiers(rows), /^database +1 +25\.0 % +9\.00 +9\.00$/m)
})

test('columns are as wide as their widest cell', () => {
  assert.equal(drawTable(['a', 'long'], [['wide one', '1']]), 'a         long\n--------  ----\nwide one     1')
})
