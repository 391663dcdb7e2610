//! Service updates through the SDK: a newer redis-server is installed beside the one that runs. The newer one is the same
//! program whose version was rewritten in the file, so that it reports another wherever it is asked.
import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { findBinaries } from '../../../src/keeper/binaries.ts'
import { ElastiCacheScenario, redisAt } from '../../support/elasticache-scenario.ts'

const home = mkdtempSync(join(tmpdir(), 'cachefront-updates-'))
const path = [join(home, 'old'), join(home, 'new')]
let scenario: ElastiCacheScenario
/** Version of the installed redis-server, and the next patch. */
let present = ''
let next = ''
let name = ''

before(async () => {
  const real = (await findBinaries()).find((binary) => binary.engine === 'redis')
  assert.ok(real, 'redis-server is installed')
  present = real.version
  const [major, minor, patch] = present.split('.')
  // As long as the other, so that it can be written over it.
  next = `${major}.${minor}.${String(Number(patch) + 1).padStart(patch!.length, '0')}`
  assert.equal(next.length, present.length)
  name = `redis-${next.replaceAll('.', '-')}`
  for (const dir of path) mkdirSync(dir)
  symlinkSync(real.path, join(home, 'old', 'redis-server'))
  scenario = await ElastiCacheScenario.start({ searchPath: path })
})
after(async () => {
  await scenario.end()
  rmSync(home, { recursive: true })
})

function installNext(): void {
  const program = readFileSync(realpathSync(join(home, 'old', 'redis-server'))).toString('latin1')
  const file = join(home, 'new', 'redis-server')
  writeFileSync(file, Buffer.from(program.replaceAll(present, next), 'latin1'))
  chmodSync(file, 0o755)
}

const actionsOf = async (more: sdk.DescribeUpdateActionsMessage = {}) =>
  (await scenario.client.send(new sdk.DescribeUpdateActionsCommand({ ShowNodeLevelUpdateStatus: true, ...more })))
    .UpdateActions!
const actionOf = async (id: string) =>
  (await actionsOf()).find((one) => (one.ReplicationGroupId ?? one.CacheClusterId) === id)!
const availableGroup = (id: string) =>
  scenario.until(async () => {
    const found = await scenario.group(id)
    assert.equal(found.Status, 'available')
    return found
  })

test('nothing is to be updated while every node runs the newest binary', async () => {
  const group = { ReplicationGroupDescription: 'a group', Engine: 'redis', CacheNodeType: 'cache.t4g.micro' }
  for (const ReplicationGroupId of ['by-hand', 'by-window']) {
    await scenario.client.send(
      new sdk.CreateReplicationGroupCommand({
        ...group,
        ReplicationGroupId,
        NumCacheClusters: ReplicationGroupId === 'by-hand' ? 3 : 1,
        AutoMinorVersionUpgrade: ReplicationGroupId === 'by-window',
        PreferredMaintenanceWindow: windowIn(3),
      }),
    )
  }
  for (const id of ['by-hand', 'by-window']) {
    const redis = redisAt((await availableGroup(id)).NodeGroups![0]!.PrimaryEndpoint!)
    await redis.set('kept', id).finally(() => redis.disconnect())
  }
  assert.deepEqual(await actionsOf(), [])
})

test('a newer binary is a service update of the groups that run the older one', async () => {
  installNext()
  const action = await scenario.until(async () => {
    const found = await actionOf('by-hand')
    assert.ok(found)
    return found
  })
  assert.equal(action.ServiceUpdateName, name)
  assert.deepEqual([action.UpdateActionStatus, action.NodesUpdated, action.SlaMet], ['not-applied', '0/3', 'yes'])
  const { ServiceUpdates } = await scenario.client.send(
    new sdk.DescribeServiceUpdatesCommand({ ServiceUpdateName: name }),
  )
  assert.equal(ServiceUpdates![0]!.EngineVersion, next)
  const month = ServiceUpdates![0]!.ServiceUpdateRecommendedApplyByDate!.getTime()
  assert.equal(month - ServiceUpdates![0]!.ServiceUpdateReleaseDate!.getTime(), 30 * 24 * 3_600_000)
  assert.ok(
    (await scenario.messages('cache-cluster', 'by-hand-001')).includes(
      'Service update is available for cache node 0001.',
    ),
  )
})

