//! What continuous deployment demands of distributions (spec/cloudfront.md 2.1, 15): which may be staging, which may have a
//! policy, and what may change while they are bound to each other.
import { isDeepStrictEqual } from 'node:util'
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { DeploymentPolicyRecord, DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'
import { configOf } from './distribution-view.ts'

/** @throws NoSuchContinuousDeploymentPolicy */
export async function findDeploymentPolicy(reader: Reader, id: string | undefined): Promise<DeploymentPolicyRecord> {
  const stored = id ? await reader.get('continuous-deployment-policy', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault(
      'NoSuchContinuousDeploymentPolicy',
      `The continuous deployment policy ${quoted(id ?? '')} does not exist.`,
    )
  }
  return stored.doc
}

/** The distribution that a policy is attached to. */
export async function primaryOf(reader: Reader, policyId: string): Promise<DistributionRecord | undefined> {
  const distributions = (await reader.list('distribution')).map(({ doc }) => doc)
  return distributions.find((doc) => configOf(doc).ContinuousDeploymentPolicyId === policyId)
}

/** The policy that sends requests to a staging distribution. */
export async function policyOfStaging(reader: Reader, stagingId: string): Promise<DeploymentPolicyRecord | undefined> {
  const policies = (await reader.list('continuous-deployment-policy')).map(({ doc }) => doc)
  return policies.find((policy) => policy.stagingId === stagingId)
}

/**
 * Checks what a configuration, new or not, says of continuous deployment.
 * @throws InvalidArgument, NoSuchContinuousDeploymentPolicy, ContinuousDeploymentPolicyInUse
 */
export async function checkDeployment(
  reader: Reader,
  config: DistributionConfig,
  others: readonly DistributionRecord[],
): Promise<void> {
  const { Staging: isStaging = false, ContinuousDeploymentPolicyId: policyId, HttpVersion: version = '' } = config
  if (!isStaging && !policyId) return
  if (isStaging && policyId) {
    throw invalidArgument('ContinuousDeploymentPolicyId', 'a staging distribution has no policy of its own')
  }
  if (isStaging && config.Aliases?.Items?.length) {
    throw invalidArgument('Aliases', 'a staging distribution has none: its viewers come to its primary distribution')
  }
  if (version === 'http3' || version === 'http2and3') {
    throw invalidArgument('HttpVersion', `continuous deployment does not go with HTTP/3, which ${version} offers`)
  }
  if (!policyId) return
  await findDeploymentPolicy(reader, policyId)
  const holder = others.find((other) => configOf(other).ContinuousDeploymentPolicyId === policyId)
  if (holder !== undefined) {
    throw cloudfrontFault(
      'ContinuousDeploymentPolicyInUse',
      `The continuous deployment policy ${quoted(policyId)} is attached to the distribution ${holder.id}.`,
    )
  }
}

/** What stays as it is while a policy binds the two (AWS's developer guide, Updating primary and staging distributions). */
const BOUND_FIELDS = [
  'Aliases',
  'PriceClass',
  'ViewerCertificate',
  'WebACLId',
  'HttpVersion',
  'IsIPV6Enabled',
  // Not in the guide's list, which is older: a handshake is the primary's, whoever answers.
  'ViewerMtlsConfig',
] as const satisfies readonly (keyof DistributionConfig)[]

/**
 * Checks what an update changes. Whoever takes the policy away may change the rest at once (unconfirmed).
 * @throws IllegalUpdate, StagingDistributionInUse
 */
export async function checkDeploymentChange(
  reader: Reader,
  old: DistributionRecord,
  config: DistributionConfig,
): Promise<void> {
  const before = configOf(old)
  if ((before.Staging ?? false) !== (config.Staging ?? false)) {
    throw cloudfrontFault('IllegalUpdate', 'Staging cannot change: copy a distribution to make a staging one.')
  }
  const policy = config.Staging === true ? await policyOfStaging(reader, old.id) : undefined
  if (policy !== undefined && config.Enabled === false && before.Enabled === true) {
    throw cloudfrontFault(
      'StagingDistributionInUse',
      `The continuous deployment policy ${policy.id} uses this staging distribution: delete the policy, or let it name another, first.`,
    )
  }
  const isBound = config.ContinuousDeploymentPolicyId
    ? before.ContinuousDeploymentPolicyId === config.ContinuousDeploymentPolicyId
    : policy !== undefined && (await primaryOf(reader, policy.id)) !== undefined
  if (!isBound) return
  const changed = BOUND_FIELDS.filter((field) => !isDeepStrictEqual(before[field], config[field]))
  if (changed.length > 0) {
    throw cloudfrontFault(
      'IllegalUpdate',
      `One or more fields updated are not supported for continuous deployment: ${changed.join(', ')}.`,
    )
  }
}

/** @throws ResourceInUse for a distribution that a policy binds */
export async function checkDeploymentEnd(reader: Reader, record: DistributionRecord): Promise<void> {
  const policyId = configOf(record).ContinuousDeploymentPolicyId
  const bound = policyId || (await policyOfStaging(reader, record.id))?.id
  if (bound) {
    throw cloudfrontFault(
      'ResourceInUse',
      `The distribution ${record.id} belongs to the continuous deployment policy ${bound}: undo that first.`,
    )
  }
}
