//! Faults of parameter groups and subnet groups (spec 1.6, 1.9, 5.1, 11.1).
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

const ARN = 'arn:aws:elasticache:us-east-1:123456789012'

const parameterGroup = (site: ElastiCacheFaultSite, CacheParameterGroupName = 'mine') =>
  site.client.createCacheParameterGroup({
    CacheParameterGroupName,
    CacheParameterGroupFamily: 'redis7',
    Description: 'a group',
  })

const subnetGroup = (site: ElastiCacheFaultSite, SubnetIds = ['subnet-1', 'subnet-2']) =>
  site.client.createCacheSubnetGroup({
    CacheSubnetGroupName: 'mine',
    CacheSubnetGroupDescription: 'a group',
    SubnetIds,
  })

const setParameter = (site: ElastiCacheFaultSite, ParameterName: string, ParameterValue: string) =>
  site.client.modifyCacheParameterGroup({
    CacheParameterGroupName: 'mine',
    ParameterNameValues: [{ ParameterName, ParameterValue }],
  })

/** With a parameter group `mine` of redis7, this value is refused. */
const refusedValue = (when: string, name: string, value: string): ElastiCacheFaultRow => ({
  code: 'InvalidParameterValue',
  status: 400,
  section: '5.1',
  when,
  async provoke(site) {
    await parameterGroup(site)
    return () => setParameter(site, name, value)
  },
})

export const NAMED_GROUP_ROWS: readonly ElastiCacheFaultRow[] = [
  {
    code: 'CacheParameterGroupAlreadyExists',
    status: 400,
    section: '1.6',
    when: 'a name that is taken, in capitals',
    async provoke(site) {
      await parameterGroup(site)
      return () => parameterGroup(site, 'MINE')
    },
  },
  {
    code: 'CacheParameterGroupNotFound',
    status: 404,
    section: '1.3',
    when: 'a name that is nobody’s',
    provoke: (site) => () => site.client.describeCacheParameters({ CacheParameterGroupName: 'nobodys' }),
  },
  {
    code: 'CacheParameterGroupQuotaExceeded',
    status: 400,
    section: '1.9',
    when: 'the 301st parameter group',
    async provoke(site) {
      await site.state.transact(async (tx) => {
        for (let at = 0; at < 300; at++) {
          const name = `group-${at}`
          const arn = `${ARN}:parametergroup:${name}`
          await tx.put('cache-parameter-group', name, { name, arn, family: 'redis7', description: '', values: {} })
        }
      })
      return () => parameterGroup(site)
    },
  },
  {
    code: 'InvalidCacheParameterGroupState',
    status: 400,
    section: '1.8',
    when: 'a default group is deleted',
    provoke: (site) => () => site.client.deleteCacheParameterGroup({ CacheParameterGroupName: 'default.redis7' }),
  },
  {
    code: 'InvalidCacheParameterGroupState',
    status: 400,
    section: '1.8',
    when: 'a group in use is deleted',
    async provoke(site) {
      await parameterGroup(site)
      await site.cluster('one', { CacheParameterGroupName: 'mine' })
      return () => site.client.deleteCacheParameterGroup({ CacheParameterGroupName: 'mine' })
    },
  },
  refusedValue('a parameter that there is not', 'max-beauty', '1'),
  refusedValue('a value out of range', 'maxmemory-samples', '0'),
  refusedValue('a parameter that cannot be modified', 'maxmemory', '1'),
  refusedValue('rename-commands with a word alone', 'rename-commands', 'flushall blocked keys'),
  refusedValue('rename-commands of what is no command', 'rename-commands', 'flushthemall blocked'),
  refusedValue('rename-commands of a subcommand', 'rename-commands', 'client|kill blocked'),
  refusedValue('rename-commands of a restricted command', 'rename-commands', 'config blocked'),
  refusedValue('rename-commands of what clients log in by', 'rename-commands', 'auth blocked'),
  refusedValue('rename-commands of one command twice', 'rename-commands', 'keys blocked KEYS blocked'),
  refusedValue('rename-commands to 21 characters', 'rename-commands', `keys ${'k'.repeat(21)}`),
  refusedValue('rename-commands to a name with a hyphen', 'rename-commands', 'keys my-keys'),
  refusedValue('rename-commands to the name of a command', 'rename-commands', 'keys get'),
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '5.1',
    when: 'ResetCacheParameterGroup of nothing',
    async provoke(site) {
      await parameterGroup(site)
      return () => site.client.resetCacheParameterGroup({ CacheParameterGroupName: 'mine' })
    },
  },
  {
    code: 'CacheSubnetGroupAlreadyExists',
    status: 400,
    section: '1.6',
    when: 'a name that is taken',
    async provoke(site) {
      await subnetGroup(site)
      return () => subnetGroup(site)
    },
  },
  {
    code: 'CacheSubnetGroupNotFoundFault',
    status: 400,
    section: '1.8',
    when: 'a name that is nobody’s',
    provoke: (site) => () => site.client.describeCacheSubnetGroups({ CacheSubnetGroupName: 'nobodys' }),
  },
  {
    code: 'CacheSubnetGroupQuotaExceeded',
    status: 400,
    section: '1.9',
    when: 'the 301st subnet group',
    async provoke(site) {
      await site.state.transact(async (tx) => {
        for (let at = 0; at < 300; at++) {
          const name = `group-${at}`
          const arn = `${ARN}:subnetgroup:${name}`
          await tx.put('cache-subnet-group', name, { name, arn, description: '', subnetIds: ['subnet-1'] })
        }
      })
      return () => subnetGroup(site)
    },
  },
  {
    code: 'CacheSubnetQuotaExceededFault',
    status: 400,
    section: '1.9',
    when: '21 subnets',
    provoke: (site) => () =>
      subnetGroup(
        site,
        Array.from({ length: 21 }, (_, at) => `subnet-${at}`),
      ),
  },
  {
    code: 'InvalidSubnet',
    status: 400,
    section: '1.8',
    when: 'a subnet id that is none',
    provoke: (site) => () => subnetGroup(site, ['10.0.0.0/8']),
  },
  {
    code: 'CacheSubnetGroupInUse',
    status: 400,
    section: '1.8',
    when: 'a group in use is deleted',
    async provoke(site) {
      await subnetGroup(site)
      await site.cluster('one', { CacheSubnetGroupName: 'mine' })
      return () => site.client.deleteCacheSubnetGroup({ CacheSubnetGroupName: 'mine' })
    },
  },
  {
    code: 'SubnetInUse',
    status: 400,
    section: '11.1',
    when: 'a subnet is taken from a group in use',
    async provoke(site) {
      await subnetGroup(site)
      await site.cluster('one', { CacheSubnetGroupName: 'mine' })
      return () => site.client.modifyCacheSubnetGroup({ CacheSubnetGroupName: 'mine', SubnetIds: ['subnet-1'] })
    },
  },
]
