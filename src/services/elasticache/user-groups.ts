//! User groups (spec/elasticache.md 6.4): sets of users that replication groups are given as a whole.
import type {
  CreateUserGroupMessage,
  DeleteUserGroupMessage,
  DescribeUserGroupsMessage,
  DescribeUserGroupsResult,
  ModifyUserGroupMessage,
  UserGroup,
} from '@aws-sdk/client-elasticache'
import {
  DEFAULT_USER,
  USER_GROUPS_MAX,
  USERS_OF_GROUP_MAX,
  type UserEngine,
  type UserGroupRecord,
  type UserRecord,
} from '../../domain/access.ts'
import { elasticacheArn } from '../../domain/arn.ts'
import { newName, normalName } from '../../domain/cache-names.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { Operation } from '../service.ts'
import { checkEngineKnows, findUser, findUserGroup, memberIds, replicationGroupsWith } from './access-lookup.ts'
import { userGroupView } from './access-views.ts'
import { onlyFields } from './fields.ts'
import { findCluster } from './lookup.ts'
import { page } from './paging.ts'
import { putTags, tagsOf } from './tags.ts'
import { userEngine } from './user-fields.ts'

const idsOf = (given: readonly string[] | undefined): string[] => [...new Set((given ?? []).map(normalName))]

/**
 * What all users of a group are together.
 * @throws DuplicateUserName, DefaultUserRequired, InvalidParameterCombination, InvalidUserState
 */
function checkMembers(engine: UserEngine, users: readonly UserRecord[]): void {
  if (users.length > USERS_OF_GROUP_MAX) {
    // AWS has no code of its own for it.
    throw invalidValue(`A user group has at most ${USERS_OF_GROUP_MAX} users, not ${users.length}.`)
  }
  const leaving = users.find((user) => user.status === 'deleting')
  if (leaving !== undefined) throw elasticacheFault('InvalidUserState', `User ${leaving.id} is being deleted.`)
  const foreign = engine === 'redis' ? users.find((user) => user.engine === 'valkey') : undefined
  if (foreign !== undefined) {
    throw invalidCombination(
      `User ${foreign.id} is of the engine valkey; a user group of redis holds users of redis only.`,
    )
  }
  const names = new Map<string, string>()
  for (const { id, name } of users) {
    const other = names.get(name)
    if (other !== undefined) {
      throw elasticacheFault('DuplicateUserName', `The users ${other} and ${id} have the same UserName ${name}.`)
    }
    names.set(name, id)
  }
  if (engine === 'redis' && !names.has(DEFAULT_USER)) {
    throw elasticacheFault('DefaultUserRequired', 'A user group of redis needs a user of the UserName default.')
  }
}

export const createUserGroup: Operation<CreateUserGroupMessage, UserGroup> = (input, context) => {
  onlyFields('CreateUserGroup', input, ['UserGroupId', 'Engine', 'UserIds', 'Tags'])
  const id = newName('userGroup', input.UserGroupId)
  const engine = userEngine(input.Engine)
  const userIds = idsOf(input.UserIds)
  return context.state.transact(async (tx) => {
    if ((await tx.get('cache-user-group', id)) !== undefined) {
      throw elasticacheFault('UserGroupAlreadyExists', `UserGroup ${id} exists already.`)
    }
    if ((await tx.list('cache-user-group')).length >= USER_GROUPS_MAX) {
      throw elasticacheFault('UserGroupQuotaExceeded', `There are ${USER_GROUPS_MAX} user groups already.`)
    }
    checkMembers(engine, await Promise.all(userIds.map((user) => findUser(tx, user, context))))
    const record: UserGroupRecord = {
      id,
      arn: elasticacheArn(context.region, context.accountId, 'usergroup', id),
      createdAt: new Date(context.clock.now()).toISOString(),
      engine,
      userIds,
      pending: null,
      status: 'creating',
    }
    await tx.put('cache-user-group', id, record)
    await putTags(tx, record.arn, tagsOf(input.Tags))
    return userGroupView(tx, record, context)
  })
}

