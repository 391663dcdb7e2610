//! Hits through real workers: one with a single site, one with a thousand, each asked for a thousand objects that it has.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EDGE_BENCH } from '../edge.config.ts'
import { cpuSeconds } from '../processes.ts'
import { startBenchWorker } from '../worker.ts'
import { hostOf, PLACES, type Place, siteDoc } from './sites.ts'

const SITES = 1_000
const WARM_UP_REQUESTS = 60_000
const run = promisify(execFile)

export interface HitSample {
  readonly place: Place
  readonly sites: number
  readonly round: number
  readonly cpuMicros: number
  /** CPU seconds for each second of load. */
  readonly busy: number
}

interface Target {
  readonly sites: number
  readonly port: number
  readonly pid: number
  readonly scripts: ReadonlyMap<Place, string>
  stop(): Promise<void>
}

const originBody = Buffer.alloc(1_024, 'x')

async function startOrigin(): Promise<{ port: number; close(): void }> {
  const server = createServer((_, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    response.end(originBody)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/**
 * A thousand objects: of one site a thousand, of a thousand sites one each; in an order without a pattern. wrk cannot bind
 * a host to a connection: with another Host in each request no header block is that of the request before, which makes a
 * hit three times as dear. So the one site's blocks differ from each other too, by a Referer, and what is left is routing.
 */
async function writeScript(file: string, place: Place, sites: number): Promise<void> {
  const rows = Array.from({ length: SITES }, (_, k) => {
    const n = (k * 7_919) % SITES
    const site = sites === 1 ? 0 : n
    const tail = String(sites === 1 ? n : 0).padStart(3, '0')
    return `{"${hostOf(site)}","${PLACES[place].path(site).replace(/(\.\w+)?$/, `-${tail}$1`)}"}`
  })
  const headers = EDGE_BENCH.headers.map(([name, value]) => `["${name}"]=${JSON.stringify(value)}`)
  await writeFile(
    file,
    `local rows = {${rows.join(',')}}\nlocal headers = {${headers.join(',')}}\nlocal requests = {}\nlocal at = 0
function init() for i = 1, #rows do
  headers["Host"] = rows[i][1]
  headers["Referer"] = "http://www.example/page-" .. i
  requests[i] = wrk.format("GET", rows[i][2], headers)
end end
function request() at = at % #requests + 1 return requests[at] end\n`,
  )
}

async function startTarget(directory: string, sites: number, originPort: number): Promise<Target> {
  const documents = Array.from({ length: sites }, (_, n) => siteDoc(n, originPort))
  const { started, port, stop } = await startBenchWorker({ home: directory, documents, cacheBytes: 64 * 1024 * 1024 })
  const scripts = new Map<Place, string>()
  for (const place of Object.keys(PLACES) as Place[]) {
    const file = join(directory, `${place}.lua`)
    await writeScript(file, place, sites)
    scripts.set(place, file)
  }
  return { sites, port, pid: started.pid, scripts, stop }
}

/** @throws Error when any answer was not a 2xx */
async function load({ port, scripts }: Target, place: Place, seconds: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', `${EDGE_BENCH.loadCpu}`, 'wrk', '-t1', `-c${EDGE_BENCH.connections}`, `-d${seconds}s`],
    ...['-s', scripts.get(place) ?? '', `http://127.0.0.1:${port}/`],
  ])
  const counted = /(\d+) requests in/.exec(stdout)
  if (counted === null || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk failed:\n${stdout}`)
  return Number(counted[1])
}

async function measure(target: Target, place: Place, round: number, seconds: number): Promise<HitSample> {
  const before = cpuSeconds([target.pid]).total
  const since = performance.now()
  const requests = await load(target, place, seconds)
  const used = cpuSeconds([target.pid]).total - before
  const busy = (used * 1e3) / (performance.now() - since)
  return { place, sites: target.sites, round, cpuMicros: (used * 1e6) / requests, busy }
}

/** In alternating rounds, each place of both workers once. */
export async function measureHits(
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<readonly HitSample[]> {
  const memory = await stat('/dev/shm').catch(() => null)
  const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-routing-'))
  const origin = await startOrigin()
  const targets: Target[] = []
  const samples: HitSample[] = []
  try {
    for (const sites of [1, SITES])
      targets.push(await startTarget(await mkdtemp(join(directory, 'w-')), sites, origin.port))
    for (const target of targets) {
      let warm = 0
      while (warm < WARM_UP_REQUESTS) for (const place of target.scripts.keys()) warm += await load(target, place, 1)
      say(`hits: the worker with ${target.sites} distributions is warm`)
    }
    for (let round = 0; round < rounds; round++) {
      for (const place of Object.keys(PLACES) as Place[]) {
        for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
          samples.push(await measure(target, place, round, seconds))
        }
      }
      say(`hits: round ${round + 1} of ${rounds}`)
    }
  } finally {
    for (const target of targets) await target.stop()
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
  return samples
}
