import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Action, GroupView, NodeView } from './group-view.ts'
import { planChanges, standInOf } from './planned-changes.ts'

const ENDPOINT = '127.16.0.1'

const PLAIN = { plain: 6379, tls: 0 }

function node(id: string, change: Partial<NodeView> = {}): NodeView {
  const isPrimary = id === 'a'
  return {
    id,
    address: `address of ${id}`,
    wished: true,
    health: { kind: 'well' },
    role: isPrimary ? 'primary' : 'replica',
    follows: isPrimary ? null : 'address of a',
    inSync: !isPrimary,
    hasData: true,
    caughtUp: true,
    lagMs: 0,
    bound: [`address of ${id}`],
    listening: PLAIN,
    followsBy: { port: 6379, tls: false },
    mayStart: true,
    restartWished: false,
    outdated: false,
    ...change,
  }
}

const outdated = { outdated: true }
const restart = { restartWished: true }
const behind = { inSync: false }
const standIn = (change: Partial<NodeView> = {}): NodeView => node(standInOf('a'), { wished: false, ...change })
const test1 = { number: 1, kind: 'test-failover', to: null } as const
const promoteC = { number: 2, kind: 'promote', to: 'c' } as const

/** The primary is `a`. */
const rows: readonly [string, readonly NodeView[], Partial<GroupView>, readonly Action[]][] = [
  ['nothing is wished', [node('a'), node('b')], {}, []],
  ['a replica leaves', [node('a'), node('b', { wished: false })], {}, [{ do: 'remove', node: 'b' }]],
  [
    'the primary leaves: a replica in sync takes over first',
    [node('a', { wished: false }), node('b', behind), node('c')],
    {},
    [{ do: 'hand-over', from: 'a', to: 'c' }],
  ],
  [
    'an older engine: replicas first, one at a time',
    [node('a', outdated), node('b', outdated), node('c', outdated)],
    {},
    [{ do: 'replace', node: 'b' }],
  ],
  [
    'the next replica waits until the first is in sync again',
    [node('a', outdated), node('b', behind), node('c', outdated)],
    {},
    [],
  ],
  [
    'all replicas are of the new version: the primary hands over',
    [node('a', outdated), node('b'), node('c')],
    { automaticFailover: false },
    [{ do: 'hand-over', from: 'a', to: 'b' }],
  ],
  [
    'a replica that was just filled has not caught up: it does not take over',
    [node('a', outdated), node('b', { caughtUp: false })],
    {},
    [],
  ],
  ['a lone node of an older engine', [node('a', outdated)], {}, [{ do: 'make-stand-in', node: 'a' }]],
  ['its stand-in is being filled', [node('a', outdated), standIn(behind)], {}, []],
  [
    'its stand-in is filled',
    [node('a', outdated), standIn()],
    {},
    [{ do: 'take-place', node: 'a', standIn: standInOf('a') }],
  ],
  ['a stand-in that nobody needs', [node('a'), standIn()], {}, [{ do: 'remove', node: standInOf('a') }]],
  ['a wished restart of a lone node', [node('a', restart)], {}, [{ do: 'restart', node: 'a' }]],
  [
    'a wished restart of a replica',
    [node('a'), node('b', { ...restart, ...outdated })],
    {},
    [{ do: 'restart', node: 'b' }],
  ],
  [
    'a wished restart of a primary with automatic failover',
    [node('a', restart), node('b')],
    {},
    [{ do: 'hand-over', from: 'a', to: 'b' }],
  ],
  [
    'a wished restart of a primary without automatic failover: it is rebuilt from its replica',
    [node('a', restart), node('b')],
    { automaticFailover: false },
    [{ do: 'restart', node: 'a' }],
  ],
  [
    'a failover that is asked for',
    [node('a'), node('b'), node('c')],
    { roleChange: test1 },
    [{ do: 'fail-over', from: 'a', asked: 1 }],
  ],
  ['the same without a replica in sync', [node('a'), node('b', behind)], { roleChange: test1 }, []],
  [
    'a member is to be primary',
    [node('a'), node('b'), node('c')],
    { roleChange: promoteC },
    [{ do: 'hand-over', from: 'a', to: 'c', asked: 2 }],
  ],
  ['the same while it is being filled', [node('a'), node('b'), node('c', behind)], { roleChange: promoteC }, []],
  [
    'it is primary already, or gone',
    [node('a'), node('b')],
    { roleChange: { ...promoteC, to: 'a' } },
    [{ do: 'note-role-change', number: 2 }],
  ],
]

for (const [name, [primary, ...others], change, expected] of rows) {
  test(`changes: ${name}`, () => {
    const nodes = [primary!, ...others]
    const view = { primary: 'a', automaticFailover: true, roleChange: null, endpoint: ENDPOINT, reader: '', nodes }
    const transit = { listening: PLAIN, fronted: false }
    assert.deepEqual(planChanges({ ...view, ...transit, ...change }, primary!, others), expected)
  })
}
