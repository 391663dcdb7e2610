//! ListAllowedNodeTypeModifications: the node types that hold the data of a cluster or group as it is now
//! (spec/elasticache.md 2.6).
import type {
  AllowedNodeTypeModificationsMessage,
  ListAllowedNodeTypeModificationsMessage,
} from '@aws-sdk/client-elasticache'
import { invalidCombination } from '../../domain/elasticache-faults.ts'
import type { Operation } from '../service.ts'
import { allowedTypes, dataSize } from './data-size.ts'
import { findCluster, findReplicationGroup } from './lookup.ts'
import { mustBeAvailable, mustBeAvailableCluster } from './must-be-available.ts'
import { membersOf } from './replicas.ts'

export const listAllowedNodeTypeModifications: Operation<
  ListAllowedNodeTypeModificationsMessage,
  AllowedNodeTypeModificationsMessage
> = async (input, context) => {
  const { state } = context
  if (Boolean(input.CacheClusterId) === Boolean(input.ReplicationGroupId)) {
    throw invalidCombination('Give CacheClusterId or ReplicationGroupId: one of the two.')
  }
  const records = input.ReplicationGroupId
    ? await membersOfAvailable(input.ReplicationGroupId)
    : [(await findCluster(state, input.CacheClusterId)).doc]
  const [record] = records
  if (record === undefined) return { ScaleUpModifications: [], ScaleDownModifications: [] }
  if (!input.ReplicationGroupId) mustBeAvailableCluster(record)
  const { up, down } = await allowedTypes(state, record, await dataSize(records, context))
  return { ScaleUpModifications: [...up], ScaleDownModifications: [...down] }

  async function membersOfAvailable(id: string) {
    const { doc } = await findReplicationGroup(state, id)
    mustBeAvailable(doc)
    return membersOf(state, doc)
  }
}
