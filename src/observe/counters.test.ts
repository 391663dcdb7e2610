import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COUNTER, Counters, prometheusText } from './counters.ts'

test('counts, and gives all values by name', () => {
  const counters = new Counters()
  counters.add(COUNTER.hits)
  counters.add(COUNTER.bytesToViewers, 1_400)
  counters.set(COUNTER.objects, 7)
  const values = counters.snapshot()
  assert.deepEqual([values.hits, values.bytesToViewers, values.objects, values.misses], [1, 1_400, 7, 0])
})

test('Prometheus text: each metric described once, a sample for each worker', () => {
  const [one, two] = [new Counters(), new Counters()]
  one.add(COUNTER.hits, 3)
  two.add(COUNTER.misses, 2)
  const text = prometheusText({
    'worker-0': one.snapshot(),
    'worker-"1"': { ...two.snapshot(), fromAnotherVersion: 1 },
  })
  assert.match(text, /^cachefront_edge_results_total\{worker="worker-0",result="Hit"\} 3$/m)
  assert.match(text, /^cachefront_edge_results_total\{worker="worker-\\"1\\"",result="Miss"\} 2$/m)
  assert.doesNotMatch(text, /fromAnotherVersion/)
  const described = [...text.matchAll(/^# HELP (\S+) /gm)].map((match) => match[1])
  assert.equal(new Set(described).size, described.length)
  for (const line of text.trimEnd().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) \S+ .+|[a-z0-9_]+\{[^}]*\} \d+(\.\d+)?)$/)
  }
})
