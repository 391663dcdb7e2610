//! PURE: more and fewer nodes of a memcached cluster: at once, or waiting for the maintenance window, with AWS's rules for
//! what becomes of what waits already (spec/elasticache.md 2.5).
import {
  type CacheClusterRecord,
  cacheNodeId,
  MEMCACHED_NODES_MAX,
  newCacheNode,
  type PendingNodes,
} from './cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from './elasticache-faults.ts'

export interface AskedNodes {
  /** NumCacheNodes; null when it was not given. */
  readonly count: number | null
  /** CacheNodeIdsToRemove. */
  readonly remove: readonly string[]
  /** NewAvailabilityZones, checked. */
  readonly zones: readonly string[]
}

/** Zones that new nodes get by themselves, in the order of their preference. */
export type SpreadZones = readonly string[]

const NOTHING: PendingNodes = { add: [], remove: [] }

/**
 * What waits after the request. A removal replaces what waits; an addition is added to an addition and replaces a removal;
 * the present number cancels all.
 * @throws MissingParameter, InvalidParameterValue, InvalidParameterCombination, NodeQuotaForClusterExceeded
 */
export function pendingAfter(record: CacheClusterRecord, asked: AskedNodes, spread: SpreadZones): PendingNodes {
  const waiting = record.pendingNodes ?? NOTHING
  const present = record.nodes.length
  const total = present + waiting.add.length
  const wanted = checkedCount(record, asked, total)
  if (asked.remove.length > 0 && wanted >= present) {
    throw invalidCombination('CacheNodeIdsToRemove needs a NumCacheNodes below the present number.')
  }
  if (asked.zones.length > 0 && wanted <= total) {
    throw invalidCombination('NewAvailabilityZones needs a NumCacheNodes above the present and pending number.')
  }
  if (asked.count === null) return waiting
  if (wanted === present) return NOTHING
  if (wanted < present) return { add: [], remove: removed(record, present - wanted, asked.remove, waiting) }
  if (wanted === total) return waiting
  if (wanted < total) {
    throw invalidCombination(
      `${record.id} has ${present} cache nodes and waits for ${total}: cancel that first with NumCacheNodes=${present}.`,
    )
  }
  return { add: [...waiting.add, ...zonesOf(record, waiting.add, wanted - total, asked.zones, spread)], remove: [] }
}

function checkedCount(record: CacheClusterRecord, { count }: AskedNodes, total: number): number {
  if (count === null) return total
  if (record.engine !== 'memcached') {
    if (count === 1) return 1
    throw invalidValue(`NumCacheNodes is 1 for ${record.engine}.`)
  }
  if (!Number.isInteger(count) || count < 1) throw invalidValue(`NumCacheNodes is at least 1, not ${count}.`)
  if (count <= MEMCACHED_NODES_MAX) return count
  throw elasticacheFault(
    'NodeQuotaForClusterExceeded',
    `A memcached cluster has at most ${MEMCACHED_NODES_MAX} cache nodes, not ${count}.`,
  )
}

/**
 * Exactly as many as are too many. Ids of nodes that only wait to be made may be named besides, all of them (AWS counts
 * from the greater of present and pending numbers): they are not made.
 */
function removed(
  record: CacheClusterRecord,
  fewer: number,
  named: readonly string[],
  waiting: PendingNodes,
): readonly string[] {
  if (named.length === 0) {
    throw elasticacheFault('MissingParameter', 'The request must contain the parameter CacheNodeIdsToRemove.')
  }
  const highest = highestNumber(record)
  const unmade = waiting.add.map((_, at) => cacheNodeId(highest + at + 1))
  const ids = [...new Set(named)]
  const unknown = ids.find((id) => !unmade.includes(id) && !record.nodes.some((node) => node.id === id))
  if (unknown !== undefined) throw invalidValue(`${record.id} has no cache node ${unknown.slice(0, 20)}.`)
  const made = ids.filter((id) => !unmade.includes(id))
  const others = ids.length - made.length
  if (made.length === fewer && (others === 0 || others === unmade.length)) return made
  throw invalidCombination(`CacheNodeIdsToRemove must name exactly ${fewer} cache nodes, not ${ids.length}.`)
}

