//! `npm run bench:edge`: CPU time per memory hit over HTTP/1.1 keep-alive of Cachefront's edge worker, against nginx
//! proxy_cache and Varnish, in alternating rounds of one run, logs on; objects of 1 KB, 100 KB and 10 MB, and what 40
//! stalled readers hold. What counts is the ratio in the same round. `npm run bench:edge -- --help` names the options.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchObject, EDGE_BENCH } from './edge.config.ts'
import { measure, printTable, type Row, type Sample, summarize, untilHit, warmUp } from './edge-rounds.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'
import { startCachefront } from './servers/cachefront.ts'
import { startNginx } from './servers/nginx.ts'
import type { BenchServer, StartServer } from './servers/server.ts'
import { startVarnish } from './servers/varnish.ts'
import { type Stalled, stallReaders } from './stalled.ts'

const SERVERS: Readonly<Record<string, StartServer>> = {
  nginx: startNginx,
  varnish: startVarnish,
  cachefront: startCachefront,
}

/** Below this the servers were not at their limit: other programs had part of their processor or of the load's. */
const BUSY_MIN = 0.85

const flags = readOptions({
  command: 'npm run bench:edge --',
  about: 'CPU time per memory hit over HTTP/1.1 keep-alive, as a ratio to nginx and Varnish in the same round.',
  example: 'npm run bench:edge -- --rounds 3 --seconds 2 --objects 1KB --only nginx,cachefront',
  options: {
    rounds: { value: 'N', about: 'each measures every server once', default: `${EDGE_BENCH.rounds}` },
    seconds: { value: 'N', about: 'of load in one measurement', default: `${EDGE_BENCH.seconds}` },
    objects: { value: 'LIST', about: 'with commas', default: EDGE_BENCH.objects.map(({ name }) => name).join(',') },
    only: { value: 'LIST', about: 'servers, with commas', default: Object.keys(SERVERS).join(',') },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const names = listOf(flags.only, Object.keys(SERVERS), 'server')
const objects: readonly BenchObject[] = listOf(
  flags.objects,
  EDGE_BENCH.objects.map(({ name }) => name),
  'object',
).map((name) => EDGE_BENCH.objects.find((object) => object.name === name) as BenchObject)
const say = (text: string) => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

function listOf(list = '', known: readonly string[], noun: string): readonly string[] {
  const unknown = list.split(',').find((name) => !known.includes(name))
  if (unknown !== undefined) callFailed(`no ${noun} is named "${unknown}": ${known.join(', ')}`)
  return list.split(',')
}

/** The origin that all servers fill from: asked once or twice each, then idle. */
async function startOrigin(): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    const object = EDGE_BENCH.objects.find(({ path }) => path === request.url)
    response.end(Buffer.alloc(object?.bytes ?? 0, 'x'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** @throws Error when the server did not log what it answered */
async function checkLog(server: BenchServer, requests: number): Promise<void> {
  const lines = await server.logLines()
  if (lines < requests) throw new Error(`${server.name} answered ${requests} requests and logged ${lines}`)
}

/** A shared machine makes figures worthless; say so instead of letting them pass for a result. */
function warnWhenDisturbed(rows: readonly Row[]): void {
  const disturbed = rows.filter((row) => row.busy < BUSY_MIN)
  if (disturbed.length === 0) return
  const shares = disturbed.map((row) => `${row.server} ${Math.round(row.busy * 100)}%`).join(', ')
  process.stderr.write(
    `Other programs were running: of their processor the servers used only ${shares}. Repeat on a quiet machine.\n`,
  )
}

interface Result {
  readonly object: BenchObject
  readonly rows: readonly Row[]
  readonly samples: readonly Sample[]
  readonly stalled: readonly Stalled[]
}

async function benchObject(
  object: BenchObject,
  all: readonly BenchServer[],
  count: (server: BenchServer, requests: number) => void,
): Promise<Result> {
  const servers = all.filter((server) => object.servers.includes(server.name))
  for (const server of servers) {
    await untilHit(server, object)
    count(server, await warmUp(server, object))
    await server.logSettled()
    say(`${object.name}: ${server.name} is warm (${server.version})`)
  }
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < servers.length; n++) {
      const server = servers[(n + round) % servers.length]!
      const sample = await measure(server, object, round, seconds)
      count(server, sample.requests)
      samples.push(sample)
      say(`${object.name}, round ${round + 1} of ${rounds}: ${server.name} ${sample.cpuMicros.toFixed(1)} us`)
    }
  }
  const stalled: Stalled[] = []
  if (object === EDGE_BENCH.objects.at(-1))
    for (const server of servers) stalled.push(await stallReaders(server, object))
  return { object, rows: summarize(samples, servers), samples, stalled }
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
      if (!objects.some((object) => object.servers.includes(name))) continue
      const place = await mkdtemp(join(directory, `${name}-`))
      servers.push(await SERVERS[name]!({ config: EDGE_BENCH, directory: place, originPort: origin.port }))
    }
    const results: Result[] = []
    for (const object of objects) {
      const result = await benchObject(object, servers, count)
      results.push(result)
      if (flags.json !== undefined) continue
      printTable(object, result.rows)
      for (const { server, readers, grewBytes } of result.stalled) {
        console.log(`  ${server}: ${readers} readers that stall hold ${(grewBytes / 1024 / 1024).toFixed(1)} MiB`)
      }
      warnWhenDisturbed(result.rows)
    }
    for (const server of servers) await checkLog(server, answered.get(server.name) ?? 0)
    if (flags.json !== undefined) console.log(JSON.stringify({ config: EDGE_BENCH, results }, null, 2))
  } finally {
    for (const server of servers) await server.stop()
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
