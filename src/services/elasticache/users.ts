//! Users (spec/elasticache.md 6.2): who may log in to the engines of replication groups that have them in their user
//! group. A change is written here and is `active` when every such engine has it.
import type {
  CreateUserMessage,
  DeleteUserMessage,
  DescribeUsersMessage,
  DescribeUsersResult,
  Filter,
  ModifyUserMessage,
  User,
} from '@aws-sdk/client-elasticache'
import { DEFAULT_USER, USERS_MAX, type UserRecord } from '../../domain/access.ts'
import { elasticacheArn } from '../../domain/arn.ts'
import { newName, required, shown } from '../../domain/cache-names.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import {
  checkEngineKnows,
  defaultUser,
  findUser,
  groupsWith,
  memberIds,
  replicationGroupsWith,
} from './access-lookup.ts'
import { userView } from './access-views.ts'
import { recordEvents } from './event-log.ts'
import { onlyFields } from './fields.ts'
import { findCluster } from './lookup.ts'
import { page } from './paging.ts'
import { credentialsOf } from './passwords.ts'
import { putTags, tagsOf } from './tags.ts'
import { accessOf, checkWay, minimumOf, userEngine, userName } from './user-fields.ts'

const CREATE_FIELDS = [
  'UserId',
  'UserName',
  'Engine',
  'Passwords',
  'AccessString',
  'NoPasswordRequired',
  'Tags',
  'AuthenticationMode',
]

export const createUser: Operation<CreateUserMessage, User> = (input, context) => {
  onlyFields('CreateUser', input, CREATE_FIELDS)
  const id = newName('user', input.UserId)
  const name = userName(input.UserName)
  const engine = userEngine(input.Engine)
  const { access, minimumVersion } = accessOf(required('AccessString', input.AccessString))
  const credentials = credentialsOf(input)
  if (credentials === null) {
    throw invalidCombination('Give Passwords, NoPasswordRequired or AuthenticationMode: how does the user log in?')
  }
  checkWay(engine, id, name, credentials)
  const now = context.clock.now()
  const record: UserRecord = {
    id,
    arn: elasticacheArn(context.region, context.accountId, 'user', id),
    createdAt: new Date(now).toISOString(),
    name,
    engine,
    access,
    ...credentials,
    // No engine has it yet: there is nothing to wait for.
    status: 'active',
    minimumVersion: minimumOf(engine, minimumVersion, credentials.authentication),
  }
  return context.state.transact(async (tx) => {
    if (id === DEFAULT_USER || (await tx.get('cache-user', id)) !== undefined) {
      throw elasticacheFault('UserAlreadyExists', `User ${id} exists already.`)
    }
    if ((await tx.list('cache-user')).length >= USERS_MAX) {
      throw elasticacheFault('UserQuotaExceeded', `There are ${USERS_MAX} users already.`)
    }
    await tx.put('cache-user', id, record)
    await putTags(tx, record.arn, tagsOf(input.Tags))
    await recordEvents(tx, now, [{ source: 'user', sourceId: id, message: 'User created' }])
    return userView(tx, record)
  })
}

/** @throws InvalidUserState, InvalidParameterValue for the predefined one. */
function mustBeChangeable(user: UserRecord): void {
  if (user.id === DEFAULT_USER) {
    throw invalidValue('The predefined user default cannot be modified or deleted; create another of the name default.')
  }
  if (user.status === 'active') return
  throw elasticacheFault('InvalidUserState', `User ${user.id} is ${user.status}, not active; wait until it is.`)
}

const MODIFY_FIELDS = [
  'UserId',
  'AccessString',
  'AppendAccessString',
  'Passwords',
  'NoPasswordRequired',
  'AuthenticationMode',
  'Engine',
]

export const modifyUser: Operation<ModifyUserMessage, User> = (input, context) => {
  onlyFields('ModifyUser', input, MODIFY_FIELDS)
  if (input.AccessString && input.AppendAccessString) {
    throw invalidCombination('Give AccessString or AppendAccessString, not both.')
  }
  const credentials = credentialsOf(input)
  return context.state.transact(async (tx) => {
    const before = await findUser(tx, input.UserId, context)
    mustBeChangeable(before)
    const engine = input.Engine ? userEngine(input.Engine) : before.engine
    if (engine === 'redis' && before.engine === 'valkey') {
      throw invalidCombination('The Engine of a user changes from redis to valkey only.')
    }
    const given = input.AppendAccessString ? `${before.access} ${input.AppendAccessString}` : input.AccessString
    const { access, minimumVersion } = accessOf(given || before.access)
    const way = credentials ?? before
    checkWay(engine, before.id, before.name, way)
    const after: UserRecord = {
      ...before,
      engine,
      access,
      authentication: way.authentication,
      passwords: way.passwords,
      status: 'modifying',
      minimumVersion: minimumOf(engine, minimumVersion, way.authentication),
    }
    await checkGroupsTake(tx, after)
    await tx.put('cache-user', after.id, after)
    await markGroupsModifying(tx, after.id)
    return userView(tx, after)
  })
}

