//! The task that makes snapshots real: takes the automatic ones that are due, tells the keeper what to capture and to
//! delete, and writes what it reports. Poked by every commit to its kinds, by every report of the keeper, and by the
//! movable clock.
import type { Vault } from '../../keeper/snapshots/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import { markSnapshotting } from '../../services/elasticache/create-snapshot.ts'
import { recordEvents } from '../../services/elasticache/event-log.ts'
import { findCluster, findReplicationGroup } from '../../services/elasticache/lookup.ts'
import type { SnapshotOwner } from '../../services/elasticache/new-snapshot.ts'
import type { Kind } from '../../state/kinds.ts'
import type { Reader, State, Transaction } from '../../state/state.ts'
import type { KeeperLink } from '../keeper-link.ts'
import { dueSnapshots } from '../plan/automatic-snapshots.ts'
import { planCaptures } from '../plan/captures.ts'
import { type SnapshotChanges, type SnapshotRecords, snapshotChanges } from '../plan/snapshots.ts'
import type { Task } from '../reconciler.ts'
import type { Transfers } from '../transfers.ts'

/** Kinds whose commits are to poke this task. */
export const SNAPSHOT_KINDS: readonly Kind[] = ['snapshot', 'cache-cluster', 'replication-group']

/** How soon a window that has begun is seen, and a poke that was lost. */
const PERIOD_MS = 5_000

/** What the task needs of the keeper. */
export type SnapshotsKeeper = Pick<KeeperLink, 'seen' | 'wishSnapshots'>

export interface SnapshotsTaskOptions {
  readonly state: State
  readonly keeper: SnapshotsKeeper
  readonly clock: Clock
  readonly owner: SnapshotOwner
  readonly transfers: Pick<Transfers, 'follow' | 'end'>
  readonly vault: Pick<Vault, 'list' | 'remove'>
}

export function snapshotsTask(options: SnapshotsTaskOptions): Task {
  const { state, keeper, transfers } = options
  let isSwept = false
  return {
    name: 'snapshots',
    periodMs: PERIOD_MS,
    async run() {
      if (!isSwept) await sweep(options)
      isSwept = true
      const taken = await takeDue(options)
      const written = await follow(options)
      const records = await readRecords(state)
      const { wishes, deletions } = planCaptures(records)
      keeper.wishSnapshots(wishes, deletions)
      transfers.follow(records.snapshots.map(({ doc }) => doc))
      return [...taken, ...written]
    },
  }
}

/** Removes what an upload brought whose control has ended: no record tells of it, and it is no whole snapshot. */
async function sweep({ state, vault }: SnapshotsTaskOptions): Promise<void> {
  const found = await vault.list()
  const known = new Set((await state.list('snapshot')).map(({ doc }) => doc.data))
  for (const { id, stored } of found) if (stored.kind === 'unfinished' && !known.has(id)) await vault.remove(id)
}

async function takeDue({ state, clock, owner }: SnapshotsTaskOptions): Promise<string[]> {
  if (dueSnapshots(await readRecords(state), owner, clock.now()).length === 0) return []
  return state.transact(async (tx) => {
    const taken: string[] = []
    for (const { record, source } of dueSnapshots(await readRecords(tx), owner, clock.now())) {
      const automaticSnapshotAt = record.createdAt
      // Its window was moved and has begun twice within a minute: one is enough.
      const isTaken = (await tx.get('snapshot', record.name)) === undefined
      if (isTaken) {
        await tx.put('snapshot', record.name, record)
        await markSnapshotting(tx, source)
        taken.push(`snapshot ${record.name}: begun`)
      }
      if (source.kind === 'group') {
        const { doc } = await findReplicationGroup(tx, source.group.id)
        await tx.put('replication-group', doc.id, { ...doc, automaticSnapshotAt })
      } else {
        const { doc } = await findCluster(tx, source.cluster.id)
        await tx.put('cache-cluster', doc.id, { ...doc, automaticSnapshotAt })
      }
    }
    return taken
  })
}

async function follow({ state, keeper, clock, transfers, vault }: SnapshotsTaskOptions): Promise<string[]> {
  const seen = keeper.seen()
  const records = await readRecords(state)
  const planned = snapshotChanges(records, seen, transfers, clock.now())
  if (actionsOf(planned).length === 0) return []
  // The keeper has deleted what it knew of; what control itself has put there it does not know. Gone before its record.
  for (const data of abandoned(records, planned)) await vault.remove(data)
  return state.transact(async (tx) => {
    // Decided again on what the transaction sees: an operation may have written in between.
    const changes = snapshotChanges(await readRecords(tx), seen, transfers, clock.now())
    await write(tx, changes, clock.now())
    return actionsOf(changes)
  })
}

/** Data that no record will have any more. */
function abandoned({ snapshots }: SnapshotRecords, changes: SnapshotChanges): string[] {
  const isGone = (name: string): boolean => changes.snapshots.get(name) === null
  const kept = new Set(snapshots.filter(({ id }) => !isGone(id)).map(({ doc }) => doc.data))
  return snapshots.flatMap(({ id, doc }) => (isGone(id) && !kept.has(doc.data) ? [doc.data] : []))
}

async function readRecords(reader: Reader): Promise<SnapshotRecords> {
  const [snapshots, clusters, groups] = await Promise.all([
    reader.list('snapshot'),
    reader.list('cache-cluster'),
    reader.list('replication-group'),
  ])
  return { snapshots, clusters, groups }
}

const actionsOf = ({ snapshots, clusters, groups }: SnapshotChanges): string[] => [
  ...[...snapshots].map(([name, doc]) => `snapshot ${name}: ${doc?.status ?? 'gone'}`),
  ...[...clusters].map(([id, doc]) => `cluster ${id}: ${doc.status}`),
  ...[...groups].map(([id, doc]) => `replication group ${id}: ${doc.status}`),
]

async function write(tx: Transaction, changes: SnapshotChanges, now: number): Promise<void> {
  for (const arn of changes.goneArns) await tx.delete('tags', arn)
  for (const [name, doc] of changes.snapshots) {
    if (doc === null) await tx.delete('snapshot', name)
    else await tx.put('snapshot', name, doc)
  }
  for (const [id, doc] of changes.clusters) await tx.put('cache-cluster', id, doc)
  for (const [id, doc] of changes.groups) await tx.put('replication-group', id, doc)
  await recordEvents(tx, now, changes.events)
}
