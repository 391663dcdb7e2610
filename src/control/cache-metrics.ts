//! Samples the nodes of all caches and keeps their values (domain/metrics): each minute, and when somebody asks. A node
//! that does not answer has no value for that time.
import type { CacheEngine } from '../domain/cluster.ts'
import type { NodeSample } from '../domain/metrics/metric.ts'
import { valuesOf } from '../domain/metrics/metric-table.ts'
import { readInfoText, readStatsText } from '../domain/metrics/read-statistics.ts'
import { type CacheMeasurements, type MeasuredNode, NodeSeries } from '../domain/metrics/series.ts'
import type { NodeStatistics } from '../keeper/statistics.ts'
import type { Clock } from '../lib/clock.ts'
import type { Reader } from '../state/state.ts'
import type { KeeperLink } from './keeper-link.ts'
import { nodeIdOf } from './plan/caches.ts'
import type { Task } from './reconciler.ts'

/** Longest wait for what a node says. Milliseconds. */
const ANSWER_MS = 2_000
/** CloudWatch's period for ElastiCache. Milliseconds. */
const PERIOD_MS = 60_000

interface Wanted {
  readonly clusterId: string
  readonly nodeId: string
  readonly replicationGroupId: string | null
  readonly engine: CacheEngine
  /** The keeper's names. */
  readonly asked: { readonly group: string; readonly node: string }
}

interface Measured extends MeasuredNode {
  last: NodeSample | null
}

export interface CacheMetricsOptions {
  readonly state: Reader
  readonly keeper: Pick<KeeperLink, 'ask'>
  readonly clock: Clock
}

export class CacheMetrics implements CacheMeasurements {
  readonly #options: CacheMetricsOptions
  #measured = new Map<string, Measured>()
  /** Monotonic; null before the first round. */
  #sampledAt: number | null = null
  #sampling: Promise<void> | null = null

  constructor(options: CacheMetricsOptions) {
    this.#options = options
  }

  refresh(ageMs: number): Promise<void> {
    const { clock } = this.#options
    if (this.#sampledAt !== null && clock.monotonic() - this.#sampledAt < ageMs) return Promise.resolve()
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = null
    })
    return this.#sampling
  }

  nodes(): readonly MeasuredNode[] {
    return [...this.#measured.values()]
  }

  async #sample(): Promise<void> {
    const wanted = await this.#wanted()
    const before = this.#measured
    this.#measured = new Map(
      wanted.map((node) => {
        const key = `${node.clusterId}/${node.nodeId}`
        const known = before.get(key)
        return [key, known?.series.engine === node.engine ? known : newMeasured(node)]
      }),
    )
    await Promise.all(
      wanted.map((node) => this.#look(node, this.#measured.get(`${node.clusterId}/${node.nodeId}`) as Measured)),
    )
    this.#sampledAt = this.#options.clock.monotonic()
  }

  async #wanted(): Promise<readonly Wanted[]> {
    const clusters = await this.#options.state.list('cache-cluster')
    return clusters.flatMap(({ doc }) =>
      doc.nodes
        .filter((node) => node.address !== null && node.status !== 'deleting')
        .map((node) => ({
          clusterId: doc.id,
          nodeId: node.id,
          replicationGroupId: doc.replicationGroupId,
          engine: doc.engine,
          asked: { group: doc.replicationGroupId ?? doc.id, node: nodeIdOf(doc, node) },
        })),
    )
  }

  async #look({ engine, asked }: Wanted, measured: Measured): Promise<void> {
    const { keeper, clock } = this.#options
    try {
      const statistics = await keeper.ask({ kind: 'statistics', ...asked }, ANSWER_MS)
      const now = sampleOf(engine, statistics, clock.monotonic() / 1000)
      measured.series.add(clock.now(), valuesOf({ now, before: measured.last }))
      measured.last = now
    } catch {
      // It does not answer, or the keeper is away: that shows in its status; here it has no value.
    }
  }
}

const newMeasured = ({ clusterId, nodeId, replicationGroupId, engine }: Wanted): Measured => ({
  clusterId,
  nodeId,
  replicationGroupId,
  series: new NodeSeries(engine),
  last: null,
})

function sampleOf(engine: CacheEngine, statistics: NodeStatistics, at: number): NodeSample {
  const { text, process, denials, configReads, iamExpirations, host } = statistics
  const read = engine === 'memcached' ? readStatsText(text) : readInfoText(text)
  return { at, engine, process, ...read, denials, configReads, iamExpirations, host }
}

/** Takes a sample of every node each minute. */
export const metricsTask = (metrics: CacheMeasurements): Task => ({
  name: 'metrics',
  periodMs: PERIOD_MS,
  run: async () => {
    await metrics.refresh(0)
    return []
  },
})
