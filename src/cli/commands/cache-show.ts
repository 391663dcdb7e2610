//! `cachefront cache show NAME`: the console's page of a cache, with what really runs.
import type { ElastiCacheClient } from '@aws-sdk/client-elasticache'
import type { CacheClientsDocument } from '../../services/cachefront/cache-clients-route.ts'
import type { Status } from '../../services/cachefront/status.ts'
import { consolePage, nodesTable, type PageSources, waitingChanges } from '../cache-page.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { sdkError, sdkSettings } from '../sdk.ts'
import { drawTable } from '../table.ts'

const OTHER_THAN_WISHED =
  'Other than wished: the process holds these parameters with another value than its parameter group. A reboot of the ' +
  'node applies most of them; maxclients stays at what the limit of open files of this host allows (ulimit -n).'

export async function showCache(host: CliHost, name: string, options: ClientOptions): Promise<number> {
  const sources = await readSources(host, name, options)
  const page = consolePage(sources)
  if (options.json) {
    const [heading, ...rows] = nodesTable(sources)
    const cacheNodes = rows.map((row) => Object.fromEntries(row.map((cell, at) => [heading?.[at] ?? '', cell])))
    host.out.print(JSON.stringify({ ...sources.seen, page: Object.fromEntries(page), cacheNodes }, null, 2))
    return 0
  }
  const waiting = waitingChanges(sources)
  const pending = sources.seen?.nodes.filter(({ pendingReboot }) => pendingReboot.length > 0) ?? []
  host.out.print(
    [
      drawTable(page.map(([label, value]) => [label, value])),
      '',
      drawTable(nodesTable(sources)),
      ...(waiting.length > 0 ? ['', ...waiting] : []),
      ...(sources.seen?.problem ? ['', `Problem: ${sources.seen.problem}`] : []),
      ...(pending.length > 0 ? ['', OTHER_THAN_WISHED] : []),
      ...pending.map(({ id, pendingReboot }) => `${id}: ${pendingReboot.join(' ')}`),
    ].join('\n'),
  )
  return 0
}

async function readSources(host: CliHost, name: string, options: ClientOptions): Promise<PageSources> {
  const sdk = await import('@aws-sdk/client-elasticache')
  const settings = sdkSettings(host, options)
  const client = new sdk.ElastiCacheClient(settings)
  const api = findApi(host, options)
  try {
    const found = await cacheNamed(client, name)
    const [model] = found.clusters
    const subnets = new sdk.DescribeCacheSubnetGroupsCommand({ CacheSubnetGroupName: model?.CacheSubnetGroupName })
    const ids = found.group === null ? { CacheClusterIds: [name] } : { ReplicationGroupIds: [name] }
    const [subnetGroup, updateActions, status, clients] = await Promise.all([
      client.send(subnets).then(({ CacheSubnetGroups }) => CacheSubnetGroups?.[0] ?? null),
      client.send(new sdk.DescribeUpdateActionsCommand(ids)).then(
        ({ UpdateActions }) => UpdateActions ?? [],
        // A service that does not have the operation answers so.
        (error: Error) => (error.name === 'NotImplemented' ? null : Promise.reject(error)),
      ),
      localDocument(api, '/_cachefront/status') as Promise<Status>,
      localDocument(api, `/_cachefront/caches/clients?${new URLSearchParams({ name: name.toLowerCase() })}`).then(
        (document) => (document as CacheClientsDocument).clients,
        () => null,
      ),
    ])
    const seen = status.caches?.find(({ id }) => id === name.toLowerCase()) ?? null
    return { ...found, subnetGroup, updateActions, seen, clients }
  } catch (error) {
    throw sdkError(error, settings.endpoint)
  } finally {
    client.destroy()
  }
}

/** A replication group, or a cluster that stands alone. */
async function cacheNamed(client: ElastiCacheClient, name: string): Promise<Pick<PageSources, 'group' | 'clusters'>> {
  const { DescribeCacheClustersCommand, DescribeReplicationGroupsCommand } = await import('@aws-sdk/client-elasticache')
  const clusterNamed = async (id: string) => {
    const command = new DescribeCacheClustersCommand({ CacheClusterId: id, ShowCacheNodeInfo: true })
    return (await client.send(command)).CacheClusters ?? []
  }
  const group = await client.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: name })).then(
    ({ ReplicationGroups }) => ReplicationGroups?.[0] ?? null,
    (error: Error) => (error.name === 'ReplicationGroupNotFoundFault' ? null : Promise.reject(error)),
  )
  if (group !== null) {
    return { group, clusters: (await Promise.all((group.MemberClusters ?? []).map(clusterNamed))).flat() }
  }
  const clusters = await clusterNamed(name).catch((error: Error) => {
    if (error.name !== 'CacheClusterNotFoundFault' && error.name !== 'CacheClusterNotFound') throw error
    throw new CliError(`There is no cache ${name}; \`cachefront cache list\` names those there are.`)
  })
  return { group: null, clusters }
}
