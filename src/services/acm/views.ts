//! Certificates as ACM shows them. Never with their private key.
import type {
  CertificateDetail,
  CertificateSummary,
  DomainValidation,
  ExtendedKeyUsageName,
  FailureReason,
  KeyAlgorithm,
  KeyUsageName,
  RenewalSummary,
} from '@aws-sdk/client-acm'
import type { CertificateRecord } from '../../domain/certificates.ts'

/** Names that a summary shows. */
const SUMMARY_NAMES_MAX = 100

const date = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))

/** ACM renews by itself what it issued and what somebody uses or has exported. */
export const isRenewable = (record: CertificateRecord, isInUse: boolean): boolean =>
  record.type === 'AMAZON_ISSUED' && record.material !== undefined && (isInUse || record.exportedAt !== undefined)

const eligibility = (record: CertificateRecord, isInUse: boolean) =>
  isRenewable(record, isInUse) ? 'ELIGIBLE' : 'INELIGIBLE'

/** `users`: ARNs of the resources that use it. */
export function certificateDetail(record: CertificateRecord, users: readonly string[]): CertificateDetail {
  const { material, request, renewal } = record
  return {
    CertificateArn: record.arn,
    DomainName: record.domainName,
    SubjectAlternativeNames: [...record.names],
    ...(request === undefined ? {} : { DomainValidationOptions: validationsOf(record) }),
    ...(material === undefined
      ? { Subject: `CN=${record.domainName}` }
      : {
          Serial: material.serial,
          Subject: material.subject,
          Issuer: material.issuer,
          NotBefore: date(material.notBefore),
          NotAfter: date(material.notAfter),
          SignatureAlgorithm: material.signatureAlgorithm,
          KeyUsages: material.keyUsages.map((name) => ({ Name: name as KeyUsageName })),
          ExtendedKeyUsages: material.extendedKeyUsages.map(({ name, oid }) => ({
            Name: name as ExtendedKeyUsageName,
            OID: oid,
          })),
        }),
    CreatedAt: date(record.createdAt),
    IssuedAt: date(record.issuedAt),
    ImportedAt: date(record.importedAt),
    Status: record.status,
    KeyAlgorithm: record.keyAlgorithm as KeyAlgorithm,
    InUseBy: [...users],
    FailureReason: record.failureReason as FailureReason | undefined,
    Type: record.type,
    ...(renewal === undefined ? {} : { RenewalSummary: renewalSummary(record, renewal) }),
    RenewalEligibility: eligibility(record, users.length > 0),
    Options:
      request === undefined
        ? { CertificateTransparencyLoggingPreference: 'DISABLED' }
        : { CertificateTransparencyLoggingPreference: request.transparencyLogging, Export: request.export },
  }
}

function validationsOf({ request }: CertificateRecord): DomainValidation[] {
  return (request?.validations ?? []).map(({ name, status, record }) => ({
    DomainName: name,
    ValidationDomain: name,
    ValidationStatus: status,
    ValidationMethod: request?.validationMethod,
    ...(record === undefined
      ? {}
      : { ResourceRecord: { Name: record.name, Type: 'CNAME', Value: record.value } as const }),
  }))
}

function renewalSummary(record: CertificateRecord, renewal: NonNullable<CertificateRecord['renewal']>): RenewalSummary {
  return {
    RenewalStatus: renewal.status,
    DomainValidationOptions: validationsOf(record),
    RenewalStatusReason: renewal.reason as FailureReason | undefined,
    UpdatedAt: new Date(renewal.updatedAt),
  }
}

export function certificateSummary(record: CertificateRecord, isInUse: boolean): CertificateSummary {
  const { material, names } = record
  return {
    CertificateArn: record.arn,
    DomainName: record.domainName,
    SubjectAlternativeNameSummaries: names.slice(0, SUMMARY_NAMES_MAX),
    HasAdditionalSubjectAlternativeNames: names.length > SUMMARY_NAMES_MAX,
    Status: record.status,
    Type: record.type,
    KeyAlgorithm: record.keyAlgorithm as KeyAlgorithm,
    KeyUsages: (material?.keyUsages ?? []).map((name) => name as KeyUsageName),
    ExtendedKeyUsages: (material?.extendedKeyUsages ?? []).map(({ name }) => name as ExtendedKeyUsageName),
    ...(record.request === undefined ? {} : { ExportOption: record.request.export }),
    InUse: isInUse,
    ...(record.request === undefined ? {} : { Exported: record.exportedAt !== undefined }),
    RenewalEligibility: eligibility(record, isInUse),
    NotBefore: date(material?.notBefore),
    NotAfter: date(material?.notAfter),
    CreatedAt: date(record.createdAt),
    IssuedAt: date(record.issuedAt),
    ImportedAt: date(record.importedAt),
  }
}
