//! CopySnapshot: another snapshot with the same data; with a TargetBucket, an RDB file in a bucket or folder
//! (spec/elasticache.md 8).
import type { CopySnapshotMessage, CopySnapshotResult } from '@aws-sdk/client-elasticache'
import { newName } from '../../domain/cache-names.ts'
import { notImplemented } from '../../domain/faults.ts'
import type { SnapshotRecord } from '../../domain/snapshot.ts'
import type { Operation } from '../service.ts'
import { onlyFields } from './fields.ts'
import { snapshotArn } from './new-snapshot.ts'
import { snapshotView } from './snapshot-view.ts'
import { checkSnapshotNameFree, findSnapshot, mustBeAvailableSnapshot } from './snapshots.ts'
import { putTags, tagsOf } from './tags.ts'

const HANDLED = ['SourceSnapshotName', 'TargetSnapshotName', 'Tags']

export const copySnapshot: Operation<CopySnapshotMessage, CopySnapshotResult> = (input, context) => {
  onlyFields('CopySnapshot', input, HANDLED)
  if (input.TargetBucket) throw notImplemented('The field TargetBucket of CopySnapshot')
  const name = newName('snapshotCopy', input.TargetSnapshotName)
  const tags = tagsOf(input.Tags)
  return context.state.transact(async (tx) => {
    const { doc: source } = await findSnapshot(tx, input.SourceSnapshotName, 'SourceSnapshotName')
    mustBeAvailableSnapshot(source)
    await checkSnapshotNameFree(tx, name)
    // A copy of an automatic one is a manual one: it does not expire.
    const { final, ...kept } = source
    const copy: SnapshotRecord = {
      ...kept,
      name,
      arn: snapshotArn(context, name),
      createdAt: new Date(context.clock.now()).toISOString(),
      status: 'copying',
      source: 'manual',
      origin: { kind: 'copy', of: source.name },
      problem: null,
    }
    await tx.put('snapshot', name, copy)
    await putTags(tx, copy.arn, tags)
    return { Snapshot: snapshotView(copy) }
  })
}
