//! Writes every invalidation down before it is acknowledged, so that a worker that starts again never serves what was
//! invalidated in its former life.
import type { InvalidationEntry, Invalidations } from '../invalidation.ts'
import type { Journal } from './journal.ts'
import type { StoreHead } from './journal-lines.ts'

export class InvalidationKeeper {
  readonly #journal: Journal
  readonly #invalidations: Invalidations
  #heard: InvalidationEntry[] = []
  #isNew: boolean

  /** `isNew`: there is nothing on disk yet that the first entries could concern. */
  constructor(journal: Journal, invalidations: Invalidations, isNew: boolean) {
    this.#journal = journal
    this.#isNew = isNew
    this.#invalidations = invalidations
    invalidations.onEntry = (entry) => {
      // Most come with a revision of the feed, which is committed at once; those of this POP's own do not.
      if (this.#heard.length === 0) queueMicrotask(() => this.#writeHeard())
      this.#heard.push(entry)
    }
  }

  get reached(): number {
    return this.#journal.reached
  }

  /**
   * Everything up to `revision` was heard. A promise when that must be on disk before it is acknowledged; null when the
   * worker may go on at once.
   */
  commit(revision: number): Promise<void> | null {
    const heard = this.#heard
    this.#heard = []
    const waits = heard.length > 0 && !this.#isNew
    this.#isNew = false
    const written = this.#journal.append(heard, revision, waits)
    return waits ? written : null
  }

  #writeHeard(): void {
    if (this.#heard.length === 0) return
    void this.#journal.append(this.#heard, this.reached, false)
    this.#heard = []
  }

  beginAnew(head: StoreHead): void {
    this.#heard = []
    void this.#journal.beginAnew(head)
  }

  settled(): Promise<void> {
    return this.#journal.settled()
  }

  async close(): Promise<void> {
    this.#invalidations.onEntry = null
    await this.#journal.close()
  }
}
