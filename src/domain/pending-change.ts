//! PURE: changes of engine, version and node type on their way: waiting for the maintenance window, begun, cancelled.
import type { CacheClusterRecord, PendingChange, ScaleRecord } from './cluster.ts'
import { batchBegun } from './memcached-scaling.ts'

/** What a request asks for; null: as it is already, which takes back what was asked for before. */
export interface AskedChange {
  readonly engine?: 'redis' | 'valkey' | null
  readonly engineVersion?: string | null
  readonly nodeType?: string | null
  readonly parameterGroupName?: string | null
  readonly scale?: ScaleRecord | null
}

/** The waiting change together with what is asked for now; null when nothing is left to wait for. */
export function withAsked(record: CacheClusterRecord, asked: AskedChange): PendingChange | null {
  const merged = { ...record.pending, ...asked, applyingSince: null }
  const left = Object.entries(merged).filter(([, value]) => value !== null)
  return left.length === 0 ? null : { ...Object.fromEntries(left), applyingSince: null }
}

/**
 * The record once its pending change is being carried out. memcached keeps nothing over a change of its memory: its nodes
 * start again as for a reboot, batch after batch, or all at once where nothing is said of batches.
 */
export function begun(record: CacheClusterRecord, now: number): CacheClusterRecord {
  const { pending } = record
  if (!pending || pending.applyingSince !== null) return record
  const restarts = record.engine === 'memcached' && pending.nodeType !== undefined && !pending.scale
  const applying: CacheClusterRecord = {
    ...record,
    status: 'modifying',
    pending: { ...pending, applyingSince: new Date(now).toISOString() },
    nodes: restarts
      ? record.nodes.map((node) => ({ ...node, restarts: node.restarts + 1, rebootFrom: node.startedAt }))
      : record.nodes,
  }
  return batchBegun(applying, now)
}

/** The record without a change that waits. */
export function withPending(record: CacheClusterRecord, pending: PendingChange | null): CacheClusterRecord {
  const { pending: _, ...rest } = record
  return pending === null ? rest : { ...rest, pending }
}
