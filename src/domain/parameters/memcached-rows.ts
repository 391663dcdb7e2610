//! The parameters of memcached1.6 as options of the stock server (spec/elasticache.md 5.4), and of the families before it.
//! All need a restart.
import { derive } from './derive.ts'
import { type MemcachedOption, none, type Parameter, row, type Traits } from './parameter.ts'

const SINCE = '1.6.6'
const ON_OFF = '0,1'

const options = (make: (value: string) => readonly MemcachedOption[]): Traits['mapping'] => ({
  to: 'options',
  options: make,
})
const flagged = (flag: string): Traits['mapping'] => options((argument) => [{ flag, argument }])
/** A flag without argument, given when the value is 1. */
const flagIfOn = (flag: string): Traits['mapping'] => options((v) => (v === '1' ? [{ flag, argument: null }] : []))
const extended = (name: string): Traits['mapping'] => options((v) => [{ extended: `${name}=${v}` }])
/** `-o name` or `-o no_name`: stock turns on what ElastiCache leaves off. */
const extendedSwitch = (name: string): Traits['mapping'] =>
  options((v) => [{ extended: v === '1' ? name : `no_${name}` }])

const r = (name: string, value: string | null, allowed: string, description: string, traits: Traits = {}): Parameter =>
  row(SINCE, name, value, allowed, description, { reboot: true, ...traits })

export function memcachedRows(): Parameter[] {
  return [
    r('backlog_queue_limit', '1024', '1-10000', 'Connections that may wait to be accepted.', {
      fixed: true,
      mapping: flagged('-b'),
    }),
    r('binding_protocol', 'auto', 'auto,ascii', 'Protocol that clients may speak.', { mapping: flagged('-B') }),
    r('cas_disabled', '0', ON_OFF, 'No check-and-set, 8 bytes less an item.', { mapping: flagIfOn('-C') }),
    r('chunk_size', '48', '1-1024', 'Smallest room for key, value and flags, in bytes.', { mapping: flagged('-n') }),
    r('chunk_size_growth_factor', '1.25', '1.01-1024', 'Growth from one chunk size to the next.', {
      type: 'float',
      mapping: flagged('-f'),
    }),
    r('config_max', '16', '16', 'Entries of the discovery store; the configuration endpoint has one.', {
      fixed: true,
      mapping: none,
    }),
    r('config_size_max', '65536', '65536', 'Largest entry of the discovery store, in bytes.', {
      fixed: true,
      mapping: none,
    }),
    r('disable_flush_all', '0', ON_OFF, 'Refuse flush_all.', { mapping: flagIfOn('-F') }),
    r('error_on_memory_exhausted', '0', ON_OFF, 'Answer an error instead of evicting.', { mapping: flagIfOn('-M') }),
    r('hash_algorithm', 'jenkins', 'jenkins,murmur3', 'Hash of the keys.', { mapping: extended('hash_algorithm') }),
    r('hashpower_init', '16', '16', 'Size of the hash table at the start, as a power of two.', {
      fixed: true,
      mapping: extended('hashpower'),
    }),
    r('idle_timeout', '0', '0-86400', 'Seconds after which an idle client is closed; 0 for never.', {
      mapping: extended('idle_timeout'),
    }),
    r('large_memory_pages', '0', ON_OFF, 'Use large memory pages.', { fixed: true, mapping: flagIfOn('-L') }),
    r('lock_down_paged_memory', '0', ON_OFF, 'Lock memory down.', { fixed: true, mapping: flagIfOn('-k') }),
    r('lru_crawler', '0', ON_OFF, 'Free expired items in the background.', { mapping: extendedSwitch('lru_crawler') }),
    r('lru_maintainer', '0', ON_OFF, 'Keep the segmented LRU in the background.', {
      mapping: extendedSwitch('lru_maintainer'),
    }),
    r('max_cache_memory', null, '', 'Memory of the node type, in MB.', {
      fixed: true,
      nodeSpecific: true,
      mapping: none,
    }),
    r('max_item_size', '1048576', '1024-1073741824', 'Largest item, in bytes.', { mapping: flagged('-I') }),
    r('max_simultaneous_connections', '65000', '3-65000', 'Most clients at once.', {
      fixed: true,
      mapping: flagged('-c'),
    }),
    r('maxconns_fast', '0', ON_OFF, 'Close connections over the limit at once.', {
      mapping: extendedSwitch('maxconns_fast'),
    }),
    r('maximize_core_file_limit', '0', ON_OFF, 'Largest core files.', { fixed: true, mapping: flagIfOn('-r') }),
    r('memcached_connections_overhead', '100', '0-', 'Memory kept back for connections, in MB.', { mapping: none }),
    r('modern', '0', ON_OFF, 'The newer set of defaults.', {
      mapping: options((v) => (v === '1' ? [{ extended: 'modern' }] : [])),
    }),
    r('no_modern', '1', ON_OFF, 'The older set of defaults.', {
      mapping: options((v) => (v === '1' ? [{ extended: 'no_modern' }] : [])),
    }),
    r('num_threads', null, '', 'Threads; one a processor of the node type.', {
      fixed: true,
      nodeSpecific: true,
      mapping: none,
    }),
    r('requests_per_event', '20', '20', 'Requests of one client before others have their turn.', {
      fixed: true,
      mapping: flagged('-R'),
    }),
    r('slab_automove', '0', '0,1,2', 'Move memory between slab classes.', { mapping: extended('slab_automove') }),
    // The server's help says kilobytes; it takes bytes, as ElastiCache counts (tried on 1.6.18: `stats slabs`).
    r('slab_chunk_max', '524288', '1024-1048576', 'Largest chunk of a slab, in bytes; divides 1048576.', {
      mapping: extended('slab_chunk_max'),
    }),
    r('slab_reassign', '0', ON_OFF, 'Allow memory to move between slab classes.', {
      mapping: extendedSwitch('slab_reassign'),
    }),
    r('track_sizes', '0', ON_OFF, 'Count item sizes.', {
      mapping: options((v) => (v === '1' ? [{ extended: 'track_sizes' }] : [])),
    }),
    r('watcher_logbuf_size', '256', '16-', 'Buffer of a log watcher, in KB.', {
      mapping: extended('watcher_logbuf_size'),
    }),
    // 64 is the server's own. Given as an option it would also be taken for `slab_sizes`, which leaves two classes of
    // chunks (a fall-through in the option parser of 1.6): items of 100 bytes then take the largest chunk.
    r('worker_logbuf_size', '64', '64', 'Log buffer of a worker thread, in KB; the option breaks the server.', {
      fixed: true,
      mapping: none,
    }),
  ]
}

