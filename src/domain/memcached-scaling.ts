//! PURE: another node type for a memcached cluster, in batches (ScaleConfig, spec/elasticache.md 2.5). The nodes of a batch
//! start again empty with their new size; the others serve meanwhile. The next batch follows on the movable clock.
import type { CacheClusterRecord, CacheNodeRecord, ScaleRecord } from './cluster.ts'
import { invalidCombination, invalidValue } from './elasticache-faults.ts'

const PERCENTAGE = { field: 'ScalePercentage', from: 10, to: 100, default: 20 } as const
/** The API's own text says seconds; the field and its range are minutes. */
const INTERVAL = { field: 'ScaleIntervalMinutes', from: 2, to: 30, default: 5 } as const

export interface ScaleInput {
  readonly ScalePercentage?: number | undefined
  readonly ScaleIntervalMinutes?: number | undefined
}

/**
 * How a change to a node type goes. Without a ScaleConfig its defaults hold (unconfirmed): a cache is then never emptied
 * as a whole unless that was asked for.
 * @throws InvalidParameterValue for a number out of its range
 */
export const scaleOf = (given: ScaleInput | undefined): ScaleRecord => ({
  percentage: numberOf(given?.ScalePercentage, PERCENTAGE),
  intervalMinutes: numberOf(given?.ScaleIntervalMinutes, INTERVAL),
  batchAt: null,
})

function numberOf(given: number | undefined, range: typeof PERCENTAGE | typeof INTERVAL): number {
  const value = given ?? range.default
  if (Number.isInteger(value) && value >= range.from && value <= range.to) return value
  throw invalidValue(`${range.field} is ${range.from} to ${range.to}, not ${value}.`)
}

/** @throws InvalidParameterCombination for a ScaleConfig that says nothing: another engine, or no node type to go to */
export function checkScaled(engine: string, nodeType: string | undefined, given: ScaleInput | undefined): void {
  if (given === undefined) return
  if (engine !== 'memcached') throw invalidCombination('ScaleConfig is for memcached only.')
  if (nodeType === undefined) throw invalidCombination('ScaleConfig needs the CacheNodeType to scale to.')
}

/** Nodes that the change under way has not come to; none when there is no such change. */
export function unscaled({ pending, nodes }: CacheClusterRecord): readonly CacheNodeRecord[] {
  if (!pending?.scale || pending.applyingSince === null) return []
  return nodes.filter((node) => node.status !== 'deleting' && node.nodeType !== pending.nodeType)
}

/** The node type of a node now; while batches are under way they differ. */
export function nodeTypeNow(cluster: CacheClusterRecord, node: CacheNodeRecord): string {
  const { pending } = cluster
  if (pending?.nodeType === undefined || pending.applyingSince === null) return cluster.nodeType
  return pending.scale ? (node.nodeType ?? cluster.nodeType) : pending.nodeType
}

/** The record with its next batch begun: the percentage of all nodes, rounded up, in the order of their ids. */
export function batchBegun(record: CacheClusterRecord, now: number): CacheClusterRecord {
  const { pending } = record
  if (!pending?.scale) return record
  const all = record.nodes.filter((node) => node.status !== 'deleting').length
  const size = Math.ceil((all * pending.scale.percentage) / 100)
  const batch = unscaled(record).slice(0, size)
  return {
    ...record,
    pending: { ...pending, scale: { ...pending.scale, batchAt: new Date(now).toISOString() } },
    nodes: record.nodes.map((node) => (batch.includes(node) ? emptied(node, pending.nodeType) : node)),
  }
}

const emptied = (node: CacheNodeRecord, nodeType: string | undefined): CacheNodeRecord => ({
  ...node,
  ...(nodeType === undefined ? {} : { nodeType }),
  restarts: node.restarts + 1,
  rebootFrom: node.startedAt,
})

/** The record with its next batch begun, when that is due and every node of those before is back; null when it is not. */
export function nextBatch(record: CacheClusterRecord, now: number): CacheClusterRecord | null {
  const scale = record.pending?.scale
  if (!scale || record.status !== 'modifying' || unscaled(record).length === 0) return null
  if (record.nodes.some((node) => node.status !== 'available' || node.rebootFrom !== null)) return null
  const due = scale.batchAt === null ? now : Date.parse(scale.batchAt) + scale.intervalMinutes * 60_000
  return now < due ? null : batchBegun(record, now)
}
