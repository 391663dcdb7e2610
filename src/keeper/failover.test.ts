import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressesOfPromoted,
  type Candidate,
  chooseReplica,
  isSettled,
  planGroup,
  planIndependent,
  READER_LAG_MAX_MS,
  readerHolder,
  readerKeeps,
  readerTargets,
  replicaTrouble,
} from './failover.ts'
import type { Action, GroupView, NodeView } from './group-view.ts'

const ENDPOINT = '127.16.0.1'
const READER = '127.16.0.2'
const ADDRESS: Readonly<Record<string, string>> = { a: '127.16.0.3', b: '127.16.0.4', c: '127.16.0.5' }

const PLAIN = { plain: 6379, tls: 0 }

function node(id: string, change: Partial<NodeView> = {}): NodeView {
  const isPrimary = id === 'a'
  return {
    id,
    address: ADDRESS[id]!,
    wished: true,
    health: { kind: 'well' },
    role: isPrimary ? 'primary' : 'replica',
    follows: isPrimary ? null : ADDRESS.a!,
    inSync: !isPrimary,
    hasData: true,
    caughtUp: true,
    lagMs: 0,
    bound: isPrimary ? [ADDRESS.a!, ENDPOINT] : [ADDRESS[id]!],
    listening: PLAIN,
    followsBy: { port: 6379, tls: false },
    mayStart: true,
    restartWished: false,
    outdated: false,
    ...change,
  }
}

const group = (nodes: readonly NodeView[], change: Partial<GroupView> = {}): GroupView => ({
  primary: 'a',
  automaticFailover: true,
  roleChange: null,
  endpoint: ENDPOINT,
  reader: READER,
  listening: PLAIN,
  fronted: false,
  nodes,
  ...change,
})

const died = { kind: 'lost', reason: 'exit' } as const
const frozen = { kind: 'lost', reason: 'frozen' } as const
const [a, b, c] = [node('a'), node('b'), node('c')]
const gone: Partial<NodeView> = {
  health: died,
  role: 'unknown',
  follows: null,
  inSync: false,
  bound: [],
  hasData: false,
}
const begun: Partial<NodeView> = { ...gone, health: { kind: 'starting' } }
const start = (id: string, from: string | null): Action => ({ do: 'start', node: id, replicaOf: from })

