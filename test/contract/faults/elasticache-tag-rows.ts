//! Faults of tags, events and paging (spec 1.3, 1.6, 11.2, 11.3).
import type { ElastiCacheFaultRow } from '../../support/elasticache-fault-site.ts'

const arnOf = (id: string): string => `arn:aws:elasticache:us-east-1:123456789012:cluster:${id}`

export const TAG_ROWS: readonly ElastiCacheFaultRow[] = [
  {
    code: 'InvalidARN',
    status: 400,
    section: '1.7',
    when: 'an ARN of another service',
    provoke: (site) => () => site.client.listTagsForResource({ ResourceName: 'arn:aws:s3:::bucket' }),
  },
  {
    code: 'TagNotFound',
    status: 404,
    section: '11.2',
    when: 'a key that the resource has not',
    async provoke(site) {
      await site.cluster('one')
      return () => site.client.removeTagsFromResource({ ResourceName: arnOf('one'), TagKeys: ['team'] })
    },
  },
  {
    code: 'TagQuotaPerResourceExceeded',
    status: 400,
    section: '1.6',
    when: '51 tags',
    async provoke(site) {
      await site.cluster('one')
      const Tags = Array.from({ length: 51 }, (_, at) => ({ Key: `key-${at}`, Value: 'v' }))
      return () => site.client.addTagsToResource({ ResourceName: arnOf('one'), Tags })
    },
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '1.6',
    when: 'a key of AWS’s own',
    async provoke(site) {
      await site.cluster('one')
      return () =>
        site.client.addTagsToResource({ ResourceName: arnOf('one'), Tags: [{ Key: 'aws:mine', Value: 'v' }] })
    },
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '1.3',
    when: 'pages of 10',
    provoke: (site) => () => site.client.describeCacheClusters({ MaxRecords: 10 }),
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '11.3',
    when: 'events of a source without its type',
    provoke: (site) => () => site.client.describeEvents({ SourceIdentifier: 'one' }),
  },
]
