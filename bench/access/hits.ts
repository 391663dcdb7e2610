//! Hits of a real worker, row by row, in alternating rounds.
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
import { ACCESS_ROWS, type AccessRow, documentOf } from './rows.ts'

const WARM_UP_REQUESTS = 60_000
/** Header blocks of a row with many. */
const BLOCKS = 1_000
const run = promisify(execFile)

export interface HitSample {
  readonly row: string
  readonly round: number
  readonly cpuMicros: number
  /** CPU seconds for each second of load. */
  readonly busy: number
}

function scriptOf({ path, headers, blocks }: AccessRow): string {
  const all = [['Host', EDGE_BENCH.host], ...EDGE_BENCH.headers, ...headers]
  const table = all.map(([name, value]) => `["${name}"]=${JSON.stringify(value)}`)
  const count = blocks === 'one' ? 1 : BLOCKS
  return `local headers = {${table.join(',')}}\nlocal requests = {}\nlocal at = 0
function init() for i = 1, ${count} do
  if i > 1 then headers["Referer"] = "http://www.example/page-" .. i end
  requests[i] = wrk.format("GET", "${path}", headers)
end end
function request() at = at % #requests + 1 return requests[at] end\n`
}

/** @throws Error when any answer was not a 2xx */
async function load(script: string, port: number, seconds: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', `${EDGE_BENCH.loadCpu}`, 'wrk', '-t1', `-c${EDGE_BENCH.connections}`, `-d${seconds}s`],
    ...['-s', script, `http://127.0.0.1:${port}/`],
  ])
  const counted = /(\d+) requests in/.exec(stdout)
  if (counted === null || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk failed:\n${stdout}`)
  return Number(counted[1])
}

export async function measureHits(
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<readonly HitSample[]> {
  const memory = await stat('/dev/shm').catch(() => null)
  const directory = await mkdtemp(join(memory?.isDirectory() ? '/dev/shm' : tmpdir(), 'cachefront-access-'))
  const body = Buffer.alloc(1_024, 'x')
  const origin = createServer((_, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    response.end(body)
  })
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  const { port: originPort } = origin.address() as AddressInfo
  const worker = await startBenchWorker({
    home: await mkdtemp(join(directory, 'w-')),
    documents: [documentOf(originPort)],
    cacheBytes: 64 * 1024 * 1024,
  })
  const samples: HitSample[] = []
  try {
    const scripts = new Map<AccessRow, string>()
    for (const [at, row] of ACCESS_ROWS.entries()) {
      const file = join(directory, `${at}.lua`)
      await writeFile(file, scriptOf(row))
      scripts.set(row, file)
    }
    for (let warm = 0; warm < WARM_UP_REQUESTS * scripts.size; ) {
      for (const script of scripts.values()) warm += await load(script, worker.port, 1)
    }
    say('hits: the worker is warm')
    for (let round = 0; round < rounds; round++) {
      for (const row of round % 2 === 0 ? ACCESS_ROWS : ACCESS_ROWS.toReversed()) {
        const before = cpuSeconds([worker.started.pid]).total
        const since = performance.now()
        const requests = await load(scripts.get(row) as string, worker.port, seconds)
        const used = cpuSeconds([worker.started.pid]).total - before
        const busy = (used * 1e3) / (performance.now() - since)
        samples.push({ row: row.name, round, cpuMicros: (used * 1e6) / requests, busy })
      }
      say(`hits: round ${round + 1} of ${rounds}`)
    }
  } finally {
    await worker.stop()
    origin.close()
    await rm(directory, { recursive: true, force: true })
  }
  return samples
}
