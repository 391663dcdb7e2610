//! THE TABLE of what a DistributionConfig may say and this program does not do yet. Such a field, set to anything but
//! its harmless default, is refused with 501 and its name, so that nothing is accepted and ignored. A feature that is
//! built lifts its row. What AWS itself would refuse is refused first, with AWS's own code (distribution-checks.ts).
import type { DefaultCacheBehavior, DistributionConfig, Origin, OriginGroup } from '@aws-sdk/client-cloudfront'
import { notImplemented } from '../../domain/faults.ts'
import { generatedHeadersNotBuilt } from '../../domain/generated-headers.ts'

interface Row<T> {
  readonly field: string
  /** What is accepted today, for the message. */
  readonly accepted: string
  readonly isUsed: (part: T) => boolean
}

const some = (list: { Quantity?: number | undefined; Items?: readonly unknown[] | undefined } | undefined): boolean =>
  (list?.Items?.length ?? list?.Quantity ?? 0) > 0

export const DISTRIBUTION_ROWS: readonly Row<DistributionConfig>[] = [
  {
    // HTTP/3 needs a QUIC stack, and there is none. The stored ones of earlier versions are served what is below it.
    field: 'HttpVersion',
    accepted: 'http1.1 or http2',
    isUsed: (c) => c.HttpVersion === 'http3' || c.HttpVersion === 'http2and3',
  },
  { field: 'Logging.Enabled', accepted: 'false', isUsed: (c) => c.Logging?.Enabled === true },
  { field: 'Logging.IncludeCookies', accepted: 'false', isUsed: (c) => c.Logging?.IncludeCookies === true },
  {
    field: 'PriceClass',
    accepted: 'PriceClass_100, PriceClass_200 or PriceClass_All',
    isUsed: (c) => c.PriceClass === 'None',
  },
  {
    field: 'ViewerCertificate.IAMCertificateId',
    accepted: 'an ACMCertificateArn; IAM server certificates are not there',
    isUsed: (c) => Boolean(c.ViewerCertificate?.IAMCertificateId),
  },
  {
    // vip needs addresses to give (dedicated-address.ts).
    field: 'ViewerCertificate.SSLSupportMethod',
    accepted: 'sni-only or vip',
    isUsed: (c) => c.ViewerCertificate?.SSLSupportMethod === 'static-ip',
  },
  {
    // OpenSSL is built without it; with sni-only AWS refuses it first.
    field: 'ViewerCertificate.MinimumProtocolVersion',
    accepted: 'TLSv1 and later',
    isUsed: (c) => c.ViewerCertificate?.MinimumProtocolVersion === 'SSLv3',
  },
  {
    // Ids of WAF Classic are UUIDs.
    field: 'WebACLId',
    accepted: 'the ARN of a web ACL of WAFv2; WAF Classic is not there',
    isUsed: (c) => Boolean(c.WebACLId) && !c.WebACLId?.startsWith('arn:'),
  },
  { field: 'AnycastIpListId', accepted: 'empty', isUsed: (c) => Boolean(c.AnycastIpListId) },
  { field: 'TenantConfig', accepted: 'absent', isUsed: (c) => c.TenantConfig !== undefined },
  {
    field: 'ConnectionMode',
    accepted: 'direct',
    isUsed: (c) => c.ConnectionMode !== undefined && c.ConnectionMode !== 'direct',
  },
  {
    field: 'ConnectionFunctionAssociation',
    accepted: 'absent',
    isUsed: (c) => c.ConnectionFunctionAssociation !== undefined,
  },
]

export const ORIGIN_ROWS: readonly Row<Origin>[] = [
  {
    field: 'VpcOriginConfig',
    accepted: 'CustomOriginConfig or S3OriginConfig',
    isUsed: (o) => o.VpcOriginConfig !== undefined,
  },
  {
    // OpenSSL 3 does not speak it. Beside others it is one that need not be chosen.
    field: 'CustomOriginConfig.OriginSslProtocols',
    accepted: 'a list that has TLSv1, TLSv1.1 or TLSv1.2',
    isUsed: (o) => o.CustomOriginConfig?.OriginSslProtocols?.Items?.every((protocol) => protocol === 'SSLv3') === true,
  },
]

export const ORIGIN_GROUP_ROWS: readonly Row<OriginGroup>[] = [
  {
    field: 'SelectionCriteria',
    accepted: 'default',
    isUsed: (g) => (g.SelectionCriteria ?? 'default') !== 'default',
  },
]

export const BEHAVIOR_ROWS: readonly Row<DefaultCacheBehavior>[] = [
  { field: 'SmoothStreaming', accepted: 'false', isUsed: (b) => b.SmoothStreaming === true },
  { field: 'LambdaFunctionAssociations', accepted: 'none', isUsed: (b) => some(b.LambdaFunctionAssociations) },
  { field: 'FunctionAssociations', accepted: 'none', isUsed: (b) => some(b.FunctionAssociations) },
  { field: 'RealtimeLogConfigArn', accepted: 'absent', isUsed: (b) => Boolean(b.RealtimeLogConfigArn) },
  {
    field: 'ForwardedValues.Headers',
    accepted: 'CloudFront-* headers that are built',
    isUsed: (b) => generatedHeadersNotBuilt(b.ForwardedValues?.Headers?.Items ?? []).length > 0,
  },
]

/** Full names of the fields of a (fully defaulted) configuration that are used and not built, with what is accepted. */
export function fieldsNotBuilt(config: DistributionConfig): string[] {
  const behaviors: (readonly [string, DefaultCacheBehavior | undefined])[] = [
    ['DefaultCacheBehavior', config.DefaultCacheBehavior],
    ...(config.CacheBehaviors?.Items ?? []).map((b, at) => [`CacheBehaviors.Items[${at}]`, b] as const),
  ]
  return [
    ...used(DISTRIBUTION_ROWS, config, ''),
    ...(config.Origins?.Items ?? []).flatMap((origin, at) => used(ORIGIN_ROWS, origin, `Origins.Items[${at}].`)),
    ...(config.OriginGroups?.Items ?? []).flatMap((group, at) =>
      used(ORIGIN_GROUP_ROWS, group, `OriginGroups.Items[${at}].`),
    ),
    ...behaviors.flatMap(([path, behavior]) => (behavior ? used(BEHAVIOR_ROWS, behavior, `${path}.`) : [])),
  ]
}

function used<T>(rows: readonly Row<T>[], part: T, path: string): string[] {
  return rows.filter((row) => row.isUsed(part)).map((row) => `${path}${row.field} (accepted: ${row.accepted})`)
}

/** @throws NotImplemented (501) that names every such field. */
export function refuseNotBuilt(config: DistributionConfig): void {
  const fields = fieldsNotBuilt(config)
  if (fields.length > 0) throw notImplemented(`What DistributionConfig sets in ${fields.join(', ')}`)
}
