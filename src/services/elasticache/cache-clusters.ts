//! Cache clusters: describe, delete, reboot. Making and modifying them are files of their own.
import type {
  CacheClusterMessage,
  DeleteCacheClusterMessage,
  DeleteCacheClusterResult,
  DescribeCacheClustersMessage,
  RebootCacheClusterMessage,
  RebootCacheClusterResult,
} from '@aws-sdk/client-elasticache'
import { required } from '../../domain/cache-names.ts'
import type { CacheClusterRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidValue } from '../../domain/elasticache-faults.ts'
import type { Operation } from '../service.ts'
import { onlyFields } from './fields.ts'
import { beginFinalSnapshot, finalOfMember } from './final-snapshot.ts'
import { findCluster, findReplicationGroup } from './lookup.ts'
import { mustBeAvailable, mustBeAvailableCluster } from './must-be-available.ts'
import { page } from './paging.ts'
import { markDeleting, removeReplica } from './replicas.ts'
import { cacheClusterView } from './views.ts'

export const describeCacheClusters: Operation<DescribeCacheClustersMessage, CacheClusterMessage> = async (
  input,
  { state },
) => {
  const showNodes = input.ShowCacheNodeInfo ?? false
  if (input.CacheClusterId) {
    const { doc } = await findCluster(state, input.CacheClusterId)
    return { CacheClusters: [cacheClusterView(doc, showNodes)] }
  }
  const all = await state.list('cache-cluster')
  const wanted = input.ShowCacheClustersNotInReplicationGroups
    ? all.filter(({ doc }) => doc.replicationGroupId === null)
    : all
  const { items, Marker } = page(wanted, ({ id }) => id, input)
  return { CacheClusters: items.map(({ doc }) => cacheClusterView(doc, showNodes)), Marker }
}

export const deleteCacheCluster: Operation<DeleteCacheClusterMessage, DeleteCacheClusterResult> = (input, context) =>
  context.state.transact(async (tx) => {
    const { doc: record } = await findCluster(tx, input.CacheClusterId)
    // AWS deletes only what is available; here also what cannot become so (its engine is missing), or it would stay.
    if (record.status === 'deleting') {
      throw elasticacheFault('InvalidCacheClusterState', `Cache cluster ${record.id} is being deleted already.`)
    }
    if (record.status === 'snapshotting') mustBeAvailableCluster(record)
    if (record.replicationGroupId !== null) {
      const { doc: group } = await findReplicationGroup(tx, record.replicationGroupId)
      mustBeAvailable(group)
      if (input.FinalSnapshotIdentifier) throw finalOfMember(record)
      return { CacheCluster: cacheClusterView(await removeReplica(tx, group, record), false) }
    }
    const finalSnapshot = input.FinalSnapshotIdentifier
      ? await beginFinalSnapshot(
          tx,
          input.FinalSnapshotIdentifier,
          { kind: 'cluster', cluster: record, group: null, members: [record] },
          context,
        )
      : null
    const deleting: CacheClusterRecord = { ...markDeleting(record), finalSnapshot }
    await tx.put('cache-cluster', record.id, deleting)
    return { CacheCluster: cacheClusterView(deleting, false) }
  })

export const rebootCacheCluster: Operation<RebootCacheClusterMessage, RebootCacheClusterResult> = (input, context) => {
  onlyFields('RebootCacheCluster', input, ['CacheClusterId', 'CacheNodeIdsToReboot'])
  return context.state.transact(async (tx) => {
    const { doc: record } = await findCluster(tx, input.CacheClusterId)
    mustBeAvailableCluster(record)
    const ids = required('CacheNodeIdsToReboot', input.CacheNodeIdsToReboot)
    if (ids.length === 0) required('CacheNodeIdsToReboot', '')
    const unknown = ids.find((id) => !record.nodes.some((node) => node.id === id))
    if (unknown !== undefined) {
      throw invalidValue(`Cache cluster ${record.id} has no cache node ${unknown.slice(0, 20)}.`)
    }
    const rebooting: CacheClusterRecord = {
      ...record,
      status: 'rebooting cluster nodes',
      nodes: record.nodes.map((node) =>
        ids.includes(node.id)
          ? { ...node, status: 'rebooting', restarts: node.restarts + 1, rebootFrom: node.startedAt }
          : node,
      ),
    }
    await tx.put('cache-cluster', record.id, rebooting)
    return { CacheCluster: cacheClusterView(rebooting, false) }
  })
}
