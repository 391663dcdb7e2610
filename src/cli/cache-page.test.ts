import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplicationGroup } from '@aws-sdk/client-elasticache'
import { clientsIn } from '../services/cachefront/cache-clients-route.ts'
import { consolePage, type PageSources, waitingChanges } from './cache-page.ts'

const SOURCES: PageSources = {
  group: null,
  clusters: [
    { CacheClusterId: 'shop', Engine: 'redis', SecurityGroups: [{ SecurityGroupId: 'sg-1', Status: 'active' }] },
  ],
  subnetGroup: null,
  updateActions: [],
  seen: null,
  clients: [],
}

const page = (group: ReplicationGroup, more: Partial<PageSources> = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(consolePage({ ...SOURCES, group, ...more }))

test('a group with TLS and a token', () => {
  const changed = new Date('2026-01-31T12:00:00Z')
  const shown = page({
    TransitEncryptionEnabled: true,
    TransitEncryptionMode: 'preferred',
    AuthTokenEnabled: true,
    AuthTokenLastModifiedDate: changed,
  })
  assert.equal(shown['Encryption in transit'], 'Enabled')
  assert.equal(shown['Transit encryption mode'], 'Preferred')
  assert.equal(shown['AUTH default user access'], 'Enabled')
  assert.equal(shown['AUTH token last modified'], changed.toISOString())
  assert.equal(shown['User group'], '-')
  assert.equal(shown['Security groups'], 'sg-1 (active)')
})

test('a group with a user group, encrypted at rest', () => {
  const shown = page({ UserGroupIds: ['team'], AtRestEncryptionEnabled: true })
  assert.equal(shown['AUTH default user access'], 'User group access control list')
  assert.equal(shown['User group'], 'team')
  assert.equal(shown['User group association status'], 'Active')
  assert.equal(shown['Encryption at rest'], 'Enabled')
  assert.equal(shown['Encryption key'], 'Default')
  const key = 'arn:aws:kms:us-east-1:123456789012:key/1'
  assert.equal(page({ AtRestEncryptionEnabled: true, KmsKeyId: key })['Encryption key'], key)
  const adding = { PendingModifiedValues: { UserGroups: { UserGroupIdsToAdd: ['team'] } } }
  assert.equal(page(adding)['User group association status'], 'Associating')
  assert.equal(page(adding)['User group'], 'team')
  const removing = { UserGroupIds: ['team'], PendingModifiedValues: { UserGroups: { UserGroupIdsToRemove: ['team'] } } }
  assert.equal(page(removing)['User group association status'], 'Disassociating')
})

test('the update status is the worst of the update actions', () => {
  const status = (...actions: ('complete' | 'not-applied' | 'in-progress')[]) =>
    page({}, { updateActions: actions.map((UpdateActionStatus) => ({ UpdateActionStatus })) })['Update status']
  assert.equal(status(), 'Up to date')
  assert.equal(status('complete'), 'Up to date')
  assert.equal(status('complete', 'not-applied'), 'Update available')
  assert.equal(status('not-applied', 'in-progress'), 'Update in progress')
  assert.equal(page({}, { updateActions: null })['Update status'], '-')
})

test('connected are the addresses of clients, not the keeper and not the replicas', () => {
  const lines = [
    'id=1 addr=127.16.0.1:5000 laddr=127.16.0.2:6379 name= flags=N user=default',
    'id=2 addr=127.16.0.1:5001 laddr=127.16.0.2:6379 name= flags=N user=default',
    'id=3 addr=10.0.0.9:5001 laddr=127.16.0.2:6379 name=a flags=P user=app',
    'id=4 addr=127.0.0.1:5002 laddr=127.16.0.2:6379 name= flags=N user=cachefront-admin',
    'id=5 addr=127.16.0.3:5003 laddr=127.16.0.2:6379 name= flags=S user=default',
  ]
  assert.deepEqual(clientsIn([lines.join('\n'), '']), ['10.0.0.9', '127.16.0.1'])
})

test('what waits for the maintenance window is told with its time; what is under way is not', () => {
  const cluster = {
    CacheClusterId: 'shop-001',
    CacheClusterStatus: 'available',
    PreferredMaintenanceWindow: 'wed:03:30-wed:04:30',
    PendingModifiedValues: { EngineVersion: '7.1.0', CacheNodeType: 'cache.t4g.small' },
  }
  assert.deepEqual(waitingChanges({ ...SOURCES, clusters: [cluster] }).slice(1), [
    'shop-001: engine version 7.1.0, node type cache.t4g.small, in wed:03:30-wed:04:30 (UTC)',
  ])
  assert.deepEqual(waitingChanges({ ...SOURCES, clusters: [{ ...cluster, CacheClusterStatus: 'modifying' }] }), [])
  assert.deepEqual(waitingChanges(SOURCES), [])
})
