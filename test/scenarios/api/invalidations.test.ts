//! Invalidations over the wire with the SDK: limits, statuses and codes as AWS has them (spec/cloudfront.md 1.7, 2.7, 8).
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { invalidationsTask } from '../../../src/control/tasks/invalidations.ts'
import { quotasWith } from '../../../src/domain/quotas.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { CLOUDFRONT_OPERATIONS } from '../../../src/services/cloudfront/operations.ts'
import { openSqliteState } from '../../../src/state/sqlite.ts'
import { clientOptions, startApi } from '../../support/api-server.ts'
import { oneOrigin } from '../../support/one-origin.ts'

async function open(t: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-invalidations-'))
  const state = await openSqliteState(join(home, 'state.db'), systemClock)
  const server = await startApi({
    services: { cloudfront: CLOUDFRONT_OPERATIONS, elasticache: {} },
    context: {
      state,
      clock: systemClock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(),
      host: { binaries: () => [] },
    },
  })
  const client = new CloudFront(clientOptions(server.url))
  t.after(async () => {
    client.destroy()
    await server.api.close()
    await state.close()
    await rm(home, { recursive: true })
  })
  let made = 0
  const create = async (CacheTagConfig?: { HeaderName: string }) => {
    const { Distribution, ETag } = await client.createDistribution({
      DistributionConfig: { ...oneOrigin(`r${made++}`, 80), CacheTagConfig },
    })
    return { id: Distribution?.Id ?? '', etag: ETag ?? '', config: Distribution?.DistributionConfig }
  }
  let references = 0
  const invalidate = (
    DistributionId: string,
    Items: string[],
    CallerReference = `r${references++}`,
    Quantity = Items.length,
  ) => client.createInvalidation({ DistributionId, InvalidationBatch: { CallerReference, Paths: { Quantity, Items } } })
  /** As when every edge has acknowledged. */
  const complete = () => invalidationsTask(state, () => Number.MAX_SAFE_INTEGER).run()
  return { client, create, invalidate, complete }
}

const refused = (code: string, status: number) => (error: Error & { $metadata?: { httpStatusCode?: number } }) =>
  error.name === code && error.$metadata?.httpStatusCode === status

const many = (count: number, of: (at: number) => string): string[] => Array.from({ length: count }, (_, at) => of(at))

test('what is refused, with its code and status', async (t) => {
  const { create, invalidate, client } = await open(t)
  const { id } = await create()
  const tagged = (await create({ HeaderName: 'Cache-Tags' })).id
  const rows: [run: () => Promise<unknown>, code: string, status: number][] = [
    [() => invalidate(id, ['no-slash']), 'InvalidArgument', 400],
    [() => invalidate(id, ['/a*b']), 'InvalidArgument', 400],
    [() => invalidate(id, ['/a b']), 'InvalidArgument', 400],
    [() => invalidate(id, [`/${'a'.repeat(4_000)}`]), 'InvalidArgument', 400],
    [() => invalidate(id, ['#tag']), 'InvalidArgument', 400],
    [() => invalidate(tagged, ['#a,b']), 'InvalidArgument', 400],
    [() => invalidate(tagged, [`#${'a'.repeat(257)}`]), 'InvalidArgument', 400],
    [() => invalidate(id, ['/a'], ''), 'InvalidArgument', 400],
    [() => invalidate(id, ['/a'], 'r', 2), 'InconsistentQuantities', 400],
    [
      () =>
        invalidate(
          id,
          many(3_001, (at) => `/${at}`),
        ),
      'BatchTooLarge',
      413,
    ],
    [
      () =>
        invalidate(
          id,
          many(16, (at) => `/${at}*`),
        ),
      'TooManyInvalidationsInProgress',
      400,
    ],
    [() => invalidate('ENONE', ['/a']), 'NoSuchDistribution', 404],
    [() => client.getInvalidation({ DistributionId: id, Id: 'INONE' }), 'NoSuchInvalidation', 404],
    [() => client.getInvalidation({ DistributionId: 'ENONE', Id: 'I' }), 'NoSuchDistribution', 404],
    [() => client.listInvalidations({ DistributionId: 'ENONE' }), 'NoSuchDistribution', 404],
    [() => client.listInvalidations({ DistributionId: id, MaxItems: 0 }), 'InvalidArgument', 400],
    [() => create({ HeaderName: 'with space' }), 'InvalidArgument', 400],
    [() => create({ HeaderName: '' }), 'InvalidArgument', 400],
    [() => create({ HeaderName: 'Connection' }), 'InvalidArgument', 400],
  ]
  for (const [run, code, status] of rows) await assert.rejects(run(), refused(code, status), `${run}`)
  assert.equal((await client.listInvalidations({ DistributionId: id })).InvalidationList?.Quantity, 0)
})

