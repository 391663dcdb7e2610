//! PURE: from which networks clients may reach a cache. There is no EC2 API here: security groups and subnets are what the
//! operator defines (`--security-group`, `--subnet`), each with the networks that it stands for; the host's packet filter
//! holds clients to them (spec/elasticache.md 11.1).
import type { CacheClusterRecord, CacheSubnetGroupRecord } from './cluster.ts'
import { elasticacheFault, invalidValue } from './elasticache-faults.ts'

/** CIDRs (IPv4) by id: `sg-web` -> `10.1.0.0/16`. */
export type NamedNetworks = ReadonlyMap<string, readonly string[]>

export interface SourceNetworks {
  readonly securityGroups: NamedNetworks
  readonly subnets: NamedNetworks
}

export const NO_NETWORKS: SourceNetworks = { securityGroups: new Map(), subnets: new Map() }

/** Security groups of one cluster (AWS: 5 by default, at most 16 of a network interface). */
const SECURITY_GROUPS_MAX = 16

/** @throws InvalidParameterValue for a group that the operator has not defined */
export function knownSecurityGroups(given: readonly string[], { securityGroups }: SourceNetworks): string[] {
  const ids = [...new Set(given)]
  if (ids.length > SECURITY_GROUPS_MAX) {
    throw invalidValue(`SecurityGroupIds has at most ${SECURITY_GROUPS_MAX} security groups, not ${ids.length}.`)
  }
  const unknown = ids.find((id) => !securityGroups.has(id))
  if (unknown === undefined) return ids
  const known = [...securityGroups.keys()].join(', ') || 'there are none'
  throw invalidValue(
    `The security group ${unknown.slice(0, 60)} does not exist (defined: ${known}). Start Cachefront with ` +
      `--security-group ${unknown.slice(0, 60)}=10.0.0.0/8 to say which networks it stands for.`,
  )
}

/**
 * The networks of a group's subnets, to be stored with it; empty where the operator defines no subnets: then they are
 * labels that stand for availability zones only.
 * @throws InvalidSubnet for a subnet that the operator has not defined, once some are
 */
export function networksOfSubnets(
  ids: readonly string[],
  { subnets }: SourceNetworks,
): Readonly<Record<string, readonly string[]>> {
  if (subnets.size === 0) return {}
  return Object.fromEntries(
    ids.map((id) => {
      const networks = subnets.get(id)
      if (networks !== undefined) return [id, networks]
      throw elasticacheFault(
        'InvalidSubnet',
        `The subnet ${id} does not exist; defined by --subnet: ${[...subnets.keys()].join(', ')}.`,
      )
    }),
  )
}

/**
 * What clients of the cluster must come from: one of each list. A security group that is no longer defined admits nobody.
 */
export function sourcesOf(
  cluster: Pick<CacheClusterRecord, 'securityGroupIds'>,
  subnetGroup: CacheSubnetGroupRecord | undefined,
  { securityGroups }: SourceNetworks,
): readonly (readonly string[])[] {
  const ids = cluster.securityGroupIds ?? []
  const ofSubnets = Object.values(subnetGroup?.networks ?? {}).flat()
  return [
    ...(ids.length === 0 ? [] : [ids.flatMap((id) => securityGroups.get(id) ?? [])]),
    ...(ofSubnets.length === 0 ? [] : [ofSubnets]),
  ]
}

/** @throws InvalidVPCNetworkStateFault when clients are to be held to networks and this host cannot */
export function mustFilter(restricted: boolean, missing: string | null, what: string): void {
  if (!restricted || missing === null) return
  throw elasticacheFault(
    'InvalidVPCNetworkStateFault',
    `${what} cannot be enforced on this host, and is not accepted and ignored: ${missing}.`,
  )
}
