//! A distribution that sends everything to one origin on this host, as AWS's API takes it.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'

/** Managed-CachingOptimized: Default TTL one day, only the path is keyed. */
const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'

/** `reference` must be new to the installation; the origin listens on `port` of 127.0.0.1. */
export const oneOrigin = (reference: string, port: number, comment = reference): DistributionConfig => ({
  CallerReference: reference,
  Comment: comment,
  Enabled: true,
  Origins: {
    Quantity: 1,
    Items: [
      {
        Id: 'origin',
        DomainName: '127.0.0.1',
        CustomOriginConfig: { HTTPPort: port, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
      },
    ],
  },
  DefaultCacheBehavior: {
    TargetOriginId: 'origin',
    ViewerProtocolPolicy: 'allow-all',
    CachePolicyId: CACHING_OPTIMIZED,
  },
})
