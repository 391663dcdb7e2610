import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Denial, denialsSince } from './denials.ts'
import type { NodeSample } from './metric.ts'
import { METRICS, metricsOf, valuesOf } from './metric-table.ts'
import { readInfoText } from './read-statistics.ts'
import { NodeSeries, SERIES_KEPT_MS } from './series.ts'

const HOST = { cpuSeconds: 1, cpus: 2, memoryAvailable: 1000, swap: 0 }
const sample = (at: number, process: string, text: string): NodeSample => ({
  at,
  engine: 'redis',
  process,
  ...readInfoText(text),
  denials: null,
  configReads: null,
  iamExpirations: null,
  host: HOST,
})

test('a counter is the difference of two samples, and the whole after a restart or a reset', () => {
  const value = (before: NodeSample, now: NodeSample): number | undefined => valuesOf({ before, now }).get('Evictions')
  const first = sample(0, 'a', 'evicted_keys:7')
  assert.equal(value(first, sample(60, 'a', 'evicted_keys:9')), 2)
  assert.equal(value(first, sample(60, 'a', 'evicted_keys:3')), 3)
  assert.equal(value(first, sample(60, 'b', 'evicted_keys:8')), 8)
  assert.equal(value(first, sample(60, 'a', 'other:8')), undefined)
})

test('CPU is a share of the time between the samples, of the host of all its CPUs', () => {
  const before = sample(0, 'a', 'used_cpu_sys_main_thread:1.0\r\nused_cpu_user_main_thread:2.0')
  const now = sample(60, 'a', 'used_cpu_sys_main_thread:4.0\r\nused_cpu_user_main_thread:5.0')
  const values = valuesOf({ before, now: { ...now, host: { ...HOST, cpuSeconds: 13 } } })
  assert.equal(values.get('EngineCPUUtilization'), 10)
  assert.equal(values.get('CPUUtilization'), 10)
})

test('a hit rate without requests has no value', () => {
  const before = sample(0, 'a', 'keyspace_hits:3\nkeyspace_misses:1')
  assert.equal(valuesOf({ before, now: { ...before, at: 60 } }).get('CacheHitRate'), undefined)
  const now = sample(60, 'a', 'keyspace_hits:6\nkeyspace_misses:2')
  assert.equal(valuesOf({ before, now }).get('CacheHitRate'), 75)
})

test('sub-commands count for their command, and databases add up', () => {
  const before = sample(0, 'a', 'cmdstat_xinfo|stream:calls=1,usec=10\ncmdstat_xadd:calls=1,usec=10')
  const now = sample(
    60,
    'a',
    [
      'cmdstat_xinfo|stream:calls=2,usec=30',
      'cmdstat_xinfo|groups:calls=1,usec=5',
      'cmdstat_xadd:calls=2,usec=25',
      'db0:keys=2,expires=1,avg_ttl=500',
      'db3:keys=3,expires=0,avg_ttl=0',
    ].join('\r\n'),
  )
  const values = valuesOf({ before, now })
  assert.equal(values.get('StreamBasedCmds'), 3)
  assert.equal(values.get('StreamBasedCmdsLatency'), 40 / 3)
  assert.equal(values.get('CurrItems'), 5)
  assert.equal(values.get('CurrVolatileItems'), 1)
  assert.equal(values.get('DB0AverageTTL'), 500)
})

test('denials are counted by the log, and by its new entries when that was emptied or is full', () => {
  const denial = (count: number, ageSeconds: number): Denial => ({ reason: 'key', count, ageSeconds })
  assert.equal(denialsSince('key', [denial(5, 1), denial(2, 90)], [denial(1, 0), denial(2, 30)], 60), 4)
  assert.equal(denialsSince('key', [denial(2, 3)], [denial(9, 1)], 60), 2)
  const full = Array.from({ length: 128 }, (_, at) => denial(1, at))
  assert.equal(denialsSince('key', full, [], 9), 10)
  assert.equal(denialsSince('auth', full, [], 9), 0)
})

test('names are unique for an engine', () => {
  for (const engine of ['redis', 'memcached'] as const) {
    const names = metricsOf(engine).map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  }
  assert.ok(METRICS.every(({ source }) => source !== ''))
})

test('a minute is one point: what is counted adds up, what is read off is the newest; three hours are kept', () => {
  const series = new NodeSeries('redis')
  series.add(60_500, new Map(Object.entries({ Evictions: 2, CurrItems: 5 })))
  series.add(119_000, new Map(Object.entries({ Evictions: 3, CurrItems: 4 })))
  series.add(120_000, new Map(Object.entries({ CurrItems: 1 })))
  assert.deepEqual(series.points('Evictions', 0, 1e9), [{ at: 60_000, value: 5 }])
  assert.deepEqual(series.points('CurrItems', 60_000, 120_000), [{ at: 60_000, value: 4 }])
  assert.deepEqual([...series.totals()], [['Evictions', 5]])
  assert.deepEqual([...series.newest(125_000)], [['CurrItems', 1]])
  assert.equal(series.newest(1e9).size, 0)
  series.add(120_000 + SERIES_KEPT_MS, new Map(Object.entries({ CurrItems: 9 })))
  assert.deepEqual(series.names(), ['CurrItems'])
  assert.equal(series.points('CurrItems', 0, 1e12).length, 1)
})
