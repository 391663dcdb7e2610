//! The keys that session tickets are sealed with (RFC 5077 4, RFC 8446 4.6.1). The same for all workers of a host, so that
//! any of them resumes what another began, after a restart, too; new ones in each period, so that a key which is stolen
//! opens little of what was recorded.
import { randomBytes } from 'node:crypto'
import { link, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from '../../../lib/private-directory.ts'

/** Node's format: 16 bytes of name, 16 of HMAC key, 16 of AES key. */
const KEY_BYTES = 48
/** Permissions of everybody: to read, or to write. A group may be that of a volume which several containers share. */
const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002
export const TICKET_PERIOD_MS = 3_600_000
/** A ticket is good for one period, and so within the two in which its key is known. */
export const TICKET_LIFETIME_SECONDS = TICKET_PERIOD_MS / 1_000

/** One object for each period. */
export interface TicketKeys {
  /** New tickets are sealed with it. */
  readonly current: Buffer
  /** Tickets of the period before are still opened; null when there are none. */
  readonly previous: Buffer | null
}

export interface TicketKeyOptions {
  /** Holds a file for each period, 0600. */
  readonly directory: string
  /** Milliseconds of the wall clock. */
  readonly wall: () => number
  /** One line for the operator. */
  readonly problem: (message: string) => void
  readonly periodMs?: number
}

/** Keys of this process alone, for as long as there are no others. */
const ownKeys = (): TicketKeys => ({ current: randomBytes(KEY_BYTES), previous: null })

export class SharedTicketKeys {
  readonly #options: TicketKeyOptions
  readonly #periodMs: number
  #keys: TicketKeys = ownKeys()
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: TicketKeyOptions) {
    this.#options = options
    this.#periodMs = options.periodMs ?? TICKET_PERIOD_MS
  }

  get keys(): TicketKeys {
    return this.#keys
  }

  /** Takes the keys of this period, and from then on those of each that begins. Never fails: it says what is wrong. */
  async start(): Promise<void> {
    const now = this.#options.wall()
    const period = Math.floor(now / this.#periodMs)
    try {
      const { directory } = this.#options
      await makePrivateDirectory(directory)
      // Whoever knows a key, or gives us one, opens the sessions that are sealed with it.
      if ((await stat(directory)).mode & OTHERS_WRITE) throw new Error('everybody may write there: chmod 700')
      // What was wrong with it was said in its own time.
      const previous = await this.#read(period - 1).catch(() => null)
      this.#keys = { current: await this.#readOrMake(period), previous }
      await this.#forgetBefore(period - 1)
    } catch (error) {
      this.#keys = { current: randomBytes(KEY_BYTES), previous: this.#keys.current }
      this.#options.problem(
        `sessions of HTTPS are not resumed by other workers: the keys of their tickets in ${this.#options.directory} ` +
          `cannot be kept (${(error as Error).message})`,
      )
    }
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.start(), (period + 1) * this.#periodMs - now + 1)
    this.#timer.unref()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #file(period: number): string {
    return join(this.#options.directory, `${period}.key`)
  }

  async #read(period: number): Promise<Buffer | null> {
    const file = this.#file(period)
    try {
      const key = await readFile(file)
      if (key.length !== KEY_BYTES) return null
      if ((await stat(file)).mode & (OTHERS_READ | OTHERS_WRITE))
        throw new Error(`${file} is open to everybody: remove it`)
      return key
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  /** Of several workers that make it at the same time one wins, and the others take what it made. */
  async #readOrMake(period: number): Promise<Buffer> {
    const known = await this.#read(period)
    if (known !== null) return known
    const file = this.#file(period)
    const made = `${file}.${randomBytes(4).toString('hex')}`
    await writeFile(made, randomBytes(KEY_BYTES), { mode: 0o600 })
    try {
      await link(made, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      await rm(made, { force: true })
    }
    const key = await this.#read(period)
    if (key === null) throw new Error(`${file} is damaged: remove it`)
    return key
  }

  async #forgetBefore(period: number): Promise<void> {
    for (const name of await readdir(this.#options.directory)) {
      if (/^\d+\.key/.test(name) && Number.parseInt(name, 10) < period) {
        await rm(join(this.#options.directory, name), { force: true })
      }
    }
  }
}
