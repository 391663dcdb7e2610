//! Patterns of what visitors see, on a real replication group: sessions, pages, searches, carts, and the lock under them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { Carts } from './cart.ts'
import { tryLock, withLock } from './lock.ts'
import { PageCache } from './page-cache.ts'
import { PATTERNS } from './run.ts'
import { SearchCache } from './search-cache.ts'
import { Sessions } from './sessions.ts'
import type { Cache } from './support/cache.ts'
import { type Group, startGroup } from './support/group.ts'

let group: Group
let cache: Cache
before(async () => {
  group = await startGroup()
  cache = group.cache
})
beforeEach(() => cache.primary.flushall())
after(() => group?.stop())

test('a session is read by its id only, slides, and ends for good', async () => {
  const sessions = new Sessions(cache, 100)
  const id = await sessions.start('ada', { theme: 'dark' })
  assert.deepEqual(await sessions.read(id), { user: 'ada', theme: 'dark' })
  assert.equal((await cache.primary.keys('*')).filter((key) => key.includes(id)).length, 0, 'no key names the id')
  const [key] = await cache.primary.keys('session:*')
  await cache.primary.expire(key!, 5)
  await sessions.read(id)
  assert.ok((await cache.primary.ttl(key!)) > 90, 'a visit begins the time anew')
  await sessions.end(id)
  assert.equal(await sessions.read(id), null)
  assert.equal(await sessions.write(id, 'theme', 'light'), false, 'an ended session does not come back')
  assert.equal(await cache.primary.exists(key!), 0)
})

test('a change of password signs out every device of the user, and nobody else', async () => {
  const sessions = new Sessions(cache)
  const [phone, laptop, other] = await Promise.all(['ada', 'ada', 'bob'].map((user) => sessions.start(user)))
  assert.equal(await sessions.endAllOf('ada'), 2)
  assert.deepEqual([await sessions.read(phone!), await sessions.read(laptop!)], [null, null])
  assert.deepEqual(await sessions.read(other!), { user: 'bob' })
})

test('sessions outlive the primary', async () => {
  const sessions = new Sessions(cache)
  const id = await sessions.start('ada')
  assert.equal(await cache.primary.wait(1, 30_000), 1)
  const [, pid] = /process_id:(\d+)/.exec(await cache.primary.info('server')) ?? []
  process.kill(Number(pid), 'SIGKILL')
  assert.deepEqual(await sessions.read(id), { user: 'ada' })
  const [, now] = /process_id:(\d+)/.exec(await cache.primary.info('server')) ?? []
  assert.notEqual(now, pid)
})

test('a hundred visitors who miss one page cost one rendering, and each gets the page', async () => {
  let renders = 0
  const pages = new PageCache(cache, { freshMs: 60_000, staleMs: 0 })
  const render = async (): Promise<string> => `page ${++renders}`
  const visits = await Promise.all(Array.from({ length: 100 }, () => pages.get('/', render)))
  assert.equal(renders, 1)
  assert.deepEqual([...new Set(visits.map((visit) => visit.body))], ['page 1'])
})

test('an expired page is shown while one visitor has the next one made; a failed rendering frees the way', async () => {
  let now = 0
  let renders = 0
  const pages = new PageCache(cache, { freshMs: 1_000, staleMs: 60_000 }, () => now)
  await pages.get('/', async () => 'old')
  now = 5_000
  let finish = (_: string): void => {}
  const rendering = pages.get('/', () => new Promise((resolve) => (finish = resolve)))
  while ((await cache.primary.exists('page-lock:/')) === 0);
  assert.deepEqual(await pages.get('/', () => Promise.reject(new Error('not asked'))), { body: 'old', from: 'stale' })
  finish('new')
  assert.deepEqual(await rendering, { body: 'new', from: 'rendered' })
  assert.deepEqual(await pages.get('/', async () => String(++renders)), { body: 'new', from: 'cache' })
  await pages.forget('/')
  await assert.rejects(
    pages.get('/', () => Promise.reject(new Error('database away'))),
    /database away/,
  )
  assert.equal((await pages.get('/', async () => 'again')).body, 'again')
})

