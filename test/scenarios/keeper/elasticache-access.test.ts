//! SCENARIO: users, user groups and AUTH tokens by AWS's SDK on real engines: on every node, at once, over failovers,
//! new replicas and the deaths of engines, keeper and control, and gone when they are taken away.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import { ElastiCacheScenario } from '../../support/elasticache-scenario.ts'

const FIRST = 'first-password-of-16'
const SECOND = 'second-password-of-16'
const TOKENS = ['token-number-one-of-16', 'token-number-two-of-16', 'token-number-three-16'] as const
const RG = { ReplicationGroupId: 'shop' }

let scenario: ElastiCacheScenario
let client: sdk.ElastiCacheClient

before(async () => {
  scenario = await ElastiCacheScenario.start()
  client = scenario.client
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ...RG,
      ReplicationGroupDescription: 'a shop',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
      TransitEncryptionEnabled: true,
    }),
  )
  await available()
})

after(() => scenario.end())

const available = (): Promise<sdk.ReplicationGroup> =>
  scenario.until(async () => {
    const group = await scenario.group('shop')
    assert.equal(group.Status, 'available')
    return group
  })

const modify = (change: Partial<sdk.ModifyReplicationGroupMessage>) =>
  client.send(new sdk.ModifyReplicationGroupCommand({ ...RG, ApplyImmediately: true, ...change }))

const user = async (UserId: string): Promise<sdk.User> =>
  (await client.send(new sdk.DescribeUsersCommand({ UserId }))).Users![0]!

const userGroup = async (UserGroupId: string): Promise<sdk.UserGroup> =>
  (await client.send(new sdk.DescribeUserGroupsCommand({ UserGroupId }))).UserGroups![0]!

const active = (UserGroupId: string): Promise<sdk.UserGroup> =>
  scenario.until(async () => {
    const group = await userGroup(UserGroupId)
    assert.equal(group.Status, 'active')
    return group
  })

const activeUser = (UserId: string): Promise<sdk.User> =>
  scenario.until(async () => {
    const found = await user(UserId)
    assert.equal(found.Status, 'active')
    return found
  })

/** Addresses of every node. */
async function nodes(): Promise<string[]> {
  const group = await scenario.group('shop')
  return group.NodeGroups![0]!.NodeGroupMembers!.map((member) => member.ReadEndpoint!.Address!)
}

const primary = async (): Promise<string> => (await scenario.group('shop')).NodeGroups![0]!.PrimaryEndpoint!.Address!

/** Clients trust the installation's authority alone. */
const tls = () => ({ ca: readFileSync(join(scenario.home, 'authority', 'ca', 'ca.pem')) })

interface Name {
  readonly username?: string
  readonly password?: string
}

/** What a new client at `host` gets for PING: PONG, or the word of the refusal. */
async function knock(host: string, name: Name = {}): Promise<string> {
  const redis = new Redis({
    host,
    ...name,
    tls: tls(),
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
  })
  const refused = new Promise<string>((resolve) => {
    redis.on('error', (error) => resolve(error.message.split(' ')[0]!))
  })
  const answer = redis
    .connect()
    .then(() => redis.ping())
    .catch((error: Error) => error.message.split(' ')[0]!)
  // A wrong password is told by the event; with a wrong one the engine answers NOAUTH to PING, or PONG when it is open.
  const first = await Promise.race([refused, answer])
  redis.disconnect()
  return first
}

async function everywhere(name: Name, expected: string): Promise<void> {
  for (const host of await nodes()) assert.equal(await knock(host, name), expected, host)
}

async function connected(name: Name): Promise<Redis> {
  const options = { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null }
  const redis = new Redis({ host: await primary(), ...name, tls: tls(), ...options })
  redis.on('error', () => {})
  await redis.connect()
  return redis
}

test('AUTH: ROTATE on an open group lets everybody in still; SET makes the token a must on every node', async () => {
  const { ReplicationGroup: pending } = await modify({ AuthToken: TOKENS[0] })
  assert.equal(pending!.PendingModifiedValues!.AuthTokenStatus, 'ROTATING')
  assert.equal(pending!.Status, 'modifying')
  const rotated = await available()
  assert.equal(rotated.PendingModifiedValues!.AuthTokenStatus, undefined)
  await everywhere({}, 'PONG')
  await everywhere({ password: TOKENS[0] }, 'PONG')
  const before = await connected({})
  const { ReplicationGroup: setting } = await modify({ AuthToken: TOKENS[0], AuthTokenUpdateStrategy: 'SET' })
  assert.equal(setting!.PendingModifiedValues!.AuthTokenStatus, 'SETTING')
  assert.equal((await available()).AuthTokenEnabled, true)
  await everywhere({}, 'NOAUTH')
  await everywhere({ password: TOKENS[0] }, 'PONG')
  await everywhere({ password: 'not-the-right-token' }, 'WRONGPASS')
  assert.equal(await before.ping(), 'PONG', 'a connection that was there stays')
  before.disconnect()
})

