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
  ['a script that runs for ten seconds', { state: 'R', silentMs: 10_000, cpuTicks: 980 }, { kind: 'busy' }],
  ['a script that runs for a minute', { state: 'R', silentMs: 60_000, cpuTicks: 5900 }, lost('hung')],
  ['running, but without CPU time', { state: 'R', silentMs: 3000, cpuTicks: 5 }, lost('hung')],
  ['stopped, and nobody could take over', { state: 'T', silentMs: 4000, alone: true }, { kind: 'suspect' }],
  ['stopped for longer, and nobody could take over', { state: 'T', silentMs: 5000, alone: true }, lost('frozen')],
]
for (const [name, change, expected] of rows) {
  test(`judgement: ${name}`, () => {
    assert.deepEqual(judge({ state: 'S', silentMs: null, cpuTicks: 0, alone: false, ...change }), expected)
  })
}