const rows: readonly [string, GroupView, readonly Action[]][] = [
  ['a settled group of three has nothing to do', group([a, b, c]), []],
  [
    'a new group starts its primary first',
    group([node('a', { ...gone, health: { kind: 'absent' } }), node('b', gone)]),
    [start('a', null)],
  ],
  [
    'replicas start once the primary answers',
    group([a, node('b', gone), node('c', gone)]),
    [start('b', ADDRESS.a!), start('c', ADDRESS.a!)],
  ],
  [
    'a dead primary with copies is failed over',
    group([node('a', { ...gone, health: died }), b, c]),
    [{ do: 'fail-over', from: 'a' }],
  ],
  [
    'a frozen primary with copies is failed over',
    group([node('a', { health: frozen }), b, c]),
    [{ do: 'fail-over', from: 'a' }],
  ],
  ['a silent primary is waited for', group([node('a', { health: { kind: 'waiting' } }), b, c]), []],
  [
    'a dead primary never starts empty while a copy is only silent',
    group([node('a', gone), node('b', { health: { kind: 'waiting' } })]),
    [],
  ],
  [
    'a dead primary without copies comes back empty',
    group([node('a', gone), node('b', { hasData: false, inSync: false })]),
    [start('a', null)],
  ],
  [
    'a frozen primary without copies is ended first',
    group([node('a', { health: frozen })]),
    [{ do: 'kill', node: 'a' }],
  ],
  ['a start that failed waits for its back-off', group([node('a', { ...gone, mayStart: false })]), []],
  [
    'without automatic failover the primary is rebuilt from a copy',
    group([node('a', gone), b, c], { automaticFailover: false }),
    [{ do: 'rebuild-primary', node: 'a' }],
  ],
  [
    'a primary that is being rebuilt is waited for',
    group(
      [
        node('a', { role: 'replica', follows: ADDRESS.b!, inSync: false }),
        node('b', { role: 'primary', follows: null }),
      ],
      { automaticFailover: false },
    ),
    [],
  ],
  [
    'a rebuilt primary is promoted when it has everything',
    group(
      [
        node('a', { role: 'replica', follows: ADDRESS.b!, inSync: true }),
        node('b', { role: 'primary', follows: null }),
      ],
      { automaticFailover: false },
    ),
    [{ do: 'promote', node: 'a' }],
  ],
  [
    'a decided primary whose promotion a crash cut off is promoted',
    group([node('a', { role: 'replica', follows: ADDRESS.c!, inSync: false }), b, node('c', gone)]),
    [{ do: 'promote', node: 'a' }],
  ],
  [
    'an old primary that is still primary follows the new one',
    group([a, node('b', { role: 'primary', follows: null, inSync: false }), c]),
    [{ do: 'follow', node: 'b', primary: 'a' }],
  ],
  [
    'a replica of the wrong primary is repointed',
    group([a, b, node('c', { follows: ADDRESS.b! })]),
    [{ do: 'follow', node: 'c', primary: 'a' }],
  ],
  ['a frozen replica is ended', group([a, b, node('c', { health: frozen })]), [{ do: 'kill', node: 'c' }]],
  ['a dead replica starts as a replica', group([a, b, node('c', gone)]), [start('c', ADDRESS.a!)]],
  ['a starting replica is waited for', group([a, b, node('c', begun)]), []],
  ['an unwished replica is removed', group([a, b, node('c', { wished: false })]), [{ do: 'remove', node: 'c' }]],
  [
    'an unwished primary hands over first',
    group([node('a', { wished: false }), b]),
    [{ do: 'hand-over', from: 'a', to: 'b' }],
  ],
  [
    'a primary to restart hands over first',
    group([node('a', { restartWished: true }), b, c]),
    [{ do: 'hand-over', from: 'a', to: 'b' }],
  ],
  [
    'a primary to restart waits for a replica in sync',
    group([node('a', { restartWished: true, bound: [ADDRESS.a!, ENDPOINT, READER] }), node('b', { inSync: false })]),
    [],
  ],
  ['a single node restarts as it is', group([node('a', { restartWished: true })]), [{ do: 'restart', node: 'a' }]],
  [
    'replicas restart before the primary hands over',
    group([node('a', { restartWished: true }), node('b', { restartWished: true }), c]),
    [{ do: 'restart', node: 'b' }],
  ],
  [
    'a replica to restart waits until the others serve',
    group([a, node('b', { restartWished: true }), node('c', begun)]),
    [],
  ],
  [
    'replicas restart one at a time',
    group([a, node('b', { restartWished: true }), node('c', { restartWished: true })]),
    [{ do: 'restart', node: 'b' }],
  ],
  [
    'a single replica takes the reader endpoint from the primary, which lets go first',
    group([node('a', { bound: [ADDRESS.a!, ENDPOINT, READER] }), b]),
    [
      { do: 'bind', node: 'a', addresses: [ADDRESS.a!, ENDPOINT] },
      { do: 'bind', node: 'b', addresses: [ADDRESS.b!, READER] },
    ],
  ],
  [
    'a primary alone serves readers, too',
    group([a]),
    [{ do: 'bind', node: 'a', addresses: [ADDRESS.a!, ENDPOINT, READER] }],
  ],
]
for (const [name, view, expected] of rows) {
  test(`plan: ${name}`, () => assert.deepEqual(planGroup(view), expected))
}

test('two or more replicas share a front', () => assert.equal(readerHolder(group([a, b, c])), 'front'))

const silent = { kind: 'waiting' } as const
const linkLost: Partial<NodeView> = { inSync: false, hasData: true }
const tooOld = READER_LAG_MAX_MS + 1
const readers: readonly [string, GroupView, targets: readonly string[], keeps: readonly string[]][] = [
  ['both replicas in sync', group([a, b, c]), ['b', 'c'], ['b', 'c']],
  ['one as old as is allowed', group([a, b, node('c', { lagMs: READER_LAG_MAX_MS })]), ['b', 'c'], ['b', 'c']],
  ['one that is too old, though its link is up', group([a, b, node('c', { lagMs: tooOld })]), ['b'], ['b']],
  ['one that lost its link to a primary that answers', group([a, b, node('c', linkLost)]), ['b'], ['b']],
  [
    'links are lost while the primary is being judged: nobody writes',
    group([node('a', { health: silent }), node('b', linkLost), node('c', linkLost)]),
    ['b', 'c'],
    ['b', 'c'],
  ],
  ['the primary has died', group([node('a', gone), node('b', linkLost), node('c', linkLost)]), ['b', 'c'], ['b', 'c']],
  [
    'the primary has died, and one was too old before',
    group([node('a', gone), node('b', linkLost), node('c', { ...linkLost, lagMs: tooOld })]),
    ['b'],
    ['b'],
  ],
  ['one that is being filled', group([a, b, node('c', { inSync: false, hasData: false })]), ['b'], ['b']],
  ['one that was filled and has not caught up', group([a, b, node('c', { caughtUp: false })]), ['b'], ['b']],
  ['one that is silent', group([a, b, node('c', { health: silent })]), ['b'], ['b', 'c']],
  ['one that is to be removed', group([a, b, node('c', { wished: false })]), ['b'], ['b']],
  ['none is there', group([a, node('b', gone), node('c', gone)]), ['a'], ['a']],
  ['all are too old', group([a, node('b', { lagMs: tooOld }), node('c', { lagMs: tooOld })]), ['a'], ['a']],
  ['nobody at all', group([node('a', gone), node('b', gone), node('c', gone)]), [], []],
]
for (const [name, view, targets, keeps] of readers) {
  const addresses = (ids: readonly string[]): Set<string> => new Set(ids.map((id) => ADDRESS[id]!))
  test(`readers: ${name}`, () => {
    assert.deepEqual(new Set(readerTargets(view)), addresses(targets))
    assert.deepEqual(new Set(readerKeeps(view)), addresses(keeps))
  })
}

