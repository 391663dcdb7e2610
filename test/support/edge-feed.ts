//! A feed for edge scenarios: speaks the real protocol over a real Unix socket, and waits for acknowledgements. What it
//! sends is what a test tells it; it decides nothing.
import { createServer, type Server, type Socket } from 'node:net'
import type { DistributionDoc } from '../../src/domain/distribution.ts'
import type {
  Answer,
  FailingOrigin,
  FeedChange,
  FromWorker,
  Question,
  SeenObject,
  ShieldSeen,
  SilentAddress,
  ToWorker,
  WorkerIdentity,
} from '../../src/edge/feed-protocol.ts'
import { type JsonLines, jsonLines } from '../../src/lib/json-lines.ts'

interface Connected {
  readonly socket: Socket
  readonly lines: JsonLines<ToWorker>
  identity: WorkerIdentity | null
  /** Revision that the worker said hello with. */
  helloRevision: number
  acknowledged: number
  silent: readonly SilentAddress[]
  clockOffsetMs: number
}

export class EdgeFeed {
  readonly path: string
  revision = 1
  readonly #documents = new Map<string, DistributionDoc>()
  readonly #log: { readonly revision: number; readonly change: FeedChange }[] = []
  readonly #connected = new Set<Connected>()
  readonly #waiting = new Set<() => void>()
  readonly #answers = new Map<number, (answer: Answer) => void>()
  #server: Server | null = null
  #questions = 0
  /** As after a reset of the state: what a worker has is not to be built on. */
  greetsWithSnapshot = false
  /** Revisions that workers said hello with. */
  readonly hellos: number[] = []

  readonly #leases: ((failing: readonly FailingOrigin[]) => void)[] = []
  readonly #shields: ((shield: ShieldSeen | null) => void)[] = []

