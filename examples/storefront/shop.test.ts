//! The shop against a real redis-server: lazy loading, one query for many who wait, write-through, and a cache that goes
//! away and comes back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { buildDatabase } from './database.ts'
import { DatabaseClient } from './database-client.ts'
import { ProductCache } from './product-cache.ts'
import { createShop } from './shop.ts'
import { HOST, TestRedis } from './support/redis.ts'

let directory = ''
let redis: TestRedis
let admin: Redis
let database: DatabaseClient
let cache: ProductCache
let shop: ReturnType<typeof createShop>
let url = ''

/** Asks until it is so; the tests' own timeout is the limit. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5)
}

const tierOf = async (path: string): Promise<string | null> => {
  const answer = await fetch(url + path)
  await answer.arrayBuffer()
  return answer.headers.get('x-tier')
}

const setPrice = async (id: number, cents: number): Promise<{ cache: string }> => {
  const answer = await fetch(`${url}/api/products/${id}/price`, { method: 'POST', body: JSON.stringify({ cents }) })
  return (await answer.json()) as { cache: string }
}

const priceOf = async (id: number): Promise<number> =>
  ((await (await fetch(`${url}/api/products/${id}`)).json()) as { cents: number }).cents

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'storefront-shop-'))
  const file = join(directory, 'shop.db')
  buildDatabase(file, { categories: 10, products: 200, customers: 100, reviews: 3_000 })
  redis = await TestRedis.start()
  admin = new Redis({ host: HOST, port: redis.port, retryStrategy: () => 5, maxRetriesPerRequest: null })
  admin.on('error', () => {})
  await admin.ping()
  database = new DatabaseClient(file)
  const endpoint = { host: HOST, port: redis.port }
  cache = new ProductCache(database, endpoint, endpoint)
  shop = createShop({ cache, database, name: 'shop' }).listen(0, HOST)
  await once(shop, 'listening')
  url = `http://${HOST}:${(shop.address() as AddressInfo).port}`
  // The shop's connections are up when an answer has come from the cache.
  await until(async () => (await tierOf('/products/200')) === 'elasticache')
})

beforeEach(() => admin.flushall())

after(async () => {
  shop.close()
  shop.closeAllConnections()
  admin.disconnect()
  await cache.close()
  await database.close()
  await redis.remove()
  rmSync(directory, { recursive: true })
})

test('the first visitor pays for the query, the next ones do not', async () => {
  const before = await database.counts()
  assert.equal(await tierOf('/products/1'), 'database')
  assert.equal(await tierOf('/products/1'), 'elasticache')
  assert.equal(await tierOf('/api/products/1'), 'elasticache')
  assert.equal((await database.counts()).product - before.product, 1)
  const ttl = await admin.pttl('storefront::product:1')
  assert.ok(ttl > 260_000 && ttl <= 330_000, `kept for ${ttl} ms`)
})

test('many who miss at once share one query', async () => {
  const before = await database.counts()
  const answers = await Promise.all(Array.from({ length: 20 }, () => cache.product(2)))
  assert.equal((await database.counts()).product - before.product, 1)
  assert.ok(answers.every((answer) => answer?.tier === 'database' && answer.page.id === 2))
})

test('a product that does not exist is remembered, too', async () => {
  const before = await database.counts()
  for (let n = 0; n < 3; n++) assert.equal((await fetch(`${url}/products/99999`)).status, 404)
  assert.equal((await database.counts()).product - before.product, 1)
})

test('a price is written through: the next visitor sees it from the cache', async () => {
  await tierOf('/products/3')
  assert.equal((await setPrice(3, 4_321)).cache, 'written')
  assert.equal(await priceOf(3), 4_321)
  assert.equal(await tierOf('/products/3'), 'elasticache')
})

test('the edge may keep pages, and never carts or the API', async () => {
  const caching = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(url + path, { headers })).headers.get('cache-control')
  assert.equal(await caching('/products/4'), 'public, max-age=0, s-maxage=300')
  assert.equal(await caching('/'), 'public, max-age=0, s-maxage=300')
  assert.equal(await caching('/api/products/4'), 'private, no-store')
  assert.equal(await caching('/cart', { cookie: 'cart=4.5' }), 'private, no-store')
})

test('a price that is no price changes nothing', async () => {
  const before = await database.counts()
  for (const body of ['{"cents":-1}', '{"cents":1.5}', 'null', 'cents=5', '']) {
    const answer = await fetch(`${url}/api/products/5/price`, { method: 'POST', body })
    assert.equal(answer.status, 400, body)
  }
  assert.equal((await database.counts()).price, before.price)
})

test('without its cache the shop answers from the database; back again, no stale price is left', async () => {
  await tierOf('/products/6')
  const stale = await admin.get('storefront::product:6')
  assert.ok(stale !== null)
  await redis.kill()
  assert.equal(await tierOf('/products/6'), 'database')
  assert.equal((await setPrice(6, 777)).cache, 'refused')
  assert.equal(await priceOf(6), 777)
  await redis.startAgain({ 'storefront::product:6': stale })
  await until(async () => (await tierOf('/products/6')) === 'elasticache')
  assert.equal(await priceOf(6), 777)
})

test('a replica that lags does not show the old price to who has just changed it', async () => {
  // The extreme of lag: the reader endpoint leads to an engine that never hears of the write.
  const lagging = await TestRedis.start()
  const replica = new Redis({ host: HOST, port: lagging.port, retryStrategy: () => 5, maxRetriesPerRequest: null })
  replica.on('error', () => {})
  const split = new ProductCache(database, { host: HOST, port: redis.port }, { host: HOST, port: lagging.port })
  try {
    await until(async () => (await split.setPrice(7, 1_000)) === 'written')
    await replica.set('storefront::product:7', (await admin.get('storefront::product:7')) ?? '')
    assert.equal(await split.setPrice(7, 2_000), 'written')
    const found = await split.product(7)
    assert.deepEqual([found?.page.cents, found?.tier], [2_000, 'elasticache'])
  } finally {
    replica.disconnect()
    await split.close()
    await lagging.remove()
  }
})
