import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type KeyBudget, SlidingCounts, underLimitAt } from './sliding-counts.ts'

const WINDOW_MS = 60_000
const START = 1_800_000_000_000

const counts = (keysMax = 1_000, budget: KeyBudget = { left: 10_000 }) => new SlidingCounts(WINDOW_MS, keysMax, budget)
const one = (table: SlidingCounts, key: string, now: number) => table.add(key, table.sliceAt(now), 1, now)

describe('a sliding window', () => {
  it('counts each request for at least the window, and less than one slice longer', () => {
    const table = counts()
    for (let at = 0; at < 5; at++) assert.equal(one(table, 'a', START + at), at + 1)
    assert.equal(table.count('a', START + WINDOW_MS), 5)
    assert.equal(table.count('a', START + WINDOW_MS + table.sliceMs), 0)
    assert.equal(table.count('b', START), 0)
  })

  it('is what a list of all requests says, within one slice', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(20_000), key: fc.constantFrom('a', 'b', 'c') }), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (all) => {
        const table = counts()
        const seen: { key: string; at: number }[] = []
        let now = START
        for (const { wait, key } of all) {
          now += wait
          const sum = one(table, key, now)
          seen.push({ key, at: now })
          const within = (ms: number) => seen.filter((r) => r.key === key && r.at > now - ms).length
          assert.ok(sum >= within(WINDOW_MS) && sum <= within(WINDOW_MS + table.sliceMs), `${sum} at ${now}`)
        }
      }),
    )
  })

  it('takes counts of slices that have passed, and none of those that are over', () => {
    const table = counts()
    const slice = table.sliceAt(START)
    assert.equal(table.add('a', slice - 10, 7, START), 7)
    assert.equal(table.add('a', slice, 2, START), 9)
    assert.equal(table.add('a', slice - 31, 5, START), 9)
    assert.equal(table.add('a', slice - 30, 5, START), 14)
    assert.deepEqual(table.slicesOf('a', START), [
      [slice - 30, 5],
      [slice - 10, 7],
      [slice, 2],
    ])
    assert.equal(table.count('a', START + table.sliceMs), 9)
  })

  it('a clock that jumps ahead empties it', () => {
    const table = counts()
    one(table, 'a', START)
    assert.equal(one(table, 'a', START + 30 * 86_400_000), 1)
  })

  it('in a flood of keys holds no more than it may, and those that come often stay', () => {
    const budget = { left: 500 }
    const table = counts(100, budget)
    for (let at = 0; at < 50; at++) one(table, 'often', START)
    for (let at = 0; at < 20_000; at++) one(table, `once-${at}`, START)
    assert.equal(table.size, 100)
    assert.equal(budget.left, 400)
    assert.equal(table.count('often', START), 50)
    assert.ok(table.dropped >= 19_000)
    assert.equal(table.sweep(START + 2 * WINDOW_MS, 2_000), undefined)
    assert.equal(budget.left + table.size, 500)
    assert.ok(table.size < 100)
    table.clear()
    assert.equal(budget.left, 500)
  })

  it('of a common limit that is used up each table keeps one key at least', () => {
    const budget = { left: 2 }
    const [full, late] = [counts(100, budget), counts(100, budget)]
    for (const key of ['a', 'b', 'c', 'd']) one(full, key, START)
    assert.equal(full.size, 2)
    for (const key of ['a', 'b']) one(late, key, START)
    assert.equal(late.size, 1)
  })

  it('says when a key will be under its limit', () => {
    const table = counts()
    for (const [after, requests] of [
      [0, 4],
      [10_000, 4],
      [20_000, 4],
    ] as const)
      table.add('a', table.sliceAt(START + after), requests, START + after)
    const slices = table.slicesOf('a', START + 20_000)
    for (const [limit, left] of [
      [12, 12],
      [11, 8],
      [8, 8],
      [7, 4],
      [4, 4],
      [3, 0],
    ] as const) {
      const at = underLimitAt(slices, limit, table.sliceMs)
      if (limit === 12) assert.equal(at, 0)
      else {
        const copy = counts()
        for (const [slice, count] of slices) copy.add('a', slice, count, START + 20_000)
        assert.ok(copy.count('a', at - 1) > limit)
        assert.equal(copy.count('a', at), left)
      }
    }
  })
})
