//! What has metrics: one namespace of CloudWatch each.
import type { Dimension } from '@aws-sdk/client-cloudwatch'
import type { MetricUnit } from '../../domain/metrics/metric.ts'

export interface MetricName {
  readonly name: string
  readonly dimensions: readonly Dimension[]
}

export interface Interval {
  /** Milliseconds since 1970, [from, to). */
  readonly from: number
  readonly to: number
  /** Milliseconds. */
  readonly period: number
}

export interface Period {
  /** Beginning, a multiple of the period. */
  readonly at: number
  /** At least one. */
  readonly values: readonly number[]
}

export interface MetricSource {
  readonly namespace: string
  list(): Promise<readonly MetricName[]>
  /** No periods for dimensions that no metric has; oldest first. `unit`: undefined where nothing is measured. */
  read(
    name: string,
    dimensions: readonly Dimension[],
    interval: Interval,
  ): Promise<{ readonly unit: MetricUnit | 'None' | undefined; readonly periods: readonly Period[] }>
}
