//! The address of its own that a distribution with SSLSupportMethod vip gets, out of those that the operator gave.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault } from '../../domain/cloudfront-faults.ts'
import { firstFree } from '../../domain/dedicated-addresses.ts'
import { notImplemented } from '../../domain/faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'

/**
 * What it has already stays its own until it is deleted, whatever it is set to meanwhile: viewers know the address.
 * @throws NotImplemented without addresses, TooManyCertificates when all are taken
 */
export async function dedicatedAddress(
  reader: Reader,
  config: DistributionConfig,
  old: Pick<DistributionRecord, 'dedicatedAddress'>,
  { dedicatedAddresses: pool = [] }: Pick<ServiceContext, 'dedicatedAddresses'>,
): Promise<Pick<DistributionRecord, 'dedicatedAddress'>> {
  if (old.dedicatedAddress !== undefined) return { dedicatedAddress: old.dedicatedAddress }
  if (config.ViewerCertificate?.SSLSupportMethod !== 'vip') return {}
  if (config.ViewerCertificate.CloudFrontDefaultCertificate === true) return {}
  if (pool.length === 0) {
    throw notImplemented(
      'What DistributionConfig sets in ViewerCertificate.SSLSupportMethod (vip) without addresses to give: start with --dedicated-ips CIDR',
    )
  }
  const stored = await reader.list('distribution')
  const free = firstFree(pool, new Set(stored.flatMap(({ doc }) => doc.dedicatedAddress ?? [])))
  if (free !== undefined) return { dedicatedAddress: free }
  throw cloudfrontFault(
    'TooManyCertificates',
    `All ${pool.length} addresses of --dedicated-ips belong to distributions: delete one, or give more addresses.`,
  )
}