test('AUTH: after a rotation two tokens are right, the oldest goes; SET leaves the last', async () => {
  await modify({ AuthToken: TOKENS[1], AuthTokenUpdateStrategy: 'ROTATE' })
  await available()
  await everywhere({ password: TOKENS[0] }, 'PONG')
  await everywhere({ password: TOKENS[1] }, 'PONG')
  await modify({ AuthToken: TOKENS[2] })
  const group = await available()
  await everywhere({ password: TOKENS[0] }, 'WRONGPASS')
  await everywhere({ password: TOKENS[1] }, 'PONG')
  const old = await connected({ password: TOKENS[1] })
  await modify({ AuthToken: TOKENS[2], AuthTokenUpdateStrategy: 'SET' })
  const set = await available()
  await everywhere({ password: TOKENS[1] }, 'WRONGPASS')
  await everywhere({ password: TOKENS[2] }, 'PONG')
  assert.equal(await old.ping(), 'PONG')
  old.disconnect()
  assert.ok(set.AuthTokenLastModifiedDate! >= group.AuthTokenLastModifiedDate!)
})

test('AUTH survives the primary, a new replica and a control that is away', async () => {
  const seen = () => scenario.control.link.seen()!.groups.find((group) => group.id === 'shop')!
  const lost = seen().nodes.find((node) => node.role === 'primary')!
  await scenario.restartControl(async () => {
    process.kill(lost.pid!, 'SIGKILL')
  })
  await scenario.until(async () => {
    const now = seen()
    assert.ok(now.settled && now.nodes.every((node) => node.pid !== lost.pid))
  })
  await client.send(new sdk.IncreaseReplicaCountCommand({ ...RG, NewReplicaCount: 2, ApplyImmediately: true }))
  await available()
  assert.equal((await nodes()).length, 3)
  for (const member of ['shop-001', 'shop-002', 'shop-003']) {
    assert.equal((await scenario.cluster(member)).AuthTokenEnabled, true, member)
  }
  await everywhere({}, 'NOAUTH')
  await everywhere({ password: TOKENS[2] }, 'PONG')
})

test('users: created with a normal form and a hash; listed, filtered, tagged', async () => {
  const made = await client.send(
    new sdk.CreateUserCommand({
      UserId: 'Reader',
      UserName: 'Reader',
      Engine: 'REDIS',
      AccessString: 'ON ~app:* +@READ +PING',
      Passwords: [FIRST],
      Tags: [{ Key: 'team', Value: 'shop' }],
    }),
  )
  assert.equal(made.UserId, 'reader')
  assert.equal(made.UserName, 'Reader')
  assert.equal(made.Status, 'active')
  assert.equal(made.AccessString, 'on ~app:* -@all +@read +ping')
  assert.deepEqual(made.Authentication, { Type: 'password', PasswordCount: 1 })
  assert.equal(made.ARN, 'arn:aws:elasticache:us-east-1:123456789012:user:reader')
  const gate = { UserId: 'gate', UserName: 'default', Engine: 'redis', AccessString: 'off' }
  await client.send(new sdk.CreateUserCommand({ ...gate, NoPasswordRequired: true }))
  const all = await client.send(new sdk.DescribeUsersCommand({}))
  assert.deepEqual(
    all.Users!.map((one) => one.UserId),
    ['default', 'gate', 'reader'],
  )
  const named = { Filters: [{ Name: 'user-name', Values: ['default'] }] }
  const found = await client.send(new sdk.DescribeUsersCommand(named))
  assert.deepEqual(
    found.Users!.map((one) => one.UserId),
    ['default', 'gate'],
  )
  const tags = await client.send(new sdk.ListTagsForResourceCommand({ ResourceName: made.ARN! }))
  assert.deepEqual(tags.TagList, [{ Key: 'team', Value: 'shop' }])
})

test('from AUTH to a user group in one step, on every node', async () => {
  await client.send(
    new sdk.CreateUserGroupCommand({ UserGroupId: 'Staff', Engine: 'REDIS', UserIds: ['gate', 'reader'] }),
  )
  const made = await active('staff')
  assert.deepEqual(made.UserIds, ['gate', 'reader'])
  assert.deepEqual(made.ReplicationGroups, [])
  const { ReplicationGroup: pending } = await modify({
    UserGroupIdsToAdd: ['staff'],
    AuthTokenUpdateStrategy: 'DELETE',
  })
  assert.deepEqual(pending!.PendingModifiedValues!.UserGroups, { UserGroupIdsToAdd: ['staff'] })
  const group = await available()
  assert.deepEqual(group.UserGroupIds, ['staff'])
  assert.equal(group.AuthTokenEnabled, false)
  assert.deepEqual(group.PendingModifiedValues, {})
  assert.deepEqual((await userGroup('staff')).ReplicationGroups, ['shop'])
  await everywhere({ password: TOKENS[2] }, 'WRONGPASS')
  await everywhere({}, 'NOAUTH')
  await everywhere({ username: 'Reader', password: FIRST }, 'PONG')
  await everywhere({ username: 'reader', password: FIRST }, 'WRONGPASS')
})

