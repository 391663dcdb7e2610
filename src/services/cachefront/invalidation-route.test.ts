import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { NO_KEEPER, NO_MEASUREMENTS } from '../../../test/support/no-measurements.ts'
import { Fault } from '../../domain/faults.ts'
import { quotasWith } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { ObjectsWanted, SeenObject } from '../../edge/feed-protocol.ts'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { Installation, WalkStep } from './installation.ts'
import { localRoutes } from './routes.ts'

const DISTRIBUTION: DistributionRecord = {
  id: 'EDISTRIBUTION1',
  arn: 'arn:aws:cloudfront::123456789012:distribution/EDISTRIBUTION1',
  domainName: 'd1.cloudfront.localhost',
  etag: 'E1',
  callerReference: 'r',
  status: 'Deployed',
  changedRevision: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  lastModifiedTime: '2026-01-01T00:00:00.000Z',
  config: { CacheTagConfig: { HeaderName: 'X-Tags' }, Aliases: { Quantity: 1, Items: ['shop.test'] } },
}

const seen = (uri: string, owned = true): SeenObject => ({
  key: `EDISTRIBUTION1 ${uri}`,
  place: 'FRA50-C1',
  uri,
  what: 'object',
  tiers: ['memory'],
  owned,
  status: 200,
  bytes: 10,
  ageSeconds: 1,
  ttlSeconds: 2,
  ttlSource: 'max-age',
  standing: 'fresh',
  contentType: 'text/plain',
  etag: '',
  tags: [],
  variant: '',
  asOf: 1,
  items: ['/a*'],
})

async function open(t: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-route-'))
  const state = await openSqliteState(join(home, 'state.db'), systemClock)
  t.after(async () => {
    await state.close()
    await rm(home, { recursive: true })
  })
  await state.transact((tx) => tx.put('distribution', DISTRIBUTION.id, DISTRIBUTION))
  const asked: ObjectsWanted[] = []
  let ended = 0
  const steps: WalkStep[] = [
    { kind: 'missing', worker: 'worker-2' },
    { kind: 'page', worker: 'worker-0', objects: [seen('/a'), seen('/ab')], looked: 9 },
    { kind: 'page', worker: 'worker-1', objects: [seen('/a', false)], looked: 1 },
  ]
  const installation = {
    async *objects(wanted: ObjectsWanted) {
      asked.push(wanted)
      try {
        yield* steps
      } finally {
        ended++
      }
    },
  } as unknown as Installation
  const routes = localRoutes(
    installation,
    { state, clock: systemClock, quotas: quotasWith(), accountId: '123456789012' },
    NO_MEASUREMENTS,
    NO_KEEPER,
  )
  const run = async (path: string, method: string, request: { body?: unknown; query?: string }) => {
    const route = routes.find((one) => one.path === path && one.method === method)
    assert.ok(route)
    return route.run({ rest: '', body: request.body, query: new URLSearchParams(request.query) })
  }
  return { state, asked, ended: () => ended, run }
}

const INVALIDATIONS = '/_cachefront/invalidations'

test('writes what CreateInvalidation writes, softly when asked', async (t) => {
  const { run, state } = await open(t)
  for (const soft of [undefined, true]) {
    const body = { distribution: 'shop.test', items: ['/a*', '#Sale'], soft }
    const answer = await run(INVALIDATIONS, 'POST', { body })
    const document = JSON.parse(answer.body as string)
    const { doc } = (await state.get('invalidation', `EDISTRIBUTION1/${document.id}`)) ?? assert.fail()
    assert.equal(answer.status, 201)
    assert.deepEqual([doc.status, doc.paths, doc.tagHeader], ['InProgress', ['/a*', '#Sale'], 'x-tags'])
    assert.deepEqual([document.soft, doc.soft], soft ? [true, true] : [false, undefined])
  }
})

test('a dry run tells each object with its worker, then the totals; nothing is written', async (t) => {
  const { run, state, asked, ended } = await open(t)
  const answer = await run(INVALIDATIONS, 'POST', {
    body: { distribution: DISTRIBUTION.id, items: ['/a*'], dryRun: true },
  })
  assert.deepEqual([answer.status, answer.contentType], [200, 'application/x-ndjson'])
  const lines = (await Array.fromAsync(answer.body as AsyncIterable<string>)).join('').trimEnd().split('\n')
  const [first, second, third, total, ...rest] = lines.map((line) => JSON.parse(line))
  assert.deepEqual(first, { worker: 'worker-0', ...seen('/a') })
  assert.equal(second.uri, '/ab')
  assert.equal(third.worker, 'worker-1')
  assert.deepEqual(total, { total: { objects: 2, copies: 1, bytes: 30, looked: 10 }, missing: ['worker-2'] })
  assert.deepEqual(rest, [])
  const invalidation = { id: 'dry-run', distributionId: DISTRIBUTION.id, paths: ['/a*'], tagHeader: 'x-tags' }
  assert.deepEqual(asked, [{ distributionId: DISTRIBUTION.id, prefix: '', invalidation }])
  assert.deepEqual([await state.list('invalidation'), ended()], [[], 1])
})

test('the walk ends when its reader does', async (t) => {
  const { run, ended } = await open(t)
  for (let round = 0; round < 20; round++) {
    const { body } = await run('/_cachefront/objects', 'GET', { query: 'distribution=d1.cloudfront.localhost' })
    for await (const _line of body as AsyncIterable<string>) break
    assert.equal(ended(), round + 1)
  }
})

test('so many walks at a time', async (t) => {
  const { run } = await open(t)
  const walk = async () => {
    const { body } = await run('/_cachefront/objects', 'GET', { query: 'distribution=EDISTRIBUTION1' })
    const iterator = (body as AsyncIterable<string>)[Symbol.asyncIterator]()
    await iterator.next()
    return iterator
  }
  const walks = await Promise.all(Array.from({ length: 8 }, walk))
  await assert.rejects(walk(), (error) => error instanceof Fault && error.status === 429)
  await walks[0]?.return?.()
  await walk()
})

test('what is wrong is refused by name', async (t) => {
  const { run } = await open(t)
  const rows: [body: unknown, code: string][] = [
    [undefined, 'InvalidRequest'],
    [[], 'InvalidRequest'],
    [{ distribution: 'EDISTRIBUTION1' }, 'InvalidRequest'],
    [{ distribution: 'EDISTRIBUTION1', items: [1] }, 'InvalidRequest'],
    [{ distribution: 'EDISTRIBUTION1', items: ['/a'], soft: 'yes' }, 'InvalidRequest'],
    [{ distribution: 'EDISTRIBUTION1', items: ['/a'], hard: true }, 'InvalidRequest'],
    [{ distribution: 'EDISTRIBUTION1', items: [] }, 'InvalidArgument'],
    [{ distribution: 'EDISTRIBUTION1', items: ['a'], dryRun: true }, 'InvalidArgument'],
    [{ distribution: 'EDISTRIBUTION1', items: ['#a,b'], dryRun: true }, 'InvalidArgument'],
    [{ distribution: 'ENONE', items: ['/a'] }, 'NotFound'],
  ]
  for (const [body, code] of rows) {
    await assert.rejects(run(INVALIDATIONS, 'POST', { body }), (error) => error instanceof Fault && error.code === code)
  }
  assert.equal((await run('/_cachefront/object', 'GET', { query: 'url=ftp://x/' })).status, 400)
  assert.equal((await run('/_cachefront/objects', 'GET', {})).status, 400)
})