test('the only replica holds the reader endpoint while it may be read from', () => {
  assert.equal(readerHolder(group([a, b])), 'b')
  assert.equal(readerHolder(group([a, node('b', { lagMs: tooOld })])), 'a')
  assert.equal(readerHolder(group([a, node('b', { caughtUp: false })])), 'a')
  assert.equal(readerHolder(group([a, node('b', linkLost)])), 'a')
  assert.equal(readerHolder(group([node('a', { health: silent }), node('b', linkLost)])), 'b')
  assert.deepEqual(planGroup(group([a, node('b', { lagMs: tooOld, bound: [ADDRESS.b!, READER] })])), [
    { do: 'bind', node: 'b', addresses: [ADDRESS.b!] },
    { do: 'bind', node: 'a', addresses: [ADDRESS.a!, ENDPOINT, READER] },
  ])
})

test('a replica that runs without its primary, or far behind it, is named', () => {
  assert.equal(replicaTrouble(group([a, b, c])), null)
  assert.equal(replicaTrouble(group([a, b, node('c', linkLost)])), 'replica c has lost its primary a')
  assert.equal(
    replicaTrouble(group([a, b, node('c', { lagMs: tooOld })])),
    'replica c is more than 5 s behind its primary a',
  )
  assert.equal(replicaTrouble(group([a, b, node('c', { inSync: false, hasData: false })])), null, 'it is being filled')
  assert.equal(replicaTrouble(group([node('a', gone), b, node('c', linkLost)])), null, 'its primary has died')
})

test('a promoted node keeps the reader endpoint that it had', () => {
  const view = group([node('a', gone), b, c])
  assert.deepEqual(addressesOfPromoted(view, b), [ADDRESS.b, ENDPOINT])
  assert.deepEqual(addressesOfPromoted(view, node('b', { bound: [ADDRESS.b!, READER] })), [ADDRESS.b, ENDPOINT, READER])
})

test('a group is settled only when every node is as wished', () => {
  assert.equal(isSettled(group([a, b, c])), true)
  assert.equal(isSettled(group([a, b, node('c', { inSync: false })])), false)
  assert.equal(isSettled(group([a, b, node('c', { caughtUp: false })])), false)
  assert.equal(isSettled(group([a, b, node('c', begun)])), false)
})

test('memcached nodes are decided one by one', () => {
  const nodes = [a, node('b', gone), node('c', { wished: false })]
  assert.deepEqual(planIndependent(nodes), [start('b', null), { do: 'remove', node: 'c' }])
  assert.deepEqual(planIndependent([node('a', { health: frozen })]), [{ do: 'kill', node: 'a' }])
})

const candidate = (id: string, offset: number, change: Partial<Candidate> = {}): Candidate => ({
  id,
  offset,
  role: 'replica',
  hasData: true,
  ...change,
})
const choices: readonly [string, readonly Candidate[], string | null][] = [
  ['the largest offset', [candidate('a', 10), candidate('b', 12)], 'b'],
  ['the lowest id at equal offsets', [candidate('b', 10), candidate('a', 10)], 'a'],
  [
    'one that was promoted already, at equal offsets',
    [candidate('a', 10), candidate('b', 10, { role: 'primary' })],
    'b',
  ],
  ['never one without a copy', [candidate('a', 99, { hasData: false }), candidate('b', 1)], 'b'],
  ['a copy at offset 0 when nobody ever wrote', [candidate('a', 0)], 'a'],
  ['none when there is no copy', [candidate('a', 0, { hasData: false })], null],
]
for (const [name, candidates, expected] of choices) {
  test(`choice of a replica: ${name}`, () => assert.equal(chooseReplica(candidates), expected))
}
