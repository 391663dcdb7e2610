//! Clients of the replication group under load: a writer that knows which writes all replicas had, and a reader.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Findings, within } from './findings.ts'

const KEYS = 400
/** Replicas that must have a write before it counts as safe. */
export const REPLICAS = 2
const WAIT_MS = 500
const COMMAND_MS = 1500
const PAUSE_MS = 2

const redis = (host: string): Redis => {
  const client = new Redis({
    ...{ host, port: 6379, commandTimeout: COMMAND_MS, maxRetriesPerRequest: 0, connectTimeout: 1000 },
    retryStrategy: () => 20,
  })
  client.on('error', () => {})
  return client
}

export class CacheLoad {
  readonly #findings: Findings
  readonly #writer: Redis
  readonly #reader: Redis
  /** Newest number of each key that all replicas had acknowledged. */
  readonly #safe = new Map<string, number>()
  #number = 0
  /** Longest time between two accepted writes, of the newest round. Milliseconds. */
  longestGapMs = 0
  #lastWrite: number | null = null

  constructor(primary: string, reader: string, findings: Findings) {
    this.#findings = findings
    this.#writer = redis(primary)
    this.#reader = redis(reader)
  }

  newRound(): void {
    this.longestGapMs = 0
    this.#lastWrite = null
  }

  async write(): Promise<void> {
    const number = ++this.#number
    const key = `key-${number % KEYS}`
    try {
      await this.#writer.set(key, number)
      this.#accepted()
      const replicas = await this.#writer.wait(REPLICAS, WAIT_MS)
      if (replicas >= REPLICAS) this.#safe.set(key, number)
      this.#findings.count(replicas >= REPLICAS ? 'cache: write on all replicas' : 'cache: write on fewer replicas')
    } catch (error) {
      this.#findings.count(`cache: write failed: ${shortly(error)}`)
      await sleep(5)
    }
    await sleep(PAUSE_MS)
  }

  #accepted(): void {
    const now = performance.now()
    if (this.#lastWrite !== null) this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastWrite)
    this.#lastWrite = now
  }

  async read(): Promise<void> {
    try {
      await this.#reader.get(`key-${this.#number % KEYS}`)
      this.#findings.count('cache: read')
    } catch (error) {
      this.#findings.count(`cache: read failed: ${shortly(error)}`)
      await sleep(5)
    }
    await sleep(PAUSE_MS)
  }

  /** Every safe write, or a newer one of its key, is at the primary endpoint. */
  async check(): Promise<void> {
    const keys = [...this.#safe.keys()]
    if (keys.length === 0) return
    const values = await within(COMMAND_MS * 2, 'reading back the cache', this.#writer.mget(keys))
    for (const [at, key] of keys.entries()) {
      const safe = this.#safe.get(key)!
      if (Number(values[at] ?? Number.NaN) >= safe) continue
      this.#findings.violation(`cache ${key}: expected write ${safe}, which all replicas had, seen ${values[at]}`)
    }
  }

  close(): void {
    this.#writer.disconnect()
    this.#reader.disconnect()
  }
}

const shortly = (error: unknown): string => (error as Error).message.replaceAll(/\d+/g, 'N').slice(0, 60)
