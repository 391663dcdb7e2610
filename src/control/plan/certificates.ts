//! PURE: certificates of caches: which one is served, when a new one is to be made, and where imported ones lie.
import {
  type ImportedCertificateName,
  renewalDueAt,
  type SeenCertificate,
  type TransitSettings,
} from '../../domain/transit.ts'
import type { GroupSeen } from '../../keeper/protocol.ts'

/** `now`: movable clock, milliseconds. The record itself when nothing changes. `directories`: imported ones, by name. */
export function certificateAfter<T extends TransitSettings>(
  record: T,
  seen: GroupSeen | undefined,
  directories: ReadonlyMap<string, string>,
  now: number,
): T {
  const certificate = seenCertificate(record, seen, now)
  const imported = importedAt(record.importedCertificate, directories)
  const due = certificate !== undefined && imported === undefined && now >= renewalDueAt(certificate)
  const wished = record.certificateRenewals ?? 0
  // One that was wished and is not served yet is not wished again.
  const renews = due && (seen?.transit?.certificate?.renewal ?? 0) >= wished
  if (certificate === record.certificate && imported === record.importedCertificate && !renews) return record
  return {
    ...record,
    ...(certificate === undefined ? {} : { certificate }),
    ...(imported === undefined ? {} : { importedCertificate: imported }),
    ...(renews ? { certificateRenewals: wished + 1 } : {}),
  }
}

function seenCertificate(
  record: TransitSettings,
  seen: GroupSeen | undefined,
  now: number,
): SeenCertificate | undefined {
  const served = seen?.transit?.certificate
  if (!served || seen?.settled !== true) return record.certificate
  const { number, notBefore, notAfter } = served
  if (record.certificate?.number === number && record.certificate.notAfter === notAfter) return record.certificate
  return { number, notBefore, notAfter, seenAt: new Date(now).toISOString() }
}

/** The operator may have given the name another directory, or none: then the keeper says that files are missing. */
function importedAt(
  imported: ImportedCertificateName | undefined,
  directories: ReadonlyMap<string, string>,
): ImportedCertificateName | undefined {
  if (imported === undefined) return undefined
  const directory = directories.get(imported.name) ?? imported.directory
  return directory === imported.directory ? imported : { ...imported, directory }
}
