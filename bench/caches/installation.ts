//! What the benchmarks of caches share: an installation of their own, groups in it, and looks at its processes.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElastiCache, type ReplicationGroup } from '@aws-sdk/client-elasticache'
import type { GroupSeen } from '../../src/keeper/protocol.ts'
import { readStat } from '../../src/lib/process.ts'
import type { Status } from '../../src/services/cachefront/status.ts'
import { endAll, type Installation, newHome, pidOf, up } from '../../test/support/program-installation.ts'

const TIMEOUT_MS = 60_000
const POLL_MS = 1
const WRITE_MS = 200

export class CachesInstallation {
  readonly #running: Installation
  readonly client: ElastiCache

  private constructor(running: Installation) {
    this.#running = running
    this.client = new ElastiCache({
      ...{ endpoint: running.api, region: 'us-east-1' },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
  }

  static async start(): Promise<CachesInstallation> {
    return new CachesInstallation(await up(await newHome()))
  }

  async end(): Promise<void> {
    this.client.destroy()
    await endAll(this.#running.home)
  }

  /** Creates a group and waits until the API says `available`; with how long that took, in milliseconds. */
  async createGroup(id: string, nodes: number): Promise<{ readonly group: ReplicationGroup; readonly tookMs: number }> {
    const since = performance.now()
    await this.client.createReplicationGroup({
      ...{ ReplicationGroupId: id, ReplicationGroupDescription: 'bench', Engine: 'redis' },
      ...{ CacheNodeType: 'cache.t4g.micro', NumCacheClusters: nodes, AutomaticFailoverEnabled: nodes > 1 },
    })
    return { group: await this.available(id), tookMs: performance.now() - since }
  }

  async available(id: string): Promise<ReplicationGroup> {
    for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; await sleep(POLL_MS)) {
      const { ReplicationGroups } = await this.client.describeReplicationGroups({ ReplicationGroupId: id })
      if (ReplicationGroups![0]!.Status === 'available') return ReplicationGroups![0]!
    }
    throw new Error(`${id} is not available after ${TIMEOUT_MS} ms`)
  }

  /** What the keeper sees of the group, once it is settled and `accepts` it. */
  async settled(id: string, accepts: (group: GroupSeen) => boolean = () => true): Promise<GroupSeen> {
    for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; await sleep(20)) {
      const { caches } = (await (await fetch(`${this.#running.api}/_cachefront/status`)).json()) as Status
      const group = caches?.find((one) => one.id === id)
      if (group?.settled && accepts(group)) return group
    }
    throw new Error(`${id} has not settled after ${TIMEOUT_MS} ms`)
  }

  /** Control and keeper. */
  async controlPlane(): Promise<readonly number[]> {
    return [this.#running.control.pid!, await pidOf(this.#running, 'keeper')]
  }
}

/** Resident memory of processes together. MiB. */
export function residentMib(pids: readonly number[]): number {
  const kib = pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]))
  return kib.reduce((sum, one) => sum + one, 0) / 1024
}

/** CPU time that the processes themselves have used, their children left out (engines are the keeper's). Milliseconds. */
export const ownCpuMs = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (readStat(pid)?.cpuTicks ?? 0) * 10, 0)

/** One SET on a connection of its own; true when a process other than `dead` accepted it. */
export function write(host: string, dead: number | null = null): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 6379, noDelay: true })
    let text = ''
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      const pid = /process_id:(\d+)/.exec(text)?.[1]
      resolve(text.startsWith('+OK') && pid !== undefined && Number(pid) !== dead)
    }
    const timer = setTimeout(end, WRITE_MS)
    socket.on('connect', () => socket.write('SET bench 1\r\nINFO server\r\n'))
    socket.on('data', (chunk) => {
      text += chunk
      if (/process_id:\d+\r/.test(text) || text.startsWith('-')) end()
    })
    socket.on('error', end)
    socket.on('close', end)
  })
}
