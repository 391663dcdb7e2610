import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { startReconciler } from './reconciler.ts'

const HOUR_MS = 3_600_000

/** A task whose runs the test lets end one by one. */
function heldTask() {
  const ends: ((actions: string[] | Error) => void)[] = []
  let running = 0
  let most = 0
  const started: (() => void)[] = []
  return {
    task: {
      name: 'held',
      periodMs: HOUR_MS,
      run: async (): Promise<string[]> => {
        most = Math.max(most, ++running)
        started.shift()?.()
        const result = await new Promise<string[] | Error>((resolve) => ends.push(resolve))
        running--
        if (result instanceof Error) throw result
        return result
      },
    },
    begins: () => new Promise<void>((resolve) => started.push(resolve)),
    end: (result: string[] | Error = []) => ends.shift()?.(result),
    most: () => most,
    running: () => running,
  }
}

test('pokes during a run are one more run, never two at once', async () => {
  const held = heldTask()
  const first = held.begins()
  const reconciler = startReconciler([held.task], systemClock)
  await first
  const second = held.begins()
  for (let i = 0; i < 5; i++) reconciler.poke('held')
  assert.equal(reconciler.status()[0]?.state, 'running')
  held.end(['did something'])
  await second
  assert.equal(reconciler.status()[0]?.runs, 1)
  assert.deepEqual(reconciler.status()[0]?.last?.result, { outcome: 'acted', actions: ['did something'] })
  held.end()
  await reconciler.close()
  assert.equal(held.most(), 1)
  assert.equal(held.running(), 0)
  const [status] = reconciler.status()
  assert.equal(status?.runs, 2)
  assert.deepEqual(status?.last?.result, { outcome: 'nothing-to-do' })
})

test('a run that fails is told, and the next poke runs again', async () => {
  const held = heldTask()
  const first = held.begins()
  const failures: unknown[] = []
  const reconciler = startReconciler([held.task], systemClock, (task, error) => failures.push([task, error]))
  await first
  const second = held.begins()
  const failure = new Error('no disk')
  reconciler.poke()
  held.end(failure)
  await second
  assert.deepEqual(failures, [['held', failure]])
  assert.deepEqual(reconciler.status()[0]?.last?.result, { outcome: 'failed', message: 'no disk' })
  held.end()
  await reconciler.close()
})

test('nothing runs after close', async () => {
  let runs = 0
  const task = { name: 'quick', periodMs: HOUR_MS, run: async () => [`run ${++runs}`] }
  const reconciler = startReconciler([task], systemClock)
  await reconciler.close()
  const before = runs
  reconciler.poke()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(runs, before)
})
