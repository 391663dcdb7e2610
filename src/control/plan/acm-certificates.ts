//! PURE: what becomes of a certificate of ACM with time and with what its issuer answers: when it is renewed, when a failed
//! attempt is made again, when it is over, when that is announced. Times are milliseconds of the movable clock.
import {
  type CertificateMaterial,
  type CertificateRecord,
  daysLeft,
  type Issuance,
  type NameValidation,
} from '../../domain/certificates.ts'
import { isRenewable } from '../../services/acm/views.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** ACM renews 60 days before the end; a certificate that lives less than 180 days when a third of its life is left. */
const RENEW_BEFORE_MS = 60 * DAY_MS
const RENEW_BEFORE_SHARE = 1 / 3
/** A first issue that nobody proved by then is over (ACM: 72 hours). */
const VALIDATION_MS = 72 * HOUR_MS
/** Part of a life by which renewals of different certificates are spread, so that they do not all come in one hour. */
const RENEW_SPREAD_SHARE = 1 / 50
/**
 * Between a renewal, or one that failed for good, and the next; of a short-lived certificate a third of its life. A clock
 * that was moved beyond what an authority of the real world issues must not use up what it allows.
 */
const RENEW_AGAIN_MS = DAY_MS
/** Delays after failures that may pass: doubled each time, and a little more or less. */
const RETRY_MIN_MS = 15_000
const RETRY_MAX_MS = 6 * HOUR_MS
const RETRY_JITTER = 0.2

const iso = (ms: number): string => new Date(ms).toISOString()

const lifeOf = ({ notBefore, notAfter }: Pick<CertificateMaterial, 'notBefore' | 'notAfter'>): number =>
  Date.parse(notAfter) - Date.parse(notBefore)

/** A little earlier for one ARN than for another, and always the same for one. */
export function renewalDueAt(material: Pick<CertificateMaterial, 'notBefore' | 'notAfter'>, arn: string): number {
  const life = lifeOf(material)
  const before = Math.min(RENEW_BEFORE_MS, life * RENEW_BEFORE_SHARE)
  return Date.parse(material.notAfter) - before - life * RENEW_SPREAD_SHARE * spread(arn)
}

/** From 0 to below 1, by the last digits of the id, which chance has chosen. */
const spread = (arn: string): number => Number.parseInt(arn.slice(-4), 16) / 0x1_0000 || 0

/** What time alone makes of it: the record itself when that is nothing. */
export function afterTime(record: CertificateRecord, isInUse: boolean, now: number): CertificateRecord {
  const { material, issuance } = record
  if (issuance?.purpose === 'first' && now - Date.parse(issuance.startedAt) >= VALIDATION_MS) {
    const { issuance: _, ...rest } = record
    return { ...rest, status: 'VALIDATION_TIMED_OUT' }
  }
  const isOver = material !== undefined && record.status === 'ISSUED' && now >= Date.parse(material.notAfter)
  const aged: CertificateRecord = isOver ? { ...record, status: 'EXPIRED' } : record
  return isRenewalDue(aged, isInUse, now) ? beginRenewal(aged, now) : aged
}

function isRenewalDue(record: CertificateRecord, isInUse: boolean, now: number): boolean {
  const { material, issuance, renewal } = record
  if (material === undefined || issuance !== undefined || !isRenewable(record, isInUse)) return false
  const again = Math.min(RENEW_AGAIN_MS, lifeOf(material) * RENEW_BEFORE_SHARE)
  const last = renewal?.status === 'FAILED' ? renewal.updatedAt : record.issuedAt
  if (last !== undefined && now < Date.parse(last) + again) return false
  return now >= renewalDueAt(material, record.arn)
}

const beginRenewal = (record: CertificateRecord, now: number): CertificateRecord => ({
  ...record,
  issuance: { purpose: 'renewal', startedAt: iso(now), failures: 0, nextAt: iso(now) },
  renewal: { status: 'PENDING_AUTO_RENEWAL', updatedAt: iso(now) },
})

