//! Cachefront's real edge worker for a benchmark: the program's own role, started as the keeper starts it, with its feed.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { homePaths, readConfig } from '../src/config.ts'
import type { DistributionDoc } from '../src/domain/distribution.ts'
import { workerWishes } from '../src/roles/worker-settings.ts'
import { EdgeFeed } from '../test/support/edge-feed.ts'
import { EDGE_BENCH } from './edge.config.ts'
import { freePort, type Started, startOn } from './processes.ts'

const READY_MS = 30_000
const MIB = 1024 * 1024

/** Names of the places of `tiers: true`: a POP, its regional edge cache, and one in a region that an origin's shield names. */
export const SHIELD_REGION = 'us-east-1'
const REGIONALS = [
  { name: 'REC-eu-central-1', region: 'eu-central-1' },
  { name: 'REC-us-east-1', region: SHIELD_REGION },
]

export interface BenchWorkerOptions {
  /** A directory of its own. */
  readonly home: string
  readonly documents: readonly DistributionDoc[]
  /** Of the memory tier. */
  readonly cacheBytes: number
  /** Of the disk tier, at least 64 MiB; none unless given. */
  readonly diskBytes?: number
  /** With regional edge caches in the same process. */
  readonly tiers?: boolean
  /** Listens for HTTPS as well. */
  readonly https?: boolean
}

export interface BenchWorker {
  readonly started: Started
  readonly feed: EdgeFeed
  readonly port: number
  /** 0 for none. */
  readonly httpsPort: number
  stop(): Promise<void>
}

/** @throws Error with what the worker said when it does not become ready */
export async function startBenchWorker(options: BenchWorkerOptions): Promise<BenchWorker> {
  const { home, documents, cacheBytes, diskBytes = 0, tiers = false, https: secure = false } = options
  const port = await freePort()
  const httpsPort = secure ? await freePort() : 0
  const https = secure ? { host: '127.0.0.1', port: httpsPort } : null
  const paths = homePaths(home)
  for (const folder of [paths.edge, paths.logs]) await mkdir(folder, { recursive: true })
  const feed = new EdgeFeed(paths.feedSocket, documents)
  await feed.start()
  const flags = { home, 'cache-memory-mb': `${cacheBytes / MIB}`, 'disk-cache-mb': `${diskBytes / MIB}` }
  const http = { host: '127.0.0.1', port }
  const regional = tiers ? (REGIONALS[0]?.name ?? null) : null
  const network = {
    pops: [{ name: 'FRA50-C1', region: 'eu-central-1', regional, http, https }],
    regionals: tiers ? REGIONALS : [],
    dns: null,
  }
  // No address of this installation is of interest: the API is not there.
  const [wish] = workerWishes(readConfig(flags, {}), network, { host: '127.0.0.1', port: 1 }, null, '')
  const started = startOn(EDGE_BENCH.serverCpu, process.execPath, [
    ...(process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter((option) => option !== ''),
    fileURLToPath(new URL('../src/main.ts', import.meta.url)),
    ...(wish?.args ?? []),
  ])
  const stop = async () => {
    await started.stop()
    await feed.stop()
  }
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), READY_MS).unref())
  if (!(await Promise.race([feed.workersReady(1).then(() => true), late]))) {
    await stop()
    throw new Error(`the edge worker did not become ready:\n${started.output()}`)
  }
  return { started, feed, port, httpsPort, stop }
}
