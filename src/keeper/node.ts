//! One cache node as the keeper knows it: its process, the admin connection, what it last said, and for how long it has
//! been silent. It watches and does as told; what should happen is decided for the whole group (failover.ts).
import type { Clock } from '../lib/clock.ts'
import { isAlive, type ProcessIdentity, starvedMs, statOf, waitForEnd } from '../lib/process.ts'
import type { Binary } from './binaries.ts'
import type { Door } from './door.ts'
import type { Engine, EngineFacts, EngineLink, EngineUser, Launch, Setting } from './engine.ts'
import { endProcess, killProcess, logTail, startProcess } from './engine-process.ts'
import type { Health } from './group-view.ts'
import { judge } from './judge.ts'
import { holderOf } from './listeners.ts'
import type { Listening, ServedCertificate, Source } from './transit.ts'

/** Milliseconds between two attempts to connect to an engine that has just been started, or that does not answer. */
const CONNECT_RETRY_MS = 4
const CONNECT_SLOWLY_MS = 100
/** From here on a started engine that has not answered is tried slowly, and later given up. */
const START_QUICK_MS = 2000
const START_TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 500
/** Back-off of starts that fail: doubles from the first to the last. The one retry policy of engines. */
const BACK_OFF_FIRST_MS = 100
const BACK_OFF_LAST_MS = 10_000
/** After the connection closed, the process is given this long to be gone before it counts as silent. */
const EXIT_GRACE_MS = 200

/** How an engine takes clients. */
export interface Transit {
  readonly listening: Listening
  /** Null without TLS. */
  readonly certificate: ServedCertificate | null
}

export interface NodeOptions {
  readonly id: string
  /** Ways in which it may be reached, the wished one first; asked again before each attempt. */
  readonly doors: () => readonly [Door, ...Door[]]
  /** How it is to listen when it starts, and with which certificate. */
  readonly transit: () => Transit
  /** Who may come in now, and the default user of an engine that starts; none of memcached. */
  readonly users: () => readonly EngineUser[]
  readonly defaultUser: () => EngineUser | null
  readonly dir: string
  readonly engine: Engine
  readonly clock: Clock
  /** Something changed that the group should look at. */
  readonly onChange: () => void
}

export class EngineNode {
  readonly id: string
  /** Where its process works and logs. */
  dir: string
  readonly #options: NodeOptions
  process: ProcessIdentity | null = null
  link: EngineLink | null = null
  facts: EngineFacts | null = null
  /** When it said so (monotonic). */
  factsAt = 0
  startedWith: readonly Setting[] = []
  /** Names of settings the engine holds with other values than wished. */
  pending: readonly string[] = []
  /** JSON of the settings that `pending` speaks of. */
  #configured = ''
  /** The users that it was given last; null when none. */
  #usersGiven: readonly EngineUser[] | null = null
  /** What it refused of them, for a person. */
  usersProblem: string | null = null
  /** File of the certificate that it was given last. */
  #served: string | null = null
  /** What keeps it from starting, for a person. */
  problem: string | null = null
  /** Holds a copy of the data as far as we know; false again when it is started anew. */
  hasData = false
  #wasAvailable = false
  #isStarting = false
  #startedAt = 0
  #failures = 0
  #mayStartAt = 0
  #silentSince: number | null = null
  /** Work of the process (`#workMs`) when the silence began. */
  #silentWorkMs = 0
  #openQuestions = 0
  #refused = new Set<string>()
  #closed = false

  constructor(options: NodeOptions) {
    this.#options = options
    this.id = options.id
    this.dir = options.dir
  }

  /** Address of its own. */
  get address(): string {
    return this.#options.doors()[0].address
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }

  get mayStart(): boolean {
    return this.#now() >= this.#mayStartAt
  }

