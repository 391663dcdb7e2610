//! `npm run bench:routing`: what a thousand distributions with 25 behaviors each cost. A lookup and a hit among them,
//! against the same among one; memory; and a change that must reach every worker and drop no request.
//! `npm run bench:routing -- --help` names the options.
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { callFailed, readOptions, wholeNumber } from './options.ts'
import { type Changes, measureChanges } from './routing/change.ts'
import { type HitSample, measureHits } from './routing/hits.ts'
import type { Place } from './routing/sites.ts'

const PARTS = ['lookups', 'memory', 'hits', 'change'] as const
const TARGET = { ratio: 1.1, bytes: 20 * 1024, changeMs: 100 } as const

const flags = readOptions({
  command: 'npm run bench:routing --',
  about: 'A thousand distributions with 25 behaviors each: lookups, hits, memory, and changes under load.',
  example: 'npm run bench:routing -- --only lookups,hits --rounds 5',
  options: {
    only: { value: 'LIST', about: `parts, with commas: ${PARTS.join(', ')}`, default: PARTS.join(',') },
    rounds: { value: 'N', about: 'of lookups and hits; each measures every row once', default: '7' },
    seconds: { value: 'N', about: 'of load in one measurement of hits', default: '3' },
    sites: { value: 'N', about: 'distributions that are there when one changes', default: '1000' },
    changes: { value: 'N', about: 'changes, and as many new distributions', default: '20' },
    json: { value: null, about: 'print one JSON document with every sample', default: null },
  },
})
const only = (flags.only ?? '').split(',')
for (const part of only) if (!(PARTS as readonly string[]).includes(part)) callFailed(`no part is named "${part}"`)
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const sites = wholeNumber('sites', flags.sites)
const changes = wholeNumber('changes', flags.changes)
const say = (text: string): void => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

/** The young generation has one size from the beginning: the engine lets it grow to the same under any traffic. */
function inProcess<T>(...args: string[]): T {
  const file = fileURLToPath(new URL('./routing/in-process.ts', import.meta.url))
  const young = ['--min-semi-space-size=16', '--max-semi-space-size=16']
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', ...young, file, ...args], { encoding: 'utf8' })) as T
}

interface LookupCase {
  readonly sites: number
  readonly behaviors: number
  readonly hosts: number
  readonly place: Place
  readonly ns: readonly number[]
}

