import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entriesOf, matches } from './audit-entries.ts'

const caller = { keyId: 'AKIA1', name: 'ann', role: 'operator', verified: true, address: '10.0.0.1' }
const change = (requestId: string, operation: string, event = 'change') =>
  JSON.stringify({ time: 't', event, requestId, caller, service: 'cloudfront', operation, resources: { Id: 'E1' } })

test('a change and what came of it are one entry; a torn line and one without an outcome are no trouble', () => {
  const entries = entriesOf(
    [
      change('1', 'CreateDistribution'),
      change('2', 'DeleteDistribution'),
      '{"time":"t","event":"outcome","requestId":"1","status":201,"code":null,"resources":{"Distribution.Id":"E2"}}',
      '{"time":"t","event":"chan',
      change('3', 'UpdateDistribution'),
      '{"time":"t","event":"outcome","requestId":"3","status":412,"code":"PreconditionFailed","resources":{}}',
      `${change('4', 'TagResource', 'denied').slice(0, -1)},"code":"AccessDenied"}`,
      '{"time":"t","event":"outcome","requestId":"of an earlier file","status":200,"code":null,"resources":{}}',
      'null',
      '',
    ].join('\n'),
  )
  assert.deepEqual(
    entries.map(({ operation, outcome, resources }) => [operation, outcome, Object.values(resources).join(' ')]),
    [
      ['CreateDistribution', 'done', 'E1 E2'],
      ['DeleteDistribution', 'unknown', 'E1'],
      ['UpdateDistribution', 'PreconditionFailed', 'E1'],
      ['TagResource', 'AccessDenied', 'E1'],
    ],
  )
  const those = (wanted: { key?: string; operation?: string }) => entries.filter((one) => matches(one, wanted)).length
  assert.deepEqual(
    [
      those({}),
      those({ key: 'ann' }),
      those({ key: 'AKIA1' }),
      those({ key: 'x' }),
      those({ operation: 'distribution' }),
    ],
    [4, 4, 4, 0, 3],
  )
})
