//! The disk tier of a worker: opened in two steps (its journal before the worker hears of changes, its objects after the
//! worker listens), asked by the stage disk-lookup, written to by the store of both tiers. Whatever fails here, the
//! worker goes on with its memory and says so.
import type { Clock } from '../../../lib/clock.ts'
import type { MachineLock } from '../../../lib/machine-lock.ts'
import { COUNTER, type Counters } from '../../../observe/counters.ts'
import type { Invalidations } from '../invalidation.ts'
import type { MemoryStore } from '../memory.ts'
import type { ObjectMeta } from '../object.ts'
import { takeDirectory, UNUSABLE_WORDS } from './directory.ts'
import { InvalidationKeeper } from './invalidation-keeper.ts'
import { newStoreHead } from './journal-lines.ts'
import { DISK_BYTES_MIN } from './layout.ts'
import { type OpenedJournal, openJournal } from './opening.ts'
import type { DiskObject, ListedOnDisk } from './reader.ts'
import { SegmentPool } from './segment-pool.ts'
import { hearSiblings } from './siblings.ts'
import { DiskStore } from './store.ts'

/** A request waits this long for the objects to be read in after a start; then it goes on without. Milliseconds. */
const OPEN_WAIT_MS = 2_000
/** Keys whose objects on disk are outdated before it is known which there are; with more all of them count as such. */
const OUTDATED_MAX = 10_000
/** Milliseconds between two lines about the same trouble. */
const TELL_EVERY_MS = 60_000
/** An object that is born later than this from now comes from before the clock went back. Milliseconds. */
const AHEAD_MS_MAX = 1_000

export interface DiskTierOptions {
  readonly directory: string
  /** All files of the tier together; 0 turns it off. Bytes. */
  readonly limitBytes: number
  /** Revision of the saved snapshot that the worker starts with; -1 for none. */
  readonly savedRevision: number
  readonly memory: MemoryStore
  readonly invalidations: Invalidations
  readonly clock: Clock
  readonly counters: Counters
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

export interface DiskStats {
  /** `opening` until it is known which objects there are; `closed` when the worker goes on without. */
  readonly state: 'off' | 'opening' | 'open' | 'closed'
  readonly objects: number
  /** Bytes of the files. */
  readonly bytes: number
  readonly limitBytes: number
  /** Bytes that wait to be written. */
  readonly pendingBytes: number
}

export class DiskTier {
  readonly #options: DiskTierOptions
  #state: DiskStats['state']
  #lock: MachineLock | null = null
  #opened: OpenedJournal | null = null
  #keeper: InvalidationKeeper | null = null
  #store: DiskStore | null = null
  #storeId = 0
  #loading: Promise<void> | null = null
  readonly #known = Promise.withResolvers<void>()
  /** Large objects on their way into memory: whoever else asks waits for the same one. */
  readonly #promoting = new Map<string, Promise<boolean>>()
  #outdated = new Set<string>()
  readonly #told = new Map<string, number>()

  constructor(options: DiskTierOptions) {
    this.#options = options
    this.#state = options.limitBytes < DISK_BYTES_MIN ? 'off' : 'opening'
  }

