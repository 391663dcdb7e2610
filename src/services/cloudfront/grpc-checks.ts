//! What AWS refuses in a behavior with GrpcConfig (spec/cloudfront.md 2.3, 13.5).
import type { DefaultCacheBehavior, DistributionConfig } from '@aws-sdk/client-cloudfront'
import { invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'

const WITH_HTTP2: readonly string[] = ['http2', 'http2and3']

/**
 * That it needs POST is AWS's own rule and text; that the other two are InvalidArgument as well is (unconfirmed): its
 * guide says that gRPC needs HTTP/2 and an origin that supports HTTPS.
 * @throws InvalidArgument
 */
export function checkGrpc(behavior: DefaultCacheBehavior, path: string, config: DistributionConfig): void {
  if (behavior.GrpcConfig?.Enabled !== true) return
  const field = `${path}.GrpcConfig`
  if (behavior.AllowedMethods?.Items?.includes('POST') !== true) {
    throw invalidArgument(field, 'gRPC only supports the POST method, which AllowedMethods does not list')
  }
  if (!WITH_HTTP2.includes(config.HttpVersion ?? '')) {
    throw invalidArgument(field, `gRPC needs HTTP/2, and HttpVersion is ${quoted(config.HttpVersion ?? '')}`)
  }
  const plain = targetsOf(behavior.TargetOriginId, config).find(
    (origin) => origin.CustomOriginConfig?.OriginProtocolPolicy === 'http-only',
  )
  if (plain !== undefined) {
    throw invalidArgument(field, `gRPC is HTTPS from end to end, and the origin ${quoted(plain.Id ?? '')} is http-only`)
  }
}

/** The origin; of an origin group the primary, for a call never fails over. */
function targetsOf(id: string | undefined, { Origins, OriginGroups }: DistributionConfig) {
  const group = OriginGroups?.Items?.find((one) => one.Id === id)
  const asked = group === undefined ? id : group.Members?.Items?.[0]?.OriginId
  return Origins?.Items?.filter((origin) => origin.Id === asked) ?? []
}
