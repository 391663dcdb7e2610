//! Third act: the primary is killed while visitors shop and the shopkeeper changes prices. Who noticed what?
import { setTimeout as sleep } from 'node:timers/promises'
import { type TierRow, tierRows } from './report.ts'
import type { Sample, Visitors } from './visitors.ts'
import { WriteProbe } from './write-probe.ts'

/** Load before the kill, and after it. */
const CALM_MS = 1_500
const STORM_MS = 3_000
const FAILOVER_TIMEOUT_MS = 10_000
const RECOVERY_TIMEOUT_MS = 30_000
const RECOVERY_POLL_MS = 5
/** Between two price changes of the shopkeeper. */
const PRICE_PAUSE_MS = 20

export interface VisitorWindow {
  readonly requests: number
  readonly errors: number
  readonly slowestMs: number
  readonly tiers: readonly TierRow[]
}

export interface FailoverReport {
  readonly calm: VisitorWindow
  readonly storm: VisitorWindow
  /** Writes straight to the primary endpoint, a millisecond apart. */
  readonly writes: { readonly accepted: number; readonly refused: number; readonly outageMs: number | null }
  /** Price changes through the edge: all reach the database; `refused` ones were not written through at once. */
  readonly prices: { readonly written: number; readonly refused: number; readonly failed: number }
  /** From the kill until the new primary has all its replicas again; null when that took over 30 s. */
  readonly wholeAgainMs: number | null
}

export interface FailoverParts {
  readonly visitors: Visitors
  /** `address:port` */
  readonly primaryEndpoint: string
  /** Changes the price of some product through the edge; what became of the cache's entry. */
  readonly changePrice: () => Promise<'written' | 'refused'>
}

export async function runFailover(parts: FailoverParts): Promise<FailoverReport> {
  const probe = new WriteProbe(parts.primaryEndpoint)
  await probe.start()
  let running = true
  const visits = parts.visitors.visit(() => running)
  const prices = changePrices(parts.changePrice, () => running)
  await sleep(CALM_MS)
  const replicas = (await probe.replicasInSync()) ?? 0
  await probe.killPrimary()
  const killedAt = performance.now()
  const wholeAgain = waitUntilWhole(probe, replicas, killedAt)
  await Promise.all([sleep(STORM_MS), probe.writable(FAILOVER_TIMEOUT_MS)])
  running = false
  const samples = await visits
  const wholeAgainMs = await wholeAgain
  return {
    calm: windowOf(samples.filter((sample) => sample.at + sample.ms < killedAt)),
    storm: windowOf(samples.filter((sample) => sample.at + sample.ms >= killedAt)),
    prices: await prices,
    writes: await probe.stop(),
    wholeAgainMs,
  }
}

const windowOf = (samples: readonly Sample[]): VisitorWindow => ({
  requests: samples.length,
  errors: samples.filter((sample) => sample.answeredBy === 'error').length,
  slowestMs: samples.reduce((slowest, sample) => Math.max(slowest, sample.ms), 0),
  tiers: tierRows(samples),
})

async function changePrices(change: () => Promise<'written' | 'refused'>, goOn: () => boolean) {
  const counts = { written: 0, refused: 0, failed: 0 }
  while (goOn()) {
    counts[await change().catch(() => 'failed' as const)]++
    await sleep(PRICE_PAUSE_MS)
  }
  return counts
}

/** The group is whole when the primary at the endpoint streams to as many replicas as before. */
async function waitUntilWhole(probe: WriteProbe, replicas: number, killedAt: number): Promise<number | null> {
  while (performance.now() - killedAt < RECOVERY_TIMEOUT_MS) {
    if ((await probe.replicasInSync()) === replicas) return performance.now() - killedAt
    await sleep(RECOVERY_POLL_MS)
  }
  return null
}
