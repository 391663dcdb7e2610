//! Write-through: who changes a row writes it into the cache at once, so readers find it there; lazy loading fills what
//! is missing (a new node, an expired key). The database has the last word: each row carries a version, and the cache
//! takes only a newer one, so that two writers, or a slow reader that fills the cache with what it read before a change,
//! cannot leave the older value behind.
import { DatabaseSync } from 'node:sqlite'
import type { Cache } from './support/cache.ts'
import { Script } from './support/script.ts'

const TTL_SECONDS = 300

/** Stores row and version unless a newer one is there. */
const PUT_NEWER = new Script(`
  local present = tonumber(redis.call('HGET', KEYS[1], 'version'))
  if present and present >= tonumber(ARGV[1]) then return 0 end
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'value', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return 1`)

export interface Row {
  readonly value: string
  readonly version: number
}

export class WriteThrough {
  readonly #cache: Cache
  readonly #database: DatabaseSync
  queries = 0

  constructor(cache: Cache, file: string) {
    this.#cache = cache
    this.#database = new DatabaseSync(file)
    this.#database.exec('CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, value TEXT, version INTEGER) STRICT')
  }

  /**
   * Changes the database, then the cache. When the cache is away its key is left to what it was: then readers may see
   * the old value until it expires, and the caller is told.
   */
  async set(id: string, value: string): Promise<'written' | 'cache-away'> {
    const row = this.#database
      .prepare(
        `INSERT INTO item VALUES (?, ?, 1)
         ON CONFLICT (id) DO UPDATE SET value = excluded.value, version = version + 1 RETURNING version`,
      )
      .get(id, value) as { version: number }
    return this.put(id, { value, version: row.version }).then(
      () => 'written',
      () => 'cache-away',
    )
  }

  async get(id: string): Promise<Row | null> {
    const [version, value] = await this.#cache.primary.hmget(keyOf(id), 'version', 'value')
    if (version != null && value != null) return { value, version: Number(version) }
    const row = this.read(id)
    if (row !== null) await this.put(id, row)
    return row
  }

  /** The database's word. */
  read(id: string): Row | null {
    this.queries++
    return (this.#database.prepare('SELECT value, version FROM item WHERE id = ?').get(id) as Row | undefined) ?? null
  }

  /** @returns false when the cache has a newer one */
  async put(id: string, { value, version }: Row): Promise<boolean> {
    return (await PUT_NEWER.run(this.#cache.primary, [keyOf(id)], [version, value, TTL_SECONDS])) === 1
  }

  close(): void {
    this.#database.close()
  }
}

const keyOf = (id: string): string => `item:${id}`

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const items = new WriteThrough(cache, ':memory:')
  await items.set('mug', 'blue')
  say(`read: ${(await items.get('mug'))?.value}, database queries: ${items.queries}`)
  const slow = items.read('mug')
  await items.set('mug', 'green')
  say(
    `a slow reader fills the cache with what it read before: taken ${slow !== null && (await items.put('mug', slow))}`,
  )
  say(`read: ${(await items.get('mug'))?.value}`)
  await cache.primary.del('item:mug')
  say(`the key is lost: ${(await items.get('mug'))?.value}, database queries: ${items.queries}`)
  items.close()
}
