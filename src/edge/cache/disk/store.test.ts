import assert from 'node:assert/strict'
import { mkdtemp, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openTestStore, testBody, testMeta, versionOf } from '../../../../test/support/disk-store.ts'
import { COUNTER } from '../../../observe/counters.ts'

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-disk-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function bytesOf(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size
  return bytes
}

test('What was written is read, by the same process and by the next one', async (t) => {
  const directory = await directoryFor(t)
  const { store } = await openTestStore(directory)
  for (const [key, bytes] of [
    ['small', 1000],
    ['empty', 0],
    ['large', 300_000],
  ] as const)
    store.put(key, testMeta(key), [testBody(key, 1, bytes)], false)
  await store.idle()
  const check = async (from: typeof store) => {
    for (const [key, bytes] of [
      ['small', 1000],
      ['large', 300_000],
      ['empty', 0],
    ] as const) {
      const object = await from.read(key)
      assert.deepEqual(object?.meta, testMeta(key))
      assert.deepEqual(object?.body, testBody(key, 1, bytes))
    }
    assert.equal(from.read('absent'), null)
    assert.equal(from.count, 3)
  }
  await check(store)
  assert.ok(!(store.read('small') instanceof Promise), 'a small object at once')
  const [one, other] = [store.read('large'), store.read('large')]
  assert.ok(one instanceof Promise)
  assert.equal(one, other, 'two reads of a key are one')
  await one
  await store.close()
  const again = await openTestStore(directory)
  await check(again.store)
  await again.store.close()
})

test('The newest version of a key counts, and none after it was removed, also after a restart', async (t) => {
  const directory = await directoryFor(t)
  const { store } = await openTestStore(directory)
  for (const version of [1, 2, 3]) {
    store.put('kept', testMeta('kept'), [testBody('kept', version, 500)], false)
    store.put('gone', testMeta('gone'), [testBody('gone', version, 500)], false)
    if (version !== 2) await store.idle()
  }
  store.put('late', testMeta('late'), [testBody('late', 1, 500)], false)
  store.remove('gone')
  store.remove('late')
  assert.equal(store.read('gone'), null)
  await store.idle()
  assert.equal(store.read('late'), null, 'removed while it waited')
  await store.close()
  const again = await openTestStore(directory)
  assert.equal(versionOf('kept', (await again.store.read('kept'))?.body as Buffer), 3)
  assert.equal(again.store.read('gone'), null)
  assert.equal(again.store.read('late'), null)
  await again.store.close()
})

test('A confirmed large object gets its new meta without being written again', async (t) => {
  const directory = await directoryFor(t)
  const { store } = await openTestStore(directory)
  const body = testBody('big', 1, 200_000)
  store.put('big', testMeta('big'), [body], false)
  await store.idle()
  store.put('big', testMeta('big', { freshUntil: 99 }), [body], true)
  await store.idle()
  assert.equal((await store.read('big'))?.meta.freshUntil, 99)
  await store.close()
  const again = await openTestStore(directory)
  const object = await again.store.read('big')
  assert.equal(object?.meta.freshUntil, 99)
  assert.deepEqual(object?.body, body)
  // Another body with the same key is not given the meta of the first.
  again.store.put('big', testMeta('big', { freshUntil: 5 }), [testBody('big', 2, 200_000)], false)
  await again.store.idle()
  assert.equal((await again.store.read('big'))?.meta.freshUntil, 5)
  await again.store.close()
})

test('A write storm keeps the limit at every look; what is used stays, what was wanted once leaves', async (t) => {
  const directory = await directoryFor(t)
  const segmentBytes = 256 * 1024
  const { store, counters } = await openTestStore(directory, { segmentBytes, segments: 6, pendingBytesMax: 400_000 })
  for (let at = 0; at < 40; at++) store.put(`used-${at}`, testMeta('used'), [testBody(`used-${at}`, 1, 2_000)], false)
  await store.idle()
  for (let round = 0; round < 150; round++) {
    for (let at = 0; at < 20; at++) {
      const key = `once-${round}-${at}`
      store.put(key, testMeta(key), [testBody(key, 1, 3_000)], false)
    }
    if (round % 5 === 0) for (let at = 0; at < 40; at++) await store.read(`used-${at}`)
    if (round % 10 === 0) assert.ok((await bytesOf(directory)) <= 6 * segmentBytes)
    await store.idle()
  }
  const kept = [...Array(40).keys()].filter((at) => store.has(`used-${at}`)).length
  assert.equal(kept, 40)
  assert.equal(store.has('once-0-0'), false)
  assert.ok(counters.get(COUNTER.diskEvicted) > 1_000)
  await store.close()
  const again = await openTestStore(directory, { segmentBytes, segments: 6 })
  for (let at = 0; at < 40; at++)
    assert.equal(versionOf(`used-${at}`, (await again.store.read(`used-${at}`))?.body as Buffer), 1)
  await again.store.close()
})

