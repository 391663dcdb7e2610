//! Cache subnet groups (spec/elasticache.md 11.1). There is no VPC: subnets are names that a group holds; nodes get their
//! addresses from the installation's node network.
import type {
  CacheSubnetGroupMessage,
  CreateCacheSubnetGroupMessage,
  CreateCacheSubnetGroupResult,
  DeleteCacheSubnetGroupMessage,
  DescribeCacheSubnetGroupsMessage,
  ModifyCacheSubnetGroupMessage,
  ModifyCacheSubnetGroupResult,
} from '@aws-sdk/client-elasticache'
import { elasticacheArn } from '../../domain/arn.ts'
import { newName, required, shown } from '../../domain/cache-names.ts'
import { type CacheSubnetGroupRecord, GROUPS_MAX } from '../../domain/cluster.ts'
import { elasticacheFault, invalidValue } from '../../domain/elasticache-faults.ts'
import { NO_NETWORKS, networksOfSubnets } from '../../domain/source-networks.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { onlyFields } from './fields.ts'
import { defaultSubnetGroup, findSubnetGroup } from './lookup.ts'
import { page } from './paging.ts'
import { checkSubnets } from './security-groups.ts'
import { putTags, tagsOf } from './tags.ts'
import { subnetGroupView } from './views.ts'

/** Subnets of one group (spec 1.9). */
const SUBNETS_MAX = 20
const SUBNET_ID = /^subnet-[0-9a-z]{1,32}$/

function subnetIds(given: readonly string[] | undefined): string[] {
  const ids = [...new Set(required('SubnetIds', given))]
  if (ids.length === 0) required('SubnetIds', '')
  if (ids.length > SUBNETS_MAX) {
    throw elasticacheFault('CacheSubnetQuotaExceededFault', `A subnet group has at most ${SUBNETS_MAX} subnets.`)
  }
  const bad = ids.find((id) => !SUBNET_ID.test(id))
  if (bad === undefined) return ids
  throw elasticacheFault('InvalidSubnet', `${shown(bad)} is not a subnet id; it looks like subnet-0a1b2c3d.`)
}

/** The subnets, with the networks that they stand for where the operator defines any. */
function subnetsOf(
  given: readonly string[] | undefined,
  context: ServiceContext,
): Pick<CacheSubnetGroupRecord, 'subnetIds' | 'networks'> {
  const ids = subnetIds(given)
  const networks = networksOfSubnets(ids, context.sourceNetworks ?? NO_NETWORKS)
  return Object.keys(networks).length === 0 ? { subnetIds: ids } : { subnetIds: ids, networks }
}

export const createCacheSubnetGroup: Operation<CreateCacheSubnetGroupMessage, CreateCacheSubnetGroupResult> = (
  input,
  context,
) => {
  onlyFields('CreateCacheSubnetGroup', input, [
    'CacheSubnetGroupName',
    'CacheSubnetGroupDescription',
    'SubnetIds',
    'Tags',
  ])
  const name = newName('subnetGroup', input.CacheSubnetGroupName)
  const record: CacheSubnetGroupRecord = {
    name,
    arn: elasticacheArn(context.region, context.accountId, 'subnetgroup', name),
    description: required('CacheSubnetGroupDescription', input.CacheSubnetGroupDescription),
    ...subnetsOf(input.SubnetIds, context),
  }
  return context.state.transact(async (tx) => {
    if (name === 'default' || (await tx.get('cache-subnet-group', name)) !== undefined) {
      throw elasticacheFault('CacheSubnetGroupAlreadyExists', `The subnet group ${name} exists already.`)
    }
    if ((await tx.list('cache-subnet-group')).length >= GROUPS_MAX) {
      throw elasticacheFault('CacheSubnetGroupQuotaExceeded', `There are ${GROUPS_MAX} subnet groups already.`)
    }
    await tx.put('cache-subnet-group', name, record)
    await putTags(tx, record.arn, tagsOf(input.Tags))
    return { CacheSubnetGroup: subnetGroupView(record, context.region) }
  })
}

export const describeCacheSubnetGroups: Operation<DescribeCacheSubnetGroupsMessage, CacheSubnetGroupMessage> = async (
  input,
  context,
) => {
  if (input.CacheSubnetGroupName) {
    const found = await findSubnetGroup(context.state, input.CacheSubnetGroupName, context)
    return { CacheSubnetGroups: [subnetGroupView(found, context.region)] }
  }
  const stored = (await context.state.list('cache-subnet-group')).map(({ doc }) => doc)
  const all = [defaultSubnetGroup(context), ...stored].sort((a, b) => (a.name < b.name ? -1 : 1))
  const { items, Marker } = page(all, ({ name }) => name, input)
  return { CacheSubnetGroups: items.map((group) => subnetGroupView(group, context.region)), Marker }
}

async function usersOf(reader: Reader, name: string): Promise<string[]> {
  const clusters = await reader.list('cache-cluster')
  return clusters.filter(({ doc }) => doc.subnetGroupName === name).map(({ id }) => id)
}

export const modifyCacheSubnetGroup: Operation<ModifyCacheSubnetGroupMessage, ModifyCacheSubnetGroupResult> = (
  input,
  context,
) => {
  onlyFields('ModifyCacheSubnetGroup', input, ['CacheSubnetGroupName', 'CacheSubnetGroupDescription', 'SubnetIds'])
  return context.state.transact(async (tx) => {
    const before = await findSubnetGroup(tx, input.CacheSubnetGroupName, context)
    if (before.name === 'default') throw invalidValue('The default subnet group cannot be modified.')
    const subnets = input.SubnetIds?.length ? subnetsOf(input.SubnetIds, context) : before
    const removed = before.subnetIds.filter((id) => !subnets.subnetIds.includes(id))
    const users = removed.length > 0 ? await usersOf(tx, before.name) : []
    if (users.length > 0) {
      throw elasticacheFault('SubnetInUse', `${removed.join(', ')} cannot be removed while ${users[0]} uses the group.`)
    }
    const description = input.CacheSubnetGroupDescription || before.description
    const { networks: _, ...rest } = before
    const { subnetIds: ids, networks } = subnets
    const record: CacheSubnetGroupRecord = { ...rest, description, subnetIds: ids, ...(networks && { networks }) }
    if ((await usersOf(tx, record.name)).length > 0) checkSubnets(record, context)
    await tx.put('cache-subnet-group', record.name, record)
    return { CacheSubnetGroup: subnetGroupView(record, context.region) }
  })
}

export const deleteCacheSubnetGroup: Operation<DeleteCacheSubnetGroupMessage, object> = (input, context) =>
  context.state.transact(async (tx) => {
    const group = await findSubnetGroup(tx, input.CacheSubnetGroupName, context)
    if (group.name === 'default') throw invalidValue('The default subnet group cannot be deleted.')
    const [user] = await usersOf(tx, group.name)
    if (user !== undefined) {
      throw elasticacheFault('CacheSubnetGroupInUse', `The subnet group ${group.name} is in use by ${user}.`)
    }
    await tx.delete('cache-subnet-group', group.name)
    await putTags(tx, group.arn, {})
    return {}
  })
