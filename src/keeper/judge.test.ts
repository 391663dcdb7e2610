import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Judgement, judge, type Probe } from './judge.ts'

const lost = (reason: 'exit' | 'frozen' | 'hung'): Judgement => ({ kind: 'lost', reason })
const rows: readonly [string, Partial<Probe>, Judgement][] = [
  ['an answer', { silentMs: null }, { kind: 'well' }],
  ['a question just asked', { silentMs: 100 }, { kind: 'well' }],
  ['no process', { state: null, silentMs: null }, lost('exit')],
  ['stopped for half a second', { state: 'T', silentMs: 600 }, { kind: 'suspect' }],
  ['stopped for a second', { state: 'T', silentMs: 1000 }, lost('frozen')],
  ['stopped by a debugger', { state: 't', silentMs: 1000 }, lost('frozen')],
  ['asleep without an answer for two seconds', { state: 'S', silentMs: 2000 }, { kind: 'suspect' }],
  ['asleep without an answer for three seconds', { state: 'S', silentMs: 3000 }, lost('hung')],
  ['a script that runs for ten seconds', { state: 'R', silentMs: 10_000, workMs: 9800 }, { kind: 'busy' }],
  ['a script that waits for its memory', { state: 'D', silentMs: 10_000, workMs: 5000 }, { kind: 'busy' }],
  ['a script that sleeps for an instant', { state: 'S', silentMs: 10_000, workMs: 9500 }, { kind: 'busy' }],
  ['answering others, but not the keeper', { state: 'S', silentMs: 3000, workMs: 1500 }, lost('hung')],
  ['a script that runs for a minute', { state: 'R', silentMs: 60_000, workMs: 59_000 }, lost('hung')],
  ['running, but without CPU time', { state: 'R', silentMs: 3000, workMs: 50 }, lost('hung')],
  ['a script on a host whose cores are taken', { state: 'R', silentMs: 8000, workMs: 1700 }, { kind: 'busy' }],
  ['a stopped process that had worked before', { state: 'T', silentMs: 1000, workMs: 900 }, lost('frozen')],
  ['stopped, and nobody could take over', { state: 'T', silentMs: 4000, alone: true }, { kind: 'suspect' }],
  ['stopped for longer, and nobody could take over', { state: 'T', silentMs: 5000, alone: true }, lost('frozen')],
]
for (const [name, change, expected] of rows) {
  test(`judgement: ${name}`, () => {
    assert.deepEqual(judge({ state: 'S', silentMs: null, workMs: 0, alone: false, ...change }), expected)
  })
}
