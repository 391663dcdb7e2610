//! `npm run bench:tls`: what HTTPS costs Cachefront's edge worker against Debian's nginx, with the same ECDSA P-256
//! certificate and TLS_AES_128_GCM_SHA256 over X25519: full and resumed TLS 1.3 handshakes for a second of the server's CPU,
//! and CPU of a 1 KB hit over HTTPS/1.1 keep-alive; logs on, alternating rounds. What counts is the ratio in the same round.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Authority } from '../src/lib/ca/authority.ts'
import { EDGE_BENCH } from './edge.config.ts'
import { summarize, untilHit } from './edge-rounds.ts'
import { h2load } from './h2load.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'
import { cpuSeconds } from './processes.ts'
import { startCachefront } from './servers/cachefront.ts'
import { startNginx } from './servers/nginx.ts'
import type { BenchServer } from './servers/server.ts'
import { TLS_BENCH, type TlsBenchLine } from './tls.config.ts'

const run = promisify(execFile)
const HANDSHAKES = fileURLToPath(new URL('tls/handshakes.ts', import.meta.url))
const OBJECT = EDGE_BENCH.objects[0]

const flags = readOptions({
  command: 'npm run bench:tls --',
  about: 'Handshakes for a second of CPU, and CPU of a hit over HTTPS, as ratios to nginx in the same round.',
  example: 'npm run bench:tls -- --rounds 3 --seconds 2 --lines full,resumed',
  options: {
    rounds: { value: 'N', about: 'each measures both servers once', default: `${TLS_BENCH.rounds}` },
    seconds: { value: 'N', about: 'of load in one measurement', default: `${TLS_BENCH.seconds}` },
    lines: { value: 'LIST', about: 'with commas', default: TLS_BENCH.lines.map(({ name }) => name).join(',') },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const lines = (flags.lines ?? '').split(',').map((name) => {
  const line = TLS_BENCH.lines.find((one) => one.name === name)
  return line ?? callFailed(`no line is named "${name}"`)
})
const say = (text: string) => void process.stderr.write(`${text}\n`)

/** Loads the server; returns how many of what the line counts there were. @throws Error when one failed */
async function load(server: BenchServer, { name }: TlsBenchLine, during: number): Promise<number> {
  if (name === 'hits') {
    const shape = { protocol: 'http/1.1', connections: TLS_BENCH.connections, streams: 1 } as const
    return await h2load(server, OBJECT.path, shape, during)
  }
  const args = [`${server.httpsPort}`, EDGE_BENCH.host, `${during}`, `${TLS_BENCH.handshakesAtOnce}`, name]
  const { stdout } = await run('taskset', ['-c', `${EDGE_BENCH.loadCpu}`, process.execPath, HANDSHAKES, ...args])
  const { handshakes, resumed, failed } = JSON.parse(stdout) as Record<string, number | string>
  if (failed !== '') throw new Error(`a handshake with ${server.name} failed: ${failed}\n${server.output()}`)
  if (name === 'resumed' ? Number(resumed) < Number(handshakes) : resumed !== 0)
    throw new Error(`${server.name}: of ${handshakes} ${name} handshakes ${resumed} were resumed`)
  return Number(handshakes)
}

interface Sample {
  readonly server: string
  readonly round: number
  readonly requests: number
  /** CPU microseconds of the server for one handshake or hit. */
  readonly cpuMicros: number
  readonly requestsPerSecond: number
  readonly busy: number
  readonly kernelShare: number
}

async function measure(server: BenchServer, line: TlsBenchLine, round: number): Promise<Sample> {
  const before = cpuSeconds(server.pids)
  const began = performance.now()
  const requests = await load(server, line, seconds)
  const took = (performance.now() - began) / 1_000
  if (line.name === 'hits') await server.logSettled()
  const after = cpuSeconds(server.pids)
  const used = after.total - before.total
  return {
    ...{ server: server.name, round, requests, cpuMicros: (used * 1e6) / requests },
    ...{ requestsPerSecond: requests / took, busy: used / took },
    kernelShare: (after.system - before.system) / used,
  }
}

async function benchLine(line: TlsBenchLine, servers: readonly BenchServer[]): Promise<readonly Sample[]> {
  for (const server of servers) {
    const enough = line.name === 'hits' ? TLS_BENCH.warmUp.hits : TLS_BENCH.warmUp.handshakes
    for (let warm = 0; warm < enough; ) warm += await load(server, line, 2)
  }
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < servers.length; n++) {
      const sample = await measure(servers[(n + round) % servers.length]!, line, round)
      samples.push(sample)
      say(`${line.name}, round ${round + 1} of ${rounds}: ${sample.server} ${sample.cpuMicros.toFixed(1)} us`)
    }
  }
  return samples
}

/** Of cachefront to nginx: CPU of the one to that of the other, or for rates the other way round. */
function print(line: TlsBenchLine, samples: readonly Sample[], servers: readonly BenchServer[]): void {
  const rows = summarize(samples, servers)
  const ofRates = line.compares === 'rate'
  console.log(`${line.what.padEnd(30)}${'CPU us'.padStart(10)}${ofRates ? 'a CPU-second'.padStart(16) : ''}`)
  for (const { server, cpuMicrosPerHit: micros } of rows)
    console.log(
      `  ${server.padEnd(28)}${micros.toFixed(1).padStart(10)}${ofRates ? `${Math.round(1e6 / micros)}`.padStart(16) : ''}`,
    )
  const ratio = rows.find(({ server }) => server === 'cachefront')?.ratioTo.nginx
  if (ratio === undefined) return
  const { median, min, max } = ofRates ? { median: 1 / ratio.median, min: 1 / ratio.max, max: 1 / ratio.min } : ratio
  const met = ofRates ? median >= line.wanted : median <= line.wanted
  const spread = `${median.toFixed(2)}x nginx [${min.toFixed(2)}..${max.toFixed(2)}]`
  const bound = `${ofRates ? 'at least' : 'at most'} ${line.wanted.toFixed(2)}x`
  console.log(
    `  cachefront has ${spread} ${ofRates ? 'handshakes' : 'CPU'}; ${bound} is asked for: ${met ? 'met' : 'missed'}`,
  )
}

async function main(): Promise<void> {
  const memory = await stat('/dev/shm').catch(() => null)
  const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-bench-'))
  const origin = createServer((_request, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    response.end(Buffer.alloc(OBJECT.bytes, 'x'))
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  const authority = await Authority.open(join(directory, 'ca'), Date.now)
  const { key, certificate: chain } = await authority.issue([EDGE_BENCH.host])
  authority.close()
  const servers: BenchServer[] = []
  try {
    for (const [name, start] of Object.entries({ nginx: startNginx, cachefront: startCachefront })) {
      const place = await mkdtemp(join(directory, `${name}-`))
      const originPort = (origin.address() as AddressInfo).port
      const server = await start({ config: EDGE_BENCH, directory: place, originPort, tls: { key, chain } })
      servers.push(server)
      await untilHit(server, OBJECT)
    }
    const results: { line: TlsBenchLine; samples: readonly Sample[] }[] = []
    for (const line of lines) {
      const samples = await benchLine(line, servers)
      results.push({ line, samples })
      if (flags.json === undefined) print(line, samples, servers)
    }
    if (flags.json !== undefined) console.log(JSON.stringify({ config: TLS_BENCH, results }, null, 2))
  } finally {
    for (const server of servers) await server.stop()
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