test('Over the limit of what may wait a write is skipped and counted, and the older version does not come back', async (t) => {
  const directory = await directoryFor(t)
  const { store, counters } = await openTestStore(directory, { pendingBytesMax: 10_000 })
  store.put('a', testMeta('a'), [testBody('a', 1, 4_000)], false)
  await store.idle()
  store.put('filler', testMeta('filler'), [testBody('filler', 1, 8_000)], false)
  store.put('a', testMeta('a'), [testBody('a', 2, 4_000)], false)
  assert.equal(counters.get(COUNTER.diskSkipped), 1)
  assert.equal(store.read('a'), null)
  await store.idle()
  await store.close()
  const again = await openTestStore(directory)
  assert.equal(again.store.read('a'), null)
  assert.equal(again.store.has('filler'), true)
  await again.store.close()
})

test('Flipped bytes and cut-off files: whatever is read is right, the rest is gone, and the store goes on', async (t) => {
  const directory = await directoryFor(t)
  const random = generator(4711)
  const keys = [...Array(300).keys()].map((at) => `key-${at}`)
  let lost = 0
  for (let round = 0; round < 25; round++) {
    const { store } = await openTestStore(directory, { segmentBytes: 128 * 1024, segments: 8 })
    for (const key of keys) {
      const object = await store.read(key)
      if (object === null) lost++
      else assert.notEqual(versionOf(key, object.body), null, `${key} in round ${round}`)
      if (object === null || random() < 0.3)
        store.put(key, testMeta(key), [testBody(key, round, 50 + Math.floor(random() * 3_000))], false)
    }
    await store.idle()
    await store.close()
    for (const name of await readdir(directory)) {
      const path = join(directory, name)
      const { size } = await stat(path)
      if (random() < 0.1) await truncate(path, Math.floor(random() * size))
      if (random() < 0.05) await rm(path)
      else await damage(path, size, random)
    }
  }
  assert.ok(lost > 300 && lost < 25 * 300)
})

async function damage(path: string, size: number, random: () => number): Promise<void> {
  const file = await open(path, 'r+')
  for (let at = 0; at < 5; at++) {
    const bytes = Buffer.from([...Array(1 + Math.floor(random() * 40))].map(() => Math.floor(random() * 256)))
    await file.write(bytes, 0, bytes.length, Math.floor(random() * size))
  }
  await file.close()
}

/** Numbers from 0 to 1 that are the same in each run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('With a smaller limit the files that are too many go, with a larger one all stays', async (t) => {
  const directory = await directoryFor(t)
  const segmentBytes = 128 * 1024
  const keys = [...Array(200).keys()].map((at) => `key-${at}`)
  const rightOnes = async (segments: number): Promise<number> => {
    const { store, counters } = await openTestStore(directory, { segmentBytes, segments })
    assert.ok((await bytesOf(directory)) <= segments * segmentBytes)
    let right = 0
    for (const key of keys) {
      const object = await store.read(key)
      if (object === null) store.put(key, testMeta(key), [testBody(key, 1, 3_000)], false)
      else {
        assert.equal(versionOf(key, object.body), 1)
        right++
      }
    }
    await store.idle()
    assert.equal(counters.get(COUNTER.diskCorrupt), 0)
    await store.close()
    return right
  }
  assert.equal(await rightOnes(8), 0)
  assert.equal(await rightOnes(8), 200)
  const left = await rightOnes(4)
  assert.ok(left > 50 && left < 200, `${left}`)
  assert.ok((await rightOnes(4)) > 50)
  assert.ok((await rightOnes(12)) > 50)
  assert.equal(await rightOnes(12), 200)
})

test('A list walks through all objects', async (t) => {
  const { store } = await openTestStore(await directoryFor(t))
  for (let at = 0; at < 50; at++) store.put(`k${at}`, testMeta(`k${at}`), [testBody(`k${at}`, 1, 100)], false)
  await store.idle()
  const seen = new Set<string>()
  for (let cursor: number | null = 0; cursor !== null; ) {
    const listed = await store.list(7, cursor)
    assert.ok(listed.objects.length <= 7)
    for (const { key, meta } of listed.objects) {
      assert.equal(meta.uri, `/${key}`)
      seen.add(key)
    }
    cursor = listed.next
  }
  assert.equal(seen.size, 50)
  await store.close()
})
