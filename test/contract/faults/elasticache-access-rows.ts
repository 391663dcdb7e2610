//! Faults of AUTH tokens, users and user groups (spec 6.1-6.4).
import type {
  CreateReplicationGroupMessage,
  CreateUserMessage,
  ModifyReplicationGroupMessage,
} from '@aws-sdk/client-elasticache'
import type { UserRecord } from '../../../src/domain/access.ts'
import { secretHash } from '../../../src/services/elasticache/passwords.ts'
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

const PASSWORD = 'sixteen-letters!'

const user = (site: ElastiCacheFaultSite, UserId: string, changes: Partial<CreateUserMessage> = {}) =>
  site.client.createUser({
    UserId,
    UserName: UserId,
    Engine: 'redis',
    AccessString: 'on ~* +@read',
    Passwords: [PASSWORD],
    ...changes,
  })

const userGroup = (site: ElastiCacheFaultSite, UserIds: string[], UserGroupId = 'staff') =>
  site.client.createUserGroup({ UserGroupId, Engine: 'redis', UserIds })

/** As the reconciler leaves a user group that all engines have. */
async function activeGroup(site: ElastiCacheFaultSite, UserIds: string[]): Promise<void> {
  await userGroup(site, UserIds)
  await site.state.transact(async (tx) => {
    const stored = await tx.get('cache-user-group', 'staff')
    await tx.put('cache-user-group', 'staff', { ...stored!.doc, status: 'active' })
  })
}

/** A call of CreateUser with these changes is refused. */
const refusedUser = (
  when: string,
  changes: Partial<CreateUserMessage>,
  code = 'InvalidParameterValue',
  section = '6.2',
): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section,
  when: `CreateUser: ${when}`,
  provoke: (site) => () => user(site, 'ann', changes),
})

/** Fills the table of users, or of groups, up to its quota. */
async function fill(site: ElastiCacheFaultSite, kind: 'users' | 'groups', count: number): Promise<void> {
  await site.state.transact(async (tx) => {
    for (let at = 0; at < count; at++) {
      const id = `u${at}`
      const made = { id, arn: id, createdAt: '', engine: 'redis' } as const
      const record: UserRecord = {
        ...made,
        name: id,
        access: 'off -@all',
        authentication: 'no-password',
        passwords: [],
        status: 'active',
        minimumVersion: '6.0',
      }
      if (kind === 'users') await tx.put('cache-user', id, record)
      else await tx.put('cache-user-group', id, { ...made, userIds: [], pending: null, status: 'active' })
    }
  })
}

/** A group of redis with encryption in transit, with or without AUTH, and a user group `staff`, all settled. */
async function secureGroup(site: ElastiCacheFaultSite, token: string | null): Promise<void> {
  await activeGroup(site, ['default'])
  await site.group('shop', 1)
  const modifiedAt = new Date(0).toISOString()
  const authToken = token === null ? null : { hashes: [secretHash(token)], required: true, pending: null, modifiedAt }
  await site.changeGroup('shop', { transitEncryption: 'required', authToken })
}

const TOKEN = 'a-token-of-16-or-more'

/** With such a group, this change is refused. */
const refusedChange = (
  when: string,
  change: Partial<ModifyReplicationGroupMessage>,
  { token = null as string | null, code = 'InvalidParameterCombination', status = 400, section = '6.1' } = {},
): ElastiCacheFaultRow => ({
  code,
  status,
  section,
  when: `ModifyReplicationGroup: ${when}`,
  async provoke(site) {
    await secureGroup(site, token)
    return () => site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...change })
  },
})

/** CreateReplicationGroup with these fields is refused. */
const refusedGroup = (
  when: string,
  fields: Partial<CreateReplicationGroupMessage>,
  code: string,
): ElastiCacheFaultRow => ({
  code,
  status: code === 'UserGroupNotFound' ? 404 : 400,
  section: '6.1',
  when: `CreateReplicationGroup: ${when}`,
  provoke: (site) => () => site.group('shop', 1, fields),
})