export const isStepDue = ({ issuance }: CertificateRecord, now: number): boolean =>
  issuance !== undefined && now >= Date.parse(issuance.nextAt)

/** It has been issued. */
export function afterIssue(record: CertificateRecord, material: CertificateMaterial, now: number): CertificateRecord {
  const { issuance, expiryEventOn: _, failureReason: __, problem: ___, ...rest } = record
  return {
    ...rest,
    status: 'ISSUED',
    material,
    issuedAt: iso(now),
    ...(issuance?.purpose === 'renewal' ? { renewal: { status: 'SUCCESS', updatedAt: iso(now) } } : {}),
    ...withValidations(record, (validation) => ({ ...validation, status: 'SUCCESS' })),
  }
}

/** The issuer waits for something. */
export function afterWait(
  record: CertificateRecord,
  issuance: Issuance,
  step: {
    readonly memory: unknown
    readonly retryAt: number
    readonly why: string
    readonly isFailure?: true
    readonly validations?: readonly NameValidation[]
  },
  now: number,
): CertificateRecord {
  const news = new Map((step.validations ?? []).map((validation) => [validation.name, validation]))
  const { memory: _, ...rest } = issuance
  return {
    ...record,
    issuance: {
      ...rest,
      failures: 0,
      nextAt: iso(step.retryAt),
      problem: step.why,
      ...(step.memory === undefined ? {} : { memory: step.memory }),
    },
    ...(issuance.purpose === 'renewal' ? { renewal: { status: 'PENDING_VALIDATION', updatedAt: iso(now) } } : {}),
    ...withValidations(record, (validation) => ({ ...validation, ...news.get(validation.name) })),
    ...(step.isFailure === true ? withFailure(record, step.why) : {}),
  }
}

/** The attempt failed; the next one may not. `chance`: from 0 to below 1. */
export function afterFailure(
  record: CertificateRecord,
  issuance: Issuance,
  problem: string,
  now: number,
  chance: number,
): CertificateRecord {
  const jitter = 1 - RETRY_JITTER + 2 * RETRY_JITTER * chance
  const delay = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** issuance.failures) * jitter
  return {
    ...record,
    issuance: { ...issuance, failures: issuance.failures + 1, nextAt: iso(now + delay), problem },
    ...withFailure(record, problem),
  }
}

/** The issuer has refused for good. */
export function afterRefusal(record: CertificateRecord, reason: string, why: string, now: number): CertificateRecord {
  const { issuance, ...before } = record
  const rest = { ...before, ...withFailure(record, why) }
  return issuance?.purpose === 'renewal'
    ? { ...rest, renewal: { status: 'FAILED', reason, updatedAt: iso(now) } }
    : {
        ...rest,
        status: 'FAILED',
        failureReason: reason,
        ...withValidations(record, (validation) =>
          validation.status === 'SUCCESS' ? validation : { ...validation, status: 'FAILED' },
        ),
      }
}

const withFailure = ({ failedAttempts = 0 }: CertificateRecord, problem: string) => ({
  ...{ problem, failedAttempts: failedAttempts + 1 },
})

function withValidations(
  { request }: CertificateRecord,
  change: (validation: NameValidation) => NameValidation,
): Pick<CertificateRecord, 'request'> {
  return request === undefined ? {} : { request: { ...request, validations: request.validations.map(change) } }
}

/** Days left, when that is to be announced today; null when it is not, or was. */
export function expiryToAnnounce(record: CertificateRecord, daysBefore: number, now: number): number | null {
  const { material, status, expiryEventOn } = record
  if (material === undefined || status !== 'ISSUED') return null
  const left = daysLeft(material.notAfter, now)
  return left <= daysBefore && expiryEventOn !== dayOf(now) ? left : null
}

export const dayOf = (now: number): string => iso(now).slice(0, 10)