interface Memory {
  readonly sites: number
  readonly heap: number
  readonly outside: number
  readonly resident: number
  readonly line: number
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const verdict = (met: boolean): string => (met ? 'met' : 'missed')

/** Ratios of the rounds: median and, in brackets, the least and the largest. */
function ratioOf(some: readonly number[], others: readonly number[]): { median: number; text: string } {
  const ratios = some.map((value, round) => value / (others[round] as number))
  const middle = median(ratios)
  return {
    median: middle,
    text: `${middle.toFixed(2).padStart(7)}   [${Math.min(...ratios).toFixed(2)}..${Math.max(...ratios).toFixed(2)}]`,
  }
}

function printLookups(cases: readonly LookupCase[]): void {
  console.log(`${'match-distribution and match-behavior alone'.padEnd(56)}CPU ns    x one   [min..max]`)
  for (const one of cases) {
    const like = cases.find((c) => c.sites === 1 && c.behaviors === one.behaviors && c.place === one.place)
    const what = `${one.sites} x ${one.behaviors + 1} behaviors, ${one.place}, ${one.hosts === 1 ? 'one host' : 'any host'}`
    const ratio = like === one || like === undefined ? '' : ratioOf(one.ns, like.ns).text
    console.log(`${what.padEnd(56)}${median(one.ns).toFixed(0).padStart(6)}${ratio}`)
  }
}

function printHits(samples: readonly HitSample[]): void {
  console.log(`${'\na 1 KB hit, 1,000 objects'.padEnd(56)}CPU us    x one   [min..max]`)
  for (const place of new Set(samples.map((sample) => sample.place))) {
    const of = (n: number) => samples.filter((one) => one.place === place && (n === 1) === (one.sites === 1))
    const micros = (n: number) => of(n).map(({ cpuMicros }) => cpuMicros)
    const ratio = ratioOf(micros(2), micros(1))
    console.log(`${`1 distribution, ${place}`.padEnd(56)}${median(micros(1)).toFixed(1).padStart(6)}`)
    console.log(`${`1000 distributions, ${place}`.padEnd(56)}${median(micros(2)).toFixed(1).padStart(6)}${ratio.text}`)
    console.log(`  at most ${TARGET.ratio}x is asked for: ${verdict(ratio.median <= TARGET.ratio)}`)
  }
  const busy = Math.min(...samples.map((sample) => sample.busy))
  if (busy < 0.85) say(`Other programs were running: of its processor a worker used only ${Math.round(busy * 100)}%.`)
}

function printMemory(rows: readonly Memory[]): void {
  console.log('\nbytes of a distribution in a worker     heap   outside   together   line of the feed')
  for (const { sites: count, heap, outside, line } of rows) {
    const cells = [heap, outside, heap + outside, line].map((bytes) => bytes.toFixed(0).padStart(9)).join('')
    console.log(`${`${count} x 26 behaviors`.padEnd(36)}${cells}   ${verdict(heap + outside <= TARGET.bytes)}`)
  }
}

function printChanges(changed: Changes): void {
  const row = (what: string, times: readonly number[], target: number | null) => {
    const middle = median(times)
    const result = target === null ? '' : verdict(middle <= target)
    const all = target !== null && middle <= target && Math.max(...times) > target ? ' by the median, not by all' : ''
    console.log(
      `${what.padEnd(56)}${middle.toFixed(1).padStart(8)}${Math.max(...times)
        .toFixed(1)
        .padStart(8)}  ${result}${all}`,
    )
  }
  console.log(`${`\na change, ${changed.sites} distributions, 3 workers, under load; ms`.padEnd(57)}  median     max`)
  row('UpdateDistribution to its answer', changed.answered, null)
  row('UpdateDistribution to Deployed', changed.deployed, TARGET.changeMs)
  row('CreateDistribution to Deployed', changed.createdDeployed, TARGET.changeMs)
  console.log(
    `requests meanwhile: ${changed.requests}, failed or dropped: ${changed.failed}; slowest answer ${changed.slowest.changing.toFixed(1)} ms, ${changed.slowest.quiet.toFixed(1)} ms without changes`,
  )
}

async function changesOfAnInstallation(): Promise<Changes> {
  const origin = createServer((_, response) => response.setHeader('Cache-Control', 'max-age=3600').end('hello'))
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  try {
    return await measureChanges(sites, changes, (origin.address() as AddressInfo).port, say)
  } finally {
    origin.close()
  }
}

const load = (loadavg()[0] ?? 0).toFixed(1)
const result: Record<string, unknown> = { load }
if (only.includes('lookups')) result.lookups = inProcess<LookupCase[]>('lookups', `${rounds}`)
if (only.includes('memory')) result.memory = [1_000, 5_000].map((count) => inProcess<Memory>('memory', `${count}`))
if (only.includes('hits')) result.hits = await measureHits(rounds, seconds, say)
if (only.includes('change')) result.change = await changesOfAnInstallation()
if (flags.json !== undefined) console.log(JSON.stringify({ target: TARGET, ...result }, null, 2))
else {
  if (result.lookups !== undefined) printLookups(result.lookups as LookupCase[])
  if (result.hits !== undefined) printHits(result.hits as HitSample[])
  if (result.memory !== undefined) printMemory(result.memory as Memory[])
  if (result.change !== undefined) printChanges(result.change as Changes)
  console.log(`load average before: ${load}`)
}
