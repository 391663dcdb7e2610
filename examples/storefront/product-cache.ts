//! The cache tier of the shop, in the two strategies that the ElastiCache guide teaches.
//! Lazy loading: read the cache; on a miss ask the database and keep the answer for a while. Requests that miss the same
//! key at the same time share one query (`getOrSet` of the cacheable library).
//! Write-through: who changes a price writes the new page into the cache at once.
import { Cacheable, Keyv } from 'cacheable'
import type { FrontPage, ProductPage } from './database.ts'
import type { DatabaseClient } from './database-client.ts'
import { type Endpoint, ReplicationGroupStore } from './replication-group.ts'

/** How long a page is kept; each one a little shorter or longer, so that they do not all expire together. */
const TTL_MS = 300_000
const TTL_JITTER = 0.1
/** Keys in the cache are `storefront::product:17`. */
const NAMESPACE = 'storefront'

/** Which tier behind the edge answered. */
export type Tier = 'database' | 'elasticache'

export interface Cached<Page> {
  readonly page: Page
  readonly tier: Tier
}

export interface CacheCounts {
  readonly hits: number
  readonly misses: number
  /** Commands that the cache did not answer: it was away, or too slow. */
  readonly errors: number
  /** Write-through writes that the primary did not accept; their keys are removed when it is back. */
  readonly refusedWrites: number
}

interface Entry<Page> {
  /** Null when the database has no such product: that, too, is worth remembering. */
  readonly page: Page | null
  /** When the database answered, in milliseconds since the epoch with fractions. */
  readonly loadedAt: number
}

const now = (): number => performance.timeOrigin + performance.now()
const productKey = (id: number): string => `product:${id}`

export class ProductCache {
  readonly #database: DatabaseClient
  readonly #store: ReplicationGroupStore
  readonly #cache: Cacheable
  /** Keys whose entry is older than the database, because the cache was away when the database changed. */
  readonly #stale = new Set<string>()
  readonly #counts = { hits: 0, misses: 0, errors: 0, refusedWrites: 0 }

  constructor(database: DatabaseClient, primary: Endpoint, reader: Endpoint) {
    this.#database = database
    this.#store = new ReplicationGroupStore(primary, reader, NAMESPACE)
    const keyv = new Keyv(this.#store, { namespace: NAMESPACE, useKeyPrefix: false, throwOnErrors: true })
    this.#cache = new Cacheable({ primary: keyv, cacheId: NAMESPACE })
    this.#cache.on('error', () => this.#counts.errors++)
    keyv.on('error', () => {})
    this.#store.onPrimaryReady(() => void this.#removeStale())
  }

  /** Null when there is no such product. */
  async product(id: number): Promise<Cached<ProductPage> | null> {
    return this.#lazily(productKey(id), () => this.#database.productPage(id))
  }

  async front(): Promise<Cached<FrontPage> | null> {
    return this.#lazily('front', () => this.#database.frontPage())
  }

  /**
   * Changes the price in the database, then writes the new page through. Pages of other products that show this price
   * (what customers also reviewed) follow when they expire.
   * @returns what became of the cache's entry: `refused` ones are removed as soon as the primary accepts writes.
   */
  async setPrice(id: number, cents: number): Promise<'written' | 'refused' | 'no-such-product'> {
    if (!(await this.#database.setPrice(id, cents, Date.now()))) return 'no-such-product'
    const key = productKey(id)
    const page = await this.#database.productPage(id)
    if (await this.#write(key, page)) {
      this.#stale.delete(key)
      return 'written'
    }
    this.#counts.refusedWrites++
    this.#stale.add(key)
    return 'refused'
  }

  counts(): CacheCounts {
    return { ...this.#counts }
  }

  async close(): Promise<void> {
    await this.#cache.disconnect()
  }

  async #lazily<Page>(key: string, load: () => Promise<Page | null>): Promise<Cached<Page> | null> {
    const asked = now()
    // A key known to be stale is not worth asking for; the database knows better.
    if (this.#stale.has(key)) return this.#answer(asked, { page: await load(), loadedAt: now() })
    const entry = await this.#cache.getOrSet<Entry<Page>>(
      key,
      async () => {
        const page = await load()
        return { page, loadedAt: now() }
      },
      { ttl: jittered(), throwErrors: 'function' },
    )
    return this.#answer(asked, entry)
  }

  /** An entry loaded after the question is the database's answer, be it to this question or to one it waited with. */
  #answer<Page>(asked: number, entry: Entry<Page> | undefined): Cached<Page> | null {
    const tier = entry === undefined || entry.loadedAt >= asked ? 'database' : 'elasticache'
    this.#counts[tier === 'database' ? 'misses' : 'hits']++
    return entry?.page == null ? null : { page: entry.page, tier }
  }

  async #write(key: string, page: ProductPage | null): Promise<boolean> {
    const entry: Entry<ProductPage> = { page, loadedAt: now() }
    return this.#cache.set(key, entry, jittered())
  }

  async #removeStale(): Promise<void> {
    for (const key of this.#stale) {
      try {
        await this.#cache.delete(key)
        this.#stale.delete(key)
      } catch {
        return // Away again: the next `ready` goes on from here.
      }
    }
  }
}

const jittered = (): number => Math.round(TTL_MS * (1 + TTL_JITTER * (2 * Math.random() - 1)))
