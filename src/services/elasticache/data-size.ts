//! How much data the nodes of a cluster or group have now, asked of their engines, and which node types hold it
//! (spec/elasticache.md 2.6, 7.5).
import type { CacheClusterRecord } from '../../domain/cluster.ts'
import { invalidValue } from '../../domain/elasticache-faults.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { NODE_TYPES, type NodeType } from '../../domain/node-types.ts'
import { dataBytes, type Overrides } from '../../domain/parameters/directives.ts'
import { FAMILIES } from '../../domain/parameters/families.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'

/** Bytes of the node that has most; null when an engine does not answer. */
export type DataSize = number | null

/** Asks every node; memcached loses its items with its memory, so that nothing has to fit. */
export async function dataSize(records: readonly CacheClusterRecord[], { host }: ServiceContext): Promise<DataSize> {
  const asked = records.flatMap((record) =>
    record.engine === 'memcached' ? [] : [host.usedMemory?.(record.replicationGroupId ?? record.id, record.id) ?? null],
  )
  const sizes = await Promise.all(asked)
  return sizes.reduce<DataSize>((most, size) => (most === null || size === null ? null : Math.max(most, size)), 0)
}

type Kind = Pick<CacheClusterRecord, 'id' | 'engine' | 'engineVersion' | 'nodeType' | 'parameterGroupName'>

/** Bytes that the data of one node may take. */
async function room(reader: Reader, kind: Kind): Promise<number> {
  const type = NODE_TYPES.get(kind.nodeType)
  const overrides = (await reader.get('cache-parameter-group', kind.parameterGroupName))?.doc.values ?? {}
  return type === undefined ? 0 : roomOn(type, kind, overrides)
}

function roomOn(type: NodeType, kind: Kind, overrides: Overrides): number {
  const family = FAMILIES.get(familyOf(kind.engine, kind.engineVersion))
  return family === undefined ? 0 : dataBytes(family, overrides, type)
}

/** @throws InvalidParameterValue when the data does not fit, or when a smaller type is asked for and it is not known. */
export async function checkFits(reader: Reader, before: Kind, after: Kind, size: DataSize): Promise<void> {
  const [present, wanted] = [await room(reader, before), await room(reader, after)]
  if (wanted >= present) return
  if (size === null) {
    throw invalidValue(
      `How much data ${before.id} has is not known now, for its engine does not answer: it is not made smaller. Try again.`,
    )
  }
  if (size <= wanted) return
  throw invalidValue(
    `The data of ${before.id} takes ${mib(size)} and does not fit ${after.nodeType}, which has room for ${mib(wanted)}; ` +
      'ListAllowedNodeTypeModifications names those that have.',
  )
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`

export interface AllowedTypes {
  readonly up: readonly string[]
  readonly down: readonly string[]
}

/** Types by what their nodes may hold: more than now, or less and still enough. Neither list has the present type. */
export async function allowedTypes(reader: Reader, record: Kind, size: DataSize): Promise<AllowedTypes> {
  const overrides = (await reader.get('cache-parameter-group', record.parameterGroupName))?.doc.values ?? {}
  const present = await room(reader, record)
  const types = [...NODE_TYPES.values()].filter((type) => type.retired === null && type.name !== record.nodeType)
  const rooms = types.map((type) => ({ name: type.name, room: roomOn(type, record, overrides) }))
  const names = (accepts: (bytes: number) => boolean): string[] =>
    rooms.flatMap(({ name, room }) => (accepts(room) ? [name] : [])).sort()
  return {
    up: names((bytes) => bytes >= present),
    down: size === null ? [] : names((bytes) => bytes < present && bytes >= size),
  }
}
