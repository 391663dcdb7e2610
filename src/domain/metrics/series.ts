//! The values of one node over the last hours, a point a minute as CloudWatch has them; in memory, bounded, gone with the
//! process. Times are milliseconds since 1970 on the clock that users see.
import type { CacheEngine } from '../cluster.ts'
import { metricsOf } from './metric-table.ts'

const MINUTE_MS = 60_000
/** How far back there are values. Milliseconds. */
export const SERIES_KEPT_MS = 3 * 60 * MINUTE_MS

/** A newest minute that began longer ago says nothing of now. Milliseconds. */
const NEW_MS = 3 * MINUTE_MS

export interface MetricPoint {
  /** Beginning of the minute. */
  readonly at: number
  readonly value: number
}

interface Minute {
  readonly at: number
  /** By place in `metricsOf(engine)`; NaN for no value. */
  readonly values: Float64Array
}

export class NodeSeries {
  readonly engine: CacheEngine
  /** Oldest first. */
  #minutes: Minute[] = []
  /** What was counted since the series began. */
  readonly #totals: Float64Array

  constructor(engine: CacheEngine) {
    this.engine = engine
    this.#totals = new Float64Array(metricsOf(engine).length)
  }

  /** Several in one minute are one point: what is counted adds up, what is read off is the newest. */
  add(now: number, values: ReadonlyMap<string, number>): void {
    const rows = metricsOf(this.engine)
    const at = Math.floor(now / MINUTE_MS) * MINUTE_MS
    this.#minutes = this.#minutes.filter((minute) => minute.at <= at && minute.at > at - SERIES_KEPT_MS)
    let minute = this.#minutes.at(-1)
    if (minute?.at !== at) {
      minute = { at, values: new Float64Array(rows.length).fill(Number.NaN) }
      this.#minutes.push(minute)
    }
    for (const [place, { name, statistic }] of rows.entries()) {
      const value = values.get(name)
      if (value === undefined) continue
      const before = minute.values[place]!
      minute.values[place] = statistic === 'Sum' && !Number.isNaN(before) ? before + value : value
      if (statistic === 'Sum') this.#totals[place]! += value
    }
  }

  /** Points of a metric with times in [from, to), oldest first. */
  points(name: string, from: number, to: number): MetricPoint[] {
    const place = metricsOf(this.engine).findIndex((row) => row.name === name)
    return this.#minutes.flatMap(({ at, values }) => {
      const value = values[place] ?? Number.NaN
      return at < from || at >= to || Number.isNaN(value) ? [] : [{ at, value }]
    })
  }

  /** Names of the metrics that had a value. */
  names(): string[] {
    return metricsOf(this.engine)
      .filter((_, place) => this.#minutes.some(({ values }) => !Number.isNaN(values[place]!)))
      .map(({ name }) => name)
  }

  /** Of the newest minute, by name; empty when that is a while ago, for a node that does not answer. */
  newest(now: number): ReadonlyMap<string, number> {
    const minute = this.#minutes.at(-1)
    return minute === undefined || now - minute.at > NEW_MS ? new Map() : this.#named(minute.values)
  }

  /** What was counted since the series began, by name; of the metrics that have ever had a value. */
  totals(): ReadonlyMap<string, number> {
    const names = new Set(this.names())
    const counted = metricsOf(this.engine).filter(({ name, statistic }) => statistic === 'Sum' && names.has(name))
    const all = this.#named(this.#totals)
    return new Map(counted.map(({ name }) => [name, all.get(name) ?? 0]))
  }

  #named(values: Float64Array): ReadonlyMap<string, number> {
    const named = new Map<string, number>()
    for (const [place, { name }] of metricsOf(this.engine).entries()) {
      const value = values[place] ?? Number.NaN
      if (!Number.isNaN(value)) named.set(name, value)
    }
    return named
  }
}

/** The node that values are of, as CloudWatch's dimensions name it. */
export interface MeasuredNode {
  readonly clusterId: string
  readonly nodeId: string
  readonly replicationGroupId: string | null
  readonly series: NodeSeries
}

/** Where the values of all nodes are found. */
export interface CacheMeasurements {
  /** Takes new samples unless there are some that are younger than `ageMs`; resolves when they are in the series. */
  refresh(ageMs: number): Promise<void>
  /** In the order of cluster and node ids. */
  nodes(): readonly MeasuredNode[]
}
