//! DescribeCacheParameters and DescribeEngineDefaultParameters (spec/elasticache.md 5.2).
import type {
  CacheNodeTypeSpecificParameter,
  CacheParameterGroupDetails,
  DescribeCacheParametersMessage,
  DescribeEngineDefaultParametersMessage,
  DescribeEngineDefaultParametersResult,
  Parameter as SdkParameter,
} from '@aws-sdk/client-elasticache'
import type { CacheParameterGroupRecord } from '../../domain/cluster.ts'
import { invalidValue } from '../../domain/elasticache-faults.ts'
import { NODE_TYPES } from '../../domain/node-types.ts'
import { nodeValue, type Overrides } from '../../domain/parameters/directives.ts'
import { type Family, isModifiable, type Parameter } from '../../domain/parameters/parameter.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { findParameterGroup } from './lookup.ts'
import { type PageInput, page } from './paging.ts'
import { familyNamed } from './parameter-groups.ts'

type Source = 'user' | 'system' | 'engine-default'
const SOURCES: readonly string[] = ['user', 'system', 'engine-default'] satisfies Source[]

export const describeCacheParameters: Operation<DescribeCacheParametersMessage, CacheParameterGroupDetails> = async (
  input,
  context,
) => {
  const group = await findParameterGroup(context.state, input.CacheParameterGroupName, context)
  const { Source: source } = input
  if (source !== undefined && !SOURCES.includes(source)) throw invalidValue(`Source is one of ${SOURCES.join(', ')}.`)
  return details(familyNamed(group.family), group, source, input, context)
}

export const describeEngineDefaultParameters: Operation<
  DescribeEngineDefaultParametersMessage,
  DescribeEngineDefaultParametersResult
> = async (input, context) => {
  const family = familyNamed(input.CacheParameterGroupFamily)
  const defaults = details(family, { name: '', values: {} }, undefined, input, context)
  return { EngineDefaults: { CacheParameterGroupFamily: family.name, ...defaults } }
}

function details(
  family: Family,
  group: Pick<CacheParameterGroupRecord, 'name' | 'values'>,
  source: string | undefined,
  input: PageInput,
  { host }: ServiceContext,
): CacheParameterGroupDetails {
  const rows = family.parameters.map((p) => ({
    ...p,
    modifiable: isModifiable(p, family.engine, host.binaries()),
  }))
  // What a default group has of its own is the service's, not a user's.
  const own = group.name.startsWith('default.') ? {} : group.values
  const wanted = rows.filter((p) => source === undefined || sourceOf(p, own) === source)
  const { items, Marker } = page(wanted, ({ name }) => name, input)
  return {
    Parameters: items
      .filter((p) => !p.nodeSpecific)
      .map((p) => ({ ...single(p, group.values), Source: sourceOf(p, own) })),
    CacheNodeTypeSpecificParameters: items.filter((p) => p.nodeSpecific).map(perNodeType),
    Marker,
  }
}

/** `user`: overridden; `system`: fixed by the service; `engine-default`: could be changed and is not. */
function sourceOf(parameter: Parameter, overrides: Overrides): Source {
  if (Object.hasOwn(overrides, parameter.name)) return 'user'
  return parameter.modifiable ? 'engine-default' : 'system'
}

function single(parameter: Parameter, overrides: Overrides): Omit<SdkParameter, 'Source'> {
  const value = overrides[parameter.name] ?? parameter.value ?? ''
  return {
    ParameterName: parameter.name,
    // AWS leaves an empty value out.
    ...(value === '' ? {} : { ParameterValue: value }),
    Description: parameter.description,
    DataType: parameter.type,
    AllowedValues: parameter.allowed,
    IsModifiable: parameter.modifiable,
    MinimumEngineVersion: parameter.since,
    ChangeType: parameter.changeType,
  }
}

const perNodeType = (parameter: Parameter): CacheNodeTypeSpecificParameter => ({
  ParameterName: parameter.name,
  Description: parameter.description,
  Source: 'system',
  DataType: parameter.type,
  AllowedValues: parameter.allowed,
  IsModifiable: parameter.modifiable,
  MinimumEngineVersion: parameter.since,
  ChangeType: parameter.changeType,
  CacheNodeTypeSpecificValues: [...NODE_TYPES.values()].map((node) => ({
    CacheNodeType: node.name,
    Value: nodeValue(parameter.name, node),
  })),
})
