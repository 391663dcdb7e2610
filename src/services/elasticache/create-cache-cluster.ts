//! CreateCacheCluster: a cluster that stands alone, or one more replica of a replication group (spec/elasticache.md 2.2).
import type { CreateCacheClusterMessage, CreateCacheClusterResult } from '@aws-sdk/client-elasticache'
import { newName, required } from '../../domain/cache-names.ts'
import { type CacheClusterRecord, type CacheEngine, MEMCACHED_NODES_MAX } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { cacheEngine, chooseVersion } from '../../domain/engine-versions.ts'
import { nodeType } from '../../domain/node-types.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkRoom, checkStarts } from './capacity.ts'
import { onlyFields } from './fields.ts'
import { findSubnetGroup, parameterGroupFor } from './lookup.ts'
import { checkNameFree, newCluster, portOf, windowsOf } from './new-cluster.ts'
import { OBSERVATION_CREATED, observationAfter } from './observation-settings.ts'
import { addReplica } from './replicas.ts'
import {
  beginRestore,
  checkRestoreFile,
  keptParameterGroup,
  restoreDefaults,
  restoredVersion,
  restoreSource,
} from './restore.ts'
import { checkSubnets, securityGroupsOf } from './security-groups.ts'
import { withRetention } from './snapshot-settings.ts'
import { appendOnlyOf } from './storage.ts'
import { putTags, tagsOf } from './tags.ts'
import { certificateTag, importedCertificate, newClusterTransit } from './transit.ts'
import { cacheClusterView } from './views.ts'
import { spreadZone, zone } from './zones.ts'

const HANDLED = [
  ...OBSERVATION_CREATED,
  'CacheClusterId',
  'ReplicationGroupId',
  'AZMode',
  'PreferredAvailabilityZone',
  'PreferredAvailabilityZones',
  'NumCacheNodes',
  'CacheNodeType',
  'Engine',
  'EngineVersion',
  'CacheParameterGroupName',
  'CacheSubnetGroupName',
  'Tags',
  'PreferredMaintenanceWindow',
  'Port',
  'AutoMinorVersionUpgrade',
  'SnapshotWindow',
  'SecurityGroupIds',
  'SnapshotRetentionLimit',
  'SnapshotName',
  'SnapshotArns',
  'TransitEncryptionEnabled',
]

/** With a ReplicationGroupId the rest follows the group; AutoMinorVersionUpgrade is what Terraform always sends. */
const JOINING = ['CacheClusterId', 'ReplicationGroupId', 'PreferredAvailabilityZone', 'Tags', 'AutoMinorVersionUpgrade']

export const createCacheCluster: Operation<CreateCacheClusterMessage, CreateCacheClusterResult> = async (
  input,
  context,
) => {
  onlyFields('CreateCacheCluster', input, HANDLED)
  const id = newName('cluster', input.CacheClusterId)
  await checkRestoreFile(input, context)
  return context.state.transact(async (tx) => {
    await checkNameFree(tx, id, 'cluster')
    const record = input.ReplicationGroupId
      ? await join(tx, id, input, context)
      : await standAlone(tx, id, input, context)
    return { CacheCluster: cacheClusterView(record, false) }
  })
}

async function join(
  tx: Transaction,
  id: string,
  input: CreateCacheClusterMessage,
  context: ServiceContext,
): Promise<CacheClusterRecord> {
  const extra = Object.entries(input).find(([field, value]) => value !== undefined && !JOINING.includes(field))
  if (extra !== undefined) {
    throw invalidCombination(`${extra[0]} cannot be given with ReplicationGroupId: a replica follows its group.`)
  }
  return addReplica(tx, input.ReplicationGroupId, context, {
    id,
    zone: input.PreferredAvailabilityZone ? zone(context.region, input.PreferredAvailabilityZone) : null,
    autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? null,
    tags: tagsOf(input.Tags),
  })
}

