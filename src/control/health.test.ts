//! Health: what is the installation's, and what is one resource's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupSeen, KeeperSeen } from '../keeper/protocol.ts'
import { type HealthFacts, healthOf } from './health.ts'
import type { LiveWorker } from './live-workers.ts'

const WORKER: LiveWorker = {
  identity: { worker: 'worker-0', pid: 7, version: '1', pops: [], peerSocket: '/peer.sock' },
  connection: { send: () => true, close: () => {} },
  leaseUntil: 1,
  sent: 3,
  had: -1,
  acknowledged: 3,
  failing: [],
  silent: [],
  shield: null,
  offsetMs: 0,
}

const group = (id: string, problem: string | null): GroupSeen => ({
  id,
  settled: problem === null,
  endpoint: '127.16.0.1',
  readerEndpoint: null,
  nodes: [],
  problem,
})

const seen = (groups: readonly GroupSeen[]): KeeperSeen => ({
  sequence: 1,
  groups,
  snapshots: [],
  workers: [],
  nodeNetwork: '127.16.0.0/16',
  binaries: [],
})

const facts = (changes: Partial<HealthFacts>): HealthFacts => ({
  version: '1',
  revision: 3,
  keeper: { seen: seen([]) },
  live: [WORKER],
  network: { pops: [], regionals: [] },
  down: new Set(),
  missing: [],
  tasks: [],
  brokenDistributions: new Map(),
  certificateProblems: new Map(),
  wasReady: false,
  ...changes,
})

test('a cache that cannot settle has a part that says why; the installation is ready all the same', () => {
  const health = healthOf(facts({ keeper: { seen: seen([group('well', null), group('shop', 'no binary')]) } }))
  assert.deepEqual(
    health.parts.filter((part) => !part.ok),
    [{ name: 'cache shop', ok: false, detail: 'no binary' }],
  )
  assert.equal(health.status, 'ok')
})

test('without a worker it is starting, and degraded once it was ready', () => {
  assert.equal(healthOf(facts({ live: [] })).status, 'starting')
  assert.equal(healthOf(facts({ live: [], wasReady: true })).status, 'degraded')
})

test('an address of its own that workers cannot bind is a part of its distribution that is not ok', () => {
  const silent = [{ distributionId: 'E1', address: '192.0.2.7', code: 'EADDRINUSE' }]
  const other = { ...WORKER, identity: { ...WORKER.identity, worker: 'worker-1' }, silent }
  const { parts, status } = healthOf(facts({ live: [{ ...WORKER, silent }, other] }))
  const detail =
    'not reached at 192.0.2.7, its own address, through worker-0, worker-1: another program has the port (EADDRINUSE); tried on'
  assert.deepEqual(
    parts.filter(({ ok }) => !ok),
    [{ name: 'distribution E1', ok: false, detail }],
  )
  assert.equal(status, 'ok')
})

test('origins that fail are named once, the newest failure first, and make nothing unwell', () => {
  const failing = (originId: string, at: string) => ({ distributionId: 'E1', originId, kind: 'refused' as const, at })
  const live = [
    { ...WORKER, failing: [failing('a', '2026-01-01'), failing('b', '2026-01-03')] },
    { ...WORKER, failing: [failing('a', '2026-01-02')] },
  ]
  const health = healthOf(facts({ live }))
  assert.equal(health.status, 'ok')
  assert.deepEqual(
    health.origins.map(({ originId, at }) => [originId, at]),
    [
      ['b', '2026-01-03'],
      ['a', '2026-01-02'],
    ],
  )
})
