//! PURE: stored snapshots -> what the keeper is to capture and to delete.
import { type SnapshotRecord, sourceId } from '../../domain/snapshot.ts'
import type { SnapshotWish } from '../../keeper/snapshots/wish.ts'
import type { Stored } from '../../state/state.ts'

/** What the keeper is to do about snapshots: captures that are not done, and data that nobody has a record of any more. */
export function planCaptures({ snapshots }: { readonly snapshots: readonly Stored<SnapshotRecord>[] }): {
  readonly wishes: SnapshotWish[]
  readonly deletions: string[]
} {
  const docs = snapshots.map(({ doc }) => doc)
  const wishes = docs.flatMap((doc) =>
    doc.status === 'creating' && doc.origin.kind === 'capture' && doc.of !== null
      ? [
          {
            id: doc.data,
            group: doc.of.replicationGroupId ?? sourceId(doc.of),
            from: doc.origin.from,
            kmsKeyId: doc.kmsKeyId,
          },
        ]
      : [],
  )
  const deletions = docs.filter((doc) => doc.status === 'deleting' && !isShared(doc, docs)).map((doc) => doc.data)
  return { wishes, deletions: [...new Set(deletions)] }
}

/** A copy has the data of its source: it goes with the last of them, and not while it is read. */
export const isShared = (doc: SnapshotRecord, all: readonly SnapshotRecord[]): boolean =>
  all.some(
    (other) =>
      (other.data === doc.data && other.status !== 'deleting') ||
      (other.status === 'copying' && other.origin.kind === 'copy' && other.origin.from === doc.data),
  )
