//! PURE: stored snapshots, their clusters and groups, and what the keeper sees -> what becomes of them. Only this calls a snapshot `available`: its data was seen complete (spec/elasticache.md 8).
import type { CacheClusterRecord, ReplicationGroupRecord, SnapshotSettings } from '../../domain/cluster.ts'
import { isOverRetention, type SnapshotOf, type SnapshotRecord, sourceId } from '../../domain/snapshot.ts'
import type { KeeperSeen } from '../../keeper/protocol.ts'
import type { SnapshotFacts, SnapshotSeen } from '../../keeper/snapshots/wish.ts'
import type { NewEvent } from '../../services/elasticache/event-log.ts'
import { isOfGroup } from '../../services/elasticache/snapshots.ts'
import type { Stored } from '../../state/state.ts'
import type { Transfers } from '../transfers.ts'
import { isShared } from './captures.ts'
import { judgeRestore } from './snapshot-restores.ts'

/** All that the plan looks at, read together. */
export interface SnapshotRecords {
  readonly snapshots: readonly Stored<SnapshotRecord>[]
  readonly clusters: readonly Stored<CacheClusterRecord>[]
  readonly groups: readonly Stored<ReplicationGroupRecord>[]
}

/** What to write; null deletes the record with its tags. */
export interface SnapshotChanges {
  readonly snapshots: ReadonlyMap<string, SnapshotRecord | null>
  readonly clusters: ReadonlyMap<string, CacheClusterRecord>
  readonly groups: ReadonlyMap<string, ReplicationGroupRecord>
  readonly goneArns: readonly string[]
  readonly events: readonly NewEvent[]
}

/** `now`: milliseconds on the movable clock. */
export function snapshotChanges(
  records: SnapshotRecords,
  seen: KeeperSeen | null,
  ends: Pick<Transfers, 'end'>,
  now: number,
): SnapshotChanges {
  const plan = new Plan(records, ends, now)
  for (const { doc } of records.snapshots) plan.judge(doc, seen)
  plan.releaseSources()
  plan.restores()
  return plan
}

class Plan implements SnapshotChanges {
  readonly snapshots = new Map<string, SnapshotRecord | null>()
  readonly clusters = new Map<string, CacheClusterRecord>()
  readonly groups = new Map<string, ReplicationGroupRecord>()
  readonly goneArns: string[] = []
  readonly events: NewEvent[] = []
  readonly #records: SnapshotRecords
  readonly #ends: Pick<Transfers, 'end'>
  readonly #now: number

  constructor(records: SnapshotRecords, ends: Pick<Transfers, 'end'>, now: number) {
    this.#records = records
    this.#ends = ends
    this.#now = now
  }

