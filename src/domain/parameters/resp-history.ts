//! The families of redis before 7, each told from the next newer one (AWS's list of parameters by version; spec 5.3).
//! No binary that Cachefront drives serves their versions: groups of them can be made, changed and described, clusters not.
import { derive } from './derive.ts'
import { none, type Parameter, row } from './parameter.ts'

const YES_NO = 'yes,no'
const POLICIES_BEFORE_LFU = 'volatile-lru,allkeys-lru,volatile-random,allkeys-random,volatile-ttl,noeviction'

/** `hash-max-listpack-entries` and its like were about ziplists until 7.0. */
const ZIPLISTS = {
  'hash-max-listpack-entries': 'hash-max-ziplist-entries',
  'hash-max-listpack-value': 'hash-max-ziplist-value',
  'list-max-listpack-size': 'list-max-ziplist-size',
  'zset-max-listpack-entries': 'zset-max-ziplist-entries',
  'zset-max-listpack-value': 'zset-max-ziplist-value',
} as const

const reservedMemory = (since: string): Parameter =>
  row(since, 'reserved-memory', '0', '0-', 'Bytes of the node that the data does not get; above 0 it alone counts.', {
    mapping: none,
  })

/** By family name, newest first. `redis7`: the rows of that family. */
export function olderFamilies(redis7: readonly Parameter[]): ReadonlyMap<string, readonly Parameter[]> {
  const six = derive(redis7, {
    since: '6.0.5',
    without: ['cluster-allow-pubsubshard-when-down', 'cluster-preferred-endpoint-type', 'latency-tracking'],
    renamed: ZIPLISTS,
    changed: {
      // Modifiable while no cluster has the group (spec 5.3).
      activerehashing: { modifiable: true, changeType: 'requires-reboot' },
      'replica-lazy-flush': { value: 'yes' },
    },
  }).map((p) => (p.name === 'acl-pubsub-default' ? { ...p, since: '6.2.5' } : p))
  const five = derive(six, {
    since: '5.0.0',
    without: [
      'acl-pubsub-default',
      'acllog-max-len',
      'active-expire-effort',
      'cluster-allow-reads-when-down',
      'lazyfree-lazy-user-del',
      'lazyfree-lazy-user-flush',
      'repl-timeout',
      'tracking-table-max-keys',
    ],
    changed: {
      databases: { allowed: '1-1200000' },
      'lazyfree-lazy-eviction': { changeType: 'requires-reboot' },
      'lazyfree-lazy-expire': { changeType: 'requires-reboot' },
      'lazyfree-lazy-server-del': { changeType: 'requires-reboot' },
    },
    plus: [row('5.0.0', 'lua-replicate-commands', 'yes', YES_NO, 'Replicate the effects of scripts.')],
  }).map((p) => (p.name === 'rename-commands' ? { ...p, since: '5.0.3' } : p))
  const four = derive(five, {
    since: '4.0.10',
    without: [
      'active-defrag-max-scan-fields',
      'lua-replicate-commands',
      'rename-commands',
      'replica-ignore-maxmemory',
      'stream-node-max-bytes',
      'stream-node-max-entries',
    ],
    worded: ['replica', 'slave'],
    changed: {
      'active-defrag-cycle-min': { value: '25' },
      'active-defrag-ignore-bytes': { allowed: '10485760-104857600' },
      'slave-lazy-flush': { value: 'no' },
    },
    plus: [
      row('4.0.10', 'repl-timeout', '60', '60', 'Seconds of silence after which replication is given up.', {
        fixed: true,
      }),
    ],
  })
  const threeTwo = derive(four, {
    since: '3.2.4',
    without: [
      'activedefrag',
      'active-defrag-cycle-max',
      'active-defrag-cycle-min',
      'active-defrag-ignore-bytes',
      'active-defrag-threshold-lower',
      'active-defrag-threshold-upper',
      'client-query-buffer-limit',
      'lazyfree-lazy-eviction',
      'lazyfree-lazy-expire',
      'lazyfree-lazy-server-del',
      'lfu-decay-time',
      'lfu-log-factor',
      'proto-max-bulk-len',
      'slave-lazy-flush',
    ],
    changed: { 'maxmemory-policy': { allowed: POLICIES_BEFORE_LFU }, 'list-max-ziplist-size': { modifiable: false } },
    plus: [reservedMemory('3.2.4')],
  })
  const twoEight = derive(threeTwo, {
    since: '2.8.6',
    without: [
      'cluster-enabled',
      'cluster-require-full-coverage',
      'hll-sparse-max-bytes',
      'list-compress-depth',
      'list-max-ziplist-size',
      'reserved-memory-percent',
    ],
    changed: {
      activerehashing: { modifiable: false },
      'tcp-keepalive': { value: '0' },
      'repl-timeout': { allowed: '11-', modifiable: true },
    },
    plus: [
      row('2.8.6', 'list-max-ziplist-entries', '512', '0-', 'Entries up to which a list is a ziplist.'),
      row('2.8.6', 'list-max-ziplist-value', '64', '0-', 'Longest value in a list that is a ziplist, in bytes.'),
    ],
  }).map((p) => (p.name === 'close-on-slave-write' ? { ...p, since: '2.8.23' } : p))
  const twoSix = derive(twoEight, {
    since: '2.6.13',
    without: [
      'close-on-slave-write',
      'min-slaves-max-lag',
      'min-slaves-to-write',
      'notify-keyspace-events',
      'repl-backlog-size',
      'repl-backlog-ttl',
      'repl-timeout',
    ],
  })
  return new Map([
    ['redis6.x', six],
    ['redis5.0', five],
    ['redis4.0', four],
    ['redis3.2', threeTwo],
    ['redis2.8', twoEight],
    ['redis2.6', twoSix],
  ])
}
