//! Control's end of the feed (edge/feed-protocol.ts): a Unix socket on which edge workers hear of every commit at once,
//! hold their leases and acknowledge. What became of an acknowledgement is the tasks' business.
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import {
  type FromWorker,
  LEASE_RENEW_MS,
  type ObjectsWanted,
  type Question,
  type ToWorker,
  type WorkerIdentity,
} from '../edge/feed-protocol.ts'
import type { Clock } from '../lib/clock.ts'
import { uuid } from '../lib/ids.ts'
import { type JsonLines, jsonLines } from '../lib/json-lines.ts'
import type { WalkStep } from '../services/cachefront/installation.ts'
import type { State } from '../state/state.ts'
import { walkCaches } from './cache-walk.ts'
import { ClockFeed, type ControlClock } from './clock-feed.ts'
import { type LiveWorker, LiveWorkers } from './live-workers.ts'
import { type Answers, Questions } from './questions.ts'
import { Teller } from './teller.ts'

/** Milliseconds between two looks at the leases. */
const SWEEP_MS = LEASE_RENEW_MS / 4

export interface FeedServerOptions {
  readonly state: State
  readonly clock: Clock
  /** Null without `--movable-clock`. */
  readonly movableClock: ControlClock | null
  readonly socketPath: string
  /** Version of this program: a worker of another one is asked to drain. */
  readonly version: string
  /** Names of the workers that the keeper is wished to run. */
  readonly workers: readonly string[]
  /** The revision that all live workers have acknowledged has changed, or the addresses that some cannot bind. */
  readonly onProgress: () => void
  /** One line for the operator. */
  readonly onProblem: (message: string) => void
}

export interface FeedServer {
  /** Workers that hold their lease. */
  live(): readonly LiveWorker[]
  /** Names of wished workers that do not. */
  missing(): readonly string[]
  /** The revision that every live worker has acknowledged; null while that says nothing (live-workers.ts). */
  acknowledged(): number | null
  /** Distributions whose dedicated address some live worker does not listen at. */
  silent(): ReadonlySet<string>
  /** Asks every live worker; wished workers without a lease are among the missing. */
  ask(question: Question): Promise<Answers>
  /** Walks through the caches of all live workers; wished workers without a lease are named first. */
  walk(wanted: ObjectsWanted): AsyncGenerator<WalkStep>
  /** Moves the clock on by `ms`; resolves when every live worker has it. Rejects without a movable clock. */
  advanceClock(ms: number): Promise<void>
  /** Looks at the leases now; also done on a period. */
  sweep(): void
  close(): Promise<void>
}

/** Listens on `socketPath` (0600), which is taken over when a dead control has left it behind. */
export async function openFeedServer(options: FeedServerOptions): Promise<FeedServer> {
  await rm(options.socketPath, { force: true })
  const feed = new Feed(options)
  await feed.listen()
  return feed
}

class Feed implements FeedServer {
  readonly #options: FeedServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #workers: LiveWorkers
  readonly #questions = new Questions()
  readonly #clock: ClockFeed
  readonly #teller: Teller
  readonly #timer: NodeJS.Timeout
  #acknowledged: number | null = null
  #silent: ReadonlySet<string> = new Set()
  #told = ''
  #sweeps = 0

