//! The control plane put together: feed, tasks, health. Everything is given to it; it reads no environment and starts no
//! process. main.ts composes it with the state, the keeper's link and the API.
import type { Topology } from '../domain/topology.ts'
import type { ObjectRequest, ObjectsWanted } from '../edge/feed-protocol.ts'
import type { Clock } from '../lib/clock.ts'
import { certificateProblem, certificateStatuses } from '../services/cachefront/certificates.ts'
import type { Health, Installation, WalkStep } from '../services/cachefront/installation.ts'
import type { State } from '../state/state.ts'
import type { ControlClock } from './clock-feed.ts'
import { type FeedServer, openFeedServer } from './feed-server.ts'
import { healthOf } from './health.ts'
import type { KeeperPort } from './keeper-port.ts'
import { placesDown, placesOfNetwork, switchPlace } from './places.ts'
import { mergeOrigins } from './plan/origins.ts'
import { type Reconciler, startReconciler, type Task, type TaskStatus } from './reconciler.ts'
import { DEPLOY_KINDS, deployTask } from './tasks/deploy.ts'
import { INVALIDATION_KINDS, invalidationsTask } from './tasks/invalidations.ts'
import { ruleCounts } from './waf-rules.ts'

/** A task and the kinds of documents whose commits poke it. */
export interface PokedTask {
  readonly task: Task
  readonly kinds: readonly string[]
}

export interface ControlOptions {
  readonly state: State
  readonly clock: Clock
  /** The same clock when it is movable, otherwise null. */
  readonly movableClock: ControlClock | null
  /** Unix socket that edge workers connect to, in a directory of mode 0700. */
  readonly feedSocket: string
  /** Domain below which distributions have their names. */
  readonly edgeDomain: string
  /** Version of the program. */
  readonly version: string
  /** Names of the workers that the keeper is wished to run. */
  readonly workers: readonly string[]
  /** Absent for one without POPs (tests of the feed alone). */
  readonly network?: Topology
  /** Null for an installation without a keeper (tests of the edge alone). */
  readonly keeper: Pick<KeeperPort, 'seen'> | null
  /** Tasks besides those of distributions and invalidations, e.g. the caches'. */
  readonly tasks?: readonly PokedTask[]
  /** Begins the shutdown that SIGTERM begins. */
  readonly onStop: (options: { readonly engines: boolean }) => Promise<void>
  /** One line for the operator. */
  readonly onProblem: (message: string) => void
}

export interface Control extends Installation {
  readonly feed: FeedServer
  /** Something that a task looks at has changed, e.g. the keeper has reported; all tasks without a name. */
  poke(task?: string): void
  tasks(): readonly TaskStatus[]
  /** Ends tasks and feed; the state and the keeper's link are the caller's to close. */
  close(): Promise<void>
}

/** @throws the system's error when the feed's socket cannot be made. */
export async function startControl(options: ControlOptions): Promise<Control> {
  let reconciler: Reconciler | null = null
  const feed = await openFeedServer({
    ...options,
    socketPath: options.feedSocket,
    onProgress: () => {
      reconciler?.poke('deploy')
      reconciler?.poke('invalidations')
    },
  })
  const deploy = deployTask(options.state, options.edgeDomain, {
    acknowledged: () => feed.acknowledged(),
    silent: () => feed.silent(),
  })
  const invalidations = invalidationsTask(options.state, () => feed.acknowledged())
  const tasks: readonly PokedTask[] = [
    { task: deploy, kinds: DEPLOY_KINDS },
    { task: invalidations, kinds: INVALIDATION_KINDS },
    ...(options.tasks ?? []),
  ]
  const unwatch = options.state.watch((changes) => {
    const written = changes.filter((change) => change.kind === 'invalidation' && !change.deleted)
    if (written.length > 0) invalidations.written(written.map((change) => change.id))
    for (const { task, kinds } of tasks) {
      if (changes.some((change) => kinds.includes(change.kind))) reconciler?.poke(task.name)
    }
  })
  reconciler = startReconciler(
    tasks.map(({ task }) => task),
    options.clock,
    (task, error) =>
      options.onProblem(`the task ${task} failed: ${error instanceof Error ? error.message : String(error)}`),
  )
  return new RunningControl(options, feed, reconciler, unwatch, () => deploy.problems())
}

class RunningControl implements Control {
  readonly #options: ControlOptions
  readonly #reconciler: Reconciler
  readonly #unwatch: () => void
  readonly #brokenDistributions: () => ReadonlyMap<string, string>
  readonly feed: FeedServer
  readonly clock: Installation['clock']
  #wasReady = false

