//! Who may become primary of a replication group and how: automatic failover, Multi-AZ, the primary that is chosen by hand
//! (spec/elasticache.md 2.3, 2.4, 7.1). Zones are labels here: all nodes run on one host, so that Multi-AZ promises the
//! placement and its rules, not that the loss of the host is survived (docs/changes.md).
import { normalName, shown } from '../../domain/cache-names.ts'
import type { CacheClusterRecord, ReplicationGroupRecord, RoleChange } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'

interface FailoverInput {
  readonly AutomaticFailoverEnabled?: boolean | undefined
  readonly MultiAZEnabled?: boolean | undefined
}

/** @throws InvalidParameterCombination for automatic failover without a replica, Multi-AZ without either or in one zone */
export function checkFailover(automaticFailover: boolean, multiAz: boolean, zones: readonly string[]): void {
  if (automaticFailover && zones.length < 2) {
    throw invalidCombination('Replication groups with automatic failover must have at least 2 cache clusters.')
  }
  if (!multiAz) return
  if (!automaticFailover) throw invalidCombination('MultiAZEnabled needs AutomaticFailoverEnabled=true.')
  if (new Set(zones).size < 2) {
    throw invalidCombination(`MultiAZEnabled needs a replica in another zone; all members are in ${zones[0]}.`)
  }
}

/** What the request makes of automatic failover and Multi-AZ. The keeper takes it up; until then it is changing. */
export function withFailover(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  input: FailoverInput,
): Partial<ReplicationGroupRecord> {
  const automaticFailover = input.AutomaticFailoverEnabled ?? group.automaticFailover
  const multiAz = input.MultiAZEnabled ?? group.multiAz ?? false
  checkFailover(automaticFailover, multiAz, members.map(zoneOf))
  const changes = automaticFailover !== group.automaticFailover
  return {
    automaticFailover,
    multiAz,
    ...(changes ? { automaticFailoverChanging: true, status: 'modifying' as const } : {}),
  }
}

export const zoneOf = (member: CacheClusterRecord): string => member.nodes[0]?.availabilityZone ?? ''

/**
 * The group whose primary the request names. Now with ApplyImmediately, else in the maintenance window; the member that
 * is primary takes back one that waits.
 * @throws InvalidParameterCombination while automatic failover or Multi-AZ is on; InvalidParameterValue for no member
 */
export function withPrimary(
  group: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  input: { readonly PrimaryClusterId?: string | undefined; readonly ApplyImmediately?: boolean | undefined },
): ReplicationGroupRecord {
  const now = input.ApplyImmediately === true
  if (!input.PrimaryClusterId) return now && group.pendingPrimary ? promoting(group, group.pendingPrimary) : group
  const id = normalName(input.PrimaryClusterId)
  const member = members.find((one) => one.id === id)
  if (member === undefined) {
    throw invalidValue(`${shown(input.PrimaryClusterId)} is not a member of replication group ${group.id}.`)
  }
  if (group.automaticFailover || group.multiAz) {
    throw invalidCombination(
      `The primary of ${group.id} is chosen by automatic failover; disable that (and Multi-AZ) before you name one.`,
    )
  }
  if (member.nodes[0]?.role === 'primary') return withoutPending(group)
  return now ? promoting(group, id) : { ...group, pendingPrimary: id }
}

const withoutPending = ({ pendingPrimary: _, ...group }: ReplicationGroupRecord): ReplicationGroupRecord => group

/** The group while `to` is made its primary. */
export function promoting(group: ReplicationGroupRecord, to: string): ReplicationGroupRecord {
  return { ...withoutPending(group), status: 'modifying', roleChange: nextRoleChange(group, 'promote', to) }
}

export const nextRoleChange = (
  group: ReplicationGroupRecord,
  kind: RoleChange['kind'],
  to: string | null,
): RoleChange => ({ number: (group.roleChange?.number ?? 0) + 1, kind, to })
