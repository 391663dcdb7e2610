//! The minutes of nodes as CloudWatch's periods, by its dimensions: CacheClusterId with CacheNodeId for a node, without
//! it for all nodes of the cluster.
import type { Dimension } from '@aws-sdk/client-cloudwatch'
import type { MetricUnit } from '../../domain/metrics/metric.ts'
import { METRICS_NAMESPACE, metricsOf } from '../../domain/metrics/metric-table.ts'
import type { CacheMeasurements, MeasuredNode } from '../../domain/metrics/series.ts'
import type { Interval, MetricName, MetricSource, Period } from './source.ts'

/** Samples are taken anew for a reader when they are older. Milliseconds. */
const FRESH_MS = 5_000

/** AWS/ElastiCache. */
export const cacheSource = (measurements: CacheMeasurements): MetricSource => ({
  namespace: METRICS_NAMESPACE,
  async list() {
    await measurements.refresh(FRESH_MS)
    return seriesOf(measurements)
  },
  async read(name, dimensions, interval) {
    await measurements.refresh(FRESH_MS)
    const nodes = matching(measurements, dimensions)
    return { unit: unitOf(nodes, name), periods: aggregated(nodes, name, interval) }
  },
})

/** Every metric with its dimensions, of nodes and of clusters. */
function seriesOf(measurements: CacheMeasurements): MetricName[] {
  const found = measurements.nodes().flatMap(({ clusterId, nodeId, series }) =>
    series.names().flatMap((name) => {
      const cluster = { Name: 'CacheClusterId', Value: clusterId }
      return [
        { name, dimensions: [cluster, { Name: 'CacheNodeId', Value: nodeId }] },
        { name, dimensions: [cluster] },
      ]
    }),
  )
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()]
}

/** Nodes that the dimensions name; none for dimensions that no metric has. */
function matching(measurements: CacheMeasurements, dimensions: readonly Dimension[]): readonly MeasuredNode[] {
  const given = new Map(dimensions.map(({ Name, Value }) => [Name, Value]))
  const [cluster, node] = [given.get('CacheClusterId'), given.get('CacheNodeId')]
  if (cluster === undefined || given.size > (node === undefined ? 1 : 2)) return []
  return measurements
    .nodes()
    .filter(({ clusterId, nodeId }) => clusterId === cluster && (node === undefined || nodeId === node))
}

const unitOf = (nodes: readonly MeasuredNode[], name: string): MetricUnit | undefined =>
  nodes.flatMap(({ series }) => metricsOf(series.engine).filter((row) => row.name === name))[0]?.unit

/** Oldest first. */
function aggregated(nodes: readonly MeasuredNode[], name: string, { from, to, period }: Interval): Period[] {
  const periods = new Map<number, number[]>()
  // The first period may begin before the interval, as CloudWatch rounds it down.
  const first = Math.floor(from / period) * period
  for (const { series } of nodes) {
    for (const { at, value } of series.points(name, first, to)) {
      const start = Math.floor(at / period) * period
      const values = periods.get(start)
      if (values === undefined) periods.set(start, [value])
      else values.push(value)
    }
  }
  return [...periods].map(([at, values]) => ({ at, values })).sort((a, b) => a.at - b.at)
}
