//! Where CreateCacheCluster and CreateReplicationGroup get the data of what they make: SnapshotName, or SnapshotArns with
//! one RDB file in a bucket (spec/elasticache.md 8). control/tasks/snapshots.ts lets the restore begin when the data is there.
import { required, shown } from '../../domain/cache-names.ts'
import type { CacheEngine, SnapshotSettings } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { ENGINE_VERSIONS } from '../../domain/engine-versions.ts'
import type { SnapshotRecord } from '../../domain/snapshot.ts'
import { uuid } from '../../lib/ids.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { findParameterGroup } from './lookup.ts'
import { snapshotArn } from './new-snapshot.ts'
import { STORE_PROBLEMS } from './snapshot-stores.ts'
import { findSnapshot, mustBeAvailableSnapshot } from './snapshots.ts'

export interface RestoreInput {
  readonly SnapshotName?: string | undefined
  readonly SnapshotArns?: readonly string[] | undefined
}

/** What a request restores from: a stored snapshot, or a file that is to become one. */
export type RestoreSource =
  | { readonly kind: 'snapshot'; readonly record: SnapshotRecord }
  | { readonly kind: 'file'; readonly bucket: string; readonly key: string }

/** The file of a request, looked for before its transaction. @throws InvalidParameterValue in AWS's words */
export async function checkRestoreFile(input: RestoreInput, { stores }: ServiceContext): Promise<void> {
  const arns = input.SnapshotArns
  if (arns === undefined || arns.length === 0 || input.SnapshotName) return
  const { bucket, key } = fileOf(arns)
  const problem = stores === undefined ? STORE_PROBLEMS.noBucket(bucket) : await stores.importProblem(bucket, key)
  if (problem !== null) throw invalidValue(problem)
}

/** Null when the request names neither. @throws as of its two fields */
export async function restoreSource(reader: Reader, input: RestoreInput): Promise<RestoreSource | null> {
  const arns = input.SnapshotArns ?? []
  if (input.SnapshotName && arns.length > 0) {
    throw invalidCombination('Give SnapshotName or SnapshotArns, not both.')
  }
  if (arns.length > 0) return { kind: 'file', ...fileOf(arns) }
  if (!input.SnapshotName) return null
  const { doc: record } = await findSnapshot(reader, input.SnapshotName)
  mustBeAvailableSnapshot(record)
  return { kind: 'snapshot', record }
}

/** Bucket and key of the one ARN. @throws InvalidParameterValue */
function fileOf(arns: readonly string[]): { readonly bucket: string; readonly key: string } {
  const [arn = ''] = arns
  if (arns.length !== 1)
    throw invalidValue(`SnapshotArns has exactly one ARN without cluster mode, not ${arns.length}.`)
  const [, bucket, key] = /^arn:aws[a-z-]*:s3:::([^/]+)\/(.+)$/.exec(arn) ?? []
  if (bucket === undefined || key === undefined) {
    throw invalidValue(`SnapshotArns ${shown(arn)} is not the ARN of an object: arn:aws:s3:::bucket/object.rdb.`)
  }
  if (key.includes(',')) throw invalidValue(`The object name in SnapshotArns ${shown(arn)} must not have a comma.`)
  return { bucket, key }
}

/** What a request leaves out follows the snapshot. A file says nothing about its cluster. */
export interface RestoreDefaults {
  readonly engine: string | undefined
  readonly nodeType: string | undefined
  readonly port: number | undefined
  /** The parameter group, when the family stays the same. */
  readonly parameterGroup: string | undefined
}

export function restoreDefaults(source: RestoreSource | null): RestoreDefaults {
  if (source === null || source.kind === 'file') {
    return { engine: undefined, nodeType: undefined, port: undefined, parameterGroup: undefined }
  }
  const { engine, of } = source.record
  return { engine, nodeType: of?.nodeType, port: of?.port, parameterGroup: of?.parameterGroupName }
}