test('a change of permissions holds for connections that are there, at once', async () => {
  const redis = await connected({ username: 'Reader', password: FIRST })
  assert.equal(await redis.get('app:1'), null)
  await assert.rejects(redis.set('app:1', '1'), /NOPERM/)
  const { Status } = await client.send(
    new sdk.ModifyUserCommand({ UserId: 'reader', AppendAccessString: '~more:* +@write' }),
  )
  assert.equal(Status, 'modifying')
  assert.equal((await activeUser('reader')).AccessString, 'on ~app:* ~more:* -@all +@read +ping +@write')
  await active('staff')
  assert.equal(await redis.set('more:1', '1'), 'OK')
  await assert.rejects(redis.config('GET', 'maxmemory'), /NOPERM/)
  redis.disconnect()
})

test('new passwords replace the old ones; connections stay', async () => {
  const redis = await connected({ username: 'Reader', password: FIRST })
  await client.send(new sdk.ModifyUserCommand({ UserId: 'reader', Passwords: [FIRST, SECOND] }))
  assert.deepEqual((await activeUser('reader')).Authentication, { Type: 'password', PasswordCount: 2 })
  await everywhere({ username: 'Reader', password: FIRST }, 'PONG')
  await everywhere({ username: 'Reader', password: SECOND }, 'PONG')
  await client.send(new sdk.ModifyUserCommand({ UserId: 'reader', Passwords: [SECOND] }))
  await activeUser('reader')
  await everywhere({ username: 'Reader', password: FIRST }, 'WRONGPASS')
  assert.equal(await redis.ping(), 'PONG')
  redis.disconnect()
})

test('a user that leaves the group loses its connections and comes in no more; deleting takes it out everywhere', async () => {
  const writer = { UserId: 'writer', UserName: 'writer', Engine: 'redis', AccessString: 'on ~* +@all' }
  await client.send(new sdk.CreateUserCommand({ ...writer, Passwords: [FIRST] }))
  await active('staff')
  const adding = new sdk.ModifyUserGroupCommand({ UserGroupId: 'staff', UserIdsToAdd: ['writer'] })
  const { Status, PendingChanges } = await client.send(adding)
  assert.equal(Status, 'modifying')
  assert.deepEqual(PendingChanges, { UserIdsToAdd: ['writer'] })
  assert.deepEqual((await active('staff')).UserIds, ['gate', 'reader', 'writer'])
  assert.deepEqual((await user('writer')).UserGroupIds, ['staff'])
  const redis = await connected({ username: 'writer', password: FIRST })
  const ended = once(redis, 'end')
  await client.send(new sdk.DeleteUserCommand({ UserId: 'writer' }))
  await ended
  await scenario.until(() => assert.rejects(user('writer'), { name: /UserNotFound/ }))
  assert.deepEqual((await active('staff')).UserIds, ['gate', 'reader'])
  await everywhere({ username: 'writer', password: FIRST }, 'WRONGPASS')
  assert.deepEqual(await scenario.messages('user', 'writer'), ['User created', 'User deleted'])
})

test('users survive a failover with the keeper alone', async () => {
  const seen = () => scenario.control.link.seen()!.groups.find((group) => group.id === 'shop')!
  const lost = seen().nodes.find((node) => node.role === 'primary')!
  process.kill(lost.pid!, 'SIGKILL')
  await scenario.until(async () => {
    const now = seen()
    assert.ok(now.settled && now.nodes.every((node) => node.pid !== lost.pid))
  })
  await everywhere({ username: 'Reader', password: SECOND }, 'PONG')
  await everywhere({}, 'NOAUTH')
})

test('taken away, the group is open again, and the user group can go', async () => {
  await modify({ RemoveUserGroups: true })
  const group = await available()
  assert.equal(group.UserGroupIds, undefined)
  await everywhere({}, 'PONG')
  await everywhere({ username: 'Reader', password: SECOND }, 'WRONGPASS')
  await client.send(new sdk.DeleteUserGroupCommand({ UserGroupId: 'staff' }))
  await scenario.until(() => assert.rejects(userGroup('staff'), { name: /UserGroupNotFound/ }))
  const told = await scenario.messages('user-group', 'staff')
  assert.deepEqual([told[0], told.at(-1)], ['User group created', 'User group deleted'])
})
