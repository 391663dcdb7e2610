//! What a row of the table of ElastiCache's faults (test/contract/elasticache-faults.test.ts) works with: the API with its
//! real operations on a state of its own, AWS's SDK before it, and a host that has redis and memcached. No keeper runs:
//! what a row needs as `available` is written as the reconciler writes it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CreateCacheClusterMessage,
  type CreateReplicationGroupMessage,
  ElastiCache,
} from '@aws-sdk/client-elasticache'
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../src/domain/cluster.ts'
import { quotasWith } from '../../src/domain/quotas.ts'
import type { SnapshotRecord, SnapshotStatus } from '../../src/domain/snapshot.ts'
import { MovableClock } from '../../src/lib/clock.ts'
import { ELASTICACHE_OPERATIONS } from '../../src/services/elasticache/operations.ts'
import type { HostFacts } from '../../src/services/service.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'
import type { State } from '../../src/state/state.ts'
import { clientOptions, startApi } from './api-server.ts'

/** One way to provoke a code. */
export interface ElastiCacheFaultRow {
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** Of spec/elasticache.md, that says what is refused. */
  readonly section: string
  /** What is wrong with the call. */
  readonly when: string
  /** Puts in place what must be there before, and returns the call that is refused. */
  readonly provoke: (site: ElastiCacheFaultSite) => Call | Promise<Call>
}

/** Codes of what is not built: the call that would bring them answers 501 and names `names`. */
export interface ElastiCacheNotBuiltRow {
  readonly codes: readonly string[]
  /** Why none of them can be provoked. */
  readonly reason: string
  readonly names: RegExp
  readonly provoke: (site: ElastiCacheFaultSite) => Call | Promise<Call>
}

export type Call = () => Promise<unknown>

/** What the host of a site can run. */
type Host = { binaries: { readonly engine: string; readonly version: string }[] }

export class ElastiCacheFaultSite {
  readonly client: ElastiCache
  readonly state: State
  readonly clock: MovableClock
  /** A row may take engines away. */
  readonly host: Host

  private constructor(client: ElastiCache, state: State, clock: MovableClock, host: Host) {
    this.client = client
    this.state = state
    this.clock = clock
    this.host = host
  }

  /** Runs `work` on a site of its own. */
  static async use(work: (site: ElastiCacheFaultSite) => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'cachefront-ec-faults-'))
    const clock = new MovableClock()
    const state = await openSqliteState(join(home, 'state.db'), clock)
    const host: Host = {
      binaries: [
        { engine: 'redis', version: '7.0.15' },
        { engine: 'memcached', version: '1.6.18' },
      ],
    }
    const facts: HostFacts = { binaries: () => host.binaries }
    const context = {
      sourceNetworks: { securityGroups: new Map([['sg-web', ['10.0.0.0/8']]]), subnets: new Map() },
      state,
      clock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(),
      host: facts,
    }
    const server = await startApi({ services: { cloudfront: {}, elasticache: ELASTICACHE_OPERATIONS }, context })
    const client = new ElastiCache(clientOptions(server.url))
    try {
      await work(new ElastiCacheFaultSite(client, state, clock, host))
    } finally {
      client.destroy()
      await server.api.close()
      await state.close()
      await rm(home, { recursive: true })
    }
  }

  /** A cluster of redis that stands alone and is available, with these changes. */
  async cluster(id: string, changes: Partial<CreateCacheClusterMessage> = {}): Promise<void> {
    await this.client.createCacheCluster({
      CacheClusterId: id,
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      ...changes,
    })
    await this.settle()
  }

  /** A memcached cluster of that many nodes, available. */
  memcached(id: string, NumCacheNodes: number): Promise<void> {
    return this.cluster(id, { Engine: 'memcached', NumCacheNodes })
  }

  /** A replication group of redis with that many members, available; the first is the primary. */
  async group(
    id: string,
    NumCacheClusters: number,
    changes: Partial<CreateReplicationGroupMessage> = {},
  ): Promise<void> {
    await this.client.createReplicationGroup({
      ReplicationGroupId: id,
      ReplicationGroupDescription: 'a group',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters,
      ...changes,
    })
    await this.settle()
  }

  /** As when the reconciler has seen that everything is as wished; what is being deleted stays so. */
  async settle(): Promise<void> {
    await this.state.transact(async (tx) => {
      for (const { id, doc } of await tx.list('replication-group')) {
        if (doc.status !== 'deleting') await tx.put('replication-group', id, { ...doc, status: 'available' })
      }
      for (const { id, doc } of await tx.list('cache-cluster')) {
        if (doc.status === 'deleting') continue
        const group = doc.replicationGroupId
        const primary = group === null ? null : (await tx.get('replication-group', group))?.doc.firstPrimary
        await tx.put('cache-cluster', id, settled(doc, primary ?? null))
      }
    })
  }

  /** A snapshot of redis 7.1, of a cluster `one`, in this status. */
  async snapshot(name: string, status: SnapshotStatus, changes: Partial<SnapshotRecord> = {}): Promise<void> {
    await this.cluster('one', { EngineVersion: '7.1' })
    await this.client.createSnapshot({ SnapshotName: name, CacheClusterId: 'one' })
    await this.settle()
    await this.state.transact(async (tx) => {
      const stored = await tx.get('snapshot', name)
      if (stored !== undefined) await tx.put('snapshot', name, { ...stored.doc, ...changes, status })
    })
  }

  /** Writes a cluster as the reconciler, or an operation of another part, would. */
  async changeCluster(id: string, changes: Partial<CacheClusterRecord>): Promise<void> {
    await this.state.transact(async (tx) => {
      const stored = await tx.get('cache-cluster', id)
      if (stored !== undefined) await tx.put('cache-cluster', id, { ...stored.doc, ...changes })
    })
  }

  async changeGroup(id: string, changes: Partial<ReplicationGroupRecord>): Promise<void> {
    await this.state.transact(async (tx) => {
      const stored = await tx.get('replication-group', id)
      if (stored !== undefined) await tx.put('replication-group', id, { ...stored.doc, ...changes })
    })
  }
}

function settled(doc: CacheClusterRecord, primary: string | null): CacheClusterRecord {
  const role = primary === null ? 'none' : primary === doc.id ? 'primary' : 'replica'
  const nodes = doc.nodes.map((node) => ({ ...node, status: 'available' as const, role }) as const)
  return { ...doc, status: 'available', nodes, nodesBefore: null }
}
