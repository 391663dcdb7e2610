//! What ModifyCacheCluster and ModifyReplicationGroup ask of Engine, EngineVersion and CacheNodeType (spec/elasticache.md
//! 2.4, 2.5, 7.5): never down, never to what the data does not fit, at once or in the maintenance window.
import type { CacheClusterRecord, PendingChange } from '../../domain/cluster.ts'
import { invalidCombination } from '../../domain/elasticache-faults.ts'
import { cacheEngine, chooseVersion, ENGINE_VERSIONS, familyOf, shownVersion } from '../../domain/engine-versions.ts'
import { checkScaled, type ScaleInput, scaleOf } from '../../domain/memcached-scaling.ts'
import { checkRuns, nodeType } from '../../domain/node-types.ts'
import { defaultGroupName } from '../../domain/parameters/families.ts'
import { type AskedChange, begun, withAsked, withPending } from '../../domain/pending-change.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { checkRoomForChange } from './capacity.ts'
import { checkFits, type DataSize } from './data-size.ts'
import { parameterGroupFor } from './lookup.ts'

export interface EngineChangeInput {
  readonly Engine?: string | undefined
  readonly EngineVersion?: string | undefined
  readonly CacheNodeType?: string | undefined
  readonly CacheParameterGroupName?: string | undefined
  readonly ApplyImmediately?: boolean | undefined
  readonly ScaleConfig?: ScaleInput | undefined
}

/**
 * The records (one cluster, or all members of a group) after the request. `size`: of the data that a new node type must
 * hold. With ApplyImmediately what was waiting begins too.
 * @throws InvalidParameterValue, InvalidParameterCombination, InsufficientCacheClusterCapacity
 */
export async function withEngineChange(
  reader: Reader,
  records: readonly CacheClusterRecord[],
  input: EngineChangeInput,
  size: DataSize,
  context: ServiceContext,
): Promise<CacheClusterRecord[]> {
  const [model] = records
  if (model === undefined) return []
  const asked = await askedOf(reader, model, input, context)
  if (asked.nodeType) await checkNodeType(reader, records, model, { ...asked, nodeType: asked.nodeType }, size, context)
  const now = input.ApplyImmediately === true
  if (now) checkOneAtATime(model, asked)
  return records.map((record) => {
    const pending = withAsked(record, asked)
    checkBatches(record, pending)
    const waiting = withPending(record, pending)
    return now ? begun(waiting, context.clock.now()) : waiting
  })
}

/** Whether the request brings a parameter group that belongs to the new version, not to the present one. */
export function bringsParameterGroup(records: readonly CacheClusterRecord[]): boolean {
  return records.some((record) => record.pending?.parameterGroupName !== undefined)
}

async function askedOf(
  reader: Reader,
  model: CacheClusterRecord,
  input: EngineChangeInput,
  context: ServiceContext,
): Promise<AskedChange> {
  const asked: { -readonly [K in keyof AskedChange]: AskedChange[K] } = {}
  checkScaled(model.engine, input.CacheNodeType, input.ScaleConfig)
  if (input.CacheNodeType !== undefined) {
    asked.nodeType = input.CacheNodeType === model.nodeType ? null : nodeType(input.CacheNodeType).name
    const scale = scaleOf(input.ScaleConfig)
    if (model.engine === 'memcached') asked.scale = asked.nodeType === null ? null : scale
  }
  const engine = input.Engine === undefined ? model.engine : cacheEngine(input.Engine)
  if (engine === model.engine && (input.EngineVersion === undefined || isPresent(model, input.EngineVersion))) {
    if (input.Engine !== undefined || input.EngineVersion !== undefined) {
      Object.assign(asked, { engine: null, engineVersion: null, parameterGroupName: null })
    }
    return asked
  }
  checkEngine(model, engine, input)
  const version = chooseVersion(engine, input.EngineVersion, context.host.binaries())
  checkNotDown(model, engine, version.version)
  checkRuns(nodeType(input.CacheNodeType ?? model.nodeType), engine, version.version)
  asked.engine = engine === model.engine || engine === 'memcached' ? null : engine
  asked.engineVersion = version.version
  asked.parameterGroupName = await groupOfFamily(reader, model, version.family, input, context)
  return asked
}