/** @throws InvalidUserGroupState */
export function mustBeActive(group: UserGroupRecord): void {
  if (group.status === 'active') return
  const message = `UserGroup ${group.id} is ${group.status}, not active; wait until it is.`
  throw elasticacheFault('InvalidUserGroupState', message)
}

export const modifyUserGroup: Operation<ModifyUserGroupMessage, UserGroup> = (input, context) => {
  onlyFields('ModifyUserGroup', input, ['UserGroupId', 'UserIdsToAdd', 'UserIdsToRemove', 'Engine'])
  const add = idsOf(input.UserIdsToAdd)
  const remove = idsOf(input.UserIdsToRemove)
  const both = add.find((id) => remove.includes(id))
  if (both !== undefined) throw invalidCombination(`User ${both} is in UserIdsToAdd and in UserIdsToRemove.`)
  return context.state.transact(async (tx) => {
    const { doc: before } = await findUserGroup(tx, input.UserGroupId)
    mustBeActive(before)
    const engine = input.Engine ? userEngine(input.Engine) : before.engine
    if (engine === 'redis' && before.engine === 'valkey') {
      throw invalidCombination('The Engine of a user group changes from redis to valkey only.')
    }
    if (add.length + remove.length === 0 && engine === before.engine) {
      throw invalidCombination('Give UserIdsToAdd or UserIdsToRemove: nothing would change.')
    }
    const present = add.find((id) => before.userIds.includes(id))
    if (present !== undefined) throw invalidValue(`User ${present} is in the user group ${before.id} already.`)
    for (const id of remove) {
      await findUser(tx, id, context)
      if (!before.userIds.includes(id)) throw invalidValue(`User ${id} is not in the user group ${before.id}.`)
    }
    const changes = add.length + remove.length > 0
    const after: UserGroupRecord = {
      ...before,
      engine,
      pending: changes ? { add, remove } : null,
      status: 'modifying',
    }
    const users = await Promise.all(memberIds(after).map((id) => findUser(tx, id, context)))
    checkMembers(engine, users)
    for (const group of await replicationGroupsWith(tx, after.id)) {
      if (group.engine === 'redis' && engine === 'valkey') {
        throw invalidCombination(`UserGroup ${after.id} is associated with ${group.id}, which runs redis.`)
      }
      const { doc } = await findCluster(tx, group.members[0])
      checkEngineKnows(users, group.id, group.engine, doc.engineVersion)
    }
    await tx.put('cache-user-group', after.id, after)
    return userGroupView(tx, after, context)
  })
}

export const deleteUserGroup: Operation<DeleteUserGroupMessage, UserGroup> = (input, context) => {
  onlyFields('DeleteUserGroup', input, ['UserGroupId'])
  return context.state.transact(async (tx) => {
    const { doc: before } = await findUserGroup(tx, input.UserGroupId)
    mustBeActive(before)
    const [user] = await replicationGroupsWith(tx, before.id)
    if (user !== undefined) {
      throw elasticacheFault(
        'InvalidUserGroupState',
        `UserGroup ${before.id} is associated with the replication group ${user.id}; take it away from that first.`,
      )
    }
    const after: UserGroupRecord = { ...before, status: 'deleting' }
    await tx.put('cache-user-group', after.id, after)
    return userGroupView(tx, after, context)
  })
}

export const describeUserGroups: Operation<DescribeUserGroupsMessage, DescribeUserGroupsResult> = async (
  input,
  context,
) => {
  onlyFields('DescribeUserGroups', input, ['UserGroupId', 'MaxRecords', 'Marker'])
  const { state } = context
  const found = input.UserGroupId
    ? [await findUserGroup(state, input.UserGroupId)]
    : await state.list('cache-user-group')
  const { items, Marker } = page(found, ({ id }) => id, input)
  return { UserGroups: await Promise.all(items.map(({ doc }) => userGroupView(state, doc, context))), Marker }
}
