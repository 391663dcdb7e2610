//! THE TABLE: the operations of ACM. One that is not here answers 501 with its name: RevokeCertificate (the local authority
//! has no list of what it revoked), SearchCertificates, the generic tag operations, and all of ACM's managed ACME servers.
import type { OperationTable } from '../service.ts'
import { getAccountConfiguration, putAccountConfiguration } from './account.ts'
import {
  deleteCertificate,
  describeCertificate,
  getCertificate,
  renewCertificate,
  resendValidationEmail,
  updateCertificateOptions,
} from './certificates.ts'
import { exportCertificate } from './export-certificate.ts'
import { importCertificate } from './import-certificate.ts'
import { listCertificates } from './list-certificates.ts'
import { requestCertificate } from './request-certificate.ts'
import { addTagsToCertificate, listTagsForCertificate, removeTagsFromCertificate } from './tags.ts'

export const ACM_OPERATIONS: OperationTable = {
  AddTagsToCertificate: addTagsToCertificate,
  DeleteCertificate: deleteCertificate,
  DescribeCertificate: describeCertificate,
  ExportCertificate: exportCertificate,
  GetAccountConfiguration: getAccountConfiguration,
  GetCertificate: getCertificate,
  ImportCertificate: importCertificate,
  ListCertificates: listCertificates,
  ListTagsForCertificate: listTagsForCertificate,
  PutAccountConfiguration: putAccountConfiguration,
  RemoveTagsFromCertificate: removeTagsFromCertificate,
  RenewCertificate: renewCertificate,
  RequestCertificate: requestCertificate,
  ResendValidationEmail: resendValidationEmail,
  UpdateCertificateOptions: updateCertificateOptions,
}