export const ACCESS_ROWS: readonly ElastiCacheFaultRow[] = [
  refusedUser('a password of 15 characters', { Passwords: ['fifteen-letters'] }),
  refusedUser('a password with a slash', { Passwords: ['sixteen/letters!'] }),
  refusedUser('three passwords', { Passwords: [`1${PASSWORD}`, `2${PASSWORD}`, `3${PASSWORD}`] }),
  refusedUser('two ways to log in', { NoPasswordRequired: true }, 'InvalidParameterCombination'),
  refusedUser('no way to log in', { Passwords: [] }, 'InvalidParameterCombination'),
  refusedUser(
    'valkey without a password',
    { Engine: 'valkey', Passwords: [], NoPasswordRequired: true },
    'InvalidParameterCombination',
  ),
  refusedUser('an engine without users', { Engine: 'memcached' }),
  refusedUser('a UserName with a space', { UserName: 'ann lee' }),
  refusedUser("the keeper's own UserName", { UserName: 'cachefront-admin' }),
  refusedUser('an IAM user of another UserName', {
    Passwords: [],
    AuthenticationMode: { Type: 'iam' },
    UserName: 'other',
  }),
  refusedUser('an id that begins with a digit', { UserId: '1ann' }, 'InvalidParameterValue', '1.6'),
  refusedUser('a command that there is not', { AccessString: 'on ~* +nosuch' }, 'InvalidParameterValue', '6.3'),
  refusedUser('a restricted command', { AccessString: 'on ~* +config' }, 'InvalidParameterValue', '5.5'),
  refusedUser('a password in the access string', { AccessString: 'on >mine ~*' }, 'InvalidParameterValue', '6.3'),
  {
    code: 'UserAlreadyExists',
    status: 400,
    section: '6.2',
    when: 'an id that is taken, in capitals',
    async provoke(site) {
      await user(site, 'ann')
      return () => user(site, 'ANN', { UserName: 'other' })
    },
  },
  {
    code: 'UserAlreadyExists',
    status: 400,
    section: '6.2',
    when: 'the id of the predefined user',
    provoke: (site) => () => user(site, 'default'),
  },
  {
    code: 'UserNotFound',
    status: 404,
    section: '1.3',
    when: 'an id that is nobody’s',
    provoke: (site) => () => site.client.describeUsers({ UserId: 'nobody' }),
  },
  {
    code: 'UserQuotaExceeded',
    status: 400,
    section: '1.9',
    when: 'the 1001st user',
    async provoke(site) {
      await fill(site, 'users', 1000)
      return () => user(site, 'ann')
    },
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '6.2',
    when: 'the predefined user is modified',
    provoke: (site) => () => site.client.modifyUser({ UserId: 'default', AccessString: 'off' }),
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '6.2',
    when: 'the predefined user is deleted',
    provoke: (site) => () => site.client.deleteUser({ UserId: 'default' }),
  },
  {
    code: 'InvalidParameterValue',
    status: 400,
    section: '6.2',
    when: 'a filter that there is not',
    provoke: (site) => () => site.client.describeUsers({ Filters: [{ Name: 'beauty', Values: ['1'] }] }),
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '6.2',
    when: 'an access string that replaces and one that appends',
    async provoke(site) {
      await user(site, 'ann')
      return () => site.client.modifyUser({ UserId: 'ann', AccessString: 'on', AppendAccessString: '+get' })
    },
  },
  {
    code: 'InvalidUserState',
    status: 400,
    section: '6.2',
    when: 'a user whose last change is on its way',
    async provoke(site) {
      await user(site, 'ann')
      await site.client.modifyUser({ UserId: 'ann', AccessString: 'off' })
      return () => site.client.modifyUser({ UserId: 'ann', AccessString: 'on' })
    },
  },
  {
    code: 'DefaultUserAssociatedToUserGroup',
    status: 400,
    section: '6.2',
    when: 'the default user of a group is deleted',
    async provoke(site) {
      await user(site, 'gate', { UserName: 'default' })
      await activeGroup(site, ['gate'])
      return () => site.client.deleteUser({ UserId: 'gate' })
    },
  },
  {
    code: 'DefaultUserRequired',
    status: 400,
    section: '6.4',
    when: 'a user group of redis without a user of the name default',
    async provoke(site) {
      await user(site, 'ann')
      return () => userGroup(site, ['ann'])
    },
  },
  {
    code: 'DefaultUserRequired',
    status: 400,
    section: '6.4',
    when: 'the default user is taken away',
    async provoke(site) {
      await activeGroup(site, ['default'])
      return () => site.client.modifyUserGroup({ UserGroupId: 'staff', UserIdsToRemove: ['default'] })
    },
  },
  {
    code: 'DuplicateUserName',
    status: 400,
    section: '6.2',
    when: 'two users of one name in a group',
    async provoke(site) {
      await user(site, 'gate', { UserName: 'default' })
      return () => userGroup(site, ['default', 'gate'])
    },
  },
  {
    code: 'UserGroupAlreadyExists',
    status: 400,
    section: '6.4',
    when: 'an id that is taken',
    async provoke(site) {
      await userGroup(site, ['default'])
      return () => userGroup(site, ['default'], 'Staff')
    },
  },
  {
    code: 'UserGroupNotFound',
    status: 404,
    section: '1.3',
    when: 'an id that is nobody’s',
    provoke: (site) => () => site.client.describeUserGroups({ UserGroupId: 'nobody' }),
  },
  {
    code: 'UserNotFound',
    status: 404,
    section: '6.4',
    when: 'a user group of a user that there is not',
    provoke: (site) => () => userGroup(site, ['default', 'nobody']),
  },
  {
    code: 'UserGroupQuotaExceeded',
    status: 400,
    section: '1.9',
    when: 'the 101st user group',
    async provoke(site) {
      await fill(site, 'groups', 100)
      return () => userGroup(site, ['default'])
    },
  },
  {
    code: 'InvalidUserGroupState',
    status: 400,
    section: '6.4',
    when: 'a user group that is not active yet',
    async provoke(site) {
      await userGroup(site, ['default'])
      return () => site.client.deleteUserGroup({ UserGroupId: 'staff' })
    },
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '6.4',
    when: 'a change of a user group that changes nothing',
    async provoke(site) {
      await activeGroup(site, ['default'])
      return () => site.client.modifyUserGroup({ UserGroupId: 'staff' })
    },
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '6.4',
    when: 'a user of valkey in a user group of redis',
    async provoke(site) {
      await user(site, 'ann', { Engine: 'valkey' })
      return () => userGroup(site, ['default', 'ann'])
    },
  },
  refusedGroup('a token without encryption', { AuthToken: TOKEN }, 'InvalidParameterCombination'),
  refusedGroup('a user group without encryption', { UserGroupIds: ['staff'] }, 'InvalidParameterCombination'),
  refusedChange('a token of 15 characters', { AuthToken: 'fifteen-letters' }, { code: 'InvalidParameterValue' }),
  refusedChange('a token with a percent sign', { AuthToken: `${TOKEN}%` }, { code: 'InvalidParameterValue' }),
  refusedChange('a token later than at once', { AuthToken: TOKEN, ApplyImmediately: false }),
  refusedChange('SET of a token that was not rotated in', { AuthToken: TOKEN, AuthTokenUpdateStrategy: 'SET' }),
  refusedChange(
    'SET of another token than the last',
    { AuthToken: `other-${TOKEN}`, AuthTokenUpdateStrategy: 'SET' },
    { token: TOKEN },
  ),
  refusedChange('DELETE without a user group', { AuthTokenUpdateStrategy: 'DELETE' }, { token: TOKEN }),
  refusedChange('a user group beside AUTH', { UserGroupIdsToAdd: ['staff'] }, { token: TOKEN, section: '1.8' }),
  refusedChange('ROTATE and a user group', { AuthToken: TOKEN, UserGroupIdsToAdd: ['staff'] }, { section: '1.8' }),
  refusedChange(
    'a user group that there is not',
    { UserGroupIdsToAdd: ['nobodys'] },
    { code: 'UserGroupNotFound', status: 404, section: '6.4' },
  ),
  refusedChange(
    'a user group is taken away that it does not have',
    { UserGroupIdsToRemove: ['staff'] },
    { code: 'InvalidParameterValue', section: '6.4' },
  ),
  refusedChange('two user groups', { UserGroupIdsToAdd: ['staff', 'more'] }, { section: '6.4' }),
  {
    code: 'InvalidUserGroupState',
    status: 400,
    section: '6.4',
    when: 'a user group is deleted that a replication group has',
    async provoke(site) {
      await secureGroup(site, null)
      await site.changeGroup('shop', { userGroupIds: ['staff'] })
      return () => site.client.deleteUserGroup({ UserGroupId: 'staff' })
    },
  },
  {
    code: 'InvalidParameterCombination',
    status: 400,
    section: '6.2',
    when: 'a user that needs a later engine than a replication group has',
    async provoke(site) {
      await user(site, 'ann', { AccessString: 'on ~* +waitaof' })
      await secureGroup(site, null)
      await site.changeGroup('shop', { userGroupIds: ['staff'] })
      return () => site.client.modifyUserGroup({ UserGroupId: 'staff', UserIdsToAdd: ['ann'] })
    },
  },
]
