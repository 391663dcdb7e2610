//! Which of ElastiCache's notified events are emitted, and where: each row of the table has the file that writes its words,
//! or the reason why nothing here does.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { NOTIFICATIONS, notificationName } from '../../src/domain/cache-notifications.ts'

const SOURCE = join(import.meta.dirname, '../../src')

/** By the message's beginning. */
const EMITTED: readonly (readonly [beginning: string, file: string])[] = [
  ['Finished modifying number of nodes from ', 'control/plan/status-events.ts'],
  ['Updated parameter ', 'services/elasticache/parameter-groups.ts'],
  ['Updated to use a CacheParameterGroup ', 'services/elasticache/modify-cache-cluster.ts'],
  ['Cache cluster created', 'control/plan/status-events.ts'],
  ['Succeeded applying modification to cache node type to ', 'control/plan/status-events.ts'],
  ['Applied change to security group', 'control/plan/status-events.ts'],
  ['Recovering cache nodes ', 'control/plan/caches-events.ts'],
  ['Finished recovery for cache nodes ', 'control/plan/caches-events.ts'],
  ['Cache node ', 'control/plan/caches-events.ts'],
  ['Cache cluster deleted', 'control/plan/status-events.ts'],
  ['Failover from primary node ', 'control/plan/caches-events.ts'],
  ['Removed cache nodes ', 'control/plan/status-events.ts'],
  ['Snapshot succeeded for snapshot with ID ', 'control/plan/snapshots.ts'],
  ['Snapshot failed for snapshot with ID ', 'control/plan/snapshots.ts'],
  ['Replication group created', 'control/plan/status-events.ts'],
  ['Certificate renewal complete', 'control/plan/caches-events.ts'],
]

const NOT_EMITTED = new Map([
  ['AddCacheNodeFailed', 'a network of 65,000 addresses does not run out; a node that cannot start is tried again'],
  ['CacheClusterProvisioningFailed', 'a cluster has no failed status here: its engine is tried again'],
  ['CacheClusterScalingFailed', 'a change that does not come about is pending until it does'],
  ['ServiceUpdateAvailableForNode', 'update actions are told by DescribeUpdateActions'],
  ['NodeReplacementScheduled', 'nothing here schedules the replacement of a node'],
])

test('each message of the table is written by the file that is said to', async () => {
  for (const [beginning, file] of EMITTED) {
    const text = await readFile(join(SOURCE, file), 'utf8')
    assert.ok(text.includes(beginning), `${file} does not write "${beginning}"`)
    assert.ok(
      NOTIFICATIONS.some(({ example }) => example.startsWith(beginning)),
      `no notification begins with "${beginning}"`,
    )
  }
})

test('each notification is emitted, or it is said why not', () => {
  for (const { name, example } of NOTIFICATIONS) {
    const isEmitted = EMITTED.some(([beginning]) => example.startsWith(beginning))
    assert.notEqual(isEmitted, NOT_EMITTED.has(name), name)
  }
})

test('a changed number of replicas is told of the group under its own name, fewer under none', () => {
  const message = (from: number, to: number) => `Finished modifying number of nodes from ${from} to ${to}`
  assert.equal(notificationName('cache-cluster', message(1, 2)), 'AddCacheNodeComplete')
  assert.equal(notificationName('replication-group', message(2, 3)), 'ReplicationGroupIncreaseReplicaCountFinished')
  assert.equal(notificationName('replication-group', message(3, 2)), null)
})
