//! Control's bond with the keeper of this host: sends the whole wish whenever a part of it changes, holds the newest
//! report, and stores the keeper's events in the state exactly once before it acknowledges them.
import { connectKeeper, type KeeperClient } from '../keeper/client.ts'
import type { GroupWish, KeeperEvent, KeeperSeen, WorkerWish } from '../keeper/protocol.ts'
import type { KeeperAnswer, KeeperQuestion, QuestionKind } from '../keeper/questions.ts'
import type { SnapshotWish } from '../keeper/snapshots/wish.ts'
import type { Clock } from '../lib/clock.ts'
import { recordEvents } from '../services/elasticache/event-log.ts'
import type { State } from '../state/state.ts'
import type { KeeperPort, WishPart } from './keeper-port.ts'
import { elasticacheEvents } from './plan/caches-events.ts'

/** Id of the one cursor: there is one keeper a host, and one host. */
const CURSOR = 'local'
/** Milliseconds until events that could not be stored are tried again. */
const STORE_AGAIN_MS = 1000
/** Milliseconds in which a keeper that was just started must answer. */
const GREETING_MS = 5000
/** Milliseconds that an engine is given to tell how much memory it uses. */
const ANSWER_MS = 2000

export interface KeeperLinkOptions {
  readonly socketPath: string
  /** Version of the program. */
  readonly version: string
  readonly state: State
  readonly clock: Clock
  /** An event could not be stored: it is held here, unacknowledged, and tried again with all that come after it. */
  readonly onError: (error: unknown) => void
}

export interface KeeperLink extends KeeperPort {
  /** Process id of the keeper; null while it does not answer. */
  readonly pid: number | null
  /** Engine binaries of this host, for HostFacts; empty before the first report. */
  binaries(): KeeperSeen['binaries']
  /** Of HostFacts. */
  sourceFilterMissing(): string | null
  /** Bytes that the data of a redis or valkey node takes now, for HostFacts; null when its engine does not answer. */
  usedMemory(group: string, node: string): Promise<number | null>
  /** The groups planned from the state at `revision`; `seenRevision` tells when the keeper has made them. */
  wishGroups(groups: readonly GroupWish[], revision: number): void
  /** Snapshots to capture, and ids of those to delete: the whole of both. */
  wishSnapshots(snapshots: readonly SnapshotWish[], deletions: readonly string[]): void
  /** The newest revision of the state whose plan the present report describes; 0 for none. */
  seenRevision(): number
  /** Rejects, in words, when the keeper cannot tell, is not connected, or has not answered within `timeoutMs`. */
  ask<K extends QuestionKind>(question: KeeperQuestion<K>, timeoutMs: number): Promise<KeeperAnswer<K>>
  /** Resolves when all events heard so far are stored. */
  idle(): Promise<void>
  /** Ends the keeper, and engines and workers as asked. */
  stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void>
  close(): void
}

/**
 * Connects; rejects when no keeper answers in time. Nothing is sent before both parts of the wish, workers and groups,
 * have been given once: half a wish would end what the other half keeps alive.
 */
export async function openKeeperLink(options: KeeperLinkOptions): Promise<KeeperLink> {
  const link = new Link(options)
  await link.open()
  return link
}

class Link implements KeeperLink {
  readonly #options: KeeperLinkOptions
  readonly #listeners = new Set<(seen: KeeperSeen | null) => void>()
  #client: KeeperClient | null = null
  #workers: readonly WorkerWish[] | null = null
  #groups: readonly GroupWish[] | null = null
  /** Nothing is deleted by being left out, so these need not be known for a first wish. */
  #snapshots: readonly SnapshotWish[] = []
  #snapshotDeletions: readonly string[] = []
  /** Of the newest wish; greater than any that the keeper has had. */
  #sequence = 0
  /** The newest wish as text, to send only what differs. */
  #sent = ''
  /** Revision of the state that the groups were planned from. */
  #revision = 0
  /** Which revision each wish was planned from, oldest first; those before the report's are dropped. */
  #planned: { readonly sequence: number; revision: number }[] = []
  #storing: Promise<void> = Promise.resolve()
  /** Events heard and not stored, by their sequence: an acknowledgement speaks for all before it, so none is passed over. */
  readonly #unstored = new Map<number, KeeperEvent>()
  #retry: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: KeeperLinkOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    const { socketPath, version } = this.#options
    const handlers = {
      version,
      // A new ledger counts its events from 1 again: known before the first of them comes.
      onHello: ({ wishSequence }: { readonly wishSequence: number }) => {
        if (wishSequence === 0) this.#forgetEvents()
      },
      onSeen: (seen: KeeperSeen) => this.#tell(seen),
      onEvents: (events: readonly KeeperEvent[]) => this.#hear(events),
      onConnection: (state: 'connected' | 'lost') => (state === 'connected' ? this.#greeted() : this.#tell(null)),
    }
    this.#client = await connectKeeper(socketPath, handlers, GREETING_MS)
    this.#greeted()
  }

