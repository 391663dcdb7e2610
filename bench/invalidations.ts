//! `npm run bench:invalidations`: what a hit costs while 100,000 invalidation patterns are active, compared with none,
//! and while new ones come in all the time, so that every hit is compared with them anew. Real workers, each with its
//! feed, in alternating rounds. `npm run bench:invalidations -- --help` names the options.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EdgeFeed } from '../test/support/edge-feed.ts'
import { distributionDoc } from '../test/support/edge-scenario.ts'
import { EDGE_BENCH } from './edge.config.ts'
import { readOptions, wholeNumber } from './options.ts'
import { cpuSeconds, type Started } from './processes.ts'
import { startBenchWorker } from './worker.ts'

/** CPU of a hit with the patterns, as a multiple of one without. */
const RATIO_TARGET = 1.1
/** Of the objects that are asked for in turn; each has two tags. */
const OBJECTS = 2_000
const OBJECT_BYTES = 1_024
/** Items of one invalidation. */
const BATCH = 1_000
const WARM_UP_REQUESTS = 120_000
/** Below this share of its processor the worker was disturbed by other programs. */
const BUSY_MIN = 0.9

const flags = readOptions({
  command: 'npm run bench:invalidations --',
  about: 'CPU of a hit with 100,000 active invalidation patterns and with none, in alternating rounds.',
  example: 'npm run bench:invalidations -- --rounds 3 --seconds 2 --json',
  options: {
    patterns: { value: 'N', about: 'active patterns: paths, wildcards and tags, a third each', default: '100000' },
    'per-second': { value: 'N', about: 'new ones a second in the third row (AWS allows 150)', default: '150' },
    rounds: { value: 'N', about: 'each measures every row once', default: '7' },
    seconds: { value: 'N', about: 'of load in one measurement', default: '4' },
    json: { value: null, about: 'print one JSON document with every sample', default: null },
  },
})
const patterns = wholeNumber('patterns', flags.patterns)
const perSecond = wholeNumber('per-second', flags['per-second'])
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const say = (text: string): void => {
  if (flags.json === undefined) console.log(text)
}

const pathOf = (at: number): string => `/assets/catalog/product-${at}.jpg`
const run = promisify(execFile)

interface Target {
  readonly feed: EdgeFeed
  readonly started: Started
  readonly port: number
  readonly distributionId: string
}

async function startOrigin() {
  const body = Buffer.alloc(OBJECT_BYTES, 'x')
  const server = createServer((request, response) => {
    const at = Number(/-(\d+)\./.exec(request.url ?? '')?.[1] ?? 0)
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    response.setHeader('Cache-Tags', `brand-${at % 50}, product-${at}`)
    response.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** A worker as the keeper starts it, with every object in its cache. */
async function startTarget(directory: string, originPort: number): Promise<Target> {
  const document = distributionDoc(originPort, { domainName: EDGE_BENCH.host, cacheTagHeader: 'cache-tags' })
  const cacheBytes = 64 * 1024 * 1024
  const { feed, started, port } = await startBenchWorker({ home: directory, documents: [document], cacheBytes })
  const target = { feed, started, port, distributionId: document.id }
  for (let at = 0; at < OBJECTS; at++) await ask(port, at)
  return target
}

/** X-Cache of one object. */
function ask(port: number, at: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: pathOf(at), headers: { host: EDGE_BENCH.host } }, (response) => {
      response.resume().on('end', () => resolve(String(response.headers['x-cache'])))
    }).on('error', reject)
  })
}

/** Paths, wildcards of several depths and tags that match none of the objects, in the same places as theirs. */
function pattern(at: number): string {
  if (at % 3 === 0) return `/assets/catalog/product-${OBJECTS + at}.jpg`
  if (at % 3 === 1) return `${'/assets/catalog/other-'.slice(0, 9 + (at % 14))}${at}/*`
  return `#product-${OBJECTS + at}`
}

async function enterPatterns(target: Target): Promise<void> {
  for (let from = 0; from < patterns; from += BATCH) {
    const items = Array.from({ length: Math.min(BATCH, patterns - from) }, (_, at) => pattern(from + at))
    await target.feed.invalidate(target.distributionId, ...items)
  }
}

/** wrk asks for all objects in turn, each connection from another place on. */
async function writeScript(file: string): Promise<void> {
  const paths = Array.from({ length: OBJECTS }, (_, at) => `"${pathOf((at * 7_919) % OBJECTS)}"`)
  const headers = [['Host', EDGE_BENCH.host], ...EDGE_BENCH.headers].map(
    ([name, value]) => `["${name}"]=${JSON.stringify(value)}`,
  )
  await writeFile(
    file,
    `local paths = {${paths.join(',')}}\nlocal headers = {${headers.join(',')}}\nlocal requests = {}\nlocal at = 0
function init() for i = 1, #paths do requests[i] = wrk.format("GET", paths[i], headers) end end
function request() at = at % #requests + 1 return requests[at] end\n`,
  )
}

