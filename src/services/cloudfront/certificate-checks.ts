//! Whether the certificate that a distribution names can serve it (spec/cloudfront.md 2.1, 2.6), in AWS's own codes and
//! words. AWS wants one that a public authority issued; here whoever holds the key may show it, and viewers judge.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { CERTIFICATE_REGION, type CertificateRecord, isCovered, keyKind } from '../../domain/certificates.ts'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import type { Fault } from '../../domain/faults.ts'
import { SECOND_CERTIFICATE_TAG, type Tags } from '../../domain/tags.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Reader } from '../../state/state.ts'

/**
 * Keys that viewers are served with. RSA 1024, which ACM takes, is refused by OpenSSL and by every viewer of today; P-521 is
 * not among CloudFront's. RSA 4096 and P-384 (unconfirmed) are taken.
 */
const SERVED_KEYS: readonly string[] = ['RSA_2048', 'RSA_3072', 'RSA_4096', 'EC_prime256v1', 'EC_secp384r1']

const refused = (message: string): Fault => cloudfrontFault('InvalidViewerCertificate', message)

/**
 * `clock`: absent for what is stored already; that a certificate is over is then no matter of the distribution, but one of
 * the certificate's own (services/cachefront/certificates.ts).
 * @throws InvalidViewerCertificate
 */
export async function checkViewerCertificate(
  reader: Reader,
  config: DistributionConfig,
  clock: Clock | undefined,
): Promise<void> {
  const aliases = config.Aliases?.Items ?? []
  const { ViewerCertificate: certificate } = config
  // What an IAM certificate covers nobody here knows: not-built.ts refuses it.
  if (certificate?.IAMCertificateId) return
  const arn = certificate?.ACMCertificateArn
  if (!arn) {
    if (aliases.length === 0) return
    throw refused(
      'To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that ' +
        `validates your authorization to use the domain name: ${shown(aliases)}. Request or import one with ACM, and name it in ViewerCertificate.ACMCertificateArn.`,
    )
  }
  const record = (await reader.get('certificate', arn))?.doc
  const problem = record === undefined ? 'there is none' : problemOf(record, clock)
  if (record === undefined || problem !== null) {
    throw refused(
      `The specified SSL certificate doesn't exist, isn't in ${CERTIFICATE_REGION} region, isn't valid, or doesn't include a valid certificate chain: ${quoted(arn)}, ${problem}.`,
    )
  }
  const uncovered = aliases.filter((alias) => !isCovered(alias, record.names))
  if (uncovered.length > 0) {
    throw refused(
      "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that you're " +
        `trying to add: ${shown(uncovered)}; it is for ${shown(record.names)}.`,
    )
  }
}

/** What makes a certificate useless for viewers; null for nothing. */
export function problemOf(record: CertificateRecord, clock: Clock | undefined): string | null {
  const { material, status, keyAlgorithm } = record
  const isServed = status === 'ISSUED' || (status === 'EXPIRED' && clock === undefined)
  if (!isServed || material === undefined) return `its status is ${status}, not ISSUED`
  if (clock !== undefined && clock.now() >= Date.parse(material.notAfter)) return `it expired on ${material.notAfter}`
  if (!SERVED_KEYS.includes(keyAlgorithm)) {
    return `its key is ${keyAlgorithm}, and CloudFront serves with ${SERVED_KEYS.join(', ')} alone`
  }
  return null
}

/**
 * The tag names a certificate that stands in for the one of ViewerCertificate, with the other kind of key. `code`: of who
 * changes the tag, or of who changes what it stands beside.
 */
export async function checkSecondCertificate(
  reader: Reader,
  config: DistributionConfig,
  tags: Tags,
  clock: Clock | undefined,
  code: 'InvalidTagging' | 'InvalidViewerCertificate',
): Promise<void> {
  const arn = tags[SECOND_CERTIFICATE_TAG]
  if (arn === undefined) return
  const wrong = (what: string) => cloudfrontFault(code, `The tag ${SECOND_CERTIFICATE_TAG}: ${what}.`)
  const firstArn = config.ViewerCertificate?.ACMCertificateArn
  const first = firstArn ? (await reader.get('certificate', firstArn))?.doc : undefined
  if (first === undefined) throw wrong('the distribution has no ACMCertificateArn that it could stand beside')
  const second = (await reader.get('certificate', arn))?.doc
  if (second === undefined) throw wrong(`there is no certificate ${quoted(arn)}`)
  const problem = problemOf(second, clock)
  if (problem !== null) throw wrong(`the certificate ${arn} cannot be served: ${problem}`)
  if (keyKind(first.keyAlgorithm) === keyKind(second.keyAlgorithm)) {
    throw wrong(`the keys must be of two kinds, and both are ${first.keyAlgorithm} and ${second.keyAlgorithm}`)
  }
  const uncovered = (config.Aliases?.Items ?? []).filter((alias) => !isCovered(alias, second.names))
  if (uncovered.length > 0) throw wrong(`the certificate ${arn} does not cover ${shown(uncovered)}`)
}

/** A few of them. */
const shown = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`
