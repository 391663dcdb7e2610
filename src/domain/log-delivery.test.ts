import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTIFICATIONS, notificationBody, notificationName } from './cache-notifications.ts'
import { engineLogLine, logStreamName, slowLogLine, slowLogSince } from './log-delivery.ts'

const source = { clusterId: 'shop-001', nodeId: '0001' }
const entry = {
  id: 296,
  at: 1_605_631_822,
  duration: 12_345,
  args: ['SET', 'a\nb', '... (3 more arguments)'],
  clientAddress: '192.168.12.104:55452',
  clientName: 'worker',
}

test('slow commands are written as AWS writes them', () => {
  assert.equal(
    slowLogLine(source, entry, 'json'),
    '{"CacheClusterId":"shop-001","CacheNodeId":"0001","Id":296,"Timestamp":1605631822,"Duration (us)":12345,' +
      '"Command":"SET a\\nb ... (3 more arguments)","ClientAddress":"192.168.12.104:55452","ClientName":"worker"}',
  )
  assert.equal(
    slowLogLine(source, entry, 'text'),
    'shop-001,0001,1605631822,12345,SET a\\nb ... (3 more arguments),192.168.12.104:55452,worker',
  )
})

test('lines of the engine are written as AWS writes them', () => {
  const line = '4711:M 12 Nov 2020 01:28:57.994 # Server started'
  assert.equal(
    engineLogLine(source, line, 'json'),
    '{"CacheClusterId":"shop-001","CacheNodeId":"0001","LogLevel":"WARNING","Role":"M",' +
      '"Time":"12 Nov 2020 01:28:57.994 UTC","Message":"Server started"}',
  )
  assert.equal(engineLogLine(source, line, 'text'), 'shop-001/0001:M 12 Nov 2020 01:28:57.994 UTC # Server started')
  const levels = ['.', '-', '*', '#'].map(
    (symbol) => JSON.parse(engineLogLine(source, `1:S 01 Jan 2026 00:00:00.000 ${symbol} x`, 'json')).LogLevel,
  )
  assert.deepEqual(levels, ['DEBUG', 'VERBOSE', 'NOTICE', 'WARNING'])
})

test('a line without a head is a message alone', () => {
  const text = '=== REDIS BUG REPORT START'
  const expected = { CacheClusterId: 'shop-001', CacheNodeId: '0001', Message: text }
  assert.deepEqual(JSON.parse(engineLogLine(source, text, 'json')), expected)
  assert.equal(engineLogLine(source, text, 'text'), `shop-001/0001:${text}`)
})

test('streams have the names of CloudWatch', () => {
  assert.equal(logStreamName('redis', source, 'slow-log'), 'elasticache/redis/shop-001/0001/slow-log')
})

test('slow commands are told once, of a new process all, and those that went by are counted', () => {
  const entries = [7, 6, 5].map((id) => ({ ...entry, id }))
  const ids = (process: string, id: number) => {
    const { fresh, missed } = slowLogSince('a', entries, { process, id })
    return [...fresh.map((one) => one.id), `missed ${missed}`]
  }
  assert.deepEqual(ids('a', 5), [6, 7, 'missed 0'])
  assert.deepEqual(ids('a', 7), ['missed 0'])
  assert.deepEqual(ids('a', 2), [5, 6, 7, 'missed 2'])
  assert.deepEqual(ids('b', 900), [5, 6, 7, 'missed 5'])
})

test('each notification of the table is told by its message, and by the first row that fits', () => {
  for (const { name, example } of NOTIFICATIONS) assert.equal(notificationName('cache-cluster', example), name, example)
  const scaled = 'Succeeded applying modification to cache node type to cache.m7g.large.'
  assert.equal(notificationName('replication-group', scaled), 'ReplicationGroupScalingComplete')
  assert.equal(notificationName('cache-cluster', 'Cache node 0001 shutdown'), null)
})

test('the body of a notification is as SNS posts it', () => {
  const body = notificationBody({
    messageId: '4b1e',
    topicArn: 'arn:aws:sns:us-east-1:123456789012:alerts',
    sourceId: 'shop',
    name: 'FailoverComplete',
    at: '2026-01-31T12:34:56.789Z',
  })
  assert.deepEqual(JSON.parse(body), {
    Type: 'Notification',
    MessageId: '4b1e',
    TopicArn: 'arn:aws:sns:us-east-1:123456789012:alerts',
    Subject: 'ElastiCache Notification Message',
    Message: '{"ElastiCache:FailoverComplete":"shop"}',
    Timestamp: '2026-01-31T12:34:56.789Z',
  })
})
