//! Metrics of memcached nodes from `stats` (spec/elasticache.md 12.3).
import { added, counter, field, gauge, type MetricRow, row } from './metric.ts'

/** `IncrHits` is Δ incr_hits, and so on. */
const COUNTED: readonly (readonly [name: string, from: string])[] = [
  ['CasBadval', 'cas_badval'],
  ['CasHits', 'cas_hits'],
  ['CasMisses', 'cas_misses'],
  ['CmdFlush', 'cmd_flush'],
  ['CmdGets', 'cmd_get'],
  ['CmdSet', 'cmd_set'],
  ['CmdTouch', 'cmd_touch'],
  ['DecrHits', 'decr_hits'],
  ['DecrMisses', 'decr_misses'],
  ['DeleteHits', 'delete_hits'],
  ['DeleteMisses', 'delete_misses'],
  ['EvictedUnfetched', 'evicted_unfetched'],
  ['Evictions', 'evictions'],
  ['ExpiredUnfetched', 'expired_unfetched'],
  ['GetHits', 'get_hits'],
  ['GetMisses', 'get_misses'],
  ['IncrHits', 'incr_hits'],
  ['IncrMisses', 'incr_misses'],
  ['NewConnections', 'total_connections'],
  ['NewItems', 'total_items'],
  ['Reclaimed', 'reclaimed'],
  ['SlabsMoved', 'slabs_moved'],
  ['TouchHits', 'touch_hits'],
  ['TouchMisses', 'touch_misses'],
]

export const MEMCACHED_ROWS: readonly Omit<MetricRow, 'engines'>[] = [
  ...COUNTED.map(([name, from]) => counter(name, from)),
  counter('BytesReadIntoMemcached', 'bytes_read', 'Bytes'),
  counter('BytesWrittenOutFromMemcached', 'bytes_written', 'Bytes'),
  counter('NetworkBytesIn', 'bytes_read', 'Bytes'),
  counter('NetworkBytesOut', 'bytes_written', 'Bytes'),
  gauge('BytesUsedForCacheItems', 'Bytes', 'bytes'),
  gauge('BytesUsedForHash', 'Bytes', 'hash_bytes'),
  gauge('CurrConnections', 'Count', 'curr_connections'),
  gauge('CurrItems', 'Count', 'curr_items'),
  row('UnusedMemory', 'Bytes', 'Average', 'limit_maxbytes - bytes', ({ now }) => {
    const [limit, used] = [field(now, 'limit_maxbytes'), field(now, 'bytes')]
    return limit === null || used === null ? null : limit - used
  }),
  row('CmdConfigGet', 'Count', 'Sum', 'Δ answers to `config get` at the configuration endpoint', (pair) =>
    added(pair, (sample) => sample.configReads),
  ),
  // One membership; clients cannot set it (spec 3.3), so that there is no CmdConfigSet to count.
  row('CurrConfig', 'Count', 'Average', 'the one configuration of the configuration endpoint', ({ now }) =>
    now.configReads === null ? null : 1,
  ),
]