  constructor(options: FeedServerOptions) {
    this.#options = options
    this.#workers = new LiveWorkers(options.clock, options.workers)
    this.#clock = new ClockFeed(options.movableClock, this.#workers)
    this.#teller = new Teller(options.state, this.#workers, options.onProblem)
    this.#server = createServer((socket) => this.#accept(socket))
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS)
  }

  async listen(): Promise<void> {
    const { socketPath } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socketPath, resolve)
    })
    // Its directory is 0700; this says the same of the socket itself.
    await chmod(socketPath, 0o600)
  }

  #accept(socket: Socket): void {
    let worker: LiveWorker | null = null
    this.#sockets.add(socket)
    const lines: JsonLines<ToWorker> = jsonLines<FromWorker, ToWorker>(socket, (message) => {
      if (worker === null) {
        if (message.type !== 'hello' || !isIdentity(message.identity) || !Number.isInteger(message.revision)) {
          socket.destroy()
          return
        }
        worker = this.#workers.join(message, lines)
        this.#welcome(worker)
      } else this.#hear(worker, message)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (worker === null) return
      worker.connection = null
      this.#questions.lost(worker)
      this.#tellWorkers()
    })
  }

  #welcome(worker: LiveWorker): void {
    this.#clock.welcome(worker)
    this.#teller.tell()
    this.#tellWorkers()
    if (worker.identity.version !== this.#options.version) {
      const { worker: name, version } = worker.identity
      this.#options.onProblem(`${name} is of version ${version}, not ${this.#options.version}: it is asked to drain`)
      worker.connection?.send({ type: 'drain' })
    }
  }

  #hear(worker: LiveWorker, message: FromWorker): void {
    switch (message.type) {
      case 'lease':
        this.#workers.renew(worker, message.failing)
        worker.silent = message.silent ?? []
        worker.shield = message.shield ?? null
        this.#progress()
        return
      case 'acknowledge':
        worker.silent = message.silent ?? []
        if (message.revision > worker.acknowledged) worker.acknowledged = message.revision
        this.#progress()
        return
      case 'clock':
        this.#clock.heard(worker, message.offsetMs)
        return
      case 'answer':
        this.#questions.answered(worker, message.id, message.answer)
        return
      case 'hello':
        worker.connection?.close()
    }
  }

  #tellWorkers(): void {
    const connected = this.#workers.connected()
    const workers = connected.map((worker) => worker.identity)
    const told = JSON.stringify(workers)
    if (told === this.#told) return
    this.#told = told
    for (const worker of connected) worker.connection?.send({ type: 'workers', workers })
  }

  live(): readonly LiveWorker[] {
    return this.#workers.live()
  }

  missing(): readonly string[] {
    return this.#workers.missing()
  }

  acknowledged(): number | null {
    return this.#workers.acknowledged()
  }

  silent(): ReadonlySet<string> {
    return new Set(this.#workers.live().flatMap(({ silent }) => silent.map(({ distributionId }) => distributionId)))
  }

  async ask(question: Question): Promise<Answers> {
    const { answers, missing } = await this.#questions.ask(this.#workers.live(), question)
    return { answers, missing: [...new Set([...missing, ...this.#workers.missing()])] }
  }

  async *walk(wanted: ObjectsWanted): AsyncGenerator<WalkStep> {
    for (const worker of this.#workers.missing()) yield { kind: 'missing', worker }
    yield* walkCaches(this.#questions, this.#workers.live(), uuid(), wanted)
  }

  advanceClock(ms: number): Promise<void> {
    return this.#clock.advance(ms)
  }

  sweep(): void {
    const lapsed = this.#workers.lapse()
    for (const worker of lapsed) {
      this.#options.onProblem(`${worker.identity.worker} has lost its lease: nothing waits for it any more`)
      worker.connection?.close()
      worker.connection = null
      this.#questions.lost(worker)
    }
    if (lapsed.length > 0) this.#tellWorkers()
    this.#clock.progress()
    this.#progress()
    // Commits that concern no edge are told now and then only, so that the change log reaches back to every worker.
    if (++this.#sweeps % SWEEPS_PER_REVISION === 0) this.#teller.tellEvenEmpty()
  }

  #progress(): void {
    const acknowledged = this.#workers.acknowledged()
    const silent = this.silent()
    const isSame = silent.size === this.#silent.size && silent.isSubsetOf(this.#silent)
    if (acknowledged === this.#acknowledged && isSame) return
    this.#acknowledged = acknowledged
    this.#silent = silent
    this.#options.onProgress()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#teller.close()
    for (const worker of this.#workers.live()) this.#questions.lost(worker)
    this.#clock.close()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

const SWEEPS_PER_REVISION = 8

/** As far as anything here relies on it: a stranger on the socket must not break health. */
function isIdentity(identity: WorkerIdentity | undefined): boolean {
  return typeof identity?.worker === 'string' && Array.isArray(identity.pops)
}