  /** Milliseconds until the back-off ends; 0 when it may start. */
  get startsInMs(): number {
    return Math.max(0, this.#mayStartAt - this.#now())
  }

  health(alone: boolean): Health {
    if (this.process === null) return { kind: 'absent' }
    const stat = statOf(this.process)
    if (stat === null) return { kind: 'lost', reason: 'exit' }
    if (this.#isStarting && this.#now() - this.#startedAt < START_TIMEOUT_MS) return { kind: 'starting' }
    const silentMs = this.#silentSince === null ? null : this.#now() - this.#silentSince
    const workMs = silentMs === null ? 0 : workOf(this.process.pid, stat.cpuTicks) - this.#silentWorkMs
    const judgement = judge({ state: stat.state, silentMs, workMs, alone })
    if (judgement.kind === 'lost') return judgement
    // Without facts it was adopted and has not answered yet: neither well nor lost.
    // One that still loads its append-only file refuses every command of clients.
    return this.link !== null && this.facts?.isLoading === false && judgement.kind === 'well'
      ? { kind: 'well' }
      : { kind: 'waiting' }
  }

  /**
   * Starts the process, without core dumps when it `isConfidential`; a failure is noted in `problem` and the back-off.
   * Does not wait for its first answer.
   */
  start(binary: Binary, settings: readonly Setting[], replicaOf: Source | null, isConfidential: boolean): void {
    const { engine, id, defaultUser } = this.#options
    const { dir } = this
    const [door] = this.#options.doors()
    const { listening, certificate } = this.#options.transit()
    this.#forget()
    for (const port of [listening.plain, listening.tls].filter((one) => one !== 0)) {
      const holder = holderOf(door.address, port)
      if (holder === null) continue
      this.#failed(`${door.address}:${port} of node ${id} is held by ${holder.text}; end it or delete this node`)
      return
    }
    const usable = settings.filter((setting) => !this.#refused.has(setting.join(' ')))
    const order = {
      ...{ binary, name: id, door, listening, certificate },
      ...{ defaultUser: defaultUser(), dir, settings: usable, replicaOf },
    }
    let launch: Launch
    try {
      launch = engine.launch(order)
      const started: ProcessIdentity = startProcess(binary.path, dir, { ...launch, isConfidential }, () =>
        this.#exited(started, settings),
      )
      this.process = started
    } catch (error) {
      this.#failed(`node ${id} could not be started: ${(error as Error).message}`)
      return
    }
    this.startedWith = launch.startedWith
    this.#served = certificate?.file ?? null
    this.#isStarting = true
    this.#startedAt = this.#now()
    void this.#connect(this.process)
  }

  /**
   * Takes over a process that runs already; `wasAvailable` when it is known to have been in sync before. It is watched
   * like any other from the first moment.
   */
  adopt(process: ProcessIdentity, startedWith: readonly Setting[], wasAvailable: boolean, dir = this.dir): void {
    this.#forget()
    this.dir = dir
    this.#wasAvailable = wasAvailable
    this.process = process
    this.startedWith = startedWith
    // Until it says otherwise: an empty primary beside it would make it throw its copy away.
    this.hasData = true
    this.#noteSilence()
    void this.#connect(process)
  }

  #forget(): void {
    this.link?.close()
    this.link = null
    this.facts = null
    this.process = null
    this.pending = []
    this.#configured = ''
    this.#usersGiven = null
    this.usersProblem = null
    this.#served = null
    this.hasData = false
    this.#wasAvailable = false
    this.#silentSince = null
  }

  /** Its own child ended. One that never answered failed to start; its log says why. */
  #exited(process: ProcessIdentity, settings: readonly Setting[]): void {
    // The end of the one before it is reported late at times: that one is history.
    if (this.#closed || this.process !== process) return
    if (this.#isStarting) {
      const tail = logTail(this.dir)
      const refused = this.#options.engine.refusedSetting(tail, settings)
      if (refused !== null && !this.#refused.has(refused.join(' '))) {
        // This engine does not know the directive: go on without it and name it as pending.
        this.#refused.add(refused.join(' '))
        this.process = null
        this.#isStarting = false
        this.#options.onChange()
        return
      }
      const lastLine = tail.trim().split('\n').at(-1) ?? ''
      this.process = null
      this.#failed(`node ${this.id} ended right after its start: ${lastLine} (log: ${this.dir}/log)`)
    }
    this.#options.onChange()
  }

  #failed(problem: string): void {
    this.problem = problem
    this.#isStarting = false
    this.#mayStartAt = this.#now() + Math.min(BACK_OFF_FIRST_MS * 2 ** this.#failures, BACK_OFF_LAST_MS)
    this.#failures++
  }

  async #connect(process: ProcessIdentity): Promise<void> {
    const { engine, doors } = this.#options
    for (let attempt = 0; !this.#closed && this.process === process && isAlive(process); attempt++) {
      const all = doors()
      // One that was just started listens as it was told; any other may have been left as it was in between.
      const door = this.#isStarting ? all[0] : all[attempt % all.length]!
      try {
        const link = await engine.open(door, CONNECT_TIMEOUT_MS, () => this.#linkClosed(process))
        // Before anything leads to it: it must not be open, nor closed, to the wrong ones for a moment.
        await this.#giveUsers(link)
        if (this.process !== process || this.#closed) {
          link.close()
          return
        }
        this.link = link
        this.#refusal(null)
        await this.look()
        return
      } catch (error) {
        this.#refusal(error as Error)
        const quick = this.#isStarting && this.#now() - this.#startedAt < START_QUICK_MS
        await new Promise((resolve) => setTimeout(resolve, quick ? CONNECT_RETRY_MS : CONNECT_SLOWLY_MS))
      }
    }
    this.#options.onChange()
  }

  /**
   * An engine that ends a connection by itself is awake, if not for us (`maxclients` is reached): that is no silence, and
   * to kill it would help nobody.
   */
  #refusal(error: Error | null): void {
    const text = `node ${this.id} refuses the keeper's connection; it may have as many clients as it takes (maxclients)`
    if (error === null) {
      if (this.problem === text) this.problem = null
      return
    }
    if (this.#isStarting || !/max number of clients|Connection is closed/.test(error.message)) return
    this.forgiveSilence()
    this.problem = text
  }

  #answeredFirst(): void {
    this.#isStarting = false
    this.#failures = 0
    this.problem = null
    this.#options.onChange()
  }

