//! Names, windows, node types and versions: what is accepted and what a person is told otherwise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as SDK from '@aws-sdk/client-elasticache'
import { newName } from './cache-names.ts'
import { ELASTICACHE_FAULTS } from './elasticache-faults.ts'
import { chooseVersion, servedVersions, shownVersion } from './engine-versions.ts'
import type { Fault } from './faults.ts'
import { NODE_TYPES, nodeType } from './node-types.ts'
import {
  chosenMaintenanceWindow,
  chosenSnapshotWindow,
  maintenanceWindow,
  snapshotWindow,
  windowsOverlap,
} from './windows.ts'

const code =
  (wanted: string, words = /./) =>
  (error: Fault) => {
    assert.equal(error.code, wanted, error.message)
    assert.match(error.message, words)
    return true
  }

test('the error table is the SDK model', () => {
  // An error schema of the SDK: [-3, namespace, name, traits, ...].
  type ErrorSchema = readonly [number, string, string, { readonly awsQueryError?: readonly [string, number] }]
  const errors = Object.values(SDK).flatMap((value) => {
    const schema = value as unknown as ErrorSchema
    return Array.isArray(value) && schema[0] === -3 && schema[3].awsQueryError ? [schema[3].awsQueryError] : []
  })
  assert.ok(errors.length > 60)
  const ours = Object.entries(ELASTICACHE_FAULTS).filter(([name]) => name !== 'MissingParameter')
  assert.deepEqual(new Map(ours.sort()), new Map(errors.sort().map(([name, status]) => [name, status])))
})

test('ids are lower-cased, then checked', () => {
  assert.equal(newName('cluster', 'My-Cache-1'), 'my-cache-1')
  for (const bad of ['1abc', 'a--b', 'ab-', '-ab', 'a_b', 'a'.repeat(51), 'käse', 'a b']) {
    assert.throws(() => newName('cluster', bad), code('InvalidParameterValue', /CacheClusterId/), bad)
  }
  assert.throws(() => newName('replicationGroup', 'a'.repeat(41)), code('InvalidParameterValue'))
  assert.throws(() => newName('cluster', undefined), code('MissingParameter'))
})

test('windows', () => {
  assert.equal(maintenanceWindow('Sun:23:30-Mon:00:30'), 'sun:23:30-mon:00:30')
  assert.equal(maintenanceWindow('sat:23:30-sun:00:30'), 'sat:23:30-sun:00:30')
  for (const bad of ['sun:05:00-sun:05:59', 'sun:05:00', 'xyz:05:00-sun:06:00', 'sun:25:00-sun:26:30', '']) {
    assert.throws(() => maintenanceWindow(bad), code('InvalidParameterValue'), bad)
  }
  assert.equal(snapshotWindow('23:30-00:30'), '23:30-00:30')
  assert.throws(() => snapshotWindow('05:00-05:30'), code('InvalidParameterValue'))
  for (const pick of [0, 0.1, 0.33, 0.5, 0.77, 0.999]) {
    maintenanceWindow(chosenMaintenanceWindow(pick))
    for (const maintenance of ['sun:05:00-sun:06:00', 'mon:00:00-mon:23:00', chosenMaintenanceWindow(pick)]) {
      assert.ok(!windowsOverlap(maintenance, snapshotWindow(chosenSnapshotWindow(pick, maintenance))))
    }
  }
})

test('node types', () => {
  assert.equal(nodeType('cache.t3.micro').maxmemory, 536870912)
  assert.equal(nodeType('cache.m5.24xlarge').vcpus, 96)
  assert.ok(!NODE_TYPES.has('cache.m5.16xlarge'))
  assert.throws(() => nodeType('cache.t2.micro'), code('InvalidParameterValue', /no longer/))
  assert.throws(() => nodeType('db.t3.micro'), code('InvalidParameterValue', /not a node type/))
})

test('versions: what is installed decides, and the error names the package', () => {
  const host = [
    { engine: 'redis', version: '7.0.15' },
    { engine: 'memcached', version: '1.6.18' },
  ]
  assert.equal(chooseVersion('redis', '7.0', host).version, '7.0')
  assert.equal(chooseVersion('redis', undefined, host).version, '7.1')
  assert.equal(chooseVersion('memcached', '1.6.22', host).family, 'memcached1.6')
  assert.throws(() => chooseVersion('redis', '6.2', host), code('InvalidParameterValue', /7\.0/))
  assert.throws(() => chooseVersion('redis', '7.0.7', host), code('InvalidParameterValue'))
  assert.throws(
    () => chooseVersion('valkey', '8.1', host),
    code('InsufficientCacheClusterCapacity', /apt-get install valkey-server/),
  )
  assert.throws(
    () => chooseVersion('valkey', '8.1', [{ engine: 'valkey', version: '7.2.6' }]),
    code('InvalidParameterValue', /valkey-server in version 8\.1/),
  )
  assert.deepEqual(
    servedVersions(host).map((v) => `${v.engine} ${v.version}`),
    ['memcached 1.6.6', 'memcached 1.6.12', 'memcached 1.6.17', 'memcached 1.6.22', 'redis 7.0', 'redis 7.1'],
  )
  assert.equal(shownVersion('redis', '7.0', '7.0.15'), '7.0.15')
  assert.equal(shownVersion('redis', '7.1', '7.0.15'), '7.1.0')
})
