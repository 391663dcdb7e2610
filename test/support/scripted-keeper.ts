//! A keeper for tests of control's tasks: by default every wish has come true at once; what it reports can be edited.
import type { GroupSeen, GroupWish, KeeperSeen, NodeSeen } from '../../src/keeper/protocol.ts'
import type { SnapshotSeen, SnapshotWish } from '../../src/keeper/snapshots/wish.ts'

export const SINCE = '2026-01-01T00:00:00.000Z'

export class ScriptedKeeper {
  groups: readonly GroupWish[] = []
  revision = 0
  /** Changes the report of a group before it is given. */
  edit: (group: GroupSeen) => GroupSeen = (group) => group
  /** What was seen of the wishes at `frozen`, while that is set. */
  frozen: { readonly groups: readonly GroupWish[]; readonly revision: number } | null = null
  snapshots: readonly SnapshotWish[] = []
  /** Changes the report of a snapshot before it is given. */
  editSnapshot: (snapshot: SnapshotSeen) => SnapshotSeen = (snapshot) => snapshot
  readonly #data = new Map<string, SnapshotWish>()

  wishGroups(groups: readonly GroupWish[], revision: number): void {
    this.groups = groups
    this.revision = revision
  }

  wishSnapshots(snapshots: readonly SnapshotWish[], deletions: readonly string[]): void {
    this.snapshots = snapshots
    for (const wish of snapshots) this.#data.set(wish.id, wish)
    for (const id of deletions) this.#data.delete(id)
  }

  /** Ids of the data that is kept. */
  data(): string[] {
    return [...this.#data.keys()]
  }

  seenRevision(): number {
    return this.frozen?.revision ?? this.revision
  }

  seen(): KeeperSeen {
    const groups = (this.frozen?.groups ?? this.groups).map((wish, at) => this.edit(seenOf(wish, at)))
    const snapshots = [...this.#data.values()].map((wish) => this.editSnapshot(this.#captured(wish)))
    return { sequence: 1, groups, snapshots, workers: [], nodeNetwork: '127.16.0.0/16', binaries: [] }
  }

  #captured(wish: SnapshotWish): SnapshotSeen {
    const nodes = this.groups.find(({ id }) => id === wish.group)?.nodes ?? []
    const replica = nodes.find((node) => !node.firstPrimary) ?? nodes[0]
    const primary = nodes.find((node) => node.firstPrimary)
    const from = wish.from === 'replica' ? replica?.id : wish.from === 'primary' ? primary?.id : wish.from.node
    return {
      id: wish.id,
      state: 'ready',
      group: wish.group,
      node: from ?? null,
      bytes: 1000,
      bytesTotal: 1000,
      attempt: 1,
      startedAt: SINCE,
      finishedAt: SINCE,
      problem: null,
      facts: {
        rdbBytes: 1000,
        sealedBytes: 1100,
        rdbVersion: 10,
        engineVersion: '7.0.15',
        usedMemoryBytes: 5 * 1024 ** 2,
        keys: { 0: 1 },
        kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1',
      },
    }
  }
}

function seenOf(wish: GroupWish, at: number): GroupSeen {
  const resp = wish.engine !== 'memcached'
  const nodes = wish.nodes.map(
    (node, index): NodeSeen => ({
      id: node.id,
      state: 'available',
      role: !resp ? 'none' : node.firstPrimary ? 'primary' : 'replica',
      address: `127.16.${at}.${10 + index}`,
      pid: 100 + index,
      binaryVersion: resp ? '7.0.15' : '1.6.18',
      pendingReboot: [],
      availableSince: (wish.restarts[node.id] ?? 0) > 0 ? '2026-01-01T00:01:00.000Z' : SINCE,
    }),
  )
  const readerEndpoint = resp ? `127.16.${at}.2` : null
  return { id: wish.id, settled: true, endpoint: `127.16.${at}.1`, readerEndpoint, nodes, problem: null }
}
