//! What the commands of snapshots have in common: the two ways to the installation, polling, and the table.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ElastiCache } from '@aws-sdk/client-elasticache'
import type { SnapshotState } from '../services/cachefront/snapshot-routes.ts'
import { CliError, type CliHost } from './host.ts'
import type { ClientOptions } from './installation-file.ts'
import { findApi, type LocalApi, localDocument } from './local-call.ts'
import { sdkError, sdkSettings } from './sdk.ts'
import { drawTable } from './table.ts'

/** Milliseconds between two looks. */
const POLL_MS = 100

export interface Snapshots {
  readonly api: LocalApi
  readonly client: ElastiCache
  all(): Promise<readonly SnapshotState[]>
  /** Runs calls of AWS's API. @throws CliError in one line */
  call<T>(act: (of: { readonly client: ElastiCache; isGroup(id: string): Promise<boolean> }) => Promise<T>): Promise<T>
  /** Looks until the answer is not null. */
  poll<T>(look: () => Promise<T | null>): Promise<T>
  /** Status of a cache, and the newest event of it, which tells why one failed. */
  cacheStatus(id: string, isCluster: boolean): Promise<{ readonly status: string; readonly why: string }>
}

export async function snapshotsOf(host: CliHost, options: ClientOptions): Promise<Snapshots> {
  const settings = sdkSettings(host, options)
  const { ElastiCache } = await import('@aws-sdk/client-elasticache')
  const client = new ElastiCache(settings)
  const api = findApi(host, options)
  const isGroup = async (id: string): Promise<boolean> => {
    const { ReplicationGroups = [] } = await client.describeReplicationGroups({})
    return ReplicationGroups.some((group) => group.ReplicationGroupId === id.toLowerCase())
  }
  const call: Snapshots['call'] = async (act) => {
    try {
      return await act({ client, isGroup })
    } catch (error) {
      throw sdkError(error, settings.endpoint)
    }
  }
  return {
    api,
    client,
    call,
    async all() {
      const { snapshots } = (await localDocument(api, '/_cachefront/snapshots')) as { snapshots: SnapshotState[] }
      return snapshots
    },
    async poll(look) {
      for (;;) {
        const found = await look()
        if (found !== null) return found
        await sleep(POLL_MS)
      }
    },
    cacheStatus: (id, isCluster) =>
      call(async () => {
        const status = isCluster
          ? (await client.describeCacheClusters({ CacheClusterId: id })).CacheClusters?.[0]?.CacheClusterStatus
          : (await client.describeReplicationGroups({ ReplicationGroupId: id })).ReplicationGroups?.[0]?.Status
        const SourceType = isCluster ? 'cache-cluster' : 'replication-group'
        const { Events = [] } = await client.describeEvents({ SourceType, SourceIdentifier: id })
        return { status: status ?? 'unknown', why: Events[0]?.Message ?? 'no event says why' }
      }),
  }
}

/** Looks at one snapshot until `accepts`; undefined is one that is not there. */
export async function until(
  snapshots: Snapshots,
  name: string,
  accepts: (snapshot: SnapshotState | undefined) => boolean,
): Promise<void> {
  const wanted = name.toLowerCase()
  await snapshots.poll(async () => (accepts((await snapshots.all()).find((one) => one.name === wanted)) ? true : null))
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function bytesText(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`
}

export function drawSnapshots(snapshots: readonly SnapshotState[]): string {
  if (snapshots.length === 0) return 'No snapshots.'
  return drawTable([
    ['SNAPSHOT', 'OF', 'STATUS', 'SOURCE', 'RDB', 'CREATED'],
    ...snapshots.map((one) => [
      one.name,
      one.of ?? '-',
      statusOf(one),
      one.source,
      one.rdbBytes === null ? '-' : bytesText(one.rdbBytes),
      one.createdAt.replace(/\.\d+Z$/, 'Z'),
    ]),
  ])
}

function statusOf({ status, progress, problem }: SnapshotState): string {
  if (progress !== null) return `${status} ${bytesText(progress.bytes)}`
  return problem === null ? status : `${status}: ${problem}`
}

/** @throws CliError for what the system says of a file */
export const fileError = (what: string, error: NodeJS.ErrnoException): CliError =>
  new CliError(`${what}: ${FILE_PROBLEMS[error.code ?? ''] ?? error.message}.`)

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EEXIST: 'there is such a file already',
  EACCES: 'it may not be opened',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
}
