//! Faults of security groups, parameters that are fixed while they are in use, and memcached nodes (spec 2.5, 5.2, 11.1).
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

const create = (site: ElastiCacheFaultSite, changes: object) =>
  site.client.createCacheCluster({
    CacheClusterId: 'new',
    Engine: 'redis',
    CacheNodeType: 'cache.t4g.micro',
    ...changes,
  })

const row = (
  code: string,
  section: string,
  when: string,
  call: (site: ElastiCacheFaultSite) => Promise<unknown>,
): ElastiCacheFaultRow => ({ code, status: 400, section, when, provoke: (site) => () => call(site) })

export const NETWORK_ROWS: readonly ElastiCacheFaultRow[] = [
  row('InvalidVPCNetworkStateFault', '11.1', 'a security group on a host that cannot filter', (site) =>
    create(site, { SecurityGroupIds: ['sg-web'] }),
  ),
  row('InvalidParameterValue', '11.1', 'a security group that nobody has defined', (site) =>
    create(site, { SecurityGroupIds: ['sg-none'] }),
  ),
  row('InvalidParameterCombination', '4.1', 'a node type that does not run the engine', (site) =>
    create(site, { CacheNodeType: 'cache.m8g.large' }),
  ),
]
