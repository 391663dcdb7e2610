//! Secret keys of a period of time, in files that only this user reads. The same for all workers of a host, after a restart,
//! too; new ones in each period, so that a key which is stolen is good for little.
import { randomBytes } from 'node:crypto'
import { link, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from './private-directory.ts'

/** Permissions of everybody: to read, or to write. A group may be that of a volume which several containers share. */
const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002
/** Longest timer that Node has, less a margin. Milliseconds. */
const TIMER_MS_MAX = 2_000_000_000

/** One object for each period. */
export interface KeysOfPeriod {
  /** What is made now is made with it. */
  readonly current: Buffer
  /** What was made in the period before is still good; null when there is none. */
  readonly previous: Buffer | null
}

export interface PeriodKeyOptions {
  /** Holds a file for each period, 0600. */
  readonly directory: string
  /** Milliseconds of the wall clock. */
  readonly wall: () => number
  /** One line for the operator. */
  readonly problem: (message: string) => void
  readonly periodMs: number
  readonly keyBytes: number
  /** What does not work when the keys cannot be kept: `sessions of HTTPS are not ...: the keys of their tickets`. */
  readonly lost: string
}

export class PeriodKeys {
  readonly #options: PeriodKeyOptions
  #keys: KeysOfPeriod
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: PeriodKeyOptions) {
    this.#options = options
    // Of this process alone, for as long as there are no others.
    this.#keys = { current: randomBytes(options.keyBytes), previous: null }
  }

  get keys(): KeysOfPeriod {
    return this.#keys
  }

  /** Takes the keys of this period, and from then on those of each that begins. Never fails: it says what is wrong. */
  async start(): Promise<void> {
    const now = this.#options.wall()
    const period = Math.floor(now / this.#options.periodMs)
    try {
      const { directory } = this.#options
      await makePrivateDirectory(directory)
      // Whoever knows a key, or gives us one, can undo what it is for.
      if ((await stat(directory)).mode & OTHERS_WRITE) throw new Error('everybody may write there: chmod 700')
      // What was wrong with it was said in its own time.
      const previous = await this.#read(period - 1).catch(() => null)
      this.#keys = { current: await this.#readOrMake(period), previous }
      await this.#forgetBefore(period - 1)
    } catch (error) {
      this.#keys = { current: randomBytes(this.#options.keyBytes), previous: this.#keys.current }
      this.#options.problem(
        `${this.#options.lost} in ${this.#options.directory} cannot be kept (${(error as Error).message})`,
      )
    }
    if (this.#closed) return
    this.#timer = setTimeout(
      () => void this.start(),
      Math.min((period + 1) * this.#options.periodMs - now + 1, TIMER_MS_MAX),
    )
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
      if (key.length !== this.#options.keyBytes) return null
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
    await writeFile(made, randomBytes(this.#options.keyBytes), { mode: 0o600 })
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
