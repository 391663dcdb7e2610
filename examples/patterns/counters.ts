//! Counters: increments that never meet in a database row. Likes by INCR, views by hour in a hash with an expiry, and
//! distinct visitors by HyperLogLog, which needs 12 KB however many there are and errs by 0.81 percent.
import type { Cache } from './support/cache.ts'

const HOUR_MS = 3_600_000
/** Seconds that hours are kept. */
const KEPT_SECONDS = 7 * 24 * 3600

const hourOf = (now: number): string => new Date(Math.floor(now / HOUR_MS) * HOUR_MS).toISOString().slice(0, 13)

export class Counters {
  readonly #cache: Cache
  readonly #now: () => number

  constructor(cache: Cache, now: () => number = Date.now) {
    this.#cache = cache
    this.#now = now
  }

  /** @returns the likes there are now */
  async like(item: string): Promise<number> {
    return this.#cache.primary.incr(`likes:${item}`)
  }

  async viewed(item: string, visitor: string): Promise<void> {
    const hours = `views:${item}`
    await this.#cache.primary
      .multi()
      .hincrby(hours, hourOf(this.#now()), 1)
      .expire(hours, KEPT_SECONDS)
      .pfadd(`visitors:${item}`, visitor)
      .exec()
  }

  /** Views by hour (`2026-01-31T12`, UTC), and about how many different visitors. */
  async views(item: string): Promise<{ readonly hours: Readonly<Record<string, number>>; readonly visitors: number }> {
    const [hours, visitors] = await Promise.all([
      this.#cache.primary.hgetall(`views:${item}`),
      this.#cache.primary.pfcount(`visitors:${item}`),
    ])
    return { hours: Object.fromEntries(Object.entries(hours).map(([hour, n]) => [hour, Number(n)])), visitors }
  }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const counters = new Counters(cache, () => Date.UTC(2026, 0, 31, 12, 30))
  const likes = await Promise.all(Array.from({ length: 50 }, () => counters.like('photo-7')))
  say(`50 likes at once: ${Math.max(...likes)}`)
  for (let n = 0; n < 300; n++) await counters.viewed('photo-7', `visitor-${n % 100}`)
  say(`300 views by 100 visitors: ${JSON.stringify(await counters.views('photo-7'))}`)
}
