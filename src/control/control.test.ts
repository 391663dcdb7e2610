//! Control against real parts: the real state, a real Unix socket, workers that speak the feed's protocol raw.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { quotasWith } from '../domain/quotas.ts'
import { unpackedMessage } from '../edge/feed-packing.ts'
import { type FromWorker, LEASE_MS, type Question, type ToWorker } from '../edge/feed-protocol.ts'
import { type Clock, MovableClock, systemClock } from '../lib/clock.ts'
import { type JsonLines, jsonLines } from '../lib/json-lines.ts'
import { CLOUDFRONT_OPERATIONS } from '../services/cloudfront/operations.ts'
import type { ServiceContext } from '../services/service.ts'
import { openSqliteState } from '../state/sqlite.ts'
import type { State } from '../state/state.ts'
import { type Control, startControl } from './control.ts'

const OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'

let home: string
let state: State
let control: Control | null = null
let workers: Worker[] = []
let problems: string[] = []
/** Leases run on this one, so that a test decides when one lapses. */
let monotonic = 0
const clock: Clock = { now: systemClock.now, wall: systemClock.wall, monotonic: () => monotonic }

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cachefront-control-'))
  state = await openSqliteState(join(home, 'state.db'), systemClock, { changesKept: 20 })
  monotonic = 0
  workers = []
  problems = []
})
afterEach(async () => {
  for (const worker of workers) worker.socket.destroy()
  await control?.close()
  control = null
  await state.close()
  await rm(home, { recursive: true, force: true })
})

const start = async (names: readonly string[], movableClock: MovableClock | null = null): Promise<Control> => {
  control = await startControl({
    state,
    clock,
    movableClock,
    feedSocket: join(home, 'feed.sock'),
    edgeDomain: 'cloudfront.localhost',
    version: '1',
    workers: names,
    keeper: null,
    onStop: async () => {},
    onProblem: (message) => problems.push(message),
  })
  return control
}

class Worker {
  readonly socket: Socket
  readonly lines: JsonLines<FromWorker>
  readonly #messages: ToWorker[] = []
  #wake: (() => void) | null = null

  private constructor(socket: Socket) {
    this.socket = socket
    this.lines = jsonLines<ToWorker, FromWorker>(socket, (message) => {
      this.#messages.push(unpackedMessage(message))
      this.#wake?.()
    })
    socket.on('error', () => {})
    workers.push(this)
  }

  static async join(name: string, revision = -1, version = '1'): Promise<Worker> {
    const socket = connect(join(home, 'feed.sock'))
    await once(socket, 'connect')
    const worker = new Worker(socket)
    const pops = [{ name: 'FRA50-C1', region: 'eu-central-1', http: '127.0.0.1:8080', https: null }]
    const identity = { worker: name, pid: 1, version, pops, peerSocket: `/tmp/${name}.sock` }
    worker.lines.send({ type: 'hello', identity, revision })
    return worker
  }

