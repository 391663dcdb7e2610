//! More and fewer memcached nodes: what waits, what replaces what, and what is refused (spec/elasticache.md 2.5).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CacheClusterRecord, cacheNodeId, newCacheNode, type PendingNodes } from './cluster.ts'
import type { Fault } from './faults.ts'
import { nodesBegun, nodesWaiting, pendingAfter, zoneMode } from './memcached-nodes.ts'

const SPREAD = ['a', 'b', 'c']

function cluster(zones: readonly string[], more: Partial<CacheClusterRecord> = {}): CacheClusterRecord {
  const nodes = zones.map((zone, at) => newCacheNode(cacheNodeId(at + 1), '2026-01-01T00:00:00Z', zone))
  return {
    id: 'mem',
    engine: 'memcached',
    availabilityZoneMode: new Set(zones).size > 1 ? 'cross-az' : 'single-az',
    nodes,
    status: 'available',
    ...more,
  } as CacheClusterRecord
}

const asked = (count: number | null, remove: readonly string[] = [], zones: readonly string[] = []) => ({
  count,
  remove,
  zones,
})
const add = (...zones: string[]): PendingNodes => ({ add: zones, remove: [] })
const remove = (...ids: string[]): PendingNodes => ({ add: [], remove: ids })
const NONE = { add: [], remove: [] }

/** Present zones, what waits, what is asked, what waits then. */
const RULES: readonly [string, readonly string[], PendingNodes | null, ReturnType<typeof asked>, PendingNodes][] = [
  ['an addition stays in the zone', ['a', 'a'], null, asked(4), add('a', 'a')],
  ['an addition is added to one that waits', ['a', 'a'], add('a'), asked(4), add('a', 'a')],
  ['the pending number again changes nothing', ['a', 'a'], add('a'), asked(3), add('a')],
  ['the present number cancels an addition', ['a', 'a'], add('a'), asked(2), NONE],
  ['the present number cancels a removal', ['a', 'a'], remove('0001'), asked(2), NONE],
  ['a removal replaces a removal', ['a', 'a', 'a'], remove('0001'), asked(2, ['0003']), remove('0003')],
  ['a removal replaces an addition', ['a', 'a'], add('a'), asked(1, ['0002']), remove('0002')],
  ['ids that wait to be made may be named besides', ['a', 'a'], add('a'), asked(1, ['0002', '0003']), remove('0002')],
  ['an addition replaces a removal', ['a', 'a'], remove('0001'), asked(3), add('a')],
  ['nothing asked keeps what waits', ['a', 'a'], remove('0001'), asked(null), remove('0001')],
  ['cross-az takes the zones with the fewest nodes', ['a', 'b', 'a'], null, asked(6), add('c', 'b', 'c')],
  ['zones that are named', ['a', 'b'], null, asked(4, [], ['b', 'b']), add('b', 'b')],
]

for (const [what, zones, waiting, wish, expected] of RULES) {
  test(what, () => {
    const record = cluster(zones, waiting === null ? {} : { pendingNodes: waiting })
    assert.deepEqual(pendingAfter(record, wish, SPREAD), expected)
  })
}

const code = (wanted: string, words: RegExp) => (error: Fault) => {
  assert.equal(error.code, wanted, error.message)
  assert.match(error.message, words)
  return true
}

test('what is refused', () => {
  const two = cluster(['a', 'a'], { pendingNodes: add('a', 'a') })
  const refused = (record: CacheClusterRecord, wish: ReturnType<typeof asked>, wanted: string, words: RegExp) =>
    assert.throws(() => pendingAfter(record, wish, SPREAD), code(wanted, words))
  refused(two, asked(3), 'InvalidParameterCombination', /cancel that first with NumCacheNodes=2/)
  refused(two, asked(0), 'InvalidParameterValue', /at least 1/)
  refused(two, asked(61), 'NodeQuotaForClusterExceeded', /at most 60/)
  refused(two, asked(1), 'MissingParameter', /CacheNodeIdsToRemove/)
  refused(two, asked(1, ['0001', '0002']), 'InvalidParameterCombination', /exactly 1/)
  refused(two, asked(1, ['0001', '0003']), 'InvalidParameterCombination', /exactly 1/)
  refused(two, asked(1, ['0009']), 'InvalidParameterValue', /no cache node 0009/)
  refused(two, asked(5, ['0001']), 'InvalidParameterCombination', /below the present/)
  refused(two, asked(6, [], ['a']), 'InvalidParameterCombination', /1 zones for 2/)
  refused(two, asked(5, [], ['b']), 'InvalidParameterCombination', /single-az/)
  refused(two, asked(2, [], ['a']), 'InvalidParameterCombination', /above the present/)
  refused(cluster(['a'], { engine: 'redis' }), asked(2), 'InvalidParameterValue', /1 for redis/)
})

test('what waits is made: new numbers after the highest, removed nodes on their way out', () => {
  const record = cluster(['a', 'a'], { pendingNodes: add('a') })
  const grown = nodesBegun(record, 0)
  assert.deepEqual(
    grown.nodes.map((node) => [node.id, node.status]),
    [
      ['0001', 'creating'],
      ['0002', 'creating'],
      ['0003', 'creating'],
    ],
  )
  assert.equal(grown.status, 'modifying')
  assert.equal(grown.pendingNodes, undefined)
  const shrunk = nodesBegun(nodesWaiting(record, remove('0001')), 0)
  assert.equal(shrunk.nodes[0]!.status, 'deleting')
  assert.equal(nodesBegun(nodesWaiting(record, NONE), 0).status, 'available')
})

test('AZMode', () => {
  assert.equal(zoneMode(cluster(['a', 'a']), 'cross-az', null), 'cross-az')
  assert.equal(zoneMode(cluster(['a']), 'cross-az', 3), 'cross-az')
  assert.equal(zoneMode(cluster(['a', 'a'], { availabilityZoneMode: 'cross-az' }), 'single-az', null), 'single-az')
  const refused = (record: CacheClusterRecord, mode: string, words: RegExp) =>
    assert.throws(() => zoneMode(record, mode, null), code('InvalidParameterCombination', words))
  refused(cluster(['a']), 'cross-az', /at least 2/)
  refused(cluster(['a', 'b']), 'single-az', /several zones/)
  refused(cluster(['a'], { engine: 'redis' }), 'cross-az', /memcached only/)
})
