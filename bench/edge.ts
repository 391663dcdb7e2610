//! `npm run bench:edge`: CPU time per 1 KB memory hit over HTTP/1.1 keep-alive of Cachefront's edge worker, against nginx
//! proxy_cache and Varnish, in alternating rounds of one run, logs on. What counts is the ratio to nginx in the same round.
//! `npm run bench:edge -- --help` names the options.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EDGE_BENCH } from './edge.config.ts'
import { load, look } from './load.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'
import { cpuSeconds } from './processes.ts'
import { startCachefront } from './servers/cachefront.ts'
import { startNginx } from './servers/nginx.ts'
import type { BenchServer, StartServer } from './servers/server.ts'
import { startVarnish } from './servers/varnish.ts'

const SERVERS: Readonly<Record<string, StartServer>> = {
  nginx: startNginx,
  varnish: startVarnish,
  cachefront: startCachefront,
}

/** One measurement of one server. */
interface Sample {
  readonly server: string
  readonly round: number
  /** CPU microseconds of the server's process tree for one request. */
  readonly cpuMicros: number
  readonly requestsPerSecond: number
  /** CPU seconds used for each second of load: near 1 when the server had its processor for itself. */
  readonly busy: number
  /** Share of the CPU time that the kernel used for it. */
  readonly kernelShare: number
}

/** Below this the servers were not at their limit: other programs had part of their processor or of the load's. */
const BUSY_MIN = 0.85

/** CPU of a hit as a share of nginx's that is asked for (README). */
const RATIO_TARGET = 1

