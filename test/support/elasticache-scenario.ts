//! ElastiCache as a user has it, in one process: keeper with real engines, state, task and API, spoken to by the SDK.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sdk from '@aws-sdk/client-elasticache'
import { type CacheCluster, ElastiCacheClient, type ReplicationGroup } from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import { type KeeperLink, openKeeperLink } from '../../src/control/keeper-link.ts'
import { type Reconciler, startReconciler } from '../../src/control/reconciler.ts'
import { Stores, type StoresOptions } from '../../src/control/stores/stores.ts'
import { CACHE_KINDS, cachesTask } from '../../src/control/tasks/caches.ts'
import { CERTIFICATE_KINDS, certificatesTask } from '../../src/control/tasks/certificates.ts'
import { MAINTENANCE_KINDS, maintenanceTask } from '../../src/control/tasks/maintenance.ts'
import { SERVICE_UPDATE_KINDS, serviceUpdatesTask } from '../../src/control/tasks/service-updates.ts'
import { SNAPSHOT_KINDS, snapshotsTask } from '../../src/control/tasks/snapshots.ts'
import { Transfers } from '../../src/control/transfers.ts'
import { quotasWith } from '../../src/domain/quotas.ts'
import { NO_NETWORKS, type SourceNetworks } from '../../src/domain/source-networks.ts'
import { startKeeper } from '../../src/keeper/keeper.ts'
import type { Keeper } from '../../src/keeper/keeper-options.ts'
import { Vault } from '../../src/keeper/snapshots/vault.ts'
import { type Clock, MovableClock, systemClock } from '../../src/lib/clock.ts'
import { ELASTICACHE_OPERATIONS } from '../../src/services/elasticache/operations.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'
import type { State } from '../../src/state/state.ts'
import { clientOptions, KEY_PAIR, startApi, type TestApi } from './api-server.ts'

/** How the SDK's waiters are asked to wait: AWS's own delays are for caches that take minutes. Seconds. */
export const WAIT = { maxWaitTime: 20, minDelay: 1, maxDelay: 1 }

