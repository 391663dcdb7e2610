import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CertificateStatus, certificateMetrics, certificateProblem } from './certificates.ts'

const status = (changes: Partial<CertificateStatus> = {}): CertificateStatus => ({
  ...{ arn: 'arn:1', type: 'AMAZON_ISSUED', status: 'ISSUED', names: ['a.example'], keyAlgorithm: 'RSA_2048' },
  ...{ notAfter: '2026-12-30T00:00:00.000Z', daysLeft: 30, usedBy: ['E1'], renewal: null, step: null, nextAt: null },
  ...{ problem: null, failedAttempts: 0, stapling: null },
  ...changes,
})

test('what endangers viewers: in use, and over or not renewed', () => {
  const rows: [Partial<CertificateStatus>, RegExp | null][] = [
    [{}, null],
    [{ problem: 'down' }, /^is not renewed, 30 days are left: down$/],
    [{ problem: 'down', usedBy: [] }, null],
    [{ problem: 'down', notAfter: null, daysLeft: null }, null],
    [{ status: 'EXPIRED', daysLeft: -1 }, /^expired on 2026-12-30T00:00:00\.000Z, in use by E1$/],
    [{ status: 'EXPIRED', type: 'IMPORTED', daysLeft: -1 }, /Z, in use by E1: import its successor under arn:1$/],
  ]
  for (const [changes, says] of rows) {
    const problem = certificateProblem(status(changes))
    if (says === null) assert.equal(problem, null)
    else assert.match(problem ?? '', says)
  }
})

test('metrics: days left of what is issued, failures of all', () => {
  assert.equal(certificateMetrics([]), '')
  const waiting = status({ notAfter: null, daysLeft: null, usedBy: [], failedAttempts: 2, arn: 'arn:2' })
  const text = certificateMetrics([status({ problem: 'down', failedAttempts: 3 }), waiting])
  assert.match(text, /^cachefront_certificate_days_left\{arn="arn:1",domain="a\.example",in_use="true"\} 30$/m)
  assert.doesNotMatch(text, /arn:2/)
  assert.match(text, /^cachefront_certificate_failed_attempts_total 5$/m)
  assert.match(text, /^cachefront_certificates_in_trouble 1$/m)
})
