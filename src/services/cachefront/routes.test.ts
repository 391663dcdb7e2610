import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_KEEPER, NO_MEASUREMENTS } from '../../../test/support/no-measurements.ts'
import { PERMISSIONS } from '../../domain/permissions.ts'
import { quotasWith } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { KeeperSeen } from '../../keeper/protocol.ts'
import { systemClock } from '../../lib/clock.ts'
import type { State } from '../../state/state.ts'
import type { Health, Installation } from './installation.ts'
import { localRoutes } from './routes.ts'

const healthy: Health = {
  status: 'ok',
  version: '1.2.3',
  revision: 7,
  pops: [{ name: 'pop-0', region: 'us-east-1', http: '127.0.0.1:8080', https: null }],
  regionals: [],
  parts: [{ name: 'state', ok: true, detail: 'revision 7' }],
  origins: [],
}

const record = {
  id: 'E1',
  domainName: 'd1.cloudfront.localhost',
  status: 'Deployed',
  config: { Enabled: true, HttpVersion: 'http2and3', Aliases: { Items: ['shop.test'] } },
} as unknown as DistributionRecord

const seen: KeeperSeen = {
  sequence: 1,
  groups: [],
  snapshots: [],
  workers: [],
  nodeNetwork: '127.16.0.0/16',
  binaries: [],
}

function setUp(changes: Partial<Installation> = {}) {
  const calls: unknown[] = []
  let offset = 0
  const installation: Installation = {
    health: async () => healthy,
    trace: async (id) => (id === 'known' ? { trace: { steps: ['receive'] }, missing: [] } : null),
    counters: async () => ({ counters: { hits: 3, objects: 10 }, missing: ['worker-"1"'] }),
    origins: async () => ({ origins: [], missing: [] }),
    wafRules: async () => ({ rules: [], missing: [] }),
    async *objects() {},
    object: async () => ({ workers: [], missing: [] }),
    storage: async () => ({ workers: [], missing: ['worker-1'] }),
    keeperSeen: () => seen,
    clock: {
      offsetMs: () => offset,
      async advance(ms) {
        offset += ms
      },
    },
    places: async () => [{ kind: 'regional', name: 'REC-eu-west-1', region: 'eu-west-1', state: 'up' }],
    switchPlace: async (...wanted) => calls.push(wanted) > 0 && wanted[1] === 'down',
    stop: async (options) => void calls.push(options),
    ...changes,
  }
  const state = { list: async () => [{ id: 'E1', revision: 1, doc: record }] } as unknown as State
  const routes = localRoutes(
    installation,
    { state, clock: systemClock, quotas: quotasWith(), accountId: '123456789012' },
    NO_MEASUREMENTS,
    NO_KEEPER,
  )
  const signedReads = routes.filter((r) => r.readsNeedSignature === true).map((r) => r.path)
  const call = async (method: string, path: string, body?: unknown, rest = '') => {
    const route = routes.find((r) => r.method === method && r.path === path)
    assert.ok(route, `${method} ${path}`)
    const answer = await route.run({ rest, query: new URLSearchParams(), body })
    const text = String(answer.body)
    return { ...answer, body: text, document: answer.contentType === 'application/json' ? JSON.parse(text) : null }
  }
  return { call, calls, routes, signedReads }
}

