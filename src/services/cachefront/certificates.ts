//! Certificates of ACM for the operator: what each is good for, how many days it has left, and what is wrong.
import {
  type CertificateRecord,
  daysLeft,
  type StaplingRecord,
  staplingConsequence,
} from '../../domain/certificates.ts'
import type { State } from '../../state/state.ts'
import { usage } from '../acm/lookup.ts'
import { json, type LocalRoute } from './local-route.ts'

export interface CertificateStatus {
  readonly arn: string
  readonly type: CertificateRecord['type']
  readonly status: CertificateRecord['status']
  readonly names: readonly string[]
  readonly keyAlgorithm: string
  /** ISO 8601; null before it is issued. */
  readonly notAfter: string | null
  /** Whole days by the movable clock; null before it is issued. */
  readonly daysLeft: number | null
  /** Ids of distributions. */
  readonly usedBy: readonly string[]
  /** ACM's word; null while no renewal was begun. */
  readonly renewal: string | null
  /** What its issue or renewal is at, or waits for; null when there is nothing to be done. */
  readonly step: string | null
  /** When the next step is due, ISO 8601; null for none. */
  readonly nextAt: string | null
  /** What the newest attempt failed for; null once it is issued. */
  readonly problem: string | null
  readonly failedAttempts: number
  /** What its OCSP responder said; null without one. */
  readonly stapling: StaplingRecord | null
}

/** `now` in milliseconds, the movable clock. */
export async function certificateStatuses(state: State, now: number): Promise<readonly CertificateStatus[]> {
  const stored = await state.list('certificate')
  if (stored.length === 0) return []
  const users = await usage(state)
  return stored.map(({ doc }) => statusOf(doc, users.get(doc.arn)?.map(({ id }) => id) ?? [], now))
}

function statusOf(record: CertificateRecord, usedBy: readonly string[], now: number): CertificateStatus {
  const { material, issuance, renewal, problem, failedAttempts, stapling } = record
  return {
    arn: record.arn,
    type: record.type,
    status: record.status,
    names: record.names,
    keyAlgorithm: record.keyAlgorithm,
    notAfter: material?.notAfter ?? null,
    daysLeft: material === undefined ? null : daysLeft(material.notAfter, now),
    usedBy,
    renewal: renewal?.status ?? null,
    step: issuance === undefined ? null : (issuance.problem ?? 'begins'),
    nextAt: issuance?.nextAt ?? null,
    problem: problem ?? null,
    failedAttempts: failedAttempts ?? 0,
    stapling: stapling?.serial === material?.serial ? (stapling ?? null) : null,
  }
}

/**
 * What endangers what is served: a certificate in use that is over, that cannot be renewed, or that viewers refuse by what
 * its OCSP responder said or did not say. For a person.
 */
export function certificateProblem(one: CertificateStatus): string | null {
  const { arn, type, status, problem, usedBy, notAfter, daysLeft, stapling } = one
  if (usedBy.length === 0 || notAfter === null) return null
  const todo = type === 'IMPORTED' ? `import its successor under ${arn}` : null
  const why = problem === null && todo === null ? '' : `: ${problem ?? todo}`
  if (status === 'EXPIRED') return `expired on ${notAfter}, in use by ${usedBy.join(', ')}${why}`
  const isRefused = stapling?.status === 'revoked' || (stapling?.status === 'none' && stapling.isRequired)
  if (isRefused && stapling?.problem !== undefined) return `${stapling.problem}; ${staplingConsequence(stapling)}`
  return problem === null ? null : `is not renewed, ${daysLeft} days are left${why}`
}

export const certificatesRoute = (state: State, now: () => number): LocalRoute => ({
  method: 'GET',
  path: '/_cachefront/certificates',
  readsNeedSignature: true,
  run: async () => json(200, { certificates: await certificateStatuses(state, now()) }),
})

/** Certificates with labels of their own. */
const LABELLED_MAX = 1_000

/** Prometheus text; empty for none. Those that end first come first, for there may be more than have labels. */
export function certificateMetrics(certificates: readonly CertificateStatus[]): string {
  if (certificates.length === 0) return ''
  const issued = certificates
    .filter((one) => one.notAfter !== null)
    .sort((one, other) => (one.notAfter ?? '').localeCompare(other.notAfter ?? ''))
    .slice(0, LABELLED_MAX)
  const failures = certificates.reduce((sum, { failedAttempts }) => sum + failedAttempts, 0)
  const troubled = certificates.filter((one) => certificateProblem(one) !== null).length
  return `${[
    '# HELP cachefront_certificate_days_left Whole days until the end of a certificate of ACM, by the movable clock.',
    '# TYPE cachefront_certificate_days_left gauge',
    ...issued.map((one) => `cachefront_certificate_days_left{${labels(one)}} ${one.daysLeft}`),
    '# HELP cachefront_certificate_failed_attempts_total Attempts to have certificates issued or renewed that failed.',
    '# TYPE cachefront_certificate_failed_attempts_total counter',
    `cachefront_certificate_failed_attempts_total ${failures}`,
    '# HELP cachefront_certificates_in_trouble Certificates in use that are over or cannot be renewed.',
    '# TYPE cachefront_certificates_in_trouble gauge',
    `cachefront_certificates_in_trouble ${troubled}`,
  ].join('\n')}\n`
}

/** Names are DNS names and addresses: nothing to escape. */
const labels = ({ arn, names, usedBy }: CertificateStatus): string =>
  `arn="${arn}",domain="${names[0] ?? ''}",in_use="${usedBy.length > 0}"`
