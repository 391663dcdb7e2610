//! `npm run bench:http2`: CPU time per memory hit over HTTP/2 of Cachefront's edge worker against Debian's nginx, with the
//! same ECDSA P-256 certificate and TLS_AES_128_GCM_SHA256 over X25519, a browser's headers, logs on; h2load makes the
//! load. Alternating rounds; what counts is the ratio in the same round.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Authority } from '../src/lib/ca/authority.ts'
import { type BenchObject, EDGE_BENCH } from './edge.config.ts'
import { printTable, type Sample, summarize, untilHit } from './edge-rounds.ts'
import { h2load } from './h2load.ts'
import { HTTP2_BENCH, type Http2BenchLine } from './http2.config.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'
import { cpuSeconds } from './processes.ts'
import { startCachefront } from './servers/cachefront.ts'
import { startNginx } from './servers/nginx.ts'
import type { BenchServer } from './servers/server.ts'

const flags = readOptions({
  command: 'npm run bench:http2 --',
  about: 'CPU time per memory hit over HTTP/2, as a ratio to nginx in the same round.',
  example: 'npm run bench:http2 -- --rounds 3 --seconds 2 --lines 1KB',
  options: {
    rounds: { value: 'N', about: 'each measures both servers once', default: `${HTTP2_BENCH.rounds}` },
    seconds: { value: 'N', about: 'of load in one measurement', default: `${HTTP2_BENCH.seconds}` },
    lines: { value: 'LIST', about: 'with commas', default: HTTP2_BENCH.lines.map(({ name }) => name).join(',') },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const lines = (flags.lines ?? '').split(',').map((name) => {
  const line = HTTP2_BENCH.lines.find((one) => one.name === name)
  return line ?? callFailed(`no line is named "${name}"`)
})
const say = (text: string): void => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

const objectOf = (line: Http2BenchLine): BenchObject =>
  EDGE_BENCH.objects.find(({ name }) => name === line.object) as BenchObject

const load = (server: BenchServer, line: Http2BenchLine, during: number): Promise<number> =>
  h2load(server, objectOf(line).path, { protocol: 'h2', ...line }, during)

async function measure(server: BenchServer, line: Http2BenchLine, round: number): Promise<Sample> {
  const before = cpuSeconds(server.pids)
  const began = performance.now()
  const requests = await load(server, line, seconds)
  const took = (performance.now() - began) / 1_000
  await server.logSettled()
  const after = cpuSeconds(server.pids)
  await untilHit(server, objectOf(line))
  const used = after.total - before.total
  return {
    ...{ server: server.name, round, requests, cpuMicros: (used * 1e6) / requests },
    ...{ requestsPerSecond: requests / took, busy: used / took },
    kernelShare: (after.system - before.system) / used,
  }
}

async function bench(
  line: Http2BenchLine,
  servers: readonly BenchServer[],
  count: (server: BenchServer, requests: number) => void,
): Promise<readonly Sample[]> {
  for (const server of servers) {
    await untilHit(server, objectOf(line))
    for (let warm = 0; warm < line.warmUpRequests; ) {
      const requests = await load(server, line, 2)
      warm += requests
      count(server, requests)
    }
    await server.logSettled()
  }
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < servers.length; n++) {
      const sample = await measure(servers[(n + round) % servers.length]!, line, round)
      count(servers[(n + round) % servers.length]!, sample.requests)
      samples.push(sample)
      say(`${line.name}, round ${round + 1} of ${rounds}: ${sample.server} ${sample.cpuMicros.toFixed(1)} us`)
    }
  }
  return samples
}

/** The origin that both servers fill from: asked once or twice, then idle. */
async function startOrigin(): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    const object = EDGE_BENCH.objects.find(({ path }) => path === request.url)
    response.end(Buffer.alloc(object?.bytes ?? 0, 'x'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

async function main(): Promise<void> {
  const memory = await stat('/dev/shm').catch(() => null)
  const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-bench-'))
  const origin = await startOrigin()
  const authority = await Authority.open(join(directory, 'ca'), Date.now)
  const { key, certificate } = await authority.issue([EDGE_BENCH.host])
  const servers: BenchServer[] = []
  const answered = new Map<string, number>()
  try {
    for (const start of [startNginx, startCachefront]) {
      const place = await mkdtemp(join(directory, 'server-'))
      const tls = { key, chain: certificate }
      servers.push(await start({ config: EDGE_BENCH, directory: place, originPort: origin.port, tls }))
    }
    const results = []
    for (const line of lines) {
      const samples = await bench(line, servers, (server, n) =>
        answered.set(server.name, (answered.get(server.name) ?? 0) + n),
      )
      const rows = summarize(samples, servers)
      results.push({ line, rows, samples })
      const { name, connections, streams, atMost } = line
      if (flags.json !== undefined) continue
      console.log(`${connections} connections, ${streams} at a time on each`)
      printTable({ ...objectOf(line), name, atMost: { nginx: atMost } }, rows)
    }
    for (const server of servers) {
      const logged = await server.logLines()
      const asked = answered.get(server.name) ?? 0
      if (logged < asked) throw new Error(`${server.name} answered ${asked} requests and logged ${logged}`)
    }
    if (flags.json !== undefined) console.log(JSON.stringify(results))
  } finally {
    for (const server of servers) await server.stop()
    authority.close()
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
