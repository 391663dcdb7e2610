//! Edge workers: processes of this program that the keeper starts, starts again when they die, and replaces by the
//! wished version. They are detached and outlive the keeper, which adopts them when it is back.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { identify, isAlive, type ProcessIdentity, signalProcess, waitForEnd } from '../lib/process.ts'
import type { Ledger } from './ledger.ts'
import type { KeeperSeen, WorkerWish } from './protocol.ts'

/** How often adopted workers, whose end nobody reports, are looked for. Milliseconds. */
const WATCH_MS = 200
/** Back-off of a worker that keeps dying, doubling; forgotten once it has lived for a while. Milliseconds. */
const BACK_OFF_FIRST_MS = 50
const BACK_OFF_LAST_MS = 5000
const LIVED_LONG_MS = 10_000
/** A worker gets this long to finish what its viewers are being sent. Milliseconds. */
const DRAIN_MS = 30_000

export interface WorkersOptions {
  readonly home: string
  /** Node itself, and what comes before the worker's own arguments (options of node, path of main). */
  readonly execPath: string
  readonly programArgs: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly ledger: Ledger
  readonly clock: Clock
  readonly onChange: () => void
  readonly log: (line: string) => void
}

interface Worker {
  wish: WorkerWish | null
  process: ProcessIdentity | null
  /** Version and arguments of the running process. */
  version: string
  args: readonly string[]
  restarts: number
  failures: number
  startedAt: number
  mayStartAt: number
  draining: boolean
}

export class Workers {
  readonly #options: WorkersOptions
  readonly #workers = new Map<string, Worker>()
  #timer: NodeJS.Timeout | null = null
  #closed = false

  /** Adopts what the ledger knows and still lives. */
  constructor(options: WorkersOptions) {
    this.#options = options
    for (const record of options.ledger.workers()) {
      this.#workers.set(record.name, {
        ...newWorker(null),
        process: record.process,
        version: record.version,
        args: record.args,
        restarts: record.restarts,
        startedAt: options.clock.monotonic(),
      })
    }
  }

  apply(wishes: readonly WorkerWish[]): void {
    const wished = new Map(wishes.map((wish) => [wish.name, wish]))
    for (const [name, worker] of this.#workers) worker.wish = wished.get(name) ?? null
    for (const wish of wishes) if (!this.#workers.has(wish.name)) this.#workers.set(wish.name, newWorker(wish))
    this.#step()
  }

  seen(): KeeperSeen['workers'] {
    return [...this.#workers].map(([name, worker]) => ({
      name,
      pid: worker.process?.pid ?? null,
      version: worker.version,
      restarts: worker.restarts,
    }))
  }

  /** One look at every worker: note deaths, start what is due, drain what is not wished. */
  #step(): void {
    if (this.#closed) return
    for (const [name, worker] of this.#workers) this.#stepOne(name, worker)
    if (this.#timer !== null) clearTimeout(this.#timer)
    const now = this.#options.clock.monotonic()
    const due = [...this.#workers.values()]
      .filter((w) => w.process === null)
      .map((w) => Math.max(1, w.mayStartAt - now))
    this.#timer = setTimeout(() => this.#step(), Math.min(WATCH_MS, ...due))
  }

  #stepOne(name: string, worker: Worker): void {
    if (worker.process !== null && !isAlive(worker.process)) this.#noteDeath(name, worker)
    const { wish } = worker
    if (worker.process !== null) {
      const isWished = wish !== null && wish.version === worker.version && sameArgs(wish.args, worker.args)
      if (!isWished) this.#drain(worker)
      return
    }
    if (wish === null) {
      this.#workers.delete(name)
      this.#options.ledger.dropWorker(name)
      this.#options.onChange()
      return
    }
    if (this.#options.clock.monotonic() >= worker.mayStartAt) this.#start(name, worker, wish)
  }

  #noteDeath(name: string, worker: Worker): void {
    const now = this.#options.clock.monotonic()
    worker.process = null
    if (worker.draining) {
      worker.draining = false
      worker.mayStartAt = 0
    } else {
      if (now - worker.startedAt >= LIVED_LONG_MS) worker.failures = 0
      worker.mayStartAt = now + Math.min(BACK_OFF_FIRST_MS * 2 ** worker.failures, BACK_OFF_LAST_MS)
      worker.failures++
      worker.restarts++
      this.#options.log(`worker ${name} ended; it is started again (log: ${this.logOf(name)})`)
    }
    this.#options.onChange()
  }

  logOf(name: string): string {
    return join(this.#options.home, 'logs', `${name}.log`)
  }

  #start(name: string, worker: Worker, wish: WorkerWish): void {
    const { home, execPath, programArgs, env, ledger, clock, onChange, log } = this.#options
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
    const output = openSync(this.logOf(name), 'a', 0o600)
    const child = spawn(execPath, [...programArgs, ...wish.args], {
      detached: true,
      stdio: ['ignore', output, output],
      env,
    })
    closeSync(output)
    child.on('error', (error) => log(`worker ${name} could not be started: ${error.message}`))
    child.on('exit', () => this.#step())
    child.unref()
    worker.startedAt = clock.monotonic()
    worker.process = child.pid === undefined ? null : identify(child.pid)
    worker.version = wish.version
    worker.args = wish.args
    if (worker.process === null) {
      this.#noteDeath(name, worker)
      return
    }
    ledger.setWorker({
      name,
      process: worker.process,
      version: wish.version,
      args: wish.args,
      restarts: worker.restarts,
    })
    onChange()
  }

  /** SIGTERM drains; the successor starts when the old one is gone, for it needs its addresses. */
  #drain(worker: Worker): void {
    if (worker.draining || worker.process === null) return
    worker.draining = true
    const { process } = worker
    signalProcess(process, 'SIGTERM')
    void waitForEnd(process, DRAIN_MS).then((ended) => {
      if (!ended) signalProcess(process, 'SIGKILL')
      this.#step()
    })
  }

  /** Stops watching; workers go on. */
  release(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** Drains and ends all workers on purpose. */
  async end(): Promise<void> {
    this.release()
    await Promise.all(
      [...this.#workers].map(async ([name, { process }]) => {
        if (process !== null) {
          signalProcess(process, 'SIGTERM')
          if (!(await waitForEnd(process, DRAIN_MS))) signalProcess(process, 'SIGKILL')
        }
        this.#options.ledger.dropWorker(name)
      }),
    )
  }
}

const sameArgs = (a: readonly string[], b: readonly string[]): boolean => JSON.stringify(a) === JSON.stringify(b)

function newWorker(wish: WorkerWish | null): Worker {
  return {
    wish,
    process: null,
    version: '',
    args: [],
    restarts: 0,
    failures: 0,
    startedAt: 0,
    mayStartAt: 0,
    draining: false,
  }
}
