import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from './budget.ts'
import { Budgets } from './budgets.ts'
import { HTTP2_RATES } from './limits.ts'

/** How often it gives way before it does not. */
function left(budget: Budget, now: number): number {
  let count = 0
  while (budget.take(now)) count++
  return count
}

test('a budget has its burst at once, then what the seconds bring, and never more than the burst', () => {
  const { burst, perSecond } = HTTP2_RATES.settings
  const budget = new Budget('settings', 0)
  assert.equal(left(budget, 0), burst)
  assert.equal(left(budget, 2_000), 2 * perSecond)
  assert.equal(left(budget, 2_000 + (burst / perSecond) * 10_000), burst)
})

test('what is earned counts up to the burst', () => {
  const { burst } = HTTP2_RATES.pings
  const budget = new Budget('pings', 0)
  assert.equal(left(budget, 0), burst)
  budget.earn(4)
  assert.equal(left(budget, 0), 4)
})

test('useful work earns pings and controls alone', () => {
  const budgets = new Budgets(0)
  for (const name of ['pings', 'settings'] as const) while (budgets.take(name, 0));
  budgets.earn()
  assert.equal(budgets.take('pings', 0), true)
  assert.equal(budgets.take('settings', 0), false)
})
