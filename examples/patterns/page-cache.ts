//! Page cache by lazy loading: look, and render on a miss. Three things keep it calm: expiry times are spread, so that
//! pages made together do not all expire together; of all who miss one page, one renders it (a lock in the cache) and the
//! others wait for it; and a page that has just expired is still shown while one visitor's request makes the new one.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { unlock } from './lock.ts'
import type { Cache } from './support/cache.ts'

/** Who renders has this long before another one tries. Milliseconds. */
const RENDER_MS = 5_000
/** How often who waits looks again. Milliseconds. */
const LOOK_MS = 20
const JITTER = 0.1

export interface Lifetime {
  /** Milliseconds that a page is fresh. */
  readonly freshMs: number
  /** Milliseconds after that in which it may still be shown, while a new one is made. */
  readonly staleMs: number
}

export interface Page {
  readonly body: string
  readonly from: 'cache' | 'stale' | 'rendered'
}

interface Stored {
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly freshUntil: number
}

export class PageCache {
  readonly #cache: Cache
  readonly #lifetime: Lifetime
  readonly #now: () => number

  constructor(cache: Cache, lifetime: Lifetime, now: () => number = Date.now) {
    this.#cache = cache
    this.#lifetime = lifetime
    this.#now = now
  }

  async get(path: string, render: () => Promise<string>): Promise<Page> {
    for (;;) {
      const stored = await this.#stored(path)
      if (stored !== null && stored.freshUntil > this.#now()) return { body: stored.body, from: 'cache' }
      const token = randomUUID()
      if ((await this.#cache.primary.set(lockOf(path), token, 'PX', RENDER_MS, 'NX')) !== null) {
        return this.#rendered(path, token, render)
      }
      if (stored !== null) return { body: stored.body, from: 'stale' }
      await sleep(LOOK_MS)
    }
  }

  /** The primary is asked: a replica that lags would have every waiting visitor render again. */
  async #stored(path: string): Promise<Stored | null> {
    const text = await this.#cache.primary.get(keyOf(path))
    return text === null ? null : (JSON.parse(text) as Stored)
  }

  async #rendered(path: string, token: string, render: () => Promise<string>): Promise<Page> {
    try {
      // Another one may have finished between our look and our lock.
      const stored = await this.#stored(path)
      if (stored !== null && stored.freshUntil > this.#now()) return { body: stored.body, from: 'cache' }
      const body = await render()
      const { freshMs, staleMs } = this.#lifetime
      const fresh = Math.round(freshMs * (1 + JITTER * (2 * Math.random() - 1)))
      const page: Stored = { body, freshUntil: this.#now() + fresh }
      await this.#cache.primary.set(keyOf(path), JSON.stringify(page), 'PX', fresh + staleMs)
      return { body, from: 'rendered' }
    } finally {
      await unlock(this.#cache.primary, lockOf(path), token)
    }
  }

  async forget(path: string): Promise<void> {
    await this.#cache.primary.del(keyOf(path))
  }
}

const keyOf = (path: string): string => `page:${path}`
const lockOf = (path: string): string => `page-lock:${path}`

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  let renders = 0
  const pages = new PageCache(cache, { freshMs: 60_000, staleMs: 60_000 })
  const render = async (): Promise<string> => {
    renders++
    await sleep(50)
    return '<h1>Front page</h1>'
  }
  const visits = await Promise.all(Array.from({ length: 100 }, () => pages.get('/', render)))
  say(
    `100 visitors at once: rendered ${renders} time, ${visits.filter((v) => v.from === 'cache').length} from the cache`,
  )
  say(`the next one: ${(await pages.get('/', render)).from}`)
}
