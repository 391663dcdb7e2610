//! What a distribution keeps of its invalidations.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DistributionRecord, InvalidationRecord } from '../../domain/records.ts'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { ServiceContext } from '../service.ts'
import { createInvalidation, INVALIDATIONS_KEPT, listInvalidations } from './invalidations.ts'

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

test('the oldest completed invalidations go when there are too many, and the distribution says up to where', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-invalidations-'))
  const state = await openSqliteState(join(home, 'state.db'), systemClock)
  t.after(async () => {
    await state.close()
    await rm(home, { recursive: true })
  })
  await state.transact(async (tx) => {
    await tx.put('distribution', DISTRIBUTION.id, DISTRIBUTION)
    for (let number = 1; number <= INVALIDATIONS_KEPT; number++) {
      await tx.put('invalidation', `${DISTRIBUTION.id}/I${number}`, invalidation(number))
    }
  })
  const context: ServiceContext = {
    state,
    clock: systemClock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    host: { binaries: () => [] },
  }
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
