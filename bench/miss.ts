//! `npm run bench:miss`: what a miss costs above the origin client alone. An edge worker is asked for URLs that nobody has
//! asked for before; `undici` in a process of its own asks the same origin for as many; in alternating rounds, CPU time of
//! the processes. `npm run bench:miss -- --help` names the options.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { behaviorDoc, cachePolicy, distributionDoc, NONE, originDoc } from '../test/support/edge-scenario.ts'
import { EDGE_BENCH } from './edge.config.ts'
import { readOptions, wholeNumber } from './options.ts'
import { cpuSeconds } from './processes.ts'
import { type BenchWorker, type BenchWorkerOptions, SHIELD_REGION, startBenchWorker } from './worker.ts'

/** Microseconds of CPU that a miss may take besides those of the client. */
const ADDED_MAX = 600
const WARM_UP_SECONDS = 6
const run = promisify(execFile)

const flags = readOptions({
  command: 'npm run bench:miss --',
  about: 'CPU of a miss (unique URLs, 1 KB) through an edge worker and through undici alone, in alternating rounds.',
  example: 'npm run bench:miss -- --rounds 3 --seconds 2',
  options: {
    rounds: { value: 'N', about: 'each measures every row once', default: '7' },
    seconds: { value: 'N', about: 'of load in one measurement', default: '4' },
    json: { value: null, about: 'print one JSON document with every sample', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const say = (text: string): void => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

/** One way to the origin. */
interface Row {
  readonly name: string
  readonly pid: number
  /** Asks for so many seconds; resolves with how many requests were answered. */
  load(seconds: number): Promise<number>
  stop(): Promise<void>
}

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Lines {
  readonly child: ChildProcess
  /** The next line that it prints. @throws Error when it ends instead */
  line(): Promise<string>
}

function startLines(cpu: number, ...args: string[]): Lines {
  const child = spawn('taskset', ['-c', `${cpu}`, process.execPath, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${args[0]} has ended`)
    return value
  }
  return { child, line }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

function startClient(originPort: number): Row {
  const { child, line } = startLines(
    EDGE_BENCH.serverCpu,
    fileOf('./miss/undici.ts'),
    `${originPort}`,
    `${EDGE_BENCH.connections}`,
  )
  return {
    name: 'undici alone',
    pid: child.pid ?? 0,
    async load(duration) {
      child.stdin?.write(`${duration}\n`)
      return Number(await line())
    },
    stop: () => end(child),
  }
}

const DISABLED = cachePolicy({ id: 'none', minTtl: 0, defaultTtl: 0, maxTtl: 0, gzip: false, brotli: false })
const ALL_VIEWER = {
  id: 'all',
  headers: { ...NONE, behavior: 'allViewer' as const },
  cookies: NONE,
  queryStrings: NONE,
}

async function startEdge(directory: string, originPort: number, more: Pick<BenchWorkerOptions, 'diskBytes' | 'tiers'>) {
  const home = await mkdtemp(join(directory, 'w-'))
  const behaviors = [
    behaviorDoc({ pathPattern: 'pass/*', cachePolicy: DISABLED, originRequestPolicy: ALL_VIEWER }),
    behaviorDoc({}),
  ]
  const shield = more.tiers ? { shieldRegion: SHIELD_REGION } : {}
  const origins = [originDoc(originPort, shield)]
  const document = distributionDoc(originPort, { domainName: EDGE_BENCH.host, behaviors, origins })
  return startBenchWorker({ home, documents: [document], cacheBytes: 64 * 1024 * 1024, ...more })
}

let loads = 0

/** Every load asks for URLs of its own: none was ever asked for before. */
async function loadEdge(directory: string, port: number, path: string, duration: number): Promise<number> {
  const script = join(directory, `${path}.lua`)
  const headers = [['Host', EDGE_BENCH.host], ...EDGE_BENCH.headers].map(
    ([name, value]) => `["${name}"]=${JSON.stringify(value)}`,
  )
  loads++
  await writeFile(
    script,
    `local at = 0\nlocal head = wrk.format("GET", "/PATH", {${headers.join(',')}})
local from, to = head:find("/PATH", 1, true)
local before, behind = head:sub(1, from - 1), head:sub(to + 1)
function request() at = at + 1 return before .. "/${path}/${loads}/product-" .. at .. ".jpg" .. behind end\n`,
  )
  const { stdout } = await run('taskset', [
    ...['-c', `${EDGE_BENCH.loadCpu}`, 'wrk', '-t1', `-c${EDGE_BENCH.connections}`, `-d${duration}s`, '-s', script],
    `http://127.0.0.1:${port}/`,
  ])
  const counted = /(\d+) requests in/.exec(stdout)
  if (counted === null || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk failed:\n${stdout}`)
  return Number(counted[1])
}

async function startRows(directory: string, originPort: number): Promise<Row[]> {
  const memory = await startEdge(directory, originPort, {})
  const disk = await startEdge(directory, originPort, { diskBytes: 256 * 1024 * 1024 })
  const tiers = await startEdge(directory, originPort, { tiers: true })
  const rowOf = (edge: BenchWorker, path: string, name: string, stop: Row['stop']): Row => ({
    name,
    pid: edge.started.pid,
    load: (duration) => loadEdge(directory, edge.port, path, duration),
    stop,
  })
  return [
    startClient(originPort),
    rowOf(memory, 'pass', 'edge, nothing is kept', memory.stop),
    rowOf(memory, 'keep', 'edge, kept in memory', async () => {}),
    rowOf(disk, 'keep', 'edge, kept in memory and on disk', disk.stop),
    rowOf(tiers, 'keep', 'edge, regional cache and shield', tiers.stop),
  ]
}

interface Sample {
  readonly row: string
  readonly round: number
  readonly cpuMicros: number
  readonly busy: number
}

async function originCount(): Promise<number> {
  origin.child.stdin?.write('\n')
  return Number(await origin.line())
}

/** @throws Error when not each request came to the origin */
async function measure(row: Row, round: number): Promise<Sample> {
  const earlier = await originCount()
  const before = cpuSeconds([row.pid]).total
  const since = performance.now()
  const requests = await row.load(seconds)
  const used = cpuSeconds([row.pid]).total - before
  const busy = (used * 1e3) / (performance.now() - since)
  const asked = (await originCount()) - earlier
  // wrk leaves at the end without waiting for what it has asked, and without counting what came in the last moment.
  if (asked < requests || asked > requests + 2 * EDGE_BENCH.connections) {
    throw new Error(`${row.name}: ${requests} answers, ${asked} requests at the origin`)
  }
  return { row: row.name, round, cpuMicros: (used * 1e6) / requests, busy }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

function print(rows: readonly Row[], samples: readonly Sample[]): void {
  const microsOf = (name: string) => samples.filter(({ row }) => row === name).map(({ cpuMicros }) => cpuMicros)
  const alone = microsOf(rows[0]?.name ?? '')
  console.log(`${'a miss of 1 KB'.padEnd(36)}${'CPU us'.padStart(8)}${'added'.padStart(8)}   [min..max]`)
  for (const { name } of rows) {
    const micros = microsOf(name)
    const added = micros.map((value, round) => value - (alone[round] ?? 0))
    const spread = `[${Math.min(...added).toFixed(0)}..${Math.max(...added).toFixed(0)}]`
    const more = name === rows[0]?.name ? '' : `${median(added).toFixed(0).padStart(8)}   ${spread}`
    const verdict = more === '' ? '' : `  ${median(added) <= ADDED_MAX ? 'met' : 'missed'}`
    console.log(`${name.padEnd(36)}${median(micros).toFixed(0).padStart(8)}${more}${verdict}`)
  }
  console.log(`At most ${ADDED_MAX} us above undici alone are asked for.`)
  const busy = Math.min(...samples.map((sample) => sample.busy))
  if (busy < 0.8) say(`Other programs were running: of its processor a process used only ${Math.round(busy * 100)}%.`)
}

const load = (loadavg()[0] ?? 0).toFixed(1)
const memory = await stat('/dev/shm').catch(() => null)
const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-miss-'))
const origin = startLines(EDGE_BENCH.loadCpu, fileOf('./miss/origin.ts'))
const rows: Row[] = []
try {
  rows.push(...(await startRows(directory, Number(await origin.line()))))
  for (const row of rows) {
    await row.load(WARM_UP_SECONDS)
    say(`${row.name} is warm`)
  }
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < rows.length; n++) {
      const sample = await measure(rows[(n + round) % rows.length] as Row, round)
      samples.push(sample)
      say(`round ${round + 1}: ${sample.row} ${sample.cpuMicros.toFixed(0)} us`)
    }
  }
  const ordered = samples.toSorted((a, b) => a.round - b.round)
  if (flags.json === undefined) print(rows, ordered)
  else console.log(JSON.stringify({ addedMax: ADDED_MAX, load, samples: ordered }, null, 2))
  if (flags.json === undefined) console.log(`load average before: ${load}`)
} finally {
  for (const row of rows) await row.stop()
  await end(origin.child)
  await rm(directory, { recursive: true, force: true })
}