/** Loads one worker; `whileLoaded` runs until its signal. @throws Error when any answer was not a 2xx */
async function load(target: Target, script: string, duration: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', `${EDGE_BENCH.loadCpu}`, 'wrk', '-t1', `-c${EDGE_BENCH.connections}`, `-d${duration}s`, '-s', script],
    `http://127.0.0.1:${target.port}/`,
  ])
  const counted = /(\d+) requests in/.exec(stdout)
  if (counted === null || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk failed:\n${stdout}`)
  return Number(counted[1])
}

interface Row {
  readonly name: string
  readonly target: Target
  /** New invalidations a second while it is measured. */
  readonly stream: number
}

interface Sample {
  readonly row: string
  readonly round: number
  readonly cpuMicros: number
  readonly busy: number
}

let streamed = 0

async function measure({ name, target, stream }: Row, round: number, script: string): Promise<Sample> {
  const timer =
    stream === 0
      ? null
      : setInterval(
          () => void target.feed.invalidate(target.distributionId, `/assets/catalog/new-${streamed++}`),
          1_000 / stream,
        )
  const before = cpuSeconds([target.started.pid]).total
  const since = performance.now()
  const requests = await load(target, script, seconds)
  const used = cpuSeconds([target.started.pid]).total - before
  if (timer !== null) clearInterval(timer)
  return {
    row: name,
    round,
    cpuMicros: (used * 1e6) / requests,
    busy: (used * 1e3) / (performance.now() - since),
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function summarize(rows: readonly Row[], samples: readonly Sample[]) {
  const first = rows[0]?.name
  return rows.map(({ name }) => {
    const own = samples.filter((sample) => sample.row === name)
    const ratios = own.map((sample) => {
      const base = samples.find((other) => other.row === first && other.round === sample.round)
      return sample.cpuMicros / (base?.cpuMicros ?? Number.NaN)
    })
    return {
      row: name,
      cpuMicrosPerHit: median(own.map((sample) => sample.cpuMicros)),
      busy: median(own.map((sample) => sample.busy)),
      ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
    }
  })
}

async function main(): Promise<void> {
  const memory = await stat('/dev/shm').catch(() => null)
  const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-bench-'))
  const origin = await startOrigin()
  const targets: Target[] = []
  try {
    const script = join(directory, 'objects.lua')
    await writeScript(script)
    for (const name of ['without', 'with']) {
      const home = join(directory, name)
      await mkdir(home)
      targets.push(await startTarget(home, origin.port))
    }
    const [without, loaded] = targets as [Target, Target]
    await enterPatterns(loaded)
    const rows: readonly Row[] = [
      { name: 'none', target: without, stream: 0 },
      { name: `${patterns} active`, target: loaded, stream: 0 },
      { name: `${patterns} and ${perSecond}/s`, target: loaded, stream: perSecond },
    ]
    for (const target of targets) {
      let warm = 0
      while (warm < WARM_UP_REQUESTS) warm += await load(target, script, 2)
      for (let at = 0; at < OBJECTS; at += 97) {
        const found = await ask(target.port, at)
        if (found !== 'Hit from cloudfront') throw new Error(`${pathOf(at)} is not a hit: ${found}`)
      }
    }
    const samples: Sample[] = []
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < rows.length; n++) {
        const sample = await measure(rows[(n + round) % rows.length]!, round, script)
        samples.push(sample)
        say(`round ${round + 1}: ${sample.row}: ${sample.cpuMicros.toFixed(1)} us`)
      }
    }
    const summary = summarize(rows, samples)
    if (flags.json !== undefined) console.log(JSON.stringify({ patterns, perSecond, rows: summary, samples }, null, 2))
    else report(summary)
    const disturbed = summary.filter((row) => row.busy < BUSY_MIN)
    if (disturbed.length > 0) {
      const shares = disturbed.map((row) => `${row.row} ${Math.round(row.busy * 100)}%`).join(', ')
      process.stderr.write(`Other programs were running: of its processor the worker used only ${shares}.\n`)
    }
  } finally {
    for (const { started, feed } of targets) {
      await started.stop()
      await feed.stop()
    }
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
}

function report(rows: ReturnType<typeof summarize>): void {
  say(`${'patterns'.padEnd(24)}${'CPU us/hit'.padStart(12)}${'x none'.padStart(10)}   [min..max]`)
  for (const { row, cpuMicrosPerHit, ratio } of rows) {
    const spread = `[${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}]`
    say(
      `${row.padEnd(24)}${cpuMicrosPerHit.toFixed(1).padStart(12)}${ratio.median.toFixed(2).padStart(10)}   ${spread}`,
    )
  }
  const active = rows[1]?.ratio.median ?? Number.NaN
  say(
    `${active <= RATIO_TARGET ? 'Reached' : 'Missed'}: at most ${RATIO_TARGET.toFixed(2)} is asked for with active patterns.`,
  )
}

await main()
