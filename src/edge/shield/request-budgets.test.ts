import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestBudget } from '../listen/viewer.ts'
import { RequestBudgets } from './request-budgets.ts'

const LIMITS = { perSecond: 10, burst: 5 }
const nobody = (): boolean => false
const times = (budget: RequestBudget, count: number, now: number) => {
  const verdicts = { within: 0, over: 0, 'far-over': 0 }
  for (let n = 0; n < count; n++) verdicts[budget.take(now)]++
  return verdicts
}

test('so many at once, so many a second; who goes on is told a hundred times, then no more', () => {
  const budgets = new RequestBudgets(LIMITS, nobody)
  const budget = budgets.of('192.0.2.1', 0)
  assert.deepEqual(times(budget, 7, 0), { within: 5, over: 2, 'far-over': 0 })
  assert.deepEqual(times(budget, 4, 300), { within: 3, over: 1, 'far-over': 0 })
  assert.equal(budgets.isShut('192.0.2.1', 300), false)
  assert.deepEqual(times(budget, 200, 300), { within: 0, over: 99, 'far-over': 101 })
  assert.equal(budgets.isShut('192.0.2.1', 300), true, 'its connections are not taken')
  assert.equal(budgets.isShut('192.0.2.2', 300), false)
  assert.equal(budgets.isShut('192.0.2.1', 500), false, 'it may ask again')
  assert.deepEqual(times(budget, 9, 5_300), { within: 5, over: 4, 'far-over': 0 })
})

test('one address has one budget on all its connections, a /64 is one address, and exempt ones have none', () => {
  const budgets = new RequestBudgets(LIMITS, (address) => address === '10.0.0.1')
  assert.equal(budgets.of('192.0.2.1', 0), budgets.of('192.0.2.1', 9))
  assert.equal(budgets.of('2001:db8::1', 0), budgets.of('2001:db8::ffff:2', 0))
  assert.notEqual(budgets.of('2001:db8::1', 0), budgets.of('2001:db8:0:1::1', 0))
  assert.deepEqual(times(budgets.of('10.0.0.1', 0), 1_000, 0), { within: 1_000, over: 0, 'far-over': 0 })
  assert.deepEqual(times(new RequestBudgets({ perSecond: 0, burst: 1 }, nobody).of('192.0.2.1', 0), 99, 0).within, 99)
})

test('a /48 of many networks has what sixteen have, and takes no more than 256 places', () => {
  const budgets = new RequestBudgets(LIMITS, nobody)
  let within = 0
  for (let net = 0; net < 5_000; net++) {
    const address = `2001:db8:7:${net.toString(16)}::1`
    if (budgets.of(address, 0).take(0) === 'within') within++
  }
  assert.equal(within, LIMITS.burst * 16)
  assert.ok(budgets.size <= 257, String(budgets.size))
  assert.equal(budgets.isShut('2001:db8:7:1387::9', 0), true, 'one without a place of its own')
  assert.equal(budgets.of('2001:db8:8::1', 0).take(0), 'within', 'its neighbour')
})

test('memory of addresses is bounded: those that are as good as new go first, then the oldest', () => {
  const budgets = new RequestBudgets(LIMITS, nobody, 100)
  for (let n = 0; n < 1_000; n++) budgets.of(`10.1.${n >> 8}.${n & 255}`, n)
  assert.ok(budgets.size <= 3, `unused ones leave at once: ${budgets.size}`)
  for (let n = 0; n < 1_000; n++) budgets.of(`10.2.${n >> 8}.${n & 255}`, 1_000).take(1_000)
  assert.equal(budgets.size, 100)
  const drained = budgets.of('10.2.3.231', 1_000)
  times(drained, 10, 1_000)
  assert.equal(budgets.of('10.2.3.231', 1_000), drained, 'the newest stay')
  for (let net = 0; net < 1_000; net++) budgets.of(`2001:db8:${net.toString(16)}::1`, 1_000).take(1_000)
  assert.ok(budgets.size <= 200, String(budgets.size))
})
