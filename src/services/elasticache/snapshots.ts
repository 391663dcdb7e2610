//! Snapshots: describe and delete (spec/elasticache.md 8). Making and copying them are files of their own.
import type {
  DeleteSnapshotMessage,
  DeleteSnapshotResult,
  DescribeSnapshotsListMessage,
  DescribeSnapshotsMessage,
} from '@aws-sdk/client-elasticache'
import { normalName, required, shown } from '../../domain/cache-names.ts'
import { elasticacheFault, invalidValue } from '../../domain/elasticache-faults.ts'
import { groupIdOf, type SnapshotRecord } from '../../domain/snapshot.ts'
import type { Reader, Stored } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { onlyFields } from './fields.ts'
import { page, SNAPSHOT_RECORDS_MAX } from './paging.ts'
import { snapshotView } from './snapshot-view.ts'

/** @throws SnapshotNotFoundFault, MissingParameter naming `field` */
export async function findSnapshot(
  reader: Reader,
  name: string | undefined,
  field = 'SnapshotName',
): Promise<Stored<SnapshotRecord>> {
  const found = await reader.get('snapshot', normalName(required(field, name)))
  if (found !== undefined && found.doc.internal === undefined) return found
  throw elasticacheFault('SnapshotNotFoundFault', `Snapshot ${shown(name)} not found.`)
}

/** @throws SnapshotAlreadyExistsFault */
export async function checkSnapshotNameFree(reader: Reader, name: string): Promise<void> {
  if ((await reader.get('snapshot', name)) === undefined) return
  throw elasticacheFault('SnapshotAlreadyExistsFault', `There is a snapshot ${name} already; choose another name.`)
}

/** @throws InvalidSnapshotState */
export function mustBeAvailableSnapshot(record: SnapshotRecord): void {
  if (record.status === 'available') return
  const why = record.status === 'failed' && record.problem !== null ? ` (${record.problem})` : ''
  throw elasticacheFault('InvalidSnapshotState', `Snapshot ${record.name} is ${record.status}${why}, not available.`)
}

/** Words of the filter, which differ from those of the answer. */
const SOURCES: Readonly<Record<string, SnapshotRecord['source']>> = { user: 'manual', system: 'automated' }

/** An id of a cluster or group that has none answers an empty list; a name that is none is an error (spec 1.3). */
export const describeSnapshots: Operation<DescribeSnapshotsMessage, DescribeSnapshotsListMessage> = async (
  input,
  { state },
) => {
  const { SnapshotSource: source, ReplicationGroupId: group, CacheClusterId: cluster } = input
  if (source && SOURCES[source] === undefined) {
    throw invalidValue(`SnapshotSource is user or system, not ${shown(source)}.`)
  }
  const accepts = (record: SnapshotRecord): boolean =>
    record.internal === undefined &&
    (!source || record.source === SOURCES[source]) &&
    (!group || (record.of !== null && record.of.replicationGroupId === normalName(group))) &&
    (!cluster || isOfCluster(record, normalName(cluster)))
  const all = input.SnapshotName ? [await findSnapshot(state, input.SnapshotName)] : await state.list('snapshot')
  const found = all.filter(({ doc }) => accepts(doc))
  const { items, Marker } = page(found, ({ id }) => id, input, SNAPSHOT_RECORDS_MAX)
  return { Snapshots: items.map(({ doc }) => snapshotView(doc, input.ShowNodeGroupConfig ?? false)), Marker }
}

/** Of a cluster that was named, or of the member that a snapshot of its group was captured from. */
const isOfCluster = (record: SnapshotRecord, id: string): boolean =>
  record.of?.cacheClusterId === id || record.node?.clusterId === id

/** The data goes when the keeper has deleted it; until then the status is `deleting`. */
export const deleteSnapshot: Operation<DeleteSnapshotMessage, DeleteSnapshotResult> = (input, context) => {
  onlyFields('DeleteSnapshot', input, ['SnapshotName'])
  return context.state.transact(async (tx) => {
    const { doc } = await findSnapshot(tx, input.SnapshotName)
    if (doc.status !== 'available' && doc.status !== 'failed') {
      throw elasticacheFault(
        'InvalidSnapshotState',
        `Snapshot ${doc.name} is ${doc.status}; it can be deleted when it is available or failed.`,
      )
    }
    const deleting: SnapshotRecord = { ...doc, status: 'deleting' }
    await tx.put('snapshot', doc.name, deleting)
    return { Snapshot: snapshotView(deleting) }
  })
}

/** Whether a snapshot is of this group of engines, and not of an earlier one with its name. */
export const isOfGroup = (record: SnapshotRecord, groupId: string, createdAt: string): boolean =>
  record.of !== null && groupIdOf(record.of) === groupId && record.of.sourceCreatedAt === createdAt
