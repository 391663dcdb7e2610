//! Faults of invalidations (spec 1.7, 2.7, 8).
import { type FaultRow, type FaultSite, many } from '../../support/fault-site.ts'

const invalidate = (site: FaultSite, Items: string[], CallerReference = site.reference()) =>
  site.client.createInvalidation({
    DistributionId: site.one.id,
    InvalidationBatch: { CallerReference, Paths: { Quantity: Items.length, Items } },
  })

export const INVALIDATION_ROWS: readonly FaultRow[] = [
  {
    code: 'NoSuchInvalidation',
    status: 404,
    section: '1.5',
    when: 'an id that is nobody’s',
    provoke: (site) => () => site.client.getInvalidation({ DistributionId: site.one.id, Id: 'I0000000000000' }),
  },
  {
    code: 'BatchTooLarge',
    status: 413,
    section: '2.7',
    when: '3,001 paths',
    provoke: (site) => () =>
      invalidate(
        site,
        many(3_001, (at) => `/${at}`),
      ),
  },
  {
    code: 'InvalidationBatchAlreadyExists',
    status: 409,
    section: '1.7',
    when: 'a CallerReference that was used for other paths',
    async provoke(site) {
      await invalidate(site, ['/a'], 'same')
      return () => invalidate(site, ['/b'], 'same')
    },
  },
  {
    code: 'TooManyInvalidationsInProgress',
    status: 400,
    section: '2.7',
    when: '16 wildcards in progress',
    async provoke(site) {
      await invalidate(
        site,
        many(15, (at) => `/${at}/*`),
      )
      return () => invalidate(site, ['/one-more/*'])
    },
  },
]
