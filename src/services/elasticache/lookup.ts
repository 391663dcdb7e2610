//! Finds stored resources by the name that a request gives, or throws the service's not-found error.
import { elasticacheArn } from '../../domain/arn.ts'
import { normalName, required, shown } from '../../domain/cache-names.ts'
import type {
  CacheClusterRecord,
  CacheParameterGroupRecord,
  CacheSubnetGroupRecord,
  ReplicationGroupRecord,
} from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination } from '../../domain/elasticache-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { CLUSTER_ENABLED, CLUSTER_ON, defaultGroupName, FAMILIES } from '../../domain/parameters/families.ts'
import type { Family } from '../../domain/parameters/parameter.ts'
import type { Reader, Stored } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'

type Owner = Pick<ServiceContext, 'region' | 'accountId'>

/** @throws CacheClusterNotFound, MissingParameter */
export async function findCluster(reader: Reader, id: string | undefined): Promise<Stored<CacheClusterRecord>> {
  const found = await reader.get('cache-cluster', normalName(required('CacheClusterId', id)))
  if (found !== undefined) return found
  throw elasticacheFault('CacheClusterNotFound', `CacheCluster not found: ${shown(id)}.`)
}

/** @throws ReplicationGroupNotFoundFault, MissingParameter */
export async function findReplicationGroup(
  reader: Reader,
  id: string | undefined,
): Promise<Stored<ReplicationGroupRecord>> {
  const found = await reader.get('replication-group', normalName(required('ReplicationGroupId', id)))
  if (found !== undefined) return found
  throw elasticacheFault('ReplicationGroupNotFoundFault', `ReplicationGroup ${shown(id)} not found.`)
}

/** The groups that exist for a family without being created: one, and where it has cluster mode one for that. */
export function defaultParameterGroups(family: Family, owner: Owner): CacheParameterGroupRecord[] {
  const group = (name: string, what: string, values: Readonly<Record<string, string>>) => ({
    name,
    arn: elasticacheArn(owner.region, owner.accountId, 'parametergroup', name),
    family: family.name,
    description: `${what} parameter group for ${family.name}`,
    values,
  })
  const name = defaultGroupName(family.name)
  if (!family.clusterMode) return [group(name, 'Default', {})]
  return [group(name, 'Default', {}), group(`${name}${CLUSTER_ON}`, 'Customized default', { [CLUSTER_ENABLED]: 'yes' })]
}

/** @throws CacheParameterGroupNotFound, MissingParameter */
export async function findParameterGroup(
  reader: Reader,
  given: string | undefined,
  owner: Owner,
): Promise<CacheParameterGroupRecord> {
  const name = normalName(required('CacheParameterGroupName', given))
  if (name.startsWith('default.')) {
    const family = FAMILIES.get(name.slice('default.'.length).replace(/\.cluster\.on$/, ''))
    const found = family && defaultParameterGroups(family, owner).find((group) => group.name === name)
    if (found !== undefined) return found
  } else {
    const found = await reader.get('cache-parameter-group', name)
    if (found !== undefined) return found.doc
  }
  throw elasticacheFault('CacheParameterGroupNotFound', `CacheParameterGroup ${shown(given)} not found.`)
}

/**
 * The parameter group that a cluster of `family` is to have: the one named, or the family's default.
 * @throws InvalidParameterCombination when it is of another family; NotImplemented when it turns cluster mode on.
 */
export async function parameterGroupFor(
  reader: Reader,
  given: string | undefined,
  family: string,
  owner: Owner,
): Promise<CacheParameterGroupRecord> {
  const group = await findParameterGroup(reader, given ?? defaultGroupName(family), owner)
  if (group.family === family) {
    if (group.values[CLUSTER_ENABLED] !== 'yes') return group
    throw notImplemented(`Cluster mode (the parameter group ${group.name} has cluster-enabled=yes)`)
  }
  throw invalidCombination(
    `Expected a parameter group of family ${family} but found one of family ${group.family}: ${group.name}.`,
  )
}

/** The subnet group that exists without being created; AWS makes it from the default VPC (spec 11.1). */
export function defaultSubnetGroup(owner: Owner): CacheSubnetGroupRecord {
  return {
    name: 'default',
    arn: elasticacheArn(owner.region, owner.accountId, 'subnetgroup', 'default'),
    description: 'Default CacheSubnetGroup',
    subnetIds: ['subnet-0000000a', 'subnet-0000000b', 'subnet-0000000c'],
  }
}

/** @throws CacheSubnetGroupNotFoundFault, MissingParameter */
export async function findSubnetGroup(
  reader: Reader,
  given: string | undefined,
  owner: Owner,
): Promise<CacheSubnetGroupRecord> {
  const name = normalName(required('CacheSubnetGroupName', given))
  if (name === 'default') return defaultSubnetGroup(owner)
  const found = await reader.get('cache-subnet-group', name)
  if (found !== undefined) return found.doc
  throw elasticacheFault('CacheSubnetGroupNotFoundFault', `CacheSubnetGroup ${shown(given)} not found.`)
}
