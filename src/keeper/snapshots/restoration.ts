//! The data of a new group from a snapshot: attempts until it is loaded or failed for good, kept in the ledger. An engine
//! or a keeper that ends in the middle means an empty engine and another attempt: half a data set is never served.
import { AttemptError } from './capture.ts'
import { type RestoreTarget, restore } from './restore.ts'
import type { Vault } from './vault.ts'
import type { RestoreSeen } from './wish.ts'

/** Attempts at one restore, those of earlier keepers included. */
const ATTEMPTS_MAX = 5

/** What the ledger keeps of it. */
export type RestoreRecord = Pick<RestoreSeen, 'snapshot' | 'state' | 'attempt' | 'problem'>

export interface RestorationOptions {
  readonly vault: Vault
  readonly record: RestoreRecord
  readonly save: (record: RestoreRecord) => void
  /** The last words in the engine's log. */
  readonly lastWords: () => string
  readonly onChange: () => void
}

export const newRestore = (snapshot: string): RestoreRecord => ({
  snapshot,
  state: 'waiting',
  attempt: 1,
  problem: null,
})

/** One process of the engine that is to be loaded. */
export interface RestoreEngine extends RestoreTarget {
  readonly pid: number
  /** Makes it a primary and looks at it. */
  promote(): Promise<void>
}

export class Restoration {
  readonly #options: RestorationOptions
  #record: RestoreRecord
  #bytes = 0
  #total: number | null = null
  /** Process that an attempt has begun to fill. */
  #filled: number | null = null
  #running: { readonly abort: AbortController; readonly done: Promise<void> } | null = null

  constructor(options: RestorationOptions) {
    this.#options = options
    const { record } = options
    this.#record = record
    if (record.state !== 'loading') return
    const problem = 'the keeper ended meanwhile; it is loaded anew'
    this.#record = { ...record, state: 'waiting', attempt: record.attempt + 1, problem }
    options.save(this.#record)
  }

  /** The group's data is not there yet. */
  get isOpen(): boolean {
    return this.#record.state !== 'done'
  }

  get failed(): boolean {
    return this.#record.state === 'failed'
  }

  /** `startedEmpty`: this process was started by this keeper, without data. */
  isFresh(pid: number | null, startedEmpty: boolean): boolean {
    return startedEmpty && (this.#running !== null || pid !== this.#filled)
  }

  get isWaiting(): boolean {
    return this.#record.state === 'waiting' && this.#running === null
  }

  seen(): RestoreSeen {
    return { ...this.#record, bytes: this.#bytes, bytesTotal: this.#total }
  }

  /** Loads it into this engine, which is empty. */
  begin(engine: RestoreEngine): void {
    const abort = new AbortController()
    this.#filled = engine.pid
    this.#save({ state: 'loading' })
    const done = this.#load(engine, abort.signal).finally(() => {
      this.#running = null
      this.#options.onChange()
    })
    this.#running = { abort, done }
  }

  async #load(engine: RestoreEngine, signal: AbortSignal): Promise<void> {
    const { vault } = this.#options
    const { snapshot, attempt } = this.#record
    this.#bytes = 0
    const hear = (bytes: number, total: number): void => {
      this.#bytes = bytes
      this.#total = total
      this.#options.onChange()
    }
    try {
      const promote = async (): Promise<void> => {
        // Before it is one: a keeper that ends in between finds a replica with all the data, and promotes it.
        this.#save({ state: 'done', problem: null })
        await engine.promote()
      }
      await restore(vault, snapshot, engine, hear, promote, signal)
    } catch (error) {
      if (signal.aborted || !this.isOpen) return
      const again = error instanceof AttemptError ? error.again : true
      const problem = again
        ? `${(error as Error).message}; the engine's last words: ${this.#options.lastWords()}`
        : (error as Error).message
      if (again && attempt < ATTEMPTS_MAX) this.#save({ state: 'waiting', attempt: attempt + 1, problem })
      else this.#save({ state: 'failed', problem })
    }
  }

  #save(change: Partial<RestoreRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.#options.save(this.#record)
  }

  /** Ends an attempt under way; the next keeper, or nobody, begins anew. */
  async close(): Promise<void> {
    this.#running?.abort.abort()
    await this.#running?.done
  }
}
