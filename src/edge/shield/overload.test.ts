import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoopSampler, TURN_MS } from './loop-sampler.ts'
import { Overload } from './overload.ts'

const BOUNDS = { 'event-loop': 100, 'origin-requests': 10, memory: 1_000 }

test('refreshes are shed before misses, and each ends lower than it began, after a while', () => {
  const overload = new Overload(BOUNDS)
  const at = (value: number, now: number) => {
    overload.observe('origin-requests', value, now)
    return [overload.cause(1), overload.cause(2)]
  }
  const origins = 'origin-requests'
  assert.deepEqual(at(6, 0), [null, null])
  assert.deepEqual(at(7, 1), [origins, null])
  assert.deepEqual(at(10, 2), [origins, origins])
  assert.deepEqual(at(9, 5_000), [origins, origins], 'not low enough')
  assert.deepEqual(at(7, 5_500), [origins, origins], 'not for long enough')
  assert.deepEqual(at(9, 5_900), [origins, origins])
  assert.deepEqual(at(7, 6_000), [origins, origins])
  assert.deepEqual(at(7, 6_900), [origins, null])
  assert.deepEqual(at(6, 9_000), [origins, null])
  assert.deepEqual(at(5, 9_100), [origins, null])
  assert.deepEqual(at(5, 10_000), [null, null])
})

test('each signal is judged for itself, and the gravest is named', () => {
  const overload = new Overload(BOUNDS)
  overload.observe('origin-requests', 99, 0)
  overload.observe('memory', 1_000, 0)
  assert.equal(overload.cause(2), 'memory')
  overload.observe('event-loop', 70, 0)
  assert.deepEqual([overload.cause(1), overload.cause(2)], ['event-loop', 'memory'])
  overload.observe('memory', 0, 2_000)
  assert.equal(overload.cause(2), 'origin-requests')
})

test('the event loop is late when each turn of a second is, and the process is what is busy', () => {
  const run = (late: (turn: number) => number, share: number, turns = 40) => {
    let [now, cpu] = [0, 0]
    const sampler = new LoopSampler(now, cpu)
    for (let turn = 0; turn < turns; turn++) {
      const took = TURN_MS + late(turn)
      now += took
      cpu += took * share
      sampler.turn(now, cpu)
    }
    return sampler.delayMs
  }
  assert.equal(
    run(() => 300, 0.9),
    300,
  )
  assert.equal(
    run((turn) => (turn % 9 === 0 ? 0 : 5_000), 0.9),
    0,
    'now and then it is in time',
  )
  assert.equal(
    run(() => 300, 0.2),
    0,
    'others take the processor',
  )
  assert.equal(
    run(() => 300, 0.9, 5),
    0,
    'too few turns to tell',
  )
})