/** The snapshot's parameter group where it is still there and of the family; undefined for the family's default. */
export async function keptParameterGroup(
  reader: Reader,
  { parameterGroup }: RestoreDefaults,
  family: string,
  context: ServiceContext,
): Promise<string | undefined> {
  if (parameterGroup === undefined) return undefined
  const group = await findParameterGroup(reader, parameterGroup, context).catch(() => undefined)
  return group?.family === family ? group.name : undefined
}

/**
 * Checks that the engine reads what the other one wrote, and holds the snapshot for the new resource `id`.
 * Returns what its record says; null for none.
 * @throws InvalidParameterCombination for memcached, InvalidParameterValue for an older engine than the snapshot's
 */
export async function beginRestore(
  tx: Transaction,
  source: RestoreSource | null,
  target: { readonly id: string; readonly engine: CacheEngine; readonly version: string },
  context: ServiceContext,
): Promise<Pick<SnapshotSettings, 'restoreFrom'>> {
  if (source === null) return {}
  const { engine } = target
  if (engine === 'memcached') throw invalidCombination('Memcached clusters have no snapshots to be made from.')
  if (source.kind === 'file') {
    const name = `import.${target.id}.${uuid()}`
    const record: SnapshotRecord = {
      ...importedSnapshot(name, engine, context),
      internal: true,
      origin: { kind: 'import', bucket: source.bucket, key: source.key },
    }
    await tx.put('snapshot', name, record)
    return { restoreFrom: { snapshot: name, data: record.data, state: 'waiting', problem: null } }
  }
  const { record } = source
  checkReadable(record, engine, target.version)
  await tx.put('snapshot', record.name, { ...record, status: 'restoring' })
  return { restoreFrom: { snapshot: record.name, data: record.data, state: 'waiting', problem: null } }
}

/** A record of a snapshot that no cluster of ours had; its origin is the caller's. */
export function importedSnapshot(
  name: string,
  engine: 'redis' | 'valkey',
  context: Pick<ServiceContext, 'region' | 'accountId' | 'clock'>,
): Omit<SnapshotRecord, 'origin'> {
  return {
    name,
    arn: snapshotArn(context, name),
    createdAt: new Date(context.clock.now()).toISOString(),
    status: 'creating',
    source: 'manual',
    engine,
    engineVersion: null,
    of: null,
    data: uuid(),
    kmsKeyId: null,
    node: null,
    finishedAt: null,
    memoryBytes: null,
    rdbBytes: null,
    exporting: null,
    problem: null,
  }
}

/** Redis OSS snapshots may become Valkey; the other way round their formats have parted. */
function checkReadable(record: SnapshotRecord, engine: 'redis' | 'valkey', version: string): void {
  if (record.engine === 'valkey' && engine === 'redis') {
    throw invalidValue(`Snapshot ${record.name} is of valkey ${record.engineVersion}; it cannot become redis.`)
  }
  if (record.engine !== engine || record.engineVersion === null) return
  if (compareVersions(version, record.engineVersion) >= 0) return
  throw invalidValue(
    `Snapshot ${record.name} is of ${engine} ${record.engineVersion}; EngineVersion ${version} is older. ` +
      'A snapshot is restored to the same version or a newer one.',
  )
}

/** By major and minor. */
function compareVersions(one: string, other: string): number {
  const [oneMajor = 0, oneMinor = 0] = one.split('.').map(Number)
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number)
  return oneMajor - otherMajor || oneMinor - otherMinor
}

/** The version that a restore without EngineVersion gets: the snapshot's, where it is one that ElastiCache offers. */
export function restoredVersion(source: RestoreSource | null, engine: string): string | undefined {
  if (source?.kind !== 'snapshot' || source.record.engine !== engine) return undefined
  const version = required('EngineVersion', source.record.engineVersion ?? '0.0')
    .split('.')
    .slice(0, 2)
    .join('.')
  return ENGINE_VERSIONS.some((known) => known.engine === engine && known.version === version) ? version : undefined
}
