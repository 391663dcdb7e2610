//! The parameters that the families redis7, valkey7, valkey8 and valkey9 share (spec/elasticache.md 5.3); older families
//! are told from them (resp-history.ts). Defaults are ElastiCache's, which differ from a stock engine's in places; all of
//! them are applied to the engine.
import { keyspaceEvents, none, type Parameter, row } from './parameter.ts'

const YES_NO = 'yes,no'

/** The engine gives these flags back in one order and as `A` where all of a class is on; it must compare equal. */
export function canonicalEvents(flags: string): string {
  const classes = 'g$lshzxetd'
  const has = (flag: string): boolean => flags.includes(flag)
  const all = has('A') || [...classes].every(has)
  const tail = [...'KEmn'].filter(has).join('')
  return (all ? 'A' : [...classes].filter(has).join('')) + tail
}

/** Rows of a family whose oldest version is `since`. */
export function respRows(since: string): Parameter[] {
  const r = row.bind(null, since)
  return [
    r('acl-pubsub-default', 'allchannels', 'resetchannels,allchannels', 'Channels that a new ACL user may use.'),
    r('acllog-max-len', '128', '1-10000', 'Entries that the ACL log keeps.'),
    r('activedefrag', 'no', YES_NO, 'Active memory defragmentation; needs an engine built with its own jemalloc.', {
      feature: 'active-defrag',
    }),
    r('active-defrag-cycle-max', '75', '1-75', 'Most CPU for defragmentation, in percent.'),
    r('active-defrag-cycle-min', '5', '1-75', 'Least CPU for defragmentation, in percent.'),
    r('active-defrag-ignore-bytes', '104857600', '1048576-', 'Fragmentation waste from which it starts, in bytes.'),
    r('active-defrag-max-scan-fields', '1000', '1-1000000', 'Fields of a set, hash, sorted set or list in one scan.'),
    r('active-defrag-threshold-lower', '10', '1-100', 'Fragmentation from which it starts, in percent.'),
    r('active-defrag-threshold-upper', '100', '1-100', 'Fragmentation at which it uses most CPU, in percent.'),
    r('active-expire-effort', '1', '1-10', 'Effort spent on expired keys.'),
    r('activerehashing', 'yes', YES_NO, 'Rehash the main tables in the background.', { fixed: true }),
    r('appendonly', 'no', YES_NO, 'Append-only file; a cache relies on its replicas instead.', { fixed: true }),
    r('appendfsync', 'everysec', 'always,everysec,no', 'When the append-only file is synced.', { fixed: true }),
    ...bufferLimits(r, 'normal', ['0', '0', '0']),
    ...bufferLimits(r, 'pubsub', ['33554432', '8388608', '60']),
    ...(['hard-limit', 'soft-limit'] as const).map((limit) =>
      r(`client-output-buffer-limit-replica-${limit}`, null, '0-', 'Output buffer for a replica, in bytes.', {
        fixed: true,
        nodeSpecific: true,
        mapping: none,
      }),
    ),
    r('client-output-buffer-limit-replica-soft-seconds', '60', '0-', 'Seconds over the soft limit for a replica.', {
      fixed: true,
      mapping: none,
    }),
    r('client-query-buffer-limit', '1073741824', '1048576-1073741824', 'Largest query buffer of a client, in bytes.'),
    // AWS's own: its replicas drop a client after a READONLY error. Stock engines keep it, so `no` is what holds here.
    r(
      'close-on-replica-write',
      'no',
      YES_NO,
      'Close a client that writes to a replica; the engine has no such switch.',
      {
        fixed: true,
        mapping: none,
      },
    ),
    r('cluster-allow-pubsubshard-when-down', 'yes', YES_NO, 'Sharded pub/sub while the cluster is down.'),
    r('cluster-allow-reads-when-down', 'no', YES_NO, 'Reads while the cluster is down.'),
    // A group that says yes can be made; attaching it is what needs cluster mode (services/elasticache/lookup.ts).
    r('cluster-enabled', 'no', YES_NO, 'Cluster mode.', { reboot: true, mapping: none }),
    r('cluster-preferred-endpoint-type', 'tls-dynamic', 'ip,tls-dynamic', 'What the cluster commands show of a node.', {
      // Without TLS both mean addresses; host names come with TLS (spec 3.2).
      mapping: { to: 'directive', name: 'cluster-preferred-endpoint-type', value: () => 'ip' },
    }),
    r('cluster-require-full-coverage', 'no', YES_NO, 'Refuse queries while a slot is not covered.'),
    r('databases', '16', '1-10000', 'Number of databases.', { reboot: true }),
    r('hash-max-listpack-entries', '512', '0-', 'Entries up to which a hash is a listpack.'),
    r('hash-max-listpack-value', '64', '0-', 'Longest value in a hash that is a listpack, in bytes.'),
    r('hll-sparse-max-bytes', '3000', '1-16000', 'Size up to which a HyperLogLog is sparse, in bytes.'),
    r('latency-tracking', 'no', YES_NO, 'Per-command latency percentiles.'),
    r('lfu-decay-time', '1', '0-', 'Minutes after which an LFU counter decays.'),
    r('lfu-log-factor', '10', '1-', 'How slowly the LFU counter grows.'),
    r('list-compress-depth', '0', '0-', 'Nodes at both ends of a list that are not compressed.'),
    r('list-max-listpack-size', '-2', '-5-', 'Size of a list node: -1 to -5 for 4 to 64 KB, above 0 for entries.'),
    r('lua-time-limit', '5000', '5000', 'Milliseconds after which a script counts as busy.', { fixed: true }),
    r('maxclients', null, '1-65000', 'Most clients at once; a host with a lower file limit has fewer.', {
      fixed: true,
      reboot: true,
      nodeSpecific: true,
    }),
    r('maxmemory', null, '', 'Memory of the node type, in bytes; the engine gets it less the reserved part.', {
      fixed: true,
      nodeSpecific: true,
      mapping: none,
    }),
    r(
      'maxmemory-policy',
      'volatile-lru',
      'volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction',
      'What is evicted when memory is full.',
    ),
    r('maxmemory-samples', '3', '1-', 'Keys sampled for eviction.'),
    r('min-replicas-to-write', '0', '0-', 'Replicas that must be connected for a write.'),
    r('min-replicas-max-lag', '10', '0-', 'Seconds of lag up to which such a replica counts.'),
    r('notify-keyspace-events', '', keyspaceEvents, 'Classes of keyspace events that are published.', {
      mapping: { to: 'directive', name: 'notify-keyspace-events', value: canonicalEvents },
    }),
    r('proto-max-bulk-len', '536870912', '1048576-536870912', 'Largest element of a request, in bytes.'),
    r('rename-commands', '', 'pairs "COMMAND blocked"', 'Commands that no client may call.', { mapping: none }),
    r('repl-backlog-size', '1048576', '16384-', 'Replication backlog, in bytes.'),
    r('repl-backlog-ttl', '3600', '0-', 'Seconds that the backlog outlives the last replica.'),
    r('repl-timeout', '60', '60', 'Seconds of silence after which replication is given up.', { fixed: true }),
    r('replica-allow-chaining', 'no', YES_NO, 'Replicas of replicas.', { fixed: true, mapping: none }),
    r('replica-ignore-maxmemory', 'yes', YES_NO, 'A replica evicts only what its primary evicts.', { fixed: true }),
    r('replica-lazy-flush', 'yes', YES_NO, 'Empty a replica in the background.', { fixed: true }),
    r('reserved-memory-percent', '25', '0-100', "Part of the node type's memory that the data does not get.", {
      mapping: none,
    }),
    r('set-max-intset-entries', '512', '0-', 'Entries up to which a set of integers is an intset.'),
    r('slowlog-log-slower-than', '10000', '-1-', 'Microseconds from which a command is in the slow log; -1 for none.'),
    r('slowlog-max-len', '128', '0-', 'Entries that the slow log keeps.'),
    r('stream-node-max-bytes', '4096', '0-', 'Size of a stream node, in bytes.'),
    r('stream-node-max-entries', '100', '0-', 'Entries of a stream node.'),
    r('tcp-keepalive', '300', '0-', 'Seconds between keep-alive probes to clients; 0 for none.'),
    r('timeout', '0', '0,20-', 'Seconds after which an idle client is closed; 0 for never.'),
    r('tracking-table-max-keys', '1000000', '1-100000000', 'Keys remembered for client-side caching.'),
    r('zset-max-listpack-entries', '128', '0-', 'Entries up to which a sorted set is a listpack.'),
    r('zset-max-listpack-value', '64', '0-', 'Longest member of a sorted set that is a listpack, in bytes.'),
  ]
}

