//! Cache parameter groups (spec/elasticache.md 5.2): overrides of a family's table. The reconciler puts what they hold
//! into the engines.
import type {
  CacheParameterGroup,
  CacheParameterGroupNameMessage,
  CacheParameterGroupsMessage,
  CreateCacheParameterGroupMessage,
  CreateCacheParameterGroupResult,
  DeleteCacheParameterGroupMessage,
  DescribeCacheParameterGroupsMessage,
  ModifyCacheParameterGroupMessage,
  ParameterNameValue,
  ResetCacheParameterGroupMessage,
} from '@aws-sdk/client-elasticache'
import { elasticacheArn } from '../../domain/arn.ts'
import { newName, normalName, required, shown } from '../../domain/cache-names.ts'
import { type CacheParameterGroupRecord, GROUPS_MAX } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { CLUSTER_ENABLED, FAMILIES } from '../../domain/parameters/families.ts'
import { allows, isModifiable, type Parameter } from '../../domain/parameters/parameter.ts'
import { blockedCommands, RENAME_COMMANDS } from '../../domain/parameters/rename-commands.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkStarts } from './capacity.ts'
import { recordEvents } from './event-log.ts'
import { onlyFields } from './fields.ts'
import { defaultParameterGroups, findParameterGroup } from './lookup.ts'
import { page } from './paging.ts'
import { putTags, tagsOf } from './tags.ts'

/** Parameters of one ModifyCacheParameterGroup. */
const PAIRS_MAX = 20

const view = (record: CacheParameterGroupRecord): CacheParameterGroup => ({
  CacheParameterGroupName: record.name,
  CacheParameterGroupFamily: record.family,
  Description: record.description,
  IsGlobal: false,
  ARN: record.arn,
})

/** @throws InvalidParameterValue for a family that there is not. */
export function familyNamed(given: string | undefined) {
  const family = FAMILIES.get(normalName(required('CacheParameterGroupFamily', given)))
  if (family !== undefined) return family
  throw invalidValue(
    `CacheParameterGroupFamily ${shown(given)} is not valid; it is one of ${[...FAMILIES.keys()].join(', ')}.`,
  )
}

export const createCacheParameterGroup: Operation<CreateCacheParameterGroupMessage, CreateCacheParameterGroupResult> = (
  input,
  context,
) => {
  const given = input.CacheParameterGroupName
  if (given?.trim().toLowerCase().startsWith('default.')) {
    throw invalidValue('The names that begin with default. belong to the service.')
  }
  const name = newName('parameterGroup', given)
  const record: CacheParameterGroupRecord = {
    name,
    arn: elasticacheArn(context.region, context.accountId, 'parametergroup', name),
    family: familyNamed(input.CacheParameterGroupFamily).name,
    description: required('Description', input.Description),
    values: {},
  }
  return context.state.transact(async (tx) => {
    if ((await tx.get('cache-parameter-group', name)) !== undefined) {
      throw elasticacheFault('CacheParameterGroupAlreadyExists', `The parameter group ${name} exists already.`)
    }
    if ((await tx.list('cache-parameter-group')).length >= GROUPS_MAX) {
      throw elasticacheFault('CacheParameterGroupQuotaExceeded', `There are ${GROUPS_MAX} parameter groups already.`)
    }
    await tx.put('cache-parameter-group', name, record)
    await putTags(tx, record.arn, tagsOf(input.Tags))
    return { CacheParameterGroup: view(record) }
  })
}

export const describeCacheParameterGroups: Operation<
  DescribeCacheParameterGroupsMessage,
  CacheParameterGroupsMessage
> = async (input, context) => {
  if (input.CacheParameterGroupName) {
    return {
      CacheParameterGroups: [view(await findParameterGroup(context.state, input.CacheParameterGroupName, context))],
    }
  }
  const stored = (await context.state.list('cache-parameter-group')).map(({ doc }) => doc)
  const defaults = [...FAMILIES.values()].flatMap((family) => defaultParameterGroups(family, context))
  const all = [...defaults, ...stored].sort((a, b) => (a.name < b.name ? -1 : 1))
  const { items, Marker } = page(all, ({ name }) => name, input)
  return { CacheParameterGroups: items.map(view), Marker }
}

/** @throws InvalidCacheParameterGroupState for a default group, which cannot be changed. */
async function changeable(
  tx: Transaction,
  name: string | undefined,
  context: ServiceContext,
): Promise<CacheParameterGroupRecord> {
  const group = await findParameterGroup(tx, name, context)
  if (!group.name.startsWith('default.')) return group
  throw elasticacheFault(
    'InvalidCacheParameterGroupState',
    `The default parameter group ${group.name} cannot be changed; create one of your own from ${group.family}.`,
  )
}

/** Parameters that may be changed while no cluster has the group, and no longer (spec 5.2, 5.3). */
const ONLY_UNATTACHED: readonly string[] = [CLUSTER_ENABLED, 'activerehashing']

/**
 * The parameter of that name that may be changed.
 * @throws InvalidParameterValue when unknown or fixed; NotImplemented when the feature behind it is not built.
 */
function changeableParameter(familyName: string, given: string | undefined, context: ServiceContext): Parameter {
  const name = required('ParameterName', given)
  const family = familyNamed(familyName)
  const parameter = family.parameters.find((p) => p.name === name)
  if (parameter === undefined) throw invalidValue(`The family ${familyName} has no parameter ${shown(name)}.`)
  if (parameter.needs !== null) throw notImplemented(`Changing the parameter ${name} (${parameter.needs})`)
  if (isModifiable(parameter, family.engine, context.host.binaries())) return parameter
  const why = parameter.feature === null ? '' : `: the engine of this host was not built with ${parameter.feature}`
  throw invalidValue(`The parameter ${name} cannot be modified${why}.`)
}