const flags = readOptions({
  command: 'npm run bench:edge --',
  about: 'CPU time per 1 KB memory hit over HTTP/1.1 keep-alive, as a ratio to nginx in the same round.',
  example: 'npm run bench:edge -- --rounds 3 --seconds 2 --only nginx,cachefront',
  options: {
    rounds: { value: 'N', about: 'each measures every server once', default: `${EDGE_BENCH.rounds}` },
    seconds: { value: 'N', about: 'of load in one measurement', default: `${EDGE_BENCH.seconds}` },
    only: { value: 'LIST', about: 'servers, with commas', default: Object.keys(SERVERS).join(',') },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const names = oneOfServers(flags.only)
const say = (text: string) => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

function oneOfServers(list = ''): readonly string[] {
  const unknown = list.split(',').find((name) => SERVERS[name] === undefined)
  if (unknown !== undefined) callFailed(`no server is named "${unknown}": ${Object.keys(SERVERS).join(', ')}`)
  return list.split(',')
}

/** The origin that all servers fill from: asked once or twice each, then idle. */
async function startOrigin(): Promise<{ port: number; close(): void }> {
  const body = Buffer.alloc(EDGE_BENCH.objectBytes, 'x')
  const server = createServer((_request, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** Asks until the server answers from its cache. @throws Error when it does not within 20 s */
async function untilHit(server: BenchServer): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await look(EDGE_BENCH, server.port).catch(() => null)
    if (answer?.status === 200 && answer.bytes === EDGE_BENCH.objectBytes && server.isHit(answer)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${server.name} does not answer with a hit:\n${server.output()}`)
}

async function warmUp(server: BenchServer): Promise<number> {
  let requests = 0
  while (requests < EDGE_BENCH.warmUpRequests) requests += (await load(EDGE_BENCH, server.port, 2)).requests
  return requests
}

async function measure(server: BenchServer, round: number, seconds: number): Promise<Sample & { requests: number }> {
  const before = cpuSeconds(server.pids)
  const { requests, seconds: took } = await load(EDGE_BENCH, server.port, seconds)
  await server.logSettled()
  const after = cpuSeconds(server.pids)
  const used = after.total - before.total
  const kernelShare = (after.system - before.system) / used
  await untilHit(server)
  const cpuMicros = (used * 1e6) / requests
  return {
    server: server.name,
    round,
    cpuMicros,
    requestsPerSecond: requests / took,
    busy: used / took,
    kernelShare,
    requests,
  }
}

/** @throws Error when the server did not log what it answered */
async function checkLog(server: BenchServer, requests: number): Promise<void> {
  const lines = await server.logLines()
  if (lines < requests) throw new Error(`${server.name} answered ${requests} requests and logged ${lines}`)
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function summarize(samples: readonly Sample[], servers: readonly BenchServer[]) {
  return servers.map((server) => {
    const own = samples.filter((sample) => sample.server === server.name)
    const ratios = own.flatMap((sample) => {
      const nginx = samples.find((other) => other.server === 'nginx' && other.round === sample.round)
      return nginx === undefined ? [] : [sample.cpuMicros / nginx.cpuMicros]
    })
    return {
      server: server.name,
      version: server.version,
      cpuMicrosPerHit: median(own.map((sample) => sample.cpuMicros)),
      requestsPerSecond: median(own.map((sample) => sample.requestsPerSecond)),
      busy: median(own.map((sample) => sample.busy)),
      kernelShare: median(own.map((sample) => sample.kernelShare)),
      ratioToNginx:
        ratios.length === 0 ? null : { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
    }
  })
}

function printTable(rows: ReturnType<typeof summarize>): void {
  console.log(
    `${'server'.padEnd(12)}${'CPU us/hit'.padStart(12)}${'x nginx'.padStart(10)}   ${'[min..max]'.padEnd(16)}requests/s`,
  )
  for (const row of rows) {
    const { ratioToNginx: ratio } = row
    const spread = ratio === null ? '' : `[${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}]`
    console.log(
      `${row.server.padEnd(12)}${row.cpuMicrosPerHit.toFixed(1).padStart(12)}${(ratio?.median.toFixed(2) ?? '-').padStart(10)}   ${spread.padEnd(16)}${Math.round(row.requestsPerSecond)}`,
    )
  }
}

/** A shared machine makes figures worthless; say so instead of letting them pass for a result. */
function warnWhenDisturbed(rows: ReturnType<typeof summarize>): void {
  const disturbed = rows.filter((row) => row.busy < BUSY_MIN)
  if (disturbed.length === 0) return
  const shares = disturbed.map((row) => `${row.server} ${Math.round(row.busy * 100)}%`).join(', ')
  process.stderr.write(
    `Other programs were running: of their processor the servers used only ${shares}. Repeat on a quiet machine.\n`,
  )
}

/**
 * Says what limits when the target is missed: the kernel's share of the CPU (reading, writing, waking) is the same for
 * every program that answers this way; only the rest is ours to make cheaper.
 */
function explainWhenMissed(rows: ReturnType<typeof summarize>): void {
  const own = rows.find((row) => row.server === 'cachefront')
  if (own?.ratioToNginx == null || own.ratioToNginx.median <= RATIO_TARGET) return
  const kernel = Math.round(own.kernelShare * 100)
  process.stderr.write(
    `Missed: ${own.ratioToNginx.median.toFixed(2)}x nginx, at most ${RATIO_TARGET.toFixed(2)}x is asked for. ` +
      `Of the ${own.cpuMicrosPerHit.toFixed(1)} us, ${kernel}% is the kernel's (socket calls) and ${100 - kernel}% our own; ` +
      `BENCH_NODE_OPTIONS=--cpu-prof npm run bench:edge -- --only cachefront shows where.\n`,
  )
}

async function main(): Promise<void> {
  const memory = await stat('/dev/shm').catch(() => null)
  const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-bench-'))
  const origin = await startOrigin()
  const servers: BenchServer[] = []
  const answered = new Map<string, number>()
  const count = (server: BenchServer, n: number) => answered.set(server.name, (answered.get(server.name) ?? 0) + n)
  try {
    for (const name of names) {
      const start = SERVERS[name]
      if (start === undefined) throw new Error(`no server named ${name}: ${Object.keys(SERVERS).join(', ')}`)
      const place = await mkdtemp(join(directory, `${name}-`))
      const server = await start({ config: EDGE_BENCH, directory: place, originPort: origin.port })
      servers.push(server)
      await untilHit(server)
      count(server, await warmUp(server))
      await server.logSettled()
      say(`${server.name}: warm (${server.version})`)
    }
    const samples: Sample[] = []
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < servers.length; n++) {
        const server = servers[(n + round) % servers.length]!
        const sample = await measure(server, round, seconds)
        count(server, sample.requests)
        samples.push(sample)
        say(`round ${round + 1}: ${server.name} ${sample.cpuMicros.toFixed(1)} us`)
      }
    }
    for (const server of servers) await checkLog(server, answered.get(server.name) ?? 0)
    const rows = summarize(samples, servers)
    if (flags.json !== undefined) console.log(JSON.stringify({ config: EDGE_BENCH, rows, samples }, null, 2))
    else printTable(rows)
    explainWhenMissed(rows)
    warnWhenDisturbed(rows)
  } finally {
    for (const server of servers) await server.stop()
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
