//! CreateReplicationGroup: one primary and up to five replicas, without cluster mode (spec/elasticache.md 2.3).
import type { CreateReplicationGroupMessage, CreateReplicationGroupResult } from '@aws-sdk/client-elasticache'
import { elasticacheArn } from '../../domain/arn.ts'
import { newName, required } from '../../domain/cache-names.ts'
import { type CacheClusterRecord, memberId, type ReplicationGroupRecord } from '../../domain/cluster.ts'
import { invalidValue } from '../../domain/elasticache-faults.ts'
import { cacheEngine, chooseVersion } from '../../domain/engine-versions.ts'
import { nodeType } from '../../domain/node-types.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkRoom } from './capacity.ts'
import { onlyFields } from './fields.ts'
import { memberAuth, newAccess } from './group-access.ts'
import { fromCluster } from './group-from-cluster.ts'
import { checkFailover } from './group-roles.ts'
import { namedZones, placed } from './group-zones.ts'
import { findSubnetGroup, parameterGroupFor } from './lookup.ts'
import { checkNameFree, newCluster, portOf, windowsOf } from './new-cluster.ts'
import { OBSERVATION_CREATED, observationAfter } from './observation-settings.ts'
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
import { appendOnlyOf, kmsKeyArn, storageOf } from './storage.ts'
import { putTags, tagsOf } from './tags.ts'
import { certificateTag, importedCertificate, newGroupTransit } from './transit.ts'
import { replicationGroupView } from './views.ts'

const HANDLED = [
  ...OBSERVATION_CREATED,
  'ReplicationGroupId',
  'ReplicationGroupDescription',
  'PrimaryClusterId',
  'AutomaticFailoverEnabled',
  'MultiAZEnabled',
  'NodeGroupConfiguration',
  'NumCacheClusters',
  'PreferredCacheClusterAZs',
  'ReplicasPerNodeGroup',
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
  'AuthToken',
  'UserGroupIds',
  'SnapshotRetentionLimit',
  'SnapshotName',
  'SnapshotArns',
  'TransitEncryptionEnabled',
  'TransitEncryptionMode',
  'AtRestEncryptionEnabled',
  'KmsKeyId',
]

const DESCRIPTION_CHARACTERS_MAX = 255

/** @throws InvalidParameterValue, MissingParameter */
export function groupDescription(given: string | undefined): string {
  const description = required('ReplicationGroupDescription', given)
  if (description.length <= DESCRIPTION_CHARACTERS_MAX) return description
  throw invalidValue(`ReplicationGroupDescription has at most ${DESCRIPTION_CHARACTERS_MAX} characters.`)
}

export const createReplicationGroup: Operation<CreateReplicationGroupMessage, CreateReplicationGroupResult> = async (
  input,
  context,
) => {
  onlyFields('CreateReplicationGroup', input, HANDLED)
  const id = newName('replicationGroup', input.ReplicationGroupId)
  const description = groupDescription(input.ReplicationGroupDescription)
  if (input.PrimaryClusterId) return fromCluster(id, description, input, context)
  const named = namedZones(input)
  const [automaticFailover, multiAz] = [input.AutomaticFailoverEnabled ?? false, input.MultiAZEnabled ?? false]
  const windows = windowsOf(id, input)
  const memberIds = named.map((_, at) => memberId(id, at + 1))
  await checkRestoreFile(input, context)
  const encrypted = input.TransitEncryptionEnabled === true
  const imported = await importedCertificate(certificateTag(input.Tags), encrypted, context)
  const tags = tagsOf(input.Tags, {}, true)
  const keyArn = await kmsKeyArn(input.KmsKeyId, context)
  return context.state.transact(async (tx) => {
    await checkNameFree(tx, id, 'group')
    for (const member of memberIds) await checkNameFree(tx, member, 'group')
    const source = await restoreSource(tx, input)
    const kept = restoreDefaults(source)
    const engine = engineOf(input.Engine ?? kept.engine, context)
    const asked = input.EngineVersion ?? restoredVersion(source, engine)
    const version = chooseVersion(engine, asked, context.host.binaries())
    const groupName = input.CacheParameterGroupName ?? (await keptParameterGroup(tx, kept, version.family, context))
    const now = context.clock.now()
    const subnets = await findSubnetGroup(tx, input.CacheSubnetGroupName ?? 'default', context)
    checkSubnets(subnets, context)
    const zones = placed(context.region, subnets, named)
    checkFailover(automaticFailover, multiAz, zones)
    const storage = storageOf(input, keyArn, appendOnlyOf(tags, engine), engine)
    const shared = {
      ...securityGroupsOf(input.SecurityGroupIds, context),
      engine,
      engineVersion: version.version,
      nodeType: nodeType(required('CacheNodeType', input.CacheNodeType ?? kept.nodeType)).name,
      port: portOf(engine, input.Port ?? kept.port),
      replicationGroupId: id,
      parameterGroupName: (await parameterGroupFor(tx, groupName, version.family, context)).name,
      subnetGroupName: subnets.name,
      autoMinorVersionUpgrade: input.AutoMinorVersionUpgrade ?? true,
      ...(storage.atRestEncryption ? { atRestEncryption: true } : {}),
      ...windows,
    }
    const observation = observationAfter(input, engine, {}, context)
    const runs = { id, engine, version: version.version }
    const access = await newAccess(tx, input, runs, input.TransitEncryptionEnabled === true, context)
    const transit = newGroupTransit(input, version.version)
    const members: CacheClusterRecord[] = memberIds.map((member, at) => ({
      ...withRetention(
        { ...newCluster({ ...shared, id: member, zones: zones.slice(at, at + 1) }, context), ...transit },
        engine,
        input.SnapshotRetentionLimit,
        now,
      ),
      ...observation,
      ...memberAuth(access),
    }))
    const made: ReplicationGroupRecord = {
      id,
      arn: elasticacheArn(context.region, context.accountId, 'replicationgroup', id),
      createdAt: new Date(now).toISOString(),
      description,
      engine,
      nodeType: shared.nodeType,
      port: shared.port,
      status: 'creating',
      members: memberIds,
      firstPrimary: memberId(id, 1),
      automaticFailover,
      multiAz,
      snapshotWindow: windows.snapshotWindow,
      autoMinorVersionUpgrade: shared.autoMinorVersionUpgrade,
      primaryEndpoint: null,
      readerEndpoint: null,
      ...transit,
      ...imported,
      ...storage,
    }
    await checkRoom(tx, context, shared, zones.length)
    const group: ReplicationGroupRecord = {
      ...withRetention(made, engine, input.SnapshotRetentionLimit, now),
      ...observation,
      ...access,
      ...(await beginRestore(tx, source, runs, context)),
    }
    await tx.put('replication-group', id, group)
    await putTags(tx, group.arn, tags)
    for (const member of members) {
      await tx.put('cache-cluster', member.id, member)
      await putTags(tx, member.arn, tags)
    }
    return { ReplicationGroup: replicationGroupView(group, members) }
  })
}

/** Clients that name no engine mean redis; on a host with valkey only, that. */
function engineOf(given: string | undefined, context: ServiceContext): 'redis' | 'valkey' {
  const installed = new Set(context.host.binaries().map((binary) => binary.engine))
  const engine = cacheEngine(given ?? (installed.has('valkey') && !installed.has('redis') ? 'valkey' : 'redis'))
  if (engine !== 'memcached') return engine
  throw invalidValue('Engine is redis or valkey for a replication group; memcached has clusters only.')
}