  /**
   * Enters the invalidations that were written down; from then on new ones are. Never throws: without its directory the
   * tier is closed.
   */
  async openJournal(): Promise<void> {
    if (this.#state === 'off') return
    const { directory, invalidations, counters, problem } = this.#options
    try {
      this.#lock = await takeDirectory(directory)
      const onTrouble = (error: Error | null) => this.#tell('its journal cannot be written', error)
      this.#opened = await openJournal({ ...this.#options, onTrouble })
      const { journal, head, isNew, setAside } = this.#opened
      this.#storeId = head.storeId
      this.#keeper = new InvalidationKeeper(journal, invalidations, isNew)
      if (setAside === null) return
      counters.add(COUNTER.diskSetAside)
      problem(`the disk cache in ${directory} was set aside and begun anew: ${UNUSABLE_WORDS[setAside]}`)
    } catch (error) {
      await this.#giveUp(error as Error)
    }
  }

  /**
   * Enters what the other workers of the POP have invalidated among themselves while this one was away; after
   * `openJournal`, once they can reach this one. Never throws.
   */
  async hearSiblings(): Promise<void> {
    if (this.#opened === null || this.#opened.isNew || this.#keeper === null) return
    const { directory, invalidations, savedRevision } = this.#options
    await hearSiblings(directory, this.#keeper.reached, invalidations, savedRevision)
  }

  /** Reads in which objects there are; after `openJournal`. Never throws. */
  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** Newest revision whose invalidations are written down; -1 for none. */
  get reached(): number {
    return this.#keeper?.reached ?? -1
  }

  /**
   * Writes down what was heard of invalidations since the last call. A promise when that must be waited for before
   * `revision` may be acknowledged; null when not.
   */
  commit(revision: number): Promise<void> | null {
    return this.#keeper?.commit(revision) ?? null
  }

  /** Resolves when what was committed is written, or the disk has refused it. */
  settled(): Promise<void> {
    return this.#keeper?.settled() ?? Promise.resolve()
  }

  /** While it is not known which objects there are: resolves when it is, or when a request has waited long enough. */
  get opening(): Promise<void> | null {
    if (this.#state !== 'opening') return null
    return Promise.race([this.#known.promise, new Promise<void>((done) => setTimeout(done, OPEN_WAIT_MS).unref())])
  }

  mayHave(key: string): boolean {
    return this.#store?.has(key) ?? false
  }

  /** Brings an object into memory, fresh or stale; false when there is none. */
  promote(key: string): boolean | Promise<boolean> {
    const running = this.#promoting.get(key)
    if (running !== undefined) return running
    const read = this.#store?.read(key) ?? null
    if (!(read instanceof Promise)) return this.#intoMemory(read)
    const promoting = read.then((object) => this.#intoMemory(object)).finally(() => this.#promoting.delete(key))
    this.#promoting.set(key, promoting)
    return promoting
  }

  /** Writes behind. `onDisk`: the body is the one that the disk has already. */
  put(key: string, meta: ObjectMeta, body: readonly Uint8Array[], onDisk: boolean): void {
    if (this.#store !== null) this.#store.put(key, meta, body, onDisk)
    else this.#outdate(key)
  }

  remove(key: string): void {
    if (this.#store !== null) this.#store.remove(key)
    else this.#outdate(key)
  }

  /** Another history of the state: nothing that was written before may be served. */
  clear(): void {
    if (this.#keeper === null || this.#opened === null) return
    const head = newStoreHead(this.#opened.shares.segmentBytes, this.#opened.head)
    this.#storeId = head.storeId
    this.#keeper.beginAnew(head)
    this.#store?.clear(head.storeId)
    this.#outdated.clear()
  }

  /** Objects in no particular order, from `cursor` on; `next` is null at the end. */
  list(
    limit: number,
    cursor = 0,
  ): Promise<{ readonly objects: readonly ListedOnDisk[]; readonly next: number | null }> {
    return this.#store?.list(limit, cursor) ?? Promise.resolve({ objects: [], next: null })
  }

  stats(): DiskStats {
    const store = this.#store
    return {
      state: this.#state,
      objects: store?.count ?? 0,
      bytes: store?.bytes ?? 0,
      limitBytes: this.#state === 'off' ? 0 : this.#options.limitBytes,
      pendingBytes: store?.pendingBytes ?? 0,
    }
  }

  /** Resolves when all that waited is on disk, or the disk has refused it. */
  async idle(): Promise<void> {
    await this.#store?.idle()
    await this.settled()
  }

  async close(): Promise<void> {
    await this.#loading
    const [store, keeper, lock] = [this.#store, this.#keeper, this.#lock]
    this.#shut()
    await store?.close()
    await keeper?.close()
    await lock?.release()
  }

  async #load(): Promise<void> {
    const { counters, memory } = this.#options
    if (this.#state !== 'opening' || this.#opened === null) return
    const { head, shares } = this.#opened
    const pool = new SegmentPool(this.#options.directory, shares.segmentBytes, shares.segments, this.#storeId)
    const store = new DiskStore({
      pool,
      seedA: head.seedA,
      seedB: head.seedB,
      pendingBytesMax: shares.pendingBytes,
      counters,
      inMemory: (key) => memory.has(key),
      onTrouble: (error) => this.#tell('objects cannot be written', error),
      onDamage: (records) => this.#tell('damage', new Error(`${records} damaged objects were found and dropped`)),
    })
    try {
      await store.load()
      // Cleared while it was read in.
      if (pool.storeId !== this.#storeId) store.clear(this.#storeId)
      this.#store = store
      for (const key of this.#outdated) store.remove(key)
      this.#outdated.clear()
      this.#state = 'open'
      this.#known.resolve()
    } catch (error) {
      await pool.close().catch(() => {})
      await this.#giveUp(error as Error)
    }
  }

  #intoMemory(object: DiskObject | null): boolean {
    if (object === null) return false
    const { clock, memory, counters } = this.#options
    const now = clock.now()
    // With a clock that went back nobody knows its age: it is good for asking the origin whether it has changed.
    const meta = object.meta.bornAt > now + AHEAD_MS_MAX ? outdated(object.meta, now) : object.meta
    const kept = memory.put(object.key, meta, [object.body]) !== null
    if (kept) counters.add(COUNTER.diskHits)
    return kept
  }

  #outdate(key: string): void {
    if (this.#state !== 'opening') return
    this.#options.counters.add(COUNTER.diskSkipped)
    if (this.#outdated.size >= OUTDATED_MAX) this.clear()
    else this.#outdated.add(key)
  }

  async #giveUp(error: Error): Promise<void> {
    this.#options.problem(`the disk cache cannot be used, the memory goes on alone: ${error.message}`)
    const [keeper, lock] = [this.#keeper, this.#lock]
    this.#shut()
    await keeper?.close().catch(() => {})
    await lock?.release()
  }

  #shut(): void {
    if (this.#state !== 'off') this.#state = 'closed'
    this.#store = null
    this.#keeper = null
    this.#lock = null
    this.#known.resolve()
  }

  /** A trouble is told once, and told again only after a while or after it was over. */
  #tell(what: string, error: Error | null): void {
    if (error === null) {
      if (this.#told.delete(what)) this.#options.problem(`the disk cache works again (before: ${what})`)
      return
    }
    const now = this.#options.clock.monotonic()
    if (now - (this.#told.get(what) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return
    this.#told.set(what, now)
    this.#options.problem(`the disk cache: ${what}: ${error.message}`)
  }
}

const outdated = (meta: ObjectMeta, now: number): ObjectMeta => ({
  ...meta,
  bornAt: now,
  freshUntil: Math.min(meta.freshUntil, now),
  swrUntil: Math.min(meta.swrUntil, now),
})