  /** The first message of the type that fits; what came before it is dropped. */
  async take<T extends ToWorker['type']>(
    type: T,
    fits: (message: Extract<ToWorker, { type: T }>) => boolean = () => true,
  ): Promise<Extract<ToWorker, { type: T }>> {
    for (;;) {
      const at = this.#messages.findIndex((m) => m.type === type && fits(m as Extract<ToWorker, { type: T }>))
      if (at >= 0) return this.#messages.splice(at, 1)[0] as Extract<ToWorker, { type: T }>
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  acknowledge(revision: number): void {
    this.lines.send({ type: 'acknowledge', revision })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of many operations, read member by member in the tests.
async function call(operation: string, input: unknown): Promise<any> {
  const run = CLOUDFRONT_OPERATIONS[operation]
  assert(run !== undefined)
  const context: ServiceContext = {
    state,
    clock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    quotas: quotasWith(),
    host: { binaries: () => [] },
  }
  return run(input, context)
}

async function createDistribution(cachePolicy = OPTIMIZED): Promise<string> {
  const origin = {
    Id: 'o',
    DomainName: 'localhost',
    CustomOriginConfig: { HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
  }
  const made = await call('CreateDistribution', {
    DistributionConfig: {
      CallerReference: `${Math.random()}`,
      Comment: '',
      Enabled: true,
      Origins: { Quantity: 1, Items: [origin] },
      DefaultCacheBehavior: { TargetOriginId: 'o', ViewerProtocolPolicy: 'allow-all', CachePolicyId: cachePolicy },
    },
  })
  return made.Distribution.Id
}

async function invalidate(distributionId: string, path: string): Promise<string> {
  const InvalidationBatch = { CallerReference: `${Math.random()}`, Paths: { Quantity: 1, Items: [path] } }
  const made = await call('CreateInvalidation', { DistributionId: distributionId, InvalidationBatch })
  return made.Invalidation.Id
}

const statusOf = async (id: string) => (await state.get('distribution', id))?.doc.status

/** Resolves when the distribution or invalidation has left InProgress. */
function settled(kind: 'distribution' | 'invalidation', id: string): Promise<string> {
  return new Promise((resolve) => {
    const look = async () => {
      const stored = await state.get(kind, id)
      if (stored === undefined || stored.doc.status === 'InProgress') return
      unwatch()
      resolve(stored.doc.status)
    }
    const unwatch = state.watch(() => void look())
    void look()
  })
}

/** A task that was poked has looked by then. */
const quiet = async (running: Control): Promise<void> => {
  const runs = () => running.tasks().map((task) => task.runs)
  const before = runs()
  running.poke()
  while (running.tasks().some((task, at) => task.state === 'running' || task.runs <= (before[at] ?? 0))) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a distribution', () => {
  test('is Deployed when every live worker has acknowledged it, not before', async () => {
    const running = await start(['worker-0', 'worker-1'])
    assert.equal((await stat(join(home, 'feed.sock'))).mode & 0o777, 0o600)
    const [a, b] = [await Worker.join('worker-0'), await Worker.join('worker-1')]
    for (const worker of [a, b]) worker.acknowledge((await worker.take('snapshot')).revision)
    const id = await createDistribution()
    const news = await a.take('changes', (m) => m.changes.length > 0)
    assert.equal(news.changes[0]?.kind, 'distribution')
    a.acknowledge(news.revision)
    await quiet(running)
    assert.equal(await statusOf(id), 'InProgress')
    b.acknowledge((await b.take('changes', (m) => m.changes.length > 0)).revision)
    assert.equal(await settled('distribution', id), 'Deployed')
    // Setting the status is no news for an edge.
    const other = await createDistribution()
    const { changes } = await a.take('changes', (m) => m.changes.length > 0)
    assert.deepEqual(
      changes.map((change) => change.kind === 'distribution' && change.id),
      [other],
    )
  })

  test('is not Deployed while a worker cannot bind the address that it has for itself; no other waits for it', async () => {
    const running = await start(['worker-0'])
    const a = await Worker.join('worker-0')
    a.acknowledge((await a.take('snapshot')).revision)
    const id = await createDistribution()
    const { revision } = await a.take('changes', (m) => m.changes.length > 0)
    const silent = [{ distributionId: id, address: '192.0.2.7', code: 'EADDRINUSE' }]
    a.lines.send({ type: 'acknowledge', revision, silent })
    const other = await createDistribution()
    a.lines.send({
      type: 'acknowledge',
      revision: (await a.take('changes', (m) => m.changes.length > 0)).revision,
      silent,
    })
    assert.equal(await settled('distribution', other), 'Deployed')
    await quiet(running)
    assert.equal(await statusOf(id), 'InProgress')
    const named = (await running.health()).parts.find(({ name }) => name === `distribution ${id}`)
    assert.match(`${named?.ok} ${named?.detail}`, /^false .*192\.0\.2\.7.* worker-0: another program has the port/)
    a.lines.send({ type: 'lease' })
    assert.equal(await settled('distribution', id), 'Deployed')
  })

  test('is not Deployed without any live worker, nor before one that was wished has come back', async () => {
    const running = await start(['worker-0', 'worker-1'])
    const id = await createDistribution()
    await quiet(running)
    assert.equal(await statusOf(id), 'InProgress')
    const a = await Worker.join('worker-0')
    a.acknowledge((await a.take('snapshot')).revision)
    await a.take('workers')
    await quiet(running)
    assert.equal(await statusOf(id), 'InProgress')
    // A lease after the start the other one is not live, whatever it is.
    monotonic = LEASE_MS - 1
    a.lines.send({ type: 'lease' })
    const asked = running.feed.ask({ kind: 'counters' })
    const { id: question } = await a.take('question')
    a.lines.send({ type: 'answer', id: question, answer: { kind: 'counters', counters: {} } })
    await asked
    monotonic = LEASE_MS + 1
    running.feed.sweep()
    assert.equal(await settled('distribution', id), 'Deployed')
    assert.deepEqual(running.feed.missing(), ['worker-1'])
  })

  test('waits for a silent worker until its lease lapses; health names it', async () => {
    const running = await start(['worker-0', 'worker-1'])
    const [a, b] = [await Worker.join('worker-0'), await Worker.join('worker-1')]
    for (const worker of [a, b]) worker.acknowledge((await worker.take('snapshot')).revision)
    const id = await createDistribution()
    a.acknowledge((await a.take('changes', (m) => m.changes.length > 0)).revision)
    b.socket.destroy()
    await a.take('workers', (m) => m.workers.length === 1)
    await quiet(running)
    assert.equal(await statusOf(id), 'InProgress')
    monotonic = LEASE_MS - 1
    a.lines.send({ type: 'lease' })
    const asked = running.counters()
    const { id: question } = await a.take('question')
    a.lines.send({ type: 'answer', id: question, answer: { kind: 'counters', counters: { requests: 3 } } })
    assert.deepEqual(await asked, { counters: { requests: 3 }, missing: ['worker-1'] })
    monotonic = LEASE_MS + 1
    running.feed.sweep()
    assert.equal(await settled('distribution', id), 'Deployed')
    const health = await running.health()
    assert.equal(health.status, 'starting')
    assert.equal(health.parts.find((part) => part.name === 'worker-1')?.ok, false)
    assert.match(problems.join(), /worker-1 has lost its lease/)
  })

  test('that names a policy which is not there holds up no other: it is not Deployed, and health names it', async () => {
    const running = await start(['worker-0'])
    const made = await call('CreateCachePolicy', { CachePolicyConfig: { Name: 'lost', MinTTL: 0 } })
    const broken = await createDistribution(made.CachePolicy.Id)
    // No operation does this: a state that was repaired by hand, or a bug.
    await state.transact((tx) => tx.delete('cache-policy', made.CachePolicy.Id))
    const a = await Worker.join('worker-0')
    const snapshot = await a.take('snapshot')
    assert.deepEqual([snapshot.distributions, snapshot.kept], [[], [broken]])
    a.acknowledge(snapshot.revision)
    const id = await createDistribution()
    const { changes, revision } = await a.take('changes', (m) => m.changes.length > 0)
    assert.deepEqual(
      changes.map((change) => change.kind === 'distribution' && change.id),
      [id],
    )
    a.acknowledge(revision)
    assert.equal(await settled('distribution', id), 'Deployed')
    await quiet(running)
    assert.equal(await statusOf(broken), 'InProgress')
    const health = await running.health()
    const part = health.parts.find(({ name }) => name === `distribution ${broken}`)
    assert.equal(part?.ok, false)
    assert.equal(part?.detail, `DefaultCacheBehavior.CachePolicyId names "${made.CachePolicy.Id}", which is not there`)
    assert.equal(health.status, 'ok')
    assert.deepEqual(problems, [])
  })

  test('that this version would refuse is served on as it was stored, and health names the field', async () => {
    const id = await createDistribution()
    const change = (config: object) =>
      state.transact(async (tx) => {
        const stored = await tx.get('distribution', id)
        assert(stored)
        const changed = { ...(stored.doc.config as object), ...config }
        await tx.put('distribution', id, { ...stored.doc, config: changed, changedRevision: tx.revision })
      })
    // As an earlier version took it.
    await change({ DefaultRootObject: '/index.html' })
    const running = await start(['worker-0'])
    const a = await Worker.join('worker-0')
    const snapshot = await a.take('snapshot')
    assert.deepEqual(
      snapshot.distributions.map((doc) => [doc.id, doc.defaultRootObject]),
      [[id, '/index.html']],
    )
    a.acknowledge(snapshot.revision)
    assert.equal(await settled('distribution', id), 'Deployed')
    await quiet(running)
    const detail = async () =>
      (await running.health()).parts.find(({ name }) => name === `distribution ${id}`)?.detail ?? ''
    assert.match(await detail(), /^InvalidDefaultRootObject: The default root object "\/index.html" is not valid: /)
    assert.match(await detail(), /It is served as it was stored; an update sets it right\.$/)
    assert.equal((await running.health()).status, 'ok')
    await change({ DefaultRootObject: 'index.html' })
    await quiet(running)
    assert.equal(await detail(), '')
  })

  test('is sent again when a policy that it names changes', async () => {
    await start(['worker-0'])
    const made = await call('CreateCachePolicy', { CachePolicyConfig: { Name: 'mine', MinTTL: 0 } })
    const id = await createDistribution(made.CachePolicy.Id)
    const a = await Worker.join('worker-0')
    const { distributions, revision } = await a.take('snapshot')
    a.acknowledge(revision)
    assert.equal(await settled('distribution', id), 'Deployed')
    assert.deepEqual(
      distributions.map((d) => [d.id, d.behaviors[0]?.cachePolicy.minTtl]),
      [[id, 0]],
    )
    await call('UpdateCachePolicy', {
      Id: made.CachePolicy.Id,
      IfMatch: made.ETag,
      CachePolicyConfig: { ...made.CachePolicy.CachePolicyConfig, MinTTL: 7 },
    })
    const news = await a.take('changes', (m) => m.changes.length > 0)
    const [change] = news.changes
    assert(change?.kind === 'distribution')
    assert.equal(change.distribution?.behaviors[0]?.cachePolicy.minTtl, 7)
    assert.equal(await statusOf(id), 'InProgress', 'no edge has acknowledged the new policy')
    a.acknowledge(news.revision)
    assert.equal(await settled('distribution', id), 'Deployed')
  })
})

describe('the feed', () => {
  test('an invalidation is Completed when every live worker has acknowledged it', async () => {
    const running = await start(['worker-0'])
    const a = await Worker.join('worker-0')
    await a.take('snapshot')
    const id = await createDistribution()
    const invalidation = await invalidate(id, '/x*')
    const key = `${id}/${invalidation}`
    const { revision, changes } = await a.take('changes', (m) => m.changes.some((c) => c.kind === 'invalidation'))
    const change = changes.find((c) => c.kind === 'invalidation')
    assert(change?.kind === 'invalidation')
    assert.deepEqual(change.invalidation, { id: invalidation, distributionId: id, paths: ['/x*'] })
    assert.equal(change.revision, (await state.get('invalidation', key))?.doc.createdRevision)
    a.acknowledge(revision - 1)
    await quiet(running)
    assert.equal((await state.get('invalidation', key))?.doc.status, 'InProgress')
    a.acknowledge(revision)
    assert.equal(await settled('invalidation', key), 'Completed')
  })

  test('a worker that comes back hears what it missed, and of each invalidation once', async () => {
    await start(['worker-0'])
    const a = await Worker.join('worker-0')
    await a.take('snapshot')
    const id = await createDistribution()
    await invalidate(id, '/known')
    const had = await a.take('changes', (m) => m.changes.some((c) => c.kind === 'invalidation'))
    a.acknowledge(had.revision)
    a.socket.destroy()
    const missed = await invalidate(id, '/missed')
    const back = await Worker.join('worker-0', had.revision)
    const { changes } = await back.take('changes', (m) => m.changes.length > 0)
    assert.deepEqual(
      changes.map((c) => (c.kind === 'invalidation' ? c.invalidation.id : c.kind)),
      [missed],
    )
  })

  test('one that missed an invalidation that is no longer kept drops all of the distribution; others hear nothing', async () => {
    await start(['worker-0'])
    const id = await createDistribution()
    const record = (await state.get('distribution', id))!.doc
    const had = await state.revision()
    let missed = 0
    await state.transact((tx) => {
      missed = tx.revision
      const doc = { id: 'I0', distributionId: id, callerReference: 'r', paths: ['/x'], createTime: record.createdAt }
      return tx.put('invalidation', `${id}/I0`, { ...doc, status: 'Completed', createdRevision: missed })
    })
    await state.transact(async (tx) => {
      await tx.delete('invalidation', `${id}/I0`)
      await tx.put('distribution', id, { ...record, invalidationsForgotten: missed })
    })
    const away = await Worker.join('worker-0', had)
    const { changes } = await away.take('changes', (m) => m.changes.length > 0)
    assert.deepEqual(changes, [
      { kind: 'invalidation', revision: missed, invalidation: { id: 'forgotten', distributionId: id, paths: ['/*'] } },
    ])
    const present = await Worker.join('worker-1', missed)
    assert.deepEqual((await present.take('changes')).changes, [])
  })

  test('one that is too far behind, or ahead of this state, gets everything', async () => {
    await start(['worker-0'])
    const id = await createDistribution()
    for (let i = 0; i < 25; i++) await state.transact((tx) => tx.put('tags', `arn-${i}`, { tags: {} }))
    const behind = await Worker.join('worker-0', 1)
    const snapshot = await behind.take('snapshot')
    assert.deepEqual(
      snapshot.distributions.map((d) => d.id),
      [id],
    )
    const ahead = await Worker.join('worker-0', 1_000_000)
    assert.equal((await ahead.take('snapshot')).revision, await state.revision())
  })

  test('workers hear of each other, and one of another version is drained', async () => {
    await start(['worker-0'])
    const a = await Worker.join('worker-0')
    assert.deepEqual(
      (await a.take('workers')).workers.map((w) => w.worker),
      ['worker-0'],
    )
    const old = await Worker.join('worker-1', -1, '0')
    await old.take('drain')
    assert.equal((await a.take('workers', (m) => m.workers.length === 2)).workers[1]?.worker, 'worker-1')
    old.socket.destroy()
    assert.equal((await a.take('workers', (m) => m.workers.length === 1)).workers[0]?.worker, 'worker-0')
  })

  test('the clock has moved when every live worker has it', async () => {
    const movable = new MovableClock()
    const running = await start(['worker-0', 'worker-1'], movable)
    const [a, b] = [await Worker.join('worker-0'), await Worker.join('worker-1')]
    for (const worker of [a, b]) await worker.take('snapshot')
    let moved = false
    const advance = running.clock?.advance(60_000).then(() => {
      moved = true
    })
    assert.equal(movable.offsetMs, 60_000)
    for (const worker of [a, b]) await worker.take('clock', (m) => m.offsetMs === 60_000)
    a.lines.send({ type: 'clock', offsetMs: 60_000 })
    await quiet(running)
    assert.equal(moved, false)
    b.lines.send({ type: 'clock', offsetMs: 60_000 })
    await advance
    assert.equal(moved, true)
    const late = await Worker.join('worker-2')
    assert.equal((await late.take('clock')).offsetMs, 60_000)
  })

  test('a trace comes from the worker that has it; who did not answer is named', async () => {
    const running = await start(['worker-0', 'worker-1', 'worker-2'])
    const [a, b] = [await Worker.join('worker-0'), await Worker.join('worker-1')]
    for (const worker of [a, b]) await worker.take('snapshot')
    const asked = running.trace('t1')
    const toA = await a.take('question')
    assert.deepEqual(toA.question, { kind: 'trace', traceId: 't1' } satisfies Question)
    a.lines.send({ type: 'answer', id: toA.id, answer: { kind: 'trace', trace: { stages: [] } } })
    await b.take('question')
    b.socket.destroy()
    assert.deepEqual(await asked, { trace: { stages: [] }, missing: ['worker-1', 'worker-2'] })
  })

  test('a peer that does not greet is cut off and disturbs nobody', async () => {
    const running = await start(['worker-0'])
    for (const text of ['{"type":"lease"}\n', 'no json\n', '{"type":"hello"}\n']) {
      const socket = connect(join(home, 'feed.sock'))
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.write(text)
      await once(socket, 'close')
    }
    assert.deepEqual(running.feed.live(), [])
  })
})
