import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { wafLogDestination } from './log-destination.ts'

const ROWS: readonly [string, ReturnType<typeof wafLogDestination>][] = [
  [
    'arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-shop',
    { kind: 'cloudwatch-logs', name: 'aws-waf-logs-shop', prefix: '' },
  ],
  [
    'arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-a/b:*',
    { kind: 'cloudwatch-logs', name: 'aws-waf-logs-a/b', prefix: '' },
  ],
  [
    'arn:aws:firehose:us-east-1:123456789012:deliverystream/aws-waf-logs-x',
    { kind: 'kinesis-firehose', name: 'aws-waf-logs-x', prefix: '' },
  ],
  ['arn:aws:s3:::aws-waf-logs-x/some/prefix', { kind: 's3', name: 'aws-waf-logs-x', prefix: 'some/prefix' }],
  ['arn:aws:logs:us-east-1:123456789012:log-group:shop', null],
  ['arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-/../../../etc', null],
  ['arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-a//b', null],
  ['arn:aws:sqs:us-east-1:123456789012:aws-waf-logs-x', null],
  ['', null],
]

describe('destinations of logs of web ACLs', () => {
  for (const [arn, expected] of ROWS)
    it(`${arn}: ${expected?.kind ?? 'none'}`, () => assert.deepEqual(wafLogDestination(arn), expected))
})