function checkedValue(
  family: string,
  pair: ParameterNameValue,
  context: ServiceContext,
): readonly [name: string, value: string] {
  const parameter = changeableParameter(family, pair.ParameterName, context)
  const value = pair.ParameterValue ?? ''
  if (parameter.name === RENAME_COMMANDS) {
    blockedCommands(value)
    return [parameter.name, value]
  }
  if (allows(parameter, value)) return [parameter.name, value]
  throw invalidValue(
    `The value ${shown(value)} of the parameter ${parameter.name} is not allowed: ${parameter.type} ${parameter.allowed}.`,
  )
}

/** @throws InvalidCacheParameterGroupState for what only a group without clusters may change. */
async function checkUnattached(tx: Transaction, group: string, names: readonly string[]): Promise<void> {
  const fixed = names.find((name) => ONLY_UNATTACHED.includes(name))
  const user = fixed === undefined ? undefined : await userOf(tx, group)
  if (user === undefined) return
  throw elasticacheFault(
    'InvalidCacheParameterGroupState',
    `The parameter ${fixed} of ${group} cannot be changed while ${user} uses the group.`,
  )
}

async function userOf(tx: Transaction, group: string): Promise<string | undefined> {
  return (await tx.list('cache-cluster')).find(({ doc }) => doc.parameterGroupName === group)?.id
}

export const modifyCacheParameterGroup: Operation<ModifyCacheParameterGroupMessage, CacheParameterGroupNameMessage> = (
  input,
  context,
) => {
  onlyFields('ModifyCacheParameterGroup', input, ['CacheParameterGroupName', 'ParameterNameValues'])
  return context.state.transact(async (tx) => {
    const group = await changeable(tx, input.CacheParameterGroupName, context)
    const pairs = required('ParameterNameValues', input.ParameterNameValues)
    if (pairs.length < 1 || pairs.length > PAIRS_MAX) {
      throw invalidValue(`ParameterNameValues has 1 to ${PAIRS_MAX} parameters, not ${pairs.length}.`)
    }
    const changes = pairs.map((pair) => checkedValue(group.family, pair, context))
    const names = changes.map(([name]) => name)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined) throw invalidValue(`The parameter ${twice} is given more than once.`)
    await checkUnattached(tx, group.name, names)
    await change(tx, { ...group, values: { ...group.values, ...Object.fromEntries(changes) } })
    const messages = changes.map(([name, value]) => `Updated parameter ${name} to ${value}`)
    await recordEvents(tx, context.clock.now(), groupEvents(group.name, messages))
    return { CacheParameterGroupName: group.name }
  })
}

/**
 * Attached clusters are `applying` from the very answer on; the reconciler tells when the engines have the values.
 * @throws InvalidParameterCombination when a cluster that has the group would not start with it
 */
async function change(tx: Transaction, group: CacheParameterGroupRecord): Promise<void> {
  await tx.put('cache-parameter-group', group.name, group)
  for (const { id, doc } of await tx.list('cache-cluster')) {
    if (doc.parameterGroupName !== group.name) continue
    checkStarts(doc, group.values)
    const nodes = doc.nodes.map((node) => ({ ...node, parameterStatus: 'applying' as const }))
    await tx.put('cache-cluster', id, { ...doc, nodes })
  }
}

const groupEvents = (name: string, messages: readonly string[]) =>
  messages.map((message) => ({ source: 'cache-parameter-group' as const, sourceId: name, message }))

export const resetCacheParameterGroup: Operation<ResetCacheParameterGroupMessage, CacheParameterGroupNameMessage> = (
  input,
  context,
) => {
  const named = input.ParameterNameValues ?? []
  if (input.ResetAllParameters === true && named.length > 0) {
    throw invalidCombination('Give ResetAllParameters or ParameterNameValues, not both.')
  }
  if (input.ResetAllParameters !== true && named.length === 0) {
    throw invalidCombination('Give ResetAllParameters=true or the parameters to reset in ParameterNameValues.')
  }
  return context.state.transact(async (tx) => {
    const group = await changeable(tx, input.CacheParameterGroupName, context)
    const names = input.ResetAllParameters
      ? Object.keys(group.values)
      : named.map((pair) => changeableParameter(group.family, pair.ParameterName, context).name)
    await checkUnattached(tx, group.name, names)
    const left = Object.entries(group.values).filter(([name]) => !names.includes(name))
    await change(tx, { ...group, values: Object.fromEntries(left) })
    const messages = names.map((name) => `Reset parameter ${name} to its default`)
    await recordEvents(tx, context.clock.now(), groupEvents(group.name, messages))
    return { CacheParameterGroupName: group.name }
  })
}

export const deleteCacheParameterGroup: Operation<DeleteCacheParameterGroupMessage, object> = (input, context) =>
  context.state.transact(async (tx) => {
    const group = await changeable(tx, input.CacheParameterGroupName, context)
    const user = await userOf(tx, group.name)
    if (user !== undefined) {
      throw elasticacheFault(
        'InvalidCacheParameterGroupState',
        `The parameter group ${group.name} is in use by ${user}; give that another group first.`,
      )
    }
    await tx.delete('cache-parameter-group', group.name)
    await putTags(tx, group.arn, {})
    return {}
  })