const isPresent = (model: CacheClusterRecord, version: string): boolean =>
  version === model.engineVersion || version === shownVersion(model.engine, model.engineVersion, model.binaryVersion)

/** From Redis OSS to Valkey is the one way between engines (spec 14); the other needs a version to go to. */
function checkEngine(model: CacheClusterRecord, engine: string, input: EngineChangeInput): void {
  if (engine === model.engine) return
  if (model.engine !== 'redis' || engine !== 'valkey') {
    throw invalidCombination(
      `${model.id} runs ${model.engine}, which cannot become ${engine}: the one change of engine is redis to valkey.`,
    )
  }
  if (!input.EngineVersion) throw invalidCombination('A change of Engine needs the EngineVersion to go to.')
}

function checkNotDown(model: CacheClusterRecord, engine: string, version: string): void {
  if (engine !== model.engine) return
  const place = (v: string): number => ENGINE_VERSIONS.findIndex((e) => e.engine === engine && e.version === v)
  if (place(version) > place(model.engineVersion)) return
  throw invalidCombination(
    `${model.id} runs ${engine} ${model.engineVersion}, which cannot go down to ${version}; make a new one and copy the data.`,
  )
}

/** Null: its parameter group is of the family. @throws InvalidParameterCombination when another one must be named */
async function groupOfFamily(
  reader: Reader,
  model: CacheClusterRecord,
  family: string,
  input: EngineChangeInput,
  context: ServiceContext,
): Promise<string | null> {
  if (family === familyOf(model.engine, model.engineVersion)) return null
  if (input.CacheParameterGroupName) {
    return (await parameterGroupFor(reader, input.CacheParameterGroupName, family, context)).name
  }
  if (model.parameterGroupName.startsWith('default.')) return defaultGroupName(family)
  throw invalidCombination(
    `The parameter group ${model.parameterGroupName} is not of the family ${family}: give CacheParameterGroupName.`,
  )
}

async function checkNodeType(
  reader: Reader,
  records: readonly CacheClusterRecord[],
  model: CacheClusterRecord,
  asked: AskedChange & { readonly nodeType: string },
  size: DataSize,
  context: ServiceContext,
): Promise<void> {
  const engine = asked.engine ?? model.engine
  const changed = {
    ...model,
    engine,
    engineVersion: asked.engineVersion ?? model.engineVersion,
    nodeType: asked.nodeType,
    parameterGroupName: asked.parameterGroupName ?? model.parameterGroupName,
  }
  checkRuns(nodeType(asked.nodeType), engine, changed.engineVersion)
  await checkFits(reader, model, changed, size)
  await checkRoomForChange(reader, context, records, changed)
}

/** Nodes of a batch get their new size, the others keep what they have: no version can come to all of them meanwhile. */
function checkBatches({ id }: CacheClusterRecord, pending: PendingChange | null): void {
  if (!pending?.scale || pending.engineVersion === undefined) return
  throw invalidCombination(
    `${id} cannot change its node type in batches and its version together: do one after the other.`,
  )
}

/** Spec 2.4: a pending scale-up must be applied or cancelled before an immediate upgrade, and vice versa. */
function checkOneAtATime(model: CacheClusterRecord, asked: AskedChange): void {
  const { pending } = model
  if (pending?.nodeType !== undefined && asked.engineVersion && asked.nodeType === undefined) {
    throw invalidCombination(
      `${model.id} waits for the node type ${pending.nodeType}: apply or cancel that before its version is changed at once.`,
    )
  }
  if (pending?.engineVersion !== undefined && asked.nodeType && asked.engineVersion === undefined) {
    throw invalidCombination(
      `${model.id} waits for ${pending.engineVersion}: apply or cancel that before its node type is changed at once.`,
    )
  }
}
