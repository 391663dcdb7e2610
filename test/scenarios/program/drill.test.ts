//! A short drill with a fixed seed: parts of a real installation die under load, and every promise is kept.
//! The long one is `npm run drill`.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { drill } from '../../drill/run.ts'

const ACTS = [
  'engine primary',
  'control in the middle of commits',
  'worker',
  'keeper during a failover',
  'memcached node',
  'node without replicas',
  'control and keeper',
]

it('control, keeper, workers and engines killed under load: nothing acknowledged is lost', {
  timeout: 150_000,
}, async (t) => {
  const report = await drill({
    ...{ seed: 1, workers: 2, acts: ACTS, lastsMs: 100_000 },
    onRound: ({ done, wellMs }) => t.diagnostic(`${done}; well after ${Math.round(wellMs)} ms`),
  })
  assert.deepEqual(report.violations, [])
  assert.deepEqual(
    report.rounds.map((round) => round.act),
    ACTS,
  )
  // The load was there: changes and writes were acknowledged, viewers answered.
  assert.ok(report.rounds.at(-1)!.acknowledged > ACTS.length)
  for (const what of ['viewer: 200', 'cache: write on all replicas', 'cache: read']) {
    assert.ok((report.counts[what] ?? 0) > ACTS.length, what)
  }
})
