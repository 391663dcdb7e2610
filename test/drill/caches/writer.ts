//! Writers of the drill of caches: each appends numbers to a list of its own at the primary endpoint, asks how many
//! replicas have each (WAIT), and knows which ones were acknowledged. What is in the list at the end tells lost and
//! duplicated writes.
import { setTimeout as sleep } from 'node:timers/promises'

/** Between two writes: a client that works, not a benchmark. Milliseconds. */
const PAUSE_MS = 3
/** A client that fails at once is not asked again in the same moment. Milliseconds. */
const FAILED_MS = 5

/** One client library with the settings it has by itself. */
export interface NumberClient {
  /**
   * Appends `n` to `list` and resolves with the number of replicas that have it, as told on the connection that wrote it;
   * null when the connection changed in between, so that nothing is known. Rejects when it failed.
   */
  append(list: string, n: number, wait: Wait): Promise<number | null>
  close(): Promise<void> | void
}

/** Replicas to wait for, and for how long at most. */
export interface Wait {
  readonly replicas: number
  readonly ms: number
}

export interface WriterSpec {
  /** Of the client, with its mode: `ioredis WAIT 2`. */
  readonly name: string
  readonly wait: Wait
  readonly open: (endpoint: string) => NumberClient | Promise<NumberClient>
}

export class NumberWriter {
  readonly name: string
  readonly list: string
  /** Numbers that the wished replicas had, in the order in which they were written. */
  readonly acknowledged: number[] = []
  /** Writes that failed: they may be there or not. */
  failed = 0
  attempts = 0
  readonly #spec: WriterSpec
  #lastMs: number | null = null
  #gapMs = 0
  #stopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(spec: WriterSpec) {
    this.#spec = spec
    this.name = spec.name
    this.list = `drill:${spec.name.replaceAll(' ', '-')}`
  }

  async start(endpoint: string): Promise<void> {
    const client = await this.#spec.open(endpoint)
    this.#running = this.#run(client)
  }

  async #run(client: NumberClient): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      this.attempts++
      try {
        const replicas = await client.append(this.list, n, this.#spec.wait)
        this.#accepted()
        if (replicas !== null && replicas >= this.#spec.wait.replicas) this.acknowledged.push(n)
        await sleep(PAUSE_MS)
      } catch {
        this.failed++
        await sleep(FAILED_MS)
      }
    }
    await client.close()
  }

  #accepted(): void {
    const now = performance.now()
    if (this.#lastMs !== null) this.#gapMs = Math.max(this.#gapMs, now - this.#lastMs)
    this.#lastMs = now
  }

  /** Longest time between two accepted writes since the last call, one that lasts included. Milliseconds. */
  takeGap(): number {
    if (this.#lastMs !== null) this.#gapMs = Math.max(this.#gapMs, performance.now() - this.#lastMs)
    const gap = this.#gapMs
    this.#gapMs = 0
    return gap
  }

  /** Resolves when `count` more writes were accepted. */
  async goesOn(count: number): Promise<void> {
    const until = this.attempts - this.failed + count
    while (this.attempts - this.failed < until) await sleep(2)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  /** Compares with what the list holds. */
  judge(list: readonly string[]): Verdict {
    const seen = new Set(list)
    const lost = this.acknowledged.filter((n) => !seen.has(String(n)))
    return { acknowledged: this.acknowledged.length, failed: this.failed, lost, duplicated: list.length - seen.size }
  }
}

export interface Verdict {
  readonly acknowledged: number
  readonly failed: number
  /** Numbers that were acknowledged and are not there. */
  readonly lost: readonly number[]
  /** Entries of the list beyond the first of their number: a client sent them again by itself. */
  readonly duplicated: number
}
