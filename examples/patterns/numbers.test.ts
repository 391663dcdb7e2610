//! Patterns that count, rank, measure and tell, on a real replication group.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Counters } from './counters.ts'
import { Shops } from './geo.ts'
import { Leaderboard } from './leaderboard.ts'
import { Chat, type Message } from './pub-sub.ts'
import { RateLimit } from './rate-limit.ts'
import { StreamQueue } from './stream-queue.ts'
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

/** Replicas have all that was written: what is read at the reader endpoint next is it. */
const replicated = async (): Promise<void> => void assert.equal(await cache.primary.wait(1, 30_000), 1)

test('a leaderboard ranks, keeps bests, and shows neighbours', async () => {
  const board = new Leaderboard(cache, 'chess')
  await Promise.all(Array.from({ length: 30 }, () => board.add('ada', 2)))
  await board.record('bob', 80)
  await board.record('bob', 70)
  await board.add('cy', 10)
  await replicated()
  assert.deepEqual(await board.top(2), [
    { player: 'bob', score: 80, rank: 1 },
    { player: 'ada', score: 60, rank: 2 },
  ])
  assert.deepEqual(await board.rank('cy'), { player: 'cy', score: 10, rank: 3 })
  assert.equal(await board.rank('nobody'), null)
  assert.deepEqual(
    (await board.around('ada', 1)).map(({ player }) => player),
    ['bob', 'ada', 'cy'],
  )
  assert.deepEqual(await board.around('nobody', 1), [])
})

test('counters lose no increment, sort views by hour, and estimate visitors within two percent', async () => {
  let now = Date.UTC(2026, 0, 31, 12, 59)
  const counters = new Counters(cache, () => now)
  assert.equal(Math.max(...(await Promise.all(Array.from({ length: 200 }, () => counters.like('p'))))), 200)
  for (let n = 0; n < 2_000; n++) {
    if (n === 500) now += 120_000
    await counters.viewed('p', `visitor-${n % 1_000}`)
  }
  const { hours, visitors } = await counters.views('p')
  assert.deepEqual(hours, { '2026-01-31T12': 500, '2026-01-31T13': 1_500 })
  assert.ok(Math.abs(visitors - 1_000) <= 20, `${visitors} of 1000`)
})

for (const shape of ['fixed', 'sliding', 'bucket'] as const) {
  test(`rate limit, ${shape}: of many at once exactly the limit passes, each visitor for himself`, async () => {
    const limit = new RateLimit(cache, shape, 5, 600_000)
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => limit.take('a')))
    assert.equal(verdicts.filter((verdict) => verdict.allowed).length, 5)
    const refused = await limit.take('a')
    assert.deepEqual([refused.allowed, refused.left], [false, 0])
    assert.ok(refused.retryMs > 0 && refused.retryMs <= 600_000, `retry in ${refused.retryMs} ms`)
    const other = await limit.take('b')
    assert.deepEqual([other.allowed, other.left, other.retryMs], [true, 4, 0])
  })

  test(`rate limit, ${shape}: time gives back what was taken`, async () => {
    const limit = new RateLimit(cache, shape, 1, 50)
    assert.equal((await limit.take('a')).allowed, true)
    while (!(await limit.take('a')).allowed);
  })
}

test('a message reaches who is in the room now; who comes later has the history', async () => {
  const [ada, bob] = [new Chat(cache), new Chat(cache)]
  assert.equal(await ada.say('lobby', { from: 'ada', text: 'anybody?' }), 0)
  let hear = (_: Message): void => {}
  const heard = new Promise<Message>((resolve) => {
    hear = resolve
  })
  await bob.join('lobby', hear)
  assert.equal(await ada.say('garden', { from: 'ada', text: 'elsewhere' }), 0)
  assert.equal(await ada.say('lobby', { from: 'ada', text: 'hello' }), 1)
  assert.deepEqual(await heard, { from: 'ada', text: 'hello' })
  assert.deepEqual(
    (await bob.history('lobby')).map(({ text }) => text),
    ['anybody?', 'hello'],
  )
  await bob.leave()
  assert.equal(await ada.say('lobby', { from: 'ada', text: 'gone?' }), 0)
  await ada.leave()
})

test('a job of a dead worker is done by another; each job is done, and then the queue is empty', async () => {
  const queue = new StreamQueue(cache, 'jobs', 1)
  await queue.open()
  await queue.open()
  for (let n = 0; n < 30; n++) await queue.add(`job-${n}`)
  const dying = new AbortController()
  let taken = 0
  // It dies in the middle of its fifth job, with more in its hands.
  const dead = queue.work('first', dying.signal, () => {
    if (++taken < 5) return Promise.resolve()
    dying.abort()
    return Promise.reject(new Error('died'))
  })
  await dead
  const living = new AbortController()
  const done = new Set<string>()
  await queue.work('second', living.signal, async ({ body }) => {
    done.add(body)
    if (done.size === 26) living.abort()
  })
  assert.deepEqual([...done].sort(), Array.from({ length: 26 }, (_, n) => `job-${n + 4}`).sort())
})

test('a job that fails again and again is set aside, and the others go on', async () => {
  const queue = new StreamQueue(cache, 'poison', 1)
  await queue.open()
  await queue.add('poison')
  await queue.add('good')
  const stop = new AbortController()
  const worker = queue.work('only', stop.signal, ({ body }) =>
    body === 'poison' ? Promise.reject(new Error('poison')) : Promise.resolve(),
  )
  while ((await queue.counts()).dead === 0 || (await queue.counts()).open > 0);
  stop.abort()
  await worker
  assert.deepEqual(await queue.counts(), { open: 0, dead: 1 })
})

test('shops are found by distance and by map, and distances are those of the earth', async () => {
  const shops = new Shops(cache)
  await shops.put('Alexanderplatz', { longitude: 13.4132, latitude: 52.5219 })
  await shops.put('Zoo', { longitude: 13.3327, latitude: 52.5072 })
  await shops.put('Potsdam', { longitude: 13.0645, latitude: 52.3906 })
  await replicated()
  const visitor = { longitude: 13.3777, latitude: 52.5163 }
  const near = await shops.near(visitor, 10_000, 5)
  assert.deepEqual(
    near.map(({ name }) => name),
    ['Alexanderplatz', 'Zoo'],
  )
  // By the haversine formula over a radius of 6,372,797 m: 2,482 m and 3,210 m.
  assert.ok(Math.abs(near[0]!.metres - 2_482) < 10 && Math.abs(near[1]!.metres - 3_210) < 10, JSON.stringify(near))
  assert.deepEqual((await shops.onMap(visitor, 6_000, 3_000)).slice(), ['Alexanderplatz'])
  assert.equal(await shops.between('Zoo', 'Atlantis'), null)
  await shops.remove('Zoo')
  await replicated()
  assert.equal((await shops.near(visitor, 10_000, 5)).length, 1)
})
