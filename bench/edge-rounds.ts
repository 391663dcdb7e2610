//! Rounds of one object on several servers, and what they come to: CPU of a hit as a ratio to the others in the same round.
import { type BenchObject, EDGE_BENCH } from './edge.config.ts'
import { load, look } from './load.ts'
import { cpuSeconds } from './processes.ts'
import type { BenchServer } from './servers/server.ts'

/** One measurement of one server. */
export interface Sample {
  readonly server: string
  readonly round: number
  readonly requests: number
  /** CPU microseconds of the server's process tree for one request. */
  readonly cpuMicros: number
  readonly requestsPerSecond: number
  /** CPU seconds used for each second of load: near 1 when the server had its processor for itself. */
  readonly busy: number
  /** Share of the CPU time that the kernel used for it. */
  readonly kernelShare: number
}

interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Row {
  readonly server: string
  readonly version: string
  readonly cpuMicrosPerHit: number
  readonly requestsPerSecond: number
  readonly busy: number
  readonly kernelShare: number
  /** By the other server's name. */
  readonly ratioTo: Readonly<Record<string, Spread>>
}

/** Asks until the server answers from its cache. @throws Error when it does not within 20 s */
export async function untilHit(server: BenchServer, object: BenchObject): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await look(EDGE_BENCH, object.path, server.port).catch(() => null)
    if (answer?.status === 200 && answer.bytes === object.bytes && server.isHit(answer)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${server.name} does not answer ${object.name} with a hit:\n${server.output()}`)
}

/** Returns how many requests were answered. */
export async function warmUp(server: BenchServer, object: BenchObject): Promise<number> {
  let requests = 0
  while (requests < object.warmUpRequests) requests += (await load(EDGE_BENCH, object.path, server.port, 2)).requests
  return requests
}

export async function measure(
  server: BenchServer,
  object: BenchObject,
  round: number,
  seconds: number,
): Promise<Sample> {
  const before = cpuSeconds(server.pids)
  const { requests, seconds: took } = await load(EDGE_BENCH, object.path, server.port, seconds)
  await server.logSettled()
  const after = cpuSeconds(server.pids)
  await untilHit(server, object)
  const used = after.total - before.total
  return {
    server: server.name,
    round,
    requests,
    cpuMicros: (used * 1e6) / requests,
    requestsPerSecond: requests / took,
    busy: used / took,
    kernelShare: (after.system - before.system) / used,
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function summarize(samples: readonly Sample[], servers: readonly BenchServer[]): Row[] {
  return servers.map((server) => {
    const own = samples.filter((sample) => sample.server === server.name)
    const ratioTo = servers.map((other): [string, Spread] => {
      const ratios = own.flatMap((sample) => {
        const theirs = samples.find((one) => one.server === other.name && one.round === sample.round)
        return theirs === undefined ? [] : [sample.cpuMicros / theirs.cpuMicros]
      })
      return [other.name, { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) }]
    })
    return {
      server: server.name,
      version: server.version,
      cpuMicrosPerHit: median(own.map((sample) => sample.cpuMicros)),
      requestsPerSecond: median(own.map((sample) => sample.requestsPerSecond)),
      busy: median(own.map((sample) => sample.busy)),
      kernelShare: median(own.map((sample) => sample.kernelShare)),
      ratioTo: Object.fromEntries(ratioTo),
    }
  })
}

export function printTable(object: BenchObject, rows: readonly Row[]): void {
  const head = `${object.name} hit`.padEnd(14)
  console.log(
    `${head}${'CPU us/hit'.padStart(12)}${'x nginx'.padStart(10)}   ${'[min..max]'.padEnd(16)}requests/s   kernel`,
  )
  for (const row of rows) {
    const ratio = row.ratioTo.nginx
    const spread = ratio === undefined ? '' : `[${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}]`
    const cells = `${row.cpuMicrosPerHit.toFixed(1).padStart(12)}${(ratio?.median.toFixed(2) ?? '-').padStart(10)}   ${spread.padEnd(16)}`
    console.log(
      `${row.server.padEnd(14)}${cells}${`${Math.round(row.requestsPerSecond)}`.padStart(10)}   ${Math.round(row.kernelShare * 100)}%`,
    )
  }
  const own = rows.find((row) => row.server === 'cachefront')
  for (const [server, atMost] of Object.entries(object.atMost)) {
    const ratio = own?.ratioTo[server]
    if (ratio === undefined) continue
    const verdict = ratio.median <= atMost ? 'met' : 'missed'
    console.log(
      `  cachefront is ${ratio.median.toFixed(2)}x ${server} [${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}]; at most ${atMost.toFixed(2)}x is asked for: ${verdict}`,
    )
  }
}
