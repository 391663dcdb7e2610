//! Whether there is room for more nodes: the account's quota, what the node type runs, and the memory of the host.
import type { CacheClusterRecord } from '../../domain/cluster.ts'
import { invalidCombination } from '../../domain/elasticache-faults.ts'
import { familyOf } from '../../domain/engine-versions.ts'
import { checkNodeMemory } from '../../domain/node-memory.ts'
import { checkRuns, NODE_TYPES, nodeType } from '../../domain/node-types.ts'
import { dataBytes, type Overrides } from '../../domain/parameters/directives.ts'
import { FAMILIES } from '../../domain/parameters/families.ts'
import { memcachedProblem } from '../../domain/parameters/memcached-limits.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { checkNodeQuota } from './new-cluster.ts'

type Kind = Pick<CacheClusterRecord, 'engine' | 'engineVersion' | 'nodeType' | 'parameterGroupName'>

/**
 * Checks `count` more nodes like `kind`.
 * @throws InvalidParameterCombination when the node type does not run the version; NodeQuotaForCustomerExceeded;
 *   InsufficientCacheClusterCapacity with the numbers, when the host's memory is promised away.
 */
export async function checkRoom(reader: Reader, context: ServiceContext, kind: Kind, count: number): Promise<void> {
  checkRuns(nodeType(kind.nodeType), kind.engine, kind.engineVersion)
  await checkNodeQuota(reader, count)
  await checkMemory(reader, context, [], kind, count)
}

/**
 * Checks that the nodes of `records` may become like `kind`.
 * @throws InsufficientCacheClusterCapacity with the numbers, when the host's memory is promised away.
 */
export async function checkRoomForChange(
  reader: Reader,
  context: ServiceContext,
  records: readonly CacheClusterRecord[],
  kind: Kind,
): Promise<void> {
  const count = records.reduce((sum, record) => sum + record.nodes.length, 0)
  await checkMemory(reader, context, records, kind, count)
}

/** `count` nodes like `kind` beside all that there are but those of `instead`. */
async function checkMemory(
  reader: Reader,
  { nodeMemory }: ServiceContext,
  instead: readonly CacheClusterRecord[],
  kind: Kind,
  count: number,
): Promise<void> {
  if (nodeMemory === undefined) return
  const [clusters, groups] = await Promise.all([reader.list('cache-cluster'), reader.list('cache-parameter-group')])
  const values = new Map(groups.map(({ id, doc }) => [id, doc.values]))
  const bytesOf = (one: Kind): number => promisedBytes(one, values.get(one.parameterGroupName) ?? {})
  const staying = clusters.filter(({ id }) => !instead.some((record) => record.id === id))
  const promised = staying.reduce((sum, { doc }) => sum + doc.nodes.length * bytesOf(doc), 0)
  checkNodeMemory(promised, bytesOf(kind), count, nodeMemory)
}

/** @throws InvalidParameterCombination when no server would start with these values on that node type. */
export function checkStarts(kind: Omit<Kind, 'parameterGroupName'>, overrides: Overrides): void {
  const family = FAMILIES.get(familyOf(kind.engine, kind.engineVersion))
  const type = NODE_TYPES.get(kind.nodeType)
  if (kind.engine !== 'memcached' || family === undefined || type === undefined) return
  const problem = memcachedProblem(family, overrides, type)
  if (problem !== null) throw invalidCombination(`memcached would not start with this parameter group: ${problem}.`)
}

function promisedBytes(kind: Kind, overrides: Overrides): number {
  const family = FAMILIES.get(familyOf(kind.engine, kind.engineVersion))
  const type = NODE_TYPES.get(kind.nodeType)
  return family === undefined || type === undefined ? 0 : dataBytes(family, overrides, type)
}
