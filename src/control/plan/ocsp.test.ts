import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CertificateRecord, StaplingRecord } from '../../domain/certificates.ts'
import { newsOf, refreshAt, retryMs, withStapling } from './ocsp.ts'

const HOUR_MS = 3_600_000

test('a response is replaced at half its life, an older one at half of the rest, none at once', () => {
  const at = (fetchedAt: number, nextUpdate = 96 * HOUR_MS) => refreshAt({ thisUpdate: 0, nextUpdate, fetchedAt })
  assert.equal(at(0), 48 * HOUR_MS)
  assert.equal(at(47 * HOUR_MS), 48 * HOUR_MS)
  assert.equal(at(48 * HOUR_MS), 72 * HOUR_MS)
  assert.equal(at(95 * HOUR_MS), 95.5 * HOUR_MS)
  assert.equal(at(999, 1_000), 5_999)
})

test('a responder that is down is asked less and less, and every hour at least', () => {
  assert.deepEqual([1, 2, 3, 8, 99].map(retryMs), [30_000, 60_000, 120_000, HOUR_MS, HOUR_MS])
})

test('written down and told once, for a change', () => {
  const record = { arn: 'arn:1', names: [] } as unknown as CertificateRecord
  const good: StaplingRecord = {
    serial: '01',
    status: 'good',
    goodUntil: '2026-12-01T00:00:00.000Z',
    isRequired: false,
  }
  const down: StaplingRecord = { ...good, problem: 'it is down' }
  const none: StaplingRecord = { serial: '01', status: 'none', problem: 'it is down', isRequired: true }
  assert.equal(withStapling(record, undefined), record)
  const noted = withStapling(record, good)
  assert.equal(withStapling(noted, { ...good }), noted)
  assert.deepEqual(withStapling(noted, down).stapling, down)
  assert.deepEqual(withStapling(noted, undefined), record)
  assert.equal(newsOf(undefined, good), null)
  assert.match(newsOf(good, down) ?? '', /^it is down; .* stapled until it ends$/)
  assert.equal(newsOf(down, { ...down, goodUntil: '2026-12-02T00:00:00.000Z' }), null)
  assert.match(newsOf(down, none) ?? '', /viewers refuse it$/)
  assert.match(newsOf(none, { ...none, serial: '02' }) ?? '', /viewers refuse it$/)
})
