//! PURE: service updates of this installation: a newer engine binary was installed on the host than the one that running
//! nodes report. Applying one restarts them as that binary, redis and valkey with their data (spec/elasticache.md 11.5).
import { isOlder } from '../lib/versions.ts'
import type { CacheClusterRecord, ServiceUpdateRecord } from './cluster.ts'
import { type Binary, serves } from './engine-versions.ts'

/** Nothing tells how urgent a binary is: it is `important`, which AWS gives 30 days. */
export const SEVERITY = 'important'
const APPLY_BY_MS = 30 * 24 * 60 * 60 * 1000

export const applyBy = (update: ServiceUpdateRecord): number => Date.parse(update.releasedAt) + APPLY_BY_MS

export const updateName = (engine: string, version: string): string => `${engine}-${version.replaceAll('.', '-')}`

/** The newest installed binary of an engine that serves what the cluster is, when a node of it runs an older one. */
export function newerBinary(cluster: CacheClusterRecord, binaries: readonly Binary[]): Binary | null {
  const serving = binaries.filter((binary) => serves(binary, cluster.engine, cluster.engineVersion))
  const [first, ...rest] = serving
  if (first === undefined) return null
  const newest = rest.reduce((best, one) => (isOlder(best.version, one.version) ? one : best), first)
  return nodesBehind(cluster, newest.version).length > 0 ? newest : null
}

/** Ids of the nodes that run an older binary. */
export const nodesBehind = (cluster: CacheClusterRecord, version: string): string[] =>
  cluster.nodes.flatMap((node) => {
    const runs = node.binaryVersion ?? cluster.binaryVersion
    return runs !== null && runs !== undefined && isOlder(runs, version) ? [node.id] : []
  })

/** Whether the update is for what the cluster is. */
export const concerns = (update: ServiceUpdateRecord, cluster: CacheClusterRecord): boolean =>
  serves({ engine: update.engine, version: update.version }, cluster.engine, cluster.engineVersion) &&
  (nodesBehind(cluster, update.version).length > 0 || cluster.serviceUpdate?.name === update.name)

/** The record while the update is carried out; one that runs it already stays as it is. */
export function updating(cluster: CacheClusterRecord, update: ServiceUpdateRecord, now: number): CacheClusterRecord {
  const { name, version } = update
  const since = new Date(now).toISOString()
  return { ...cluster, status: 'modifying', serviceUpdate: { name, version, since, stopped: false } }
}

/**
 * Whether the maintenance window applies updates by itself. Not to memcached, which would lose its items: as on AWS, the
 * setting has an effect for redis and valkey only (spec 2.2). Members of a group are alike.
 */
export const isAutomatic = ([model]: readonly CacheClusterRecord[]): boolean =>
  model?.autoMinorVersionUpgrade === true && model.engine !== 'memcached'

/**
 * `scheduled`: the next maintenance window applies it by itself. `waiting-to-start` is said by BatchApplyUpdateAction
 * alone, in whose transaction nothing can have begun; the keeper begins at once.
 */
export type ActionStatus =
  | 'not-applied'
  | 'scheduled'
  | 'waiting-to-start'
  | 'in-progress'
  | 'stopping'
  | 'stopped'
  | 'complete'

/** Of one cluster, or of all members of a group together. */
export function actionStatus(update: ServiceUpdateRecord, clusters: readonly CacheClusterRecord[]): ActionStatus {
  if (clusters.every((cluster) => nodesBehind(cluster, update.version).length === 0)) return 'complete'
  const asked = clusters.flatMap(({ serviceUpdate }) => (serviceUpdate?.name === update.name ? [serviceUpdate] : []))
  if (asked.length === 0) return isAutomatic(clusters) ? 'scheduled' : 'not-applied'
  const stopped = asked.some((one) => one.stopped)
  const busy = clusters.some((cluster) => cluster.status !== 'available')
  if (stopped) return busy ? 'stopping' : 'stopped'
  return 'in-progress'
}
