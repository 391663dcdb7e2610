//! Users and user groups as the SDK's output types (spec/elasticache.md 6.2, 6.4).
import type {
  ReplicationGroup,
  ReplicationGroupPendingModifiedValues,
  User,
  UserGroup,
} from '@aws-sdk/client-elasticache'
import type { GroupAccess, UserGroupRecord, UserRecord } from '../../domain/access.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { groupsWith, membersOfUserGroup, minimumVersionOf, replicationGroupsWith } from './access-lookup.ts'

export async function userView(reader: Reader, user: UserRecord): Promise<User> {
  const groups = await groupsWith(reader, user.id)
  return {
    UserId: user.id,
    UserName: user.name,
    Status: user.status,
    Engine: user.engine,
    MinimumEngineVersion: user.minimumVersion,
    AccessString: user.access,
    UserGroupIds: groups.map(({ id }) => id),
    Authentication: {
      Type: user.authentication,
      ...(user.authentication === 'password' ? { PasswordCount: user.passwords.length } : {}),
    },
    ARN: user.arn,
  }
}

export async function userGroupView(
  reader: Reader,
  group: UserGroupRecord,
  owner: Pick<ServiceContext, 'region' | 'accountId'>,
): Promise<UserGroup> {
  const { pending } = group
  const users = await membersOfUserGroup(reader, group, owner)
  const replicationGroups = await replicationGroupsWith(reader, group.id)
  return {
    UserGroupId: group.id,
    Status: group.status,
    Engine: group.engine,
    UserIds: [...group.userIds],
    MinimumEngineVersion: minimumVersionOf(users),
    ...(pending === null
      ? {}
      : {
          PendingChanges: {
            ...(pending.add.length > 0 ? { UserIdsToAdd: [...pending.add] } : {}),
            ...(pending.remove.length > 0 ? { UserIdsToRemove: [...pending.remove] } : {}),
          },
        }),
    ReplicationGroups: replicationGroups.map(({ id }) => id),
    ServerlessCaches: [],
    ARN: group.arn,
  }
}

/** A token counts from its first rotation in, although clients may come without it until SET (unconfirmed). */
export function accessView({
  authToken,
  userGroupIds,
}: GroupAccess): Pick<ReplicationGroup, 'AuthTokenEnabled' | 'AuthTokenLastModifiedDate' | 'UserGroupIds'> {
  return {
    AuthTokenEnabled: Boolean(authToken),
    ...(authToken ? { AuthTokenLastModifiedDate: new Date(authToken.modifiedAt) } : {}),
    ...(userGroupIds?.length ? { UserGroupIds: [...userGroupIds] } : {}),
  }
}

/** What of access is on its way to the nodes. */
export function pendingAccess({
  authToken,
  pendingUserGroups: groups,
}: GroupAccess): Pick<ReplicationGroupPendingModifiedValues, 'AuthTokenStatus' | 'UserGroups'> {
  return {
    ...(authToken?.pending ? { AuthTokenStatus: authToken.pending } : {}),
    ...(groups
      ? {
          UserGroups: {
            ...(groups.add.length > 0 ? { UserGroupIdsToAdd: [...groups.add] } : {}),
            ...(groups.remove.length > 0 ? { UserGroupIdsToRemove: [...groups.remove] } : {}),
          },
        }
      : {}),
  }
}
