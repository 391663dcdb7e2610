//! The installation under drill: what runs, which process is which part, and what it looks like when all is well.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GroupSeen } from '../../src/keeper/protocol.ts'
import type { Status } from '../../src/services/cachefront/status.ts'
import { type Installation, killed, processesOf, up } from '../support/program-installation.ts'

/** Longest that an installation may take to be well again. Milliseconds. */
const WELL_MS = 60_000
const LOOK_MS = 25
/** Little, so that what is cached falls to disk and comes back. MiB, of a worker. */
const MEMORY_MB = 8
const DISK_MB = 64

const flagsFor = (workers: number, more: readonly string[]): string[] => [
  ...['--workers', String(workers), '--cache-memory-mb', String(MEMORY_MB * workers)],
  ...['--disk-cache-mb', String(DISK_MB * workers)],
  ...more,
]

export class Target {
  readonly home: string
  readonly workers: number
  readonly #flags: readonly string[]
  #running: Installation

  private constructor(home: string, workers: number, flags: readonly string[], running: Installation) {
    this.home = home
    this.workers = workers
    this.#flags = flags
    this.#running = running
  }

  /** `more`: further flags of `up`. */
  static async start(home: string, workers: number, more: readonly string[] = []): Promise<Target> {
    const flags = flagsFor(workers, more)
    return new Target(home, workers, flags, await up(home, ...flags))
  }

  get api(): string {
    return this.#running.api
  }

  get edge(): string {
    return this.#running.edge
  }

  get controlPid(): number {
    return this.#running.control.pid!
  }

  async killControl(): Promise<void> {
    await killed(this.#running.control)
  }

  async startControl(): Promise<void> {
    this.#running = await up(this.home, ...this.#flags)
  }

  async status(): Promise<Status> {
    return (await (await fetch(`${this.api}/_cachefront/status`)).json()) as Status
  }

  /** The keeper may hear of a new group a moment after the API has answered. */
  async group(id: string): Promise<GroupSeen> {
    for (let waited = 0; waited < WELL_MS; waited += LOOK_MS) {
      const found = (await this.status()).caches?.find((group) => group.id === id)
      if (found !== undefined) return found
      await sleep(LOOK_MS)
    }
    throw new Error(`the keeper does not know ${id}`)
  }

  /** Processes of the installation by what they are. */
  parts(): {
    readonly control: number[]
    readonly keeper: number[]
    readonly worker: number[]
    readonly engine: number[]
  } {
    const found = { control: [] as number[], keeper: [] as number[], worker: [] as number[], engine: [] as number[] }
    for (const { pid, command } of processesOf(this.home)) {
      if (/main\.ts keeper /.test(command)) found.keeper.push(pid)
      else if (/main\.ts worker /.test(command)) found.worker.push(pid)
      else if (/main\.ts up /.test(command)) found.control.push(pid)
      else if (/redis-server|memcached|valkey-server/.test(command)) found.engine.push(pid)
    }
    return found
  }

  /** Resolves when all is well and none of `gone` is left; rejects with what is not. Milliseconds that it took. */
  async well(gone: readonly number[]): Promise<number> {
    const since = performance.now()
    let missing = ''
    while (performance.now() - since < WELL_MS) {
      missing = await this.#missing(gone).catch((error: Error) => error.message)
      if (missing === '') return performance.now() - since
      await sleep(LOOK_MS)
    }
    throw new Error(`not well after ${WELL_MS} ms: ${missing}`)
  }

  async #missing(gone: readonly number[]): Promise<string> {
    const { health, caches } = await this.status()
    if (health.status !== 'ok') return JSON.stringify(health.parts.filter((part) => !part.ok))
    const unsettled = caches?.find((group) => !group.settled)
    if (unsettled !== undefined) return `cache ${unsettled.id}: ${JSON.stringify(unsettled)}`
    const { control, keeper, worker, engine } = this.parts()
    const left = [...control, ...keeper, ...worker, ...engine].filter((pid) => gone.includes(pid))
    if (left.length > 0) return `processes ${left.join(', ')} are still there`
    const wanted = caches?.flatMap((group) => group.nodes).length ?? 0
    if (engine.length !== wanted) return `${engine.length} engines for ${wanted} nodes`
    if (control.length !== 1 || keeper.length !== 1 || worker.length !== this.workers) {
      return `control ${control.length}, keeper ${keeper.length}, workers ${worker.length}`
    }
    return ''
  }

  /** Memory of control, keeper and the largest worker. MiB. */
  memory(): { readonly control: number; readonly keeper: number; readonly worker: number } {
    const { control, keeper, worker } = this.parts()
    const largest = (pids: number[]): number => Math.max(0, ...pids.map(residentMib))
    return { control: largest(control), keeper: largest(keeper), worker: largest(worker) }
  }

  /** Open files of control, keeper and the largest worker. */
  openFiles(): number {
    const { control, keeper, worker } = this.parts()
    return Math.max(0, ...[...control, ...keeper, ...worker].map((pid) => countOf(`/proc/${pid}/fd`)))
  }
}

function residentMib(pid: number): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
  } catch {
    return 0
  }
}

function countOf(directory: string): number {
  try {
    return readdirSync(directory).length
  } catch {
    return 0
  }
}

/** Addresses of a network `127.N.0.0/16` that something still listens on. */
export function listenersIn(network: string): readonly string[] {
  const [a = '', b = ''] = network.split('.')
  const ending = [b, a].map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase()).join('')
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === '0A' && local.slice(4, 8) === ending)
    .map(([, local = '']) => local)
}
