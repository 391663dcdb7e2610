//! State of a Lambda function: an execution environment may serve one event or thousands, and several run side by side,
//! so what must be remembered is in the cache. The connection is made outside of the handler, once for an environment,
//! and shared by all events that it gets. Events come at least once: the answer of each is kept under its id, and its
//! effect and that note are one step, so that a repeated event changes nothing and gets the same answer.
import type { Redis } from 'ioredis'
import { type Cache, client, endpointOf } from './support/cache.ts'
import { Script } from './support/script.ts'

/** Seconds that answers are kept: longer than any event is retried (six hours for asynchronous calls). */
const ANSWERS_KEPT_SECONDS = 24 * 3600

export interface OrderEvent {
  /** Of the message, not of the attempt. */
  readonly id: string
  readonly customer: string
  readonly cents: number
}

export interface OrderAnswer {
  readonly orders: number
  readonly spentCents: number
  readonly repeated: boolean
}

const COUNT_ONCE = new Script(`
  local answer = redis.call('GET', KEYS[2])
  if answer then return {1, answer} end
  local orders = redis.call('HINCRBY', KEYS[1], 'orders', 1)
  local spent = redis.call('HINCRBY', KEYS[1], 'spentCents', ARGV[1])
  answer = cjson.encode({orders = orders, spentCents = spent})
  redis.call('SET', KEYS[2], answer, 'EX', ARGV[2])
  return {0, answer}`)

let redis: Redis | null = null

/** What Lambda calls. CACHE_PRIMARY is the function's environment variable: the primary endpoint. */
export async function handler(event: OrderEvent): Promise<OrderAnswer> {
  redis ??= client(endpointOf(process.env.CACHE_PRIMARY ?? ''))
  return handle(redis, event)
}

async function handle(primary: Redis, { id, customer, cents }: OrderEvent): Promise<OrderAnswer> {
  const keys = [`customer:{${customer}}`, `event:{${customer}}:${id}`]
  const [repeated, answer] = (await COUNT_ONCE.run(primary, keys, [cents, ANSWERS_KEPT_SECONDS])) as [number, string]
  return { ...(JSON.parse(answer) as Omit<OrderAnswer, 'repeated'>), repeated: repeated === 1 }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const order = (id: string): OrderEvent => ({ id, customer: 'ada', cents: 1_250 })
  say(JSON.stringify(await handle(cache.primary, order('m-1'))))
  say(JSON.stringify(await handle(cache.primary, order('m-2'))))
  say(`the first again: ${JSON.stringify(await handle(cache.primary, order('m-1')))}`)
}
