//! What the API writers write: each noun with a value that can be read back, one row a noun.
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudFront } from '@aws-sdk/client-cloudfront'
import type { ElastiCache } from '@aws-sdk/client-elasticache'
import { oneOrigin } from '../support/one-origin.ts'

export interface Clients {
  readonly cloudfront: CloudFront
  readonly elasticache: ElastiCache
}

export interface Noun {
  readonly name: string
  readonly keys: readonly string[]
  /** Null where a resource exists from the start and stays. */
  readonly create: ((key: string, value: string) => Promise<void>) | null
  readonly update: (key: string, value: string) => Promise<void>
  readonly remove: ((key: string) => Promise<void>) | null
  /** All that exist among the keys, with their values. */
  readonly readAll: () => Promise<ReadonlyMap<string, string>>
  /** Value from the number that a writer counts. */
  readonly value: (n: number) => string
  /** The value right after create, when create cannot set one. */
  readonly created?: string
}

const keysOf = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
/** Of an origin that nobody asks: no viewer looks at these distributions. */
const UNUSED_PORT = 1024
const SETTLE_LOOK_MS = 50

export function nouns({ cloudfront, elasticache }: Clients, siteArn: string, groupArn: string): readonly Noun[] {
  return [
    cachePolicies(cloudfront),
    distributions(cloudfront),
    distributionTags(cloudfront, siteArn),
    groupTags(elasticache, groupArn),
    parameterGroups(elasticache),
    clusters(elasticache),
    descriptions(elasticache),
  ]
}

function cachePolicies(client: CloudFront): Noun {
  const list = async () => (await client.listCachePolicies({ Type: 'custom' })).CachePolicyList?.Items ?? []
  const idOf = async (key: string): Promise<string> => {
    const found = (await list()).find((one) => one.CachePolicy?.CachePolicyConfig?.Name === key)
    if (found === undefined) throw new Error(`cache policy ${key} is not listed`)
    return found.CachePolicy!.Id!
  }
  const config = (Name: string, Comment: string) => ({ Name, Comment, MinTTL: 1 })
  return {
    name: 'cache policy',
    keys: keysOf('policy', 6),
    value: (n) => `comment ${n}`,
    create: async (key, value) => void (await client.createCachePolicy({ CachePolicyConfig: config(key, value) })),
    async update(key, value) {
      const Id = await idOf(key)
      const { ETag } = await client.getCachePolicy({ Id })
      await client.updateCachePolicy({ Id, IfMatch: ETag, CachePolicyConfig: config(key, value) })
    },
    async remove(key) {
      const Id = await idOf(key)
      const { ETag } = await client.getCachePolicy({ Id })
      await client.deleteCachePolicy({ Id, IfMatch: ETag })
    },
    readAll: async () =>
      new Map(
        (await list()).map(({ CachePolicy: p }) => [p!.CachePolicyConfig!.Name!, p!.CachePolicyConfig!.Comment!]),
      ),
  }
}

function distributions(client: CloudFront): Noun {
  const list = async () => (await client.listDistributions({})).DistributionList?.Items ?? []
  const idOf = async (key: string): Promise<string> => {
    const found = (await list()).find((one) => one.Comment?.startsWith(`${key}:`))
    if (found === undefined) throw new Error(`distribution ${key} is not listed`)
    return found.Id!
  }
  let made = 0
  return {
    name: 'distribution',
    keys: keysOf('dist', 4),
    value: (n) => `value ${n}`,
    async create(key, value) {
      const DistributionConfig = oneOrigin(`${key}-${made++}-${value}`, UNUSED_PORT, `${key}:${value}`)
      await client.createDistribution({ DistributionConfig })
    },
    async update(key, value) {
      const Id = await idOf(key)
      const { ETag, DistributionConfig } = await client.getDistributionConfig({ Id })
      const changed = { ...DistributionConfig!, Comment: `${key}:${value}` }
      await client.updateDistribution({ Id, IfMatch: ETag, DistributionConfig: changed })
    },
    async remove(key) {
      const Id = await idOf(key)
      const { ETag, DistributionConfig } = await client.getDistributionConfig({ Id })
      await client.updateDistribution({
        Id,
        IfMatch: ETag,
        DistributionConfig: { ...DistributionConfig!, Enabled: false },
      })
      for (;;) {
        const now = await client.getDistribution({ Id })
        if (now.Distribution!.Status === 'Deployed')
          return void (await client.deleteDistribution({ Id, IfMatch: now.ETag }))
        await sleep(SETTLE_LOOK_MS)
      }
    },
    readAll: async () =>
      new Map(
        (await list()).flatMap(({ Comment = '' }) => {
          const at = Comment.indexOf(':')
          return at < 0 ? [] : [[Comment.slice(0, at), Comment.slice(at + 1)] as const]
        }),
      ),
  }
}

