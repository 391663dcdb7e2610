//! What CreateCacheCluster and CreateReplicationGroup have in common: checks against the host and the account, and the
//! record of a cluster that nobody has seen yet.
import { createHash } from 'node:crypto'
import { elasticacheArn } from '../../domain/arn.ts'
import {
  type CacheClusterRecord,
  type CacheNodeRecord,
  newCacheNode,
  REGION_NODES_MAX,
  type StorageSettings,
} from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import {
  chosenMaintenanceWindow,
  chosenSnapshotWindow,
  maintenanceWindow,
  snapshotWindow,
  windowsOverlap,
} from '../../domain/windows.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'

const PORT_DEFAULT = { redis: 6379, valkey: 6379, memcached: 11211 } as const
/** Ports below are the system's; a node's process runs without the right to bind them. */
const PORT_MIN = 1024
const PORT_MAX = 65535

/** @throws InvalidParameterValue */
export function portOf(engine: keyof typeof PORT_DEFAULT, given: number | undefined): number {
  const port = given ?? PORT_DEFAULT[engine]
  if (Number.isInteger(port) && port >= PORT_MIN && port <= PORT_MAX) return port
  throw invalidValue(`Port is ${PORT_MIN} to ${PORT_MAX}, not ${given}.`)
}

/** A number in [0, 1) that stays the same for an id: what AWS chooses at random is repeatable here. */
const pickFor = (id: string): number => createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32

/** The windows of a request, or those that the service chooses. */
export function windowsOf(
  id: string,
  input: { readonly PreferredMaintenanceWindow?: string | undefined; readonly SnapshotWindow?: string | undefined },
): { readonly maintenanceWindow: string; readonly snapshotWindow: string } {
  const { PreferredMaintenanceWindow: maintenance, SnapshotWindow: snapshot } = input
  if (snapshot) {
    const daily = snapshotWindow(snapshot)
    const given = maintenance ? maintenanceWindow(maintenance) : null
    const weekly = given ?? chosenWeekly(id, daily)
    checkWindows(weekly, daily)
    return { maintenanceWindow: weekly, snapshotWindow: daily }
  }
  const weekly = maintenance ? maintenanceWindow(maintenance) : chosenMaintenanceWindow(pickFor(id))
  return { maintenanceWindow: weekly, snapshotWindow: chosenSnapshotWindow(pickFor(id), weekly) }
}

/** Tries of another maintenance window when the first overlaps the snapshot window: each is one of 75. */
const WINDOW_TRIES = 20

function chosenWeekly(id: string, daily: string): string {
  const tries = Array.from({ length: WINDOW_TRIES }, (_, at) =>
    chosenMaintenanceWindow(pickFor(at === 0 ? id : `${id}/${at}`)),
  )
  return tries.find((weekly) => !windowsOverlap(weekly, daily)) ?? (tries[0] as string)
}

/** @throws InvalidParameterCombination when the windows have a minute in common (the code is unconfirmed) */
export function checkWindows(maintenance: string, snapshot: string): void {
  if (!windowsOverlap(maintenance, snapshot)) return
  throw invalidCombination(
    `The snapshot window ${snapshot} and the maintenance window ${maintenance} must not overlap.`,
  )
}

export type NewCluster = Pick<
  CacheClusterRecord,
  | 'id'
  | 'engine'
  | 'engineVersion'
  | 'nodeType'
  | 'port'
  | 'replicationGroupId'
  | 'parameterGroupName'
  | 'subnetGroupName'
  | 'maintenanceWindow'
  | 'autoMinorVersionUpgrade'
  | 'securityGroupIds'
  | 'securityGroupsActive'
> &
  Pick<StorageSettings, 'atRestEncryption' | 'appendonly'> & {
    readonly snapshotWindow: string
    readonly zones: readonly string[]
  }

/** The record of a cluster with one node for each zone, numbered from 0001. */
export function newCluster(wish: NewCluster, context: ServiceContext): CacheClusterRecord {
  const { zones, snapshotWindow: window, ...rest } = wish
  const createdAt = new Date(context.clock.now()).toISOString()
  return {
    ...rest,
    arn: elasticacheArn(context.region, context.accountId, 'cluster', wish.id),
    createdAt,
    binaryVersion: null,
    status: 'creating',
    nodes: newNodes(0, zones, createdAt),
    nodesBefore: null,
    availabilityZoneMode: new Set(zones).size > 1 ? 'cross-az' : 'single-az',
    snapshotWindow: wish.engine === 'memcached' ? null : window,
    configurationEndpoint: null,
  }
}

/** Nodes with the numbers after `taken`, one for each zone. */
export function newNodes(taken: number, zones: readonly string[], createdAt: string): CacheNodeRecord[] {
  return zones.map((zone, at) => newCacheNode(String(taken + at + 1).padStart(4, '0'), createdAt, zone))
}

/** @throws NodeQuotaForCustomerExceeded when `more` nodes would exceed what an account may have in a region. */
export async function checkNodeQuota(reader: Reader, more: number): Promise<void> {
  const clusters = await reader.list('cache-cluster')
  const nodes = clusters.reduce((sum, cluster) => sum + cluster.doc.nodes.length, 0)
  if (nodes + more <= REGION_NODES_MAX) return
  throw elasticacheFault(
    'NodeQuotaForCustomerExceeded',
    `There are ${nodes} cache nodes; ${more} more would exceed the quota of ${REGION_NODES_MAX} in a region.`,
  )
}

/**
 * A name that neither a cluster nor a replication group has: both are groups of engine processes on the host, and the
 * keeper knows them by one name.
 * @throws CacheClusterAlreadyExists or ReplicationGroupAlreadyExists
 */
export async function checkNameFree(reader: Reader, id: string, kind: 'cluster' | 'group'): Promise<void> {
  const taken =
    (await reader.get('cache-cluster', id)) !== undefined
      ? 'a cache cluster'
      : (await reader.get('replication-group', id)) !== undefined
        ? 'a replication group'
        : null
  if (taken === null) return
  throw elasticacheFault(
    kind === 'cluster' ? 'CacheClusterAlreadyExists' : 'ReplicationGroupAlreadyExists',
    `The id ${id} is taken by ${taken} already; choose another.`,
  )
}