describe('/_cachefront', () => {
  it('has a row in the table of permissions for each change', () => {
    const rows = PERMISSIONS.filter(({ service }) => service === 'cachefront').flatMap(({ operations }) => operations)
    const changes = setUp().routes.filter(({ method }) => method === 'POST')
    assert.ok(changes.length > 3)
    for (const { method, path } of changes) {
      assert.ok(rows.includes(`${method} ${path}`), path)
    }
  })

  it('answers health with 200 only when everything answers', async () => {
    const ok = await setUp().call('GET', '/_cachefront/health')
    assert.deepEqual([ok.status, ok.document], [200, healthy])
    for (const status of ['starting', 'degraded'] as const) {
      const bad = await setUp({ health: async () => ({ ...healthy, status }) }).call('GET', '/_cachefront/health')
      assert.deepEqual([bad.status, bad.document.status], [503, status])
    }
  })

  it('tells what is inside only to callers who sign, beyond loopback', () => {
    assert.deepEqual(setUp().signedReads, [
      '/_cachefront/objects',
      '/_cachefront/object',
      '/_cachefront/storage',
      '/_cachefront/pops',
      '/_cachefront/trusted-signers',
      '/_cachefront/caches/metrics',
      '/_cachefront/caches/clients',
      '/_cachefront/certificates',
      '/_cachefront/waf/rules',
      '/_cachefront/status',
      '/_cachefront/origins',
      '/_cachefront/traces/*',
    ])
  })

  it('names what is served', async () => {
    const { document } = await setUp().call('GET', '/_cachefront/status')
    assert.deepEqual(document.distributions, [
      {
        id: 'E1',
        domainName: 'd1.cloudfront.localhost',
        aliases: ['shop.test'],
        enabled: true,
        status: 'Deployed',
        httpVersion: { ceiling: 'http2and3', served: 'http2' },
      },
    ])
    assert.deepEqual(document.caches, [])
    const without = await setUp({ keeperSeen: () => null }).call('GET', '/_cachefront/status')
    assert.equal(without.document.caches, null)
  })

  it('prints counters for Prometheus, names and labels escaped', async () => {
    const { body, contentType } = await setUp().call('GET', '/_cachefront/metrics')
    assert.match(contentType, /^text\/plain; version=0\.0\.4/)
    for (const line of [
      'cachefront_info{version="1.2.3"} 1',
      'cachefront_revision 7',
      'cachefront_part_ok{part="state"} 1',
      'cachefront_edge_results_total{worker="all",result="Hit"} 3',
      '# TYPE cachefront_edge_cache_objects gauge',
      'cachefront_edge_cache_objects{worker="all"} 10',
      'cachefront_worker_missing{worker="worker-\\"1\\""} 1',
    ]) {
      assert.ok(body.split('\n').includes(line), line)
    }
    assert.ok(body.endsWith('\n'))
  })

  it('finds a trace, or says why there is none', async () => {
    const { call } = setUp()
    const found = await call('GET', '/_cachefront/traces/*', undefined, 'known')
    assert.deepEqual([found.status, found.document.trace], [200, { steps: ['receive'] }])
    const none = await call('GET', '/_cachefront/traces/*', undefined, 'other')
    assert.equal(none.status, 404)
    assert.match(none.document.error, /last 1,000/)
  })

  it('moves the clock on, only when it may, and only forward', async () => {
    const { call } = setUp()
    assert.deepEqual((await call('POST', '/_cachefront/clock', { advanceMs: 5 })).document, { offsetMs: 5 })
    assert.deepEqual((await call('POST', '/_cachefront/clock', { advanceMs: 5 })).document, { offsetMs: 10 })
    for (const wrong of [
      undefined,
      null,
      [],
      {},
      { advanceMs: 0 },
      { advanceMs: -1 },
      { advanceMs: 1.5 },
      { advanceMs: '1' },
      { advanceMs: 1e15 },
    ]) {
      assert.equal((await call('POST', '/_cachefront/clock', wrong)).status, 400, JSON.stringify(wrong))
    }
    const fixed = await setUp({ clock: null }).call('POST', '/_cachefront/clock', { advanceMs: 5 })
    assert.equal(fixed.status, 409)
    assert.match(fixed.document.error, /--movable-clock/)
  })

  it('begins the stop as asked', async () => {
    const { call, calls } = setUp()
    assert.equal((await call('POST', '/_cachefront/stop')).status, 202)
    assert.equal((await call('POST', '/_cachefront/stop', { engines: true })).status, 202)
    assert.equal((await call('POST', '/_cachefront/stop', { engines: 'yes' })).status, 400)
    assert.equal((await call('POST', '/_cachefront/stop', [])).status, 400)
    assert.deepEqual(calls, [{ engines: false }, { engines: true }])
  })
})

it('switch a place that there is, and say when not every worker has it', async () => {
  const { call, calls } = setUp()
  const post = (body: unknown) => call('POST', '/_cachefront/pops', body)
  assert.deepEqual((await call('GET', '/_cachefront/pops')).document.places[0].name, 'REC-eu-west-1')
  assert.deepEqual((await post({ name: 'REC-eu-west-1', state: 'down' })).document, {
    name: 'REC-eu-west-1',
    state: 'down',
  })
  assert.equal((await post({ name: 'REC-eu-west-1', state: 'up' })).status, 504)
  assert.match(
    (await post({ name: 'FRA50-C1', state: 'down' })).document.error,
    /no place FRA50-C1: there are REC-eu-west-1/,
  )
  assert.equal((await post({ name: 'REC-eu-west-1', state: 'off' })).status, 400)
  assert.deepEqual(calls, [
    ['REC-eu-west-1', 'down'],
    ['REC-eu-west-1', 'up'],
  ])
})
