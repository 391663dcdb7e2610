//! The snapshots of the keeper: captures what is wished, one group at a time, deletes what is named for deletion, and
//! reports what is there. What an ended keeper left half done is begun anew.
import type { Clock } from '../../lib/clock.ts'
import type { Door } from '../door.ts'
import { AttemptError, capture } from './capture.ts'
import { KeyError } from './key-file.ts'
import type { CaptureNote, Stored } from './manifest.ts'
import type { Vault } from './vault.ts'
import type { SnapshotFacts, SnapshotSeen, SnapshotWish } from './wish.ts'

/** Attempts at one snapshot, those of earlier keepers included. */
const ATTEMPTS_MAX = 5
/** How long a capture waits for a node that can be captured, how often it looks, and the pause between attempts. Ms. */
const SOURCE_WAIT_MS = 60_000
const SOURCE_LOOK_MS = 50
const AGAIN_MS = 300
/** Captures at the same time, of different groups. */
const CAPTURES_MAX = 2

/** A node to capture from, as its group knows it at this moment. */
export interface CaptureSource {
  readonly node: string
  readonly door: Door
  /** Text of `INFO all`. */
  statistics(): Promise<string>
  /** ISO time at which the group's primary was started anew without data; null when it has its data. */
  lostDataAt(): string | null
}

export interface CapturesOptions {
  readonly vault: Vault
  readonly clock: Clock
  /** The node of the group to capture from; a text says in words why there is none now; null: there is no such group. */
  readonly source: (group: string, from: SnapshotWish['from']) => CaptureSource | string | null
  readonly onChange: () => void
  readonly log: (line: string) => void
}

export class Captures {
  readonly #options: CapturesOptions
  readonly #seen = new Map<string, SnapshotSeen>()
  /** Wished and not ready: waiting for their turn, or running. */
  readonly #pending = new Map<string, CaptureNote>()
  readonly #running = new Map<
    string,
    { readonly abort: AbortController; readonly done: Promise<void>; group: string }
  >()
  #deletions: Promise<unknown> = Promise.resolve()
  readonly #deleting = new Set<string>()
  #closed = false

  constructor(options: CapturesOptions) {
    this.#options = options
  }

  /** Reads what is there; what an ended keeper was capturing begins anew with `apply`. @throws the file system's error */
  async open(): Promise<void> {
    for (const { id, stored } of await this.#options.vault.list()) {
      const seen = seenOf(id, stored)
      if (seen !== null) this.#seen.set(id, seen)
      if (stored.kind === 'capturing') this.#pending.set(id, { ...stored.note, attempt: stored.note.attempt + 1 })
    }
  }

