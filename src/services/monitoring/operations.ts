//! THE TABLE: the operations of CloudWatch that read metrics, of caches and certificates; every other one answers 501. The
//! rows are made for where the measurements are.
import type {
  Datapoint,
  Dimension,
  DimensionFilter,
  GetMetricDataInput,
  GetMetricDataOutput,
  GetMetricStatisticsInput,
  GetMetricStatisticsOutput,
  ListMetricsInput,
  ListMetricsOutput,
  MetricDataQuery,
  MetricDataResult,
  StandardUnit,
} from '@aws-sdk/client-cloudwatch'
import { Fault, notImplemented } from '../../domain/faults.ts'
import { SERIES_KEPT_MS } from '../../domain/metrics/series.ts'
import type { Operation, OperationTable } from '../service.ts'
import type { Interval, MetricSource, Period } from './source.ts'

const LISTED_MAX = 500
const DATAPOINTS_MAX = 1_440
const STATISTICS = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'] as const
type Statistic = (typeof STATISTICS)[number]

const invalidValue = (message: string): Fault => new Fault('InvalidParameterValue', 400, message)
const invalidCombination = (message: string): Fault => new Fault('InvalidParameterCombination', 400, message)

export function monitoringOperations(sources: readonly MetricSource[]): OperationTable {
  /** Of a namespace that nobody here has: nothing. */
  const read = async (
    namespace: string | undefined,
    name: string,
    dimensions: readonly Dimension[],
    interval: Interval,
  ): Promise<{ unit?: StandardUnit | undefined; periods: readonly Period[] }> =>
    (await sources.find((one) => one.namespace === namespace)?.read(name, dimensions, interval)) ?? { periods: [] }

  const listMetrics: Operation<ListMetricsInput, ListMetricsOutput> = async (input) => {
    refuse('ListMetrics', input, ['Namespace', 'MetricName', 'Dimensions', 'NextToken', 'RecentlyActive'])
    const wanted = (input.Dimensions ?? []) as readonly DimensionFilter[]
    const asked = sources.filter(({ namespace }) => input.Namespace === undefined || input.Namespace === namespace)
    const all = await Promise.all(
      asked.map(async ({ namespace, list }) => (await list()).map((one) => ({ namespace, ...one }))),
    )
    const found = all
      .flat()
      .filter(
        ({ name, dimensions }) =>
          (input.MetricName === undefined || name === input.MetricName) &&
          wanted.every(({ Name, Value }) =>
            dimensions.some((d) => d.Name === Name && (Value === undefined || d.Value === Value)),
          ),
      )
    const from = Number(input.NextToken ?? 0)
    if (!Number.isSafeInteger(from) || from < 0) throw invalidValue('The NextToken is not one that was given.')
    const page = found.slice(from, from + LISTED_MAX)
    return {
      Metrics: page.map(({ namespace, name, dimensions }) => ({
        Namespace: namespace,
        MetricName: name,
        Dimensions: [...dimensions],
      })),
      ...(from + LISTED_MAX < found.length ? { NextToken: String(from + LISTED_MAX) } : {}),
    }
  }

  const getMetricStatistics: Operation<GetMetricStatisticsInput, GetMetricStatisticsOutput> = async (input) => {
    if (input.ExtendedStatistics?.length) throw notImplemented('The field ExtendedStatistics of GetMetricStatistics')
    const statistics = (input.Statistics ?? []).map(statisticNamed)
    if (statistics.length === 0) throw invalidCombination('At least one of Statistics must be given.')
    const interval = intervalOf(input.StartTime, input.EndTime, input.Period)
    if ((interval.to - interval.from) / interval.period > DATAPOINTS_MAX) {
      throw invalidCombination(
        `There would be more than ${DATAPOINTS_MAX} datapoints; take a longer Period or less time.`,
      )
    }
    const name = input.MetricName ?? ''
    const { unit, periods: all } = await read(input.Namespace, name, input.Dimensions ?? [], interval)
    const periods = input.Unit !== undefined && input.Unit !== unit ? [] : all
    return {
      Label: name,
      Datapoints: periods.map(
        ({ at, values }): Datapoint => ({
          Timestamp: new Date(at),
          ...(unit === undefined ? {} : { Unit: unit }),
          ...Object.fromEntries(statistics.map((statistic) => [statistic, statisticOf(statistic, values)])),
        }),
      ),
    }
  }

  const getMetricData: Operation<GetMetricDataInput, GetMetricDataOutput> = async (input) => {
    refuse('GetMetricData', input, ['MetricDataQueries', 'StartTime', 'EndTime', 'ScanBy'])
    const queries = (input.MetricDataQueries ?? []).filter(({ ReturnData: returned }) => returned !== false)
    const results = await Promise.all(queries.map((query) => resultOf(query, input)))
    return { MetricDataResults: results, Messages: [] }
  }

  async function resultOf(query: MetricDataQuery, input: GetMetricDataInput): Promise<MetricDataResult> {
    refuse('GetMetricData', query, ['Id', 'MetricStat', 'Label', 'ReturnData', 'Period'])
    const { Id, MetricStat: stat, Label } = query
    if (stat === undefined) throw invalidValue(`The query ${Id} has no MetricStat.`)
    const { Metric: metric } = stat
    const name = metric?.MetricName ?? ''
    const interval = intervalOf(input.StartTime, input.EndTime, query.Period ?? stat.Period)
    const statistic = statisticNamed(stat.Stat)
    const { unit, periods: all } = await read(metric?.Namespace, name, metric?.Dimensions ?? [], interval)
    const periods = stat.Unit !== undefined && stat.Unit !== unit ? [] : all
    const ordered = input.ScanBy === 'TimestampAscending' ? periods : periods.toReversed()
    return {
      Id,
      Label: Label ?? name,
      Timestamps: ordered.map(({ at }) => new Date(at)),
      Values: ordered.map(({ values }) => statisticOf(statistic, values)),
      StatusCode: 'Complete',
    }
  }

  return { GetMetricData: getMetricData, GetMetricStatistics: getMetricStatistics, ListMetrics: listMetrics }
}

/** @throws Fault 501 for a field that is not acted on */
function refuse(operation: string, input: object, handled: readonly string[]): void {
  const other = Object.entries(input).find(([field, value]) => value !== undefined && !handled.includes(field))
  if (other !== undefined) throw notImplemented(`The field ${other[0]} of ${operation}`)
}

function statisticNamed(name: string | undefined): Statistic {
  const found = STATISTICS.find((statistic) => statistic === name)
  if (found !== undefined) return found
  throw invalidValue(`A statistic is ${STATISTICS.join(', ')}; others are not kept.`)
}

function intervalOf(start: Date | undefined, end: Date | undefined, period: number | undefined): Interval {
  if (start === undefined || end === undefined || start.getTime() >= end.getTime()) {
    throw invalidValue('StartTime must be before EndTime.')
  }
  if (period === undefined || !Number.isInteger(period) || period < 60 || period % 60 !== 0) {
    throw invalidValue('Period is a multiple of 60 seconds.')
  }
  // What is older is not kept: longer questions cost nothing.
  return {
    from: Math.max(start.getTime(), end.getTime() - 8 * SERIES_KEPT_MS),
    to: end.getTime(),
    period: period * 1000,
  }
}

function statisticOf(statistic: Statistic, values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0)
  switch (statistic) {
    case 'SampleCount':
      return values.length
    case 'Sum':
      return sum
    case 'Average':
      return sum / values.length
    case 'Minimum':
      return Math.min(...values)
    case 'Maximum':
      return Math.max(...values)
  }
}
