//! PURE: docs/cache-metrics.md, printed from the table of metrics (`npm run docs`).

import type { MetricRow } from './metric.ts'
import { METRICS, METRICS_ABSENT } from './metric-table.ts'
import { SERIES_KEPT_MS } from './series.ts'

const TITLES = {
  all: 'Of the host, for all engines',
  resp: 'redis and valkey',
  memcached: 'memcached',
} as const satisfies Readonly<Record<MetricRow['engines'], string>>

export function metricsDocument(): string {
  return [
    '# Metrics of cache nodes',
    '',
    '<!-- Printed from src/domain/metrics by `npm run docs`. -->',
    '',
    `Every node is sampled each minute, and when somebody asks. Control keeps a value a minute for ${SERIES_KEPT_MS / 3_600_000} hours in memory;`,
    'they go with it. A node that does not answer, or whose engine has no such number, has no value: never a made-up 0.',
    "The samples are the keeper's own commands (INFO, ACL LOG) and count among the others, as those of AWS do.",
    '',
    '| read by | how |',
    '|---|---|',
    "| AWS CLI and boto3 of Debian | CloudWatch: ListMetrics, GetMetricStatistics, GetMetricData of the namespace AWS/ElastiCache at the API's address, in CloudWatch's Query protocol (the newest SDKs speak JSON or CBOR, which is not built); statistics SampleCount, Average, Sum, Minimum, Maximum; dimensions CacheClusterId, with CacheNodeId for one node |",
    "| Prometheus | `/_cachefront/metrics`: CloudWatch's names in small letters behind `cachefront_elasticache_`, with the labels cache_cluster_id, cache_node_id and replication_group_id; what CloudWatch counts is a counter since control began and ends in `_total` |",
    '| a person | `cachefront cache metrics NAME`, with `--metric`, `--watch`, `--json` |',
    '',
    'Δ is the difference of two samples; after a restart of the node it is all that was counted since. A counter has its',
    'first value with the second sample. Without a name beside it, a source is a field of INFO or of `stats`.',
    ...(['all', 'resp', 'memcached'] as const).flatMap((engines) => [
      '',
      `## ${TITLES[engines]}`,
      '| metric | unit | statistic | source |',
      '|---|---|---|---|',
      ...METRICS.filter((metric) => metric.engines === engines).map(
        ({ name, unit, statistic, source }) => `| ${name} | ${unit} | ${statistic} | ${source} |`,
      ),
    ]),
    '',
    'ACL LOG holds 128 entries: when more were denied between two samples, or somebody emptied it, failures are counted by',
    "the entries of that time. Families of commands count what the engine's own tables say; a command of a module counts in",
    'ProcessedCommands only.',
    '',
    '## Not here',
    '| metrics of AWS | why |',
    '|---|---|',
    ...METRICS_ABSENT.map(([names, why]) => `| ${names} | ${why} |`),
    '',
  ].join('\n')
}