function distributionTags(client: CloudFront, Resource: string): Noun {
  const put = async (Key: string, Value: string) =>
    void (await client.tagResource({ Resource, Tags: { Items: [{ Key, Value }] } }))
  return {
    name: 'distribution tag',
    keys: keysOf('tag', 6),
    value: (n) => `v${n}`,
    create: put,
    update: put,
    remove: async (key) => void (await client.untagResource({ Resource, TagKeys: { Items: [key] } })),
    async readAll() {
      const { Tags } = await client.listTagsForResource({ Resource })
      return new Map((Tags?.Items ?? []).map(({ Key, Value }) => [Key!, Value!]))
    },
  }
}

function groupTags(client: ElastiCache, ResourceName: string): Noun {
  const put = async (Key: string, Value: string) =>
    void (await client.addTagsToResource({ ResourceName, Tags: [{ Key, Value }] }))
  return {
    name: 'replication group tag',
    keys: keysOf('tag', 6),
    value: (n) => `v${n}`,
    create: put,
    update: put,
    remove: async (key) => void (await client.removeTagsFromResource({ ResourceName, TagKeys: [key] })),
    async readAll() {
      const { TagList } = await client.listTagsForResource({ ResourceName })
      return new Map((TagList ?? []).map(({ Key, Value }) => [Key!, Value!]))
    },
  }
}

function parameterGroups(client: ElastiCache): Noun {
  const ParameterName = 'maxmemory-samples'
  const samplesOf = async (CacheParameterGroupName: string): Promise<string> => {
    const { Parameters } = await client.describeCacheParameters({ CacheParameterGroupName })
    return Parameters?.find((one) => one.ParameterName === ParameterName)?.ParameterValue ?? ''
  }
  return {
    name: 'parameter group',
    keys: keysOf('params', 4),
    value: (n) => String(6 + (n % 1000)),
    created: '3',
    async create(CacheParameterGroupName) {
      const rest = { CacheParameterGroupFamily: 'redis7', Description: 'drill' }
      await client.createCacheParameterGroup({ CacheParameterGroupName, ...rest })
    },
    async update(CacheParameterGroupName, ParameterValue) {
      const ParameterNameValues = [{ ParameterName, ParameterValue }]
      await client.modifyCacheParameterGroup({ CacheParameterGroupName, ParameterNameValues })
    },
    remove: async (key) => void (await client.deleteCacheParameterGroup({ CacheParameterGroupName: key })),
    async readAll() {
      const groups = (await client.describeCacheParameterGroups({})).CacheParameterGroups ?? []
      const own = groups.map((one) => one.CacheParameterGroupName!).filter((name) => name.startsWith('params-'))
      return new Map(await Promise.all(own.map(async (name) => [name, await samplesOf(name)] as const)))
    },
  }
}

/** Single nodes that come and go; `extra-0` is one at a time, for each is a process. */
function clusters(client: ElastiCache): Noun {
  const hour = (n: number): string => String(n % 23).padStart(2, '0')
  const all = async () => (await client.describeCacheClusters({})).CacheClusters ?? []
  const statusOf = async (key: string) => (await all()).find((one) => one.CacheClusterId === key)?.CacheClusterStatus
  const until = async (key: string, wanted: string | undefined): Promise<void> => {
    for (; (await statusOf(key)) !== wanted; ) await sleep(SETTLE_LOOK_MS)
  }
  return {
    name: 'cache cluster',
    keys: ['extra-0'],
    value: (n) => `sun:${hour(n)}:00-sun:${String((n % 23) + 1).padStart(2, '0')}:00`,
    async create(CacheClusterId, PreferredMaintenanceWindow) {
      await until(CacheClusterId, undefined)
      // Snapshots at an hour that none of the maintenance windows has: the two must not overlap.
      const rest = {
        Engine: 'redis',
        CacheNodeType: 'cache.t4g.micro',
        NumCacheNodes: 1,
        SnapshotWindow: '23:00-00:00',
      }
      await client.createCacheCluster({ CacheClusterId, PreferredMaintenanceWindow, ...rest })
    },
    async update(CacheClusterId, PreferredMaintenanceWindow) {
      await until(CacheClusterId, 'available')
      await client.modifyCacheCluster({ CacheClusterId, PreferredMaintenanceWindow, ApplyImmediately: true })
    },
    async remove(CacheClusterId) {
      await until(CacheClusterId, 'available')
      await client.deleteCacheCluster({ CacheClusterId })
      await until(CacheClusterId, undefined)
    },
    async readAll() {
      const own = (await all()).filter((one) => one.CacheClusterId?.startsWith('extra-'))
      const kept = own.filter((one) => one.CacheClusterStatus !== 'deleting')
      return new Map(kept.map((one) => [one.CacheClusterId!, one.PreferredMaintenanceWindow!]))
    },
  }
}

/** The description of the replication group under load. */
function descriptions(client: ElastiCache): Noun {
  return {
    name: 'replication group description',
    keys: ['drill'],
    value: (n) => `description ${n}`,
    create: null,
    remove: null,
    async update(ReplicationGroupId, ReplicationGroupDescription) {
      await client.modifyReplicationGroup({ ReplicationGroupId, ReplicationGroupDescription, ApplyImmediately: true })
    },
    async readAll() {
      const found = (await client.describeReplicationGroups({})).ReplicationGroups ?? []
      return new Map(found.map((one) => [one.ReplicationGroupId!, one.Description!]))
    },
  }
}
