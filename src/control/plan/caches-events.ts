//! PURE: what happened on the host -> events of ElastiCache in its own words (spec/elasticache.md 11.3).
import { cacheNodeId } from '../../domain/cluster.ts'
import type { KeeperEvent } from '../../keeper/protocol.ts'
import type { NewEvent } from '../../services/elasticache/event-log.ts'

/** Node ids of memcached clusters; ids of clusters begin with a letter. */
const NODE_ID = /^\d{4}$/

/** In order; none for what AWS has no event for (a node that was lost is told by the recovery that follows). */
export function elasticacheEvents({ groupId, event }: KeeperEvent): NewEvent[] {
  const onCluster = (node: string, message: (id: string) => string): NewEvent =>
    NODE_ID.test(node)
      ? { source: 'cache-cluster', sourceId: groupId, message: message(node) }
      : { source: 'cache-cluster', sourceId: node, message: message(cacheNodeId(1)) }
  switch (event.kind) {
    case 'node-lost':
      return []
    case 'failover': {
      const message = `Failover from primary node ${event.from} to replica node ${event.to} completed`
      return [
        { source: 'cache-cluster', sourceId: event.from, message },
        { source: 'replication-group', sourceId: groupId, message },
      ]
    }
    case 'certificate-renewed': {
      // The text of ElastiCache:CertificateRenewalComplete is unconfirmed.
      const source = event.replicated ? 'replication-group' : 'cache-cluster'
      return [{ source, sourceId: groupId, message: `Certificate renewal completed for ${groupId}` }]
    }
    case 'recovering':
      return [onCluster(event.node, (id) => `Recovering cache nodes ${id}`)]
    case 'recovered':
      return [onCluster(event.node, (id) => `Finished recovery for cache nodes ${id}`)]
    case 'restarted':
      return [
        onCluster(event.node, (id) => `Cache node ${id} shutdown`),
        onCluster(event.node, (id) => `Cache node ${id} restarted`),
      ]
  }
}
