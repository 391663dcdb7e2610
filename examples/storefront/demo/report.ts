//! Numbers of the demo as text: quantiles of what was measured, and tables.
import type { AnsweredBy, Sample } from './visitors.ts'

const TIERS: readonly AnsweredBy[] = ['edge hit', 'elasticache', 'database', 'bucket', 'not cached', 'error']

export interface TierRow {
  readonly answeredBy: AnsweredBy
  readonly requests: number
  /** 0-1 of all requests. */
  readonly share: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The smallest value that at least `part` (0-1) of `values` are not above (nearest rank); NaN for none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN
}

/** One row for each tier that answered. */
export function tierRows(samples: readonly Sample[]): readonly TierRow[] {
  return TIERS.flatMap((answeredBy) => {
    const times = samples.filter((sample) => sample.answeredBy === answeredBy).map((sample) => sample.ms)
    if (times.length === 0) return []
    const share = times.length / samples.length
    return [{ answeredBy, requests: times.length, share, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }]
  })
}

/** Columns as wide as their widest cell; the first one to the left, the others to the right. */
export function drawTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

export const showMs = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(1))

export const showShare = (share: number): string => `${(share * 100).toFixed(1)} %`

export function drawTiers(rows: readonly TierRow[]): string {
  const cells = rows.map((row) => [
    row.answeredBy,
    String(row.requests),
    showShare(row.share),
    showMs(row.p50Ms),
    showMs(row.p99Ms),
  ])
  return drawTable(['answered by', 'requests', 'share', 'p50 ms', 'p99 ms'], cells)
}
