import assert from 'node:assert/strict'
import { test } from 'node:test'
import { priorityOf } from './priority.ts'
import { type Scheduled, Scheduler } from './scheduler.ts'

const one = (id: number, urgency = 3, incremental = false): Scheduled => ({ id, priority: { urgency, incremental } })

/** Whose turn it is, `count` times. */
const turns = (scheduler: Scheduler<Scheduled>, count: number): (number | undefined)[] =>
  Array.from({ length: count }, () => scheduler.next()?.id)

function scheduled(...all: readonly Scheduled[]): Scheduler<Scheduled> {
  const scheduler = new Scheduler<Scheduled>()
  for (const item of all) scheduler.add(item)
  return scheduler
}

test('answers of equal urgency come one after the other, in the order of the requests', () => {
  const first = one(1)
  const scheduler = scheduled(one(5), first, one(3))
  assert.deepEqual(turns(scheduler, 2), [1, 1])
  scheduler.remove(first)
  assert.deepEqual(turns(scheduler, 2), [3, 3])
  assert.equal(scheduler.size, 2)
})

test('incremental ones take turns, with each other and with the one whose turn it is', () => {
  assert.deepEqual(turns(scheduled(one(1, 3, true), one(3, 3, true)), 4), [1, 3, 1, 3])
  const mixed = turns(scheduled(one(1), one(3, 3, true), one(5), one(7, 3, true)), 6)
  assert.deepEqual(mixed, [3, 7, 1, 3, 7, 1])
})

test('the more urgent go first, incremental or not', () => {
  const urgent = one(9, 0)
  const scheduler = scheduled(one(1, 7), one(3, 3, true), urgent)
  assert.deepEqual(turns(scheduler, 2), [9, 9])
  scheduler.remove(urgent)
  assert.deepEqual(turns(scheduler, 2), [3, 3])
  scheduler.remove(urgent)
  assert.equal(scheduler.size, 2)
  assert.equal(new Scheduler().next(), null)
})

test('the priority header (RFC 9218 4)', () => {
  const rows: readonly (readonly [text: string, urgency: number, incremental: boolean])[] = [
    ['', 3, false],
    ['u=0', 0, false],
    ['u=7, i', 7, true],
    ['i, u=1', 1, true],
    ['i=?1', 3, true],
    ['i=?0', 3, false],
    ['u=1;x=y, i;z', 1, true],
    ['u=2, u=5', 5, false],
    ['u=8', 3, false],
    ['u=-1', 3, false],
    ['u=1.5', 3, false],
    ['u="1"', 3, false],
    ['U=1', 3, false],
    ['i=1', 3, false],
    ['other=1, u=6', 6, false],
    [',,,', 3, false],
  ]
  for (const [text, urgency, incremental] of rows) assert.deepEqual(priorityOf(text), { urgency, incremental }, text)
})