  constructor(
    options: ControlOptions,
    feed: FeedServer,
    reconciler: Reconciler,
    unwatch: () => void,
    brokenDistributions: () => ReadonlyMap<string, string>,
  ) {
    this.#options = options
    this.#reconciler = reconciler
    this.#unwatch = unwatch
    this.#brokenDistributions = brokenDistributions
    this.feed = feed
    const { movableClock } = options
    this.clock =
      movableClock === null ? null : { offsetMs: () => movableClock.offsetMs, advance: (ms) => this.#advanceClock(ms) }
  }

  async #advanceClock(ms: number): Promise<void> {
    await this.feed.advanceClock(ms)
    // Schedules and retention may be due now.
    this.poke()
  }

  async health(): Promise<Health> {
    const { state, keeper, version, clock } = this.#options
    const revision = await state.revision().catch((error: unknown) => error as Error)
    const health = healthOf({
      version,
      revision,
      keeper: keeper === null ? null : { seen: keeper.seen() },
      live: this.feed.live(),
      network: this.#network,
      down: await placesDown(state).catch(() => new Set<string>()),
      missing: this.feed.missing(),
      tasks: this.tasks(),
      brokenDistributions: this.#brokenDistributions(),
      certificateProblems: await certificateProblems(state, clock).catch(() => new Map<string, string>()),
      wasReady: this.#wasReady,
    })
    if (health.status === 'ok') this.#wasReady = true
    return health
  }

  async trace(id: string): ReturnType<Installation['trace']> {
    const { answers, missing } = await this.feed.ask({ kind: 'trace', traceId: id })
    for (const { answer } of answers)
      if (answer.kind === 'trace' && answer.trace) return { trace: answer.trace, missing }
    return null
  }

  async counters(): ReturnType<Installation['counters']> {
    const { answers, missing } = await this.feed.ask({ kind: 'counters' })
    const counters: Record<string, number> = {}
    for (const { answer } of answers) {
      if (answer.kind !== 'counters') continue
      for (const [name, count] of Object.entries(answer.counters)) counters[name] = (counters[name] ?? 0) + count
    }
    return { counters, missing }
  }

  async origins(): ReturnType<Installation['origins']> {
    const { answers, missing } = await this.feed.ask({ kind: 'origins' })
    const seen = answers.flatMap(({ answer }) => (answer.kind === 'origins' ? answer.origins : []))
    return { origins: mergeOrigins(seen), missing }
  }

  wafRules(): ReturnType<Installation['wafRules']> {
    return ruleCounts(this.feed)
  }

  objects(wanted: ObjectsWanted): AsyncIterable<WalkStep> {
    return this.feed.walk(wanted)
  }

  async object(request: ObjectRequest): ReturnType<Installation['object']> {
    const { answers, missing } = await this.feed.ask({ kind: 'object', request })
    return {
      workers: answers.flatMap(({ worker, answer }) => (answer.kind === 'object' ? { worker, ...answer.found } : [])),
      missing,
    }
  }

  async storage(): ReturnType<Installation['storage']> {
    const { answers, missing } = await this.feed.ask({ kind: 'storage' })
    return {
      workers: answers.flatMap(({ worker, answer }) =>
        answer.kind === 'storage' ? { worker, ...answer.storage } : [],
      ),
      missing,
    }
  }

  get #network(): Topology {
    return this.#options.network ?? { pops: [], regionals: [] }
  }

  places(): ReturnType<Installation['places']> {
    return placesOfNetwork(this.#network, this.#options.state, this.feed.live())
  }

  switchPlace(name: string, wanted: 'up' | 'down'): Promise<boolean> {
    const { state, clock } = this.#options
    return switchPlace(name, wanted, state, clock, () => this.feed.acknowledged())
  }

  keeperSeen(): ReturnType<Installation['keeperSeen']> {
    return this.#options.keeper?.seen() ?? null
  }

  stop(options: { readonly engines: boolean }): Promise<void> {
    return this.#options.onStop(options)
  }

  poke(task?: string): void {
    this.#reconciler.poke(task)
  }

  tasks(): readonly TaskStatus[] {
    return this.#reconciler.status()
  }

  async close(): Promise<void> {
    this.#unwatch()
    await this.#reconciler.close()
    await this.feed.close()
  }
}

/** By the first name of each. */
async function certificateProblems(state: State, clock: Clock): Promise<ReadonlyMap<string, string>> {
  // Who uses which takes a look at every distribution: not while all is well.
  const isWell = (await state.list('certificate')).every(
    ({ doc }) => doc.problem === undefined && doc.status !== 'EXPIRED' && doc.stapling?.problem === undefined,
  )
  if (isWell) return new Map()
  const seen = await certificateStatuses(state, clock.now())
  return new Map(
    seen.flatMap((one): [string, string][] => {
      const problem = certificateProblem(one)
      return problem === null ? [] : [[one.names[0] ?? one.arn, problem]]
    }),
  )
}