test('actions are found by when their update was released', async () => {
  const now = scenario.now()
  const [before, after] = [new Date(now - HOUR_MS), new Date(now + HOUR_MS)]
  const within = async (range: sdk.TimeRangeFilter) => (await actionsOf({ ServiceUpdateTimeRange: range })).length
  assert.equal(await within({ StartTime: before, EndTime: after }), 2)
  assert.equal(await within({ StartTime: after }), 0)
  assert.equal(await within({ EndTime: before }), 0)
  await assert.rejects(within({ StartTime: after, EndTime: before }), { name: 'InvalidParameterValueException' })
})

test('applying it restarts the nodes one after the other and keeps the data', async () => {
  const command = new sdk.BatchApplyUpdateActionCommand({
    ServiceUpdateName: name,
    ReplicationGroupIds: ['by-hand', 'x'],
  })
  const answer = await scenario.client.send(command)
  assert.deepEqual(
    answer.ProcessedUpdateActions!.map((one) => [one.ReplicationGroupId, one.UpdateActionStatus]),
    [['by-hand', 'waiting-to-start']],
  )
  assert.equal(answer.UnprocessedUpdateActions![0]!.ReplicationGroupId, 'x')
  const done = await scenario.until(async () => {
    const found = await actionOf('by-hand')
    assert.equal(found.UpdateActionStatus, 'complete')
    return found
  })
  assert.equal(done.NodesUpdated, '3/3')
  const members = done.NodeGroupUpdateStatus![0]!.NodeGroupMemberUpdateStatus!
  assert.deepEqual(
    members.map((member) => member.NodeUpdateStatus),
    ['complete', 'complete', 'complete'],
  )
  const group = await availableGroup('by-hand')
  const redis = redisAt(group.NodeGroups![0]!.PrimaryEndpoint!)
  const [kept, info] = await Promise.all([redis.get('kept'), redis.info('server')]).finally(() => redis.disconnect())
  assert.equal(kept, 'by-hand')
  assert.match(info, new RegExp(`redis_version:${next}`))
  assert.equal((await actionOf('by-window')).UpdateActionStatus, 'scheduled', 'the other one has its window')
})

test('AutoMinorVersionUpgrade applies it in the maintenance window', async () => {
  scenario.advance(3 * HOUR_MS)
  await scenario.until(async () => assert.equal((await actionOf('by-window')).UpdateActionStatus, 'complete'))
  const group = await availableGroup('by-window')
  const redis = redisAt(group.NodeGroups![0]!.PrimaryEndpoint!)
  assert.equal(await redis.get('kept').finally(() => redis.disconnect()), 'by-window')
})

test('what is complete can be neither applied nor stopped', async () => {
  for (const Command of [sdk.BatchApplyUpdateActionCommand, sdk.BatchStopUpdateActionCommand]) {
    const answer = await scenario.client.send(
      new Command({ ServiceUpdateName: name, ReplicationGroupIds: ['by-hand'] }) as sdk.BatchStopUpdateActionCommand,
    )
    assert.deepEqual(answer.ProcessedUpdateActions, [])
    assert.equal(answer.UnprocessedUpdateActions!.length, 1)
  }
})

const HOUR_MS = 3_600_000
/** A maintenance window of an hour that begins within the `hours`th hour from now. */
function windowIn(hours: number): string {
  const shown = (ms: number): string => {
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][new Date(ms).getUTCDay()]
    return `${day}:${new Date(ms).toISOString().slice(11, 16)}`
  }
  const from = scenario.now() + hours * HOUR_MS - HOUR_MS / 2
  return `${shown(from)}-${shown(from + HOUR_MS)}`
}