async function standAlone(
  tx: Transaction,
  id: string,
  input: CreateCacheClusterMessage,
  context: ServiceContext,
): Promise<CacheClusterRecord> {
  const source = await restoreSource(tx, input)
  const kept = restoreDefaults(source)
  const engine = cacheEngine(required('Engine', input.Engine ?? kept.engine))
  const version = chooseVersion(engine, input.EngineVersion ?? restoredVersion(source, engine), context.host.binaries())
  const zones = zonesOf(engine, input, context.region)
  if (engine === 'memcached' && input.SnapshotWindow) {
    throw invalidCombination('Memcached clusters have no snapshots, so no SnapshotWindow.')
  }
  const tags = tagsOf(input.Tags, {}, true)
  const appendonly = appendOnlyOf(tags, engine)
  const groupName = input.CacheParameterGroupName ?? (await keptParameterGroup(tx, kept, version.family, context))
  const parameterGroup = await parameterGroupFor(tx, groupName, version.family, context)
  const subnetGroup = await findSubnetGroup(tx, input.CacheSubnetGroupName ?? 'default', context)
  checkSubnets(subnetGroup, context)
  const transit = newClusterTransit(input, engine, version.version)
  const encrypted = input.TransitEncryptionEnabled === true
  const imported = await importedCertificate(certificateTag(input.Tags), encrypted, context)
  const made = newCluster(
    {
      id,
      engine,
      engineVersion: version.version,
      nodeType: nodeType(required('CacheNodeType', input.CacheNodeType ?? kept.nodeType)).name,
      port: portOf(engine, input.Port ?? kept.port),
      replicationGroupId: null,
      parameterGroupName: parameterGroup.name,
      subnetGroupName: subnetGroup.name,
      autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? true,
      ...(appendonly === null ? {} : { appendonly }),
      ...windowsOf(id, input),
      zones,
      ...securityGroupsOf(input.SecurityGroupIds, context),
    },
    context,
  )
  await checkRoom(tx, context, made, zones.length)
  checkStarts(made, parameterGroup.values)
  const record: CacheClusterRecord = {
    ...withRetention(made, engine, input.SnapshotRetentionLimit, context.clock.now()),
    ...observationAfter(input, engine, {}, context),
    ...(await beginRestore(tx, source, { id, engine, version: version.version }, context)),
    ...transit,
    ...imported,
  }
  await tx.put('cache-cluster', id, record)
  await putTags(tx, record.arn, tags)
  return record
}

/** One zone for each node: its number is NumCacheNodes, checked. */
function zonesOf(engine: CacheEngine, input: CreateCacheClusterMessage, region: string): string[] {
  const count = nodeCount(engine, input.NumCacheNodes)
  const { AZMode: mode, PreferredAvailabilityZone: one, PreferredAvailabilityZones: each } = input
  if (mode !== undefined && mode !== 'single-az' && mode !== 'cross-az') {
    throw invalidValue('AZMode is single-az or cross-az.')
  }
  if (mode === 'cross-az' && (engine !== 'memcached' || count < 2)) {
    throw invalidCombination('AZMode cross-az is for memcached with at least 2 cache nodes.')
  }
  if (each !== undefined && each.length > 0) {
    if (one) throw invalidCombination('Give PreferredAvailabilityZone or PreferredAvailabilityZones, not both.')
    if (each.length !== count) {
      throw invalidCombination(`PreferredAvailabilityZones names ${each.length} zones for ${count} cache nodes.`)
    }
    const zones = each.map((name) => zone(region, name))
    if (mode !== 'cross-az' && new Set(zones).size > 1) {
      throw invalidCombination('Several zones in PreferredAvailabilityZones need AZMode cross-az.')
    }
    return zones
  }
  if (mode === 'cross-az') {
    if (one) throw invalidCombination('AZMode cross-az cannot be given with one PreferredAvailabilityZone.')
    return Array.from({ length: count }, (_, at) => spreadZone(region, at))
  }
  return Array.from({ length: count }, () => (one ? zone(region, one) : spreadZone(region, 0)))
}

function nodeCount(engine: CacheEngine, given: number | undefined): number {
  if (engine !== 'memcached') {
    if (given === undefined || given === 1) return 1
    throw invalidValue(`NumCacheNodes is 1 for ${engine}; replicas are made by CreateReplicationGroup.`)
  }
  const count = required('NumCacheNodes', given)
  if (!Number.isInteger(count) || count < 1) throw invalidValue(`NumCacheNodes is at least 1, not ${count}.`)
  if (count > MEMCACHED_NODES_MAX) {
    throw elasticacheFault(
      'NodeQuotaForClusterExceeded',
      `A memcached cluster has at most ${MEMCACHED_NODES_MAX} cache nodes, not ${count}.`,
    )
  }
  return count
}
