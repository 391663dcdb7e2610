//! Finds users and user groups, and what belongs together of them.
import {
  DEFAULT_USER,
  higherVersion,
  predefinedUser,
  type UserGroupRecord,
  type UserRecord,
  wishedUserGroups,
  withPending,
} from '../../domain/access.ts'
import { elasticacheArn } from '../../domain/arn.ts'
import { normalName, required, shown } from '../../domain/cache-names.ts'
import type { ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination } from '../../domain/elasticache-faults.ts'
import type { Reader, Stored } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'

type Owner = Pick<ServiceContext, 'region' | 'accountId'>

/** The user that exists without being created. */
export const defaultUser = (owner: Owner): UserRecord =>
  predefinedUser(elasticacheArn(owner.region, owner.accountId, 'user', DEFAULT_USER))

/** @throws UserNotFound, MissingParameter */
export async function findUser(reader: Reader, given: string | undefined, owner: Owner): Promise<UserRecord> {
  const id = normalName(required('UserId', given))
  if (id === DEFAULT_USER) return defaultUser(owner)
  const found = await reader.get('cache-user', id)
  if (found !== undefined) return found.doc
  throw elasticacheFault('UserNotFound', `User ${shown(given)} not found.`)
}

/** @throws UserGroupNotFound, MissingParameter */
export async function findUserGroup(reader: Reader, given: string | undefined): Promise<Stored<UserGroupRecord>> {
  const found = await reader.get('cache-user-group', normalName(required('UserGroupId', given)))
  if (found !== undefined) return found
  throw elasticacheFault('UserGroupNotFound', `UserGroup ${shown(given)} not found.`)
}

/** What the group is to be made of. */
export const memberIds = (group: UserGroupRecord): readonly string[] => withPending(group.userIds, group.pending)

/** User groups that have the user, or are to have it. */
export async function groupsWith(reader: Reader, userId: string): Promise<UserGroupRecord[]> {
  const groups = (await reader.list('cache-user-group')).map(({ doc }) => doc)
  return groups.filter((group) => group.userIds.includes(userId) || memberIds(group).includes(userId))
}

/** Replication groups that have the user group, or are to have it, or are on the way to be without it. */
export async function replicationGroupsWith(reader: Reader, userGroupId: string): Promise<ReplicationGroupRecord[]> {
  const groups = (await reader.list('replication-group')).map(({ doc }) => doc)
  return groups.filter((group) => [...(group.userGroupIds ?? []), ...wishedUserGroups(group)].includes(userGroupId))
}

export async function membersOfUserGroup(reader: Reader, group: UserGroupRecord, owner: Owner): Promise<UserRecord[]> {
  return Promise.all(memberIds(group).map((id) => findUser(reader, id, owner)))
}

/** Lowest engine version that knows all users of a group. */
export const minimumVersionOf = (users: readonly UserRecord[]): string =>
  users.map((user) => user.minimumVersion).reduce(higherVersion, '6.0')

/** @throws InvalidParameterCombination when an engine of that version does not know what a user needs. */
export function checkEngineKnows(
  users: readonly UserRecord[],
  replicationGroupId: string,
  engine: string,
  version: string,
): void {
  const beyond = users.find(
    (user) => higherVersion(user.minimumVersion, version) !== version && user.minimumVersion !== version,
  )
  if (beyond === undefined) return
  throw invalidCombination(
    `User ${beyond.id} needs an engine of version ${beyond.minimumVersion} or later; ${replicationGroupId} has ${engine} ${version}.`,
  )
}
