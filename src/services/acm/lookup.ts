//! Certificates by their ARN, and what uses them.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { acmFault, validation } from '../../domain/acm-faults.ts'
import { CERTIFICATE_REGION, type CertificateRecord, isCertificateArn } from '../../domain/certificates.ts'
import { quoted } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import { certificatesNamed } from '../cloudfront/named-certificates.ts'
import type { ServiceContext } from '../service.ts'

const ARN = /^arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(?:\/[\w+=,.@-]+)*$/

/** @throws ValidationException, InvalidArnException, ResourceNotFoundException */
export async function findCertificate(
  reader: Reader,
  arn: string | undefined,
  { accountId }: Pick<ServiceContext, 'accountId'>,
): Promise<CertificateRecord> {
  const name = arn ?? ''
  if (name.length < 20 || name.length > 2048 || !ARN.test(name)) {
    throw validation(`Value ${quoted(name)} at 'certificateArn' failed to satisfy constraint: it is no ARN of ACM.`)
  }
  const own = `arn:aws:acm:${CERTIFICATE_REGION}:${accountId}:certificate/`
  if (!isCertificateArn(name) || !name.startsWith(own)) {
    throw acmFault(
      'InvalidArnException',
      `${name.slice(0, 200)} names no certificate of this account: their ARNs begin with ${own}`,
    )
  }
  const stored = await reader.get('certificate', name)
  if (stored === undefined) throw acmFault('ResourceNotFoundException', `Could not find certificate ${name}.`)
  return stored.doc
}

/** Distributions that name the certificate. */
export async function usersOf(reader: Reader, arn: string): Promise<DistributionRecord[]> {
  return (await usage(reader)).get(arn) ?? []
}

/** Distributions by the ARNs of the certificates that they name. */
export async function usage(reader: Reader): Promise<ReadonlyMap<string, DistributionRecord[]>> {
  const [distributions, tags] = await Promise.all([reader.list('distribution'), reader.list('tags')])
  const tagsOf = new Map(tags.map(({ id, doc }) => [id, doc.tags]))
  const users = new Map<string, DistributionRecord[]>()
  for (const { doc } of distributions) {
    for (const arn of certificatesNamed(doc.config as DistributionConfig, tagsOf.get(doc.arn) ?? {})) {
      users.set(arn, [...(users.get(arn) ?? []), doc])
    }
  }
  return users
}

/**
 * Writes a certificate whose chain or key is new, and has the distributions that name it deployed, as a changed policy does:
 * they are `InProgress` until every edge serves with it (AWS shows nothing of it).
 */
export async function putMaterial(tx: Transaction, record: CertificateRecord): Promise<void> {
  await tx.put('certificate', record.arn, record)
  for (const user of await usersOf(tx, record.arn)) {
    await tx.put('distribution', user.id, { ...user, status: 'InProgress', changedRevision: tx.revision })
  }
}

/** Nobody is to look for what proved the names of this certificate any more. */
export async function removeChallenges(tx: Transaction, arn: string): Promise<void> {
  for (const { id, doc } of await tx.list('challenge')) {
    if (doc.certificateArn === arn) await tx.delete('challenge', id)
  }
}
