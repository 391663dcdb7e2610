//! PURE: which logs are to be delivered, and what their records say after an attempt.
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import type { LogDeliveryRecord, LogSource } from '../../domain/log-delivery.ts'
import type { Stored } from '../../state/state.ts'
import { nodeIdOf } from './caches.ts'

/** A replication group, or a cluster that stands alone, whose logs are delivered. */
export interface LogOwner {
  readonly kind: 'replication-group' | 'cache-cluster'
  readonly id: string
  readonly engine: string
  readonly deliveries: readonly LogDeliveryRecord[]
  readonly nodes: readonly LogNode[]
}

export interface LogNode {
  readonly source: LogSource
  /** The keeper's names. */
  readonly asked: { readonly group: string; readonly node: string }
}

export function logOwners(
  clusters: readonly Stored<CacheClusterRecord>[],
  groups: readonly Stored<ReplicationGroupRecord>[],
): readonly LogOwner[] {
  const nodesOf = (cluster: CacheClusterRecord): LogNode[] =>
    cluster.nodes
      .filter(({ address, status }) => address !== null && status !== 'deleting')
      .map((node) => ({
        source: { clusterId: cluster.id, nodeId: node.id },
        asked: { group: cluster.replicationGroupId ?? cluster.id, node: nodeIdOf(cluster, node) },
      }))
  const owners = [
    ...groups.map(({ doc }) => ({
      kind: 'replication-group' as const,
      record: doc,
      nodes: clusters.flatMap((stored) => (stored.doc.replicationGroupId === doc.id ? nodesOf(stored.doc) : [])),
    })),
    ...clusters
      .filter(({ doc }) => doc.replicationGroupId === null)
      .map(({ doc }) => ({ kind: 'cache-cluster' as const, record: doc, nodes: nodesOf(doc) })),
  ]
  return owners
    .filter(({ record }) => record.status !== 'deleting' && (record.logDelivery?.length ?? 0) > 0)
    .map(({ kind, record, nodes }) => ({
      kind,
      id: record.id,
      engine: record.engine,
      deliveries: record.logDelivery ?? [],
      nodes,
    }))
}

/** What came of an attempt to deliver: null when all arrived, else why it did not. */
export interface Attempt {
  /** The record as it was when it was tried. */
  readonly of: LogDeliveryRecord
  readonly problem: string | null
}

const MESSAGE_CHARS_MAX = 300

/**
 * The records after the attempts. One that was changed meanwhile stays as it is: the next attempt is about that.
 * Returns null when nothing changes.
 */
export function afterAttempts(
  present: readonly LogDeliveryRecord[],
  attempts: readonly Attempt[],
): readonly LogDeliveryRecord[] | null {
  const next = present.flatMap((record): LogDeliveryRecord[] => {
    const attempt = attempts.find(({ of }) => JSON.stringify(of) === JSON.stringify(record))
    if (attempt === undefined) return [record]
    if (record.status === 'disabling') return []
    return attempt.problem === null
      ? [{ ...record, status: 'active', message: null }]
      : [{ ...record, status: 'error', message: attempt.problem.slice(0, MESSAGE_CHARS_MAX) }]
  })
  return JSON.stringify(next) === JSON.stringify(present) ? null : next
}