test('so many may be in progress; what is completed no longer counts', async (t) => {
  const { create, invalidate, complete } = await open(t)
  const { id } = await create({ HeaderName: 'x' })
  await invalidate(
    id,
    many(2_000, (at) => `/${at}`),
  )
  await invalidate(
    id,
    many(985, (at) => `#${at}`),
  )
  await invalidate(
    id,
    many(15, (at) => `/${at}*`),
  )
  await assert.rejects(invalidate(id, ['/one-more']), refused('TooManyInvalidationsInProgress', 400))
  await assert.rejects(invalidate(id, ['#one-more']), refused('TooManyInvalidationsInProgress', 400))
  await invalidate((await create()).id, ['/another-distribution*'])
  await complete()
  await invalidate(
    id,
    many(15, (at) => `/${at}*`),
  )
  await assert.rejects(invalidate(id, ['/*']), refused('TooManyInvalidationsInProgress', 400))
  await invalidate(
    id,
    many(2_985, (at) => `/${at}`),
  )
})

test('a caller reference again: the same batch is the earlier one, another is refused; lists in pages, newest first', async (t) => {
  const { client, create, invalidate, complete } = await open(t)
  const { id } = await create({ HeaderName: 'x' })
  const first = await invalidate(id, ['/a', '#t'], 'one')
  assert.equal(first.$metadata.httpStatusCode, 201)
  assert.match(
    first.Location ?? '',
    new RegExp(`/2020-05-31/distribution/${id}/invalidation/${first.Invalidation?.Id}$`),
  )
  assert.equal((await invalidate(id, ['/a', '#t'], 'one')).Invalidation?.Id, first.Invalidation?.Id)
  await assert.rejects(invalidate(id, ['/b'], 'one'), refused('InvalidationBatchAlreadyExists', 409))
  await complete()
  const again = await invalidate(id, ['#t', '/a'], 'one')
  assert.deepEqual([again.Invalidation?.Id, again.Invalidation?.Status], [first.Invalidation?.Id, 'Completed'])
  const ids = [first.Invalidation?.Id]
  for (let at = 0; at < 4; at++) ids.unshift((await invalidate(id, [`/${at}`])).Invalidation?.Id)
  const listed: (string | undefined)[] = []
  let Marker: string | undefined
  do {
    const { InvalidationList: page } = await client.listInvalidations({ DistributionId: id, MaxItems: 2, Marker })
    assert.deepEqual([page?.MaxItems, page?.Marker], [2, Marker ?? ''])
    listed.push(...(page?.Items ?? []).map((item) => item.Id))
    Marker = page?.NextMarker
    assert.equal(page?.IsTruncated, Marker !== undefined)
  } while (Marker !== undefined)
  assert.deepEqual(listed, ids)
  const { Invalidation } = await client.getInvalidation({ DistributionId: id, Id: first.Invalidation?.Id })
  assert.deepEqual(Invalidation?.InvalidationBatch, {
    CallerReference: 'one',
    Paths: { Quantity: 2, Items: ['/a', '#t'] },
  })
  assert.ok(Invalidation?.CreateTime instanceof Date)
})

test('CacheTagConfig comes back as it was given, and an update may change or remove it', async (t) => {
  const { client, create, invalidate } = await open(t)
  const { id, etag, config } = await create({ HeaderName: 'X-Amz-Meta-Cache-Tag' })
  assert.deepEqual(config?.CacheTagConfig, { HeaderName: 'X-Amz-Meta-Cache-Tag' })
  await invalidate(id, ['#t'])
  assert.ok(config !== undefined)
  const { CacheTagConfig: _, ...without } = config
  const updated = await client.updateDistribution({ Id: id, IfMatch: etag, DistributionConfig: without })
  assert.equal(updated.Distribution?.DistributionConfig?.CacheTagConfig, undefined)
  await assert.rejects(invalidate(id, ['#t']), refused('InvalidArgument', 400))
})
