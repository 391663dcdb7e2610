//! How many members a new replication group has and in which zones: NumCacheClusters, ReplicasPerNodeGroup,
//! PreferredCacheClusterAZs, or NodeGroupConfiguration of its one node group (spec/elasticache.md 2.3).
import type { CreateReplicationGroupMessage, NodeGroupConfiguration } from '@aws-sdk/client-elasticache'
import { type CacheSubnetGroupRecord, GROUP_NODES_MAX } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { onlyFields } from './fields.ts'
import { spreadOver, subnetZones, zoneWithin } from './zones.ts'

const REPLICAS_MAX = GROUP_NODES_MAX - 1
const NODE_GROUP_ID = /^\d{1,4}$/

type Input = Pick<
  CreateReplicationGroupMessage,
  'NumCacheClusters' | 'ReplicasPerNodeGroup' | 'PreferredCacheClusterAZs' | 'NodeGroupConfiguration'
>

/**
 * The zones that a request names for each member, the primary first; null where the service is to choose.
 * @throws InvalidParameterValue, InvalidParameterCombination, NodeQuotaForClusterExceeded
 */
export function namedZones(input: Input): readonly (string | null)[] {
  const { NumCacheClusters: clusters, ReplicasPerNodeGroup: replicas, PreferredCacheClusterAZs: each } = input
  if (clusters !== undefined && replicas !== undefined) {
    throw invalidCombination('Give NumCacheClusters or ReplicasPerNodeGroup, not both.')
  }
  if (replicas !== undefined) replicaCount('ReplicasPerNodeGroup', replicas)
  const [configured, ...more] = input.NodeGroupConfiguration ?? []
  if (more.length > 0) {
    throw invalidCombination('NodeGroupConfiguration has more than one node group, which needs cluster mode.')
  }
  const stated = clusters ?? (replicas === undefined ? undefined : replicas + 1)
  if (configured !== undefined) return configuredZones(configured, stated, each)
  const count = stated ?? 1
  if (!Number.isInteger(count) || count < 1) throw invalidValue(`NumCacheClusters is 1 to ${GROUP_NODES_MAX}.`)
  if (count > GROUP_NODES_MAX) {
    throw elasticacheFault(
      'NodeQuotaForClusterExceeded',
      `A replication group without cluster mode has at most ${GROUP_NODES_MAX} cache clusters, not ${count}.`,
    )
  }
  if (each === undefined || each.length === 0) return Array.from({ length: count }, () => null)
  if (each.length === count) return each
  throw invalidCombination(`PreferredCacheClusterAZs names ${each.length} zones for ${count} cache clusters.`)
}

/** @throws InvalidParameterValue */
export function replicaCount(field: string, count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= REPLICAS_MAX) return count
  throw invalidValue(`${field} is 0 to ${REPLICAS_MAX}, not ${count}.`)
}

function configuredZones(
  configured: NodeGroupConfiguration,
  stated: number | undefined,
  each: readonly string[] | undefined,
): readonly (string | null)[] {
  onlyFields('CreateReplicationGroup (NodeGroupConfiguration)', configured, [
    'NodeGroupId',
    'ReplicaCount',
    'PrimaryAvailabilityZone',
    'ReplicaAvailabilityZones',
  ])
  if (each !== undefined && each.length > 0) {
    throw invalidCombination('Give PreferredCacheClusterAZs or NodeGroupConfiguration, not both.')
  }
  const id = configured.NodeGroupId
  if (id !== undefined && !(NODE_GROUP_ID.test(id) && Number(id) === 1)) {
    throw invalidValue(`NodeGroupId of the one node group is 0001, not ${id.slice(0, 20)}.`)
  }
  const zones = configured.ReplicaAvailabilityZones ?? []
  const fallback = zones.length > 0 ? zones.length : (stated ?? 1) - 1
  const count = replicaCount('ReplicaCount', configured.ReplicaCount ?? fallback)
  if (stated !== undefined && stated !== count + 1) {
    throw invalidCombination(`NodeGroupConfiguration has ${count} replicas, the request asks for ${stated - 1}.`)
  }
  if (zones.length > 0 && zones.length !== count) {
    throw invalidCombination(`ReplicaAvailabilityZones names ${zones.length} zones for ${count} replicas.`)
  }
  const replicas = Array.from({ length: count }, (_, at) => zones[at] ?? null)
  return [configured.PrimaryAvailabilityZone ?? null, ...replicas]
}

/** Zones of all members: those that were named, and for the rest those with the fewest. */
export function placed(
  region: string,
  group: CacheSubnetGroupRecord,
  named: readonly (string | null)[],
): readonly string[] {
  const given = named.map((name) => (name === null ? null : zoneWithin(region, group, name)))
  const taken = given.filter((name) => name !== null)
  const free = spreadOver(subnetZones(region, group), taken, given.length - taken.length)
  return given.map((name) => name ?? (free.shift() as string))
}
