//! What a CloudWatch metric of a cache node is (spec/elasticache.md 12): a row with its unit and a pure function of two
//! samples of the node. Where the engine has no such number there is no value: never a made-up 0.
import type { CacheEngine } from '../cluster.ts'
import type { Denial } from './denials.ts'

/** CloudWatch's names of units. */
export type MetricUnit = 'Count' | 'Percent' | 'Bytes' | 'Seconds' | 'Milliseconds' | 'Microseconds' | 'None'
/** `Sum` for what is counted between two samples, `Average` for what is read off. */
export type MetricStatistic = 'Sum' | 'Average'

/** Of one command since the start of the process. */
export interface CommandCount {
  readonly calls: number
  /** Microseconds, all calls together. */
  readonly usec: number
}

/** What the host tells of the process of a node. */
export interface HostSample {
  /** CPU seconds of all threads since its start. */
  readonly cpuSeconds: number
  /** CPUs of the host. */
  readonly cpus: number
  /** Memory of the host that programs could still have (MemAvailable). Bytes. */
  readonly memoryAvailable: number
  /** Pages of the process that are swapped out (VmSwap). Bytes. */
  readonly swap: number
}

/** One look at a running node. */
export interface NodeSample {
  /** Seconds on a clock that only goes forward. */
  readonly at: number
  readonly engine: CacheEngine
  /** Tells one process from the next one of the node: its counters begin again at 0. */
  readonly process: string
  /** `INFO` or `stats` by the engine's names. */
  readonly fields: ReadonlyMap<string, string>
  /** By the name of the command, sub-commands added up; empty for memcached. */
  readonly commands: ReadonlyMap<string, CommandCount>
  /** ACL LOG, for engines that do not count what they denied; null for those that do, and for memcached. */
  readonly denials: readonly Denial[] | null
  /** Answers to `config get` at the configuration endpoint; null for other engines. */
  readonly configReads: number | null
  /** Connections of IAM users that the keeper has ended because their login had expired; null for memcached. */
  readonly iamExpirations: number | null
  readonly host: HostSample
}

export interface SamplePair {
  readonly now: NodeSample
  /** The sample before; null for the first. */
  readonly before: NodeSample | null
}

export interface MetricRow {
  /** CloudWatch's name. */
  readonly name: string
  readonly unit: MetricUnit
  readonly statistic: MetricStatistic
  /** Which engines have it. */
  readonly engines: 'resp' | 'memcached' | 'all'
  /** Where the value comes from, for the documentation. */
  readonly source: string
  /** Null where there is no value now. */
  readonly value: (pair: SamplePair) => number | null
}

/** A number that the engine reports now; null when it does not. */
export function field(sample: NodeSample, name: string): number | null {
  const text = sample.fields.get(name)
  if (text === undefined || text === '') return null
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

/**
 * What was added to a counter between the two samples; the whole of it for a process that has started since, or whose
 * counters were reset. Null without a sample before, and when the engine does not count it.
 */
export function added({ now, before }: SamplePair, count: (sample: NodeSample) => number | null): number | null {
  const counted = count(now)
  if (counted === null || before === null) return null
  const counterBefore = now.process === before.process ? (count(before) ?? 0) : 0
  return counted < counterBefore ? counted : counted - counterBefore
}

/** Seconds between the two samples; null without a sample before. */
export const secondsBetween = ({ now, before }: SamplePair): number | null =>
  before === null || now.at <= before.at ? null : now.at - before.at

type Row = Omit<MetricRow, 'engines'>

/** A row that is a field as the engine reports it. */
export const gauge = (name: string, unit: MetricUnit, from: string): Row => ({
  name,
  unit,
  statistic: 'Average',
  source: from,
  value: ({ now }) => field(now, from),
})

/** A row that is what was added to a field of the engine. */
export const counter = (name: string, from: string, unit: MetricUnit = 'Count'): Row => ({
  name,
  unit,
  statistic: 'Sum',
  source: `Δ ${from}`,
  value: (pair) => added(pair, (sample) => field(sample, from)),
})

/** A row of another form. */
export const row = (
  name: string,
  unit: MetricUnit,
  statistic: MetricStatistic,
  source: string,
  value: MetricRow['value'],
): Row => ({ name, unit, statistic, source, value })

/** A row that AWS has and whose value is 0 here by what it counts; `why` says so in the documentation. */
export const always0 = (name: string, why: string): Row => ({
  name,
  unit: 'Count',
  statistic: 'Sum',
  source: `constant 0: ${why}`,
  value: () => 0,
})

export const percent = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole <= 0 ? null : (part / whole) * 100
