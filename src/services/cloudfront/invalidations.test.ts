//! What a distribution keeps of its invalidations.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { quotasWith } from '../../domain/quotas.ts'
import type { DistributionRecord, InvalidationRecord } from '../../domain/records.ts'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { ServiceContext } from '../service.ts'
import {
  createInvalidation,
  INVALIDATION_PATH_CHARS_KEPT,
  INVALIDATIONS_KEPT,
  listInvalidations,
} from './invalidations.ts'

const CREATED = '2026-01-01T00:00:00.000Z'

const DISTRIBUTION: DistributionRecord = {
  id: 'EDISTRIBUTION1',
  arn: 'arn:aws:cloudfront::123456789012:distribution/EDISTRIBUTION1',
  domainName: 'done.cloudfront.localhost',
  etag: 'E1',
  callerReference: 'r',
  status: 'Deployed',
  changedRevision: 1,
  createdAt: CREATED,
  lastModifiedTime: CREATED,
  config: {},
}

const invalidation = (number: number): InvalidationRecord => ({
  id: `I${number}`,
  distributionId: DISTRIBUTION.id,
  callerReference: `r${number}`,
  paths: ['/x'],
  status: number === 1 ? 'InProgress' : 'Completed',
  createdRevision: number,
  createTime: CREATED,
})

async function open(t: TestContext): Promise<ServiceContext> {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-invalidations-'))
  const state = await openSqliteState(join(home, 'state.db'), systemClock)
  t.after(async () => {
    await state.close()
    await rm(home, { recursive: true })
  })
  return {
    state,
    clock: systemClock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    quotas: quotasWith(),
    host: { binaries: () => [] },
  }
}

test('the oldest completed invalidations go when there are too many, and the distribution says up to where', async (t) => {
  const context = await open(t)
  const { state } = context
  await state.transact(async (tx) => {
    await tx.put('distribution', DISTRIBUTION.id, DISTRIBUTION)
    for (let number = 1; number <= INVALIDATIONS_KEPT; number++) {
      await tx.put('invalidation', `${DISTRIBUTION.id}/I${number}`, invalidation(number))
    }
  })
  const made = await createInvalidation(
    {
      DistributionId: DISTRIBUTION.id,
      InvalidationBatch: { CallerReference: 'new', Paths: { Quantity: 1, Items: ['/y'] } },
    },
    context,
  )
  const kept = (await state.list('invalidation')).map(({ doc }) => doc.id)
  assert.equal(kept.length, INVALIDATIONS_KEPT - 100 + 1)
  assert(kept.includes('I1'), 'it is in progress')
  assert(kept.includes(made.Invalidation?.Id ?? ''))
  assert(!kept.includes('I2') && !kept.includes('I101') && kept.includes('I102'))
  assert.equal((await state.get('distribution', DISTRIBUTION.id))?.doc.invalidationsForgotten, 101)
  const { InvalidationList: page } = await listInvalidations(
    { DistributionId: DISTRIBUTION.id, Marker: 'I50' },
    context,
  )
  // The one just made has a lower revision here than those written by hand.
  const ids = page?.Items?.map((item) => item.Id).filter((id) => id !== made.Invalidation?.Id)
  assert.deepEqual(ids, ['I1'], 'after a forgotten one, newest first, come only older ones')
})

test('long paths of completed invalidations go as well, the oldest first', async (t) => {
  const context = await open(t)
  const { state } = context
  const paths = Array.from({ length: 1_000 }, (_, at) => `/${at}-`.padEnd(1_000, 'x'))
  // 11 of a million characters each: the limit is 10, and 9 are left.
  const written = INVALIDATION_PATH_CHARS_KEPT / 1_000_000 + 1
  await state.transact(async (tx) => {
    await tx.put('distribution', DISTRIBUTION.id, DISTRIBUTION)
    for (let number = 1; number <= written; number++) {
      await tx.put('invalidation', `${DISTRIBUTION.id}/I${number}`, { ...invalidation(number), paths })
    }
  })
  await createInvalidation(
    {
      DistributionId: DISTRIBUTION.id,
      InvalidationBatch: { CallerReference: 'new', Paths: { Quantity: 1, Items: ['/y'] } },
    },
    context,
  )
  const kept = (await state.list('invalidation')).map(({ doc }) => doc.id)
  assert(kept.includes('I1'), 'it is in progress')
  assert(!kept.includes('I2') && !kept.includes('I3') && kept.includes('I4'))
  assert.equal((await state.get('distribution', DISTRIBUTION.id))?.doc.invalidationsForgotten, 3)
})