  /** A keeper may have had a later wish than ours: of a control before us. */
  #greeted(): void {
    const had = this.#client?.hello?.wishSequence
    if (had === undefined) return
    if (had > this.#sequence) {
      this.#sequence = had
      this.#sent = ''
      this.#send()
    }
  }

  seen(): KeeperSeen | null {
    return this.#client?.hello ? this.#client.seen : null
  }

  get pid(): number | null {
    return this.#client?.hello?.pid ?? null
  }

  binaries(): KeeperSeen['binaries'] {
    return this.#client?.seen?.binaries ?? []
  }

  sourceFilterMissing(): string | null {
    const seen = this.#client?.seen
    if (seen === undefined || seen === null) return 'the keeper does not answer'
    return seen.sourceFilterMissing === undefined ? 'the keeper is of an older version' : seen.sourceFilterMissing
  }

  async usedMemory(group: string, node: string): Promise<number | null> {
    try {
      const { text } = await this.ask({ kind: 'statistics', group, node }, ANSWER_MS)
      const bytes = /^used_memory:(\d+)/m.exec(text)?.[1]
      return bytes === undefined ? null : Number(bytes)
    } catch {
      return null
    }
  }

  onSeen(listener: (seen: KeeperSeen | null) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tell(seen: KeeperSeen | null): void {
    for (const listener of this.#listeners) listener(seen)
  }

  wish(part: WishPart): void {
    if (part.workers !== undefined) this.#workers = part.workers
    if (part.groups !== undefined) this.#groups = part.groups
    this.#send()
  }

  wishGroups(groups: readonly GroupWish[], revision: number): void {
    this.#revision = Math.max(this.#revision, revision)
    this.wish({ groups })
  }

  wishSnapshots(snapshots: readonly SnapshotWish[], deletions: readonly string[]): void {
    this.#snapshots = snapshots
    this.#snapshotDeletions = deletions
    this.#send()
  }

  #send(): void {
    if (this.#workers === null || this.#groups === null || this.#client === null) return
    const parts = {
      workers: this.#workers,
      groups: this.#groups,
      snapshots: this.#snapshots,
      snapshotDeletions: this.#snapshotDeletions,
    }
    const text = JSON.stringify(parts)
    const last = this.#planned.at(-1)
    if (text === this.#sent && last !== undefined) {
      // The same wish stands for the newer revision too.
      last.revision = this.#revision
      return
    }
    this.#sent = text
    this.#sequence += 1
    this.#planned.push({ sequence: this.#sequence, revision: this.#revision })
    this.#client.wish({ sequence: this.#sequence, ...parts })
  }

  seenRevision(): number {
    const sequence = this.seen()?.sequence ?? 0
    const at = this.#planned.findLastIndex((wish) => wish.sequence <= sequence)
    if (at < 0) return 0
    this.#planned.splice(0, at)
    return this.#planned[0]?.revision ?? 0
  }

  #hear(events: readonly KeeperEvent[]): void {
    if (events.length === 0) return
    for (const event of events) this.#unstored.set(event.sequence, event)
    this.#enqueue(() => this.#storeAll())
  }

  #enqueue(work: () => Promise<void>): void {
    this.#storing = this.#storing.then(work).catch(this.#options.onError)
  }

  async #storeAll(): Promise<void> {
    const events = [...this.#unstored.values()].sort((a, b) => a.sequence - b.sequence)
    if (events.length === 0) return
    try {
      await this.#store(events)
      for (const { sequence } of events) this.#unstored.delete(sequence)
    } catch (error) {
      if (!this.#closed) this.#retry ??= setTimeout(() => this.#storeAgain(), STORE_AGAIN_MS)
      throw error
    }
  }

  #storeAgain(): void {
    this.#retry = null
    this.#enqueue(() => this.#storeAll())
  }

  async #store(events: readonly KeeperEvent[]): Promise<void> {
    const { state, clock } = this.#options
    const last = await state.transact(async (tx) => {
      const stored = (await tx.get('keeper-cursor', CURSOR))?.doc.eventSequence ?? 0
      const fresh = events.filter((event) => event.sequence > stored)
      for (const event of fresh) {
        // The host's time of the event, moved like every time that the API shows.
        const at = Date.parse(event.at) + clock.now() - clock.wall()
        await recordEvents(tx, at, elasticacheEvents(event))
      }
      const newest = fresh.at(-1)?.sequence
      if (newest !== undefined) await tx.put('keeper-cursor', CURSOR, { eventSequence: newest })
      return newest ?? stored
    })
    this.#client?.acknowledgeEvents(last)
  }

  #forgetEvents(): void {
    this.#unstored.clear()
    this.#enqueue(() => this.#resetCursor())
  }

  async #resetCursor(): Promise<void> {
    await this.#options.state.transact(async (tx) => {
      await tx.delete('keeper-cursor', CURSOR)
    })
  }

  ask<K extends QuestionKind>(question: KeeperQuestion<K>, timeoutMs: number): Promise<KeeperAnswer<K>> {
    return this.#client?.ask(question, timeoutMs) ?? Promise.reject(new Error('the keeper is not connected'))
  }

  async idle(): Promise<void> {
    await this.#storing
  }

  async stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void> {
    await this.#storing
    await this.#client?.stop(options)
  }

  close(): void {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#client?.close()
  }
}
