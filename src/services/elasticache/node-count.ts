//! NumCacheNodes, CacheNodeIdsToRemove, NewAvailabilityZones and AZMode of ModifyCacheCluster (spec/elasticache.md 2.5).
import type { ModifyCacheClusterMessage } from '@aws-sdk/client-elasticache'
import type { CacheClusterRecord } from '../../domain/cluster.ts'
import { nodesBegun, nodesWaiting, pendingAfter, zoneMode } from '../../domain/memcached-nodes.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { checkRoom } from './capacity.ts'
import { SPREAD_ZONES, spreadZone, zone } from './zones.ts'

/**
 * The record after the request: nodes on their way with ApplyImmediately, those that waited included, else waiting for the
 * maintenance window. Room for nodes to be made is looked for when they are asked for.
 * @throws InvalidParameterValue, InvalidParameterCombination, MissingParameter, the quotas
 */
export async function withNodeCount(
  reader: Reader,
  record: CacheClusterRecord,
  input: ModifyCacheClusterMessage,
  context: ServiceContext,
): Promise<CacheClusterRecord> {
  const count = input.NumCacheNodes ?? null
  const moded = { ...record, availabilityZoneMode: zoneMode(record, input.AZMode, count) }
  const asked = {
    count,
    remove: input.CacheNodeIdsToRemove ?? [],
    zones: (input.NewAvailabilityZones ?? []).map((name) => zone(context.region, name)),
  }
  const spread = Array.from({ length: SPREAD_ZONES }, (_, at) => spreadZone(context.region, at))
  const waiting = pendingAfter(moded, asked, spread)
  const more = waiting.add.length - (record.pendingNodes?.add.length ?? 0)
  if (more > 0) await checkRoom(reader, context, record, waiting.add.length)
  const after = nodesWaiting(moded, waiting)
  return input.ApplyImmediately === true ? nodesBegun(after, context.clock.now()) : after
}
