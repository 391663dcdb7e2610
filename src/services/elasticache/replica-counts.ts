//! IncreaseReplicaCount and DecreaseReplicaCount (spec/elasticache.md 7.3), by a number or by the ReplicaConfiguration of
//! the one node group.
import type {
  ConfigureShard,
  DecreaseReplicaCountMessage,
  DecreaseReplicaCountResult,
  IncreaseReplicaCountMessage,
  IncreaseReplicaCountResult,
} from '@aws-sdk/client-elasticache'
import { normalName, required, shown } from '../../domain/cache-names.ts'
import { type CacheClusterRecord, memberId, type ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { recordEvents } from './event-log.ts'
import { onlyFields } from './fields.ts'
import { zoneOf } from './group-roles.ts'
import { replicaCount } from './group-zones.ts'
import { findReplicationGroup } from './lookup.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { checkNameFree } from './new-cluster.ts'
import { addMember, membersOf, removeReplica } from './replicas.ts'
import { nodeGroup } from './test-failover.ts'
import { replicationGroupView } from './views.ts'
import { zone } from './zones.ts'

const HANDLED = ['ReplicationGroupId', 'NewReplicaCount', 'ApplyImmediately', 'ReplicaConfiguration']

/** What a request wishes: the number of replicas, and the zones of all members where it names them. */
interface Wished {
  readonly count: number
  readonly zones: readonly string[] | null
}

function wishedOf(
  operation: string,
  group: ReplicationGroupRecord,
  input: IncreaseReplicaCountMessage | DecreaseReplicaCountMessage,
  region: string,
): Wished {
  const [shard, ...more] = input.ReplicaConfiguration ?? []
  if (shard === undefined) return { count: countOf(input.NewReplicaCount), zones: null }
  if (input.NewReplicaCount !== undefined) {
    throw invalidCombination('Give NewReplicaCount or ReplicaConfiguration, not both.')
  }
  if (more.length > 0) throw invalidCombination(`ReplicaConfiguration names the one node group of ${group.id} once.`)
  return ofShard(operation, group, shard, region)
}

function ofShard(operation: string, group: ReplicationGroupRecord, shard: ConfigureShard, region: string): Wished {
  const known = ['NodeGroupId', 'NewReplicaCount', 'PreferredAvailabilityZones']
  onlyFields(`${operation} (ReplicaConfiguration)`, shard, known)
  nodeGroup(group, shard.NodeGroupId)
  const count = countOf(shard.NewReplicaCount)
  const zones = shard.PreferredAvailabilityZones ?? []
  if (zones.length === 0) return { count, zones: null }
  if (zones.length === count + 1) return { count, zones: zones.map((name) => zone(region, name)) }
  throw invalidCombination(
    `PreferredAvailabilityZones names ${zones.length} zones for a primary and ${count} replicas: give ${count + 1}.`,
  )
}

const countOf = (given: number | undefined): number =>
  replicaCount('NewReplicaCount', required('NewReplicaCount', given))

function mustApplyNow(operation: string, input: { readonly ApplyImmediately: boolean | undefined }): void {
  if (input.ApplyImmediately !== true) throw invalidValue(`ApplyImmediately must be true for ${operation}.`)
}

const noOperation = (group: ReplicationGroupRecord, count: number) =>
  elasticacheFault('NoOperationFault', `Replication group ${group.id} has ${count} replicas already.`)

/** Those of `wished` that are left when each of `present` has taken one; null when one of `present` is not among them. */
function leftOver(wished: readonly string[], present: readonly string[]): string[] | null {
  const left = [...wished]
  for (const name of present) {
    const at = left.indexOf(name)
    if (at < 0) return null
    left.splice(at, 1)
  }
  return left
}

export const increaseReplicaCount: Operation<IncreaseReplicaCountMessage, IncreaseReplicaCountResult> = (
  input,
  context,
) => {
  onlyFields('IncreaseReplicaCount', input, HANDLED)
  mustApplyNow('IncreaseReplicaCount', input)
  return context.state.transact(async (tx) => {
    const { doc: before } = await findReplicationGroup(tx, input.ReplicationGroupId)
    const { count: wanted, zones } = wishedOf('IncreaseReplicaCount', before, input, context.region)
    mustBeAvailable(before)
    const present = before.members.length - 1
    if (wanted === present) throw noOperation(before, present)
    if (wanted < present) {
      throw invalidValue(`${before.id} has ${present} replicas; DecreaseReplicaCount takes replicas away.`)
    }
    const free = zones === null ? [] : leftOver(zones, (await membersOf(tx, before)).map(zoneOf))
    if (free === null) {
      throw invalidCombination('PreferredAvailabilityZones must keep the zones of the members that there are.')
    }
    let group = before
    for (let number = 1; group.members.length <= wanted; number++) {
      const id = memberId(group.id, number)
      if (group.members.includes(id)) continue
      await checkNameFree(tx, id, 'cluster')
      const replica = { id, zone: free.shift() ?? null, autoMinorVersionUpgrade: null, tags: {} }
      await addMember(tx, group, context, replica)
      group = (await findReplicationGroup(tx, group.id)).doc
    }
    group = await noteCount(tx, group, before.members.length, 'Increasing number of requested nodes', context)
    return { ReplicationGroup: replicationGroupView(group, await membersOf(tx, group)) }
  })
}

/** AWS publishes the names of these events, not their texts (spec 7.3): the reconciler tells of their end. */
async function noteCount(
  tx: Transaction,
  group: ReplicationGroupRecord,
  membersBefore: number,
  message: string,
  context: ServiceContext,
): Promise<ReplicationGroupRecord> {
  const noted = { ...group, membersBefore }
  await tx.put('replication-group', group.id, noted)
  await recordEvents(tx, context.clock.now(), [{ source: 'replication-group', sourceId: group.id, message }])
  return noted
}

export const decreaseReplicaCount: Operation<DecreaseReplicaCountMessage, DecreaseReplicaCountResult> = (
  input,
  context,
) => {
  onlyFields('DecreaseReplicaCount', input, [...HANDLED, 'ReplicasToRemove'])
  mustApplyNow('DecreaseReplicaCount', input)
  return context.state.transact(async (tx) => {
    const { doc: before } = await findReplicationGroup(tx, input.ReplicationGroupId)
    const named = input.ReplicasToRemove ?? []
    const wished = named.length > 0 ? null : wishedOf('DecreaseReplicaCount', before, input, context.region)
    mustBeAvailable(before)
    const members = await membersOf(tx, before)
    const leaving = wished === null ? namedReplicas(before, members, input) : chosenReplicas(before, members, wished)
    checkFloor(before, members, leaving)
    for (const record of leaving) await removeReplica(tx, before, record)
    const { doc: marked } = await findReplicationGroup(tx, before.id)
    const after = await noteCount(tx, marked, members.length, 'Decreasing number of requested nodes', context)
    return { ReplicationGroup: replicationGroupView(after, await membersOf(tx, after)) }
  })
}

const isPrimary = (member: CacheClusterRecord): boolean => member.nodes[0]?.role === 'primary'

function namedReplicas(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  input: DecreaseReplicaCountMessage,
): CacheClusterRecord[] {
  if (input.NewReplicaCount !== undefined || input.ReplicaConfiguration?.length) {
    throw invalidCombination('Give ReplicasToRemove, NewReplicaCount or ReplicaConfiguration: one of them.')
  }
  const ids = [...new Set((input.ReplicasToRemove ?? []).map(normalName))]
  return ids.map((id) => {
    const record = members.find((member) => member.id === id)
    if (record === undefined) throw invalidValue(`${shown(id)} is not a member of replication group ${group.id}.`)
    if (isPrimary(record)) throw invalidValue(`${id} is the primary and cannot be removed.`)
    return record
  })
}

/** The replicas with the highest numbers that may go: Multi-AZ keeps one in another zone, zones that are named stay. */
function chosenReplicas(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  { count: wanted, zones }: Wished,
): CacheClusterRecord[] {
  const present = members.length - 1
  if (wanted === present) throw noOperation(group, present)
  if (wanted > present) {
    throw invalidValue(`${group.id} has ${present} replicas; IncreaseReplicaCount adds replicas.`)
  }
  const going = zones === null ? null : leftOver(members.map(zoneOf), zones)
  if (zones !== null && going === null) {
    throw invalidCombination('PreferredAvailabilityZones names zones that no member is in.')
  }
  const leaving: CacheClusterRecord[] = []
  const staying = (): CacheClusterRecord[] => members.filter((member) => !leaving.includes(member))
  for (const replica of members.filter((member) => !isPrimary(member)).reverse()) {
    if (staying().length === wanted + 1) break
    if (going !== null && !takeOut(going, zoneOf(replica))) continue
    const left = staying().filter((member) => member !== replica)
    const keepsZones = !group.multiAz || new Set(left.map(zoneOf)).size > 1 || wanted === 0
    if (keepsZones || going !== null) leaving.push(replica)
  }
  if (staying().length === wanted + 1) return leaving
  throw invalidCombination('PreferredAvailabilityZones leaves no zone to the primary, which stays.')
}

function takeOut(names: string[], name: string): boolean {
  const at = names.indexOf(name)
  if (at >= 0) names.splice(at, 1)
  return at >= 0
}

/** @throws InvalidParameterCombination when automatic failover or Multi-AZ would lose the replica that it needs */
function checkFloor(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  leaving: readonly CacheClusterRecord[],
): void {
  const staying = members.filter((member) => !leaving.includes(member))
  if (group.automaticFailover && staying.length < 2) {
    throw invalidCombination(`${group.id} has automatic failover, which needs at least 1 replica.`)
  }
  if (group.multiAz && new Set(staying.map(zoneOf)).size < 2) {
    throw invalidCombination(`${group.id} has Multi-AZ, which needs a replica in another zone than the primary.`)
  }
}
