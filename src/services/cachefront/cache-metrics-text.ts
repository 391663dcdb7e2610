//! The metrics of cache nodes as Prometheus text: names derived from CloudWatch's, counters where CloudWatch counts.
import { METRICS } from '../../domain/metrics/metric-table.ts'
import type { CacheMeasurements, MeasuredNode } from '../../domain/metrics/series.ts'
import type { Clock } from '../../lib/clock.ts'

/** `DB0AverageTTL` -> `cachefront_elasticache_db0_average_ttl`; what is counted ends in `_total`. */
export function prometheusName(name: string, isCounted: boolean): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
  return `cachefront_elasticache_${words.toLowerCase()}${isCounted ? '_total' : ''}`
}

/** Samples are taken anew for a reader when they are older. Milliseconds. */
const FRESH_MS = 5_000

/** Empty for an installation without caches. */
export async function cacheMetricsText(measurements: CacheMeasurements, clock: Clock): Promise<string> {
  await measurements.refresh(FRESH_MS)
  const nodes = measurements.nodes().map((node) => ({
    labels: labelsOf(node),
    newest: node.series.newest(clock.now()),
    totals: node.series.totals(),
  }))
  const lines: string[] = []
  const seen = new Set<string>()
  for (const { name, statistic, unit } of METRICS) {
    if (seen.has(name)) continue
    seen.add(name)
    const isCounted = statistic === 'Sum'
    const samples = nodes.flatMap(({ labels, newest, totals }) => {
      const value = (isCounted ? totals : newest).get(name)
      return value === undefined ? [] : [`${prometheusName(name, isCounted)}{${labels}} ${value}`]
    })
    if (samples.length === 0) continue
    const exposed = prometheusName(name, isCounted)
    lines.push(`# HELP ${exposed} CloudWatch's ${name} (${unit}).`)
    lines.push(`# TYPE ${exposed} ${isCounted ? 'counter' : 'gauge'}`, ...samples)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Ids have no characters that would be escaped. */
const labelsOf = ({ clusterId, nodeId, replicationGroupId }: MeasuredNode): string =>
  [
    `cache_cluster_id="${clusterId}"`,
    `cache_node_id="${nodeId}"`,
    ...(replicationGroupId === null ? [] : [`replication_group_id="${replicationGroupId}"`]),
  ].join(',')
