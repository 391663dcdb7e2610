//! Shopping cart: a hash of product and quantity. It is shared by all servers, bears two tabs that add at the same time,
//! and the cart of a guest joins the one of the customer at sign-in, in one step.
import type { Cache } from './support/cache.ts'
import { Script } from './support/script.ts'

/** Seconds that a cart lives after its last change. */
const KEPT_SECONDS = 30 * 24 * 3600
const PRODUCTS_MAX = 100
const QUANTITY_MAX = 99

/** Adds, and never goes below zero or above the limits, whoever else is at it. */
const ADD = new Script(`
  local present = redis.call('HGET', KEYS[1], ARGV[1])
  if not present and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
  local quantity = math.min(tonumber(ARGV[3]), (tonumber(present) or 0) + tonumber(ARGV[2]))
  if quantity <= 0 then
    redis.call('HDEL', KEYS[1], ARGV[1])
    return 0
  end
  redis.call('HSET', KEYS[1], ARGV[1], quantity)
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  return quantity`)

const JOIN = new Script(`
  local guest = redis.call('HGETALL', KEYS[1])
  for at = 1, #guest, 2 do
    local quantity = (tonumber(redis.call('HGET', KEYS[2], guest[at])) or 0) + tonumber(guest[at + 1])
    redis.call('HSET', KEYS[2], guest[at], math.min(tonumber(ARGV[1]), quantity))
  end
  redis.call('DEL', KEYS[1])
  if #guest > 0 then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
  return #guest / 2`)

export type CartContents = Readonly<Record<string, number>>

/** The braces keep carts in one slot, should the group ever be sharded: JOIN needs two of them in one place. */
const keyOf = (owner: string): string => `{cart}:${owner}`

export class Carts {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** @returns the quantity in the cart now. @throws RangeError when the cart is full */
  async add(owner: string, product: string, quantity = 1): Promise<number> {
    const limits = [QUANTITY_MAX, PRODUCTS_MAX, KEPT_SECONDS]
    const now = Number(await ADD.run(this.#cache.primary, [keyOf(owner)], [product, quantity, ...limits]))
    if (now < 0) throw new RangeError(`A cart holds at most ${PRODUCTS_MAX} products.`)
    return now
  }

  async contents(owner: string): Promise<CartContents> {
    const quantities = await this.#cache.primary.hgetall(keyOf(owner))
    return Object.fromEntries(Object.entries(quantities).map(([product, quantity]) => [product, Number(quantity)]))
  }

  /** At sign-in. @returns how many products the guest's cart had */
  async join(guest: string, customer: string): Promise<number> {
    const args = [QUANTITY_MAX, KEPT_SECONDS]
    return Number(await JOIN.run(this.#cache.primary, [keyOf(guest), keyOf(customer)], args))
  }

  /** At checkout: takes the cart away and gives its contents, once, whoever else clicks too. */
  async takeAway(owner: string): Promise<CartContents> {
    const answers = await this.#cache.primary.multi().hgetall(keyOf(owner)).del(keyOf(owner)).exec()
    const quantities = (answers?.[0]?.[1] ?? {}) as Record<string, string>
    return Object.fromEntries(Object.entries(quantities).map(([product, quantity]) => [product, Number(quantity)]))
  }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const carts = new Carts(cache)
  await Promise.all([carts.add('guest-1', 'mug', 2), carts.add('guest-1', 'mug'), carts.add('guest-1', 'tea')])
  say(`guest: ${JSON.stringify(await carts.contents('guest-1'))}`)
  await carts.add('ada', 'mug')
  say(
    `signed in, ${await carts.join('guest-1', 'ada')} products joined: ${JSON.stringify(await carts.contents('ada'))}`,
  )
  const checkouts = await Promise.all([carts.takeAway('ada'), carts.takeAway('ada')])
  say(`two clicks on checkout: ${JSON.stringify(checkouts)}`)
}
