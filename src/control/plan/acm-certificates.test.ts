import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CertificateMaterial, CertificateRecord, CertificateRequest } from '../../domain/certificates.ts'
import { afterFailure, afterTime, afterWait, renewalDueAt } from './acm-certificates.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const START = Date.parse('2026-11-30T00:00:00Z')
const arn = (last: string) => `arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-00000000${last}`
const iso = (ms: number): string => new Date(ms).toISOString()
const material = (lifeMs: number): CertificateMaterial =>
  ({ notBefore: iso(START), notAfter: iso(START + lifeMs) }) as CertificateMaterial
const record = (lifeMs: number, changes: Partial<CertificateRecord> = {}): CertificateRecord => ({
  ...{ arn: arn('0000'), type: 'AMAZON_ISSUED', status: 'ISSUED', domainName: 'a.example', names: ['a.example'] },
  ...{ keyAlgorithm: 'RSA_2048', createdAt: iso(START), issuedAt: iso(START) },
  material: material(lifeMs),
  ...changes,
})
const isRenewed = (one: CertificateRecord, ms: number): boolean =>
  afterTime(one, true, START + ms).issuance?.purpose === 'renewal'

test('two thirds of a life, 60 days of a long one; each a little earlier or later than another', () => {
  const days = (lifeDays: number, last: string) =>
    (renewalDueAt(material(lifeDays * DAY_MS), arn(last)) - START) / DAY_MS
  assert.equal(days(90, '0000'), 60)
  assert.ok(days(90, 'ffff') > 58 && days(90, 'ffff') < 58.3)
  assert.equal(days(397, '0000'), 337)
  assert.equal(days(6, '0000'), 4)
  assert.equal(isRenewed(record(90 * DAY_MS), 59 * DAY_MS), false)
  assert.equal(isRenewed(record(90 * DAY_MS), 60 * DAY_MS), true)
  assert.equal(afterTime(record(90 * DAY_MS), false, START + 60 * DAY_MS).issuance, undefined)
})

test('a clock far ahead of the authority renews once a day, and a short life at a third of it', () => {
  const at = 61 * DAY_MS
  const renewed = record(90 * DAY_MS, { issuedAt: iso(START + at) })
  assert.equal(isRenewed(renewed, at + 23 * HOUR_MS), false)
  assert.equal(isRenewed(renewed, at + 24 * HOUR_MS), true)
  const short = record(24 * HOUR_MS, { renewal: { status: 'FAILED', updatedAt: iso(START + 16 * HOUR_MS) } })
  assert.equal(isRenewed(short, 23 * HOUR_MS), false)
  assert.equal(isRenewed(short, 24 * HOUR_MS - 1), false)
  const once = record(24 * HOUR_MS)
  assert.equal(isRenewed(once, 16 * HOUR_MS), true)
})

test('failures are tried again later and later, never all at the same time; what is waited for keeps its record', () => {
  const issuance = { purpose: 'renewal', startedAt: iso(START), nextAt: iso(START) } as const
  const delay = (failures: number, chance: number): number => {
    const { issuance: next } = afterFailure(record(DAY_MS), { ...issuance, failures }, 'down', START, chance)
    return Date.parse(next?.nextAt ?? '') - START
  }
  assert.deepEqual([delay(0, 0.5), delay(1, 0.5), delay(30, 0.5)], [15_000, 30_000, 6 * HOUR_MS])
  assert.ok(delay(3, 0) < delay(3, 0.9))
  const proof = { name: '_x.a.example.', value: '_y.' }
  const request: CertificateRequest = {
    validationMethod: 'DNS',
    transparencyLogging: 'ENABLED',
    export: 'DISABLED',
    validations: [{ name: 'a.example', status: 'PENDING_VALIDATION', record: proof }],
  }
  const waiting = afterWait(
    record(DAY_MS, { request }),
    { ...issuance, failures: 3 },
    { memory: { url: 'u' }, retryAt: START + 1, why: 'w', validations: [{ name: 'a.example', status: 'SUCCESS' }] },
    START,
  )
  assert.deepEqual(waiting.request?.validations, [{ name: 'a.example', status: 'SUCCESS', record: proof }])
  assert.equal(waiting.issuance?.failures, 0)
})
