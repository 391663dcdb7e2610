import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OriginSeen } from '../../edge/feed-protocol.ts'
import { mergeOrigins } from './origins.ts'

const seen = (changes: Partial<OriginSeen>): OriginSeen => ({
  ...{ distributionId: 'E1', originId: 'a', requests: 1, failovers: 0, failures: {}, last: null, failing: false },
  ...changes,
})
const last = (at: string) => ({ kind: 'refused' as const, message: at, at })

test('what workers have seen of one origin is added up; the newest failure stays', () => {
  const [a, ...others] = mergeOrigins([
    seen({ requests: 3, failovers: 1, failures: { refused: 2, dns: 1 }, last: last('2026-01-02') }),
    seen({ requests: 4, failures: { refused: 1 }, last: last('2026-01-01'), failing: true }),
    seen({ requests: 2, originId: 'b' }),
    seen({ requests: 1, distributionId: 'E2' }),
  ])
  assert.deepEqual(
    a,
    seen({ requests: 7, failovers: 1, failures: { refused: 3, dns: 1 }, last: last('2026-01-02'), failing: true }),
  )
  assert.deepEqual(
    others.map(({ distributionId, originId }) => `${distributionId} ${originId}`),
    ['E1 b', 'E2 a'],
  )
})
