//! `cachefront cache metrics NAME`: the CloudWatch metrics of a cache, the newest minute of each node as a table.
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { CacheMetricsDocument } from '../../services/cachefront/cache-metrics-route.ts'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

interface MetricsOptions extends ClientOptions {
  readonly metric?: string
  readonly watch?: boolean
}

/** Milliseconds between two tables of --watch. */
const WATCH_MS = 5_000

export function metricsCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('metrics')
    .argument('<name>', 'replication group or cache cluster')
    .option('--metric <NAME>', 'one metric, with all its points')
    .option('--watch', 'again each 5 seconds')
    .description('the CloudWatch metrics of a cache: the newest minute of each node')
    .addHelpText(
      'after',
      `
Examples:
  cachefront cache metrics shop
  cachefront cache metrics shop --metric Evictions
  cachefront cache metrics shop --watch`,
    )
    .action(async (name: string, options: MetricsOptions) => {
      const query = new URLSearchParams({ name, ...(options.metric === undefined ? {} : { metric: options.metric }) })
      for (;;) {
        const answer = await localDocument(findApi(host, options), `/_cachefront/caches/metrics?${query}`)
        const document = answer as CacheMetricsDocument
        host.out.print(options.json ? JSON.stringify(document, null, options.watch ? 0 : 2) : draw(document, options))
        if (!options.watch) return done(0)
        await sleep(WATCH_MS)
      }
    })
}

function draw({ nodes }: CacheMetricsDocument, { metric }: MetricsOptions): string {
  if (metric !== undefined) return drawPoints(nodes)
  const names = [...new Set(nodes.flatMap(({ metrics }) => metrics.map(({ name }) => name)))]
  const minute = minutesOf(nodes).at(-1)
  const rows = names.map((name) => {
    const found = nodes.map(({ metrics }) => metrics.find((one) => one.name === name))
    const { unit = '', statistic = '' } = found.find((one) => one !== undefined) ?? {}
    return [name, unit, statistic, ...found.map((one) => shown(one?.points.find(({ at }) => at === minute)?.value))]
  })
  return drawTable([['METRIC', 'UNIT', 'STATISTIC', ...nodes.map(nodeName)], ...rows])
}

function drawPoints(nodes: CacheMetricsDocument['nodes']): string {
  const rows = minutesOf(nodes).map((time) => [
    time,
    ...nodes.map((node) => shown(node.metrics[0]?.points.find(({ at }) => at === time)?.value)),
  ])
  return drawTable([['MINUTE', ...nodes.map(nodeName)], ...rows])
}

const minutesOf = (nodes: CacheMetricsDocument['nodes']): readonly string[] =>
  [...new Set(nodes.flatMap(({ metrics }) => metrics.flatMap(({ points }) => points.map(({ at }) => at))))].sort()

const nodeName = ({ clusterId, nodeId }: CacheMetricsDocument['nodes'][number]): string => `${clusterId}/${nodeId}`

const shown = (value: number | undefined): string =>
  value === undefined ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(2)
