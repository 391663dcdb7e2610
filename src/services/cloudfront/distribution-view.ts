//! A stored distribution as the API shows it: whole, and as a line of a list (spec/cloudfront.md 1.8).
import type { Distribution, DistributionConfig, DistributionSummary } from '@aws-sdk/client-cloudfront'
import type { DistributionRecord } from '../../domain/records.ts'
import type { ActiveSigners } from './trusted-keys.ts'

export const configOf = (record: DistributionRecord): DistributionConfig => record.config as DistributionConfig

/** Outside China every alias counts as approved. */
const icp = (config: DistributionConfig) =>
  config.Aliases?.Items?.length
    ? { AliasICPRecordals: config.Aliases.Items.map((CNAME) => ({ CNAME, ICPRecordalStatus: 'APPROVED' as const })) }
    : {}

export function distributionView(
  record: DistributionRecord,
  invalidationsInProgress: number,
  signers: ActiveSigners,
): Distribution {
  const config = configOf(record)
  return {
    Id: record.id,
    ARN: record.arn,
    Status: record.status,
    LastModifiedTime: new Date(record.lastModifiedTime),
    InProgressInvalidationBatches: invalidationsInProgress,
    DomainName: record.domainName,
    ...signers,
    DistributionConfig: config,
    ...icp(config),
  }
}

/** Flattened, without Logging, DefaultRootObject and CallerReference. */
export function distributionSummary(record: DistributionRecord): DistributionSummary {
  const config = configOf(record)
  return {
    Id: record.id,
    ARN: record.arn,
    ETag: record.etag,
    Status: record.status,
    LastModifiedTime: new Date(record.lastModifiedTime),
    DomainName: record.domainName,
    Aliases: config.Aliases,
    Origins: config.Origins,
    OriginGroups: config.OriginGroups,
    DefaultCacheBehavior: config.DefaultCacheBehavior,
    CacheBehaviors: config.CacheBehaviors,
    CustomErrorResponses: config.CustomErrorResponses,
    Comment: config.Comment,
    PriceClass: config.PriceClass,
    Enabled: config.Enabled,
    ViewerCertificate: config.ViewerCertificate,
    Restrictions: config.Restrictions,
    WebACLId: config.WebACLId,
    HttpVersion: config.HttpVersion,
    IsIPV6Enabled: config.IsIPV6Enabled,
    Staging: config.Staging ?? false,
    ...icp(config),
  }
}
