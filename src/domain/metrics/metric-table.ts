//! THE TABLE of CloudWatch metrics of cache nodes, and which of AWS's there are none of here, each with its reason.
import type { CacheEngine } from '../cluster.ts'
import { COMMAND_ROWS } from './command-rows.ts'
import { HOST_ROWS } from './host-rows.ts'
import { MEMCACHED_ROWS } from './memcached-rows.ts'
import type { MetricRow, SamplePair } from './metric.ts'
import { RESP_ROWS } from './resp-rows.ts'

/** CloudWatch's namespace of all of them. */
export const METRICS_NAMESPACE = 'AWS/ElastiCache'

const rowsOf = (engines: MetricRow['engines'], rows: readonly Omit<MetricRow, 'engines'>[]): MetricRow[] =>
  rows.map((metric) => ({ ...metric, engines }))

export const METRICS: readonly MetricRow[] = [
  ...rowsOf('all', HOST_ROWS),
  ...rowsOf('resp', RESP_ROWS),
  ...rowsOf('resp', COMMAND_ROWS),
  ...rowsOf('memcached', MEMCACHED_ROWS),
]

const BY_ENGINE = {
  resp: METRICS.filter(({ engines }) => engines !== 'memcached'),
  memcached: METRICS.filter(({ engines }) => engines !== 'resp'),
} as const

export const metricsOf = (engine: CacheEngine): readonly MetricRow[] =>
  BY_ENGINE[engine === 'memcached' ? 'memcached' : 'resp']

/** By name, those that have a value; in the order of the table. */
export function valuesOf(pair: SamplePair): ReadonlyMap<string, number> {
  const values = new Map<string, number>()
  for (const { name, value } of metricsOf(pair.now.engine)) {
    const found = value(pair)
    if (found !== null && Number.isFinite(found)) values.set(name, found)
  }
  return values
}

/** Metrics of AWS without a row, and why. */
export const METRICS_ABSENT: readonly (readonly [names: string, why: string])[] = [
  ['CPUCreditUsage, CPUCreditBalance', 'no node is limited to CPU credits'],
  [
    'NetworkPacketsIn, NetworkPacketsOut, NetworkMaxBytesIn, NetworkMaxBytesOut, NetworkMaxPacketsIn, NetworkMaxPacketsOut',
    'the system counts packets by interface, and all nodes of a host are on one',
  ],
  ['GlobalDatastoreReplicationLag', 'there are no global datastores'],
  ['IamAuthenticationThrottling', 'logins by tokens are not throttled'],
  [
    'NumItemsReadFromDisk, NumItemsWrittenToDisk, BytesReadFromDisk, BytesWrittenToDisk, CurrItems by Tier',
    'there is no data tiering',
  ],
  [
    'JsonBasedCmds, JsonBasedGetCmds, JsonBasedSetCmds, SearchBasedCmds, SearchBasedGetCmds, SearchBasedSetCmds, SearchNumberOfIndexes, SearchTotalIndexedDocuments, SearchUsedMemoryBytes and their latencies',
    'stock engines have neither JSON nor search',
  ],
  ['DurabilityLag, DurabilityBufferExceededErrorCount', 'there is no Durability'],
  ['CmdConfigSet', 'clients cannot set the configuration'],
  ['metrics of serverless caches', 'there are no serverless caches'],
]
