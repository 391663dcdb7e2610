//! Metrics of redis and valkey nodes from INFO (spec/elasticache.md 12.2), without the families of commands.
import { type DenialReason, denialsSince } from './denials.ts'
import {
  added,
  always0,
  counter,
  field,
  gauge,
  type MetricRow,
  type NodeSample,
  percent,
  row,
  type SamplePair,
  secondsBetween,
} from './metric.ts'
import { pairsOf } from './read-statistics.ts'

/** Sum of a part of the lines of INFO keyspace; null when no line has it. 0 without keys, where there are no lines. */
function keyspace(sample: NodeSample, part: string, ifNone: number | null): number | null {
  let all = ifNone
  for (const [name, value] of sample.fields) {
    if (!/^db\d+$/.test(name)) continue
    const count = pairsOf(value).get(part)
    if (count !== undefined) all = (all ?? 0) + Number(count)
  }
  return all
}

/** The keeper counts: a restart of the engine changes nothing, one of the keeper begins at 0. */
function iamExpirations({ now, before }: SamplePair): number | null {
  const [count, known] = [now.iamExpirations, before?.iamExpirations ?? null]
  if (count === null || known === null) return null
  return count >= known ? count - known : count
}

const isReplica = (sample: NodeSample): boolean => sample.fields.get('role') === 'slave'

function cpuShare(pair: SamplePair): number | null {
  const seconds = secondsBetween(pair)
  const used = added(pair, (sample) => {
    const [system, user] = [field(sample, 'used_cpu_sys_main_thread'), field(sample, 'used_cpu_user_main_thread')]
    return system === null || user === null ? null : system + user
  })
  return percent(used, seconds)
}

const memoryShare = ({ now }: SamplePair): number | null => percent(field(now, 'used_memory'), field(now, 'maxmemory'))

function evictableShare({ now }: SamplePair): number | null {
  const [used, outside] = [field(now, 'used_memory'), field(now, 'mem_not_counted_for_evict')]
  return used === null || outside === null ? null : percent(used - outside, field(now, 'maxmemory'))
}

function hitRate(pair: SamplePair): number | null {
  const hits = added(pair, (sample) => field(sample, 'keyspace_hits'))
  const misses = added(pair, (sample) => field(sample, 'keyspace_misses'))
  return hits === null || misses === null ? null : percent(hits, hits + misses)
}

/** Newer engines count; of older ones ACL LOG is read, and for passwords INFO errorstats. */
const denied = (reason: DenialReason, counted: string) => (pair: SamplePair) => {
  const count = added(pair, (sample) => field(sample, counted))
  if (count !== null) return count
  const { now, before } = pair
  const seconds = secondsBetween(pair)
  if (seconds === null || now.denials === null || before === null) return null
  const earlier = now.process === before.process ? (before.denials ?? []) : []
  return denialsSince(reason, now.denials, earlier, seconds)
}

/** The line of an error appears with the first such error; `total_error_replies` tells that the engine counts errors. */
function wrongPasswords(sample: NodeSample): number | null {
  if (field(sample, 'total_error_replies') === null) return null
  return Number(pairsOf(sample.fields.get('errorstat_WRONGPASS') ?? 'count=0').get('count'))
}

function authenticationFailures(pair: SamplePair): number | null {
  return added(pair, (sample) => field(sample, 'acl_access_denied_auth')) ?? added(pair, wrongPasswords)
}

const DENIED_SOURCE = (field: string): string => `Δ ${field}; before Valkey 7.2 ACL LOG`