function zonesOf(
  record: CacheClusterRecord,
  waiting: readonly string[],
  more: number,
  given: readonly string[],
  spread: SpreadZones,
): string[] {
  if (given.length > 0 && given.length !== more) {
    throw invalidCombination(`NewAvailabilityZones names ${given.length} zones for ${more} new cache nodes.`)
  }
  const here = record.nodes[0]?.availabilityZone
  const zones = [...record.nodes.map((node) => node.availabilityZone), ...waiting]
  const added: string[] = []
  for (let at = 0; at < more; at++) {
    const isSpread = record.availabilityZoneMode === 'cross-az' || here === undefined
    added.push(given[at] ?? (isSpread ? leastUsed([...zones, ...added], spread) : here))
  }
  if (record.availabilityZoneMode === 'single-az' && added.some((name) => name !== here)) {
    throw invalidCombination(`${record.id} is single-az: new cache nodes are in ${here}.`)
  }
  return added
}

function leastUsed(zones: readonly string[], spread: SpreadZones): string {
  const uses = (name: string): number => zones.filter((zone) => zone === name).length
  return [...spread].sort((a, b) => uses(a) - uses(b))[0] ?? ''
}

/**
 * The record once what waits is being made. Numbers are not used again while the cluster lives: a client may still have
 * the old node of that name in its ring.
 */
export function nodesBegun(record: CacheClusterRecord, now: number): CacheClusterRecord {
  const { pendingNodes: waiting, ...rest } = record
  if (!waiting || waiting.add.length + waiting.remove.length === 0) return rest
  const createdAt = new Date(now).toISOString()
  const highest = highestNumber(record)
  // Beside a change of the node type that has begun, new nodes have the new one from the start.
  const type = record.pending?.applyingSince && record.pending.scale ? { nodeType: record.pending.nodeType } : {}
  const made = waiting.add.map((zone, at) => ({
    ...newCacheNode(cacheNodeId(highest + at + 1), createdAt, zone),
    ...type,
  }))
  const kept = rest.nodes.map((node) =>
    waiting.remove.includes(node.id) ? { ...node, status: 'deleting' as const } : node,
  )
  return { ...rest, status: 'modifying', nodesBefore: rest.nodes.length, nodes: [...kept, ...made] }
}

/** The record while it waits. */
export function nodesWaiting(record: CacheClusterRecord, waiting: PendingNodes): CacheClusterRecord {
  const { pendingNodes: _, ...rest } = record
  return waiting.add.length + waiting.remove.length === 0 ? rest : { ...rest, pendingNodes: waiting }
}

/**
 * @throws InvalidParameterCombination for another engine, for cross-az with one node, and for single-az when the nodes are
 *   in several zones already; existing nodes never move
 */
export function zoneMode(
  record: CacheClusterRecord,
  mode: string | undefined,
  count: number | null,
): CacheClusterRecord['availabilityZoneMode'] {
  if (mode === undefined || mode === record.availabilityZoneMode) return record.availabilityZoneMode
  if (mode !== 'single-az' && mode !== 'cross-az') throw invalidValue('AZMode is single-az or cross-az.')
  if (record.engine !== 'memcached') throw invalidCombination('AZMode is for memcached only.')
  if (mode === 'cross-az') {
    if ((count ?? record.nodes.length) >= 2) return mode
    throw invalidCombination('AZMode cross-az is for memcached with at least 2 cache nodes.')
  }
  if (new Set(record.nodes.map((node) => node.availabilityZone)).size <= 1) return mode
  throw invalidCombination(`The cache nodes of ${record.id} are in several zones already: it cannot become single-az.`)
}

const highestNumber = (record: CacheClusterRecord): number =>
  Math.max(0, ...record.nodes.map((node) => Number(node.id)))
