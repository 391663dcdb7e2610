//! CopySnapshot: another snapshot with the same data; with a TargetBucket, an RDB file in a bucket or folder
//! (spec/elasticache.md 8). control/transfers.ts carries the data.
import type { CopySnapshotMessage, CopySnapshotResult } from '@aws-sdk/client-elasticache'
import { newName, required, shown } from '../../domain/cache-names.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { SnapshotRecord } from '../../domain/snapshot.ts'
import { uuid } from '../../lib/ids.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { onlyFields } from './fields.ts'
import { snapshotArn } from './new-snapshot.ts'
import { STORE_PROBLEMS } from './snapshot-stores.ts'
import { snapshotView } from './snapshot-view.ts'
import { checkSnapshotNameFree, findSnapshot, mustBeAvailableSnapshot } from './snapshots.ts'
import { kmsKeyArn } from './storage.ts'
import { putTags, tagsOf } from './tags.ts'

const HANDLED = ['SourceSnapshotName', 'TargetSnapshotName', 'TargetBucket', 'KmsKeyId', 'Tags']

/** Longest prefix of exported files, in characters (spec 1.6). */
const PREFIX_CHARACTERS_MAX = 1000

export const copySnapshot: Operation<CopySnapshotMessage, CopySnapshotResult> = (input, context) => {
  onlyFields('CopySnapshot', input, HANDLED)
  return input.TargetBucket ? exportSnapshot(input, input.TargetBucket, context) : copy(input, context)
}

async function copy(input: CopySnapshotMessage, context: ServiceContext): Promise<CopySnapshotResult> {
  const name = newName('snapshotCopy', input.TargetSnapshotName)
  const tags = tagsOf(input.Tags)
  const kmsKeyId = await kmsKeyArn(input.KmsKeyId, context)
  return context.state.transact(async (tx) => {
    const { doc: source } = await findSnapshot(tx, input.SourceSnapshotName, 'SourceSnapshotName')
    mustBeAvailableSnapshot(source)
    await checkSnapshotNameFree(tx, name)
    // A copy of an automatic one is a manual one: it does not expire.
    const { final: _, ...kept } = source
    const record: SnapshotRecord = {
      ...kept,
      name,
      arn: snapshotArn(context, name),
      createdAt: new Date(context.clock.now()).toISOString(),
      status: 'copying',
      source: 'manual',
      problem: null,
      ...(kmsKeyId !== null
        ? { origin: { kind: 'copy', of: source.name, from: source.data }, data: uuid(), kmsKeyId }
        : { origin: { kind: 'copy', of: source.name } }),
    }
    await tx.put('snapshot', name, record)
    await putTags(tx, record.arn, tags)
    return { Snapshot: snapshotView(record) }
  })
}

/** The one file: a group without cluster mode has one shard. The snapshot itself is `exporting` meanwhile. */
async function exportSnapshot(
  input: CopySnapshotMessage,
  bucket: string,
  context: ServiceContext,
): Promise<CopySnapshotResult> {
  const key = `${prefixOf(input.TargetSnapshotName)}-0001.rdb`
  const { doc: before } = await findSnapshot(context.state, input.SourceSnapshotName, 'SourceSnapshotName')
  mustBeAvailableSnapshot(before)
  if (input.KmsKeyId || (input.Tags?.length ?? 0) > 0) {
    throw invalidCombination('An export with TargetBucket is a file: it has no KmsKeyId and no Tags.')
  }
  if (before.kmsKeyId !== null) {
    throw invalidValue(
      `Snapshot ${before.name} is encrypted with a customer managed key (${before.kmsKeyId}) and cannot be exported.`,
    )
  }
  const problem =
    context.stores === undefined ? STORE_PROBLEMS.noBucket(bucket) : await context.stores.exportProblem(bucket, key)
  if (problem !== null) throw invalidValue(problem)
  return context.state.transact(async (tx) => {
    const { doc } = await findSnapshot(tx, before.name)
    mustBeAvailableSnapshot(doc)
    const startedAt = new Date(context.clock.now()).toISOString()
    const exporting: SnapshotRecord = {
      ...doc,
      status: 'exporting',
      exporting: { bucket, key, startedAt },
      problem: null,
    }
    await tx.put('snapshot', doc.name, exporting)
    return { Snapshot: snapshotView(exporting) }
  })
}

/** @throws InvalidParameterValue, MissingParameter */
function prefixOf(given: string | undefined): string {
  const prefix = required('TargetSnapshotName', given)
  // What has a comma could not be imported again.
  if (prefix.length <= PREFIX_CHARACTERS_MAX && !/[,\p{Cc}]|^\/|^\.|\/\./u.test(prefix)) return prefix
  throw invalidValue(
    `TargetSnapshotName ${shown(prefix)} is not valid for an export: 1 to ${PREFIX_CHARACTERS_MAX} characters, without ` +
      'a comma, and no part of its path begins with a dot.',
  )
}
