import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogDeliveryConfigurationRequest } from '@aws-sdk/client-elasticache'
import { elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import type { LogDeliveryRecord } from '../../domain/log-delivery.ts'
import { logDeliveryAfter, logDeliveryAtOnce, logDeliveryView, pendingLogDelivery } from './log-delivery.ts'
import { observationAfter } from './observation-settings.ts'

const SLOW: LogDeliveryConfigurationRequest = {
  LogType: 'slow-log',
  DestinationType: 'cloudwatch-logs',
  DestinationDetails: { CloudWatchLogsDetails: { LogGroup: '/aws/vendedlogs/shop' } },
  LogFormat: 'json',
}
const ENGINE: LogDeliveryConfigurationRequest = {
  LogType: 'engine-log',
  DestinationType: 'kinesis-firehose',
  DestinationDetails: { KinesisFirehoseDetails: { DeliveryStream: 'engine' } },
  LogFormat: 'text',
  Enabled: true,
}
const active = (records: readonly LogDeliveryRecord[]): readonly LogDeliveryRecord[] =>
  records.map((record) => ({ ...record, status: 'active' }))

test('what is asked for is enabling, changed modifying, taken away disabling; the same again changes nothing', () => {
  const made = logDeliveryAfter([ENGINE, SLOW], 'redis', [])
  assert.deepEqual(
    made.map(({ logType, status }) => [logType, status]),
    [
      ['slow-log', 'enabling'],
      ['engine-log', 'enabling'],
    ],
  )
  assert.equal(pendingLogDelivery(made).LogDeliveryConfigurations?.length, 2)
  const there = active(made)
  assert.deepEqual(logDeliveryAfter([SLOW], 'redis', there), there)
  assert.deepEqual(pendingLogDelivery(there), {})
  const changed = logDeliveryAfter([{ ...SLOW, LogFormat: 'text' }], 'redis', there)
  assert.deepEqual(logDeliveryView(changed[0]!), { ...SLOW, LogFormat: 'text', Status: 'modifying' })
  const less = logDeliveryAfter([{ LogType: 'engine-log', Enabled: false }], 'redis', there)
  assert.deepEqual(
    less.map(({ status }) => status),
    ['active', 'disabling'],
  )
  assert.deepEqual(logDeliveryAfter([{ LogType: 'engine-log', Enabled: false }], 'redis', []), [])
})

test('a configuration that cannot be is refused with its code', async () => {
  const refused = (request: unknown, code: string, words: RegExp, engine: 'redis' | 'memcached' = 'redis') =>
    fails(async () => logDeliveryAfter([request as LogDeliveryConfigurationRequest], engine, []), code, words)
  await refused(SLOW, 'InvalidParameterCombination', /Memcached/, 'memcached')
  await refused({ ...SLOW, LogType: 'audit-log' }, 'InvalidParameterValue', /LogType/)
  await refused({ ...SLOW, DestinationType: 's3' }, 'InvalidParameterValue', /DestinationType/)
  await refused({ ...SLOW, LogFormat: 'xml' }, 'InvalidParameterValue', /LogFormat/)
  await refused({ ...SLOW, DestinationDetails: {} }, 'InvalidParameterCombination', /LogGroup/)
  await refused({ ...SLOW, DestinationDetails: ENGINE.DestinationDetails }, 'InvalidParameterCombination', /LogGroup/)
  for (const LogGroup of ['', 'a b', '../up', 'a/../../b', 'x'.repeat(513)]) {
    const details = { CloudWatchLogsDetails: { LogGroup } }
    await refused({ ...SLOW, DestinationDetails: details }, 'InvalidParameterValue', /LogGroup/)
  }
  await fails(async () => logDeliveryAfter([SLOW, SLOW], 'redis', []), 'InvalidParameterCombination', /more than one/)
  await fails(async () => logDeliveryAtOnce([SLOW], undefined), 'InvalidParameterCombination', /ApplyImmediately/)
  logDeliveryAtOnce([SLOW], true)
  logDeliveryAtOnce(undefined, undefined)
})

test('a topic needs a webhook and is of this account and region', async (t) => {
  const arn = 'arn:aws:sns:us-east-1:123456789012:alerts'
  const context = { ...(await elasticacheContext(t)), topics: new Set([arn]) }
  const after = (input: object, before = {}) => observationAfter(input, 'redis', before, context)
  const there = { notificationTopicArn: arn, notificationTopicStatus: 'active' }
  assert.deepEqual(after({}), {})
  assert.deepEqual(after({ NotificationTopicArn: arn }), there)
  assert.deepEqual(after({ NotificationTopicStatus: 'inactive' }, there), {
    ...there,
    notificationTopicStatus: 'inactive',
  })
  const refused = (input: object, code: string, words: RegExp) => fails(async () => after(input), code, words)
  await refused({ NotificationTopicArn: 'alerts' }, 'InvalidParameterValue', /no ARN of a topic/)
  await refused({ NotificationTopicArn: arn.replace('us-east-1', 'eu-west-1') }, 'InvalidParameterValue', /us-east-1/)
  await refused({ NotificationTopicArn: `${arn}2` }, 'InvalidParameterValue', /--topic/)
  await refused({ NotificationTopicArn: arn, NotificationTopicStatus: 'off' }, 'InvalidParameterValue', /inactive/)
  await refused({ NotificationTopicStatus: 'active' }, 'InvalidParameterCombination', /NotificationTopicArn/)
})
