import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '../lib/clock.ts'
import { Flights } from './cache/collapse.ts'
import { MemoryStore } from './cache/memory.ts'
import type { StoredObject } from './cache/object.ts'
import type { Edge } from './edge.ts'
import { Exchange } from './exchange.ts'
import { ParsedHeaders } from './listen/header-block.ts'
import type { ViewerReply, ViewerRequest } from './listen/viewer.ts'
import { Refreshes } from './refresh.ts'
import { RequestIds } from './request-ids.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'

const MIB = 1024 * 1024

/** The parts of an edge that refreshing asks for, and a store with stale objects. */
function setup(max?: number) {
  const running: { readonly inner: Exchange; end(): void }[] = []
  const refreshes = new Refreshes(
    (inner) => new Promise<void>((resolve) => running.push({ inner, end: () => resolve() })),
    max,
  )
  let now = 1_000_000
  const edge = {
    clock: { ...systemClock, now: () => now },
    store: new MemoryStore(8 * MIB),
    flights: new Flights(),
    ids: new RequestIds(),
    refreshes,
    shield: { sheds: (_what: string, origin: string) => (origin === 'loaded' ? 'event-loop' : null) },
  } as unknown as Edge
  const store = (key: string, body = 'old', bornAt = 1): StoredObject => {
    const stored = edge.store.put(key, { ...META, bornAt }, [Buffer.from(body)])
    assert.ok(stored)
    return stored
  }
  const later = (ms: number): void => {
    now += ms
  }
  return { refreshes, edge, running, store, later }
}

const META = {
  status: 200,
  head: 'HTTP/1.1 200 OK\r\n',
  distributionId: 'E1',
  uri: '/a',
  contentType: '',
  etag: '',
  lastModified: '',
  freshUntil: 2,
  staleUntil: 2,
  swrUntil: 2_000_000,
  tags: '',
  variant: '',
  ttlSource: 'max-age',
  asOf: 1,
} as const

/** A viewer's exchange that found the object of `key`. */
function viewer(key: string, more: readonly string[] = []): Exchange {
  const facts = {
    contentLength: -1,
    chunked: false,
    close: false,
    expectContinue: false,
    hasHost: true,
    authority: 'x.example',
  }
  const request = {
    method: 'HEAD',
    path: '/a',
    query: 'q=1',
    httpVersion: '1.1',
    headers: new ParsedHeaders(['Host', 'x.example', ...more], 0, facts),
    body: null,
    connection: { remoteAddress: '192.0.2.1' },
    startedAt: 5,
  } as unknown as ViewerRequest
  const x = new Exchange(
    request,
    {} as ViewerReply,
    { revision: 1 } as Exchange['snapshot'],
    {} as Exchange['place'],
    null,
  )
  x.key = key
  x.behavior = { errorMinTtls: new Map([[503, 30]]), origin: { named: key } } as unknown as BehaviorPlan
  return x
}

test('one refresh of a key at a time, begun when the caller is done', async () => {
  const { refreshes, edge, running, store } = setup()
  const object = store('a')
  assert.equal(refreshes.begin(viewer('a'), edge, object), 'begun')
  assert.equal(running.length, 0, 'the stale answer goes out first')
  assert.equal(refreshes.begin(viewer('a'), edge, object), 'under-way')
  assert.equal(refreshes.begin(viewer('b'), edge, store('b')), 'begun')
  await turn()
  assert.deepEqual([running.length, refreshes.size], [2, 2])
})

test('nor while a viewer waits for a fetch of the key', () => {
  const { refreshes, edge, store } = setup()
  edge.flights.begin('a', 1)
  assert.equal(refreshes.begin(viewer('a'), edge, store('a')), 'under-way')
})

test('an overloaded worker refreshes nothing', () => {
  const { refreshes, edge, running, store } = setup()
  assert.equal(refreshes.begin(viewer('loaded'), edge, store('loaded')), 'shed')
  assert.deepEqual([refreshes.size, running.length], [0, 0])
})

test('over the limit nothing is begun', async () => {
  const { refreshes, edge, running, store } = setup(2)
  for (const key of ['a', 'b']) assert.equal(refreshes.begin(viewer(key), edge, store(key)), 'begun')
  assert.equal(refreshes.begin(viewer('c'), edge, store('c')), 'too-many')
  await turn()
  running[0]?.end()
  await turn()
  assert.equal(refreshes.begin(viewer('c'), edge, store('c')), 'begun')
})

test('what is asked for is the whole object, for nobody’s range, condition or HEAD', async () => {
  const { refreshes, edge, running, store } = setup()
  const object = store('a')
  const wishes = ['Range', 'bytes=0-1', 'If-None-Match', '"x"', 'If-Range', '"x"', 'X-Listed', 'kept']
  refreshes.begin(viewer('a', wishes), edge, object)
  await turn()
  const inner = running[0]?.inner as Exchange
  assert.deepEqual([inner.inner, inner.peer, inner.key, inner.cacheable], ['refresh', null, 'a', true])
  assert.deepEqual([inner.request.method, inner.request.path, inner.request.query], ['GET', '/a', 'q=1'])
  assert.deepEqual(inner.request.headers.raw, ['Host', 'x.example', 'X-Listed', 'kept'])
  assert.equal(inner.stale, object)
  assert.equal(inner.facts.selection, null)
})

test('one that brought nothing new leaves the origin alone for ErrorCachingMinTTL; a new one ends that', async () => {
  const { refreshes, edge, running, store, later } = setup()
  const object = store('a')
  refreshes.begin(viewer('a'), edge, object)
  await turn()
  const inner = running[0]?.inner as Exchange
  inner.fault = { status: 503, reason: '', detailed: 'Error', origin: null }
  running[0]?.end()
  await turn()
  assert.equal(refreshes.begin(viewer('a'), edge, object), 'backing-off')
  later(29_999)
  assert.equal(refreshes.backsOff('a', edge.clock.now()), true)
  later(1)
  assert.equal(refreshes.begin(viewer('a'), edge, object), 'begun')
  await turn()
  store('a', 'new', 2)
  running[1]?.end()
  await turn()
  assert.equal(refreshes.backsOff('a', edge.clock.now()), false)
  assert.equal(refreshes.size, 0)
})

test('an answer that is not for the cache takes the stale object away; one that memory was short for does not', async () => {
  for (const [notStored, there] of [
    ['private', false],
    ['memory-short', true],
  ] as const) {
    const { refreshes, edge, running, store } = setup()
    refreshes.begin(viewer('a'), edge, store('a'))
    await turn()
    const inner = running[0]?.inner as Exchange
    inner.answer = { ...META, length: 3, notStored } as unknown as Exchange['answer']
    inner.notStored = notStored
    running[0]?.end()
    await turn()
    assert.equal(edge.store.get('a') !== null, there, notStored)
    assert.equal(refreshes.backsOff('a', edge.clock.now()), there)
  }
})