type Row = (
  name: string,
  value: string,
  allowed: string,
  description: string,
  traits: { mapping: typeof none },
) => Parameter

/** The three limits of one client class; the engine has one directive for all classes (directives.ts joins them). */
function bufferLimits(r: Row, clients: string, [hard, soft, seconds]: readonly [string, string, string]): Parameter[] {
  const name = `client-output-buffer-limit-${clients}`
  return [
    r(`${name}-hard-limit`, hard, '0-', `Output buffer at which a ${clients} client is closed, in bytes.`, {
      mapping: none,
    }),
    r(`${name}-soft-limit`, soft, '0-', `Output buffer that a ${clients} client may not hold for long, in bytes.`, {
      mapping: none,
    }),
    r(`${name}-soft-seconds`, seconds, '0-', `Seconds that a ${clients} client may be over the soft limit.`, {
      mapping: none,
    }),
  ]
}

/** `lazyfree-lazy-*`: parameters up to valkey7, fixed to yes and gone from the table in valkey8. */
export function lazyFreeRows(since: string): Parameter[] {
  return ['eviction', 'expire', 'server-del', 'user-del', 'user-flush'].map((what) =>
    row(since, `lazyfree-lazy-${what}`, 'no', YES_NO, `Free memory in the background on ${what}.`),
  )
}
