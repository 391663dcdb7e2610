import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from './patience.ts'

test('time without a window is used up, however often a window opens in between', () => {
  const patience = new Patience(1_000)
  assert.equal(patience.deadline, Number.POSITIVE_INFINITY)
  patience.begin(0)
  patience.begin(500)
  assert.equal(patience.deadline, 1_000)
  patience.end(400)
  assert.equal(patience.deadline, Number.POSITIVE_INFINITY)
  patience.taken(1)
  patience.begin(2_000)
  assert.equal(patience.deadline, 2_610)
})

test('bytes that are taken bring it back, up to what it was', () => {
  const patience = new Patience(1_000)
  patience.begin(0)
  patience.end(900)
  patience.taken(50)
  patience.begin(0)
  assert.equal(patience.deadline, 600)
  patience.end(0)
  patience.taken(1_000_000)
  patience.begin(0)
  assert.equal(patience.deadline, 1_000)
})