/** First version of what 1.4.5 did not have. */
const ADDED_IN_1_4: Readonly<Record<string, readonly string[]>> = {
  '1.4.14': ['config_max', 'config_size_max', 'hashpower_init', 'maxconns_fast', 'slab_automove', 'slab_reassign'],
  '1.4.24': ['disable_flush_all', 'expirezero_does_not_evict', 'hash_algorithm', 'lru_crawler', 'lru_maintainer'],
  '1.4.33': ['idle_timeout', 'modern', 'slab_chunk_max', 'track_sizes', 'watcher_logbuf_size', 'worker_logbuf_size'],
}

/** memcached1.4 and memcached1.5: groups of them can be made, but no binary that Cachefront drives serves them. */
export function memcachedHistory(): ReadonlyMap<string, readonly Parameter[]> {
  const five = derive(memcachedRows(), {
    since: '1.5.10',
    without: ['modern'],
    plus: [
      row('1.5.10', 'inline_ascii_resp', '0', ON_OFF, 'Keep numbers of answers in the item.', {
        reboot: true,
        mapping: extendedSwitch('inline_ascii_resp'),
      }),
    ],
  })
  const four = derive(memcachedRows(), {
    since: '1.4.5',
    without: ['no_modern'],
    changed: { modern: { value: '1' } },
    plus: [
      row('1.4.24', 'expirezero_does_not_evict', '0', ON_OFF, 'Never evict items without an expiration time.', {
        reboot: true,
        mapping: options((v) => (v === '1' ? [{ extended: 'expirezero_does_not_evict' }] : [])),
      }),
    ],
  }).map((p) => {
    const since = Object.keys(ADDED_IN_1_4).find((version) => ADDED_IN_1_4[version]?.includes(p.name))
    return since === undefined ? p : { ...p, since }
  })
  return new Map([
    ['memcached1.4', four],
    ['memcached1.5', five],
  ])
}
