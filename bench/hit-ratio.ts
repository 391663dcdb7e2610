//! `npm run bench:hit-ratio`: share of hits of our eviction (S3-FIFO, src/edge/cache/eviction.ts) against LRU, FIFO and the
//! best fixed choice, on traces that are the same at every run: nothing here depends on the machine.
import { bestFixedPercent, hitPercent, POLICIES } from '../test/support/policies.ts'
import { makeTrace, type TraceOptions } from '../test/support/traces.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'

/** Points above LRU that are asked for on the first trace. */
const GAIN_TARGET = 5

const BASE: TraceOptions = {
  objects: 100_000,
  requests: 2_000_000,
  zipf: 0.9,
  scanEvery: 200_000,
  scanObjects: 50_000,
  shiftEvery: 0,
  seed: 7,
}

const TRACES: Readonly<Record<string, TraceOptions>> = {
  'zipf with scans': BASE,
  zipf: { ...BASE, scanEvery: 0 },
  'zipf, shifting': { ...BASE, scanEvery: 0, shiftEvery: 100_000 },
  'zipf, shifting, scans': { ...BASE, shiftEvery: 100_000 },
}

const flags = readOptions({
  command: 'npm run bench:hit-ratio --',
  about: 'Share of hits of the eviction against LRU, on traces with a fixed seed; the first half warms up.',
  example: 'npm run bench:hit-ratio -- --share 10 --only zipf',
  options: {
    share: { value: 'PERCENT', about: 'of the objects that fit', default: '5' },
    only: { value: 'NAME', about: `one trace: ${Object.keys(TRACES).join(' | ')}`, default: null },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
const sharePercent = wholeNumber('share', flags.share)
if (flags.only !== undefined && TRACES[flags.only] === undefined) callFailed(`no trace is named "${flags.only}"`)

const rows = Object.entries(TRACES)
  .filter(([name]) => flags.only === undefined || name === flags.only)
  .map(([name, options]) => {
    if (flags.json === undefined) process.stderr.write(`${name} ...\n`)
    const trace = makeTrace(options)
    const capacity = Math.floor((options.objects * sharePercent) / 100)
    const objects = trace.reduce((most, object) => Math.max(most, object), 0) + 1
    const warmUp = trace.length / 2
    const hits = POLICIES.map((policy) => [policy.name, hitPercent(policy, trace, capacity, objects, warmUp)] as const)
    return { trace: name, ...Object.fromEntries(hits), best: bestFixedPercent(trace, capacity, objects, warmUp) }
  }) as ({ trace: string; best: number } & Record<string, number>)[]

const gain = (row: Record<string, number>): number => (row['s3-fifo'] as number) - (row.lru as number)
if (flags.json !== undefined) {
  console.log(JSON.stringify({ sharePercent, traces: TRACES, rows }, null, 2))
} else {
  const names = [...POLICIES.map((policy) => policy.name), 'best']
  console.log(`cache: ${sharePercent}% of 100,000 objects; hits in percent, after the first half of 2,000,000 requests`)
  console.log(`${'trace'.padEnd(24)}${names.map((name) => name.padStart(9)).join('')}   above LRU`)
  for (const row of rows) {
    const cells = names.map((name) => (row[name] as number).toFixed(1).padStart(9)).join('')
    console.log(`${row.trace.padEnd(24)}${cells}   ${gain(row).toFixed(1)} points`)
  }
  console.log('best: the objects that are asked for most in the whole trace, never exchanged; it knows the future.')
}
const first = rows.find((row) => row.trace === 'zipf with scans')
if (first !== undefined && sharePercent === 5 && gain(first) < GAIN_TARGET) {
  process.stderr.write(`Missed: ${gain(first).toFixed(1)} points above LRU, ${GAIN_TARGET} are asked for.\n`)
  process.exitCode = 1
}