  /** The news that a primary is dead arrives here first: sockets close before the process is gone from /proc. */
  #linkClosed(process: ProcessIdentity): void {
    if (this.process !== process || this.#closed) return
    this.link = null
    this.#noteSilence()
    void waitForEnd(process, EXIT_GRACE_MS).then((ended) => {
      if (this.process !== process || this.#closed) return
      this.#options.onChange()
      if (!ended) void this.#connect(process)
    })
  }

  #noteSilence(): void {
    if (this.#silentSince !== null || this.process === null) return
    this.#silentSince = this.#now()
    this.#silentWorkMs = workOf(this.process.pid, statOf(this.process)?.cpuTicks ?? 0)
  }

  /** The keeper itself was stopped or starved for a while: silence of that time proves nothing. */
  forgiveSilence(): void {
    if (this.#silentSince === null || this.process === null) return
    this.#silentSince = null
    this.#noteSilence()
  }

  /** A question is on its way; another one would only queue behind it. */
  get isAsked(): boolean {
    return this.#openQuestions > 0
  }

  /** Asks something and measures the silence until the first answer. */
  async #question(ask: (link: EngineLink) => Promise<void>): Promise<void> {
    const link = this.link
    if (link === null) return
    this.#noteSilence()
    this.#openQuestions++
    try {
      await ask(link)
      if (this.link === link) this.#silentSince = null
    } catch {
      // No answer in time, which is silence, or the connection broke: `#linkClosed` has the news.
    } finally {
      this.#openQuestions--
    }
  }

  async ping(): Promise<void> {
    await this.#question((link) => link.ping())
  }

  /** Reads what the engine says of itself. */
  async look(): Promise<void> {
    await this.#question(async (link) => {
      const facts = await link.look()
      if (this.link !== link) return
      if (facts.pid !== this.process?.pid) {
        this.problem = `${this.address} is answered by process ${facts.pid}, which is not node ${this.id}`
        return
      }
      const isFirst = this.facts === null
      if (isFirst) this.hasData = this.#wasAvailable
      this.facts = facts
      this.factsAt = this.#now()
      // Once in sync it keeps its copy when the link breaks, until a new full transfer begins. An offset of 0 proves
      // nothing: a primary that nobody wrote to has it, too.
      if (facts.isCopying) this.hasData = false
      else if (facts.role !== 'replica' || facts.inSync || facts.offset > 0) this.hasData = true
      if (isFirst) this.#answeredFirst()
    })
  }

  /** Applies the settings to the running engine, once for each new wish. */
  async configure(settings: readonly Setting[]): Promise<void> {
    const key = JSON.stringify(settings)
    if (this.link === null || this.#configured === key) return
    this.pending = await this.link.configure(settings, this.startedWith)
    this.#configured = key
  }

  /** Gives the running engine its users, once for each new wish. */
  async giveUsers(): Promise<void> {
    if (this.link !== null && !this.#hasBeenGiven(this.#options.users())) await this.#giveUsers(this.link)
  }

  async #giveUsers(link: EngineLink): Promise<void> {
    const users = this.#options.users()
    this.usersProblem = await link.setUsers(users)
    this.#usersGiven = users
  }

  /** Whether the engine has the users that are wished now. */
  get hasUsers(): boolean {
    return this.usersProblem === null && this.#hasBeenGiven(this.#options.users())
  }

  #hasBeenGiven(users: readonly EngineUser[]): boolean {
    // One list a wish: most comparisons end at the first word.
    return this.#usersGiven === users || JSON.stringify(this.#usersGiven) === JSON.stringify(users)
  }

  /** Gives it the certificate to serve, once. */
  async serve(certificate: ServedCertificate): Promise<void> {
    if (this.link === null || this.#served === certificate.file) return
    await this.link.serveCertificate(certificate, this.dir)
    this.#served = certificate.file
  }

  isServing(certificate: ServedCertificate): boolean {
    return this.#served === certificate.file
  }

  async end(): Promise<void> {
    if (this.process !== null) await endProcess(this.process, this.#options.engine.endSignal)
    this.#forget()
  }

  async kill(): Promise<void> {
    if (this.process !== null) await killProcess(this.process)
  }

  /** Stops watching; the process goes on. */
  release(): void {
    this.#closed = true
    this.link?.close()
    this.link = null
  }
}

/** Milliseconds that a process has worked, or would have on a host with a free core. A clock tick is 10 ms on Linux. */
const workOf = (pid: number, cpuTicks: number): number => cpuTicks * 10 + starvedMs(pid)
