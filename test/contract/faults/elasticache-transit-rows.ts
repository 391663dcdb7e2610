//! Faults of encryption in transit (spec 2.2, 2.3, 2.4, 6.6), and of the tag that names an imported certificate.
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

type Code = 'InvalidParameterValue' | 'InvalidParameterCombination'

const newGroup = (code: Code, when: string, changes: object): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section: '2.3',
  when,
  provoke: (site) => () =>
    site.client.createReplicationGroup({
      ReplicationGroupId: 'new',
      ReplicationGroupDescription: 'a group',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      ...changes,
    }),
})

const newCluster = (code: Code, when: string, changes: object): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section: '2.2',
  when,
  provoke: (site) => () =>
    site.client.createCacheCluster({
      CacheClusterId: 'new',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheNodes: 1,
      TransitEncryptionEnabled: true,
      ...changes,
    }),
})

/** A change of a group `shop` that has encryption in transit in this mode; none by default. */
const modify = (
  code: Code,
  when: string,
  changes: object,
  { mode, more = {} }: { readonly mode?: 'preferred' | 'required'; readonly more?: object } = {},
): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section: '2.4',
  when,
  async provoke(site) {
    await site.group('shop', 2, mode === undefined ? {} : encrypted(mode))
    if (Object.keys(more).length > 0) await site.changeGroup('shop', more)
    return () => site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...changes })
  },
})

const encrypted = <Mode extends string>(mode: Mode) => ({ TransitEncryptionEnabled: true, TransitEncryptionMode: mode })
const tag = (Value: string) => ({ Tags: [{ Key: 'cachefront:certificate', Value }] })

const tagged = (
  code: Code,
  when: string,
  provoke: (site: ElastiCacheFaultSite) => Promise<() => Promise<unknown>>,
) => ({
  ...{ code, status: 400, section: '3.1', when, provoke },
})

export const TRANSIT_ROWS: readonly ElastiCacheFaultRow[] = [
  newGroup('InvalidParameterValue', 'a mode of encryption in transit that is none', encrypted('always')),
  newGroup('InvalidParameterCombination', 'a mode without encryption in transit', {
    TransitEncryptionMode: 'required',
  }),
  newGroup('InvalidParameterCombination', 'a certificate for a group without encryption in transit', tag('shop')),
  newGroup('InvalidParameterValue', 'a certificate that the operator has not named', {
    ...encrypted('required'),
    ...tag('shop'),
  }),
  newCluster('InvalidParameterValue', 'encryption in transit of redis that stands alone', { Engine: 'redis' }),
  newCluster('InvalidParameterCombination', 'encryption in transit of memcached before 1.6.12', {
    Engine: 'memcached',
    EngineVersion: '1.6.6',
  }),
  modify('InvalidParameterCombination', 'a change of encryption in transit without ApplyImmediately', {
    ApplyImmediately: false,
    ...encrypted('preferred'),
  }),
  modify('InvalidParameterCombination', 'from none to required in one step', encrypted('required')),
  modify('InvalidParameterCombination', 'encryption in transit without a mode, of a living group', {
    TransitEncryptionEnabled: true,
  }),
  modify(
    'InvalidParameterCombination',
    'from required to none in one step',
    { TransitEncryptionEnabled: false },
    {
      mode: 'required',
    },
  ),
  modify(
    'InvalidParameterCombination',
    'no encryption in transit for a group with a user group',
    { TransitEncryptionEnabled: false },
    { mode: 'preferred', more: { userGroupIds: ['people'] } },
  ),
  tagged('InvalidParameterCombination', 'a certificate on a cluster without encryption in transit', async (site) => {
    await site.memcached('one', 1)
    const ResourceName = 'arn:aws:elasticache:us-east-1:123456789012:cluster:one'
    return () => site.client.addTagsToResource({ ResourceName, ...tag('shop') })
  }),
]
