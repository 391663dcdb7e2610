//! The last snapshot on disk, so that a worker that starts without control serves what it last knew (static stability).
//! It may hold secrets (custom headers of origins): mode 0600.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DistributionDoc } from '../../domain/distribution.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'

export interface SavedSnapshot {
  readonly revision: number
  readonly distributions: readonly DistributionDoc[]
  /** The workers that shared the POP: without control they go on as one cache. */
  readonly workers: readonly WorkerIdentity[]
}

/** Changes when the documents' shape does; a file of another format is as good as none. */
const FORMAT = 2

/** Null when there is none, or none that can be read: the feed will bring a new one. */
export async function loadSnapshot(file: string): Promise<SavedSnapshot | null> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8')) as SavedSnapshot & { format: number }
    const usable = saved.format === FORMAT && Number.isInteger(saved.revision) && Array.isArray(saved.distributions)
    const { revision, distributions, workers } = saved
    return usable ? { revision, distributions, workers } : null
  } catch {
    return null
  }
}

/**
 * Milliseconds for which a snapshot may wait that differs from the saved one in its revision alone: an edge that comes
 * back with an older one hears again what it knew. A stream of invalidations writes no file for each.
 */
const REVISION_MS = 100

/** Saves the newest snapshot only: while one is being written, later ones wait and the last of them wins. */
export class SnapshotSaver {
  readonly #file: string
  readonly #problem: (message: string) => void
  #waiting: SavedSnapshot | null = null
  #saved: SavedSnapshot | null = null
  #writing: Promise<void> | null = null
  /** Ends the wait of a revision; null while none waits. */
  #hurry: (() => void) | null = null
  #settling = false

  constructor(file: string, problem: (message: string) => void) {
    this.#file = file
    this.#problem = problem
  }

  save(snapshot: SavedSnapshot): void {
    this.#waiting = snapshot
    if (!isSameConfiguration(snapshot, this.#saved)) this.#hurry?.()
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
    })
  }

  /** Resolves when all that was given to `save` is on disk or has failed. */
  async settled(): Promise<void> {
    this.#settling = true
    this.#hurry?.()
    await this.#writing
    this.#settling = false
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== null) {
      if (isSameConfiguration(this.#waiting, this.#saved) && !this.#settling) await this.#unhurried()
      const next = this.#waiting
      this.#waiting = null
      const draft = `${this.#file}.new`
      try {
        await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
        await writeFile(draft, JSON.stringify({ format: FORMAT, ...next }), { mode: 0o600, flush: true })
        await rename(draft, this.#file)
        this.#saved = next
      } catch (error) {
        this.#problem(`the snapshot could not be saved to ${this.#file}: ${(error as Error).message}`)
      }
    }
  }

  #unhurried(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#hurry = null
        resolve()
      }
      const timer = setTimeout(end, REVISION_MS)
      this.#hurry = end
    })
  }
}

/** Documents that did not change are the same objects. */
function isSameConfiguration(one: SavedSnapshot, other: SavedSnapshot | null): boolean {
  return (
    other !== null &&
    one.workers === other.workers &&
    one.distributions.length === other.distributions.length &&
    one.distributions.every((document, at) => document === other.distributions[at])
  )
}
