import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttackWatch, BEGIN, QUIET_MS } from './attack-watch.ts'

const WALL = Date.UTC(2026, 10, 30, 12)

test('an attack begins with many refusals within a while and ends a minute after the last, with a line each', () => {
  const lines: string[] = []
  const watch = new AttackWatch((line) => lines.push(line))
  const refuse = (count: number, now: number, cause: 'requests' | 'connections' = 'requests') => {
    for (let n = 0; n < count; n++) watch.refused(cause, '192.0.2.1', now, WALL + now)
  }
  refuse(BEGIN.count - 1, 0)
  refuse(BEGIN.count - 1, BEGIN.withinMs + 1)
  assert.deepEqual([watch.seen, lines], [null, []], 'a few now and then')
  refuse(1, BEGIN.withinMs + 500)
  const since = new Date(WALL + BEGIN.withinMs + 1).toISOString()
  assert.deepEqual(watch.seen, { since, counts: { requests: BEGIN.count } })
  refuse(950, 20_000)
  refuse(7, 21_000, 'connections')
  watch.tick(21_000 + QUIET_MS - 1)
  assert.equal(watch.seen?.counts.requests, 1_000)
  watch.tick(21_000 + QUIET_MS)
  assert.equal(watch.seen, null)
  assert.deepEqual(lines, [
    `under attack since ${since}: 50 requests over what one address may make (192.0.2.1)`,
    `the attack that began at ${since} is over, after 11 s: 1000 requests over what one address may make (192.0.2.1), ` +
      '7 connections over what a worker takes (192.0.2.1)',
  ])
  refuse(1, 200_000)
  assert.equal(watch.seen, null, 'the next one begins anew')
})
