//! Access of a replication group as requests change it: its AUTH token and its user group (spec/elasticache.md 6.1, 6.4).
//! PURE but for reads. A token is hashed here; nothing behind this file sees it.
import { type AuthTokenRecord, type GroupAccess, type PendingMembers, wishedUserGroups } from '../../domain/access.ts'
import { normalName } from '../../domain/cache-names.ts'
import type { CacheClusterRecord, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { checkEngineKnows, findUserGroup, membersOfUserGroup } from './access-lookup.ts'
import { secretHash } from './passwords.ts'
import { mustBeActive } from './user-groups.ts'

/** Letters, digits and ! & # $ ^ < > - (spec 6.1). */
const NEW_TOKEN = /^[A-Za-z0-9!&#$^<>-]{16,128}$/
/** Printable ASCII without / " @ % and the space. */
const LATER_TOKEN = /^[!#$&-.0-?A-~]{16,128}$/

export interface AccessInput {
  readonly AuthToken?: string | undefined
  readonly UserGroupIds?: readonly string[] | undefined
}

export interface AccessChange {
  readonly AuthToken?: string | undefined
  readonly AuthTokenUpdateStrategy?: string | undefined
  readonly UserGroupIdsToAdd?: readonly string[] | undefined
  readonly UserGroupIdsToRemove?: readonly string[] | undefined
  readonly RemoveUserGroups?: boolean | undefined
  readonly ApplyImmediately?: boolean | undefined
}

/** The engine that nodes of the group run. */
export interface GroupEngine {
  readonly id: string
  readonly engine: 'redis' | 'valkey'
  readonly version: string
}

/**
 * Access of a new group; `encrypted`: it has encryption in transit.
 * @throws InvalidParameterValue, InvalidParameterCombination, UserGroupNotFound, InvalidUserGroupState
 */
export async function newAccess(
  reader: Reader,
  input: AccessInput,
  group: GroupEngine,
  encrypted: boolean,
  context: ServiceContext,
): Promise<GroupAccess> {
  const token = input.AuthToken
  const userGroups = idsOf(input.UserGroupIds)
  if (token === undefined && userGroups.length === 0) return {}
  mustBeEncrypted(encrypted, token === undefined ? 'UserGroupIds' : 'AuthToken')
  if (token !== undefined) {
    if (userGroups.length > 0) throw invalidCombination('Give AuthToken or UserGroupIds, not both.')
    if (!NEW_TOKEN.test(token)) throw invalidToken('letters, digits and ! & # $ ^ < > -')
    return { authToken: { hashes: [secretHash(token)], required: true, pending: null, modifiedAt: nowOf(context) } }
  }
  await checkUserGroups(reader, userGroups, group, context)
  return { userGroupIds: userGroups }
}

/**
 * What the change makes of the group's access; null when the request does not speak of it. The group is `modifying` until
 * every node has it.
 * @throws as newAccess
 */
export async function changedAccess(
  reader: Reader,
  before: ReplicationGroupRecord,
  input: AccessChange,
  group: GroupEngine,
  context: ServiceContext,
): Promise<GroupAccess | null> {
  const userGroups = changedUserGroups(before, input)
  const token = changedToken(before, input, context)
  if (userGroups === null && token === undefined) return null
  mustBeEncrypted(Boolean(before.transitEncryption), token === undefined ? 'UserGroupIdsToAdd' : 'AuthToken')
  const change: GroupAccess = {
    ...(token === undefined ? {} : { authToken: token }),
    ...(userGroups === null ? {} : { pendingUserGroups: userGroups }),
  }
  const wished = wishedUserGroups({ ...before, ...change })
  if (wished.length > 0 && (token === undefined ? before.authToken : token)) {
    throw invalidCombination(
      `${before.id} has AUTH or would have it: give UserGroupIdsToAdd together with AuthTokenUpdateStrategy DELETE.`,
    )
  }
  await checkUserGroups(reader, userGroups?.add ?? [], group, context)
  return change
}

const nowOf = (context: ServiceContext): string => new Date(context.clock.now()).toISOString()

const idsOf = (given: readonly string[] | undefined): string[] => [...new Set((given ?? []).map(normalName))]

function mustBeEncrypted(encrypted: boolean, field: string): void {
  if (!encrypted) throw invalidCombination(`${field} needs encryption in transit: TransitEncryptionEnabled.`)
}

/** The token is not part of the message. */
const invalidToken = (characters: string) =>
  invalidValue(`Invalid AuthToken provided: it has 16 to 128 characters, ${characters}.`)

/** Undefined when the request leaves it as it is; null takes it away. */
function changedToken(
  before: ReplicationGroupRecord,
  input: AccessChange,
  context: ServiceContext,
): AuthTokenRecord | null | undefined {
  const { AuthToken: token, AuthTokenUpdateStrategy: given } = input
  if (token === undefined && given === undefined) return undefined
  if (input.ApplyImmediately !== true) throw invalidCombination('A change of AuthToken needs ApplyImmediately true.')
  const strategy = given ?? 'ROTATE'
  const now = before.authToken ?? null
  if (strategy === 'DELETE') {
    if (token !== undefined) throw invalidCombination('AuthTokenUpdateStrategy DELETE takes no AuthToken.')
    if (!input.UserGroupIdsToAdd?.length) {
      throw invalidCombination('AuthTokenUpdateStrategy DELETE needs UserGroupIdsToAdd in the same request.')
    }
    if (now === null) throw invalidCombination(`${before.id} has no AuthToken to delete.`)
    return null
  }
  if (strategy !== 'SET' && strategy !== 'ROTATE') {
    throw invalidValue('AuthTokenUpdateStrategy is SET, ROTATE or DELETE.')
  }
  if (token === undefined) throw invalidCombination(`AuthTokenUpdateStrategy ${strategy} needs an AuthToken.`)
  if (!LATER_TOKEN.test(token)) throw invalidToken('printable ASCII without the space and / " @ %')
  const hash = secretHash(token)
  const modifiedAt = nowOf(context)
  if (strategy === 'ROTATE') {
    const others = (now?.hashes ?? []).filter((known) => known !== hash)
    // On an open group the token is held until SET: clients still come without one (spec 6.1).
    return { hashes: [hash, ...others.slice(0, 1)], required: now?.required ?? false, pending: 'ROTATING', modifiedAt }
  }
  if (now === null || now.hashes[0] !== hash) {
    throw invalidCombination(
      'AuthTokenUpdateStrategy SET takes the token that was rotated in last: first ROTATE to it, then SET it.',
    )
  }
  return { hashes: [hash], required: true, pending: 'SETTING', modifiedAt }
}

/** Null when the request leaves them as they are. */
function changedUserGroups(before: ReplicationGroupRecord, input: AccessChange): PendingMembers | null {
  const present = before.userGroupIds ?? []
  const add = idsOf(input.UserGroupIdsToAdd)
  const named = idsOf(input.UserGroupIdsToRemove)
  const remove = input.RemoveUserGroups === true ? [...present] : named
  if (add.length + remove.length + named.length === 0) return null
  const absent = named.find((id) => !present.includes(id))
  if (absent !== undefined) throw invalidValue(`UserGroup ${absent} is not associated with ${before.id}.`)
  const again = add.find((id) => present.includes(id) && !remove.includes(id))
  if (again !== undefined) throw invalidValue(`UserGroup ${again} is associated with ${before.id} already.`)
  const after = [...present.filter((id) => !remove.includes(id)), ...add]
  if (after.length > 1) {
    throw invalidCombination(`A replication group has one user group: ${after.join(', ')} would be ${after.length}.`)
  }
  return { add, remove }
}

async function checkUserGroups(
  reader: Reader,
  ids: readonly string[],
  group: GroupEngine,
  context: ServiceContext,
): Promise<void> {
  if (ids.length > 1) throw invalidCombination('A replication group has one user group.')
  for (const id of ids) {
    const { doc } = await findUserGroup(reader, id)
    mustBeActive(doc)
    if (doc.engine === 'valkey' && group.engine === 'redis') {
      throw invalidCombination(`UserGroup ${doc.id} is of the engine valkey; ${group.id} runs redis.`)
    }
    checkEngineKnows(await membersOfUserGroup(reader, doc, context), group.id, group.engine, group.version)
  }
}

/** What members show of their group's token. */
export const memberAuth = ({ authToken }: GroupAccess): Pick<CacheClusterRecord, 'authTokenModifiedAt'> => ({
  authTokenModifiedAt: authToken?.modifiedAt ?? null,
})
