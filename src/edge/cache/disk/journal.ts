//! What must outlive the process besides the objects: who the store is, and every invalidation, written down before it is
//! acknowledged. Lines of text, each with its checksum; nothing but a torn last line is forgiven. `reached` lines say up
//! to which revision it is complete: a journal that ends before the revision the worker has lost something, and without
//! it nobody knows which objects are still good.
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { InvalidationEntry } from '../invalidation.ts'
import {
  entryLine,
  type JournalContent,
  lineOf,
  parseJournal,
  reachedLine,
  type StoreHead,
  shortened,
} from './journal-lines.ts'

const FILE = 'journal'

export async function readJournal(directory: string): Promise<JournalContent> {
  let bytes: Buffer
  try {
    bytes = await readFile(join(directory, FILE))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' }
    throw error
  }
  return parseJournal(bytes)
}

/** A journal that is being written: one write at a time, what could not be written is tried again with the next. */
export class Journal {
  readonly #directory: string
  readonly #bytesMax: number
  readonly #onTrouble: (error: Error | null) => void
  #file: FileHandle
  #bytes: number
  #waiting = ''
  #durable = false
  #head: StoreHead
  #anew: StoreHead | null = null
  #running: Promise<void> | null = null
  #troubled = false
  /** Up to where the worker's invalidations are written down or about to be. */
  reached: number

  private constructor(directory: string, file: FileHandle, head: StoreHead, options: JournalOptions) {
    this.#directory = directory
    this.#file = file
    this.#head = head
    this.#bytes = options.bytes
    this.#bytesMax = options.bytesMax
    this.#onTrouble = options.onTrouble
    this.reached = options.reached
  }

  /** Goes on with the journal that was read. @throws the system's error */
  static async continue(directory: string, content: JournalContent & { kind: 'read' }, options: Continuing) {
    const file = await open(join(directory, FILE), 'r+')
    const { head, bytes, reached } = content
    return new Journal(directory, file, head, { ...options, bytes, reached })
  }

  /** Begins another one in place of what is there. @throws the system's error */
  static async begin(directory: string, head: StoreHead, options: Continuing): Promise<Journal> {
    const { file, bytes } = await writeAnew(directory, lineOf({ kind: 'store', ...head }), false)
    return new Journal(directory, file, head, { ...options, bytes, reached: -1 })
  }

  /** Resolves when all is written, and with `durable` would outlive a loss of power; also when the disk refuses. */
  append(entries: readonly InvalidationEntry[], reached: number, durable: boolean): Promise<void> {
    this.#waiting += entries.map(entryLine).join('') + reachedLine(reached)
    this.reached = Math.max(this.reached, reached)
    this.#durable ||= durable
    return this.settled()
  }

  /** Forgets everything: the store is another one from now on. */
  beginAnew(head: StoreHead): Promise<void> {
    this.#anew = head
    this.#waiting = ''
    this.reached = -1
    return this.settled()
  }

  /** Resolves when all that was given is written, or the disk has refused it. */
  async settled(): Promise<void> {
    do {
      this.#running ??= this.#run().finally(() => {
        this.#running = null
      })
      await this.#running
      // What was given when a run was about to end takes another one.
    } while (!this.#troubled && this.#hasWork)
  }

  get #hasWork(): boolean {
    return this.#anew !== null || this.#waiting !== ''
  }

  async close(): Promise<void> {
    await this.settled()
    await this.#file.close()
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork) {
        if (this.#anew !== null) await this.#replace(lineOf({ kind: 'store', ...this.#anew }), this.#anew)
        else await this.#write()
      }
      if (this.#troubled) this.#onTrouble(null)
      this.#troubled = false
    } catch (error) {
      this.#troubled = true
      // Too much to keep for later: instead of what it was, later says that everything from before is dead.
      if (this.#waiting.length > this.#bytesMax)
        this.#waiting = entryLine({ kind: 'horizon', revision: this.reached }) + reachedLine(this.reached)
      this.#onTrouble(error as Error)
    }
  }

  async #write(): Promise<void> {
    const text = Buffer.from(this.#waiting)
    const waiting = this.#waiting.length
    // Only what is asked for before the write begins: what comes meanwhile is not in it.
    const durable = this.#durable
    this.#durable = false
    try {
      const { bytesWritten } = await this.#file.write(text, 0, text.length, this.#bytes)
      if (bytesWritten !== text.length)
        throw new Error(`only ${bytesWritten} of ${text.length} bytes could be written: the disk is full`)
      if (durable) await this.#file.datasync()
    } catch (error) {
      this.#durable ||= durable
      throw error
    }
    // It was begun anew meanwhile: then what waited before is gone.
    if (this.#anew !== null) return
    this.#bytes += text.length
    this.#waiting = this.#waiting.slice(waiting)
    if (this.#bytes > this.#bytesMax) await this.#shorten()
  }

  /** The older half goes; what it said becomes one line: everything from before is dead. */
  async #shorten(): Promise<void> {
    const bytes = await readFile(join(this.#directory, FILE))
    await this.#replace(shortened(bytes.subarray(0, this.#bytes)), null)
  }

  async #replace(text: string | Buffer, anew: StoreHead | null): Promise<void> {
    const { file, bytes } = await writeAnew(this.#directory, text, true)
    await this.#file.close()
    this.#file = file
    this.#bytes = bytes
    if (anew !== null) this.#head = anew
    if (this.#anew === this.#head) this.#anew = null
  }
}

export interface Continuing {
  /** Over it the older half of the invalidations goes. */
  readonly bytesMax: number
  readonly onTrouble: (error: Error | null) => void
}

interface JournalOptions extends Continuing {
  readonly bytes: number
  readonly reached: number
}

async function writeAnew(directory: string, text: string | Buffer, durable: boolean) {
  const path = join(directory, FILE)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    await file.writeFile(bytes)
    if (durable) await file.datasync()
    await rename(`${path}.new`, path)
    return { file, bytes: bytes.length }
  } catch (error) {
    await file.close()
    throw error
  }
}
