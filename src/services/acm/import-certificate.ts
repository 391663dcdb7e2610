//! ImportCertificate: a new certificate of somebody else's issue, or the successor of one under its ARN.
import type { ImportCertificateRequest, ImportCertificateResponse } from '@aws-sdk/client-acm'
import { acmFault, validation } from '../../domain/acm-faults.ts'
import { type CertificateMaterial, type CertificateRecord, certificateArn } from '../../domain/certificates.ts'
import { type CheckedMaterial, checkMaterial, MaterialError } from '../../lib/ca/certificate-material.ts'
import { uuid } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { findCertificate, putMaterial } from './lookup.ts'
import { putTags, tagsWith } from './tags.ts'

/** Bytes (ACM's model). */
const CERTIFICATE_MAX = 32_768
const KEY_MAX = 5_120
const CHAIN_MAX = 2_097_152

export const importCertificate: Operation<ImportCertificateRequest, ImportCertificateResponse> = async (
  input,
  context,
) => {
  const given = checked(input, context)
  const now = new Date(context.clock.now()).toISOString()
  return context.state.transact(async (tx) => {
    if (input.CertificateArn !== undefined) {
      if (input.Tags !== undefined && input.Tags.length > 0) {
        throw acmFault('InvalidParameterException', 'Tags cannot be applied when a certificate is imported again.')
      }
      const old = await findCertificate(tx, input.CertificateArn, context)
      checkSuccessor(old, given)
      const { failureReason: _, expiryEventOn: __, ...kept } = old
      await putMaterial(tx, { ...kept, ...imported(given), importedAt: now })
      return { CertificateArn: old.arn }
    }
    await requireRoom(tx, context)
    const arn = certificateArn(context.accountId, uuid())
    await putTags(tx, arn, tagsWith({}, input.Tags))
    const record = { arn, type: 'IMPORTED', createdAt: now, importedAt: now } as const
    await putMaterial(tx, { ...record, ...imported(given) })
    return { CertificateArn: arn }
  })
}

/** @throws ValidationException: what is wrong with certificate, key or chain, in ACM's words where they are known */
function checked(input: ImportCertificateRequest, { clock }: Pick<ServiceContext, 'clock'>): CheckedMaterial {
  const given = {
    certificate: text('certificate', input.Certificate, CERTIFICATE_MAX),
    privateKey: text('privateKey', input.PrivateKey, KEY_MAX),
    chain: input.CertificateChain === undefined ? '' : text('certificateChain', input.CertificateChain, CHAIN_MAX),
  }
  try {
    return checkMaterial(given, { now: clock.now(), wall: clock.wall() })
  } catch (error) {
    if (error instanceof MaterialError) throw validation(error.message)
    throw error
  }
}

function text(field: string, bytes: Uint8Array | undefined, most: number): string {
  if (bytes === undefined || bytes.length === 0 || bytes.length > most) {
    throw validation(`'${field}' failed to satisfy constraint: it has 1 to ${most} bytes, not ${bytes?.length ?? 0}.`)
  }
  return Buffer.from(bytes).toString('utf8')
}

const imported = (given: CheckedMaterial) =>
  ({
    status: 'ISSUED',
    domainName: given.facts.names[0] ?? '',
    names: given.facts.names,
    keyAlgorithm: given.facts.keyAlgorithm,
    material: materialOf(given),
  }) as const

export function materialOf({ facts, certificate, chain, served, privateKey }: CheckedMaterial): CertificateMaterial {
  const { serial, subject, issuer, signatureAlgorithm, keyUsages, extendedKeyUsages } = facts
  return {
    ...{
      certificate,
      chain,
      served,
      privateKey,
      serial,
      subject,
      issuer,
      signatureAlgorithm,
      keyUsages,
      extendedKeyUsages,
    },
    notBefore: facts.notBefore.toISOString(),
    notAfter: facts.notAfter.toISOString(),
  }
}

/**
 * ACM's user guide, "Reimporting a certificate": names may change, the kind of key may not, and no usage may go. The codes
 * are unconfirmed.
 */
function checkSuccessor(old: CertificateRecord, { facts }: CheckedMaterial): void {
  if (old.type !== 'IMPORTED') {
    throw validation(`${old.arn} was not imported: a certificate can only be imported over one that was.`)
  }
  if (facts.keyAlgorithm !== old.keyAlgorithm) {
    throw validation(
      `The kind of key cannot change: ${old.arn} has ${old.keyAlgorithm}, the new certificate ${facts.keyAlgorithm}. Import it as a new certificate.`,
    )
  }
  const lost = [
    ...(old.material?.keyUsages ?? []).filter((usage) => !facts.keyUsages.includes(usage)),
    ...(old.material?.extendedKeyUsages ?? []).flatMap(({ name, oid }) =>
      facts.extendedKeyUsages.some((other) => other.oid === oid) ? [] : [name],
    ),
  ]
  if (lost.length > 0) {
    throw validation(`The new certificate lacks usages that ${old.arn} has: ${lost.join(', ')}.`)
  }
}

/** @throws LimitExceededException */
export async function requireRoom(reader: Reader, { quotas }: Pick<ServiceContext, 'quotas'>): Promise<void> {
  if ((await reader.list('certificate')).length < quotas.certificates) return
  throw acmFault(
    'LimitExceededException',
    `You have reached the maximum number of certificates (${quotas.certificates}). Delete certificates that are not in use, or raise the quota.`,
  )
}
