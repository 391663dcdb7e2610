//! Rate limits that hold over all servers of an application, in the three usual shapes. Each is one script, so that no
//! two requests can both take the last place; time comes from the engine, so that the clocks of the servers do not matter.
import { randomUUID } from 'node:crypto'
import type { Cache } from './support/cache.ts'
import { Script, type ScriptResult } from './support/script.ts'

export interface Verdict {
  readonly allowed: boolean
  /** Requests that are left now. */
  readonly left: number
  /** Milliseconds until one more is allowed; 0 when one is now. For Retry-After. */
  readonly retryMs: number
}

/** Cheapest: a counter that expires. At the border of two windows twice the limit can pass. */
const FIXED = new Script(`
  local count = redis.call('INCR', KEYS[1])
  if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  local limit = tonumber(ARGV[1])
  return {count <= limit and 1 or 0, math.max(0, limit - count), count < limit and 0 or redis.call('PTTL', KEYS[1])}`)

/** Exact: the time of each request of the last window. Costs memory for each of them. */
const SLIDING = new Script(`
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
  local count = redis.call('ZCARD', KEYS[1])
  local allowed = count < limit
  if allowed then
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], window)
    count = count + 1
  end
  local wait = 0
  if count >= limit then wait = tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]) + window - now end
  return {allowed and 1 or 0, limit - count, wait}`)

/** Smooth: a bucket of `limit` tokens that fills within the window; short bursts pass, the average holds. */
const BUCKET = new Script(`
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
  local tokens, at = tonumber(state[1]) or limit, tonumber(state[2]) or now
  tokens = math.min(limit, tokens + (now - at) * limit / window)
  local allowed = tokens >= 1
  if allowed then tokens = tokens - 1 end
  redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.3f', now))
  redis.call('PEXPIRE', KEYS[1], window)
  local wait = 0
  if tokens < 1 then wait = math.ceil((1 - tokens) * window / limit) end
  return {allowed and 1 or 0, math.floor(tokens), wait}`)

const SHAPES = { fixed: FIXED, sliding: SLIDING, bucket: BUCKET } as const

export class RateLimit {
  readonly #cache: Cache
  readonly #shape: keyof typeof SHAPES
  readonly #limit: number
  readonly #windowMs: number

  /** At most `limit` requests in `windowMs` milliseconds. */
  constructor(cache: Cache, shape: keyof typeof SHAPES, limit: number, windowMs: number) {
    this.#cache = cache
    this.#shape = shape
    this.#limit = limit
    this.#windowMs = windowMs
  }

  /** Counts a request of `who` and says whether it may go on. */
  async take(who: string): Promise<Verdict> {
    const key = `rate:${this.#shape}:${who}`
    const args = [this.#limit, this.#windowMs, randomUUID()]
    const answer = (await SHAPES[this.#shape].run(this.#cache.primary, [key], args)) as readonly ScriptResult[]
    return { allowed: answer[0] === 1, left: Number(answer[1]), retryMs: Number(answer[2]) }
  }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  for (const shape of ['fixed', 'sliding', 'bucket'] as const) {
    const limit = new RateLimit(cache, shape, 5, 60_000)
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => limit.take('203.0.113.7')))
    const refused = verdicts.find((verdict) => !verdict.allowed)
    say(`${shape}: of 20 at once ${verdicts.filter((v) => v.allowed).length} pass; the next in ${wait(refused)}`)
  }
}

const wait = (verdict: Verdict | undefined): string => `${Math.ceil((verdict?.retryMs ?? 0) / 1000)} s at most`