  /** A snapshot as it is after what was decided so far; undefined when it is gone. */
  #snapshot(name: string): SnapshotRecord | undefined {
    const changed = this.snapshots.get(name)
    if (changed !== undefined) return changed ?? undefined
    return this.#records.snapshots.find(({ id }) => id === name)?.doc
  }

  #all(): SnapshotRecord[] {
    return this.#records.snapshots.flatMap(({ id }) => this.#snapshot(id) ?? [])
  }

  judge(doc: SnapshotRecord, seen: KeeperSeen | null): void {
    const data = seen?.snapshots.find(({ id }) => id === doc.data)
    switch (doc.status) {
      case 'creating':
        if (doc.origin.kind === 'capture') this.#judgeCapture(doc, data)
        else if (doc.internal === true && !this.#isRestored(doc)) this.#put({ ...doc, status: 'deleting' })
        else this.#judgeTransfer(doc)
        return
      case 'copying':
        // The data is that of its source, which was available: sealed files never change.
        if (doc.origin.kind === 'copy' && doc.origin.from === undefined) this.#put({ ...doc, status: 'available' })
        else this.#judgeTransfer(doc)
        return
      case 'exporting':
        this.#judgeTransfer(doc)
        return
      case 'restoring':
        if (!this.#isRestored(doc)) this.#put({ ...doc, status: 'available' })
        return
      case 'deleting':
        if (seen !== null && (data === undefined || this.#isSharedNow(doc))) {
          this.snapshots.set(doc.name, null)
          this.goneArns.push(doc.arn)
        }
        return
      case 'available':
      case 'failed':
        if (this.#isUnwanted(doc)) this.#put({ ...doc, status: 'deleting' })
    }
  }

  #put(doc: SnapshotRecord): void {
    this.snapshots.set(doc.name, doc)
  }

  #isSharedNow(doc: SnapshotRecord): boolean {
    return isShared(doc, this.#all())
  }

  #judgeCapture(doc: SnapshotRecord, data: SnapshotSeen | undefined): void {
    if (data === undefined) return
    const clusterId = data.node ?? doc.node?.clusterId ?? null
    const cluster = this.#records.clusters.find(({ id }) => id === clusterId)?.doc
    const node = cluster === undefined ? doc.node : { clusterId: cluster.id, createdAt: cluster.createdAt }
    if (data.state === 'capturing') {
      if (node?.clusterId !== doc.node?.clusterId) this.#put({ ...doc, node })
      return
    }
    const { of } = doc
    const what = of === null ? '' : ` of ${sourceWords(of)}`
    const finishedAt = new Date(this.#now).toISOString()
    if (data.state === 'failed' || data.facts === null) {
      const problem = data.problem ?? 'the keeper does not say why'
      this.#put({ ...doc, status: 'failed', node, finishedAt, problem })
      this.#tell(of, `Snapshot failed for snapshot with ID '${doc.name}'${what}: ${problem}`)
      return
    }
    this.#put({ ...withFacts(doc, data.facts), node, finishedAt })
    this.#tell(of, `Snapshot succeeded for snapshot with ID '${doc.name}'${what}`)
  }

  #judgeTransfer(doc: SnapshotRecord): void {
    const end = this.#ends.end(doc.name)
    if (end === null) return
    if (doc.exporting !== null) {
      // What was to be exported is as good as before; why it was not, it says.
      const problem = end.outcome === 'failed' ? `Export to ${doc.exporting.bucket} failed: ${end.problem}` : null
      this.#put({ ...doc, status: 'available', exporting: null, problem })
      if (problem !== null) this.#tell(doc.of, `${problem} (snapshot with ID '${doc.name}')`)
      return
    }
    const finishedAt = new Date(this.#now).toISOString()
    if (end.outcome === 'failed') this.#put({ ...doc, status: 'failed', finishedAt, problem: end.problem })
    else if (end.facts !== null) this.#put({ ...withFacts(doc, end.facts), finishedAt })
  }

  #tell(of: SnapshotOf | null, message: string): void {
    if (of === null) return
    const source = of.cacheClusterId === null ? 'replication-group' : 'cache-cluster'
    this.events.push({ source, sourceId: sourceId(of), message })
  }

  /** Whether something is being made from it. */
  #isRestored(doc: SnapshotRecord): boolean {
    const isMade = ({ status, restoreFrom }: ReplicationGroupRecord | CacheClusterRecord): boolean =>
      status === 'creating' && restoreFrom?.snapshot === doc.name
    return this.#records.clusters.some((c) => isMade(c.doc)) || this.#records.groups.some((g) => isMade(g.doc))
  }

  /** Automatic ones end with their retention and with their source; what was read for one restore ends with that. */
  #isUnwanted(doc: SnapshotRecord): boolean {
    if (doc.internal === true) return !this.#isRestored(doc)
    if (doc.source !== 'automated' || doc.of === null) return false
    const of = doc.of
    const source =
      of.replicationGroupId === null
        ? this.#records.clusters.find(({ id }) => isOfGroup(doc, id, of.sourceCreatedAt))?.doc
        : this.#records.groups.find(({ id }) => id === of.replicationGroupId)?.doc
    if (source === undefined || source.createdAt !== of.sourceCreatedAt) return true
    return isOverRetention(doc, source.snapshotRetentionLimit ?? 0, this.#now)
  }

  /** Ends `snapshotting` where nothing is captured any more, and deletions that waited for a final snapshot. */
  releaseSources(): void {
    const underWay = this.#all().filter((doc) => doc.status === 'creating' && doc.origin.kind === 'capture')
    for (const { doc: group } of this.#records.groups) {
      const captured = underWay.find((one) => isOfGroup(one, group.id, group.createdAt))
      const finished = this.#finalOf(group)
      if (finished !== undefined) this.#endFinal(group, finished)
      else if (group.status === 'snapshotting' && captured === undefined) {
        // What it is without the snapshot, plan/caches-status.ts sees.
        this.groups.set(group.id, { ...group, status: 'modifying' })
      }
    }
    for (const { doc: cluster } of this.#records.clusters) {
      const captured = underWay.find((one) => isCaptureOf(one, cluster))
      const finished = cluster.replicationGroupId === null ? this.#finalOf(cluster) : undefined
      if (finished !== undefined) this.#endFinalCluster(cluster, finished)
      else if (cluster.status === 'snapshotting' && captured === undefined) {
        this.clusters.set(cluster.id, { ...cluster, status: 'modifying' })
      } else if (cluster.status === 'available' && captured !== undefined) {
        this.clusters.set(cluster.id, { ...cluster, status: 'snapshotting' })
      }
    }
  }

  /** The final snapshot that a deletion waited for, once it is taken or has failed. */
  #finalOf({ finalSnapshot }: SnapshotSettings): SnapshotRecord | 'gone' | undefined {
    if (!finalSnapshot) return undefined
    const found = this.#snapshot(finalSnapshot)
    if (found === undefined) return 'gone'
    return found.status === 'creating' ? undefined : found
  }

  #endFinal(group: ReplicationGroupRecord, finished: SnapshotRecord | 'gone'): void {
    const kept = isKept(finished)
    this.groups.set(group.id, { ...group, finalSnapshot: null, status: kept ? 'deleting' : 'modifying' })
    if (kept) return
    for (const id of group.members) {
      const member = this.#records.clusters.find((stored) => stored.id === id)?.doc
      if (member !== undefined) this.clusters.set(id, back(member))
    }
    this.events.push({ source: 'replication-group', sourceId: group.id, message: NOT_DELETED })
  }

  #endFinalCluster(cluster: CacheClusterRecord, finished: SnapshotRecord | 'gone'): void {
    const kept = isKept(finished)
    this.clusters.set(cluster.id, { ...(kept ? cluster : back(cluster)), finalSnapshot: null })
    if (!kept) this.events.push({ source: 'cache-cluster', sourceId: cluster.id, message: NOT_DELETED })
  }

  /** Lets what is made from a snapshot begin when its data is there and fits, and refuses it when it never will. */
  restores(): void {
    for (const { doc } of this.#records.groups) {
      const restoreFrom = judgeRestore(doc, (name) => this.#snapshot(name))
      if (restoreFrom !== null) this.groups.set(doc.id, { ...doc, restoreFrom })
    }
    for (const { doc } of this.#records.clusters) {
      const restoreFrom = judgeRestore(doc, (name) => this.#snapshot(name))
      if (restoreFrom !== null) this.clusters.set(doc.id, { ...doc, restoreFrom })
    }
  }
}

const NOT_DELETED = 'It was not deleted, because its final snapshot failed'

const isKept = (finished: SnapshotRecord | 'gone'): boolean => finished !== 'gone' && finished.status !== 'failed'

/** A cluster whose deletion has ended without it. */
const back = (cluster: CacheClusterRecord): CacheClusterRecord => ({
  ...cluster,
  status: 'modifying',
  nodes: cluster.nodes.map((node) => ({ ...node, status: 'available' })),
})

const isCaptureOf = (snapshot: SnapshotRecord, cluster: CacheClusterRecord): boolean => {
  const { of, node } = snapshot
  if (of === null || snapshot.final === true) return false
  return node?.clusterId === cluster.id || (of.cacheClusterId === cluster.id && node === null)
}

/** The snapshot with its data complete. */
const withFacts = (doc: SnapshotRecord, facts: SnapshotFacts): SnapshotRecord => ({
  ...doc,
  status: 'available',
  engineVersion: doc.engineVersion ?? facts.engineVersion,
  kmsKeyId: doc.kmsKeyId === null ? null : facts.kmsKeyArn,
  memoryBytes: facts.usedMemoryBytes,
  rdbBytes: facts.rdbBytes,
  problem: null,
})

const sourceWords = (of: SnapshotOf): string =>
  `${of.cacheClusterId === null ? 'replication group' : 'cache cluster'} with ID '${sourceId(of)}'`
