import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as acm from '@aws-sdk/client-acm'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import * as cloudwatch from '@aws-sdk/client-cloudwatch'
import * as elasticache from '@aws-sdk/client-elasticache'
import * as wafv2 from '@aws-sdk/client-wafv2'
import { ROLES } from './access-keys.ts'
import { isChange, PERMISSIONS, rolesFor } from './permissions.ts'

const OPERATIONS = Object.entries({ acm, cloudfront, elasticache, monitoring: cloudwatch, wafv2 }).flatMap(
  ([service, sdk]) =>
    Object.keys(sdk)
      .filter((name) => /^[A-Z].*Command$/.test(name) && name !== '$Command')
      .map((name) => [service, name.replace(/Command$/, '')] as const),
)

test('each role is a subset of the next, and an admin may call everything', () => {
  assert.ok(OPERATIONS.length > 350, `${OPERATIONS.length} operations of the SDK`)
  for (const [service, operation] of OPERATIONS) {
    const roles = rolesFor(service, operation)
    assert.ok(roles.includes('admin'), `${service} ${operation}`)
    if (roles.includes('read-only') || roles.includes('invalidator')) assert.ok(roles.includes('operator'), operation)
    // Whoever may only read changes nothing.
    if (isChange(service, operation)) assert.ok(!roles.includes('read-only'), operation)
  }
})

test('no operation of a service that is here is left to the last row by accident', () => {
  const known = PERMISSIONS.slice(0, -1)
  const last = PERMISSIONS.at(-1)
  assert.deepEqual(last?.operations, ['*'])
  const strangers = OPERATIONS.filter(([service, operation]) => {
    const roles = rolesFor(service, operation)
    return roles === last?.roles && !known.some((row) => row.service === service && row.operations.includes(operation))
  })
  assert.deepEqual(strangers.map((one) => one.join(' ')).sort(), ['wafv2 GenerateMobileSdkReleaseUrl'])
})

test('what each role may do', () => {
  const may = (service: string, operation: string) =>
    ROLES.filter((role) => rolesFor(service, operation).includes(role)).join(' ')
  const all = 'admin operator invalidator read-only'
  for (const [service, operation, roles] of [
    ['sts', 'GetCallerIdentity', all],
    ['cloudfront', 'CreateInvalidation', 'admin operator invalidator'],
    ['cloudfront', 'ListInvalidations', all],
    ['cloudfront', 'GetDistributionConfig', all],
    ['cloudfront', 'GetCachePolicy', 'admin operator read-only'],
    ['cloudfront', 'CreateDistribution', 'admin operator'],
    ['cloudfront', 'TagResource', 'admin operator'],
    ['elasticache', 'DescribeReplicationGroups', 'admin operator read-only'],
    ['elasticache', 'ModifyUser', 'admin operator'],
    ['acm', 'RequestCertificate', 'admin operator'],
    ['acm', 'ExportCertificate', 'admin'],
    ['acm', 'GetCertificate', 'admin operator read-only'],
    ['monitoring', 'GetMetricData', 'admin operator read-only'],
    ['wafv2', 'UpdateWebACL', 'admin operator'],
    ['wafv2', 'GetSampledRequests', 'admin operator read-only'],
    ['newservice', 'ObliterateThing', 'admin'],
    ['newservice', 'DescribeThing', 'admin operator read-only'],
    ['cachefront', 'GET /_cachefront/health', all],
    ['cachefront', 'GET /_cachefront/traces/*', 'admin operator read-only'],
    ['cachefront', 'GET /_cachefront/keys', 'admin'],
    ['cachefront', 'POST /_cachefront/keys/rotate', 'admin'],
    ['cachefront', 'POST /_cachefront/invalidations', 'admin operator invalidator'],
    ['cachefront', 'POST /_cachefront/clock', 'admin operator'],
    ['cachefront', 'POST /_cachefront/stop', 'admin'],
    ['cachefront', 'POST /_cachefront/something-new', 'admin'],
  ] as const) {
    assert.equal(may(service, operation), roles, `${service} ${operation}`)
  }
})
