//! The parameter families of redis, valkey and memcached (spec/elasticache.md 5.1).
import { derive } from './derive.ts'
import { memcachedHistory, memcachedRows } from './memcached-rows.ts'
import { type Family, type Parameter, row } from './parameter.ts'
import { olderFamilies } from './resp-history.ts'
import { lazyFreeRows, respRows } from './resp-rows.ts'

const YES_NO = 'yes,no'

/** Exist from 7.2 on. */
const setListpackRows = (since: string): Parameter[] => [
  row(since, 'set-max-listpack-entries', '128', '0-', 'Entries up to which a set is a listpack.'),
  row(since, 'set-max-listpack-value', '64', '0-', 'Longest member of a set that is a listpack, in bytes.'),
]

/** `commandlog-execution-slower-than` and its length are aliases of slowlog-* and are not listed twice. */
function commandLogRows(since: string): Parameter[] {
  const r = row.bind(null, since)
  return [
    r('commandlog-request-larger-than', '1048576', '-1-', 'Bytes from which a request is logged; -1 for none.'),
    r('commandlog-reply-larger-than', '1048576', '-1-', 'Bytes from which a reply is logged; -1 for none.'),
    r('commandlog-large-request-max-len', '128', '0-1024', 'Large requests that the log keeps.'),
    r('commandlog-large-reply-max-len', '128', '0-1024', 'Large replies that the log keeps.'),
  ]
}

const REDIS7: readonly Parameter[] = derive([...respRows('7.0.4'), ...lazyFreeRows('7.0.4')], {
  since: '7.0.4',
  changed: { 'replica-lazy-flush': { value: 'no' } },
})

function valkey8Rows(since: string, commandLogSince: string): Parameter[] {
  const shared = derive(respRows(since), {
    since,
    changed: { 'maxmemory-samples': { allowed: '1-64' }, 'repl-backlog-size': { value: '10485760' } },
  })
  return [
    ...shared,
    ...setListpackRows(since),
    row(since, 'extended-redis-compatibility', 'yes', YES_NO, 'Call itself Redis where old clients look for it.'),
    ...commandLogRows(commandLogSince),
  ]
}

function family(name: string, engine: Family['engine'], rows: readonly Parameter[]): Family {
  const parameters = [...rows].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { name, engine, parameters, clusterMode: rows.some((p) => p.name === 'cluster-enabled') }
}

/** By name. Parameters are sorted by name, the order of DescribeCacheParameters. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map(
  [
    ...[...memcachedHistory()].map(([name, rows]) => family(name, 'memcached', rows)),
    family('memcached1.6', 'memcached', memcachedRows()),
    ...[...olderFamilies(REDIS7)].map(([name, rows]) => family(name, 'redis', rows)).reverse(),
    family('redis7', 'redis', REDIS7),
    family('valkey7', 'valkey', [...respRows('7.2.6'), ...lazyFreeRows('7.2.6'), ...setListpackRows('7.2.6')]),
    family('valkey8', 'valkey', valkey8Rows('8.0.0', '8.1.0')),
    family('valkey9', 'valkey', [
      ...valkey8Rows('9.0.0', '9.0.0'),
      row('9.0.0', 'cluster-databases', '1', '1-10000', 'Databases in cluster mode.', {
        needs: 'cluster mode',
        mapping: { to: 'none' },
      }),
    ]),
  ].map((f) => [f.name, f]),
)

/** The parameter group that exists without being created: `default.redis7`. */
export const defaultGroupName = (familyName: string): string => `default.${familyName}`

/** What ends the name of the default group for cluster mode: `default.redis7.cluster.on`. */
export const CLUSTER_ON = '.cluster.on'

/** The parameter that a group turns cluster mode on with. */
export const CLUSTER_ENABLED = 'cluster-enabled'
