//! Security groups and subnets of a cluster: what a request names is known, and this host can hold clients to it.

import type { CacheClusterRecord, CacheSubnetGroupRecord } from '../../domain/cluster.ts'
import { knownSecurityGroups, mustFilter, NO_NETWORKS } from '../../domain/source-networks.ts'
import type { ServiceContext } from '../service.ts'

/** What a new or changed cluster is to have of them; nothing when the request names none. */
export function securityGroupsOf(
  given: readonly string[] | undefined,
  context: ServiceContext,
): Pick<CacheClusterRecord, 'securityGroupIds' | 'securityGroupsActive'> {
  if (given === undefined || given.length === 0) return {}
  const ids = knownSecurityGroups(given, context.sourceNetworks ?? NO_NETWORKS)
  mustFilter(true, missing(context), `The security group ${ids[0]}`)
  return { securityGroupIds: ids, securityGroupsActive: false }
}

/** @throws InvalidVPCNetworkStateFault when its subnets stand for networks and this host cannot filter */
export function checkSubnets(group: CacheSubnetGroupRecord, context: ServiceContext): void {
  const restricted = Object.keys(group.networks ?? {}).length > 0
  mustFilter(restricted, missing(context), `The networks of the subnet group ${group.name}`)
}

/** The record with other security groups, `modifying` until the packet filter has them. They do not wait for a window. */
export function withSecurityGroups(
  record: CacheClusterRecord,
  given: readonly string[] | undefined,
  context: ServiceContext,
): CacheClusterRecord {
  const groups = securityGroupsOf(given, context)
  if (groups.securityGroupIds === undefined) return record
  if (groups.securityGroupIds.join() === record.securityGroupIds?.join()) return record
  return { ...record, ...groups, status: 'modifying' }
}

const missing = ({ host }: ServiceContext): string | null =>
  host.sourceFilterMissing === undefined ? 'there is no keeper' : host.sourceFilterMissing()
