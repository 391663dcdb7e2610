//! What AWS demands of ViewerMtlsConfig (spec/cloudfront.md 2.1, 15; AWS's developer guide, "Enable mutual TLS for CloudFront
//! distributions": every behavior HTTPS only, no HTTP/3; passthrough has no trust store).
import type { DefaultCacheBehavior, DistributionConfig, ViewerMtlsConfig } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'

const MODES: readonly string[] = ['required', 'optional', 'passthrough']

export const distributionsWithTrustStore = (
  records: readonly DistributionRecord[],
  id: string,
): readonly DistributionRecord[] =>
  records.filter(({ config }) => (config as DistributionConfig).ViewerMtlsConfig?.TrustStoreConfig?.TrustStoreId === id)

/** Required is AWS's default; an element with nothing in it is one of no mutual TLS. */
export function mtlsWithDefaults(given: ViewerMtlsConfig | undefined): Pick<DistributionConfig, 'ViewerMtlsConfig'> {
  if (given === undefined || (given.Mode === undefined && given.TrustStoreConfig === undefined)) return {}
  const { Mode = 'required', TrustStoreConfig: trust } = given
  if (trust === undefined) return { ViewerMtlsConfig: { Mode } }
  const TrustStoreConfig = {
    TrustStoreId: trust.TrustStoreId,
    AdvertiseTrustStoreCaNames: trust.AdvertiseTrustStoreCaNames ?? false,
    IgnoreCertificateExpiry: trust.IgnoreCertificateExpiry ?? false,
  }
  return { ViewerMtlsConfig: { Mode, TrustStoreConfig } }
}

/** Of a configuration with its defaults. @throws InvalidArgument, EntityNotFound */
export async function checkViewerMtls(reader: Reader, config: DistributionConfig): Promise<void> {
  const { ViewerMtlsConfig: mtls } = config
  if (mtls === undefined) return
  const { Mode: mode = '', TrustStoreConfig: trust } = mtls
  if (!MODES.includes(mode)) {
    throw invalidArgument('ViewerMtlsConfig.Mode', `${quoted(mode)} is not one of ${MODES.join(', ')}`)
  }
  checkHttps(config)
  if (mode === 'passthrough') {
    if (trust === undefined) return
    throw invalidArgument(
      'ViewerMtlsConfig.TrustStoreConfig',
      'in passthrough mode nothing is verified, and there is no trust store',
    )
  }
  if (!trust?.TrustStoreId) {
    throw invalidArgument('ViewerMtlsConfig.TrustStoreConfig.TrustStoreId', `it is required in ${mode} mode`)
  }
  const store = (await reader.get('trust-store', trust.TrustStoreId))?.doc
  if (store === undefined) {
    throw cloudfrontFault('EntityNotFound', `The trust store ${quoted(trust.TrustStoreId)} does not exist.`)
  }
  // One that was good once goes on with what it had when an update fails.
  if (store.certificates.length > 0) return
  const why = store.reason === undefined ? '' : `, ${store.reason}`
  throw invalidArgument(
    'ViewerMtlsConfig.TrustStoreConfig.TrustStoreId',
    `the trust store ${store.id} is not active, but ${store.status}${why}`,
  )
}

function checkHttps(config: DistributionConfig): void {
  const { HttpVersion: version = '' } = config
  if (version === 'http3' || version === 'http2and3') {
    throw invalidArgument('HttpVersion', `a ViewerMtlsConfig does not go with HTTP/3, which ${version} offers`)
  }
  const behaviors: readonly (readonly [string, DefaultCacheBehavior | undefined])[] = [
    ['DefaultCacheBehavior', config.DefaultCacheBehavior],
    ...(config.CacheBehaviors?.Items ?? []).map((behavior, at) => [`CacheBehaviors.Items[${at}]`, behavior] as const),
  ]
  const plain = behaviors.find(([, behavior]) => behavior?.ViewerProtocolPolicy === 'allow-all')
  if (plain !== undefined) {
    throw invalidArgument(
      `${plain[0]}.ViewerProtocolPolicy`,
      'with a ViewerMtlsConfig every cache behavior is https-only or redirect-to-https',
    )
  }
}