test('a search is made once however it is written, pages come from its ids, a change makes it anew', async () => {
  const asked: string[] = []
  const results = new SearchCache(cache, async ({ words }) => {
    asked.push(words)
    return words.includes('nothing') ? [] : Array.from({ length: 25 }, (_, n) => `id-${n}`)
  })
  const first = await results.find({ words: 'red shoes', filters: { size: '42', brand: 'a' } }, 0, 10)
  assert.deepEqual([first.from, first.total, first.ids.length, first.ids[0]], ['search', 25, 10, 'id-0'])
  const third = await results.find({ words: ' Shoes red ', filters: { brand: 'a', size: '42' } }, 2, 10)
  assert.deepEqual(third, { from: 'cache', total: 25, ids: ['id-20', 'id-21', 'id-22', 'id-23', 'id-24'] })
  assert.equal((await results.find({ words: 'red shoes' }, 0, 10)).from, 'search', 'other filters, another search')
  await results.find({ words: 'nothing' }, 0, 10)
  assert.deepEqual(await results.find({ words: 'nothing' }, 0, 10), { from: 'cache', total: 0, ids: [] })
  await results.catalogueChanged()
  assert.equal((await results.find({ words: 'nothing' }, 0, 10)).from, 'search')
  assert.equal(asked.length, 4)
})

test('carts bear two tabs, join at sign-in, keep their limits, and are checked out once', async () => {
  const carts = new Carts(cache)
  await Promise.all(Array.from({ length: 20 }, () => carts.add('guest', 'mug')))
  await carts.add('guest', 'tea', 2)
  await carts.add('ada', 'mug', 90)
  assert.equal(await carts.join('guest', 'ada'), 2)
  assert.deepEqual([await carts.contents('ada'), await carts.contents('guest')], [{ mug: 99, tea: 2 }, {}])
  assert.equal(await carts.add('ada', 'tea', -5), 0)
  for (let n = 1; n < 100; n++) await carts.add('ada', `product-${n}`)
  await assert.rejects(carts.add('ada', 'one-more'), /at most 100 products/)
  const taken = await Promise.all([carts.takeAway('ada'), carts.takeAway('ada')])
  assert.deepEqual(taken.map((cart) => Object.keys(cart).length).sort(), [0, 100])
})

test('a lock has one holder, and its fencing number tells a late one from the present one', async () => {
  const first = await tryLock(cache, 'report', 60_000)
  assert.equal(await tryLock(cache, 'report', 60_000), null)
  // The first sleeps for longer than the lock is held.
  await cache.primary.del('lock:{report}')
  const second = await tryLock(cache, 'report', 60_000)
  assert.ok(first !== null && second !== null && second.fence > first.fence)
  assert.deepEqual([await first.extend(1_000), await first.free()], [false, false], 'it frees nobody else')
  assert.equal(await second.free(), true)
  let inside = 0
  let most = 0
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside--
  }
  const patience = { holdMs: 60_000, waitMs: 60_000 }
  await Promise.all(Array.from({ length: 10 }, () => withLock(cache, 'stock', patience, work)))
  assert.equal(most, 1)
})

test('every pattern says what docs/patterns.md shows', async () => {
  const said: string[] = []
  for (const [name, demo] of Object.entries(PATTERNS)) {
    said.push(name)
    await demo(cache, (line) => said.push(`  ${line}`))
  }
  const docs = readFileSync(join(import.meta.dirname, '../../docs/patterns.md'), 'utf8')
  const [, shown] = /```console\n\$ .*\n([\s\S]*?)```/.exec(docs) ?? []
  assert.deepEqual(said, shown?.trimEnd().split('\n'))
})
