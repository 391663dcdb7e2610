//! ListCertificates. Without a filter of key types ACM lists certificates with RSA keys of 1024 and 2048 bits alone; that
//! is what surprises everybody, and what the same scripts do here.
import type {
  CertificateSummary,
  Filters,
  ListCertificatesRequest,
  ListCertificatesResponse,
} from '@aws-sdk/client-acm'
import { acmFault, validation } from '../../domain/acm-faults.ts'
import type { CertificateRecord } from '../../domain/certificates.ts'
import { quoted } from '../../domain/cloudfront-faults.ts'
import type { Operation } from '../service.ts'
import { usage } from './lookup.ts'
import { certificateSummary } from './views.ts'

const ITEMS_MAX = 1_000
const KEY_TYPES: readonly string[] = ['RSA_1024', 'RSA_2048']
const WORDS = {
  certificateStatuses: [
    'PENDING_VALIDATION',
    'ISSUED',
    'INACTIVE',
    'EXPIRED',
    'VALIDATION_TIMED_OUT',
    'REVOKED',
    'FAILED',
  ],
  keyTypes: ['RSA_1024', 'RSA_2048', 'RSA_3072', 'RSA_4096', 'EC_prime256v1', 'EC_secp384r1', 'EC_secp521r1'],
  exportOption: ['ENABLED', 'DISABLED'],
  managedBy: ['CLOUDFRONT'],
  sortBy: ['CREATED_AT'],
  sortOrder: ['ASCENDING', 'DESCENDING'],
} as const

export const listCertificates: Operation<ListCertificatesRequest, ListCertificatesResponse> = async (
  input,
  { state },
) => {
  check(input)
  const users = await usage(state)
  const { CertificateStatuses: statuses = [], Includes: filters = {} } = input
  const found = (await state.list('certificate'))
    .map(({ doc }) => doc)
    .filter((record) => statuses.length === 0 || statuses.includes(record.status))
    .filter((record) => passes(record, certificateSummary(record, users.has(record.arn)), filters))
  if (input.SortBy !== undefined) {
    const sign = input.SortOrder === 'DESCENDING' ? -1 : 1
    found.sort((a, b) => sign * order(a, b))
  }
  const from = input.NextToken === undefined ? 0 : after(found, input.NextToken)
  const size = input.MaxItems ?? ITEMS_MAX
  const page = found.slice(from, from + size)
  const last = page.at(-1)
  return {
    ...(from + size < found.length && last !== undefined ? { NextToken: tokenOf(last) } : {}),
    CertificateSummaryList: page.map((record) => certificateSummary(record, users.has(record.arn))),
  }
}

const order = (a: CertificateRecord, b: CertificateRecord): number =>
  Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.arn < b.arn ? -1 : 1)

const tokenOf = (record: CertificateRecord): string => Buffer.from(record.arn).toString('base64url')

/** The certificate that a token names may be gone meanwhile: then the page after it begins at its place among the ARNs. */
function after(found: readonly CertificateRecord[], token: string): number {
  const arn = Buffer.from(token, 'base64url').toString()
  if (Buffer.from(arn).toString('base64url') !== token || !arn.startsWith('arn:')) {
    throw validation('The NextToken is not valid: give the one of the answer before, unchanged.')
  }
  const at = found.findIndex((record) => record.arn === arn)
  if (at >= 0) return at + 1
  const next = found.findIndex((record) => record.arn > arn)
  return next < 0 ? found.length : next
}

function passes({ keyAlgorithm }: CertificateRecord, summary: CertificateSummary, filters: Filters): boolean {
  const { keyTypes = [], keyUsage = [], extendedKeyUsage = [], exportOption, managedBy } = filters
  const types: readonly string[] = keyTypes.length === 0 ? KEY_TYPES : keyTypes
  return (
    types.includes(keyAlgorithm) &&
    keyUsage.every((usage) => usage === 'ANY' || summary.KeyUsages?.includes(usage)) &&
    extendedKeyUsage.every((usage) => usage === 'ANY' || summary.ExtendedKeyUsages?.includes(usage)) &&
    (exportOption === undefined || (summary.ExportOption ?? 'DISABLED') === exportOption) &&
    (managedBy === undefined || summary.ManagedBy === managedBy)
  )
}

/** @throws InvalidArgsException, ValidationException */
function check(input: ListCertificatesRequest): void {
  const { Includes: filters = {}, MaxItems: most } = input
  oneOf('certificateStatuses', input.CertificateStatuses)
  oneOf('keyTypes', filters.keyTypes)
  oneOf('exportOption', filters.exportOption && [filters.exportOption])
  oneOf('managedBy', filters.managedBy && [filters.managedBy])
  oneOf('sortBy', input.SortBy && [input.SortBy])
  oneOf('sortOrder', input.SortOrder && [input.SortOrder])
  if ((input.SortBy === undefined) !== (input.SortOrder === undefined)) {
    throw acmFault('InvalidArgsException', 'SortBy and SortOrder go together: give both, or none.')
  }
  if (most !== undefined && (most < 1 || most > ITEMS_MAX)) {
    throw validation(`'maxItems' failed to satisfy constraint: it is 1 to ${ITEMS_MAX}.`)
  }
}

function oneOf(field: keyof typeof WORDS, values: readonly string[] | undefined): void {
  const words: readonly string[] = WORDS[field]
  const strange = values?.find((value) => !words.includes(value))
  if (strange === undefined) return
  throw validation(
    `Value ${quoted(strange)} at '${field}' failed to satisfy constraint: it is one of ${words.join(', ')}.`,
  )
}
