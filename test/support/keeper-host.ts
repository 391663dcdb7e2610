//! A host for scenarios of the keeper: a home of its own, a keeper process that can be killed and started again, a
//! control connection, and an end that leaves nothing running.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { connectKeeper, type KeeperClient } from '../../src/keeper/client.ts'
import type {
  GroupSeen,
  GroupWish,
  KeeperEvent,
  KeeperSeen,
  KeeperWish,
  NodeSeen,
  WorkerWish,
} from '../../src/keeper/protocol.ts'
import { processesBelow, signalProcess } from '../../src/lib/process.ts'

/** Patience of scenarios, in milliseconds: generous, for nothing here depends on speed. */
export const PATIENCE_MS = 30_000

export class KeeperHost {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), 'keeper-')))
  readonly events: KeeperEvent[] = []
  client!: KeeperClient
  process!: ChildProcess
  #sequence = 0

  /** `prepare`: what is to be done with the home before the keeper has it. */
  static async start(prepare: (home: string) => Promise<unknown> = async () => {}): Promise<KeeperHost> {
    const host = new KeeperHost()
    process.once('exit', host.#abandon)
    await prepare(host.home)
    await host.startKeeper()
    host.client = await connectKeeper(
      join(host.home, 'keeper.sock'),
      { version: 'test', onEvents: (events) => host.#note(events) },
      PATIENCE_MS,
    )
    return host
  }

  /** Starts a keeper process and waits for its first line. */
  async startKeeper(version = 'test'): Promise<void> {
    const program = join(import.meta.dirname, 'keeper-process.ts')
    this.process = spawn(process.execPath, [program, this.home, '', version], { stdio: ['pipe', 'pipe', 'inherit'] })
    // It may be killed before it has seen that it is to end.
    this.process.stdin!.on('error', () => {})
    await once(this.process.stdout!, 'data')
  }

  async killKeeper(): Promise<void> {
    this.process.kill('SIGKILL')
    await once(this.process, 'exit')
  }

  #note(events: readonly KeeperEvent[]): void {
    const last = this.events.at(-1)?.sequence ?? 0
    this.events.push(...events.filter((e) => e.sequence > last))
  }

  /** Words of the events so far: `failover g-001 g-002`, `node-lost g-001 exit`. */
  eventWords(): readonly string[] {
    return this.events.map(({ event }) => Object.values(event).join(' '))
  }

  wish(
    groups: readonly GroupWish[],
    workers: readonly WorkerWish[] = [],
    snapshots: Pick<KeeperWish, 'snapshots' | 'snapshotDeletions'> = {},
  ): number {
    this.#sequence = Math.max(this.#sequence, this.client.seen?.sequence ?? 0) + 1
    this.client.wish({ sequence: this.#sequence, groups, workers, ...snapshots })
    return this.#sequence
  }

  waitFor(accepts: (seen: KeeperSeen) => boolean): Promise<KeeperSeen> {
    return this.client.waitFor(accepts, PATIENCE_MS)
  }

  /** The group once it is settled (after the newest wish) and `accepts` it. */
  async settled(id: string, accepts: (group: GroupSeen) => boolean = () => true): Promise<GroupSeen> {
    const find = (seen: KeeperSeen): GroupSeen | undefined =>
      seen.sequence >= this.#sequence ? seen.groups.find((g) => g.id === id && g.settled && accepts(g)) : undefined
    return find(await this.waitFor((seen) => find(seen) !== undefined))!
  }

  /** A test process that is ended before its hooks leaves nothing running either. */
  readonly #abandon = (): void => {
    this.process?.kill('SIGKILL')
    for (const { process } of processesBelow(this.home)) signalProcess(process, 'SIGKILL')
  }

  /** Waits until the keeper has removed what lies there below its home. */
  async gone(...path: string[]): Promise<void> {
    const limit = Date.now() + PATIENCE_MS
    const file = join(this.home, ...path)
    while (existsSync(file)) {
      if (Date.now() > limit) throw new Error(`${file} is still there`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Ends the keeper with its engines and workers, and whatever is left of them; then `undo` what was prepared. */
  async end(undo: () => Promise<unknown> = async () => {}): Promise<void> {
    this.client.close()
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const control = await connectKeeper(join(this.home, 'keeper.sock'), { version: 'end' }, PATIENCE_MS)
      await control.stop({ engines: true, workers: true })
      if (this.process.exitCode === null) await once(this.process, 'exit')
    }
    for (const { process } of processesBelow(this.home)) signalProcess(process, 'SIGKILL')
    await undo()
    process.removeListener('exit', this.#abandon)
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** A wish for a redis group `id` of `count` nodes `id-001`, `id-002`, ...; the first is the primary. */
export function redisGroup(id: string, count: number, change: Partial<GroupWish> = {}): GroupWish {
  const nodes = Array.from({ length: count }, (_, at) => ({
    id: `${id}-${String(at + 1).padStart(3, '0')}`,
    firstPrimary: at === 0,
  }))
  return {
    id,
    engine: 'redis',
    engineVersion: '7.1',
    port: 6379,
    nodes,
    automaticFailover: true,
    configuration: [['maxmemory', '100mb']],
    restarts: {},
    ...change,
  }
}

/** A wish for a memcached cluster of `count` nodes. */
export function memcachedGroup(id: string, count: number, change: Partial<GroupWish> = {}): GroupWish {
  const nodes = Array.from({ length: count }, (_, at) => ({ id: String(at + 1).padStart(4, '0'), firstPrimary: false }))
  const base = redisGroup(id, 0)
  return {
    ...base,
    engine: 'memcached',
    engineVersion: '1.6.22',
    port: 11211,
    nodes,
    automaticFailover: false,
    configuration: [['-m', '64']],
    ...change,
  }
}

/** A client as an application has it, without retries, so that a scenario sees each failure. */
export async function redisAt(host: string, port = 6379, options: RedisOptions = {}): Promise<Redis> {
  const own: RedisOptions = { host, port, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 }
  const redis = new Redis({ ...own, ...options })
  redis.on('error', () => {})
  await redis.connect()
  return redis
}

export const primaryOf = (group: GroupSeen): NodeSeen => group.nodes.find((n) => n.role === 'primary')!
export const replicasOf = (group: GroupSeen): readonly NodeSeen[] => group.nodes.filter((n) => n.role === 'replica')
