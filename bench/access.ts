//! `npm run bench:access`: what deciding who may see what costs. A hit of a private behavior whose cookie was seen before
//! against a hit of a public one, in alternating rounds of one run, and the first sight of a signed cookie.
//! `npm run bench:access -- --help` names the options.
import { loadavg } from 'node:os'
import { measureSights, type Sight } from './access/first-sight.ts'
import { type HitSample, measureHits } from './access/hits.ts'
import { ACCESS_ROWS } from './access/rows.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'

const PARTS = ['hits', 'sights'] as const
/** Microseconds of CPU for an RSA-2048 cookie that was never seen. */
const FIRST_SIGHT_MICROS = 120

const flags = readOptions({
  command: 'npm run bench:access --',
  about: 'Who may see what: a private hit against a public one, and the first sight of a signed cookie.',
  example: 'npm run bench:access -- --only hits --rounds 5',
  options: {
    only: { value: 'LIST', about: `parts, with commas: ${PARTS.join(', ')}`, default: PARTS.join(',') },
    rounds: { value: 'N', about: 'each measures every row once', default: '7' },
    seconds: { value: 'N', about: 'of load in one measurement of hits', default: '3' },
    json: { value: null, about: 'print one JSON document with every sample', default: null },
  },
})
const only = (flags.only ?? '').split(',')
for (const part of only) if (!(PARTS as readonly string[]).includes(part)) callFailed(`no part is named "${part}"`)
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const say = (text: string): void => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const spread = (values: readonly number[]): string =>
  `[${Math.min(...values).toFixed(2)}..${Math.max(...values).toFixed(2)}]`
const verdict = (met: boolean): string => (met ? 'met' : 'missed')

function printHits(samples: readonly HitSample[]): void {
  const microsOf = (row: string) => samples.filter((one) => one.row === row).map(({ cpuMicros }) => cpuMicros)
  console.log(`${'a 1 KB hit'.padEnd(58)}CPU us   x public   [min..max]`)
  for (const { name, against, atMost } of ACCESS_ROWS) {
    const micros = microsOf(name)
    const line = `${name.padEnd(58)}${median(micros).toFixed(1).padStart(6)}`
    if (against === null) {
      console.log(line)
      continue
    }
    const others = microsOf(against)
    const ratios = micros.map((value, round) => value / (others[round] as number))
    const asked = atMost === null ? '' : `  at most ${atMost}x is asked for: ${verdict(median(ratios) <= atMost)}`
    console.log(`${line}${median(ratios).toFixed(2).padStart(11)}   ${spread(ratios)}${asked}`)
  }
  const busy = Math.min(...samples.map((sample) => sample.busy))
  if (busy < 0.85) say(`Other programs were running: of its processor the worker used only ${Math.round(busy * 100)}%.`)
}

function printSights({ first, again }: Sight): void {
  console.log(`\n${'a signed cookie (RSA-2048, SHA1), the check alone'.padEnd(58)}CPU us   [min..max]`)
  const asked = `at most ${FIRST_SIGHT_MICROS} us is asked for: ${verdict(median(first) <= FIRST_SIGHT_MICROS)}`
  console.log(`${'first sight'.padEnd(58)}${median(first).toFixed(1).padStart(6)}   ${spread(first)}  ${asked}`)
  console.log(`${'seen before'.padEnd(58)}${median(again).toFixed(1).padStart(6)}   ${spread(again)}`)
}

const load = loadavg()[0] ?? 0
if (load > 0.5) say(`The machine is at work already (load ${load.toFixed(1)}): expect wide spreads.`)
const sights = only.includes('sights') ? measureSights(rounds) : null
const hits = only.includes('hits') ? await measureHits(rounds, seconds, say) : null
if (flags.json !== undefined) console.log(JSON.stringify({ load, rounds, seconds, hits, sights }))
else {
  if (hits !== null) printHits(hits)
  if (sights !== null) printSights(sights)
}
