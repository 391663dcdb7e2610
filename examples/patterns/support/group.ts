//! A replication group to try the patterns on, made with the AWS SDK as an application's infrastructure would be: in the
//! installation that the caller has, or in one of its own that is thrown away.
import {
  type Endpoint as AwsEndpoint,
  CreateReplicationGroupCommand,
  DescribeReplicationGroupsCommand,
  ElastiCacheClient,
  waitUntilReplicationGroupAvailable,
} from '@aws-sdk/client-elasticache'
import { type OwnInstallation, startInstallation } from '../../storefront/installation.ts'
import { type Cache, connect, type Endpoint } from './cache.ts'

/** Of the SDK's waiter, in seconds. */
const WAIT = { minDelay: 0.02, maxDelay: 0.5, maxWaitTime: 60 } as const

export interface Group {
  readonly installation: OwnInstallation
  readonly primary: Endpoint
  readonly reader: Endpoint
  readonly cache: Cache
  stop(): Promise<void>
}

/** One primary and `replicas` replicas with automatic failover. */
export async function startGroup(replicas = 1): Promise<Group> {
  const installation = await startInstallation()
  try {
    const { primary, reader } = await createGroup(installation, replicas)
    const cache = connect(primary, reader)
    const stop = async (): Promise<void> => {
      cache.close()
      await installation.stop()
    }
    return { installation, primary, reader, cache, stop }
  } catch (error) {
    await installation.stop()
    throw error
  }
}

async function createGroup({ endpoint, region }: OwnInstallation, replicas: number) {
  // Loopback accepts any keys.
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const elasticache = new ElastiCacheClient({ endpoint, region, credentials })
  const id = 'patterns'
  await elasticache.send(
    new CreateReplicationGroupCommand({
      ReplicationGroupId: id,
      ReplicationGroupDescription: 'Patterns',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.small',
      NumCacheClusters: replicas + 1,
      AutomaticFailoverEnabled: replicas > 0,
    }),
  )
  await waitUntilReplicationGroupAvailable({ client: elasticache, ...WAIT }, { ReplicationGroupId: id })
  const { ReplicationGroups } = await elasticache.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: id }))
  elasticache.destroy()
  const node = ReplicationGroups?.[0]?.NodeGroups?.[0]
  return { primary: addressOf(node?.PrimaryEndpoint), reader: addressOf(node?.ReaderEndpoint) }
}

function addressOf(endpoint: AwsEndpoint | undefined): Endpoint {
  if (endpoint?.Address === undefined || endpoint.Port === undefined) throw new Error('The group has no endpoint.')
  return { host: endpoint.Address, port: endpoint.Port }
}
