//! The last snapshot on disk, so that a worker that starts without control serves what it last knew (static stability).
//! It may hold secrets (custom headers of origins): mode 0600.
//!
//! A change appends a line with what changed, so that it costs its own size; a file in which such lines have become longer
//! than what they changed is written anew, in pieces, and takes the place of the old one when it is complete. So does the
//! first one of a process: a line that a crash cut off ends a file.
import { appendFile, type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DistributionDoc } from '../../domain/distribution.ts'
import { changeLine, headLine, pieceLines, type SavedSnapshot } from './disk-lines.ts'

/**
 * Milliseconds for which a snapshot may wait that differs from the saved one in its revision alone: an edge that comes
 * back with an older one hears again what it knew. A stream of invalidations writes no file for each.
 */
const REVISION_MS = 100
/** Characters of changes from which on they are compared with what they change. */
const CHANGES_MIN = 1024 * 1024

/** What the file says. */
interface Written {
  readonly snapshot: SavedSnapshot
  /** By id; goes on with the file. */
  readonly documents: Map<string, DistributionDoc>
  /** Characters of the part that was written anew, and of the changes behind it. */
  readonly baseLength: number
  readonly changesLength: number
}

/** Saves the newest snapshot only: while one is being written, later ones wait and the last of them wins. */
export class SnapshotSaver {
  readonly #file: string
  readonly #problem: (message: string) => void
  #waiting: SavedSnapshot | null = null
  /** Null before the first write, and after one that failed: nobody knows how far it came. */
  #written: Written | null = null
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
    if (!isSameConfiguration(snapshot, this.#written)) this.#hurry?.()
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
      if (isSameConfiguration(this.#waiting, this.#written) && !this.#settling) await this.#unhurried()
      const next = this.#waiting
      this.#waiting = null
      const before = this.#written
      this.#written = null
      try {
        const isLong = before === null || before.changesLength > Math.max(CHANGES_MIN, before.baseLength)
        this.#written = isLong ? await this.#writeAnew(next) : await this.#append(before, next)
      } catch (error) {
        this.#problem(`the snapshot could not be saved to ${this.#file}: ${(error as Error).message}`)
      }
    }
  }

  async #writeAnew(snapshot: SavedSnapshot): Promise<Written> {
    const draft = `${this.#file}.new`
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
    const handle = await open(draft, 'w', 0o600)
    let baseLength = 0
    const write = async (to: FileHandle, line: string): Promise<void> => {
      baseLength += line.length
      await to.write(line)
    }
    try {
      await write(handle, headLine(snapshot))
      // Viewers are answered between two pieces.
      for (const line of pieceLines(snapshot.distributions)) await write(handle, line)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, this.#file)
    return { snapshot, documents: byId(snapshot.distributions), baseLength, changesLength: 0 }
  }

  async #append(
    { snapshot: before, documents, baseLength, changesLength }: Written,
    next: SavedSnapshot,
  ): Promise<Written> {
    const changed = next.distributions.filter((document) => documents.get(document.id) !== document)
    for (const document of changed) documents.set(document.id, document)
    const gone = documents.size === next.distributions.length ? [] : withoutThose(documents, next.distributions)
    const line = changeLine({
      revision: next.revision,
      workers: next.workers === before.workers ? undefined : next.workers,
      down: next.down,
      challenges: next.challenges,
      // They may be large, and change seldom.
      webAcls: areSame(next.webAcls, before.webAcls) ? undefined : next.webAcls,
      changed,
      gone,
    })
    await appendFile(this.#file, line, { mode: 0o600, flush: true })
    return { snapshot: next, documents, baseLength, changesLength: changesLength + line.length }
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

/** Removes all but these; returns the ids that it has removed. */
function withoutThose(documents: Map<string, DistributionDoc>, kept: readonly DistributionDoc[]): string[] {
  const ids = new Set(kept.map(({ id }) => id))
  const gone = [...documents.keys()].filter((id) => !ids.has(id))
  for (const id of gone) documents.delete(id)
  return gone
}

const byId = (documents: readonly DistributionDoc[]): Map<string, DistributionDoc> =>
  new Map(documents.map((document) => [document.id, document]))

/** Documents that did not change are the same objects. */
function isSameConfiguration(one: SavedSnapshot, written: Written | null): boolean {
  const other = written?.snapshot
  return (
    other !== undefined &&
    one.workers === other.workers &&
    one.down?.join() === other.down?.join() &&
    areSame(one.challenges, other.challenges) &&
    areSame(one.webAcls, other.webAcls) &&
    one.distributions.length === other.distributions.length &&
    one.distributions.every((document, at) => document === other.distributions[at])
  )
}

/** Of these an edge has a handful, and nearly always none. */
const areSame = (some: readonly object[] = [], others: readonly object[] = []): boolean =>
  some.length === others.length && some.every((one, at) => one === others[at])
