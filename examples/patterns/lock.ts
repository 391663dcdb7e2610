//! A lock among processes: SET NX with an expiry, so that a holder that dies does not keep it for ever, and a token, so
//! that nobody frees the lock of another. A holder that was asleep for longer than the expiry still believes that it
//! holds the lock: what is protected must therefore look at the fencing number, which grows with each holder.
//! Replication is asynchronous: a failover may forget a lock that was just taken. Where two holders must be impossible,
//! the fencing number (checked where the data is) makes it so; the lock only keeps the work from being done twice.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Cache } from './support/cache.ts'
import { Script } from './support/script.ts'

const TAKE = new Script(`
  if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
  return 0`)
const FREE = new Script(`
  if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
  return 0`)
const EXTEND = new Script(`
  if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return 0`)
/** Milliseconds between two attempts of one who waits. */
const RETRY_MS = 10

export interface Held {
  /** Grows with each holder of this lock: give it to what you write to, and let that refuse a lower one. */
  readonly fence: number
  /** Milliseconds more; false when the lock was lost meanwhile. */
  extend(milliseconds: number): Promise<boolean>
  /** False when it was lost meanwhile. */
  free(): Promise<boolean>
}

/** Frees `key` if `token` holds it. */
export async function unlock(redis: Redis, key: string, token: string): Promise<boolean> {
  return (await FREE.run(redis, [key], [token])) === 1
}

/** Null when another one holds it. `milliseconds`: how long it is held at most, unless extended. */
export async function tryLock({ primary }: Cache, name: string, milliseconds: number): Promise<Held | null> {
  const [key, counter] = [`lock:{${name}}`, `lock-fence:{${name}}`]
  const token = randomUUID()
  const fence = Number(await TAKE.run(primary, [key, counter], [token, milliseconds]))
  if (fence === 0) return null
  return {
    fence,
    extend: async (more) => (await EXTEND.run(primary, [key], [token, more])) === 1,
    free: () => unlock(primary, key, token),
  }
}

/** Waits for the lock, does the work, frees it. @throws Error when it cannot be had within `waitMs` */
export async function withLock<T>(
  cache: Cache,
  name: string,
  { holdMs, waitMs }: { readonly holdMs: number; readonly waitMs: number },
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const held = await tryLock(cache, name, holdMs)
    if (held !== null) return work(held).finally(() => held.free())
    if (performance.now() >= deadline) throw new Error(`the lock ${name} was not free within ${waitMs} ms`)
    await sleep(RETRY_MS)
  }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const first = await tryLock(cache, 'nightly-report', 10_000)
  say(`first holder: fence ${first?.fence}; a second one: ${await tryLock(cache, 'nightly-report', 10_000)}`)
  say(`freed: ${await first?.free()}; again by the same: ${await first?.free()}`)
  let stock = 10
  await Promise.all(
    Array.from({ length: 10 }, () =>
      withLock(cache, 'stock', { holdMs: 5_000, waitMs: 30_000 }, async () => {
        const seen = stock
        await sleep(2)
        stock = seen - 1
      }),
    ),
  )
  say(`ten workers each take one of ten by read, wait, write: ${stock} left`)
}
