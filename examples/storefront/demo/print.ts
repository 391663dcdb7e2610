//! The demo's report for a person.
import type { FailoverReport } from './failover.ts'
import type { PriceReport } from './price.ts'
import { drawTable, drawTiers, showMs, showShare, type TierRow } from './report.ts'

export interface Report {
  readonly tiers: readonly TierRow[]
  readonly seconds: number
  readonly database: { readonly wanted: number; readonly queries: number; readonly spared: number }
  readonly price: PriceReport
  readonly failover: FailoverReport
}

export function printReport(report: Report): void {
  const { wanted, queries, spared } = report.database
  const requests = report.tiers.reduce((sum, row) => sum + row.requests, 0)
  const lines = [
    '',
    `Who answered (${requests} requests in ${report.seconds.toFixed(1)} s, caches cold at the start)`,
    '',
    drawTiers(report.tiers),
    '',
    `The pages needed ${wanted} products; the database was asked ${queries} times and spared ${spared} (${showShare(spared / wanted)}).`,
    '',
    'A price changes',
    '',
    drawTable(
      ['', 'price shown', 'x-cache', 'answered by'],
      report.price.steps.map((step) => [step.what, step.price, step.xCache, step.answeredBy]),
    ),
    '',
    `From CreateInvalidation to Completed: ${showMs(report.price.invalidationMs)} ms.`,
    '',
    'The primary is killed under load (SIGKILL)',
    '',
    drawFailover(report.failover),
    '',
    ...failoverLines(report.failover),
  ]
  console.log(lines.join('\n'))
}

function drawFailover({ calm, storm }: FailoverReport): string {
  const share = (tiers: readonly TierRow[], name: string): string =>
    showShare(tiers.find((row) => row.answeredBy === name)?.share ?? 0)
  return drawTable(
    ['visitors', 'before', 'after'],
    [
      ['requests', String(calm.requests), String(storm.requests)],
      ['errors', String(calm.errors), String(storm.errors)],
      ['slowest ms', showMs(calm.slowestMs), showMs(storm.slowestMs)],
      ['by the edge', share(calm.tiers, 'edge hit'), share(storm.tiers, 'edge hit')],
      ['by elasticache', share(calm.tiers, 'elasticache'), share(storm.tiers, 'elasticache')],
      ['by the database', share(calm.tiers, 'database'), share(storm.tiers, 'database')],
    ],
  )
}

function failoverLines({ writes, prices, wholeAgainMs }: FailoverReport): readonly string[] {
  const outage =
    writes.outageMs === null
      ? 'no write was accepted again in time'
      : `the first write was accepted ${showMs(writes.outageMs)} ms after the kill`
  const whole = wholeAgainMs === null ? 'was not seen whole again' : `was whole again after ${showMs(wholeAgainMs)} ms`
  return [
    `Writes at the primary endpoint: ${writes.accepted} accepted, ${writes.refused} refused; ${outage}.`,
    `Price changes: ${prices.written} written through, ${prices.refused} refused by the cache, ${prices.failed} failed.`,
    `The replication group ${whole}.`,
  ]
}