/** Engines of all replication groups that have the user must know what it needs now; redis groups hold redis users. */
async function checkGroupsTake(reader: Reader, user: UserRecord): Promise<void> {
  for (const group of await groupsWith(reader, user.id)) {
    if (group.engine === 'redis' && user.engine === 'valkey') {
      throw invalidCombination(
        `User ${user.id} is in the user group ${group.id} of redis, which holds users of redis only.`,
      )
    }
    for (const { id, engine, members } of await replicationGroupsWith(reader, group.id)) {
      const { doc } = await findCluster(reader, members[0])
      checkEngineKnows([user], id, engine, doc.engineVersion)
    }
  }
}

async function markGroupsModifying(tx: Transaction, userId: string): Promise<void> {
  for (const group of await groupsWith(tx, userId)) {
    if (group.status === 'active') await tx.put('cache-user-group', group.id, { ...group, status: 'modifying' })
  }
}

export const deleteUser: Operation<DeleteUserMessage, User> = (input, context) => {
  onlyFields('DeleteUser', input, ['UserId'])
  return context.state.transact(async (tx) => {
    const before = await findUser(tx, input.UserId, context)
    mustBeChangeable(before)
    for (const group of await groupsWith(tx, before.id)) {
      await checkCanLeave(tx, before, group.id, context)
      const pending = {
        add: (group.pending?.add ?? []).filter((id) => id !== before.id),
        remove: [...new Set([...(group.pending?.remove ?? []), before.id])],
      }
      const status = group.status === 'active' ? 'modifying' : group.status
      await tx.put('cache-user-group', group.id, { ...group, status, pending })
    }
    const after: UserRecord = { ...before, status: 'deleting' }
    await tx.put('cache-user', after.id, after)
    return userView(tx, after)
  })
}

/** @throws DefaultUserAssociatedToUserGroup when a group of redis would be without a user of the name default. */
async function checkCanLeave(
  tx: Transaction,
  user: UserRecord,
  groupId: string,
  context: ServiceContext,
): Promise<void> {
  const group = (await tx.get('cache-user-group', groupId))?.doc
  if (group === undefined || group.engine !== 'redis' || user.name !== DEFAULT_USER) return
  const others = memberIds(group).filter((id) => id !== user.id)
  const names = await Promise.all(others.map(async (id) => (await findUser(tx, id, context)).name))
  if (names.includes(DEFAULT_USER)) return
  throw elasticacheFault(
    'DefaultUserAssociatedToUserGroup',
    `User ${user.id} is the default user of the user group ${group.id}; give that another one first.`,
  )
}

/** Names of filters (unconfirmed: AWS does not list them) and what each compares. */
const FILTERS: Readonly<Record<string, (user: UserRecord) => string>> = {
  'user-id': (user) => user.id,
  'user-name': (user) => user.name,
  engine: (user) => user.engine,
  status: (user) => user.status,
}

function accepts(user: UserRecord, filters: readonly Filter[]): boolean {
  return filters.every(({ Name, Values }) => {
    const property = Object.hasOwn(FILTERS, Name ?? '') ? FILTERS[Name ?? ''] : undefined
    if (property === undefined) {
      throw invalidValue(`The filter ${shown(Name)} is not known; filters are ${Object.keys(FILTERS).join(', ')}.`)
    }
    return required('Filters.Values', Values).includes(property(user))
  })
}

export const describeUsers: Operation<DescribeUsersMessage, DescribeUsersResult> = async (input, context) => {
  onlyFields('DescribeUsers', input, ['Engine', 'UserId', 'Filters', 'MaxRecords', 'Marker'])
  const { state } = context
  const named = input.UserId ? await findUser(state, input.UserId, context) : null
  const stored = named === null ? (await state.list('cache-user')).map(({ doc }) => doc) : []
  const all = named === null ? [defaultUser(context), ...stored].sort((a, b) => (a.id < b.id ? -1 : 1)) : [named]
  const engine = input.Engine ? userEngine(input.Engine) : null
  const found = all.filter((user) => (engine === null || user.engine === engine) && accepts(user, input.Filters ?? []))
  const { items, Marker } = page(found, ({ id }) => id, input)
  return { Users: await Promise.all(items.map((user) => userView(state, user))), Marker }
}
