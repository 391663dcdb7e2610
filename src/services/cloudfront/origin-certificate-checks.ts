//! Whether the certificates that a distribution shows to origins (OriginMtlsConfig, spec/cloudfront.md 2.2) can be shown.
//! AWS's guide says that they are certificates of ACM for client authentication; its codes for one that is not are
//! (unconfirmed).
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { CERTIFICATE_REGION, type CertificateRecord } from '../../domain/certificates.ts'
import { invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Reader } from '../../state/state.ts'
import { problemOf } from './certificate-checks.ts'

/** RFC 5280 4.2.1.12: id-kp-clientAuth and anyExtendedKeyUsage; a certificate without the extension is for everything. */
const CLIENT_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']

/**
 * `clock` as of checkViewerCertificate.
 * @throws InvalidArgument
 */
export async function checkOriginCertificates(
  reader: Reader,
  { Origins }: DistributionConfig,
  clock: Clock | undefined,
): Promise<void> {
  for (const [at, { CustomOriginConfig: custom }] of (Origins?.Items ?? []).entries()) {
    if (custom?.OriginMtlsConfig === undefined) continue
    const field = `Origins.Items[${at}].CustomOriginConfig.OriginMtlsConfig`
    if (custom.OriginProtocolPolicy === 'http-only') {
      throw invalidArgument(field, 'an origin with the OriginProtocolPolicy http-only is never shown a certificate')
    }
    const arn = custom.OriginMtlsConfig.ClientCertificateArn ?? ''
    const record = (await reader.get('certificate', arn))?.doc
    const problem = record === undefined ? `there is none in ${CERTIFICATE_REGION}` : whyNotShown(record, clock)
    if (problem !== null) {
      throw invalidArgument(
        `${field}.ClientCertificateArn`,
        `it is the ARN of an issued certificate of ACM for client authentication; of ${quoted(arn)}: ${problem}`,
      )
    }
  }
}

function whyNotShown(record: CertificateRecord, clock: Clock | undefined): string | null {
  const usages = record.material?.extendedKeyUsages ?? []
  const isForClients = usages.length === 0 || usages.some(({ oid }) => CLIENT_USAGES.includes(oid))
  const use = isForClients
    ? null
    : `it is for ${usages.map(({ name }) => name).join(', ')}, not for TLS_WEB_CLIENT_AUTHENTICATION`
  return problemOf(record, clock) ?? use
}
