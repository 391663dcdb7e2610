//! The task that makes caches real: plans what the keeper is to run, sends it, and writes what the keeper reports. Poked
//! by every commit to its kinds and by every report of the keeper.

import { NO_NETWORKS, type SourceNetworks } from '../../domain/source-networks.ts'
import type { IamWish, KeeperSeen } from '../../keeper/protocol.ts'
import type { Clock } from '../../lib/clock.ts'
import { isOld, recordEvents, sweepEvents } from '../../services/elasticache/event-log.ts'
import type { Kind } from '../../state/kinds.ts'
import type { Reader, State, Transaction } from '../../state/state.ts'
import type { KeeperLink } from '../keeper-link.ts'
import { type AccessChanges, accessChanges } from '../plan/access-status.ts'
import { type CacheRecords, planGroups } from '../plan/caches.ts'
import { type StatusChanges, statusChanges } from '../plan/caches-status.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits are to poke this task. */
export const CACHE_KINDS: readonly Kind[] = [
  'cache-cluster',
  'replication-group',
  'cache-parameter-group',
  'cache-user',
  'cache-user-group',
  'cache-subnet-group',
]

/** In case a poke was lost, and to sweep events that are over 14 days old. */
const PERIOD_MS = 5_000

/** What the task needs of the keeper. */
export type CachesKeeper = Pick<KeeperLink, 'seen' | 'wishGroups' | 'seenRevision'>

/** What the plan needs that is the installation's own. */
interface Own {
  readonly networks: SourceNetworks
  readonly iam: IamWish
}

/** Without keys, signatures of IAM tokens are not looked at. */
const NO_KEYS: IamWish = { keyPair: null, region: 'us-east-1' }

/** `networks`: security groups and subnets as the operator defines them; `iam`: how IAM users are verified. */
export function cachesTask(
  state: State,
  keeper: CachesKeeper,
  clock: Clock,
  networks = NO_NETWORKS,
  iam = NO_KEYS,
): Task {
  const own = { networks, iam }
  return {
    name: 'caches',
    periodMs: PERIOD_MS,
    run: async () => [...(await follow(state, keeper, clock, own)), ...(await sweep(state, clock))],
  }
}

async function follow(state: State, keeper: CachesKeeper, clock: Clock, own: Own): Promise<string[]> {
  // Read before the records: they may be newer than this revision, never older.
  const revision = await state.revision()
  const records = await readRecords(state, own)
  keeper.wishGroups(planGroups(records), revision)
  const seen = keeper.seen()
  if (seen === null) return []
  const seenRevision = keeper.seenRevision()
  if (actionsOf(allChanges(records, seen, seenRevision)).length === 0) return []
  return state.transact(async (tx) => {
    // Decided again on what the transaction sees: an operation may have written in between.
    const changes = allChanges(await readRecords(tx, own), seen, seenRevision)
    await write(tx, changes, clock.now())
    return actionsOf(changes)
  })
}

async function readRecords(reader: Reader, own: Own): Promise<CacheRecords> {
  const [clusters, groups, parameterGroups, subnetGroups, users, userGroups] = await Promise.all([
    reader.list('cache-cluster'),
    reader.list('replication-group'),
    reader.list('cache-parameter-group'),
    reader.list('cache-subnet-group'),
    reader.list('cache-user'),
    reader.list('cache-user-group'),
  ])
  return { clusters, groups, parameterGroups, subnetGroups, users, userGroups, ...own }
}

interface Changes {
  readonly status: StatusChanges
  readonly access: AccessChanges
}

const allChanges = (records: CacheRecords, seen: KeeperSeen, seenRevision: number): Changes => ({
  status: statusChanges(records, seen, seenRevision),
  access: accessChanges(records, seen, seenRevision),
})

const actionsOf = ({ status: changes, access }: Changes): string[] => [
  ...[...changes.clusters].map(([id, doc]) => `cluster ${id}: ${doc?.status ?? 'gone'}`),
  ...[...changes.groups].map(([id, doc]) => `replication group ${id}: ${doc?.status ?? 'gone'}`),
  ...[...access.users].map(([id, doc]) => `user ${id}: ${doc?.status ?? 'gone'}`),
  ...[...access.userGroups].map(([id, doc]) => `user group ${id}: ${doc?.status ?? 'gone'}`),
]

async function write(tx: Transaction, { status: changes, access }: Changes, now: number): Promise<void> {
  // Before what they tell of is gone: their source has the topic.
  await recordEvents(tx, now, [...changes.events, ...access.events])
  for (const arn of [...changes.goneArns, ...access.goneArns]) await tx.delete('tags', arn)
  for (const [id, doc] of access.users) {
    if (doc === null) await tx.delete('cache-user', id)
    else await tx.put('cache-user', id, doc)
  }
  for (const [id, doc] of access.userGroups) {
    if (doc === null) await tx.delete('cache-user-group', id)
    else await tx.put('cache-user-group', id, doc)
  }
  for (const [id, doc] of changes.clusters) {
    if (doc === null) await tx.delete('cache-cluster', id)
    else await tx.put('cache-cluster', id, doc)
  }
  for (const [id, doc] of changes.groups) {
    if (doc === null) await tx.delete('replication-group', id)
    else await tx.put('replication-group', id, doc)
  }
}

async function sweep(state: State, clock: Clock): Promise<string[]> {
  const [oldest] = await state.list('cache-event', { limit: 1 })
  if (oldest === undefined || !isOld(oldest.doc, clock.now())) return []
  const deleted = await state.transact((tx) => sweepEvents(tx, clock.now()))
  return [`${deleted} old events deleted`]
}
