//! Changes of a replication group in the real program, by the AWS CLI and boto3: a test failover, replicas that come and
//! go by name, and what waits for the maintenance window until the clock is moved into it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { aws, awsJson, runAwsProgram } from '../../support/api-programs.ts'
import { cachefront, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

const GROUP = ['--replication-group-id', 'shop']
/** How far the clock is moved. Hours. */
const FROM_HOURS = 3
const HOUR_MS = 3_600_000
const PATIENCE_MS = 60_000

/** The maintenance window of an hour in whose middle it is `FROM_HOURS` from now, e.g. `sun:05:00-sun:06:00`. */
function laterWindow(): string {
  const shown = (ms: number): string => {
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][new Date(ms).getUTCDay()]
    return `${day}:${new Date(ms).toISOString().slice(11, 16)}`
  }
  const from = Date.now() + FROM_HOURS * HOUR_MS - HOUR_MS / 2
  return `${shown(from)}-${shown(from + HOUR_MS)}`
}

describe('changes of a replication group of the running program', { timeout: 240_000 }, () => {
  let home: string
  let running: Installation
  before(async () => {
    home = await newHome()
    running = await up(home, '--movable-clock')
  })
  after(() => endAll(home))

  const cli = (...args: string[]) => awsJson(running.api, 'elasticache', ...args)
  const seen = async () => (await cli('describe-replication-groups', ...GROUP)).ReplicationGroups[0]

  /** Looks until `accepts` does not throw; its last error otherwise. */
  async function until<T>(accepts: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      try {
        return await accepts()
      } catch (error) {
        if (performance.now() > deadline) throw error
        await sleep(100)
      }
    }
  }

  /** The group once it is available with this many members. */
  const availableWith = (members: number) =>
    until(async () => {
      const group = await seen()
      assert.equal(group.Status, 'available')
      assert.equal(group.MemberClusters.length, members)
      return group
    })
  // biome-ignore lint/suspicious/noExplicitAny: what the AWS CLI prints
  const primaryOf = (group: any): string =>
    group.NodeGroups[0].NodeGroupMembers.find((one: { CurrentRole: string }) => one.CurrentRole === 'primary')
      .CacheClusterId

  async function at<T>(endpoint: { Address: string; Port: number }, ask: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(endpoint.Port, endpoint.Address, { retryStrategy: () => 10, maxRetriesPerRequest: null })
    redis.on('error', () => {})
    return ask(redis).finally(() => redis.disconnect())
  }

  test('replicas come by number and go by name, with the AWS CLI', async () => {
    await cli(
      'create-replication-group',
      ...GROUP,
      ...['--replication-group-description', 'a shop', '--engine', 'redis', '--engine-version', '7.0'],
      ...['--cache-node-type', 'cache.t4g.micro', '--num-cache-clusters', '2', '--automatic-failover-enabled'],
    )
    const made = await availableWith(2)
    await at(made.NodeGroups[0].PrimaryEndpoint, (redis) => redis.set('kept', 'yes'))
    const more = await cli('increase-replica-count', ...GROUP, '--new-replica-count', '2', '--apply-immediately')
    assert.equal(more.ReplicationGroup.Status, 'modifying')
    const grown = await availableWith(3)
    assert.deepEqual(grown.MemberClusters, ['shop-001', 'shop-002', 'shop-003'])
    const wrong = ['--replicas-to-remove', primaryOf(grown), '--apply-immediately']
    const refused = await aws(running.api, 'elasticache', 'decrease-replica-count', ...GROUP, ...wrong)
    assert.match(refused.stderr, /\(InvalidParameterValue\).*is the primary/)
    const less = ['--replicas-to-remove', 'shop-002', '--apply-immediately']
    assert.equal((await cli('decrease-replica-count', ...GROUP, ...less)).ReplicationGroup.Status, 'modifying')
    const left = await availableWith(2)
    assert.deepEqual(left.MemberClusters, ['shop-001', 'shop-003'])
    assert.equal(await at(left.NodeGroups[0].ReaderEndpoint, (redis) => redis.get('kept')), 'yes')
  })

  test('a test failover makes the replica primary', async () => {
    const old = primaryOf(await seen())
    const answer = await cli('test-failover', ...GROUP, '--node-group-id', '0001')
    assert.equal(answer.ReplicationGroup.Status, 'modifying')
    const now = await until(async () => {
      const group = await availableWith(2)
      assert.notEqual(primaryOf(group), old)
      return group
    })
    assert.equal(await at(now.NodeGroups[0].PrimaryEndpoint, (redis) => redis.get('kept')), 'yes')
  })

  test('a version waits for the window, and comes when the clock is moved into it', async () => {
    const wanted = ['--engine-version', '7.1', '--no-apply-immediately']
    const window = ['--preferred-maintenance-window', laterWindow()]
    const modified = await cli('modify-replication-group', ...GROUP, ...wanted, ...window)
    assert.equal(modified.ReplicationGroup.Status, 'available')
    const member = async () => (await cli('describe-cache-clusters', '--cache-cluster-id', 'shop-001')).CacheClusters[0]
    const waiting = await member()
    assert.equal(waiting.PendingModifiedValues.EngineVersion, '7.1.0')
    assert.match(waiting.EngineVersion, /^7\.0\./)
    const moved = await cachefront(home, 'clock', 'advance', `${FROM_HOURS}h`)
    assert.equal(moved.code, 0, moved.err)
    await until(async () => assert.match((await member()).EngineVersion, /^7\.1\./))
    const now = await availableWith(2)
    assert.equal((await member()).PendingModifiedValues.EngineVersion, undefined)
    assert.equal(await at(now.NodeGroups[0].PrimaryEndpoint, (redis) => redis.get('kept')), 'yes')
    // The host has one binary of redis: nothing is newer than what runs.
    assert.deepEqual((await cli('describe-update-actions')).UpdateActions, [])
  })

  test('the same from boto3', async () => {
    const ended = await runAwsProgram('/usr/bin/python3', ['-c', BOTO3], running.api)
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(JSON.parse(ended.stdout), {
      grown: 3,
      left: ['shop-001', 'shop-003'],
      failedOver: true,
      pending: 'cache.t4g.small',
      type: 'cache.t4g.micro',
      actions: [],
    })
  })
})

