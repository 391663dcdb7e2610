import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OriginSeen } from '../../edge/feed-protocol.ts'
import { LABELLED_MAX, originMetrics } from './origin-metrics.ts'

const seen = (originId: string, requests: number, changes: Partial<OriginSeen> = {}): OriginSeen => ({
  ...{ distributionId: 'E1', originId, requests, failovers: 0, failures: {}, last: null, failing: false },
  ...changes,
})

test('no origin has been asked: no metric', () => {
  assert.equal(originMetrics([]), '')
})

test('an origin has its counts by name, failures by kind', () => {
  const lines = originMetrics([
    seen('a"b', 5, { failovers: 1, failures: { refused: 2, '5xx': 1 }, failing: true }),
  ]).split('\n')
  for (const line of [
    'cachefront_origin_requests_total{distribution="E1",origin="a\\"b"} 5',
    'cachefront_origin_failures_total{distribution="E1",origin="a\\"b",kind="refused"} 2',
    'cachefront_origin_failures_total{distribution="E1",origin="a\\"b",kind="5xx"} 1',
    'cachefront_origin_failovers_total{distribution="E1",origin="a\\"b"} 1',
    'cachefront_origin_failing{distribution="E1",origin="a\\"b"} 1',
  ]) {
    assert.ok(lines.includes(line), line)
  }
  assert.equal(lines.at(-1), '')
})

test('labels are bounded: beyond the most asked there is one for all others', () => {
  const many = Array.from({ length: LABELLED_MAX + 50 }, (_, at) =>
    seen(`o${at}`, 1_000 - at, { failures: { dns: 1 } }),
  )
  const lines = originMetrics(many).split('\n')
  const requests = lines.filter((line) => line.startsWith('cachefront_origin_requests_total'))
  assert.equal(requests.length, LABELLED_MAX + 1)
  const others = many.slice(LABELLED_MAX).reduce((all, origin) => all + origin.requests, 0)
  assert.equal(requests.at(-1), `cachefront_origin_requests_total{distribution="other",origin="other"} ${others}`)
  assert.ok(lines.includes('cachefront_origin_failures_total{distribution="other",origin="other",kind="dns"} 50'))
})
