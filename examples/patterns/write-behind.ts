//! Write-behind: a write is done when the cache has it, and the database follows in batches (write-behind-worker.ts). It
//! spares the database bursts and takes its time out of the visitor's way; the price is that the cache holds, for a
//! moment, what nobody else has. So that a crash loses nothing:
//! - value and log entry are written in one transaction, and the write is only called done when WAIT says that every
//!   replica has it: whichever of them is promoted knows it;
//! - what is repeated after a broken connection carries the same id, and the database takes each id once;
//! - the worker stores its place in the log in the same database transaction as the rows (it may die at any moment), and
//!   removes from the log only what is committed.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Cache } from './support/cache.ts'
import { applyBatch, openDatabase, readValue } from './write-behind-worker.ts'

/** The log of writes that the database has yet to take. */
export const LOG = 'write-behind:{log}'
/** Milliseconds that replicas have for a write before it is tried again. */
const WAIT_MS = 1_000
const RETRY_MS = 20

export class WriteBehind {
  readonly #redis: Redis
  readonly #replicas: number

  /** @param replicas of the group, all of which must have a write before it is done */
  constructor(cache: Cache, replicas: number) {
    const { host, port } = cache.primary.options
    this.#replicas = replicas
    // Nothing is sent again by the client: WAIT speaks of the writes of its own connection, and of no other.
    this.#redis = new Redis({
      ...{ host: String(host), port: Number(port), autoResendUnfulfilledCommands: false },
      ...{ maxRetriesPerRequest: 0, retryStrategy: () => RETRY_MS },
    })
    this.#redis.on('error', () => {})
  }

  /**
   * Resolves when every replica has the write. @throws Error when that has not come to pass within `timeoutMs`; the write
   * may then have happened or not, and may be repeated with the same `write` id.
   */
  async set(id: string, value: string, timeoutMs = 30_000, write: string = randomUUID()): Promise<void> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      try {
        const acknowledged = await this.#attempt(id, value, write)
        if (acknowledged >= this.#replicas) return
      } catch (error) {
        if (performance.now() >= deadline) throw error
      }
      if (performance.now() >= deadline) throw new Error(`${id}: not every replica has it within ${timeoutMs} ms`)
      await sleep(RETRY_MS)
    }
  }

  /** @returns how many replicas have it */
  async #attempt(id: string, value: string, write: string): Promise<number> {
    const written = this.#redis
      .multi()
      .set(keyOf(id), value)
      .xadd(LOG, '*', 'write', write, 'id', id, 'value', value)
      .exec()
    // Asked at once, so that it goes over the same connection; alone on a new one it would answer for nothing.
    const acknowledged = this.#redis.wait(this.#replicas, WAIT_MS)
    const [answers, count] = await Promise.all([written, acknowledged])
    for (const [error] of answers ?? []) if (error !== null) throw error
    return count
  }

  get(id: string): Promise<string | null> {
    return this.#redis.get(keyOf(id))
  }

  /** Writes that the database has yet to take. */
  backlog(): Promise<number> {
    return this.#redis.xlen(LOG)
  }

  close(): void {
    this.#redis.disconnect()
  }
}

const keyOf = (id: string): string => `{log}:item:${id}`

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'write-behind-'))
  const database = openDatabase(join(directory, 'items.db'))
  const items = new WriteBehind(cache, 1)
  for (let n = 1; n <= 100; n++) await items.set(`item-${n % 10}`, `value ${n}`)
  say(`100 writes done; the cache: ${await items.get('item-0')}, the database: ${readValue(database, 'item-0')}`)
  say(`in the log: ${await items.backlog()}`)
  while ((await applyBatch(cache.primary, database)) > 0);
  say(`the worker has run; the database: ${readValue(database, 'item-0')}, in the log: ${await items.backlog()}`)
  items.close()
  database.close()
  rmSync(directory, { recursive: true })
}