const BOTO3 = `
import boto3, datetime, json, os, time
ec, out = boto3.client('elasticache', endpoint_url=os.environ['ENDPOINT']), {}
def seen():
    return ec.describe_replication_groups(ReplicationGroupId='shop')['ReplicationGroups'][0]
def primary(group):
    return [m['CacheClusterId'] for m in group['NodeGroups'][0]['NodeGroupMembers'] if m.get('CurrentRole') == 'primary']
def until(accepts):
    for _ in range(400):
        group = seen()
        if group['Status'] == 'available' and accepts(group):
            return group
        time.sleep(0.1)
    raise Exception('not so in time: %s' % group)
old = primary(seen())
ec.increase_replica_count(ReplicationGroupId='shop', NewReplicaCount=2, ApplyImmediately=True)
out['grown'] = len(until(lambda g: len(g['MemberClusters']) == 3)['MemberClusters'])
ec.decrease_replica_count(ReplicationGroupId='shop', ReplicasToRemove=['shop-002'], ApplyImmediately=True)
out['left'] = until(lambda g: len(g['MemberClusters']) == 2)['MemberClusters']
ec.test_failover(ReplicationGroupId='shop', NodeGroupId='0001')
out['failedOver'] = primary(until(lambda g: primary(g) != old)) != old
ec.modify_replication_group(ReplicationGroupId='shop', CacheNodeType='cache.t4g.small', ApplyImmediately=False,
    PreferredMaintenanceWindow=(datetime.datetime.utcnow() + datetime.timedelta(days=3)).strftime('%a').lower() + ':05:00-'
    + (datetime.datetime.utcnow() + datetime.timedelta(days=3)).strftime('%a').lower() + ':06:00')
member = ec.describe_cache_clusters(CacheClusterId='shop-001')['CacheClusters'][0]
out['pending'], out['type'] = member['PendingModifiedValues']['CacheNodeType'], member['CacheNodeType']
out['actions'] = ec.describe_update_actions(ReplicationGroupIds=['shop'], ServiceUpdateTimeRange={
    'StartTime': datetime.datetime(2020, 1, 1)})['UpdateActions']
print(json.dumps(out))
`