export const RESP_ROWS: readonly Omit<MetricRow, 'engines'>[] = [
  row(
    'EngineCPUUtilization',
    'Percent',
    'Average',
    'Δ (used_cpu_sys_main_thread + used_cpu_user_main_thread) / seconds',
    cpuShare,
  ),
  gauge('BytesUsedForCache', 'Bytes', 'used_memory'),
  row('DatabaseMemoryUsagePercentage', 'Percent', 'Average', 'used_memory / maxmemory', memoryShare),
  row(
    'DatabaseMemoryUsageCountedForEvictPercentage',
    'Percent',
    'Average',
    '(used_memory - mem_not_counted_for_evict) / maxmemory',
    evictableShare,
  ),
  row('DatabaseCapacityUsagePercentage', 'Percent', 'Average', 'used_memory / maxmemory: no data tiering', memoryShare),
  row(
    'DatabaseCapacityUsageCountedForEvictPercentage',
    'Percent',
    'Average',
    '(used_memory - mem_not_counted_for_evict) / maxmemory: no data tiering',
    evictableShare,
  ),
  gauge('CurrConnections', 'Count', 'connected_clients'),
  counter('NewConnections', 'total_connections_received'),
  counter('RejectedConnections', 'rejected_connections'),
  gauge('BlockedConnections', 'Count', 'blocked_clients'),
  row('CurrItems', 'Count', 'Average', 'Σ keys of INFO keyspace', ({ now }) => keyspace(now, 'keys', 0)),
  row('CurrVolatileItems', 'Count', 'Average', 'Σ expires of INFO keyspace', ({ now }) => keyspace(now, 'expires', 0)),
  row(
    'CurrItemsWithVolatileFields',
    'Count',
    'Average',
    'Σ keys_with_volatile_items of INFO keyspace (Valkey 9)',
    ({ now }) => keyspace(now, 'keys_with_volatile_items', null),
  ),
  counter('ReclaimedFields', 'expired_fields'),
  row('DB0AverageTTL', 'Milliseconds', 'Average', 'avg_ttl of db0, on a primary', ({ now }) => {
    const line = now.fields.get('db0')
    return line === undefined || isReplica(now) ? null : Number(pairsOf(line).get('avg_ttl') ?? Number.NaN)
  }),
  counter('CacheHits', 'keyspace_hits'),
  counter('CacheMisses', 'keyspace_misses'),
  row('CacheHitRate', 'Percent', 'Average', 'Δ keyspace_hits / Δ (keyspace_hits + keyspace_misses)', hitRate),
  counter('Evictions', 'evicted_keys'),
  counter('Reclaimed', 'expired_keys'),
  row('KeysTracked', 'Count', 'Average', 'tracking_total_keys', ({ now }) => field(now, 'tracking_total_keys')),
  row('IsMaster', 'Count', 'Average', 'role', ({ now }) => (isReplica(now) ? 0 : 1)),
  row('MasterLinkHealthStatus', 'Count', 'Average', 'master_link_status; 1 on a primary', ({ now }) =>
    !isReplica(now) || now.fields.get('master_link_status') === 'up' ? 1 : 0,
  ),
  row('ReplicationBytes', 'Bytes', 'Sum', 'Δ master_repl_offset on a primary with replicas', (pair) =>
    isReplica(pair.now) || field(pair.now, 'connected_slaves') === 0
      ? null
      : added(pair, (sample) => field(sample, 'master_repl_offset')),
  ),
  row(
    'ReplicationLag',
    'Seconds',
    'Average',
    'master_last_io_seconds_ago on a replica whose link is up, else master_link_down_since_seconds',
    ({ now }) => {
      if (!isReplica(now)) return null
      return now.fields.get('master_link_status') === 'up'
        ? field(now, 'master_last_io_seconds_ago')
        : field(now, 'master_link_down_since_seconds')
    },
  ),
  gauge('SaveInProgress', 'Count', 'rdb_bgsave_in_progress'),
  gauge('MemoryFragmentationRatio', 'None', 'mem_fragmentation_ratio'),
  gauge('AllocatorFragmentationBytes', 'Bytes', 'allocator_frag_bytes'),
  gauge('AllocatorFragmentationRatio', 'None', 'allocator_frag_ratio'),
  gauge('UsedMemoryDataset', 'Bytes', 'used_memory_dataset'),
  counter('ActiveDefragHits', 'active_defrag_hits'),
  row(
    'AuthenticationFailures',
    'Count',
    'Sum',
    'Δ acl_access_denied_auth; before Valkey 7.2 errorstat_WRONGPASS',
    authenticationFailures,
  ),
  row(
    'IamAuthenticationExpirations',
    'Count',
    'Sum',
    'Δ connections that the keeper ended 12 hours after their last login by a token',
    iamExpirations,
  ),
  row(
    'CommandAuthorizationFailures',
    'Count',
    'Sum',
    DENIED_SOURCE('acl_access_denied_cmd'),
    denied('command', 'acl_access_denied_cmd'),
  ),
  row(
    'KeyAuthorizationFailures',
    'Count',
    'Sum',
    DENIED_SOURCE('acl_access_denied_key'),
    denied('key', 'acl_access_denied_key'),
  ),
  row(
    'ChannelAuthorizationFailures',
    'Count',
    'Sum',
    DENIED_SOURCE('acl_access_denied_channel'),
    denied('channel', 'acl_access_denied_channel'),
  ),
  counter('DatabaseAuthorizationFailures', 'acl_access_denied_db'),
  counter('ErrorCount', 'total_error_replies'),
  counter('ProcessedCommands', 'total_commands_processed'),
  gauge('PubSubChannels', 'Count', 'pubsub_channels'),
  gauge('PubSubShardChannels', 'Count', 'pubsubshard_channels'),
  always0('TrafficManagementActive', 'nothing here throttles a node as AWS does'),
  row('NetworkBytesIn', 'Bytes', 'Sum', 'Δ total_net_input_bytes, payload only', (pair) =>
    added(pair, (sample) => field(sample, 'total_net_input_bytes')),
  ),
  row('NetworkBytesOut', 'Bytes', 'Sum', 'Δ total_net_output_bytes, payload only', (pair) =>
    added(pair, (sample) => field(sample, 'total_net_output_bytes')),
  ),
]
