//! Staging distributions: made as copies, and promoted (spec/cloudfront.md 1.2, 1.9, 15).
import type {
  CopyDistributionRequest,
  CopyDistributionResult,
  DistributionConfig,
  UpdateDistributionWithStagingConfigRequest,
  UpdateDistributionWithStagingConfigResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument } from '../../domain/cloudfront-faults.ts'
import { OWN_TAG_PREFIX, type Tags } from '../../domain/tags.ts'
import type { Operation } from '../service.ts'
import { checkSecondCertificate } from './certificate-checks.ts'
import { replaceDeploymentPolicy } from './deployment-policies.ts'
import { findDeploymentPolicy } from './deployment-rules.ts'
import { configOf, distributionView } from './distribution-view.ts'
import {
  acceptedConfig,
  addDistribution,
  findDistribution,
  invalidationsInProgress,
  otherDistributions,
  replaceConfig,
} from './distributions.ts'
import { locationOf, requireMatch } from './entity-tag.ts'
import { readTags, writeTags } from './tag-rules.ts'
import { activeSigners } from './trusted-keys.ts'

/** Tags of ours say how the edge serves: a copy is served alike. AWS copies no tags. */
const actingTags = (tags: Tags): Tags =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => key.startsWith(OWN_TAG_PREFIX)))

/** A staging distribution like the primary one, without its aliases. */
export const copyDistribution: Operation<CopyDistributionRequest, CopyDistributionResult> = async (input, context) => {
  const record = await context.state.transact(async (tx) => {
    const primary = await findDistribution(tx, input.PrimaryDistributionId)
    requireMatch(input.IfMatch, primary.etag)
    if (input.Staging !== true) throw invalidArgument('Staging', 'a copy is a staging distribution: it must be true')
    const config = configOf(primary)
    if (config.Staging === true) {
      throw invalidArgument('PrimaryDistributionId', `${primary.id} is a staging distribution itself`)
    }
    const copy: DistributionConfig = {
      ...config,
      CallerReference: input.CallerReference,
      Enabled: input.Enabled ?? true,
      Aliases: { Quantity: 0 },
      ContinuousDeploymentPolicyId: '',
      Staging: true,
    }
    return addDistribution(tx, copy, actingTags(await readTags(tx, primary.arn)), context)
  })
  return {
    Distribution: distributionView(record, 0, await activeSigners(context.state, record)),
    Location: locationOf(`distribution/${record.id}`),
    ETag: record.etag,
  }
}

/**
 * The primary distribution takes over the staging one's configuration, but for its aliases and its policy, which is
 * disabled: all requests are the primary's again. Enabled stays what it was too, so that a promotion takes nobody off the
 * air (unconfirmed).
 */
export const updateDistributionWithStagingConfig: Operation<
  UpdateDistributionWithStagingConfigRequest,
  UpdateDistributionWithStagingConfigResult
> = async (input, context) => {
  const [record, inProgress, signers] = await context.state.transact(async (tx) => {
    const primary = await findDistribution(tx, input.Id)
    const old = configOf(primary)
    const [primaryMatch, stagingMatch, ...more] = (input.IfMatch ?? '').split(',')
    requireMatch(primaryMatch, primary.etag)
    if (!old.ContinuousDeploymentPolicyId) {
      throw cloudfrontFault(
        'IllegalUpdate',
        `The distribution ${primary.id} has no continuous deployment policy, and so no staging distribution.`,
      )
    }
    const policy = await findDeploymentPolicy(tx, old.ContinuousDeploymentPolicyId)
    const staging = await findDistribution(tx, input.StagingDistributionId || policy.stagingId)
    requireMatch(more.length > 0 ? undefined : stagingMatch, staging.etag)
    if (staging.id !== policy.stagingId) {
      throw cloudfrontFault(
        'IllegalUpdate',
        `${staging.id} is not the staging distribution of ${primary.id}: its policy names ${policy.stagingId}.`,
      )
    }
    const promoted: DistributionConfig = {
      ...configOf(staging),
      CallerReference: old.CallerReference,
      Aliases: old.Aliases,
      ContinuousDeploymentPolicyId: old.ContinuousDeploymentPolicyId,
      Enabled: old.Enabled,
      Staging: false,
    }
    const config = await acceptedConfig(tx, promoted, await otherDistributions(tx, primary.id), context)
    const updated = await replaceConfig(tx, primary, config, context)
    const tags = await readTags(tx, primary.arn)
    const kept = Object.entries(tags).filter(([key]) => !key.startsWith(OWN_TAG_PREFIX))
    const acting = actingTags(await readTags(tx, staging.arn))
    await checkSecondCertificate(tx, config, acting, context.clock, 'InvalidViewerCertificate')
    await writeTags(tx, primary.arn, { ...Object.fromEntries(kept), ...acting }, context.quotas)
    await replaceDeploymentPolicy(
      tx,
      policy,
      { ...(policy.config as object), Enabled: false } as never,
      staging.id,
      context,
    )
    return [updated, await invalidationsInProgress(tx, primary.id), await activeSigners(tx, updated)] as const
  })
  return { Distribution: distributionView(record, inProgress, signers), ETag: record.etag }
}
