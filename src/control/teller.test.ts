import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../lib/clock.ts'
import type { State } from '../state/state.ts'
import { LiveWorkers } from './live-workers.ts'
import { Teller } from './teller.ts'

test('a wish to tell is heard at whatever moment the run before it ends', async () => {
  for (let steps = 0; steps < 20; steps++) {
    let runs = 0
    const state = {
      watch: () => () => {},
      async transact() {
        runs += 1
        if (runs === 1) void wishLater()
      },
    } as unknown as State
    const teller = new Teller(state, new LiveWorkers(systemClock, []), assert.fail)
    const wishLater = async () => {
      for (let step = 0; step < steps; step++) await null
      teller.tell()
    }
    teller.tell()
    await setImmediate()
    assert.equal(runs, 2, `after ${steps} steps`)
    await teller.close()
  }
})
