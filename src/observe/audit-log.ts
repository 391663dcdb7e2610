//! The audit log: who changed what, when, from where, and how it ended; JSON lines in a file of the home (0600). A change
//! stands in it, durably, before it is made; what came of it follows as a line of its own with the same request id. When
//! the first cannot be written, the change is not made: a log with gaps would prove nothing.
import { open, rename, stat } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'

/** The file is set aside at this size, as `.1`; what was set aside before moves on to `.2`, and so on. Bytes, files. */
const FILE_BYTES_MAX = 16 * 1024 * 1024
const FILES_KEPT = 8

export interface AuditCaller {
  readonly keyId: string | null
  readonly name: string
  readonly role: string
  readonly verified: boolean
  /** Of the client's end of the connection. */
  readonly address: string
}

/** A changing call that is about to be made, or was denied. */
export interface AuditChange {
  readonly requestId: string
  readonly caller: AuditCaller
  readonly service: string
  readonly operation: string
  /** Names and ids of what it is about, as the call has them; never contents. */
  readonly resources: Readonly<Record<string, string>>
}

export interface AuditOutcome {
  readonly requestId: string
  readonly status: number
  /** Null: it was done. */
  readonly code: string | null
  /** Ids that the answer has, such as that of what was made. */
  readonly resources: Readonly<Record<string, string>>
}

export interface AuditLogOptions {
  readonly file: string
  readonly clock: Clock
  /** Hears of each line that could not be written. */
  readonly problem: (message: string) => void
  /** Bytes; FILE_BYTES_MAX unless a test wants it small. */
  readonly fileBytesMax?: number
}

export class AuditLog {
  readonly #options: AuditLogOptions
  readonly file: string
  #last: Promise<unknown> = Promise.resolve()
  /** After a write that failed there may be a piece of a line. */
  #torn = false
  /** Outcomes that could not be written, bounded; they follow when it can be written again. */
  #owed: string[] = []

  constructor(options: AuditLogOptions) {
    this.#options = options
    this.file = options.file
  }

  /** @throws the file system's error: then the change must not be made */
  change(change: AuditChange): Promise<void> {
    return this.#append({ event: 'change', ...change }, true)
  }

  /** A change that the caller's role does not allow. Never throws: nothing was changed. */
  denied(change: AuditChange, code: string): Promise<void> {
    return this.#append({ event: 'denied', ...change, code }, false).catch(() => {})
  }

  /** What came of a change. Never throws: the change is made. */
  async outcome(outcome: AuditOutcome): Promise<void> {
    const line = this.#line({ event: 'outcome', ...outcome })
    await this.#write(line, false).catch(() => {
      if (this.#owed.length < OWED_MAX) this.#owed.push(line)
    })
  }

  /** Resolves when all that was told is in the file. */
  async close(): Promise<void> {
    await this.#last.catch(() => {})
  }

  #append(document: object, durable: boolean): Promise<void> {
    return this.#write(this.#line(document), durable)
  }

  #line(document: object): string {
    return `${JSON.stringify({ time: new Date(this.#options.clock.wall()).toISOString(), ...document })}\n`
  }

  #write(line: string, durable: boolean): Promise<void> {
    const run = this.#last.then(() => this.#writeAlone(line, durable))
    this.#last = run.catch(() => {})
    return run
  }

  async #writeAlone(line: string, durable: boolean): Promise<void> {
    const { file, problem, fileBytesMax = FILE_BYTES_MAX } = this.#options
    try {
      // Opened each time: a file that somebody moved away is made anew, and nothing is written where nobody looks.
      await rotate(file, fileBytesMax)
      const handle = await open(file, 'a', 0o600)
      try {
        const text = `${this.#torn ? '\n' : ''}${this.#owed.join('')}${line}`
        this.#torn = true
        await handle.appendFile(text)
        this.#torn = false
        this.#owed = []
        if (durable) await handle.datasync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      problem(`the audit log ${file} cannot be written: ${(error as Error).message}`)
      throw error
    }
  }
}

const OWED_MAX = 1_000

async function rotate(file: string, bytesMax: number): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size < bytesMax) return
  for (let at = FILES_KEPT; at > 1; at--) {
    await rename(`${file}.${at - 1}`, `${file}.${at}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  await rename(file, `${file}.1`)
}
