//! Goal: the store is a Map that forgets under pressure, never answers with another's bytes, and never overwrites bytes
//! that are being sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryStore } from './memory.ts'
import type { ObjectMeta } from './object.ts'
import type { ListedObject } from './store.ts'

const MIB = 1024 * 1024

const meta = (changes: Partial<ObjectMeta> = {}): ObjectMeta => ({
  status: 200,
  head: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n',
  distributionId: 'E1',
  uri: '/a',
  contentType: 'text/plain',
  etag: '"e"',
  lastModified: '',
  bornAt: 1_000.5,
  freshUntil: 2_000,
  staleUntil: 3_000,
  swrUntil: 2_500,
  tags: ',a,b,',
  variant: 'accept-language: de',
  ttlSource: 'max-age',
  asOf: 7,
  ...changes,
})

function allOf(store: MemoryStore): ListedObject[] {
  const objects: ListedObject[] = []
  store.scan(
    0,
    (object) => objects.push(object),
    () => false,
  )
  return objects
}

test('what goes in comes out, unpacked and from the front', () => {
  const store = new MemoryStore(8 * MIB)
  store.put('E1 /a', meta(), [Buffer.from('hel'), Buffer.from('lo')])
  for (let look = 0; look < 2; look++) {
    const found = store.get('E1 /a')
    assert.ok(found !== null)
    assert.equal(found.body.toString(), 'hello')
    const { status, head, etag, bornAt, freshUntil, staleUntil, swrUntil, ttlSource, asOf, uri, tags, variant } = found
    assert.deepEqual(
      { ...meta(), status, head, etag, bornAt, freshUntil, staleUntil, swrUntil, ttlSource, asOf, uri, tags, variant },
      meta(),
    )
  }
  assert.equal(store.get('E1 /b'), null)
})

test('agrees with a Map while everything fits', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\u00ff', '/'), maxLength: 4 })
  const action = fc.record({ do: fc.constantFrom('put', 'get', 'delete', 'keep'), key, size: fc.nat(3_000) })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const store = new MemoryStore(64 * MIB)
      const model = new Map<string, { body: string; freshUntil: number }>()
      for (const [at, { do: what, key: name, size }] of actions.entries()) {
        if (what === 'put') {
          const body = `${at}`.padEnd(size, String.fromCharCode(97 + (at % 26)))
          assert.ok(store.put(name, meta(), [Buffer.from(body)]) !== null)
          model.set(name, { body, freshUntil: 2_000 })
        } else if (what === 'delete') {
          store.delete(name)
          model.delete(name)
        } else {
          const found = store.get(name)
          const expected = model.get(name)
          assert.equal(found?.body.toString(), expected?.body)
          assert.equal(found?.freshUntil, expected?.freshUntil)
          if (what === 'keep' && found !== null && expected !== undefined) {
            store.keepUntil(found, at)
            expected.freshUntil = at
          }
        }
        assert.equal(store.count, model.size)
      }
      const listed = new Set(allOf(store).map((object) => object.key))
      assert.deepEqual(listed, new Set(model.keys()))
    }),
    { numRuns: 50 },
  )
})

test('under pressure it stays within its bytes and answers with the right bytes or none', () => {
  const store = new MemoryStore(6 * MIB)
  const bodyOf = (n: number) => Buffer.alloc([500, 1_000, 20_000, 100_000, 700_000][n % 5] as number, `${n}:`)
  let found = 0
  for (let n = 0; n < 600; n++) {
    store.put(`k${n}`, meta({ uri: `/k${n}` }), [bodyOf(n)])
    assert.ok(store.bytes <= 6 * MIB, `${store.bytes}`)
    for (const back of [n, n - 3, n - 50]) {
      const object = back < 0 ? null : store.get(`k${back}`)
      if (object === null) continue
      found++
      assert.equal(object.key, `k${back}`)
      assert.ok(object.body.equals(bodyOf(back)))
    }
  }
  assert.ok(found > 600)
})

test('memory of one size class is given to another when the traffic changes', () => {
  const store = new MemoryStore(6 * MIB)
  for (let n = 0; n < 8_000; n++) store.put(`small${n}`, meta(), [Buffer.alloc(600)])
  let kept = 0
  for (let n = 0; n < 300; n++) store.put(`large${n}`, meta(), [Buffer.alloc(40_000)])
  for (let n = 0; n < 300; n++) if (store.get(`large${n}`) !== null) kept++
  assert.ok(kept > 60, `${kept} large objects are there, ${Math.floor((6 * MIB) / 41_000)} would fit`)
})

test('bytes that are being sent stay as they are, whatever is stored meanwhile', () => {
  const store = new MemoryStore(4 * MIB)
  const sent = store.put('sent', meta(), [Buffer.alloc(1_000, 'S')])
  assert.ok(sent !== null)
  sent.hold()
  store.delete('sent')
  for (let n = 0; n < 8_000; n++) store.put(`other${n}`, meta(), [Buffer.alloc(1_000, 'o')])
  assert.equal(sent.body.toString(), 'S'.repeat(1_000))
  sent.release()
  for (let n = 0; n < 8_000; n++) store.put(`again${n}`, meta(), [Buffer.alloc(1_000, 'a')])
  assert.equal(store.get('sent'), null)
  assert.ok(store.bytes <= 4 * MIB)
})