/** A client at an endpoint that comes back by itself, as an application's would. */
export function redisAt(endpoint: sdk.Endpoint): Redis {
  const redis = new Redis(endpoint.Port!, endpoint.Address!, { retryStrategy: () => 10, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  return redis
}

/** Nothing to be reached. */
const NO_S3 = { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', keys: null }
/** The one topic that has a webhook. */
export const TOPIC = 'arn:aws:sns:us-east-1:123456789012:alerts'

/** Longest that anything here may take. Milliseconds. */
const PATIENCE_MS = 15_000

export class ElastiCacheScenario {
  readonly home: string
  readonly client: ElastiCacheClient
  readonly #keeper: Keeper
  #control: Control
  readonly #api: TestApi
  readonly #lines: string[]
  readonly #clock: MovableClock
  readonly #stores: Stores
  readonly #networks: SourceNetworks

  private constructor(
    home: string,
    keeper: Keeper,
    control: Control,
    api: TestApi,
    client: ElastiCacheClient,
    lines: string[],
    clock: MovableClock,
    stores: Stores,
    networks: SourceNetworks,
  ) {
    this.home = home
    this.#keeper = keeper
    this.#control = control
    this.#api = api
    this.client = client
    this.#lines = lines
    this.#clock = clock
    this.#stores = stores
    this.#networks = networks
  }

  /** `networks`: security groups and subnets as an operator would define them. */
  static async start(
    given: Partial<StoresOptions> & {
      readonly networks?: SourceNetworks
      /** Where engines are looked for, instead of the host's usual places. */
      readonly searchPath?: readonly string[]
    } = {},
  ): Promise<ElastiCacheScenario> {
    const { networks = NO_NETWORKS, searchPath, ...storesOptions } = given
    const home = await mkdtemp(join(tmpdir(), 'cachefront-ec-'))
    const lines: string[] = []
    const keeper = await startKeeper({
      home,
      socketPath: join(home, 'keeper.sock'),
      nodeNetwork: null,
      version: 'test',
      clock: systemClock,
      log: (line) => lines.push(line),
      execPath: process.execPath,
      programArgs: [],
      env: {},
      ...(searchPath === undefined ? {} : { searchPath }),
    })
    const clock = new MovableClock()
    const stores = new Stores({ s3: NO_S3, folders: new Map(), ...storesOptions })
    const control = await startControl(home, lines, clock, stores, networks)
    // The context looks through to the control of the moment: a scenario may end one and start another.
    const scenario: { current?: ElastiCacheScenario } = {}
    const now = (): Control => scenario.current?.control ?? control
    const context = {
      get state() {
        return now().state
      },
      clock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(),
      stores,
      sourceNetworks: networks,
      host: {
        binaries: () => now().link.binaries(),
        sourceFilterMissing: () => now().link.sourceFilterMissing(),
        usedMemory: (group: string, node: string) => now().link.usedMemory(group, node),
      },
      topics: new Set([TOPIC]),
      keys: new Vault(home).keys,
    }
    const api = await startApi({ services: { cloudfront: {}, elasticache: ELASTICACHE_OPERATIONS }, context })
    const client = new ElastiCacheClient(clientOptions(api.url, KEY_PAIR))
    scenario.current = new ElastiCacheScenario(home, keeper, control, api, client, lines, clock, stores, networks)
    return scenario.current
  }

  get control(): Control {
    return this.#control
  }

  get url(): string {
    return this.#api.url
  }

  /** Control goes and comes again; the keeper and its engines stay. `between` runs while it is away. */
  async restartControl(between: () => Promise<void>): Promise<void> {
    await this.#control.close()
    await between()
    this.#control = await startControl(this.home, this.#lines, this.#clock, this.#stores, this.#networks)
  }

  /** Time on the movable clock, in milliseconds. */
  now(): number {
    return this.#clock.now()
  }

  /** Moves the time on, as `cachefront clock advance` does. */
  advance(ms: number): void {
    this.#clock.moveTo(this.#clock.offsetMs + ms)
    this.#control.poke()
  }

  async cluster(id: string): Promise<CacheCluster> {
    const command = new sdk.DescribeCacheClustersCommand({ CacheClusterId: id, ShowCacheNodeInfo: true })
    return (await this.client.send(command)).CacheClusters![0]!
  }

  async group(id: string): Promise<ReplicationGroup> {
    const command = new sdk.DescribeReplicationGroupsCommand({ ReplicationGroupId: id })
    return (await this.client.send(command)).ReplicationGroups![0]!
  }

  /** Messages of events of one source, oldest first. */
  async messages(SourceType: sdk.SourceType, SourceIdentifier: string): Promise<string[]> {
    const command = new sdk.DescribeEventsCommand({ SourceType, SourceIdentifier })
    return (await this.client.send(command)).Events!.map((event) => event.Message!).reverse()
  }

  /** Looks again after each commit and each report until `accepts` does not throw; its last error otherwise. */
  async until<T>(accepts: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      try {
        return await accepts()
      } catch (error) {
        const left = deadline - performance.now()
        if (left <= 0) throw new Error(`${(error as Error).message}\n${this.#situation()}`, { cause: error })
        await this.#control.change(Math.min(left, 100))
      }
    }
  }

  /** What the keeper sees and what the parts complained of, for a failing test. */
  #situation(): string {
    return [JSON.stringify(this.#control.link.seen()?.groups, null, 1), ...this.#lines].join('\n')
  }

  async end(): Promise<void> {
    this.client.destroy()
    await this.#api.api.close()
    await this.#control.close()
    await this.#keeper.stop({ engines: true, workers: true })
    await rm(this.home, { recursive: true, force: true })
  }
}

/** State, link and reconciler: what dies with the control process. */
export class Control {
  readonly state: State
  readonly link: KeeperLink
  readonly transfers: Transfers
  readonly #reconciler: Reconciler
  readonly #wakers = new Set<() => void>()

  constructor(state: State, link: KeeperLink, transfers: Transfers, reconciler: Reconciler) {
    this.state = state
    this.link = link
    this.transfers = transfers
    this.#reconciler = reconciler
    const wake = (): void => {
      for (const waker of this.#wakers) waker()
    }
    state.watch((changes) => {
      if (changes.some((change) => CACHE_KINDS.includes(change.kind))) reconciler.poke('caches')
      if (changes.some((change) => SNAPSHOT_KINDS.includes(change.kind))) reconciler.poke('snapshots')
      if (changes.some((change) => MAINTENANCE_KINDS.includes(change.kind))) reconciler.poke('maintenance')
      if (changes.some((change) => CERTIFICATE_KINDS.includes(change.kind))) reconciler.poke('certificates')
      if (changes.some((change) => SERVICE_UPDATE_KINDS.includes(change.kind))) reconciler.poke('service-updates')
      wake()
    })
    link.onSeen(() => {
      reconciler.poke()
      wake()
    })
  }

  poke(): void {
    this.#reconciler.poke()
  }

  /** Resolves with the next commit or report, or after `ms`. */
  change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      const wakers = this.#wakers
      function done(): void {
        clearTimeout(timer)
        wakers.delete(done)
        resolve()
      }
      wakers.add(done)
    })
  }

  async close(): Promise<void> {
    this.link.close()
    await this.#reconciler.close()
    await this.transfers.close()
    await this.link.idle()
    await this.state.close()
  }
}

async function startControl(
  home: string,
  lines: string[],
  clock: Clock,
  stores: Stores,
  networks: SourceNetworks,
): Promise<Control> {
  const state = await openSqliteState(join(home, 'state.db'), clock)
  const complain = (error: unknown): void => void lines.push(String(error))
  const socketPath = join(home, 'keeper.sock')
  const link = await openKeeperLink({ socketPath, version: 'test', state, clock, onError: complain })
  link.wish({ workers: [] })
  const owner = { region: 'us-east-1', accountId: '123456789012' }
  const vault = new Vault(home)
  const transfers = new Transfers({ vault, stores, clock, onEnd: () => control.poke() })
  const snapshots = snapshotsTask({ state, keeper: link, clock, owner, transfers, vault })
  const certificates = certificatesTask({ state, keeper: link, clock, directories: new Map() })
  const updates = serviceUpdatesTask(state, link, clock)
  const tasks = [
    cachesTask(state, link, clock, networks),
    snapshots,
    maintenanceTask(state, clock),
    certificates,
    updates,
  ]
  const control: Control = new Control(
    state,
    link,
    transfers,
    startReconciler(tasks, clock, (_name, error) => complain(error)),
  )
  return control
}
