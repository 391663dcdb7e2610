import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheClusterRecord, ReplicationGroupRecord, ServiceUpdateRecord } from '../../domain/cluster.ts'
import { type MaintenanceRecords, maintenancePlan } from './maintenance.ts'

/** A Sunday, within the window of all records and half an hour before it. */
const OPEN = Date.parse('2026-11-29T05:30:00Z')
const BEFORE = Date.parse('2026-11-29T04:30:00Z')

function cluster(id: string, change: Partial<CacheClusterRecord> = {}): CacheClusterRecord {
  const node = { id: '0001', status: 'available', restarts: 0, startedAt: 'since', binaryVersion: '7.0.15' }
  return {
    id,
    engine: 'redis',
    engineVersion: '7.0',
    binaryVersion: '7.0.15',
    nodeType: 'cache.t4g.micro',
    replicationGroupId: null,
    status: 'available',
    nodes: [node],
    maintenanceWindow: 'sun:05:00-sun:06:00',
    autoMinorVersionUpgrade: true,
    ...change,
  } as unknown as CacheClusterRecord
}
const member = (id: string, change: Partial<CacheClusterRecord> = {}): CacheClusterRecord =>
  cluster(id, { replicationGroupId: 'g', ...change })
const group = (change: Partial<ReplicationGroupRecord> = {}): ReplicationGroupRecord =>
  ({ id: 'g', status: 'available', members: ['g-1', 'g-2'], ...change }) as unknown as ReplicationGroupRecord
const update = (version: string): ServiceUpdateRecord => ({
  name: `redis-${version.replaceAll('.', '-')}`,
  engine: 'redis',
  version,
  releasedAt: '2026-11-01T00:00:00.000Z',
})

const waits = { pending: { engineVersion: '7.1', applyingSince: null } }
const begins = { pending: { engineVersion: '7.1', applyingSince: new Date(OPEN).toISOString() } }
const [next, after] = [update('7.0.16'), update('7.0.17')]
const applied = (one: ServiceUpdateRecord, stopped = false) => ({
  serviceUpdate: { name: one.name, version: one.version, since: new Date(OPEN).toISOString(), stopped },
})

interface Given {
  readonly clusters: readonly CacheClusterRecord[]
  readonly groups?: readonly ReplicationGroupRecord[]
  readonly updates?: readonly ServiceUpdateRecord[]
  readonly now?: number
}
/** What is expected of each record that is written: these members of it. */
type Expected = Readonly<Record<string, object>>

const modifying = { status: 'modifying' }
const rows: readonly [string, Given, Expected][] = [
  ['nothing waits', { clusters: [cluster('a')] }, {}],
  ['a change that waits begins', { clusters: [cluster('a', waits)] }, { a: { ...modifying, ...begins } }],
  ['its window is not open', { clusters: [cluster('a', waits)], now: BEFORE }, {}],
  ['the cluster is busy', { clusters: [cluster('a', { ...waits, status: 'snapshotting' })] }, {}],
  ['it has begun already', { clusters: [cluster('a', begins)] }, {}],
  [
    'memcached of another node type: every node starts again',
    {
      clusters: [cluster('a', { engine: 'memcached', pending: { nodeType: 'cache.t4g.small', applyingSince: null } })],
    },
    { a: modifying },
  ],
  ['a service update', { clusters: [cluster('a')], updates: [next] }, { a: { ...modifying, ...applied(next) } }],
  ['the newest of two', { clusters: [cluster('a')], updates: [after, next] }, { a: applied(after) }],
  ['a change goes before an update', { clusters: [cluster('a', waits)], updates: [next] }, { a: begins }],
  [
    'one without AutoMinorVersionUpgrade',
    { clusters: [cluster('a', { autoMinorVersionUpgrade: false })], updates: [next] },
    {},
  ],
  [
    'memcached keeps its items',
    { clusters: [cluster('a', { engine: 'memcached' })], updates: [{ ...next, engine: 'memcached' }] },
    {},
  ],
  ['one that was stopped by hand', { clusters: [cluster('a', applied(next, true))], updates: [next] }, {}],
  ['an update of another engine', { clusters: [cluster('a')], updates: [{ ...next, engine: 'valkey' }] }, {}],
  ['an update that it has', { clusters: [cluster('a')], updates: [update('7.0.15')] }, {}],
  [
    'a group: the members that wait, and the group is modifying',
    { clusters: [member('g-1', waits), member('g-2', waits)], groups: [group()] },
    { 'g-1': begins, 'g-2': begins, g: modifying },
  ],
  [
    'a chosen primary goes first',
    { clusters: [member('g-1', waits), member('g-2', waits)], groups: [group({ pendingPrimary: 'g-2' })] },
    { g: { ...modifying, roleChange: { number: 1, kind: 'promote', to: 'g-2' } } },
  ],
  [
    'one member is busy: the whole group waits',
    { clusters: [member('g-1', waits), member('g-2', { ...waits, status: 'modifying' })], groups: [group()] },
    {},
  ],
  [
    'a group that is being changed waits',
    { clusters: [member('g-1', waits), member('g-2', waits)], groups: [group({ status: 'modifying' })] },
    {},
  ],
  [
    'a service update of a group is of all members',
    { clusters: [member('g-1'), member('g-2')], groups: [group()], updates: [next] },
    { 'g-1': applied(next), 'g-2': applied(next), g: modifying },
  ],
]
for (const [name, given, expected] of rows) {
  test(`maintenance: ${name}`, () => {
    const stored = <T extends { readonly id?: string; readonly name?: string }>(docs: readonly T[] = []) =>
      docs.map((doc) => ({ id: doc.id ?? doc.name ?? '', doc, version: 1 }))
    const records = {
      clusters: stored(given.clusters),
      groups: stored(given.groups),
      updates: stored(given.updates),
    } as unknown as MaintenanceRecords
    const plan = maintenancePlan(records, given.now ?? OPEN)
    const written = [...plan.clusters, ...plan.groups]
    assert.deepEqual(written.map(({ id }) => id).sort(), Object.keys(expected).sort())
    for (const record of written) assert.partialDeepStrictEqual(record, expected[record.id]!)
  })
}