test('an object over the limit is not kept, and takes its older version along', () => {
  const store = new MemoryStore(8 * MIB)
  store.put('k', meta(), [Buffer.from('old')])
  assert.equal(store.put('k', meta(), [Buffer.alloc(store.objectBytesMax + 1)]), null)
  assert.equal(store.get('k'), null)
  assert.equal(store.count, 0)
})

test('a scan visits what is there all the while once, whatever comes and goes in between', () => {
  const size = fc.integer({ min: 0, max: 40 })
  fc.assert(
    fc.property(
      fc.array(fc.record({ delete: fc.nat(60), put: fc.nat(200) }), { maxLength: 30 }),
      size,
      (changes, page) => {
        const store = new MemoryStore(16 * MIB)
        for (let at = 0; at < 60; at++) store.put(`E1 /${at}`, meta({ uri: `/${at}` }), [Buffer.from('x')])
        const gone = new Set<string>()
        const seen: string[] = []
        const left = [...changes]
        for (let cursor: number | null = 0; cursor !== null; ) {
          let looked = 0
          cursor = store.scan(
            cursor,
            ({ key }) => seen.push(key),
            () => looked++ > page,
          )
          const change = left.pop()
          if (change === undefined) continue
          store.delete(`E1 /${change.delete}`)
          gone.add(`E1 /${change.delete}`)
          store.put(`E1 /new${change.put}`, meta(), [Buffer.from('y')])
        }
        for (let at = 0; at < 60; at++) {
          const times = seen.filter((key) => key === `E1 /${at}`).length
          assert.ok(gone.has(`E1 /${at}`) ? times <= 1 : times === 1, `${at}: ${times}`)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('a peek tells of an object without using it', () => {
  const store = new MemoryStore(8 * MIB)
  store.put('E1 /a', meta(), [Buffer.from('hello')])
  assert.equal(store.peek('E1 /b'), null)
  const { meta: peeked, bytes } = store.peek('E1 /a') ?? assert.fail()
  assert.deepEqual([peeked.uri, peeked.tags, peeked.body.toString()], ['/a', ',a,b,', 'hello'])
  assert.ok(bytes > 5)
  assert.equal(store.bytesMax, 8 * MIB)
})

test('agrees with a Map under pressure: right bytes or none, pinned bytes as they were, never over the limit', () => {
  const action = fc.record({
    do: fc.constantFrom('put', 'put', 'put', 'get', 'get', 'delete', 'hold', 'hold', 'release', 'keep', 'clear'),
    key: fc.nat(60),
    size: fc.oneof(fc.nat(2_000), fc.nat(60_000), fc.integer({ min: 60_000, max: 500_000 })),
  })
  fc.assert(
    fc.property(fc.array(action, { minLength: 100, maxLength: 400 }), (actions) => {
      const store = new MemoryStore(4 * MIB)
      const model = new Map<string, { body: Buffer; uri: string; freshUntil: number }>()
      const held: { object: NonNullable<ReturnType<typeof store.get>>; bytes: Buffer }[] = []
      for (const [at, { do: what, key, size }] of actions.entries()) {
        const name = `E1 /${key}`
        if (what === 'put') {
          const body = Buffer.alloc(size, `${at}.`)
          const put = store.put(name, meta({ uri: `/${key}`, etag: `"${at}"` }), [body])
          if (put === null) model.delete(name)
          else model.set(name, { body, uri: `/${key}`, freshUntil: 2_000 })
        } else if (what === 'delete') {
          store.delete(name)
          model.delete(name)
        } else if (what === 'clear' && key === 0) {
          store.clear()
          assert.equal(store.count, 0)
          model.clear()
        } else if (what === 'release') {
          const [one] = held.splice(key % (held.length + 1), 1)
          one?.object.release()
        } else {
          const found = store.get(name)
          const expected = model.get(name)
          // It may have been given up, but it is never another's and never an older one.
          if (found === null) model.delete(name)
          else {
            assert.ok(expected !== undefined && found.body.equals(expected.body))
            assert.deepEqual([found.key, found.uri, found.freshUntil], [name, expected.uri, expected.freshUntil])
            if (what === 'hold') {
              found.hold()
              held.push({ object: found, bytes: Buffer.from(found.body) })
            } else if (what === 'keep') {
              store.keepUntil(found, 3_000 + at)
              expected.freshUntil = 3_000 + at
            }
          }
        }
        assert.ok(store.bytes <= 4 * MIB, `${store.bytes} bytes`)
        assert.ok(store.count <= model.size, 'it has nothing that was not put in')
        for (const { object, bytes } of held) assert.ok(object.body.equals(bytes), 'bytes that are being sent stay')
      }
      const listed = allOf(store)
      assert.equal(listed.length, store.count)
      for (const { key } of listed) assert.ok(model.has(key))
    }),
    { numRuns: 40 },
  )
})

test('what was given up or replaced meanwhile is not kept longer by who still has it', () => {
  const store = new MemoryStore(8 * MIB)
  const old = store.put('E1 /a', meta(), [Buffer.from('old')]) ?? assert.fail()
  store.delete('E1 /a')
  store.put('E1 /b', meta(), [Buffer.from('in its place')])
  store.keepUntil(old, 9_000)
  assert.equal(store.get('E1 /b')?.freshUntil, 2_000)
  assert.equal(store.get('E1 /a'), null)
})