  apply(wished: readonly SnapshotWish[], deletions: readonly string[]): void {
    for (const id of deletions) this.#delete(id)
    for (const wish of wished) {
      if (this.#seen.has(wish.id) || this.#deleting.has(wish.id) || deletions.includes(wish.id)) continue
      this.#pending.set(wish.id, { wish, attempt: 1, startedAt: this.#time() })
      this.#show(wish.id, { problem: null })
    }
    this.#startNext()
  }

  seen(): readonly SnapshotSeen[] {
    return [...this.#seen.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Ends captures; the next keeper begins them anew. */
  async close(): Promise<void> {
    this.#closed = true
    const running = [...this.#running.values()]
    for (const { abort } of running) abort.abort()
    await Promise.all(running.map(({ done }) => done))
    await this.#deletions
  }

  #time(): string {
    return new Date(this.#options.clock.wall()).toISOString()
  }

  #delete(id: string): void {
    if (this.#deleting.has(id) || !this.#seen.has(id)) return
    this.#deleting.add(id)
    this.#pending.delete(id)
    const running = this.#running.get(id)
    running?.abort.abort()
    const deleted = (running?.done ?? Promise.resolve())
      .then(() => this.#options.vault.remove(id))
      .then(
        () => void this.#seen.delete(id),
        (error: Error) => this.#options.log(`snapshot ${id} was not deleted: ${error.message}`),
      )
      .then(() => {
        this.#deleting.delete(id)
        this.#options.onChange()
      })
    this.#deletions = Promise.all([this.#deletions, deleted])
  }

  /** Changes what is shown of a snapshot that is being captured. */
  #show(id: string, change: Partial<SnapshotSeen>): void {
    const note = this.#pending.get(id)
    if (note === undefined) return
    this.#seen.set(id, { ...(this.#seen.get(id) ?? capturing(note)), attempt: note.attempt, ...change })
    this.#options.onChange()
  }

  #startNext(): void {
    if (this.#closed) return
    const groups = new Set([...this.#running.values()].map(({ group }) => group))
    for (const [id, { wish }] of this.#pending) {
      if (this.#running.size >= CAPTURES_MAX) return
      if (this.#running.has(id) || groups.has(wish.group)) continue
      groups.add(wish.group)
      const abort = new AbortController()
      const done = this.#capture(id, abort.signal)
        .catch((error: Error) => this.#options.log(`snapshot ${id}: ${error.message}`))
        .then(() => {
          this.#running.delete(id)
          this.#startNext()
        })
      this.#running.set(id, { abort, done, group: wish.group })
    }
  }

  async #capture(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const note = this.#pending.get(id)
      if (note === undefined || signal.aborted) return
      try {
        if (note.attempt > ATTEMPTS_MAX) throw new AttemptError(`it failed ${ATTEMPTS_MAX} times`, false)
        await this.#attempt(note, signal)
        return
      } catch (error) {
        if (signal.aborted) return
        const problem = problemOf(error as Error)
        const again = error instanceof AttemptError && error.again && note.attempt < ATTEMPTS_MAX
        if (!again) return this.#fail(note, problem)
        this.#options.log(`snapshot ${id}, attempt ${note.attempt}: ${problem}`)
        this.#pending.set(id, { ...note, attempt: note.attempt + 1 })
        this.#show(id, { bytes: 0, problem: `attempt ${note.attempt} failed: ${problem}` })
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  async #attempt(note: CaptureNote, signal: AbortSignal): Promise<void> {
    const { vault } = this.#options
    const { wish, attempt, startedAt } = note
    const source = await this.#source(wish, signal)
    mustHaveItsData(source, note)
    this.#show(wish.id, { node: source.node })
    const draft = await vault.draft(wish.id, wish.kmsKeyId, startedAt)
    await vault.note(note)
    let counted: Promise<Pick<SnapshotFacts, 'keys'> & { readonly memory: number | null }> | null = null
    const facts = await capture(
      { door: source.door, draft },
      (news) => {
        if (news.type === 'progress') return this.#show(wish.id, { bytes: news.bytes })
        counted = source.statistics().then(countsIn, () => ({ keys: null, memory: null }))
        void counted.then(({ memory }) => this.#show(wish.id, { bytesTotal: memory }))
      },
      signal,
    )
    // A node may have died and come back empty behind its address while it was captured.
    mustHaveItsData(source, note)
    const keys = (await counted!)?.keys ?? null
    const about = { group: wish.group, node: source.node, startedAt, finishedAt: this.#time(), attempt, keys }
    const manifest = await draft.commit(facts, about)
    this.#pending.delete(wish.id)
    this.#seen.set(wish.id, seenOf(wish.id, { kind: 'ready', manifest })!)
    this.#options.onChange()
  }

  /** Waits for a node that can be captured. @throws AttemptError when there is none in time, or no such group */
  async #source(wish: SnapshotWish, signal: AbortSignal): Promise<CaptureSource> {
    const until = this.#options.clock.monotonic() + SOURCE_WAIT_MS
    for (;;) {
      const source = this.#options.source(wish.group, wish.from)
      if (source === null) throw new AttemptError(`there is no group ${wish.group} on this host`, false)
      if (typeof source !== 'string') return source
      if (signal.aborted || this.#options.clock.monotonic() >= until) throw new AttemptError(source, false)
      this.#show(wish.id, { problem: source })
      await new Promise((resolve) => setTimeout(resolve, SOURCE_LOOK_MS))
    }
  }

  async #fail(note: CaptureNote, problem: string): Promise<void> {
    const { wish, attempt, startedAt } = note
    const { group, id } = wish
    const node = this.#seen.get(id)?.node ?? null
    const failed = { id, group, node, startedAt, finishedAt: this.#time(), attempt, problem }
    // On a disk that takes not even this the next keeper tries once more.
    await this.#options.vault.fail(failed).catch((error: Error) => this.#options.log(error.message))
    this.#pending.delete(id)
    this.#seen.set(id, seenOf(id, { kind: 'failed', failed })!)
    this.#options.onChange()
  }
}

/** What was to be captured may have died with its nodes: an empty file is no snapshot of it. @throws AttemptError */
function mustHaveItsData(source: CaptureSource, { wish, startedAt }: CaptureNote): void {
  const lostAt = source.lostDataAt()
  if (lostAt === null || lostAt < startedAt) return
  throw new AttemptError(`group ${wish.group} lost its data meanwhile: its primary came up empty`, false)
}

/** Errors of keys are whole sentences already; those of a disk say which. */
const problemOf = (error: Error): string =>
  error instanceof AttemptError || error instanceof KeyError ? error.message : `${error.name}: ${error.message}`

function capturing({ wish, attempt, startedAt }: CaptureNote): SnapshotSeen {
  return {
    id: wish.id,
    state: 'capturing',
    group: wish.group,
    node: null,
    bytes: 0,
    bytesTotal: null,
    attempt,
    startedAt,
    finishedAt: null,
    problem: null,
    facts: null,
  }
}

/** Null for what is no snapshot: an import under way in another process. */
function seenOf(id: string, stored: Stored): SnapshotSeen | null {
  switch (stored.kind) {
    case 'ready': {
      const { group, node, startedAt, finishedAt, attempt, facts } = stored.manifest
      const bytes = facts.rdbBytes
      const shared = { id, group, node, attempt, startedAt, finishedAt, facts }
      return { ...shared, state: 'ready', bytes, bytesTotal: bytes, problem: null }
    }
    case 'failed':
      return { ...stored.failed, state: 'failed', bytes: 0, bytesTotal: null, facts: null }
    case 'capturing': {
      const attempt = stored.note.attempt + 1
      return { ...capturing({ ...stored.note, attempt }), problem: 'the keeper ended meanwhile; it is captured anew' }
    }
    case 'unfinished':
      return null
  }
}

/** Keys by database (`db0:keys=3,expires=...`) and bytes of memory in the text of INFO. */
function countsIn(info: string): { readonly keys: Record<string, number>; readonly memory: number | null } {
  const found = [...info.matchAll(/^db(\d+):keys=(\d+)/gm)]
  const memory = /^used_memory_dataset:(\d+)/m.exec(info)?.[1]
  return {
    keys: Object.fromEntries(found.map(([, db, keys]) => [db!, Number(keys)])),
    memory: memory === undefined ? null : Number(memory),
  }
}
