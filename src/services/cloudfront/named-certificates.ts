//! PURE: which certificates a distribution names.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { SECOND_CERTIFICATE_TAG, type Tags } from '../../domain/tags.ts'

/** ARNs of the certificates that it shows to viewers and to origins. `tags` are the distribution's own. */
export function certificatesNamed(config: DistributionConfig, tags: Tags): ReadonlySet<string> {
  const origins = (config.Origins?.Items ?? []).map(
    ({ CustomOriginConfig: custom }) => custom?.OriginMtlsConfig?.ClientCertificateArn,
  )
  const named = [config.ViewerCertificate?.ACMCertificateArn, tags[SECOND_CERTIFICATE_TAG], ...origins]
  return new Set(named.flatMap((arn) => arn || []))
}
