//! `/_cachefront/caches/metrics`: values of the metrics of one cache, for `cachefront cache metrics`.
import { METRICS, metricsOf } from '../../domain/metrics/metric-table.ts'
import { type CacheMeasurements, type MeasuredNode, SERIES_KEPT_MS } from '../../domain/metrics/series.ts'
import type { Clock } from '../../lib/clock.ts'
import { failure, json, type LocalRoute } from './local-route.ts'

/** What the route answers. */
export interface CacheMetricsDocument {
  readonly nodes: readonly {
    readonly clusterId: string
    readonly nodeId: string
    readonly replicationGroupId: string | null
    readonly metrics: readonly {
      readonly name: string
      readonly unit: string
      readonly statistic: string
      /** One a minute, oldest first. */
      readonly points: readonly { readonly at: string; readonly value: number }[]
    }[]
  }[]
}

/** A sample is taken anew for each question, but not more often than this. Milliseconds. */
const FRESH_MS = 1_000

export function cacheMetricsRoute(measurements: CacheMeasurements, clock: Clock): LocalRoute {
  return {
    method: 'GET',
    path: '/_cachefront/caches/metrics',
    readsNeedSignature: true,
    async run({ query }) {
      const name = query.get('name')
      if (name === null) return failure(400, 'Name the cache: /_cachefront/caches/metrics?name=shop')
      const wanted = query.get('metric')
      if (wanted !== null && !METRICS.some((row) => row.name === wanted)) {
        return failure(400, `There is no metric ${wanted.slice(0, 80)}; docs/cache-metrics.md lists them.`)
      }
      await measurements.refresh(FRESH_MS)
      const nodes = measurements
        .nodes()
        .filter(({ clusterId, replicationGroupId }) => clusterId === name || replicationGroupId === name)
      if (nodes.length === 0)
        return failure(404, `There is no cache ${name.slice(0, 80)} with a node that has answered.`)
      const document: CacheMetricsDocument = { nodes: nodes.map((node) => view(node, wanted, clock.now())) }
      return json(200, document)
    },
  }
}

function view(
  { clusterId, nodeId, replicationGroupId, series }: MeasuredNode,
  wanted: string | null,
  now: number,
): CacheMetricsDocument['nodes'][number] {
  const names = new Set(wanted === null ? series.names() : [wanted])
  return {
    clusterId,
    nodeId,
    replicationGroupId,
    metrics: metricsOf(series.engine)
      .filter(({ name }) => names.has(name))
      .map(({ name, unit, statistic }) => ({
        name,
        unit,
        statistic,
        points: series
          .points(name, now - SERIES_KEPT_MS, Number.POSITIVE_INFINITY)
          .map(({ at, value }) => ({ at: new Date(at).toISOString(), value })),
      })),
  }
}