  constructor(path: string, documents: readonly DistributionDoc[]) {
    this.path = path
    for (const document of documents) this.#documents.set(document.id, document)
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.path, resolve))
  }

  /** Control dies: every connection is cut, nobody listens. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = null
    for (const { socket } of this.#connected) socket.destroy()
    this.#connected.clear()
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  /** Gives every worker up, and goes on; resolves when they have heard that their connection is closed. */
  async cut(): Promise<void> {
    const all = [...this.#connected]
    this.#connected.clear()
    for (const { socket } of all) socket.destroy()
    // The workers of a scenario live in this process: their end is closed some turns of the loop later.
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Resolves when so many workers are connected and have what there is. */
  async workersReady(count: number): Promise<void> {
    await this.until(
      () => [...this.#connected].filter((c) => c.identity !== null && c.acknowledged >= this.revision).length >= count,
    )
  }

  /** The same of attacks and overloads; null when it says nothing of them. */
  shield(): Promise<ShieldSeen | null> {
    return new Promise((resolve) => this.#shields.push(resolve))
  }

  /** Resolves with what the next lease of any worker says of origins. */
  lease(): Promise<readonly FailingOrigin[]> {
    return new Promise((resolve) => this.#leases.push(resolve))
  }

  /** Addresses that workers cannot bind, as they said last. */
  silent(): readonly SilentAddress[] {
    return [...this.#connected].flatMap(({ silent }) => silent)
  }

  /** Commits a change and resolves when every connected worker has acknowledged it. */
  async change(make: (revision: number) => FeedChange): Promise<void> {
    await this.send(make)
  }

  async put(document: DistributionDoc): Promise<void> {
    this.#documents.set(document.id, document)
    await this.send(() => ({ kind: 'distribution', id: document.id, distribution: document }))
  }

  async remove(id: string): Promise<void> {
    this.#documents.delete(id)
    await this.send(() => ({ kind: 'distribution', id, distribution: null }))
  }

  async invalidate(distributionId: string, ...paths: string[]): Promise<void> {
    await this.send((revision) => this.#invalidation(revision, distributionId, paths))
  }

  /** What matches may be served on while it is fetched anew. */
  async invalidateSoftly(distributionId: string, ...paths: string[]): Promise<void> {
    await this.send((revision) => this.#invalidation(revision, distributionId, paths, { soft: true }))
  }

  #invalidation(revision: number, distributionId: string, paths: string[], more: { soft?: true } = {}): FeedChange {
    const tagHeader = this.#documents.get(distributionId)?.cacheTagHeader
    const tagged = tagHeader === undefined ? {} : { tagHeader }
    return {
      kind: 'invalidation',
      revision,
      invalidation: { id: `I${revision}`, distributionId, paths, ...tagged, ...more },
    }
  }

  /** Commits without telling anybody, as when the workers cannot be reached. */
  commit(make: (revision: number) => FeedChange): void {
    this.revision++
    this.#log.push({ revision: this.revision, change: make(this.revision) })
  }

  /** Forgets the log: who is behind gets a whole snapshot. */
  forgetLog(): void {
    this.#log.length = 0
  }

  async send(make: (revision: number) => FeedChange, only?: string): Promise<void> {
    this.revision++
    const { revision } = this
    const change = make(revision)
    this.#log.push({ revision, change })
    for (const { lines, identity } of this.#connected) {
      if (only === undefined || identity?.worker === only) lines.send({ type: 'changes', revision, changes: [change] })
    }
    await this.until(() =>
      [...this.#connected].every(
        (c) => (only !== undefined && c.identity?.worker !== only) || c.acknowledged >= revision,
      ),
    )
  }

  async moveClock(offsetMs: number): Promise<void> {
    for (const { lines } of this.#connected) lines.send({ type: 'clock', offsetMs })
    await this.until(() => [...this.#connected].every((c) => c.clockOffsetMs >= offsetMs))
  }

  /** Tells all of them, or the one of that name. */
  tellWorkers(workers: readonly WorkerIdentity[], only?: string): void {
    for (const { lines, identity } of this.#connected)
      if (only === undefined || identity?.worker === only) lines.send({ type: 'workers', workers })
  }

  drain(): void {
    for (const { lines } of this.#connected) lines.send({ type: 'drain' })
  }

  /** The first worker's answer. */
  ask(question: Question, worker?: string): Promise<Answer> {
    const id = ++this.#questions
    for (const { lines, identity } of this.#connected) {
      if (worker !== undefined && identity?.worker !== worker) continue
      lines.send({ type: 'question', id, question })
      return new Promise((resolve) => this.#answers.set(id, resolve))
    }
    throw new Error('no worker is connected')
  }

  /** What a worker has cached in memory of a distribution; of few objects, for it is one page. */
  async cached(distributionId: string, worker?: string): Promise<readonly SeenObject[]> {
    const wanted = { distributionId, prefix: '', invalidation: null }
    const cursor = { tier: 'memory', at: 0 } as const
    const answer = await this.ask({ kind: 'objects', walk: `test-${++this.#questions}`, wanted, cursor }, worker)
    if (answer.kind !== 'objects') throw new Error(JSON.stringify(answer))
    return answer.objects
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
    })
  }

  #accept(socket: Socket): void {
    const connected: Connected = {
      socket,
      lines: jsonLines<FromWorker, ToWorker>(socket, (message) => this.#onMessage(connected, message)),
      identity: null,
      helloRevision: -1,
      acknowledged: -1,
      silent: [],
      clockOffsetMs: 0,
    }
    this.#connected.add(connected)
    socket.on('error', () => {})
    socket.once('close', () => this.#connected.delete(connected))
  }

  #onMessage(connected: Connected, message: FromWorker): void {
    switch (message.type) {
      case 'hello':
        connected.identity = message.identity
        this.hellos.push(message.revision)
        this.#greet(connected, message.revision)
        break
      case 'acknowledge':
        connected.acknowledged = message.revision
        connected.silent = message.silent ?? []
        break
      case 'clock':
        connected.clockOffsetMs = message.offsetMs
        break
      case 'answer':
        this.#answers.get(message.id)?.(message.answer)
        break
      case 'lease':
        connected.silent = message.silent ?? []
        for (const heard of this.#leases.splice(0)) heard(message.failing ?? [])
        for (const heard of this.#shields.splice(0)) heard(message.shield ?? null)
        break
    }
    for (const check of [...this.#waiting]) check()
  }

  #greet({ lines }: Connected, revision: number): void {
    const oldest = this.#log[0]?.revision ?? Number.POSITIVE_INFINITY
    if (!this.greetsWithSnapshot && revision >= 0 && (revision >= this.revision || revision + 1 >= oldest)) {
      const changes = this.#log.filter((entry) => entry.revision > revision).map((entry) => entry.change)
      lines.send({ type: 'changes', revision: this.revision, changes })
    } else {
      lines.send({ type: 'snapshot', revision: this.revision, distributions: [...this.#documents.values()] })
    }
  }
}
